"""StableSwap: the arithmetic of Curve, as pure functions on integers.

Holds nothing. What can never be: a trade that lowers the invariant D by more than Newton's last unit, for which one
unit of the output is kept back. ``balances`` are in one common unit (amount x rate), two or more of them;
``amplification`` is the pool's A, so that A n^n of the paper is ``amplification x n`` here, as in the contracts.
Iterations run in integers until they stand still to within a unit, at most 255 of them, as on the chain. Where one
reserve is hundreds of times the other at a low A they may cycle instead; a pool then falls back on :func:`exact_root`.

Formulas: Egorov, StableSwap (2019), and Curve's SwapTemplateBase: A n^n S + D = A n^n D + D^(n+1) / (n^n prod x).
"""

from __future__ import annotations

from collections.abc import Sequence

ITERATIONS = 255


class NoConvergence(ArithmeticError):
    """Newton's iteration did not stand still."""


def invariant(balances: Sequence[int], amplification: int) -> int:
    """D: what the pool would hold in all if it were balanced; 0 for an empty pool."""
    number, total = len(balances), sum(balances)
    if total == 0:
        return 0
    ann = amplification * number
    d = total
    for _ in range(ITERATIONS):
        part = d
        for balance in balances:
            part = part * d // (number * balance)
        before = d
        d = (ann * total + part * number) * d // ((ann - 1) * d + (number + 1) * part)
        if abs(d - before) <= 1:
            return d
    raise NoConvergence(f"D of {balances} at A = {amplification}")


def exact_root(x: int, y: int, amplification: int) -> int:
    """floor(D) of two balances without any rounding on the way: the root of D^3 + (2A - 1) 4xy D = 2A (x + y) 4xy."""
    if x <= 0 or y <= 0:
        return 0
    product, ann = 4 * x * y, 2 * amplification
    slope, constant = (ann - 1) * product, ann * (x + y) * product
    d = x + y  # not below the root; the cubic is convex there, so that Newton's steps fall onto it
    while True:
        lower = d - -(-(d * d * d + slope * d - constant) // (3 * d * d + slope))
        if lower >= d:
            break
        d = lower
    while d * d * d + slope * d > constant:
        d -= 1
    while (d + 1) ** 3 + slope * (d + 1) <= constant:
        d += 1
    return d


def balance_for(
    held: int, place_in: int, place_out: int, balances: Sequence[int], amplification: int, d: int
) -> int:
    """The balance at ``place_out`` that keeps ``d`` once the one at ``place_in`` is ``held``, the others as they are.

    Root of y^2 + (b - D) y = c.
    """
    number = len(balances)
    ann = amplification * number
    c, total = d, 0
    for place, balance in enumerate(balances):
        if place == place_out:
            continue
        other = held if place == place_in else balance
        total += other
        c = c * d // (other * number)
    c = c * d // (ann * number)
    b = total + d // ann
    y = d
    for _ in range(ITERATIONS):
        before = y
        y = (y * y + c) // (2 * y + b - d)
        if abs(y - before) <= 1:
            return y
    raise NoConvergence(f"y of {balances} at A = {amplification}")


def output(place_in: int, place_out: int, amount: int, balances: Sequence[int], amplification: int, d: int) -> int:
    """What ``amount`` buys before the fee: a unit less than the curve gives, for the pool."""
    left = balance_for(balances[place_in] + amount, place_in, place_out, balances, amplification, d)
    return balances[place_out] - left - 1


def needed(place_in: int, place_out: int, amount: int, balances: Sequence[int], amplification: int, d: int) -> int:
    """What buys ``amount`` before the fee, less than the balance: a unit more than the curve asks, for the pool."""
    held = balance_for(balances[place_out] - amount, place_out, place_in, balances, amplification, d)
    return held - balances[place_in] + 1


def price(balances: tuple[int, int], amplification: int) -> tuple[int, int]:
    """Price of the first of two assets in the second, as (numerator, denominator), before the fee:
    (8 A x^2 y^2 + D^3 y) / (8 A x^2 y^2 + D^3 x), from the slope of the invariant with n = 2."""
    x, y = balances
    d = exact_root(x, y, amplification)
    flat = 8 * amplification * x * x * y * y
    cube = d * d * d
    return flat + cube * y, flat + cube * x
