"""The scenario behind each configuration of a batch, as far as its plan tells it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from analysis.batch import PARAMETER, Batch


def resolved(batch: Batch, scenario: str, variant: str, point: int) -> dict[str, Any]:
    """The resolved scenario of a configuration with its swept values laid on; empty where the plan has none.

    A plan's entry of ``scenarios`` may hold ``resolved``: variant -> scenario as plain data.

    Name -> value in the parameters' units; ``point`` is a row of the design, from 0.

    >>> resolved(batch, "made", "apart", 0)["insurance"]
    {'mcr_gate': 1.3}
    """
    entry = next((one for one in batch.scenarios if one.get("name") == scenario), {})
    plain = entry.get("resolved")
    found = plain.get(variant) if isinstance(plain, Mapping) else None
    if not isinstance(found, Mapping):
        return {}
    settings = copy.deepcopy(dict(found))
    rows = batch.select(variant, scenario, point)
    for path in batch.parameters:
        _set(settings, path.split("."), rows[PARAMETER + path].iloc[0])
    return settings


def _set(settings: dict[str, Any], path: list[str], value: Any) -> None:
    """Lay ``value`` at ``path``, making mappings on the way."""
    for part in path[:-1]:
        inner = settings.get(part)
        settings[part] = inner if isinstance(inner, dict) else {}
        settings = settings[part]
    settings[path[-1]] = value.item() if hasattr(value, "item") else value
