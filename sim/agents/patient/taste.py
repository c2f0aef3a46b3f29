"""Taste for cover: standard Gumbel noise of a person for an option, of which a part is the person's own for ever.

In one year each option's noise is standard Gumbel, so the choice of one year is a logit whatever lasts. Over the years

    X_t = L + a G_t,    L = a ln S,    a = sqrt(1 - p)

where S is positive stable with exponent a, drawn once, and G_t standard Gumbel, drawn each year: the sum is exactly
standard Gumbel (Cardell 1997), two years have the correlation p, and given L the choice is a logit of scale a: a panel
logit with random coefficients. S is drawn by Kanter's formula (1975) from an angle and an exponential.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim.kernel.draws import Draws

SINCE_EVER = 0
"""The day of draws that are made once in a life."""


class Taste:
    """Draws of taste by person and option; ``persistence`` p in [0, 1] is the share of the variance that lasts."""

    def __init__(self, draws: Draws, persistence: float) -> None:
        self.persistence = persistence
        self.of_year = draws.decision("patients.plan_taste")
        self.angle = draws.decision("patients.lasting_taste_angle")
        self.size = draws.decision("patients.lasting_taste_size")

    def draw(self, day: int, keys: np.ndarray, option: int) -> np.ndarray:
        """Standard Gumbel noise float64[n] for option number ``option`` at the enrolment of ``day``."""
        of_year: np.ndarray = -np.log(-np.log(self.of_year.uniform(day, keys, option)))
        if self.persistence == 0.0:
            return of_year
        return self.lasting(keys, option) + math.sqrt(1.0 - self.persistence) * of_year

    def lasting(self, keys: np.ndarray, option: int) -> np.ndarray:
        """The part L that never changes, float64[n]: variance p pi^2 / 6, mean (1 - a) times Euler's constant."""
        angle: Any = math.pi * self.angle.uniform(SINCE_EVER, keys, option)
        a = math.sqrt(1.0 - self.persistence)
        # a ln S = a ln sin(a u) - ln sin u + (1 - a) ln(sin((1 - a) u) / w); its first term vanishes with a
        first = a * np.log(np.sin(a * angle)) if a > 0.0 else 0.0
        last: np.ndarray = first - np.log(np.sin(angle)) + (1.0 - a) * (
            np.log(np.sin((1.0 - a) * angle)) - np.log(self.size.exponential(SINCE_EVER, keys, option)))
        return last
