"""Interventions: when they are in force in which region, and what they leave of contacts and travel.

A measure starts on a fixed day, by a shock, or when the diagnoses of the last seven days reach a trigger in a region:
authorities see diagnoses, not infections. Each region decides by its own numbers; a measure can come back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.scenario.sections.epidemic import Intervention, Measure

PER = 100_000
NOT_IN_FORCE = -1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Rule:
    """One measure in all regions. ``since`` int64[regions] is the first day in force, -1 where it is not."""

    def __init__(self, measure: Measure, regions: int, start: int | None = None, days: int = 0) -> None:
        self.measure = measure
        self.taken = np.zeros(regions, dtype=np.bool_)
        self.taken[list(measure.regions) if measure.regions else slice(None)] = True
        self.start = start
        self.most_days = days
        self.since: Ints = np.full(regions, NOT_IN_FORCE, dtype=np.int64)
        self._due: Ints = np.full(regions, NOT_IN_FORCE, dtype=np.int64)

    def update(self, day: int, weekly: Floats) -> None:
        """Begin and end by ``weekly`` float64[regions], the diagnoses of the last seven days per 100,000."""
        active = self.since >= 0
        measure = self.measure
        ended = np.zeros_like(active)
        if self.most_days:
            ended |= active & (day - self.since >= self.most_days)
        if isinstance(measure, Intervention):
            ended |= active & (day - self.since >= measure.least_days) & (weekly < measure.release_weekly_cases)
            if measure.trigger_weekly_cases is not None:
                called = (self.taken & ~active & (self._due < 0) & (weekly >= measure.trigger_weekly_cases))
                self._due[called] = day + measure.delay_days
        self.since[ended] = NOT_IN_FORCE
        if self.start == day:
            self._due[self.taken] = day
        begun = (self._due >= 0) & (self._due <= day)
        self.since[begun] = day
        self._due[begun] = NOT_IN_FORCE

    def left(self, day: int, half_life: float) -> Floats:
        """What time in force has left of an effect, float64[regions]: 0 where it is not in force."""
        active = self.since >= 0
        if half_life <= 0.0:
            return active.astype(np.float64)
        result: Floats = np.where(active, 0.5 ** ((day - self.since) / half_life), 0.0)
        return result


class Interventions:
    """All measures. ``contacts`` and ``travel`` float64[regions] are relative to normal, ``deferring`` float64[regions]
    is the share of its first-day level at which care is put off."""

    def __init__(self, planned: Sequence[Intervention], regions: int, deferral_half_life: float) -> None:
        for measure in planned:
            check_regions(measure, regions)
        self.regions = regions
        self.deferral_half_life = deferral_half_life
        self.rules = [Rule(measure, regions, measure.start_day, measure.most_days) for measure in planned]
        self.contacts: Floats = np.ones(regions)
        self.travel: Floats = np.ones(regions)
        self.deferring: Floats = np.zeros(regions)
        self.days = 0

    @property
    def active(self) -> bool:
        """Whether a measure is in force anywhere."""
        return any(bool((rule.since >= 0).any()) for rule in self.rules)

    def impose(self, measure: Measure, day: int, days: int) -> None:
        """Put a measure into force on ``day`` for ``days``."""
        check_regions(measure, self.regions)
        self.rules.append(Rule(measure, self.regions, day, days))

    def update(self, day: int, weekly: Floats) -> None:
        """Begin and end measures, and set what they leave of contacts, travel and elective care today."""
        if not self.rules:
            return
        contacts, travel = np.ones(self.regions), np.ones(self.regions)
        deferring = np.zeros(self.regions)
        for rule in self.rules:
            rule.update(day, weekly)
            measure = rule.measure
            left = rule.left(day, measure.fatigue_half_life_days)
            contacts *= 1.0 - measure.contact_reduction * left
            travel *= 1.0 - measure.travel_reduction * left
            if measure.defers_care:
                deferring = np.maximum(deferring, rule.left(day, self.deferral_half_life))
        self.contacts, self.travel, self.deferring = contacts, travel, deferring
        self.days += self.active

    def mixing(self, normal: Floats) -> Floats:
        """The mixing matrix with today's travel: what is not made elsewhere is made at home."""
        if (self.travel == 1.0).all():
            return normal
        result = normal * np.minimum(self.travel[:, None], self.travel[None, :])
        np.fill_diagonal(result, 0.0)
        np.fill_diagonal(result, 1.0 - result.sum(axis=1))
        return result


def check_regions(measure: Measure, regions: int) -> None:
    """ValueError where a measure names a region that is not there."""
    for region in measure.regions:
        if not 0 <= region < regions:
            raise ValueError(f"there is no region {region}; there are {regions}, numbered from 0")
