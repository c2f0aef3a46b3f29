"""Where a contract reads a price: a pool's spot price, its time-weighted average, or a value posted by a committee.

Holds nothing of its own. What can never be: a price of a stale or empty source (it raises :class:`PriceUnavailable`
instead). Values are floored, for the contract that lends or pays against them. The source decides what an attack
costs: a spot price can be moved inside one transaction, an average only by holding the price for the window, a
committee only by corrupting it.
"""

from __future__ import annotations

from typing import Literal, Protocol

from sim.chain.mempool import Refused
from sim.contracts.amm.constant_product import PRICE_BITS
from sim.contracts.amm.interface import InsufficientLiquidity, Pool
from sim.contracts.amm.two_asset_pool import TwoAssetPool
from sim.kernel.fixedpoint import MICRO, mul_div


class PriceUnavailable(Refused):
    """The source has no price that may be used now."""


class PriceSource(Protocol):
    """The price of one asset in another."""

    name: str

    def price(self) -> float:
        """Quote units per base unit, for reports and decisions."""
        ...

    def value(self, amount: int) -> int:
        """What ``amount`` base units are worth, in quote units, floored. Exact at the source's own precision."""
        ...


class Feed(Protocol):
    """What a committee posts to: ``index`` is micro-quote per whole base token, ``posted_day`` its last day."""

    index: int
    posted_day: int


class Spot:
    """The ratio of the reserves now."""

    name = "spot"

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    def price(self) -> float:
        self._require_reserves()
        return self.pool.spot()

    def value(self, amount: int) -> int:
        self._require_reserves()
        return mul_div(amount, *self.pool.price_ratio())

    def _require_reserves(self) -> None:
        if 0 in self.pool.reserves():
            raise PriceUnavailable(f"pool {self.pool.name} is empty")


class Twap:
    """The average over the last ``window_days``, each price weighted with the time it stood.

    Until the pool is as old as the window, the average over its whole life.
    """

    name = "twap"

    def __init__(self, pool: TwoAssetPool, window_days: float) -> None:
        if window_days <= 0:
            raise ValueError(f"a window of {window_days} days holds no price")
        self.pool = pool
        self.window_days = window_days

    def price(self) -> float:
        growth, seconds = self._growth()
        return growth / seconds / 2.0**PRICE_BITS

    def value(self, amount: int) -> int:
        growth, seconds = self._growth()
        return amount * growth // (seconds << PRICE_BITS)

    def _growth(self) -> tuple[int, int]:
        try:
            growth, _, seconds = self.pool.price_growth(self.window_days)
        except InsufficientLiquidity as empty:
            raise PriceUnavailable(str(empty)) from empty
        if seconds == 0:
            raise PriceUnavailable(f"pool {self.pool.name} has no past to average over")
        return growth, seconds


class Committee:
    """The value an oracle committee posted last, as long as it is not older than ``max_age_days``."""

    name = "committee"

    def __init__(self, feed: Feed, today: Today, max_age_days: int) -> None:
        self.feed = feed
        self.today = today
        self.max_age_days = max_age_days

    def price(self) -> float:
        return self._index() / MICRO

    def value(self, amount: int) -> int:
        return mul_div(amount, self._index(), MICRO)

    def _index(self) -> int:
        age = self.today.day - self.feed.posted_day
        if age > self.max_age_days or self.feed.index <= 0:
            raise PriceUnavailable(f"the committee's price is {age} days old")
        return self.feed.index


class Today(Protocol):
    """Whoever knows the day, that is the market."""

    day: int


Name = Literal["spot", "twap", "committee"]


def price_source(
    name: Name, *, pool: TwoAssetPool | None = None, window_days: float = 1.0,
    feed: Feed | None = None, today: Today | None = None, max_age_days: int = 3,
) -> PriceSource:
    """The source that a scenario names, over what it reads: a ``pool``, or a committee's ``feed`` and the day.

    ValueError where that is missing.
    """
    if name == "committee":
        if feed is None or today is None:
            raise ValueError("a committee price needs its feed and the day")
        return Committee(feed, today, max_age_days)
    if pool is None:
        raise ValueError(f"a {name} price needs a pool")
    return Spot(pool) if name == "spot" else Twap(pool, window_days)
