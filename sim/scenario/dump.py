"""Plain data as YAML that is read back unchanged by YAML 1.2 as well as by 1.1 readers."""

from __future__ import annotations

from typing import Any

import yaml

from sim.scenario.yaml_guard import plain_scalar


class _Dumper(yaml.SafeDumper):
    """Quotes every text that a YAML 1.2 reader would take for something else, and never writes aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    try:
        ambiguous = not isinstance(plain_scalar(text), str)
    except ValueError:
        ambiguous = True
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if ambiguous else None)


_Dumper.add_representer(str, _text)


def to_yaml(data: Any) -> str:
    """``data`` (dicts, lists, scalars) as block-style YAML, keys in the order given."""
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


def flow(data: Any) -> str:
    """``data`` on one line, as ``--set path=...`` takes it."""
    text = str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6,
                         default_flow_style=True))
    return text.removesuffix("\n").removesuffix("...").strip()
