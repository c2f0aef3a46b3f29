"""Deaths as they are reported: each case may die, by age, some weeks after its report.

One person of the model stands for many, so that the deaths of a region and day are Poisson with the sum of their
chances. The world itself lets nobody die; this is what a bond's calculation agent would read.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import Decision
from sim.scenario.sections.pandemic_bond import FatalityBand

VARIATION = 0.45
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def delay_law(mean: float) -> Floats:
    """Chance of each whole day of delay, float64[days]: a gamma density with that mean, cut at four means."""
    shape = 1.0 / VARIATION**2
    days = np.arange(math.ceil(4.0 * mean) + 1) + 0.5
    density = np.exp((shape - 1.0) * np.log(days) - days * shape / mean)
    law: Floats = density / density.sum()
    return law


def fatality_by_age(bands: list[FatalityBand], oldest: int) -> Floats:
    """float64[ages]: share of reported cases of each age that die."""
    place = np.searchsorted([band.from_age for band in bands], np.arange(oldest + 1), side="right") - 1
    result: Floats = np.array([band.fatality for band in bands])[place]
    return result


class Deaths:
    """Deaths by region. ``due`` float64[days, regions] are expected ones by day."""

    def __init__(self, fatality: Floats, law: Floats, represented: int, days: int, keys: Ints, draw: Decision) -> None:
        self.fatality = fatality
        self.law = law
        self.represented = represented
        self.keys = keys.astype(np.uint64)
        self.draw = draw
        self.due: Floats = np.zeros((days + law.size, keys.size))

    def report(self, day: int, ages: NDArray[np.int16], regions: NDArray[np.int16]) -> None:
        """Cases of these ages and regions are reported today."""
        chance = np.bincount(regions, self.fatality[ages], self.keys.size) * self.represented
        self.due[day:day + self.law.size] += self.law[:, None] * chance[None, :]

    def on(self, day: int) -> Ints:
        """int64[regions]: deaths reported today."""
        found: Ints = self.draw.poisson(day, self.keys, self.due[day])
        return found
