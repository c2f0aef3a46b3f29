"""Confidence intervals of figures over runs: shares, means, paired and unpaired differences.

Each function takes arrays of one figure a run and returns ``(low, high)`` in the figure's own unit. The level is
:data:`CONFIDENCE` unless another is given. Nothing is drawn at random but the resamples of :func:`bootstrap`, whose
seed is fixed, so equal figures give equal intervals.

References: Wilson (1927), JASA 22; Efron and Tibshirani (1993), An Introduction to the Bootstrap, 14.3 (BCa);
Welch (1947), Biometrika 34; Newcombe (1998), Stat. Med. 17 (unpaired shares); Bonett and Price (2012), J. Educ. Behav.
Stat. 37 (paired shares).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]

CONFIDENCE = 0.95
"""Two-sided confidence of all intervals."""

NOTHING: Interval = (-math.inf, math.inf)
"""What is known of a mean from fewer than two runs."""


def wilson(hits: int, runs: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's interval for a share of which ``hits`` of ``runs`` were seen; (0, 1) where there were no runs.

    Example
    -------
    >>> [round(edge, 3) for edge in wilson(2, 20)]
    [0.028, 0.301]
    """
    if not 0 <= hits <= runs:
        raise ValueError(f"{hits} of {runs} is not a count of runs")
    if runs == 0:
        return 0.0, 1.0
    square = float(ndtri((1 + confidence) / 2)) ** 2
    share = hits / runs
    centre = (share + square / (2 * runs)) / (1 + square / runs)
    half = math.sqrt(square) / (1 + square / runs) * math.sqrt(share * (1 - share) / runs + square / (4 * runs * runs))
    return (0.0 if hits == 0 else max(0.0, centre - half)), (1.0 if hits == runs else min(1.0, centre + half))


def student(values: Floats, confidence: float = CONFIDENCE) -> Interval:
    """Student's t interval for the mean behind ``values`` (one a run); unbounded for fewer than two.

    ``values`` [runs]; low and high are in their unit.

    Example
    -------
    >>> [round(edge, 2) for edge in student(np.array([1.0, 2.0, 3.0, 4.0]))]
    [0.45, 4.55]
    """
    runs = len(values)
    if runs < 2:
        return NOTHING
    centre = float(np.mean(values))
    if np.ptp(values) == 0.0:
        return float(values[0]), float(values[0])
    half = float(stdtrit(runs - 1, (1 + confidence) / 2)) * float(np.std(values, ddof=1)) / math.sqrt(runs)
    return centre - half, centre + half


def welch(a: Floats, b: Floats, confidence: float = CONFIDENCE) -> Interval:
    """Welch's t interval for mean(b) - mean(a) of independent runs; unbounded where a side has fewer than two.

    ``a`` [runs of A] and ``b`` [runs of B]; low and high are in their unit.

    Example
    -------
    >>> [round(edge, 2) for edge in welch(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 9.0]))]
    [-5.21, 11.21]
    """
    if len(a) < 2 or len(b) < 2:
        return NOTHING
    parts = [float(np.var(side, ddof=1)) / len(side) for side in (a, b)]
    centre, variance = float(np.mean(b) - np.mean(a)), sum(parts)
    if variance == 0.0:
        return centre, centre
    freedom = variance**2 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, (a, b), strict=True))
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(variance)
    return centre - half, centre + half


def bootstrap(values: Floats, statistic: Callable[[Floats], Floats] | None = None, confidence: float = CONFIDENCE,
              resamples: int = 2000, seed: int = 20_240_101) -> Interval:
    """BCa bootstrap interval for a statistic of ``values`` (the mean unless another is given).

    ``statistic`` maps an array [..., runs] to [...], over its last axis. Unbounded for fewer than two runs; a point
    where all values are equal.

    ``values`` [runs]; low and high are in the unit of the statistic.

    Example
    -------
    >>> low, high = bootstrap(np.arange(40.0), lambda rows: np.median(rows, axis=-1))
    >>> bool(10 < low < 19.5 < high < 29)
    True
    """
    runs = len(values)
    if runs < 2:
        return NOTHING
    measure = statistic or (lambda rows: np.mean(rows, axis=-1))
    seen = float(measure(values))
    if np.ptp(values) == 0.0:
        return seen, seen
    picks = np.random.default_rng(seed).integers(runs, size=(resamples, runs))
    drawn = np.sort(np.asarray(measure(values[picks]), dtype=np.float64))
    below = (np.count_nonzero(drawn < seen) + 0.5 * np.count_nonzero(drawn == seen)) / resamples
    bias = float(ndtri(min(max(below, 0.5 / resamples), 1 - 0.5 / resamples)))
    left_out = np.array([float(measure(np.delete(values, place))) for place in range(runs)])
    shift = left_out.mean() - left_out
    spread = float(np.sum(shift**2)) ** 1.5
    skew = float(np.sum(shift**3)) / (6 * spread) if spread > 0 else 0.0
    edges = []
    for tail in ((1 - confidence) / 2, (1 + confidence) / 2):
        place = bias + float(ndtri(tail))
        edges.append(float(ndtr(bias + place / (1 - skew * place))))
    low, high = np.quantile(drawn, edges)
    return float(low), float(high)


def paired_shares(a: Floats, b: Floats, confidence: float = CONFIDENCE) -> Interval:
    """Bonett and Price's interval for mean(b) - mean(a) where both are 0 or 1 in each of the same runs.

    It stays honest where Student's would shrink to a point because every pair agrees.

    ``a`` [runs] and ``b`` [runs] in the same order; low and high are differences of shares.

    Example
    -------
    >>> [round(edge, 3) for edge in paired_shares(np.zeros(20), np.zeros(20))]
    [-0.126, 0.126]
    """
    if len(a) < 2:
        return NOTHING
    runs = len(a) + 2
    up, down = (int(np.count_nonzero(b > a)) + 1) / runs, (int(np.count_nonzero(b < a)) + 1) / runs
    half = float(ndtri((1 + confidence) / 2)) * math.sqrt((up + down - (up - down) ** 2) / runs)
    return max(-1.0, up - down - half), min(1.0, up - down + half)


def unpaired_shares(a: Floats, b: Floats, confidence: float = CONFIDENCE) -> Interval:
    """Newcombe's hybrid of two Wilson intervals for mean(b) - mean(a) where both are 0 or 1 in independent runs.

    ``a`` [runs of A] and ``b`` [runs of B]; low and high are differences of shares.

    Example
    -------
    >>> [round(edge, 3) for edge in unpaired_shares(np.zeros(20), np.zeros(20))]
    [-0.161, 0.161]
    """
    if len(a) < 2 or len(b) < 2:
        return NOTHING
    low_a, high_a = wilson(int(a.sum()), len(a), confidence)
    low_b, high_b = wilson(int(b.sum()), len(b), confidence)
    p, q = float(a.mean()), float(b.mean())
    return q - p - math.hypot(q - low_b, high_a - p), q - p + math.hypot(high_b - q, p - low_a)


def is_indicator(values: Floats, name: str = "") -> bool:
    """Whether ``values`` are those of a yes or no: 0 and 1 alone, with at least one 1.

    Noughts alone may be an amount; they are a yes or no where the figure's ``name`` says so, as any_default does.

    ``values`` [runs], any unit.

    Example
    -------
    >>> is_indicator(np.array([0.0, 1.0, 0.0])), is_indicator(np.zeros(3))
    (True, False)
    """
    named = name.rpartition(".")[2].startswith("any_")
    return bool(len(values) and np.isin(values, (0.0, 1.0)).all() and (named or (values == 1.0).any()))


def interval(values: Floats, confidence: float = CONFIDENCE, name: str = "") -> Interval:
    """The interval for the mean of ``values``: Wilson's where they are 0 and 1, Student's otherwise.

    ``name`` is the figure's, as in :func:`is_indicator`.

    Example
    -------
    >>> interval(np.array([0.0, 1.0, 1.0, 0.0])) == wilson(2, 4)
    True
    """
    if is_indicator(values, name):
        return wilson(int(values.sum()), len(values), confidence)
    return student(values, confidence)
