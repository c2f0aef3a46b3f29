"""Interest in rays (10^-27): the kinked rate of Aave v2 and exact compounding by the second.

With utilisation U = debt / (available + debt) and the optimal utilisation U*,

    borrow rate = base + slope_1 U/U*                              U <= U*
                = base + slope_1 + slope_2 (U - U*)/(1 - U*)       U > U*
    supply rate = borrow rate x U x (1 - reserve factor)

A debt grows by (1 + rate/year)^seconds, by squaring, each product rounded to the nearest ray: the same within a unit
in one step or in many. Pure functions over integers; rounding half up, as the contracts' own ray arithmetic.
Source: Aave v2, DefaultReserveInterestRateStrategy.sol and WadRayMath.sol.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.kernel.fixedpoint import BPS

RAY = 10**27
WAD = 10**18
YEAR_SECONDS = 365 * 86_400


def ray_mul(a: int, b: int) -> int:
    """a x b in rays, rounded half up."""
    return (a * b + RAY // 2) // RAY


def ray_div(a: int, b: int) -> int:
    """a / b in rays, rounded half up."""
    return (a * RAY + b // 2) // b


def percent_mul(value: int, bps: int) -> int:
    """``bps`` basis points of ``value``, rounded half up."""
    return (value * bps + BPS // 2) // BPS


def ray_pow(x: int, n: int) -> int:
    """x^n in rays, by squaring."""
    result = x if n & 1 else RAY
    while n := n >> 1:
        x = ray_mul(x, x)
        if n & 1:
            result = ray_mul(result, x)
    return result


def growth(rate: int, seconds: int) -> int:
    """What one unit of debt becomes in ``seconds`` at ``rate`` (rays a year)."""
    return ray_pow(RAY + rate // YEAR_SECONDS, seconds)


def utilisation(available: int, debt: int) -> int:
    """Lent share of a market, in rays; 0 where nothing was lent."""
    return ray_div(debt, available + debt) if debt else 0


def supply_rate(borrow_rate: int, used: int, reserve_factor_bps: int) -> int:
    """Rays a year that suppliers earn at utilisation ``used``, the mean rate of all debts being ``borrow_rate``."""
    return percent_mul(ray_mul(borrow_rate, used), BPS - reserve_factor_bps)


@dataclass(frozen=True, slots=True)
class KinkedRate:
    """Parameters of the rate, in rays: ``optimal`` utilisation, ``base``, ``slope_1`` and ``slope_2`` a year."""

    optimal: int
    base: int
    slope_1: int
    slope_2: int

    @classmethod
    def of(cls, optimal: float, base: float, slope_1: float, slope_2: float) -> KinkedRate:
        """From shares, exact to nine decimals."""
        return cls(*(round(value * 10**9) * 10**18 for value in (optimal, base, slope_1, slope_2)))

    def borrow_rate(self, used: int) -> int:
        """Rays a year at utilisation ``used``."""
        if used <= self.optimal:
            return self.base + ray_mul(self.slope_1, ray_div(used, self.optimal))
        excess = ray_div(used - self.optimal, RAY - self.optimal)
        return self.base + self.slope_1 + ray_mul(self.slope_2, excess)
