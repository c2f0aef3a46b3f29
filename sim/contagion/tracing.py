"""Tracing of failures: which loss brought an institution down, and whose failure came before.

Keeps, for each institution, cumulated losses by channel on each of the last days. When an institution fails, the
channel is the one that took most of its capital within the window. A failure whose channel is a loss passed on by
others joins the cascade of the latest failure within the window, one round after it (inside a clearing, by the round of
fictitious default); any other failure starts a cascade. Nothing here moves money.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

PASSED_ON = ("clearing", "fire_sale", "run", "lapse")
"""Channels by which an institution is hurt by what happens to others."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One institution's failure. ``round`` counts from 1 in its ``cascade``; ``hard``: it could not pay what was due;
    ``insolvent``: its liabilities exceeded its assets."""

    institution: str
    day: int
    channel: str
    cascade: int
    round: int
    hard: bool
    insolvent: bool


class Tracer:
    """Losses of the last ``window`` days by institution and channel, and the failures so far."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.failures: list[Failure] = []
        self._losses: dict[str, deque[dict[str, int]]] = {}
        self._cascades = 0

    def note_losses(self, institution: str, cumulated: dict[str, int]) -> None:
        """Take down an institution's losses since the start, by channel, at the end of a day."""
        days = self._losses.setdefault(institution, deque(maxlen=self.window + 1))
        days.append(dict(cumulated))

    def recent(self, institution: str) -> dict[str, int]:
        """Losses within the window by channel; a channel that brought gains is left out."""
        days = self._losses.get(institution)
        if not days:
            return {}
        first, last = days[0] if len(days) > self.window else {}, days[-1]
        recent = {channel: amount - first.get(channel, 0) for channel, amount in last.items()}
        return {channel: amount for channel, amount in recent.items() if amount > 0}

    def channel(self, institution: str) -> str:
        """The channel with the largest recent loss; "other" where there is none. Ties go by name."""
        recent = self.recent(institution)
        return min(recent, key=lambda name: (-recent[name], name)) if recent else "other"

    def fail(self, institution: str, day: int, hard: bool, insolvent: bool, wave: int = 0) -> Failure:
        """Record a failure of today; ``wave`` is its round in today's clearing, 0 outside of it.

        Those of one clearing are to be given in rising order of their waves.
        """
        channel = self.channel(institution)
        earlier = [other for other in self.failures if day - other.day <= self.window]
        if wave > 1:
            channel = "clearing"  # it can pay if all others do
            cause = [other for other in earlier if other.day == day]
        else:
            cause = [other for other in earlier if other.day < day] if channel in PASSED_ON else []
        if cause:
            latest = cause[-1].cascade
            place = 1 + max(other.round for other in cause if other.cascade == latest)
        else:
            self._cascades += 1
            latest, place = self._cascades, 1
        failure = Failure(institution, day, channel, latest, place, hard, insolvent)
        self.failures.append(failure)
        return failure

    def size(self) -> int:
        """Institutions in the largest cascade."""
        members = [failure.cascade for failure in self.failures]
        return max((members.count(cascade) for cascade in set(members)), default=0)

    def depth(self) -> int:
        """Rounds of the deepest cascade."""
        return max((failure.round for failure in self.failures), default=0)
