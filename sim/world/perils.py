"""Mechanism "perils": correlated shocks to the cost of care, by category.

Events of a category arrive by a Poisson process, with sizes X of a capped Pareto law, and last some weeks. While one
lasts, the intensity or the price of the kinds of care that it hits is multiplied by 1 + X, in one region or in all;
events of one time multiply. Whoever knows of a category may protect people from a share of what it adds
(``protection``): of the raised care, episodes that would not have arisen without the event are thinned, or the rise of
price is reduced. Arrivals, sizes and places are draws of day and category, so that they do not depend on what money,
insurers or other categories do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.perils import Peril, PerilsSection
from sim.world.care_tables import YEAR_DAYS, Kind
from sim.world.tables import Floats

KINDS = ("outpatient", "prescription", "inpatient", "intensive")
LARGEST_MULTIPLIER = 15.0
"""Intensities cannot rise further: the layers of care are limited."""

Protection = Callable[[int, NDArray[np.int64]], Floats]
"""Of category c and persons int64[n]: the share of what an event adds that is averted, float64[n]."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: the category's number, relative rise of cost, region (-1: all), first and last day."""

    category: int
    size: float
    region: int
    first: int
    last: int


def pareto_size(peril: Peril, uniform: float) -> float:
    """Size of an event at the quantile ``uniform`` of its law, min(least u^(-1/index), largest)."""
    return min(peril.least_size * (1.0 - uniform) ** (-1.0 / peril.tail_index), peril.largest_size)


class Perils(Mechanism):
    """The categories and their events; ``protection`` is nobody's until a mechanism sets it."""

    section: PerilsSection
    hooks = (Hook(Phase.SHOCKS, "arrive"), Hook(Phase.CARE, "revise", after=("morbidity",)))

    def setup(self, market: Market) -> None:
        self.morbidity: Any = market.mechanism("morbidity")
        self.regions = len(market.mechanism("population").regions)
        self.people = market.people
        self.categories: list[Peril] = list(self.section.categories)
        self._keys = np.array([agent_key(f"peril:{peril.name}") for peril in self.categories], dtype=np.uint64)
        self._rates = np.array([peril.per_year / YEAR_DAYS for peril in self.categories])
        draws = market.draws
        self._arrivals = draws.decision("perils.arrival")
        self._sizes = draws.decision("perils.size")
        self._places = draws.decision("perils.region")
        self._averted_draw = draws.decision("perils.averted")
        self.protection: Protection | None = None
        self.events: list[Event] = []
        self.under_way: list[Event] = []
        self.extra_today = self.averted_today = 0
        self._extra = 0
        self._base = 0

    def hit(self, event: Event) -> NDArray[np.bool_]:
        """Which care it hits, bool[regions, kinds]."""
        table = np.zeros((self.regions, len(Kind)), dtype=np.bool_)
        kinds = [KINDS.index(kind) for kind in self.categories[event.category].kinds]
        rows = slice(None) if event.region < 0 else slice(event.region, event.region + 1)
        table[rows, kinds] = True
        return table

    def multiplier(self, channel: str, category: int | None = None) -> Floats:
        """float64[regions, kinds]: the product of the events under way of a channel, or of one category of it."""
        table = np.ones((self.regions, len(Kind)))
        for event in self.under_way:
            if self.categories[event.category].channel == channel and category in (None, event.category):
                table = np.where(self.hit(event), table * (1.0 + event.size), table)
        return np.minimum(table, LARGEST_MULTIPLIER) if channel == "intensity" else table

    # The day -------------------------------------------------------------------------------------------------

    def arrive(self, market: Market) -> None:
        """Let events begin and end, and set the intensities of the day."""
        day = market.day
        before = self.under_way
        self.under_way = [event for event in before if event.last >= day]
        numbers = np.asarray(self._arrivals.poisson(day, self._keys, self._rates))
        for category in np.flatnonzero(numbers).tolist():
            for n in range(int(numbers[category])):
                self._begin(market, category, n)
        if self.under_way != before:
            multiplier = self.multiplier("intensity")
            self.morbidity.set_multiplier("perils", multiplier if (multiplier != 1.0).any() else None)

    def _begin(self, market: Market, category: int, n: int) -> None:
        peril, day, key = self.categories[category], market.day, self._keys[category]
        size = pareto_size(peril, float(self._sizes.uniform(day, key, n)))
        region = int(self._places.integers(day, key, self.regions, n)) if peril.regional else -1
        event = Event(category, size, region, day, day + peril.days - 1)
        self.events.append(event)
        self.under_way = [*self.under_way, event]
        market.record.event("peril", peril.name, size, region=region, days=peril.days)

    def revise(self, market: Market) -> None:
        """Raise prices of today's episodes, and take out what programmes avert."""
        today = self.morbidity.today
        self.extra_today = self.averted_today = 0
        if not self.under_way or not len(today):
            self._base += int(today.cost.sum())
            return
        region, kind = self.people["region"][today.slot], today.kind
        plain = float((today.cost / self.multiplier("intensity")[region, kind]).sum())
        keep, rise = np.ones(len(today)), np.ones(len(today))
        for category in {event.category: None for event in self.under_way}:
            shares = np.zeros(len(today)) if self.protection is None else self.protection(category, today.slot)
            channel = self.categories[category].channel
            factor = self.multiplier(channel, category)[region, kind]
            if channel == "intensity":
                keep *= (1.0 + (factor - 1.0) * (1.0 - shares)) / factor
            else:
                rise *= 1.0 + (factor - 1.0) * (1.0 - shares)
        full = float((today.cost * self.multiplier("price")[region, kind]).sum())
        stays = self._averted_draw.bernoulli(market.day, today.key, keep, today.serial)
        costs = np.rint(today.cost * rise).astype(np.int64)
        self.morbidity.revise(replace(today, cost=costs).take(np.asarray(stays)))
        now = int(costs[stays].sum())
        self.extra_today, self.averted_today = now - int(plain), int(full) - now
        self._extra += self.extra_today
        self._base += int(plain)

    # Observations --------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        market.record.series("perils.under_way", len(self.under_way))
        market.record.series("perils.extra_cost", self.extra_today / MICRO)
        market.record.series("perils.averted", self.averted_today / MICRO)

    def finish(self, market: Market) -> None:
        market.record.metric("perils.events", len(self.events))
        market.record.metric("perils.largest_size", max((event.size for event in self.events), default=0.0))
        if self._base:
            market.record.metric("perils.extra_cost_share", self._extra / self._base)
