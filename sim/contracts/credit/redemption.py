"""The base rate of a stablecoin: a fee that jumps with redemptions and decays by half every twelve hours.

Decimals are integers of :data:`UNIT`; decay counts whole minutes. As in Liquity (``LiquityMath._decPow``,
``TroveManager._calcDecayedBaseRate``, ``_updateBaseRateFromRedemption``): a redemption adds the redeemed share of the
supply over beta; the fee is the base rate plus a floor. Rounding: powers to the nearest, the rate down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

UNIT = 10**18
MINUTE_SECONDS = 60
MOST_MINUTES = 525_600_000
"""A thousand years; longer pauses count as this."""


def minute_factor(half_life_hours: float) -> int:
    """What is left of a rate after a minute, to fifteen decimals as the published constant is."""
    return int(round(0.5 ** (1.0 / (60.0 * half_life_hours)), 15) * 10**15) * 1000


HALF_DAY = 999_037_758_833_783_000
"""The published factor of a half-life of twelve hours."""


def decimal_product(x: int, y: int) -> int:
    """x y / UNIT, rounded to the nearest."""
    return (x * y + UNIT // 2) // UNIT


def decimal_power(base: int, exponent: int) -> int:
    """``base`` to the whole power ``exponent``, by repeated squaring, each product rounded to the nearest."""
    if exponent == 0:
        return UNIT
    y, n = UNIT, min(exponent, MOST_MINUTES)
    while n > 1:
        if n % 2:
            y = decimal_product(base, y)
            n -= 1
        base = decimal_product(base, base)
        n //= 2
    return decimal_product(base, y)


def decayed(rate: int, seconds: int, factor: int = HALF_DAY) -> int:
    """``rate`` after ``seconds``, of which whole minutes count."""
    return rate * decimal_power(factor, seconds // MINUTE_SECONDS) // UNIT


class BaseRate:
    """The rate and when it was last moved. ``floor`` and ``cap`` bound the fee, decimals of UNIT; a floor that may
    change in the run is given as a function."""

    def __init__(
        self, ledger: Ledger, floor: int | Callable[[], int], cap: int, beta: int, factor: int = HALF_DAY,
    ) -> None:
        self.ledger = ledger
        self._floor = floor
        self.cap = cap
        self.beta = beta
        self.factor = factor
        self.rate = 0
        self.time = 0

    @property
    def floor(self) -> int:
        """The least fee in force."""
        return self._floor if isinstance(self._floor, int) else self._floor()

    def now(self, seconds: int) -> int:
        """The base rate at the time ``seconds``."""
        return decayed(self.rate, max(0, seconds - self.time), self.factor)

    def fee_rate(self, seconds: int) -> int:
        """Fee on borrowing now: floor plus base rate, at most the cap."""
        return min(self.floor + self.now(seconds), self.cap)

    def after_redemption(self, amount: int, supply: int, seconds: int) -> int:
        """Base rate that redeeming ``amount`` of ``supply`` would leave."""
        return min(self.now(seconds) + amount * UNIT // supply // self.beta, UNIT)

    def redemption_fee_rate(self, amount: int, supply: int, seconds: int) -> int:
        """Fee on redeeming ``amount`` now: it is charged at the rate that it brings about."""
        return min(self.floor + self.after_redemption(amount, supply, seconds), self.cap)

    def redeem(self, amount: int, supply: int, seconds: int) -> None:
        """Let a redemption move the rate."""
        self._move(self.after_redemption(amount, supply, seconds), seconds)

    def decay(self, seconds: int) -> None:
        """Write the decay down, as borrowing does."""
        self._move(self.now(seconds), seconds)

    def _move(self, rate: int, seconds: int) -> None:
        old = self.rate, self.time
        # Less than a minute counts for nothing yet, so it stays to be counted.
        time = seconds if seconds - self.time >= MINUTE_SECONDS else self.time
        self.ledger.on_rollback(lambda: self._restore(old))
        self.rate, self.time = rate, time

    def _restore(self, old: tuple[int, int]) -> None:
        self.rate, self.time = old
