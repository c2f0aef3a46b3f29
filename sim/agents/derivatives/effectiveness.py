"""How well a hedge works: variance removed, correlation of payout and loss, loss events for which nothing was paid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hedge:
    """Figures of losses float64[n] hedged by receipts float64[n], both in one unit.

    ``effectiveness`` is 1 - variance(losses - receipts) / variance(losses) (Ederington 1979), ``correlation`` that of
    payouts and losses, NaN where either does not vary; ``events`` are losses above twice the median and
    ``without_payout`` the share of them with a payout of 0, NaN without events.
    """

    hedged: float
    unhedged: float
    correlation: float
    events: int
    without_payout: float

    @property
    def effectiveness(self) -> float:
        """Share of the variance that the hedge removes; NaN where losses do not vary."""
        return 1.0 - self.hedged / self.unhedged if self.unhedged > 0.0 else math.nan


def hedge(losses: Floats, payouts: Floats, premiums: Floats) -> Hedge:
    """Figures of ``losses`` with a cover that pays ``payouts`` for ``premiums``, float64[n] each."""
    if losses.size == 0:
        return Hedge(math.nan, math.nan, math.nan, 0, math.nan)
    net = losses - payouts + premiums
    spread = float(losses.std()) * float(payouts.std())
    correlation = float(((losses - losses.mean()) * (payouts - payouts.mean())).mean()) / spread if spread > 0.0 \
        else math.nan
    event = losses > 2.0 * max(float(np.median(losses)), 0.0)
    without = float((payouts[event] <= 0.0).mean()) if event.any() else math.nan
    return Hedge(float(net.var()), float(losses.var()), correlation, int(event.sum()), without)
