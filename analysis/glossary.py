"""What names mean: unit and description of figures and series, and the defaults of parameters.

Result folders hold names alone. Who opens them from the command line is given the glossary of the installed version;
without one, pages show names without units.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis.page import number, text


@dataclass(frozen=True)
class Term:
    """Unit ("1" for a ratio), description, and which direction is good ("high", "low", "none")."""

    unit: str = ""
    description: str = ""
    better: str = "none"


@dataclass(frozen=True)
class Glossary:
    """Terms of figures and daily series by name, and parameters' defaults by dotted path (JSON values).

    Example
    -------
    >>> Glossary(figures={"a.b": Term("USD", "All of it")}).unit("a.b")
    'USD'
    """

    figures: Mapping[str, Term] = field(default_factory=dict)
    series: Mapping[str, Term] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def unit(self, figure: str) -> str:
        """The unit of a figure; empty where it is a plain number or unknown."""
        found = self.figures.get(figure, Term()).unit
        return "" if found == "1" else found

    def axis(self, name: str, over_time: bool = False) -> str:
        """The unit of a figure, or of a series ``over_time``, as the label of an axis."""
        found = (self.series if over_time else self.figures).get(name, Term()).unit
        return {"": "unit as recorded", "1": "ratio"}.get(found, found)

    def meaning(self, name: str) -> str:
        """The description of a figure or a series; its name where there is none."""
        term = self.figures.get(name) or self.series.get(name) or Term()
        return term.description.rstrip(".") or name


NOTHING_KNOWN = Glossary()


def flatten(settings: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted path, value) of every parameter of a resolved scenario; lists and empty mappings are values.

    Example
    -------
    >>> list(flatten({"a": {"b": 1, "c": [2]}, "d": {}}))
    [('a.b', 1), ('a.c', [2]), ('d', {})]
    """
    for name, value in settings.items():
        here = f"{path}.{name}" if path else str(name)
        if isinstance(value, Mapping) and value:
            yield from flatten(value, here)
        else:
            yield here, value


HEAD = frozenset({"name", "question", "sources", "replications", "seed", "check", "expect", "variants", "stage"})
"""Entries of a scenario that say nothing about the market."""


def market_settings(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted path -> value of what a resolved scenario says about the market: sections, shocks, horizon.

    Values are in the parameters' units.

    >>> market_settings({"name": "made", "insurance": {"pools": 2}})
    {'insurance.pools': 2}
    """
    return dict(flatten({name: value for name, value in scenario.items() if name not in HEAD}))


def changed(scenario: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(path, value, default) of the parameters of a resolved scenario that differ from their defaults.

    Paths without a default (a scenario's shocks, say) are left out.

    Example
    -------
    >>> changed({"a": {"b": 1, "c": 2}}, {"a.b": 1, "a.c": 3})
    [('a.c', 2, 3)]
    """
    known = dict(flatten(defaults))
    return [(path, value, known[path]) for path, value in market_settings(scenario).items()
            if path in known and not same(value, known[path])]


def different(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(path, value in A, value in B) of the parameters that differ between two resolved scenarios; None where absent.

    Example
    -------
    >>> different({"x": {"y": 1}}, {"x": {"y": 2, "z": 3}})
    [('x.y', 1, 2), ('x.z', None, 3)]
    """
    one, other = market_settings(a), market_settings(b)
    return [(path, one.get(path), other.get(path)) for path in dict.fromkeys([*one, *other])
            if not same(one.get(path), other.get(path))]


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal as a scenario file sees them (1 and 1.0 are).

    >>> same({"a": 1}, {"a": 1.0}), same(1, 2)
    (True, False)
    """
    return json.dumps(_plain(a), sort_keys=True) == json.dumps(_plain(b), sort_keys=True)


def _plain(value: Any) -> Any:
    """``value`` with whole floats as integers, so that both are written the same."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def shown(value: Any) -> str:
    """A parameter's value as HTML; long ones are cut.

    The unit is not told: it stands with the parameter.

    >>> shown(True), shown(["a < b"])
    ('true', '[&quot;a &lt; b&quot;]')
    """
    if isinstance(value, (bool, str)):
        return text(str(value).lower() if isinstance(value, bool) else value)
    if value is None:
        return "–"
    if isinstance(value, (int, float)):
        return number(value)
    told = json.dumps(value, ensure_ascii=False, default=str)
    return text(told if len(told) <= 160 else told[:157] + "...")
