"""Scheduled events: what a scenario may let happen on a given day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.scenario.errors import Problem, nearest, shown
from sim.scenario.nodes import Node
from sim.scenario.registry import Registry, shocks_of
from sim.scenario.types import Section
from sim.scenario.validate import validate


@dataclass(frozen=True, slots=True)
class Shock:
    """An event on ``day`` (0 is the first) that the mechanism of ``section`` applies with ``arguments`` as keywords."""

    day: int
    kind: str
    section: str
    arguments: Mapping[str, Any]

    def plain(self) -> dict[str, Any]:
        """The shock as it is written in a file."""
        return {"day": self.day, "kind": self.kind, **self.arguments}


def build_shocks(
    node: Node | None, sections: Mapping[str, type[Section]], horizon_days: int | None, registry: Registry
) -> tuple[list[Shock], list[Problem]]:
    """The shocks that ``node`` lists, by day and then in the order of the file, and the faults of the others."""
    if node is None or node.value is None:
        return [], []
    if not isinstance(node.value, list):
        return [], [Problem(node.place, "shocks", "shocks are a list of {day, kind, ...}")]
    known = shocks_of(sections)
    shocks: list[Shock] = []
    problems: list[Problem] = []
    for position, item in enumerate(node.value):
        shock, found = _build(item, f"shocks.{position}", known, horizon_days, registry)
        problems.extend(found)
        if shock is not None:
            shocks.append(shock)
    return sorted(shocks, key=lambda shock: shock.day), problems


def _build(
    item: Node, path: str, known: Mapping[str, tuple[str, Any]], horizon_days: int | None, registry: Registry
) -> tuple[Shock | None, list[Problem]]:
    if not isinstance(item.value, dict):
        return None, [Problem(item.place, path, f"a shock is a mapping {{day, kind, ...}}, not {shown(item.plain())}")]
    problems = []
    day_node, kind_node = item.value.get("day"), item.value.get("kind")
    day = day_node.value if day_node is not None else None
    last = f" to {horizon_days - 1:,}" if horizon_days else ""
    if day_node is None:
        problems.append(Problem(item.place, path, "'day' is missing: the day on which the shock strikes"))
    elif not isinstance(day, int) or isinstance(day, bool) or day < 0 or (horizon_days and day >= horizon_days):
        message = f"{shown(day_node.plain())} is not a day of the run; allowed: whole number from 0{last} (days)"
        problems.append(Problem(day_node.place, f"{path}.day", message))
    if kind_node is None:
        problems.append(Problem(item.place, path, "'kind' is missing: the kind of shock"))
        return None, problems
    kind = kind_node.value
    if not isinstance(kind, str) or kind not in known:
        problems.append(Problem(kind_node.place, f"{path}.kind", _unknown(kind_node.plain(), known, registry)))
        return None, problems
    section, declared = known[kind]
    rest = Node({key: node for key, node in item.value.items() if key not in ("day", "kind")}, item.place)
    arguments, found = validate(declared.arguments, rest, path)
    problems.extend(found)
    if problems or arguments is None:
        return None, problems
    assert isinstance(day, int)
    return Shock(day, kind, section, arguments.model_dump()), []


def _unknown(kind: Any, known: Mapping[str, Any], registry: Registry) -> str:
    if not isinstance(kind, str):
        return f"the kind of a shock is a name, not {shown(kind)}"
    elsewhere = shocks_of(registry.all())
    if kind in elsewhere:
        return f"the shock {shown(kind)} belongs to the section '{elsewhere[kind][0]}', which does not take part here"
    if not known:
        return f"unknown shock {shown(kind)}; the sections of this scenario know no shocks"
    return f"unknown shock {shown(kind)}; {nearest(kind, known)}"
