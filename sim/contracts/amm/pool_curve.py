"""What a pool of two assets asks of its curve, and the state that both read.

Amounts are base units; the reserves of a trade are those of ``state``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

FEE_BPS = 30
PROTOCOL_PART = 6
"""The protocol's part of the fee is one in this many: 5 of 30 bps."""


class PoolState(NamedTuple):
    """All that a pool remembers beside its balances; replaced as a whole, so that a rollback is one assignment.

    ``root_last`` is the size of the pool when the protocol was last paid; ``base_in`` and ``quote_in`` are the amounts
    that fees were charged on.
    """

    base: int = 0
    quote: int = 0
    root_last: int = 0
    base_price_sum: int = 0
    quote_price_sum: int = 0
    time: int = 0
    base_in: int = 0
    quote_in: int = 0
    turnover: int = 0
    payments: int = 0


class Curve(ABC):
    """How trades are priced. ``keep`` of each ``scale`` units put in count as input, the rest is the fee."""

    state: PoolState
    keep: int
    scale: int
    degree: int
    invariant_error = 0
    """The most by which :meth:`invariant` may be off."""

    @abstractmethod
    def price_ratio(self) -> tuple[int, int]:
        """Price of one more unit of base in quote, before the fee, as (numerator, denominator)."""

    @abstractmethod
    def depth(self, move: float) -> float:
        """Quote units that lift the price by the share ``move``, fee included."""

    @abstractmethod
    def root(self, base: int, quote: int) -> int:
        """Size of a pool with these reserves, floored: doubling both doubles it, and trades never lower it."""

    @abstractmethod
    def invariant(self, base: int, quote: int) -> int:
        """What trades never lower, to within ``invariant_error``: doubling both reserves multiplies it by 2**degree."""

    @abstractmethod
    def best_trade(self, rate_base: int, rate_quote: int, most_base: int, most_quote: int) -> tuple[bool, int, int]:
        """The most profitable trade where ``rate_base`` of base is worth ``rate_quote`` of quote outside, with at most
        ``most_base`` or ``most_quote`` to spend: (base goes in, amount in, amount out), amounts 0 where none gains."""

    @abstractmethod
    def _given_in(self, amount: int, reserve_in: int, reserve_out: int, base_in: bool) -> int:
        """What ``amount`` > 0 buys, fee included."""

    @abstractmethod
    def _given_out(self, wanted: int, reserve_in: int, reserve_out: int, base_in: bool) -> int:
        """What buys ``wanted``, 0 < wanted < reserve_out, fee included."""

    def _charged(self, amount_in: int, out: int, base_in: bool) -> tuple[int, int]:
        """Amounts (base, quote) that a swap's fee is charged on: its input, where the curve does not say otherwise."""
        return (amount_in, 0) if base_in else (0, amount_in)

    def _paid_for(self, balances: tuple[int, int], base_in: int, quote_in: int) -> bool:
        """Whether balances that received these amounts in a flash swap have, less its fee, the old invariant."""
        fee, scale = self.scale - self.keep, self.scale
        kept = balances[0] * scale - base_in * fee, balances[1] * scale - quote_in * fee
        least = self.invariant(self.state.base, self.state.quote) + self.invariant_error
        return self.invariant(*kept) >= least * scale**self.degree
