"""Exact integer arithmetic: the few operations that every formula about money is written with.

Each function has two forms of one meaning. In the interpreter it works on Python ints of any size. In a kernel
(:mod:`sim.kernel.compiled`) it works on 64-bit integers with 128-bit intermediate results, is equal to the first form
bit for bit inside its domain (0 <= a, b < 2**63; 1 <= d; result < 2**63) and raises OverflowError outside it
(the interpreter's is :class:`~sim.kernel.ledger_errors.OutOfRange`, which a transaction may be refused for).
Rounding is towards zero unless the name says ``up``: who is favoured is decided, and commented, where it is called.
This module does not import numba.
"""

from __future__ import annotations

import math
from operator import index
from typing import TYPE_CHECKING

from sim.kernel.ledger_errors import OutOfRange

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MICRO = 1_000_000
"""Base units in one unit of any asset."""

BPS = 10_000
"""Basis points in the whole."""

MAX_INT64 = 2**63 - 1


def mul_div(a: int, b: int, d: int) -> int:
    """floor(a * b / d) without loss in between. OverflowError unless a, b >= 0 and d >= 1."""
    a, b, d = index(a), index(b), index(d)  # numpy integers would wrap silently
    if a < 0 or b < 0 or d < 1:
        raise OutOfRange("mul_div needs a, b >= 0 and d >= 1")
    return a * b // d


def mul_div_up(a: int, b: int, d: int) -> int:
    """ceil(a * b / d) without loss in between. OverflowError unless a, b >= 0 and d >= 1."""
    a, b, d = index(a), index(b), index(d)
    if a < 0 or b < 0 or d < 1:
        raise OutOfRange("mul_div_up needs a, b >= 0 and d >= 1")
    return -(-a * b // d)


def isqrt(n: int) -> int:
    """floor(sqrt(n)). OverflowError unless n >= 0."""
    n = index(n)
    if n < 0:
        raise OutOfRange("isqrt needs n >= 0")
    return math.isqrt(n)


def sqrt_product(a: int, b: int) -> int:
    """floor(sqrt(a * b)), the geometric mean of two amounts. OverflowError unless a, b >= 0."""
    a, b = index(a), index(b)
    if a < 0 or b < 0:
        raise OutOfRange("sqrt_product needs a, b >= 0")
    return math.isqrt(a * b)


def share_pot(pot: int, claims: NDArray[np.int64], order: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Split ``pot`` over ``claims`` pro rata, exactly.

    With prefix sums C of the claims taken by rising ``order`` (hashed keys; equal ones by position), claim k receives
    t_k - t_(k-1), where t_k = floor(pot * C_k / C_n). A pot above the sum of the claims pays each in full and no more.

    Args:
        pot: base units to share, 0 <= pot < 2**63.
        claims: int64[n] of base units, none negative, sum < 2**63.
        order: uint64[n] that says in which order the units of rounding fall.

    Returns:
        int64[n]; the sum is min(pot, sum of claims), each within one unit of its exact share and never above its claim.

    Raises:
        OverflowError: a negative amount, or a sum of 2**63 or more.
    """
    from sim.kernel.sharing import share

    return share(pot, claims, order)
