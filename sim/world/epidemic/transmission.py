"""Stochastic SEIR in connected regions, by day: a chain binomial whose infections belong to persons.

Per day, region r and susceptible person, the chance of infection is 1 - exp(-force_r) with

    force_r = beta sum_q mixing[r, q] I_q / N_q,    beta = R0 (1 - exp(-1 / infectious_days)),

so the day's infections are Binomial(S_r, 1 - exp(-force_r)). Latent and infectious periods are geometric with daily
chance 1 - exp(-1 / days). Each case exerts a total force of R0 / N on average, hence the final size z of one closed
region solves z = 1 - exp(-R0 z) as in continuous time. All changes of a day follow from the state at its start.

The draw is Sellke's (1983): a person resists until the force summed up in its region exceeds its own threshold, which
is exponential with mean 1 and drawn once by its permanent key. Since the exponential has no memory this is the chain
binomial exactly, a day costs one comparison a person, and more force infects the same persons and further ones: runs
with and without an intervention are paired person by person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sim.kernel.compiled import kernel
from sim.kernel.draws import Draws

NEVER = 2**31 - 1
"""Day of a change that does not come."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class State(IntEnum):
    """Where a person stands in the course of the infection."""

    SUSCEPTIBLE = 0
    EXPOSED = 1
    INFECTIOUS = 2
    RECOVERED = 3


@dataclass(frozen=True, slots=True)
class Law:
    """Transmission: R0, and mean days of the exponential periods (0 days of immunity: for ever)."""

    reproduction_number: float
    latent_days: float
    infectious_days: float
    immunity_days: float = 0.0

    @property
    def beta(self) -> float:
        """Force that one infectious person exerts in a day on a population of one."""
        return self.reproduction_number * -math.expm1(-1.0 / self.infectious_days)

    @property
    def mean_infectious_days(self) -> float:
        """Mean of the days on which a case exerts force, 1 / (1 - exp(-1 / infectious_days))."""
        return -1.0 / math.expm1(-1.0 / self.infectious_days)


@dataclass(frozen=True, slots=True)
class Changes:
    """Slots, int64[n] each in rising order, of those whom a day changed."""

    exposed: Ints
    infectious: Ints
    recovered: Ints
    susceptible: Ints

    @classmethod
    def none(cls) -> Changes:
        """Nobody."""
        nobody = np.zeros(0, dtype=np.int64)
        return cls(nobody, nobody, nobody, nobody)


@kernel
def scan(
    day: int, state: np.ndarray, change: np.ndarray, threshold: np.ndarray, region: np.ndarray, force: np.ndarray,
    found: np.ndarray,
) -> tuple[int, int]:
    """Write to ``found`` int32[persons] the slots of those who change on ``day``; (how many, next day of a change).

    A susceptible person (``state`` 0) changes when the force summed up in its region, float64[regions], has reached its
    threshold; any other on the day that ``change`` int32 says.
    """
    count = 0
    following = 2147483647
    for i in range(state.size):
        if state[i] == 0:
            if threshold[i] <= force[region[i]]:
                found[count] = i
                count += 1
        elif change[i] == day:
            found[count] = i
            count += 1
        elif change[i] < following:
            following = change[i]
    return count, following


def uniform_mixing(sizes: Ints, mobility: float) -> Floats:
    """Mixing float64[regions, regions]: 1 - ``mobility`` of contacts at home, the rest in proportion to the number of
    persons in each other region; all at home where there is no other."""
    count = sizes.size
    result = np.zeros((count, count))
    for home in range(count):
        others = sizes.astype(np.float64)
        others[home] = 0.0
        total = others.sum()
        if total > 0.0:
            result[home] = mobility * others / total
        result[home, home] = 1.0 - result[home].sum()
    return result


class Transmission:
    """One epidemic among given persons. Needs no market.

    ``state`` int8[persons] and ``change`` int32[persons] (day of the next change) may be columns of a larger table.
    ``counts`` int64[regions, states] and ``cumulative`` float64[regions], the force so far, are kept with them.
    """

    def __init__(
        self, law: Law, keys: NDArray[np.uint64], region: NDArray[np.int16], mixing: Floats, draws: Draws,
        state: NDArray[np.int8] | None = None, change: NDArray[np.int32] | None = None,
    ) -> None:
        self.law = law
        self.keys = keys
        self.region = region
        self.mixing = mixing
        regions = len(mixing)
        self.state = np.zeros(keys.size, dtype=np.int8) if state is None else state
        self.change = np.full(keys.size, NEVER, dtype=np.int32) if change is None else change
        self.sizes: Ints = np.bincount(region, minlength=regions).astype(np.int64)
        self.counts: Ints = np.zeros((regions, len(State)), dtype=np.int64)
        self.counts[:, State.SUSCEPTIBLE] = self.sizes
        self.cumulative: Floats = np.zeros(regions)
        self.infections: Ints = np.zeros(regions, dtype=np.int64)
        """Infections since the start by region, first cases included."""
        self.force: Floats = np.zeros(regions)
        """Force of infection of the last day, by region."""
        self.reproduction_number = math.nan
        """Of the last day: infections that one of its infectious persons would cause over a whole course; NaN where
        there was none."""
        self._threshold: Floats | None = None
        self._found = np.empty(0, dtype=np.int32)
        self._next = NEVER
        self._resistance = draws.decision("epidemic.resistance")
        self._latent = draws.decision("epidemic.latent")
        self._infectious = draws.decision("epidemic.infectious")
        self._immunity = draws.decision("epidemic.immunity")
        self._order = draws.decision("epidemic.seed")

    # The day -------------------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether anybody is infected."""
        return bool(self.counts[:, State.EXPOSED:State.RECOVERED].any())

    def force_of(self, contacts: Floats | None = None, mixing: Floats | None = None) -> Floats:
        """Force of infection float64[regions] of today on a susceptible person of each region.

        ``contacts`` float64[regions] relative to normal; a contact between regions follows the stricter of both.
        """
        infectious = self.counts[:, State.INFECTIOUS] / np.maximum(self.sizes, 1)
        mixed = self.mixing if mixing is None else mixing
        if contacts is not None:
            mixed = mixed * np.minimum(contacts[:, None], contacts[None, :])
        result: Floats = self.law.beta * (mixed @ infectious)
        return result

    def _reproduction(self) -> float:
        """Infections that a case would cause at today's force over its whole course."""
        caused = float((self.counts[:, State.SUSCEPTIBLE] * self.force).sum())
        return caused / int(self.counts[:, State.INFECTIOUS].sum()) * self.law.mean_infectious_days

    def advance(self, day: int, contacts: Floats | None = None, mixing: Floats | None = None) -> Changes:
        """One day: infections, and those whose period is over. Costs nothing while nothing can happen."""
        if self.counts[:, State.INFECTIOUS].any():
            self.force = self.force_of(contacts, mixing)
            self.cumulative += self.force
            self.reproduction_number = self._reproduction()
        else:
            self.force = np.zeros_like(self.cumulative)
            self.reproduction_number = math.nan
            if day < self._next:
                return Changes.none()
        count, self._next = scan(day, self.state, self.change, self._thresholds(), self.region, self.cumulative,
                                 self._found)
        slots = self._found[:count].astype(np.int64)
        before = self.state[slots]
        parts = [slots[before == state] for state in State]
        changes = Changes(*parts)
        self._enter(changes.exposed, day, State.EXPOSED)
        self._enter(changes.infectious, day, State.INFECTIOUS)
        self._enter(changes.recovered, day, State.RECOVERED)
        self._enter(changes.susceptible, day, State.SUSCEPTIBLE)
        np.add.at(self.infections, self.region[changes.exposed], 1)
        return changes

    def seed(self, day: int, cases: int, region: int = -1) -> Ints:
        """Let ``cases`` susceptible persons, or all there are, be infectious from ``day`` on, before its
        :meth:`advance`; their slots, int64[n]. Who they are follows from permanent keys."""
        able = self.state == State.SUSCEPTIBLE
        if region >= 0:
            able &= self.region == region
        slots = np.flatnonzero(able)
        slots = np.sort(slots[self._order.order(day, self.keys[slots])[:cases]])
        self._enter(slots, day - 1, State.INFECTIOUS)
        np.add.at(self.infections, self.region[slots], 1)
        return slots

    def _thresholds(self) -> Floats:
        """Force that each susceptible person still bears, drawn when it is first needed."""
        if self._threshold is None:
            self._threshold = self._resistance.exponential(0, self.keys)
            self._found = np.empty(self.keys.size, dtype=np.int32)
        return self._threshold

    def _enter(self, slots: Ints, day: int, state: State) -> None:
        """Move persons into ``state`` on ``day`` and set when they leave it."""
        if slots.size == 0:
            return
        regions = self.region[slots]
        before = np.bincount(regions * len(State) + self.state[slots], minlength=self.counts.size)
        self.counts -= before.reshape(self.counts.shape)
        self.counts[:, state] += np.bincount(regions, minlength=len(self.counts))
        self.state[slots] = state
        keys = self.keys[slots]
        if state is State.SUSCEPTIBLE:
            self._thresholds()[slots] = self.cumulative[regions] + self._resistance.exponential(day, keys)
            self.change[slots] = NEVER
            return
        draw, mean = {State.EXPOSED: (self._latent, self.law.latent_days),
                      State.INFECTIOUS: (self._infectious, self.law.infectious_days),
                      State.RECOVERED: (self._immunity, self.law.immunity_days)}[state]
        if mean <= 0.0:
            self.change[slots] = NEVER
            return
        days = np.maximum(np.ceil(draw.exponential(day, keys) * mean), 1.0)  # geometric on 1, 2, ...
        self.change[slots] = np.minimum(day + days, NEVER - 1).astype(np.int32)
        self._next = min(self._next, int(self.change[slots].min()))
