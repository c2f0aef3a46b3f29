"""Random paths by day. A path's first days do not depend on how long it is."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import Decision


def daily_normals(decision: Decision, days: int) -> NDArray[np.float64]:
    """float64[days]: one standard normal a day."""
    return np.asarray(decision.normal(0, np.zeros(days, dtype=np.uint64), np.arange(days)))


def autoregression(shocks: NDArray[np.float64], sd: float, half_life_days: float) -> NDArray[np.float64]:
    """float64[days]: a Gaussian autoregression of order one, started in its stationary law.

        x_0 = sd z_0,    x_t = a x_{t-1} + sd sqrt(1 - a^2) z_t,    a = 2^(-1 / half-life)

    with z the ``shocks``, standard normals: an Ornstein-Uhlenbeck process of stationary deviation ``sd`` and
    reversion ln 2 / half-life, sampled daily.
    """
    keep = 0.5 ** (1.0 / half_life_days)
    spread = sd * math.sqrt(1.0 - keep * keep)
    path = np.empty(shocks.size)
    value = 0.0
    for day, shock in enumerate(shocks):
        value = sd * shock if day == 0 else keep * value + spread * shock
        path[day] = value
    return path
