"""Governable parameters: dotted path -> live value, within bounds.

The configuration of a run is frozen. A mechanism registers here the few parameters that a vote may change, reads
their live value each time it needs one, and the governor is the only caller of :meth:`Parameters.change`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


class ParameterError(ValueError):
    """An unknown path, or a value outside the registered bounds."""


@dataclass(slots=True)
class Parameter:
    """One live value with the bounds of a change and what it was at the start."""

    path: str
    value: float
    low: float
    high: float
    integer: bool
    initial: float


class Parameters:
    """The registry. Iteration is in order of registration."""

    def __init__(self) -> None:
        self._entries: dict[str, Parameter] = {}

    def register(self, path: str, value: float, low: float, high: float, integer: bool = False) -> None:
        """Add ``path`` with its starting value; bounds widen to include it."""
        if path in self._entries:
            raise ParameterError(f"parameter {path!r} is registered twice")
        self._entries[path] = Parameter(path, value, min(low, value), max(high, value), integer, value)

    def __getitem__(self, path: str) -> float:
        try:
            return self._entries[path].value
        except KeyError:
            raise ParameterError(f"no governable parameter {path!r}") from None

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._entries.values())

    def get(self, path: str) -> Parameter:
        """The entry of ``path``; :class:`ParameterError` where there is none."""
        if path not in self._entries:
            raise ParameterError(f"no governable parameter {path!r}")
        return self._entries[path]

    def change(self, path: str, value: float) -> float:
        """Set ``path`` to ``value`` and return the old value; refuses a value outside the bounds."""
        entry = self.get(path)
        if not entry.low <= value <= entry.high:
            raise ParameterError(f"{path} = {value} is outside {entry.low} .. {entry.high}")
        if entry.integer and value != int(value):
            raise ParameterError(f"{path} = {value} must be a whole number")
        old, entry.value = entry.value, value
        return old
