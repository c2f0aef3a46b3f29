"""A YAML value that remembers where it stands, and the few operations that scenarios need on such values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sim.scenario.errors import Place

Scalar = str | int | float | bool | None


@dataclass(slots=True)
class Node:
    """``value`` is a scalar, a list of nodes, or a mapping of text to nodes; ``place`` is where its key or item is.

    A mapping's place is that of its key, so that a fault of a section as a whole points to the line that names it.
    Nodes are shared between the trees of a scenario's variants and are never changed once they are built.
    """

    value: Scalar | list[Node] | dict[str, Node]
    place: Place

    def plain(self) -> Any:
        """The value as plain Python data."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    @property
    def entries(self) -> dict[str, Node]:
        """The entries of a mapping; nothing for any other value."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items of a list; nothing for any other value."""
        return self.value if isinstance(self.value, list) else []

    def place_of(self, path: Sequence[str | int]) -> Place:
        """The place of the value at ``path``, or of the innermost value on the way there that exists."""
        node = self
        for step in path:
            if isinstance(node.value, dict) and str(step) in node.value:
                node = node.value[str(step)]
            elif isinstance(node.value, list) and isinstance(step, int) and 0 <= step < len(node.value):
                node = node.value[step]
        return node.place

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Every value that is not a mapping with entries, with its path, in order."""
        if isinstance(self.value, dict) and self.value:
            for key, node in self.value.items():
                yield from node.walk((*path, key))
        else:
            yield path, self


def merge(base: Node, over: Node, top: bool = False) -> Node:
    """``over`` laid on ``base``: mappings merge entry by entry, everything else replaces.

    At the top of a file (``top``) an entry without a value says nothing about the mapping below it: an empty
    ``insurance:`` keeps the inherited section.
    """
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    entries = dict(base.value)
    for key, node in over.value.items():
        below = entries.get(key)
        if below is None:
            entries[key] = node
        elif not (top and node.value is None and isinstance(below.value, dict)):
            entries[key] = merge(below, node)
    return Node(entries, over.place)


def with_value(root: Node, path: Sequence[str], value: Node) -> Node:
    """A copy of ``root`` in which ``value`` is laid on the value at ``path``; missing mappings are made.

    A step into a list is its index. :class:`LookupError` says in a sentence why a path cannot be followed.
    """
    if not path:
        return merge(root, value)
    step, rest = path[0], path[1:]
    if isinstance(root.value, list):
        if not (step.isdecimal() and int(step) < len(root.value)):
            raise LookupError(f"'{step}' is no position in a list of {len(root.value)} (the first is 0)")
        items = list(root.value)
        items[int(step)] = with_value(items[int(step)], rest, value)
        return Node(items, root.place)
    if root.value is None or isinstance(root.value, dict):
        entries = dict(root.entries)
        below = entries.get(step, Node({}, value.place))
        entries[step] = with_value(below, rest, value) if rest else merge(below, value)
        return Node(entries, root.place)
    raise LookupError(f"'{step}' is looked for inside a single value, which has no parts")
