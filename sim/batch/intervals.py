"""Confidence intervals for a share and for a mean.

Wilson (1927) for a share: solves (p - k/n)^2 = z^2 p (1 - p) / n for p, so it behaves near 0 and 1 where most of our
shares lie. Student's t for a mean of independent figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.scenario.expectations import CONFIDENCE, WILSON_Z


def wilson(hits: int, runs: int) -> tuple[float, float]:
    """95 % interval for a share of which ``hits`` of ``runs`` were seen; (0, 1) where there were no runs."""
    if not 0 <= hits <= runs:
        raise ValueError(f"{hits} of {runs} is not a count of runs")
    if runs == 0:
        return 0.0, 1.0
    square = WILSON_Z**2
    share = hits / runs
    centre = (share + square / (2 * runs)) / (1 + square / runs)
    half = WILSON_Z / (1 + square / runs) * math.sqrt(share * (1 - share) / runs + square / (4 * runs * runs))
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == runs else min(1.0, centre + half)
    return low, high


def mean(figures: Sequence[float]) -> float:
    """The mean, exact where all figures are equal; NaN of nothing."""
    if not figures:
        return math.nan
    first = figures[0]
    return first if all(figure == first for figure in figures) else math.fsum(figures) / len(figures)


def student(figures: Sequence[float]) -> tuple[float, float]:
    """95 % interval for the mean of the population that ``figures`` are drawn from; infinite for fewer than two."""
    runs = len(figures)
    if runs < 2:
        return -math.inf, math.inf
    centre = mean(figures)
    variance = math.fsum((figure - centre) ** 2 for figure in figures) / (runs - 1)
    if variance == 0.0:
        return centre, centre
    from scipy.special import stdtrit  # a tenth of the import time of scipy.stats

    half = float(stdtrit(runs - 1, (1 + CONFIDENCE) / 2)) * math.sqrt(variance / runs)
    return centre - half, centre + half
