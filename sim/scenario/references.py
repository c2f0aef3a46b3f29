"""Names by which one section refers to what another one made, such as a pool of the market maker."""

from __future__ import annotations

from collections.abc import Sequence

from sim.scenario.errors import Problem, clean, nearest
from sim.scenario.nodes import Node
from sim.scenario.types import Section


def unknown_references(root: Node, sections: Sequence[tuple[str, Section]]) -> list[Problem]:
    """A problem for each name that no section of the scenario gives to a thing of that kind."""
    known: dict[str, set[str]] = {}
    for _, section in sections:
        for kind, names in section.named_things().items():
            known.setdefault(kind, set()).update(names)
    found = []
    for name, section in sections:
        for one in section.references():
            if one.kind in known and one.name not in known[one.kind]:
                place = root.entries[name].place_of(one.path)
                dotted = ".".join([name, *(str(step) for step in one.path)])
                message = f"there is no {one.kind} '{clean(one.name, 40)}'; {nearest(one.name, known[one.kind])}"
                found.append(Problem(place, dotted, message))
    return found
