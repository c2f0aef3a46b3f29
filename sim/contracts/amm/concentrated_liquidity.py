"""One step of a swap against concentrated liquidity, as pure integer functions (Uniswap v3 whitepaper, section 6.2).

Between two initialised prices a pool behaves like a constant product one with reserves L / sqrt(P) and L sqrt(P).
Prices are square roots scaled by 2**96, so they exceed 64 bits and there is no compiled form: these functions are for
arbitrary-precision integers. Rounding always favours the pool: what goes in is rounded up, what comes out down, and
the price never moves further than the amount pays for. No pool of this kind trades in a scenario yet.
"""

from __future__ import annotations

from dataclasses import dataclass

Q96 = 1 << 96
FEE_SCALE = 1_000_000
"""Fees are in hundredths of a basis point."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where the price ends, what was paid (without the fee), what was received, and the fee."""

    sqrt_price: int
    amount_in: int
    amount_out: int
    fee: int


def _divide(numerator: int, denominator: int, up: bool) -> int:
    return -(-numerator // denominator) if up else numerator // denominator


def amount0_between(first: int, second: int, liquidity: int, up: bool) -> int:
    """Token 0 between two root prices: L (1/sqrt(low) - 1/sqrt(high))."""
    low, high = sorted((first, second))
    return _divide(_divide(liquidity * Q96 * (high - low), high, up), low, up)


def amount1_between(first: int, second: int, liquidity: int, up: bool) -> int:
    """Token 1 between two root prices: L (sqrt(high) - sqrt(low))."""
    return _divide(liquidity * abs(first - second), Q96, up)


def price_after_amount0(sqrt_price: int, liquidity: int, change: int) -> int:
    """Root price once the pool's token 0 has changed by ``change``, rounded up."""
    scaled = liquidity * Q96
    return sqrt_price if change == 0 else _divide(scaled * sqrt_price, scaled + change * sqrt_price, True)


def price_after_amount1(sqrt_price: int, liquidity: int, change: int) -> int:
    """Root price once the pool's token 1 has changed by ``change``, rounded down."""
    return sqrt_price + change * Q96 // liquidity


def swap_step(sqrt_price: int, target: int, liquidity: int, remaining: int, fee_pips: int) -> Step:
    """Trade towards ``target`` until it is reached or ``remaining`` is used up.

    ``remaining`` is the input still to be spent (fee included) where positive, the output still wanted where negative.
    The direction follows from the target: downwards token 0 goes in, upwards token 1. ValueError without liquidity.
    """
    if liquidity <= 0 or sqrt_price <= 0 or target <= 0:
        raise ValueError("prices and liquidity must be positive")
    down, exact_in = sqrt_price >= target, remaining >= 0

    def paid(price: int) -> int:
        return (amount0_between if down else amount1_between)(sqrt_price, price, liquidity, True)

    def received(price: int) -> int:
        return (amount1_between if down else amount0_between)(sqrt_price, price, liquidity, False)

    if exact_in:
        net = remaining * (FEE_SCALE - fee_pips) // FEE_SCALE
        reached = net >= paid(target)
        moved = (price_after_amount0 if down else price_after_amount1)(sqrt_price, liquidity, net)
    else:
        reached = -remaining >= received(target)
        moved = (price_after_amount1 if down else price_after_amount0)(sqrt_price, liquidity, remaining) \
            if not reached else target
    end = target if reached else moved
    amount_in, amount_out = paid(end), received(end)
    if not exact_in:
        amount_out = min(amount_out, -remaining)
    if exact_in and not reached:
        fee = remaining - amount_in  # all that is left is fee
    else:
        fee = _divide(amount_in * fee_pips, FEE_SCALE - fee_pips, True)
    return Step(end, amount_in, amount_out, fee)
