"""Terms of an issue of governance tokens: what a number of new tokens brings, and how many bring a sum.

Buyers know that S + n tokens will share what S shared, so n new tokens at the price p0 of today, less a discount d,
sell at p0 (1 - d) S / (S + n) each. With M = p0 (1 - d) S the proceeds are

    R(n) = floor(n M / (S + n))        n(K) = ceil(K S / (M - K)),

so that no issue, however large, brings M: a pool that needs the market value of all tokens cannot be saved by them.
Rounding: proceeds down, tokens up to what brings the sum, by one at most.
"""

from __future__ import annotations

from sim.kernel.fixedpoint import BPS, MICRO, mul_div, mul_div_up


def market_value(supply: int, price: int, discount_bps: int) -> int:
    """M in base units of cash for ``supply`` base units of tokens at ``price`` micro-USD a token."""
    return mul_div(mul_div(supply, price, MICRO), BPS - discount_bps, BPS)


def proceeds(tokens: int, supply: int, value: int) -> int:
    """R(n): cash for ``tokens`` new ones where those there are worth ``value`` in all."""
    return mul_div(tokens, value, supply + tokens)


def tokens_for(cash: int, supply: int, value: int) -> int | None:
    """n(K): the least number of new tokens that brings ``cash``; None where no number does."""
    if cash >= value:
        return None
    tokens = mul_div_up(cash, supply, value - cash)
    while tokens and proceeds(tokens - 1, supply, value) >= cash:
        tokens -= 1
    while proceeds(tokens, supply, value) < cash:
        tokens += 1
    return tokens
