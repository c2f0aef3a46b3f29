"""Concentration of holdings and voting power: Gini, HHI, Nakamoto, Lorenz curve, Shapley-Shubik and Banzhaf indices.

Weights [n] are non-negative, one a holder, in any unit. Weights that sum to nothing have no concentration: 0.
Power indices of the game [quota; w1 .. wn] are exact fractions, counted by generating functions: the number of
coalitions by size and weight is a polynomial, from which each voter is divided out (Mann and Shapley 1962).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import factorial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

MOST_CELLS = 2_000_000
"""Of the table of coalitions, voters times total weight; above, weights should be put in larger units."""


def _weights(weights: ArrayLike) -> NDArray[np.float64]:
    """Sorted upwards, checked."""
    values = np.sort(np.asarray(weights, dtype=np.float64))
    if values.ndim != 1 or (values.size and not values[0] >= 0.0):
        raise ValueError("weights must be a vector of non-negative numbers")
    return values


def gini(weights: ArrayLike) -> float:
    """Gini coefficient: 0 where all are equal, (n - 1)/n where one of n holds all.

    ``weights`` [n] in any unit.

    >>> gini([1, 2, 3, 4])
    0.25
    """
    values = _weights(weights)
    total, n = float(values.sum()), values.size
    return float(2.0 * (np.arange(1, n + 1) * values).sum() / (n * total) - (n + 1) / n) if total else 0.0


def herfindahl(weights: ArrayLike) -> float:
    """Herfindahl-Hirschman index: the sum of squared shares, from 1/n to 1.

    >>> herfindahl([1, 1, 2])
    0.375
    """
    values = _weights(weights)
    total = float(values.sum())
    return float(((values / total) ** 2).sum()) if total else 0.0


def nakamoto(weights: ArrayLike, threshold: float = 0.5) -> int:
    """Fewest holders who together hold strictly more than the share ``threshold``; 0 where there is nothing.

    ``weights`` [n] in any unit.

    >>> nakamoto([30, 20, 15, 10, 10, 5, 5, 3, 2])
    3
    """
    values = _weights(weights)[::-1]
    total = Fraction(float(values.sum()))
    reached, limit = Fraction(0), Fraction(str(threshold)) * total
    for count, value in enumerate(values.tolist(), start=1):
        reached += Fraction(value)
        if reached > limit:
            return count
    return values.size if total else 0


def lorenz(weights: ArrayLike) -> pd.DataFrame:
    """Lorenz curve: columns ``holders`` and ``held``, shares from 0 to 1, n + 1 rows, the smallest holders first.

    >>> lorenz([1, 3])["held"].tolist()
    [0.0, 0.25, 1.0]
    """
    values = _weights(weights)
    total = float(values.sum()) or 1.0
    return pd.DataFrame({"holders": np.linspace(0.0, 1.0, values.size + 1),
                         "held": np.append(0.0, np.cumsum(values)) / total})


def swings(quota: int, weights: Sequence[int]) -> list[list[int]]:
    """swings[i][s]: coalitions of s others that lose without voter i and win with it; a coalition wins whose weight
    reaches ``quota``. Weights are whole numbers; time grows with n^2 times their sum.

    >>> swings(2, [1, 1])
    [[0, 1], [0, 1]]
    """
    n, total = len(weights), sum(weights)
    if min(weights, default=0) < 0 or quota <= 0:
        raise ValueError("weights must not be negative, and the quota must be positive")
    if n * n * (total + 1) > 100 * MOST_CELLS:
        raise ValueError(f"{n} voters with {total} votes are too many; put votes in larger units")
    counts = [[0] * (total + 1) for _ in range(n + 1)]  # counts[s][w]: coalitions of s voters with weight w
    counts[0][0] = 1
    for done, weight in enumerate(weights):
        for size in range(done, -1, -1):
            row, above = counts[size], counts[size + 1]
            for held in range(total - weight, -1, -1):
                if row[held]:
                    above[held + weight] += row[held]
    found = []
    for weight in weights:
        without = [row[:] for row in counts]
        for size in range(1, n + 1):
            smaller, row = without[size - 1], without[size]
            for held in range(weight, total + 1):
                row[held] -= smaller[held - weight]
        found.append([sum(without[size][max(0, quota - weight):quota]) for size in range(n)])
    return found


def shapley_shubik(quota: int, weights: Sequence[int]) -> list[Fraction]:
    """Shapley-Shubik index [n]: share of the orders of arrival in which a voter tips the vote.

    >>> [str(power) for power in shapley_shubik(51, [50, 49, 1])]
    ['2/3', '1/6', '1/6']
    """
    n = len(weights)
    orders = [factorial(size) * factorial(n - size - 1) for size in range(n)]
    return [Fraction(sum(count * order for count, order in zip(row, orders, strict=True)), factorial(n))
            for row in swings(quota, weights)]


def banzhaf(quota: int, weights: Sequence[int], normalised: bool = True) -> list[Fraction]:
    """Banzhaf index [n]: a voter's swings over all swings, or over the 2^(n-1) coalitions of the others.

    >>> [str(power) for power in banzhaf(51, [50, 49, 1])]
    ['3/5', '1/5', '1/5']
    """
    counts = [sum(row) for row in swings(quota, weights)]
    whole = sum(counts) if normalised else 1 << max(len(weights) - 1, 0)
    return [Fraction(count, whole) if whole else Fraction(0) for count in counts]


def power_table(names: Sequence[str], votes: ArrayLike, quota_share: float = 0.5, units: int = 1000) -> pd.DataFrame:
    """One row a voter, largest first: ``votes`` (share of all), ``shapley_shubik`` and ``banzhaf`` (normalised).

    ``votes`` [n] in any unit are rounded to ``units`` in all; a coalition wins with strictly more than ``quota_share``.

    >>> power_table(["a", "b", "c"], [50, 49, 1])["banzhaf"].tolist()
    [0.6, 0.2, 0.2]
    """
    held = np.asarray(votes, dtype=np.float64)
    total = float(_weights(held).sum())
    whole = [int(v) for v in np.rint(held / total * units)]
    quota = int(sum(whole) * quota_share) + 1
    table = pd.DataFrame({"votes": held / total, "shapley_shubik": [float(p) for p in shapley_shubik(quota, whole)],
                          "banzhaf": [float(p) for p in banzhaf(quota, whole)]}, index=list(names))
    return table.sort_values("votes", ascending=False, kind="stable")
