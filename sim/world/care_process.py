"""The year's care of everybody, planned once and read off day by day.

At the start of a year each person's episodes of each service are drawn (how many, on which days) and sorted by day, so
that a day costs what happens on it. Everything is a function of permanent keys: who else is there, and what money
does, changes nothing. What an episode costs is drawn when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import Draws
from sim.world.care_kernels import MAX_LAYERS, count_episodes, place_episodes, price_episodes
from sim.world.care_model import KIND_OF_SERVICE, CareModel
from sim.world.care_tables import YEAR_DAYS
from sim.world.tables import Floats

_CODE_BITS = 16
SERVICE_BIT = 10
"""Where an episode's serial number has its service."""
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Episodes:
    """Care that is needed: ``slot`` int64[n], ``key`` uint64[n] of the person, ``kind`` int8[n] (0 outpatient, 1
    prescription, 2 inpatient, 3 intensive, 4 diagnosis of an infection), ``cost`` int64[n] in base units at reference
    prices and free care, ``serial`` int64[n], which no other episode of the person has, for repeated draws."""

    slot: Ints
    key: NDArray[np.uint64]
    kind: NDArray[np.int8]
    cost: Ints
    serial: Ints

    @classmethod
    def none(cls) -> Episodes:
        """No episodes."""
        return cls(np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.int8), np.empty(0, np.int64),
                   np.empty(0, np.int64))

    def __len__(self) -> int:
        return int(self.slot.size)

    def take(self, which: NDArray[np.bool_]) -> Episodes:
        """Those of a mask, in order."""
        return Episodes(self.slot[which], self.key[which], self.kind[which], self.cost[which], self.serial[which])

    @classmethod
    def join(cls, parts: list[Episodes]) -> Episodes:
        """One after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, name) for part in parts])
                     for name in ("slot", "key", "kind", "cost", "serial")))


@dataclass(frozen=True, slots=True)
class _Plan:
    """A year's episodes of one layer, sorted by day; those of day d are ``starts[d]`` .. ``starts[d + 1]``."""

    slots: NDArray[np.int32]
    codes: NDArray[np.uint16]
    starts: Ints


class CareProcess:
    """Plans and reads the care of one population."""

    def __init__(self, model: CareModel, draws: Draws) -> None:
        self.model = model
        self._year_draw = draws.decision("morbidity.year")
        self._count_draw = draws.decision("morbidity.count")
        self._day_draw = draws.decision("morbidity.day")
        self._cost_draw = draws.decision("morbidity.cost")
        self._stay_draw = draws.decision("morbidity.intensive_stay")
        self.year = -1
        self._plans: dict[int, _Plan] = {}

    def start_year(
        self, year: int, keys: NDArray[np.uint64], age: NDArray[np.integer], chronic: NDArray[np.uint32],
        frailty: Floats,
    ) -> None:
        """Plan the care of ``year`` for these persons, by slot."""
        self.year = year
        self._keys = keys
        self._log_health = self.model.log_health(age, chronic)
        self._log_frailty = np.log(frailty) + self.model.year.log_value(self._year_draw, year, keys)
        self._plans = {0: self._plan(0)}

    def _plan(self, layer: int) -> _Plan:
        keys, season, first_day = self._keys, self.model.care.season_days, self.year * YEAR_DAYS
        counts = np.empty((keys.size, len(KIND_OF_SERVICE)), dtype=np.uint16)
        per_day = np.zeros(YEAR_DAYS, dtype=np.int64)
        count_episodes(keys, self._log_health, self._log_frailty, self.model.shape, season, self._count_draw.stream,
                       self._day_draw.stream, first_day, layer, counts, per_day)
        starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(per_day)])
        slots = np.empty(starts[-1], dtype=np.int32)
        codes = np.empty(starts[-1], dtype=np.uint16)
        place_episodes(keys, counts, season, self._day_draw.stream, first_day, layer, starts[:-1].copy(), slots, codes)
        return _Plan(slots, codes, starts)

    def episodes(self, first: int, last: int, layer: int = 0) -> Episodes:
        """The episodes of days ``first`` .. ``last`` - 1 of the planned year (0 .. 365).

        ``layer`` above 0 asks for an independent realisation at the same intensities, for a raised intensity.
        """
        if not 0 <= layer < MAX_LAYERS:
            raise ValueError(f"there is no layer {layer}; an intensity can be raised at most {MAX_LAYERS}-fold")
        plan = self._plans.get(layer)
        if plan is None:
            plan = self._plans[layer] = self._plan(layer)
        begin, end = plan.starts[first], plan.starts[last]
        if begin == end:
            return Episodes.none()
        slots, codes = plan.slots[begin:end], plan.codes[begin:end]
        kinds = np.empty(slots.size, dtype=np.int8)
        amounts = np.empty(slots.size, dtype=np.int64)
        model = self.model
        price_episodes(slots, codes, self._keys, self._log_health, self._log_frailty, model.cost, model.stay,
                       self._cost_draw.stream, self._stay_draw.stream, self.year * YEAR_DAYS,
                       model.section.largest_episode, KIND_OF_SERVICE, kinds, amounts)
        serial = (self.year << _CODE_BITS) | codes.astype(np.int64)
        return Episodes(slots.astype(np.int64), self._keys[slots], kinds, amounts, serial)


def service_of(serial: Ints) -> Ints:
    """Service index of each episode's serial number, int64[n]."""
    return (serial >> SERVICE_BIT) & 3
