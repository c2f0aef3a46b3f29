"""Elective care that is put off while an epidemic frightens or an intervention forbids, and what returns of it.

Each episode of a day is put off with a chance by its kind and by the level of deferral in its region. Of what is put
off a share is lost, the rest returns to the same person after an exponential time, unless that day falls into another
wave: then it is put off again, without further loss. Hence, in episodes and in money, always

    deferred = lost + returned + pending.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import Draws
from sim.scenario.sections.epidemic import Deferral
from sim.world.care_process import Episodes
from sim.world.care_tables import Kind

Floats = NDArray[np.float64]


class DeferredCare:
    """Care put off. Sums are int64 base units at reference prices; ``*_episodes`` count."""

    def __init__(self, section: Deferral, draws: Draws) -> None:
        self.section = section
        self.share: Floats = np.zeros(len(Kind))
        for kind in (Kind.OUTPATIENT, Kind.PRESCRIPTION, Kind.INPATIENT, Kind.INTENSIVE):
            self.share[kind] = getattr(section, kind.name.lower())
        self._put_off = draws.decision("epidemic.defer")
        self._lost = draws.decision("epidemic.defer_lost")
        self._delay = draws.decision("epidemic.defer_delay")
        self._waiting: dict[int, list[Episodes]] = {}
        self.deferred = self.lost = self.returned = self.pending = 0
        self.deferred_episodes = self.lost_episodes = self.returned_episodes = self.pending_episodes = 0

    def level(self, weekly: Floats, imposed: Floats) -> Floats:
        """Level of deferral float64[regions]: what interventions impose, or what ``weekly`` diagnoses per 100,000 make
        people do of themselves, x / (x + x_half), whichever is more; 1 is the first day of an intervention."""
        half = self.section.fear_weekly_cases
        if half <= 0.0:
            return imposed
        result: Floats = np.maximum(imposed, weekly / (weekly + half))
        return result

    def put_off(self, day: int, today: Episodes, region: NDArray[np.int16], level: Floats) -> NDArray[np.bool_]:
        """Which episodes of today are sought today all the same, bool[n]; the others are lost or wait."""
        off = self._chosen(day, today, region, level)
        away = today.take(off)
        cost = int(away.cost.sum())
        self.deferred += cost
        self.deferred_episodes += len(away)
        lost = self._lost.bernoulli(day, away.key, self.section.lost_share, away.serial)
        self.lost += int(away.cost[lost].sum())
        self.lost_episodes += int(lost.sum())
        self._wait(day, away.take(~lost))
        return ~off

    def due(self, day: int, region: NDArray[np.int16], level: Floats) -> Episodes:
        """Care put off before that is sought today."""
        waiting = self._waiting.pop(day, None)
        if not waiting:
            return Episodes.none()
        found = Episodes.join(waiting)
        cost = int(found.cost.sum())
        self.pending -= cost
        self.pending_episodes -= len(found)
        off = self._chosen(day, found, region, level)
        self._wait(day, found.take(off))
        back = found.take(~off)
        self.returned += int(back.cost.sum())
        self.returned_episodes += len(back)
        return back

    def _chosen(self, day: int, episodes: Episodes, region: NDArray[np.int16], level: Floats) -> NDArray[np.bool_]:
        chance = self.share[episodes.kind] * np.minimum(level, 1.0)[region[episodes.slot]]
        chosen: NDArray[np.bool_] = self._put_off.bernoulli(day, episodes.key, chance, episodes.serial)
        return chosen

    def _wait(self, day: int, episodes: Episodes) -> None:
        """Keep ``episodes`` until the days on which they return."""
        if len(episodes) == 0:
            return
        self.pending += int(episodes.cost.sum())
        self.pending_episodes += len(episodes)
        delay = np.ceil(self._delay.exponential(day, episodes.key, episodes.serial) * self.section.return_days)
        days = day + np.maximum(delay, 1.0).astype(np.int64)
        for when in np.unique(days).tolist():
            self._waiting.setdefault(when, []).append(episodes.take(days == when))

    def balance(self) -> str | None:
        """None where what was put off is lost, returned or pending, to the unit; else one sentence."""
        if self.deferred != self.lost + self.returned + self.pending:
            return f"{self.deferred} put off, but {self.lost} lost, {self.returned} returned, {self.pending} pending"
        if self.deferred_episodes != self.lost_episodes + self.returned_episodes + self.pending_episodes:
            return "episodes put off are neither lost, returned nor pending"
        waiting = sum(len(part) for parts in self._waiting.values() for part in parts)
        if waiting != self.pending_episodes:
            return f"{waiting} episodes wait, but {self.pending_episodes} are pending"
        return None
