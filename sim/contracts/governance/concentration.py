"""How unequally holdings or votes are spread: Gini, Herfindahl-Hirschman, Nakamoto coefficient, top share.

Pure functions of a vector of non-negative weights (one per holder). Weights that sum to nothing have no
concentration to speak of: every measure then returns 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

HALF = Fraction(1, 2)


def _weights(weights: ArrayLike | Iterable[float]) -> NDArray[np.generic]:
    values = np.asarray(weights if isinstance(weights, np.ndarray) else list(weights))  # type: ignore[arg-type]
    if values.ndim != 1:
        raise ValueError("weights must be a vector")
    if values.size and values.min() < 0:
        raise ValueError("weights must not be negative")
    return values


def gini(weights: ArrayLike | Iterable[float]) -> float:
    """Gini coefficient, 0 when all are equal and (n - 1)/n when one of n holds all.

    G = 2 sum_i i w_(i) / (n sum w) - (n + 1)/n over weights sorted upwards, i = 1 .. n.
    """
    values = np.sort(_weights(weights)).astype(np.float64)
    total = float(values.sum())
    if total == 0.0:
        return 0.0
    n = values.size
    ranks = np.arange(1, n + 1, dtype=np.float64)
    return float(2.0 * (ranks * values).sum() / (n * total) - (n + 1) / n)


def herfindahl(weights: ArrayLike | Iterable[float]) -> float:
    """Herfindahl-Hirschman index: the sum of squared shares, from 1/n (equal) to 1 (one holder)."""
    values = _weights(weights).astype(np.float64)
    total = float(values.sum())
    return float(((values / total) ** 2).sum()) if total else 0.0


def nakamoto(weights: ArrayLike | Iterable[float], threshold: Fraction = HALF) -> int:
    """Fewest holders who together hold strictly more than ``threshold`` of the total; 0 where there is nothing.

    The inequality is strict: two holders with exactly half do not control a majority vote.
    """
    values = np.sort(_weights(weights))[::-1]
    total = values.sum()
    if not total:
        return 0
    reached = np.cumsum(values) * threshold.denominator > total * threshold.numerator
    return int(np.argmax(reached)) + 1 if reached.any() else values.size


def top_share(weights: ArrayLike | Iterable[float], count: int) -> float:
    """Share of the total held by the ``count`` largest holders."""
    values = _weights(weights)
    total = float(values.sum())
    if not total:
        return 0.0
    if count < values.size:
        values = np.partition(values, values.size - count)[values.size - count:]
    return float(values.sum()) / total
