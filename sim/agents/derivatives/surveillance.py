"""What is reported of an epidemic: cases by region and day, the committee's incidence of a period, deaths.

Only diagnoses are seen, never infections. Observers count with independent errors and the upper median of their
reports stands (:func:`sim.contracts.oracle_committee.rules.aggregate`); they are honest here, what it takes to bribe
them is the matter of the claims committees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.oracle_committee.rules import aggregate
from sim.kernel.draws import Draws, agent_key
from sim.kernel.fixedpoint import MAX_INT64
from sim.world.care_tables import Kind

MILLION = 1_000_000
Ints = NDArray[np.int64]


class CaseCount:
    """``daily`` int64[days, regions]: diagnoses of each day so far."""

    def __init__(self, epidemic: Any, days: int) -> None:
        self.epidemic = epidemic
        self.sizes: Ints = epidemic.transmission.sizes
        self.daily: Ints = np.zeros((days, self.sizes.size), dtype=np.int64)
        self.diagnosed: Ints = np.zeros(0, dtype=np.int64)

    def count(self, day: int) -> None:
        """Take note of today's diagnoses; ``diagnosed`` int64[n] are the slots."""
        episodes = self.epidemic.today.episodes
        self.diagnosed = episodes.slot[episodes.kind == Kind.INFECTION]
        region = self.epidemic.transmission.region
        self.daily[day] = np.bincount(region[self.diagnosed], minlength=self.sizes.size)

    def between(self, first: int, end: int) -> Ints:
        """int64[regions]: diagnoses of the days ``first`` to ``end`` - 1."""
        found: Ints = self.daily[max(first, 0):max(end, 0)].sum(axis=0)
        return found


class IncidenceCommittee:
    """Reports cases per million persons of a region and period."""

    def __init__(self, draws: Draws, observers: int, noise: float) -> None:
        self.keys = np.array([agent_key(f"surveillance {number}") for number in range(observers)], dtype=np.uint64)
        self.noise = noise
        self.error = draws.decision("derivatives.report_error")

    def report(self, cases: int, persons: int, day: int, serial: int) -> int:
        """Upper median of what the observers count."""
        errors = np.exp(self.noise * self.error.normal(day, self.keys, serial))
        counts = np.rint(cases * MILLION / max(persons, 1) * errors).astype(np.int64).tolist()
        return aggregate(counts, len(counts), (len(counts) - 1) // 3, 0, MAX_INT64)
