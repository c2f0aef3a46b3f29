"""Demand for care by its price to the patient: m(c) = 1 - slope c^exponent, relative to free care.

The curve is the RAND Health Insurance Experiment's; a kind of care responds to price by its own factor, with a mean of
1 over spending. An episode that arises at free care is sought with probability m.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.world.tables import Floats


@dataclass(frozen=True, slots=True)
class Demand:
    """``response`` float64[kinds]: response of each kind relative to all care."""

    slope: float
    exponent: float
    response: Floats

    def relative(self, coinsurance: ArrayLike) -> Floats:
        """m(c) of all care, float64 of the shape of ``coinsurance`` (share of the cost that the patient pays)."""
        paid = np.clip(np.asarray(coinsurance, dtype=np.float64), 0.0, 1.0)
        result: Floats = 1.0 - self.slope * paid**self.exponent
        return result

    def sought(self, kinds: NDArray[np.integer], coinsurance: ArrayLike) -> Floats:
        """Probability that an episode of each kind is sought, float64[n]."""
        fall = 1.0 - self.relative(coinsurance)
        result: Floats = np.clip(1.0 - self.response[kinds] * fall, 0.0, 1.0)
        return result
