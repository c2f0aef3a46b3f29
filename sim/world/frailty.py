"""The two parts of frailty that age and diagnoses do not explain: permanent, and of the year.

Both are lognormal with mean 1. Permanent frailty is log F = s z - s^2 / 2. The deviation of a year is correlated with
the next year's: log Y = s' (e_y + w e_(y-1)) / sqrt(1 + w^2) - s'^2 / 2, with independent shocks e.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import Decision
from sim.world.tables import Floats


def lognormal_moment(log_sd: float, power: float) -> float:
    """E[X^power] of a lognormal X with mean 1."""
    return math.exp(0.5 * log_sd**2 * (power * power - power))


@dataclass(frozen=True, slots=True)
class PermanentFrailty:
    """``log_sd`` is s."""

    log_sd: float

    def value(self, z: Floats) -> Floats:
        """Frailty of standard normal ``z``."""
        result: Floats = np.exp(self.log_sd * z - 0.5 * self.log_sd**2)
        return result

    def moment(self, power: float) -> float:
        """E[F^power]."""
        return lognormal_moment(self.log_sd, power)


@dataclass(frozen=True, slots=True)
class YearDeviation:
    """``log_sd`` is s'; ``correlation`` that of successive years' logarithms, at most one half."""

    log_sd: float
    correlation: float

    @property
    def carry(self) -> float:
        """The weight w of last year's shock: the correlation is w / (1 + w^2)."""
        r = self.correlation
        return 0.0 if r == 0.0 else (1.0 - math.sqrt(max(1.0 - 4.0 * r * r, 0.0))) / (2.0 * r)

    def moment(self, power: float) -> float:
        """E[Y^power]."""
        return lognormal_moment(self.log_sd, power)

    def log_value(self, decision: Decision, year: int, keys: NDArray[np.uint64]) -> Floats:
        """log Y of each key in ``year``, float64[n]: a function of the draws of this year and the last."""
        if self.log_sd == 0.0:
            return np.zeros(keys.size)
        shock = decision.normal(year, keys)
        if self.carry:
            shock = (shock + self.carry * decision.normal(year - 1, keys)) / math.sqrt(1.0 + self.carry**2)
        result: Floats = self.log_sd * shock - 0.5 * self.log_sd**2
        return result
