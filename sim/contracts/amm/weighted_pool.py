"""A weighted pool of two assets, with Balancer's arithmetic behind the interface of every pool.

Holds what :mod:`sim.contracts.amm.two_asset_pool` says and two weights, whole per cents. What can never be: base^w_b x
quote^w_q falls in a trade (checked exactly, in whole powers); a trade above 30 per cent of the reserve that it adds to
or takes from. Powers, divisions and the fee are rounded for the pool. Deposits are in proportion to the reserves, so
that the first one sets the price: quote / w_q over base / w_b.
"""

from __future__ import annotations

from math import gcd
from typing import Any

from sim.contracts.amm import weighted_math as curve
from sim.contracts.amm.interface import InsufficientLiquidity, PoolError
from sim.contracts.amm.power import CONTEXT, power, ratio
from sim.contracts.amm.search import best_input, least_input
from sim.contracts.amm.two_asset_pool import TwoAssetPool

PERCENT = 100


class WeightedPool(TwoAssetPool):
    """``weight_base``: per cent of the pool's value that stands in base, 1 .. 99. The rest as in every pool."""

    def __init__(self, *arguments: Any, weight_base: int, **more: Any) -> None:
        super().__init__(*arguments, **more)
        if not 0 < weight_base < PERCENT:
            raise PoolError(f"a weight of {weight_base} per cent leaves one side without any")
        common = gcd(weight_base, PERCENT)
        self.powers = weight_base // common, (PERCENT - weight_base) // common
        self.degree = sum(self.powers)
        self.weights = weight_base * curve.ONE // PERCENT, (PERCENT - weight_base) * curve.ONE // PERCENT
        self._root: tuple[int, int, int] = (0, 0, 0)

    def price_ratio(self) -> tuple[int, int]:
        return self.state.quote * self.powers[0], self.state.base * self.powers[1]

    def depth(self, move: float) -> float:
        # The price goes as quote^(1 + w_q / w_b) along the curve, so a rise by m takes quote to (1 + m)^w_b of itself.
        grown = power(CONTEXT.create_decimal_from_float(1.0 + move), ratio(self.powers[0], self.degree))
        return self.state.quote * float(grown - 1) * self.scale / self.keep

    def root(self, base: int, quote: int) -> int:
        """floor(base^w_b x quote^w_q), exactly."""
        if self._root[:2] != (base, quote):
            self._root = base, quote, _whole_root(self.invariant(base, quote), self.degree)
        return self._root[2]

    def invariant(self, base: int, quote: int) -> int:
        return base**self.powers[0] * quote**self.powers[1]

    def best_trade(self, rate_base: int, rate_quote: int, most_base: int, most_quote: int) -> tuple[bool, int, int]:
        base, quote = self.reserves()
        over, under = self.price_ratio()
        base_in = over * rate_base > rate_quote * under
        rate_in, rate_out = (rate_base, rate_quote) if base_in else (rate_quote, rate_base)
        reserve_in, reserve_out = (base, quote) if base_in else (quote, base)
        most = min(most_base if base_in else most_quote, self._most_in(reserve_in))

        def gain(paid: int) -> int:
            return self._bought(paid, reserve_in, reserve_out, base_in) * rate_in - paid * rate_out

        paid = best_input(max(most, 0), gain)
        if paid <= 0 or gain(paid) <= 0:
            return base_in, 0, 0
        return base_in, paid, self._bought(paid, reserve_in, reserve_out, base_in)

    def _most_in(self, reserve_in: int) -> int:
        """Largest input, fee included, that the rule of 30 per cent allows."""
        return reserve_in * curve.MAX_IN_PERCENT // PERCENT

    def _bought(self, amount: int, reserve_in: int, reserve_out: int, base_in: bool) -> int:
        weight_in, weight_out = self.weights if base_in else self.weights[::-1]
        net = amount * self.keep // self.scale  # the fee is rounded up, for the pool
        return curve.out_given_in(reserve_in, weight_in, reserve_out, weight_out, net)

    def _given_in(self, amount: int, reserve_in: int, reserve_out: int, base_in: bool) -> int:
        if amount > self._most_in(reserve_in):
            raise InsufficientLiquidity(f"pool {self.name} takes 30 % of its reserve at once, not {amount}")
        return self._bought(amount, reserve_in, reserve_out, base_in)

    def _given_out(self, wanted: int, reserve_in: int, reserve_out: int, base_in: bool) -> int:
        weight_in, weight_out = self.weights if base_in else self.weights[::-1]
        found = None
        if wanted <= reserve_out * curve.MAX_OUT_PERCENT // PERCENT:
            net = curve.in_given_out(reserve_in, weight_in, reserve_out, weight_out, wanted)
            gross = max(-(-net * self.scale // self.keep), 1)
            # Both directions are rounded for the pool, so that what buys it exactly may be a little more.
            found = least_input(gross, wanted, self._most_in(reserve_in),
                                lambda paid: self._bought(paid, reserve_in, reserve_out, base_in))
        if found is None:
            raise InsufficientLiquidity(f"pool {self.name} gives 30 % of its reserve at once, not {wanted}")
        return found


def _whole_root(value: int, degree: int) -> int:
    """floor(value^(1/degree)) by Newton's iteration from above."""
    if value == 0:
        return 0
    root = 1 << -(-value.bit_length() // degree)
    while True:
        lower = ((degree - 1) * root + value // root ** (degree - 1)) // degree
        if lower >= root:
            return root
        root = lower
