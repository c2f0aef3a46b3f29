"""Weighted pools: the arithmetic of Balancer, as pure functions on integers.

Holds nothing. What can never be: a trade that lowers the product of the reserves to the powers of their weights. Every
division and every power is rounded for the pool, that is for those who stay in it, and a power is widened by the
margin of error that the protocol allows its own routine. Ratios, weights and powers have 18 decimals (``ONE``); amounts
are in any unit, the same for an asset's reserve and its trades. Fees are not in the formulas: callers take them off
the input.

Formulas: Balancer v2 and v3, WeightedMath and FixedPoint (out = B_o (1 - (B_i / (B_i + x))^(w_i / w_o))).
"""

from __future__ import annotations

from sim.contracts.amm.power import CONTEXT, power, ratio, whole

ONE = 10**18
MAX_IN_PERCENT = MAX_OUT_PERCENT = 30
"""Largest trade, in per cent of the reserve that it adds to or takes from."""

POWER_MARGIN = 10_000
"""Relative margin of a power, in units of 10^-18; one unit more is added to it."""


def divide_down(a: int, b: int) -> int:
    """a / b in 18 decimals, floored."""
    return a * ONE // b


def divide_up(a: int, b: int) -> int:
    """a / b in 18 decimals, rounded up."""
    return -(-a * ONE // b)


def multiply_up(a: int, b: int) -> int:
    """a x b where one of them has 18 decimals, rounded up."""
    return -(-a * b // ONE)


def power_up(base: int, exponent: int) -> int:
    """base^exponent rounded up and widened by the margin; no margin for exponents 1, 2 and 4.

    The last digit before the margin is that of a routine which cuts the logarithm off towards zero, as the protocol's.
    """
    if exponent == ONE:
        return base
    if exponent in (2 * ONE, 4 * ONE):
        square = multiply_up(base, base)
        return square if exponent == 2 * ONE else multiply_up(square, square)
    raw = whole(CONTEXT.multiply(power(ratio(base, ONE), ratio(exponent, ONE)), ONE), up=base < ONE)
    return raw + multiply_up(raw, POWER_MARGIN) + 1


def out_given_in(balance_in: int, weight_in: int, balance_out: int, weight_out: int, amount_in: int) -> int:
    """What ``amount_in`` (its fee taken off) buys, floored for the pool."""
    base = divide_up(balance_in, balance_in + amount_in)
    left = power_up(base, divide_down(weight_in, weight_out))
    return balance_out * max(ONE - left, 0) // ONE


def in_given_out(balance_in: int, weight_in: int, balance_out: int, weight_out: int, amount_out: int) -> int:
    """What must be put in (the fee comes on top) to take ``amount_out`` < ``balance_out``, rounded up for the pool."""
    base = divide_up(balance_out, balance_out - amount_out)
    grown = power_up(base, divide_up(weight_out, weight_in))
    return multiply_up(balance_in, max(grown - ONE, 0))
