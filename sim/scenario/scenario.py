"""A scenario that has been read and found correct: frozen, picklable, and complete without the files it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from sim.scenario.expectations import MAIN, Expectation
from sim.scenario.shocks import Shock
from sim.scenario.types import Section

Settings = tuple[tuple[str, Any], ...]
"""Dotted paths with the plain values laid on them, in order."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One configuration that can be run, with its variants and its smaller form for ``check``.

    ``all_sections`` has every section that the files name; ``sections`` only those that are switched on. A variant is
    a scenario itself: it has the name of the scenario it varies, its own ``variant``, and no further variants.
    """

    name: str
    stage: int
    question: str
    sources: tuple[str, ...]
    horizon_days: int
    replications: int
    seed: int
    shocks: tuple[Shock, ...]
    expect: tuple[Expectation, ...]
    all_sections: Mapping[str, Section]
    variant: str = MAIN
    file: str = ""
    settings: Settings = ()
    """Everything laid on the file to make this configuration: ``--set``, then ``check``, then the variant."""
    changes: Settings = ()
    """The part of ``settings`` that the block of this variant, or of ``check``, states itself."""
    variants: Mapping[str, Scenario] = field(default_factory=dict)
    check: Scenario | None = None
    """The same scenario as ``check`` runs it; None where the file has no ``check`` block."""

    @property
    def label(self) -> str:
        """Name for people: the scenario's, with the variant's where it is one."""
        return self.name if self.variant == MAIN else f"{self.name}/{self.variant}"

    @property
    def sections(self) -> dict[str, Section]:
        """The sections that take part, by name."""
        return {name: section for name, section in sorted(self.all_sections.items()) if section.enabled}

    def section(self, name: str) -> Any:
        """The section ``name``; KeyError where the scenario has none or it is switched off."""
        found = self.all_sections.get(name)
        if found is None or not found.enabled:
            raise KeyError(f"the scenario {self.label!r} has no section {name!r}")
        return found

    def configurations(self) -> dict[str, Scenario]:
        """The scenario itself under "main", then its variants."""
        return {MAIN: self, **self.variants}

    def alone(self) -> Scenario:
        """This configuration without variants and check block, for sending to a worker."""
        return replace(self, variants={}, check=None)

    def resolved(self) -> dict[str, Any]:
        """Everything as plain data with defaults filled in; reading it back gives the same configuration.

        A variant resolves to a scenario of its own. Expectations that compare with a variant which is not here (that
        of a scenario :meth:`alone`, or of a variant) are left out.
        """
        main = self.variant == MAIN
        plain: dict[str, Any] = {
            "name": self.name if main else f"{self.name}.{self.variant}",
            "stage": self.stage,
            "question": self.question,
            "sources": list(self.sources),
            "horizon_days": self.horizon_days,
            "replications": self.replications,
            "seed": self.seed,
        }
        if self.check is not None:
            plain["check"] = {"set": _difference(self, self.check), "replications": self.check.replications}
        plain["shocks"] = [plain_data(shock.plain()) for shock in self.shocks]
        plain["expect"] = [_plain_expectation(wish) for wish in self.expect
                           if wish.against is None or wish.against in self.variants]
        if self.variants:
            plain["variants"] = {
                name: {
                    "question": variant.question,
                    "set": _difference(self, variant),
                    "expect": [_plain_expectation(wish) for wish in variant.expect],
                }
                for name, variant in self.variants.items()
            }
        plain.update({name: plain_data(section) for name, section in sorted(self.all_sections.items())})
        return plain

    def to_yaml(self) -> str:
        """:meth:`resolved` as YAML that :func:`sim.scenario.load.load_scenario` reads back unchanged."""
        from sim.scenario.dump import to_yaml

        return to_yaml(self.resolved())

    def config_hash(self) -> str:
        """SHA-256 of what determines a run once its seed is given: horizon, stage, shocks and sections switched on.

        Names, questions, expectations and the number of runs do not enter, so two files that state the same market
        have the same hash.
        """
        deciding = {
            "stage": self.stage,
            "horizon_days": self.horizon_days,
            "shocks": [plain_data(shock.plain()) for shock in self.shocks],
            "sections": {name: plain_data(section) for name, section in self.sections.items()},
        }
        text = json.dumps(deciding, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _difference(main: Scenario, other: Scenario) -> dict[str, Any]:
    """What turns ``main``, fully resolved, into ``other``, as a nested ``set`` block.

    The block that the file states would not do: a section may fill fields from one another (a preset), and those that
    ``main`` has filled must be changed back.
    """

    def turned(a: Any, b: Any) -> Any:
        if isinstance(a, dict) and isinstance(b, dict):
            return {key: turned(a.get(key), b[key]) for key in b if key not in a or a[key] != b[key]}
        return b

    own = ("name", "question", "replications", "seed", "check", "expect", "variants")
    before, after = ({key: value for key, value in one.alone().resolved().items() if key not in own}
                     for one in (main, other))
    return dict(turned(before, after))


def plain_data(value: Any) -> Any:
    """``value`` (a model or data that holds models) as lists, dicts and scalars, in an order that never changes."""
    if hasattr(value, "model_fields_set"):
        return {name: plain_data(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(plain_data(key)): plain_data(inner) for key, inner in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain_data(inner) for inner in value)
    if isinstance(value, (list, tuple)):
        return [plain_data(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _plain_expectation(wish: Expectation) -> dict[str, Any]:
    stated = plain_data(wish)
    return {key: stated[key] for key in stated if key in wish.model_fields_set}
