"""The timelock: how long a passed proposal waits, and for how long after that it may be executed.

Holds nothing but its two durations; the day of execution stands in the proposal. As in Compound's Timelock, what is
not executed within the grace period is stale for ever. What can never be: execution on a day before ``eta``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timelock:
    """``delay_days`` is read when a proposal is queued (a vote may change it); ``grace_days`` is fixed."""

    delay_days: Callable[[], int]
    grace_days: int

    def eta(self, day: int) -> int:
        """First day on which a proposal queued on ``day`` may be executed."""
        return day + self.delay_days()

    def ready(self, eta: int, day: int) -> bool:
        """Whether the wait is over and the grace is not."""
        return eta <= day and not self.stale(eta, day)

    def stale(self, eta: int, day: int) -> bool:
        """Whether the grace is over."""
        return day > eta + self.grace_days
