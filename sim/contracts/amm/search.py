"""Searches over a pool's own exact quotes, for curves without a closed form. Whole numbers throughout."""

from __future__ import annotations

from collections.abc import Callable

TRIALS = 200


def least_input(first: int, wanted: int, most: int, out: Callable[[int], int]) -> int | None:
    """The least input from ``first`` on that buys ``wanted``, None where ``most`` does not; ``out`` never falls."""
    if first > most:
        return None
    low, step = first - 1, 1
    high = first
    while out(high) < wanted:
        if high >= most:
            return None
        low, high, step = high, min(high + step, most), step * 2
    while high - low > 1:
        middle = (low + high) // 2
        if out(middle) < wanted:
            low = middle
        else:
            high = middle
    return high


def best_input(most: int, gain: Callable[[int], int]) -> int:
    """The input 0 .. ``most`` with the largest gain, for a gain that rises and then falls but for rounding.

    Steps of a thousandth of the input decide on which side of the top a trial stands, so that the rounding of single
    units does not; the top itself is flat, so that half a step beside it costs a millionth of the gain.
    """
    low, high = 0, most
    for _ in range(TRIALS):
        if high - low <= 2:
            break
        middle = (low + high) // 2
        step = max(1, middle // 1000)
        if gain(min(middle + step, most)) > gain(middle):
            low = middle
        else:
            high = middle
    # The forward step places the top half a step early.
    return max((low, high, min(low + low // 2000, most)), key=gain)
