"""What an infection does to a person: diagnosis, hospital, cost of care, days of work lost.

One uniform of a person's infection decides severity: it needs a hospital below the share of its age, and is diagnosed
below the share diagnosed, so that who needs a hospital is diagnosed too and more severity only adds stays. A diagnosis
is an episode of kind ``infection``, which a lump sum can be tied to; a stay is an ordinary one on a ward or in
intensive care.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.scenario.sections.epidemic import EpidemicSection
from sim.world.care_process import SERVICE_BIT, Episodes
from sim.world.care_tables import Kind, Service
from sim.world.tables import MAX_AGE

SERIAL = 1 << 40
"""Serials of episodes by infection start here; those of ordinary care stay far below."""
DAY_BIT = 12

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(slots=True)
class Sick:
    """What infections bring today. ``episodes`` of care; ``slots`` int64[n] of those who stay away from work and
    ``days`` int64[n] for how long."""

    episodes: Episodes
    slots: Ints
    days: Ints


class Illness:
    """Courses of illness by permanent key; diagnoses and stays wait here for their day."""

    def __init__(
        self, section: EpidemicSection, keys: NDArray[np.uint64], age: NDArray[np.int16], draws: Draws
    ) -> None:
        self.section = section
        self.keys = keys
        self.age = age
        bands = np.searchsorted([band.from_age for band in section.ages], np.arange(MAX_AGE + 1), side="right") - 1
        hospital = np.array([band.hospitalised for band in section.ages])[bands] * section.severity
        self.hospitalised: Floats = np.minimum(hospital, 1.0)
        self.intensive: Floats = np.array([band.intensive for band in section.ages])[bands]
        diagnosed = np.array([band.relative_diagnosis for band in section.ages])[bands] * section.diagnosed_share
        self.diagnosed: Floats = np.clip(diagnosed, self.hospitalised, 1.0)
        self._severity = draws.decision("epidemic.severity")
        self._ward = draws.decision("epidemic.intensive_stay")
        self._cost = draws.decision("epidemic.cost")
        self._diagnoses: dict[int, list[Ints]] = {}
        self._stays: dict[int, list[Ints]] = {}

    def begin(self, day: int, slots: Ints) -> None:
        """Persons become infectious on ``day``: decide the course of each."""
        if slots.size == 0:
            return
        u = self._severity.uniform(day, self.keys[slots])
        age = self.age[slots]
        section = self.section
        for share, delay, waiting in ((self.diagnosed, section.diagnosis_delay_days, self._diagnoses),
                                      (self.hospitalised, section.stay_delay_days, self._stays)):
            some = slots[u < share[age]]
            if some.size:
                waiting.setdefault(day + delay, []).append(some)

    def diagnosed_on(self, day: int) -> Ints:
        """Slots of those whose infection is diagnosed today, int64[n]."""
        return _take(self._diagnoses, day)

    def today(self, day: int, diagnosed: Ints) -> Sick:
        """Care and absence that begin today, for those ``diagnosed`` today and those who go to hospital."""
        staying = _take(self._stays, day)
        intensive = self._ward.bernoulli(day, self.keys[staying], self.intensive[self.age[staying]])
        section = self.section
        kinds = np.where(intensive, Kind.INTENSIVE, Kind.INPATIENT).astype(np.int8)
        stays = self._episodes(day, staying, kinds, np.where(intensive, section.intensive_cost, section.ward_cost), 1,
                               Service.HOSPITAL)
        tests = self._episodes(day, diagnosed, np.full(diagnosed.size, Kind.INFECTION, dtype=np.int8),
                               np.full(diagnosed.size, section.diagnosis_cost), 0, Service.AMBULATORY)
        days = np.concatenate([np.full(diagnosed.size, section.work_days_lost, dtype=np.int64),
                               np.full(staying.size, section.work_days_lost_stay, dtype=np.int64)])
        return Sick(Episodes.join([tests, stays]), np.concatenate([diagnosed, staying]), days)

    def _episodes(
        self, day: int, slots: Ints, kinds: NDArray[np.int8], means: Floats, number: int, service: Service
    ) -> Episodes:
        """Episodes of ``slots`` with these mean costs, lognormal; never less than one base unit."""
        keys = self.keys[slots]
        spread = self.section.cost_log_sd
        costs = means * MICRO * self._cost.lognormal(day, keys, -0.5 * spread**2, spread, number)
        serial = SERIAL | day << DAY_BIT | int(service) << SERVICE_BIT | number
        return Episodes(slots, keys, kinds, np.maximum(np.rint(costs), 1.0).astype(np.int64),
                        np.full(slots.size, serial, dtype=np.int64))


def _take(waiting: dict[int, list[Ints]], day: int) -> Ints:
    """What waits for ``day``, in rising order of slots."""
    found = waiting.pop(day, None)
    return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
