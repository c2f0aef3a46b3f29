"""Fire sales: institutions that must hold capital sell, the price falls, and the fall makes others sell.

Cifuentes, Ferrucci & Shin (2005): an institution holds liquid assets c, an illiquid asset e and liabilities L, and
must keep equity of at least r times its risky assets. At price p it sells s(p) = e - (c + p e - L) / (r p), between
nothing and all, and all where it is insolvent. The price depends on what all sell, p = P(sum s(p)). Both fall together,
so walking down from the price before the sale ends in the equilibrium with the highest price.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.contagion.debts import BadDebts, money

PriceImpact = Callable[[float], float]
"""The price after so many units have been sold in all; never rising. A market maker's own curve will do."""

STILL = 1e-14
MOST_ROUNDS = 1_000_000


@dataclass(frozen=True, slots=True)
class FireSale:
    """The equilibrium: ``price``; ``sold`` and ``equity`` float64[n]; ``rounds`` of sales until it was reached."""

    price: float
    sold: NDArray[np.float64]
    equity: NDArray[np.float64]
    rounds: int

    @property
    def insolvent(self) -> NDArray[np.bool_]:
        """bool[n]: who owes more than it has at that price."""
        return self.equity < 0.0


def exponential_impact(depth: float) -> PriceImpact:
    """P(s) = exp(-depth s), as in Cifuentes, Ferrucci & Shin."""
    return lambda sold: math.exp(-depth * sold)


def forced_sales(liquid: NDArray[np.float64], holdings: NDArray[np.float64], liabilities: NDArray[np.float64],
                 floor: NDArray[np.float64] | float, price: float) -> NDArray[np.float64]:
    """float64[n]: units that each must sell at ``price`` to keep equity of ``floor`` times its risky assets."""
    equity = liquid + price * holdings - liabilities
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(equity > 0.0, equity / (floor * price), 0.0)
    return np.clip(holdings - kept, 0.0, holdings)


def fire_sale(
    liquid: ArrayLike, holdings: ArrayLike, liabilities: ArrayLike, floor: ArrayLike, impact: PriceImpact,
) -> FireSale:
    """The equilibrium with the highest price.

    Args:
        liquid: [n], assets whose price does not move; may be negative.
        holdings: [n], units of the illiquid asset, >= 0.
        liabilities: [n].
        floor: least equity over risky assets at market price, > 0; one number or [n].
        impact: price after the units sold by all.

    Raises:
        BadDebts: arguments of unequal length, or a floor that is not positive.
    """
    own = np.asarray(liquid, dtype=np.float64)
    held = money(holdings, own.size, "holdings", np.float64)
    owed = money(liabilities, own.size, "liabilities", np.float64)
    least = np.broadcast_to(np.asarray(floor, dtype=np.float64), own.shape)
    if not (least > 0.0).all():
        raise BadDebts("the floor of equity over risky assets must be positive")
    price = impact(0.0)
    sold = np.zeros(own.size)
    for done in range(MOST_ROUNDS):
        sold = forced_sales(own, held, owed, least, price)
        following = min(price, impact(float(sold.sum())))
        if price - following <= STILL * price:
            return FireSale(following, sold, own + following * held - owed, done)
        price = following
    return FireSale(price, sold, own + price * held - owed, MOST_ROUNDS)


def tipping_point(collapses: Callable[[float], bool], low: float, high: float, tolerance: float) -> float:
    """The least parameter between ``low`` and ``high`` at which the system collapses, by bisection.

    Raises:
        BadDebts: it collapses at ``low`` already, or not even at ``high``.
    """
    if collapses(low) or not collapses(high):
        raise BadDebts(f"there is no tipping point between {low:g} and {high:g}")
    while high - low > tolerance:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if collapses(middle) else (middle, high)
    return 0.5 * (low + high)
