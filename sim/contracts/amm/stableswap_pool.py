"""A StableSwap pool of two assets, with Curve's arithmetic behind the interface of every pool.

Holds what :mod:`sim.contracts.amm.two_asset_pool` says, the amplification A and a fixed rate at which base counts: a
token that is worth two dollars when the pool opens has the rate 2,000,000, and the pool is flat around that price. What
can never be: D behind one share falls by more than the last unit of Newton's iteration, 10^-12 of a token. The fee is
taken from the output, as by the protocol; all else is rounded for the pool. Deposits are in proportion to the reserves.
"""

from __future__ import annotations

from typing import Any

from sim.contracts.amm import stableswap_math as curve
from sim.contracts.amm.interface import InsufficientLiquidity, PoolError
from sim.contracts.amm.search import best_input, least_input
from sim.contracts.amm.two_asset_pool import TwoAssetPool
from sim.kernel.fixedpoint import MICRO, isqrt

BASE, QUOTE = 0, 1


class StableSwapPool(TwoAssetPool):
    """``amplification``: Curve's A; ``rate``: micro-quote at which a token of base counts. The rest as in any pool."""

    degree = 1
    invariant_error = 2

    def __init__(self, *arguments: Any, amplification: int, rate: int = MICRO, **more: Any) -> None:
        super().__init__(*arguments, **more)
        if amplification < 1 or rate < 1:
            raise PoolError(f"pool {self.name} needs a positive amplification and rate")
        self.amplification = amplification
        self.rates = rate, MICRO
        self._known: tuple[tuple[int, int], int] = (0, 0), 0

    def _balances(self, base: int, quote: int) -> tuple[int, int]:
        """Both reserves in the pool's common unit, 10^-12 of a quote token."""
        return base * self.rates[BASE], quote * self.rates[QUOTE]

    def price_ratio(self) -> tuple[int, int]:
        up, down = curve.price(self._balances(*self.reserves()), self.amplification)
        return up * self.rates[BASE], down * self.rates[QUOTE]

    def depth(self, move: float) -> float:
        self._require_reserves()
        base, quote = self.reserves()
        target = self.spot() * (1.0 + move)
        d = self.invariant(base, quote)

        def reaches(added: int) -> int:
            held = (quote + added) * self.rates[QUOTE]
            left = curve.balance_for(held, QUOTE, BASE, self._balances(base, quote), self.amplification, d)
            up, down = curve.price((max(left, 1), held), self.amplification)
            return int(up * self.rates[BASE] / (down * self.rates[QUOTE]) >= target)

        added = least_input(1, 1, 10**6 * quote, reaches)
        return float("inf") if added is None else float(added)

    def root(self, base: int, quote: int) -> int:
        """What sqrt(base x quote) would be if the pool were balanced, floored: D / (2 sqrt(rates))."""
        if base == 0 or quote == 0:
            return 0
        d = self.invariant(base, quote)
        return d // (2 * isqrt(self.rates[BASE] * self.rates[QUOTE]))

    def invariant(self, base: int, quote: int) -> int:
        if base == 0 or quote == 0:
            return 0
        return curve.exact_root(*self._balances(base, quote), self.amplification)

    def _d(self) -> int:
        """D as the protocol finds it; where its iteration cycles, the exact root."""
        balances = self._balances(*self.reserves())
        if self._known[0] != balances:
            try:
                d = curve.invariant(balances, self.amplification)
            except curve.NoConvergence:
                d = curve.exact_root(*balances, self.amplification)
            self._known = balances, d
        return self._known[1]

    def best_trade(self, rate_base: int, rate_quote: int, most_base: int, most_quote: int) -> tuple[bool, int, int]:
        base, quote = self.reserves()
        up, down = self.price_ratio()
        base_in = up * rate_base > rate_quote * down
        rate_in, rate_out = (rate_base, rate_quote) if base_in else (rate_quote, rate_base)
        reserve_in, reserve_out = (base, quote) if base_in else (quote, base)
        # Beyond so much of the other reserve's worth nothing more is bought that could pay.
        most = min(most_base if base_in else most_quote, 100 * (reserve_in + reserve_out * rate_in // rate_out + 1))

        def gain(paid: int) -> int:
            return self._given_in(paid, reserve_in, reserve_out, base_in) * rate_in - paid * rate_out

        paid = best_input(max(most, 0), gain)
        if paid <= 0 or gain(paid) <= 0:
            return base_in, 0, 0
        return base_in, paid, self._given_in(paid, reserve_in, reserve_out, base_in)

    def _given_in(self, amount: int, reserve_in: int, reserve_out: int, base_in: bool) -> int:
        if amount == 0:
            return 0
        entering, leaving = (BASE, QUOTE) if base_in else (QUOTE, BASE)
        gross = curve.output(entering, leaving, amount * self.rates[entering], self._balances(*self.reserves()),
                             self.amplification, self._d())
        # The fee is rounded up with the output's last unit, for the pool.
        return max(gross, 0) * self.keep // (self.scale * self.rates[leaving])

    def _given_out(self, wanted: int, reserve_in: int, reserve_out: int, base_in: bool) -> int:
        entering, leaving = (BASE, QUOTE) if base_in else (QUOTE, BASE)
        gross = -(-wanted * self.rates[leaving] * self.scale // self.keep)
        balances = self._balances(*self.reserves())
        found = None
        if gross < balances[leaving]:
            asked = curve.needed(entering, leaving, gross, balances, self.amplification, self._d())
            first = max(-(-asked // self.rates[entering]), 1)
            found = least_input(first, wanted, 2 * first + 10**6,
                                lambda paid: self._given_in(paid, reserve_in, reserve_out, base_in))
        if found is None:
            raise InsufficientLiquidity(f"pool {self.name} cannot give {wanted} and keep its fee")
        return found

    def _charged(self, amount_in: int, out: int, base_in: bool) -> tuple[int, int]:
        """The fee is charged on the output before it."""
        gross = out * self.scale // self.keep
        return (0, gross) if base_in else (gross, 0)
