"""The compiled form of :mod:`sim.kernel.fixedpoint`: products of 128 bits held in two 64-bit words.

Division is Knuth's algorithm D for two-word dividends (TAOCP volume 2, 4.3.1) with 32-bit digits; the square root is
one Newton step from the float estimate, then an exact correction. Every function refuses arguments outside its domain.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import types
from numba.extending import overload

from sim.kernel import fixedpoint
from sim.kernel.compiled import kernel_for

F = TypeVar("F", bound=Callable[..., Any])

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_BASE = np.uint64(1 << 32)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TOP = np.uint64(1 << 63)


@kernel_for("UniTuple(uint64, 2)(uint64, uint64)")
def multiply_wide(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """a * b as (high word, low word)."""
    a_low, a_high = a & _LOW, a >> _HALF
    b_low, b_high = b & _LOW, b >> _HALF
    low = a_low * b_low
    middle = a_high * b_low + (low >> _HALF)
    other = a_low * b_high + (middle & _LOW)
    high = a_high * b_high + (middle >> _HALF) + (other >> _HALF)
    return high, a * b


@kernel_for("UniTuple(uint64, 2)(uint64, uint64, uint64)")
def divide_wide(high: np.uint64, low: np.uint64, d: np.uint64) -> tuple[np.uint64, np.uint64]:
    """(high * 2**64 + low) / d as (quotient, remainder). Needs high < d, which makes the quotient fit in one word."""
    if high == _ZERO:
        return low // d, low % d
    shift = _ZERO
    while d & _TOP == _ZERO:
        d <<= _ONE
        shift += _ONE
    if shift > _ZERO:
        high = (high << shift) | (low >> (np.uint64(64) - shift))
        low <<= shift
    d_high, d_low = d >> _HALF, d & _LOW
    digit_1, digit_0 = low >> _HALF, low & _LOW

    q_1 = high // d_high
    rest = high - q_1 * d_high
    while q_1 >= _BASE or q_1 * d_low > ((rest << _HALF) | digit_1):
        q_1 -= _ONE
        rest += d_high
        if rest >= _BASE:
            break
    middle = (high << _HALF) + digit_1 - q_1 * d  # wraps on purpose: the true value fits

    q_0 = middle // d_high
    rest = middle - q_0 * d_high
    while q_0 >= _BASE or q_0 * d_low > ((rest << _HALF) | digit_0):
        q_0 -= _ONE
        rest += d_high
        if rest >= _BASE:
            break
    remainder = (middle << _HALF) + digit_0 - q_0 * d
    return (q_1 << _HALF) + q_0, remainder >> shift


@kernel_for("int64(int64, int64, int64)")
def _mul_div(a: Any, b: Any, d: Any) -> Any:
    if a < 0 or b < 0 or d < 1:
        raise OverflowError("mul_div needs a, b >= 0 and d >= 1")
    high, low = multiply_wide(np.uint64(a), np.uint64(b))
    if high >= np.uint64(d):
        raise OverflowError("mul_div: the result does not fit in 63 bits")
    quotient, _ = divide_wide(high, low, np.uint64(d))
    if quotient >= _TOP:
        raise OverflowError("mul_div: the result does not fit in 63 bits")
    return np.int64(quotient)


@kernel_for("int64(int64, int64, int64)")
def _mul_div_up(a: Any, b: Any, d: Any) -> Any:
    if a < 0 or b < 0 or d < 1:
        raise OverflowError("mul_div_up needs a, b >= 0 and d >= 1")
    high, low = multiply_wide(np.uint64(a), np.uint64(b))
    if high >= np.uint64(d):
        raise OverflowError("mul_div_up: the result does not fit in 63 bits")
    quotient, remainder = divide_wide(high, low, np.uint64(d))
    if remainder > _ZERO:
        quotient += _ONE  # cannot wrap: quotient <= 2**64 - 2 whenever something remains, as a * b < 2**126
    if quotient >= _TOP:
        raise OverflowError("mul_div_up: the result does not fit in 63 bits")
    return np.int64(quotient)


@kernel_for("int64(int64)")
def _isqrt(n: Any) -> Any:
    if n < 0:
        raise OverflowError("isqrt needs n >= 0")
    wide = np.uint64(n)
    root = np.uint64(math.sqrt(n))
    while root * root > wide:  # root <= 2**31.5 + 1, so the square fits in 64 bits
        root -= _ONE
    while (root + _ONE) * (root + _ONE) <= wide:
        root += _ONE
    return np.int64(root)


@kernel_for("int64(int64, int64)")
def _sqrt_product(a: Any, b: Any) -> Any:
    if a < 0 or b < 0:
        raise OverflowError("sqrt_product needs a, b >= 0")
    if a == 0 or b == 0:
        return np.int64(0)
    high, low = multiply_wide(np.uint64(a), np.uint64(b))
    # The float estimate is off by at most 2**11 at 2**63; one Newton step leaves an error below one unit.
    root = np.uint64(math.sqrt(float(a)) * math.sqrt(float(b)))
    if root == _ZERO:
        root = _ONE
    if high < root:
        quotient, _ = divide_wide(high, low, root)
        root = (root >> _ONE) + (quotient >> _ONE) + (root & quotient & _ONE)
    while True:
        square_high, square_low = multiply_wide(root, root)
        if square_high < high or (square_high == high and square_low <= low):
            break
        root -= _ONE
    while True:
        square_high, square_low = multiply_wide(root + _ONE, root + _ONE)
        if square_high > high or (square_high == high and square_low > low):
            break
        root += _ONE
    return np.int64(root)


def _compiled_form_of(function: Callable[..., Any]) -> Callable[[F], F]:
    """What numba is to use in place of ``function`` inside kernels."""
    return cast("Callable[[F], F]", overload(function))


def _are_integers(*arguments: Any) -> bool:
    return all(isinstance(argument, types.Integer) for argument in arguments)


# numba wants the parameters of a form and of its implementation equal, annotations included.


@_compiled_form_of(fixedpoint.mul_div)
def _mul_div_form(a: Any, b: Any, d: Any) -> Any:
    def form(a: Any, b: Any, d: Any) -> Any:
        return _mul_div(np.int64(a), np.int64(b), np.int64(d))

    return form if _are_integers(a, b, d) else None


@_compiled_form_of(fixedpoint.mul_div_up)
def _mul_div_up_form(a: Any, b: Any, d: Any) -> Any:
    def form(a: Any, b: Any, d: Any) -> Any:
        return _mul_div_up(np.int64(a), np.int64(b), np.int64(d))

    return form if _are_integers(a, b, d) else None


@_compiled_form_of(fixedpoint.isqrt)
def _isqrt_form(n: Any) -> Any:
    def form(n: Any) -> Any:
        return _isqrt(np.int64(n))

    return form if _are_integers(n) else None


@_compiled_form_of(fixedpoint.sqrt_product)
def _sqrt_product_form(a: Any, b: Any) -> Any:
    def form(a: Any, b: Any) -> Any:
        return _sqrt_product(np.int64(a), np.int64(b))

    return form if _are_integers(a, b) else None
