"""Constant-product exchange: the arithmetic of Uniswap v2, as pure functions on integers.

Holds nothing. What can never be: a trade that lowers the product of the reserves, a deposit or withdrawal that
lowers the reserves behind one share, an output as large as its reserve. Every division is rounded for the pool, that
is for those who stay in it.

Each formula is written once over :func:`sim.kernel.fixedpoint.mul_div`. In the interpreter it works on integers of
any size. ``amount_out``, ``amount_in``, ``quote``, ``first_shares``, ``later_shares``, ``withdrawn`` and
``protocol_shares`` compile as they stand with :mod:`sim.kernel.compiled`, and are then exact while each argument of a
``mul_div`` is below 2**63. ``product_holds``, the price accumulator and the trade to a price compare or
multiply numbers above 128 bits and stay in the interpreter.

A fee is the pair ``(keep, scale)`` from :func:`fee_fraction`: of each ``scale`` units put in, ``keep`` count as
input; 30 bps gives (997, 1000). Inputs are positive unless said otherwise: the pool contract checks them.

Formulas: Uniswap v2 core and periphery (UniswapV2Pair, UniswapV2Library, UniswapV2LiquidityMathLibrary).
"""

from __future__ import annotations

from math import gcd

from sim.kernel.fixedpoint import BPS, isqrt, mul_div, sqrt_product

MINIMUM_LIQUIDITY = 1000
"""Shares of the first deposit that are locked for ever: they make it costly to inflate the value of one share."""

PRICE_BITS = 112
"""Binary digits behind the point of an accumulated price (UQ112.112)."""


def fee_fraction(fee_bps: int) -> tuple[int, int]:
    """``(keep, scale)`` in lowest terms for a fee in hundredths of a per cent; lowest terms widen the int64 domain."""
    if not 0 <= fee_bps < BPS:
        raise ValueError(f"a fee of {fee_bps} bps is outside 0 .. {BPS - 1}")
    common = gcd(BPS - fee_bps, BPS)
    return (BPS - fee_bps) // common, BPS // common


def amount_out(amount_in: int, reserve_in: int, reserve_out: int, keep: int, scale: int) -> int:
    """What ``amount_in`` buys: floor(keep x R_out / (scale R_in + keep x)); floored for the pool."""
    counted = amount_in * keep
    return mul_div(counted, reserve_out, reserve_in * scale + counted)


def amount_in(wanted: int, reserve_in: int, reserve_out: int, keep: int, scale: int) -> int:
    """What must be put in to take ``wanted`` < ``reserve_out``: floor(scale R_in y / (keep (R_out - y))) + 1.

    The added unit makes it enough whatever the remainder, so it may ask one unit too many, for the pool.
    """
    return mul_div(reserve_in * scale, wanted, (reserve_out - wanted) * keep) + 1


def quote(amount: int, reserve: int, other_reserve: int) -> int:
    """Amount of the other asset worth ``amount`` at the ratio of the reserves, floored."""
    return mul_div(amount, other_reserve, reserve)


def first_shares(amount0: int, amount1: int) -> int:
    """Shares of the first depositor: floor(sqrt(a b)) less the locked minimum; not positive when too small."""
    return sqrt_product(amount0, amount1) - MINIMUM_LIQUIDITY


def later_shares(amount0: int, amount1: int, reserve0: int, reserve1: int, supply: int) -> int:
    """Shares for a deposit into a live pool: the lesser of the two proportions, floored for earlier holders."""
    return min(mul_div(amount0, supply, reserve0), mul_div(amount1, supply, reserve1))


def withdrawn(shares: int, balance: int, supply: int) -> int:
    """Part of ``balance`` that ``shares`` out of ``supply`` redeem, floored for those who stay."""
    return mul_div(shares, balance, supply)


def protocol_shares(root_k: int, root_k_last: int, supply: int, part: int) -> int:
    """New shares that give the protocol 1/``part`` of the growth of sqrt(k) since it was last paid, floored.

    S (s - s0) / ((part - 1) s + s0) with s = floor(sqrt(k)); part 6 of a 30 bps fee is 5 bps.
    """
    if root_k <= root_k_last:
        return 0
    return mul_div(supply, root_k - root_k_last, (part - 1) * root_k + root_k_last)


def product_holds(
    balances: tuple[int, int], reserves: tuple[int, int], outputs: tuple[int, int], keep: int, scale: int
) -> bool:
    """Whether a swap that sent ``outputs`` and left ``balances`` paid its fee (the K check).

    What came in is the balance above (reserve - output); the fee part of it is set aside before the products are
    compared, also when an asset is repaid in kind (a flash swap).
    """
    fee = scale - keep
    product = 1
    for balance, reserve, output in zip(balances, reserves, outputs, strict=True):
        product *= balance * scale - max(0, balance - (reserve - output)) * fee
    return product >= reserves[0] * reserves[1] * scale * scale


def price_step(reserve: int, other_reserve: int, seconds: int) -> int:
    """Growth in ``seconds`` of the accumulated price of the asset with ``reserve``, in units of the other: UQ112."""
    return (other_reserve << PRICE_BITS) // reserve * seconds


def trade_to_price(
    rate0: int, rate1: int, reserve0: int, reserve1: int, keep: int, scale: int
) -> tuple[bool, int]:
    """The trade after which one more unit would not pay where ``rate0`` of asset 0 is worth ``rate1`` of asset 1.

    Returns (asset 0 goes in, amount in); the amount is 0 inside the no-arbitrage band of the fee. From
    x = sqrt(k p / keep') - R_in / keep' with keep' = keep/scale, each root and quotient floored: at most a unit of
    input is left in the pool for the next comer.
    """
    zero_in = mul_div(reserve0, rate1, reserve1) < rate0
    rate_in, rate_out, reserve_in = (rate0, rate1, reserve0) if zero_in else (rate1, rate0, reserve1)
    after = isqrt(mul_div(reserve0 * reserve1 * scale, rate_in, rate_out * keep))
    before = reserve_in * scale // keep
    return (zero_in, after - before) if after > before else (False, 0)


def reserves_after_arbitrage(
    rate0: int, rate1: int, reserve0: int, reserve1: int, keep: int, scale: int
) -> tuple[int, int]:
    """Reserves once arbitrage has taken :func:`trade_to_price`; what a manipulated pool's shares are worth."""
    zero_in, paid = trade_to_price(rate0, rate1, reserve0, reserve1, keep, scale)
    if paid == 0:
        return reserve0, reserve1
    if zero_in:
        return reserve0 + paid, reserve1 - amount_out(paid, reserve0, reserve1, keep, scale)
    return reserve0 - amount_out(paid, reserve1, reserve0, keep, scale), reserve1 + paid


def best_arbitrage(
    rate0: int, rate1: int, reserve0: int, reserve1: int, keep: int, scale: int, most_in0: int, most_in1: int
) -> tuple[bool, int, int]:
    """The most profitable trade against an outside market, with at most ``most_in`` of either asset to spend.

    Returns (asset 0 goes in, amount in, amount out), amounts 0 where no trade gains. Profit is concave in the output
    but for rounding, so the best whole output is the one below the closed form's or the one above; each is bought with
    the least input that gives it. No whole trade within the means gains more by above two units of the input.
    """
    zero_in = mul_div(reserve0, rate1, reserve1) < rate0
    reserve_in, reserve_out = (reserve0, reserve1) if zero_in else (reserve1, reserve0)
    rate_in, rate_out = (rate0, rate1) if zero_in else (rate1, rate0)  # rate_in of the input is worth rate_out
    most = most_in0 if zero_in else most_in1
    size = min(trade_to_price(rate0, rate1, reserve0, reserve1, keep, scale)[1], most)
    below = amount_out(size, reserve_in, reserve_out, keep, scale) if size > 0 else 0
    best = (zero_in, 0, 0)
    best_gain = 0
    for out in (below, below + 1):
        if 0 < out < reserve_out:
            paid = amount_in(out, reserve_in, reserve_out, keep, scale)
            if out == below:
                paid = min(paid, size)  # amount_in may ask a unit too many
            gain = out * rate_in - paid * rate_out
            if paid <= most and gain > best_gain:
                best, best_gain = (zero_in, paid, out), gain
    return best
