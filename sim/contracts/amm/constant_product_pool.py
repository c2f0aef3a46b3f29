"""A constant-product pool on the ledger, rule for rule a Uniswap v2 pair behind its router.

Holds what :mod:`sim.contracts.amm.two_asset_pool` says. What can never be: the product of the reserves falls in a
trade. Rounding favours the pool at every division.
"""

from __future__ import annotations

import math

from sim.contracts.amm import constant_product as curve
from sim.contracts.amm.two_asset_pool import FEE_BPS, PROTOCOL_PART, PoolState, TwoAssetPool
from sim.kernel.fixedpoint import sqrt_product

__all__ = ["FEE_BPS", "PROTOCOL_PART", "ConstantProductPool", "PoolState"]


class ConstantProductPool(TwoAssetPool):
    """Reserves x y = k."""

    degree = 2

    def price_ratio(self) -> tuple[int, int]:
        return self.state.quote, self.state.base

    def depth(self, move: float) -> float:
        return self.state.quote * (math.sqrt(1.0 + move) - 1.0) * self.scale / self.keep

    def quote_value(self) -> float:
        return 2.0 * self.state.quote

    def size(self) -> float:
        return float((self.state.base * self.state.quote) ** 0.5)

    def root(self, base: int, quote: int) -> int:
        return sqrt_product(base, quote)

    def invariant(self, base: int, quote: int) -> int:
        return base * quote

    def best_trade(self, rate_base: int, rate_quote: int, most_base: int, most_quote: int) -> tuple[bool, int, int]:
        return curve.best_arbitrage(rate_base, rate_quote, self.state.base, self.state.quote, self.keep, self.scale,
                                    most_base, most_quote)

    def _given_in(self, amount: int, reserve_in: int, reserve_out: int, base_in: bool) -> int:
        return curve.amount_out(amount, reserve_in, reserve_out, self.keep, self.scale)

    def _given_out(self, wanted: int, reserve_in: int, reserve_out: int, base_in: bool) -> int:
        return curve.amount_in(wanted, reserve_in, reserve_out, self.keep, self.scale)
