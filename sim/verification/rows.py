"""One line of the validation table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A truth with its source, what the simulation gave, and whether it is within tolerance."""

    id: str
    statement: str
    expected: str
    simulated: str
    tolerance: str
    verdict: bool
    source: str
