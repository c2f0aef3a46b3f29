"""What every pool offers, whatever its curve, and the clock that its price averages are measured by."""

from __future__ import annotations

from typing import Protocol

from sim.chain.mempool import Refused

DAY_SECONDS = 86_400


class PoolError(Refused):
    """A call that the pool refuses; nothing has moved."""


class SlippageExceeded(PoolError):
    """The pool would give less, or ask more, than the caller's limit."""


class InsufficientLiquidity(PoolError):
    """The reserves, or the amount, are too small for this call."""


class ProductFell(PoolError):
    """A flash swap that was not paid back with its fee."""


class BlockClock:
    """Seconds since the start of day 0, the same for all pools of a market. It never goes back, except with a call that
    is rolled back."""

    def __init__(self) -> None:
        self.now = 0

    def advance(self, seconds: int) -> None:
        """Move on to ``seconds``, or stay where that is past."""
        self.now = max(self.now, int(seconds))

    def restore(self, seconds: int) -> None:
        """Back to ``seconds``: what moved it on did not happen."""
        self.now = seconds

    def block(self, day: int, block: int, blocks_per_day: int) -> None:
        """Move on to the time of ``block`` (counted from 0) of ``day``."""
        self.advance(day * DAY_SECONDS + block * DAY_SECONDS // blocks_per_day)


class Pool(Protocol):
    """Two assets on a curve, shares on the ledger. Amounts are base units; prices are quote per base, floats.

    ``base`` and ``quote`` are asset ids, ``account`` is the ledger account that holds the reserves, ``shares`` the
    asset id of the liquidity token.
    """

    name: str
    account: int
    base: int
    quote: int
    shares: int

    def reserves(self) -> tuple[int, int]:
        """Reserves (base, quote) that trades are priced by."""
        ...

    def spot(self) -> float:
        """Price of one more unit of base, before the fee."""
        ...

    def price_ratio(self) -> tuple[int, int]:
        """:meth:`spot` as (numerator, denominator), exact."""
        ...

    def twap(self, window_days: float) -> float:
        """Time-weighted average price over the last ``window_days``."""
        ...

    def depth(self, move: float) -> float:
        """Quote units that lift the price by the share ``move``, fee included."""
        ...

    def quote_out(self, asset_in: int, amount_in: int) -> int:
        """What ``amount_in`` would buy now."""
        ...

    def quote_in(self, asset_out: int, wanted: int) -> int:
        """What would have to be put in now to take ``wanted``."""
        ...

    def swap(self, account: int, asset_in: int, amount_in: int, min_out: int = 0) -> int:
        """Sell exactly ``amount_in`` of ``asset_in``; returns what was bought. Refused below ``min_out``."""
        ...

    def add_liquidity(
        self, account: int, amount_base: int, amount_quote: int, min_base: int = 0, min_quote: int = 0
    ) -> tuple[int, int, int]:
        """Deposit at most these amounts at the pool's ratio; returns (base, quote, shares)."""
        ...

    def remove_liquidity(
        self, account: int, shares: int, min_base: int = 0, min_quote: int = 0
    ) -> tuple[int, int]:
        """Redeem ``shares``; returns (base, quote)."""
        ...
