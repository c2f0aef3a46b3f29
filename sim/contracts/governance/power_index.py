"""Power indices of a weighted voting game [quota; w1, ..., wn], as exact fractions.

A coalition wins when its weight reaches the quota. Both indices go over all 2^n coalitions, so they are meant for
the few voters who matter (n <= 20), not for all holders.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import factorial

LARGEST_GAME = 20


def _swings(quota: int, weights: Sequence[int]) -> list[list[int]]:
    """swings[i][s]: how many coalitions of s others lose without voter i and win with it."""
    n = len(weights)
    if n > LARGEST_GAME:
        raise ValueError(f"{n} voters are too many to enumerate; at most {LARGEST_GAME}")
    swings = [[0] * n for _ in range(n)]
    sums = [0] * (1 << n)
    for coalition in range(1, 1 << n):
        lowest = coalition & -coalition
        sums[coalition] = sums[coalition ^ lowest] + weights[lowest.bit_length() - 1]
    for coalition, weight in enumerate(sums):
        if weight >= quota:
            continue
        size = coalition.bit_count()
        for voter in range(n):
            if not coalition >> voter & 1 and weight + weights[voter] >= quota:
                swings[voter][size] += 1
    return swings


def shapley_shubik(quota: int, weights: Sequence[int]) -> list[Fraction]:
    """Shapley-Shubik index: the share of orders of arrival in which a voter is the one who tips the vote."""
    n = len(weights)
    orders = [factorial(size) * factorial(n - size - 1) for size in range(n)]
    return [Fraction(sum(c * o for c, o in zip(row, orders, strict=True)), factorial(n))
            for row in _swings(quota, weights)]


def banzhaf(quota: int, weights: Sequence[int], *, normalised: bool = True) -> list[Fraction]:
    """Banzhaf index: a voter's swings over all swings (normalised) or over the 2^(n-1) coalitions of the others."""
    counts = [sum(row) for row in _swings(quota, weights)]
    whole = sum(counts) if normalised else 1 << (len(weights) - 1)
    return [Fraction(count, whole) if whole else Fraction(0) for count in counts]
