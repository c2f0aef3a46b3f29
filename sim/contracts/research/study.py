"""What a study can find: power of a two-sample test and what records are worth to it.

Pure functions. A study compares the means of two arms of n records each whose difference, where there is one, is
``effect`` standard deviations. Normal approximation of the two-sided test at level alpha (Cohen 1988, chapter 2):

    power = Phi(d sqrt(n / 2) - z) + Phi(-d sqrt(n / 2) - z),    z = Phi^-1(1 - alpha / 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, erfc, sqrt
from statistics import NormalDist

_NORMAL = NormalDist()
_ROOT_HALF = sqrt(0.5)
GRID_POINTS = 16
"""How many lot sizes a buyer compares."""


@lru_cache(maxsize=16)
def _critical(significance: float) -> float:
    return _NORMAL.inv_cdf(1.0 - significance / 2.0)


def _phi(x: float) -> float:
    return 0.5 * erfc(-x * _ROOT_HALF)


def two_sample_power(per_arm: float, effect: float, significance: float) -> float:
    """Power of the test with ``per_arm`` records in each arm; the level itself where there are none."""
    critical = _critical(significance)
    shift = effect * sqrt(max(per_arm, 0.0) / 2.0)
    return _phi(shift - critical) + _phi(-shift - critical)


def records_needed(power: float, effect: float, significance: float) -> int:
    """Records in both arms together that reach ``power``: twice n = ceil(2 (z_alpha/2 + z_power)^2 / d^2).

    The textbook formula, which leaves out the chance of a significant result in the wrong direction.
    """
    critical = _critical(significance)
    per_arm = 2.0 * (critical + _NORMAL.inv_cdf(power)) ** 2 / effect**2
    return 2 * max(ceil(per_arm), 1)


def value_of_records(held: int, more: int, value: float, prior: float, effect: float, significance: float) -> float:
    """Expected gain of ``more`` records beside those ``held``, in units of ``value``.

    V pi (power(n + dn) - power(n)), with the records split evenly over both arms.
    """
    before = two_sample_power(held / 2.0, effect, significance)
    return value * prior * (two_sample_power((held + more) / 2.0, effect, significance) - before)


def best_lot(held: int, wanted: int, costs: Sequence[float], value: float, prior: float, effect: float,
             significance: float) -> int:
    """How many records to buy: the lot with the greatest gain less cost; 0 where none pays.

    ``costs[k - 1]`` is the cost of the cheapest k records. Power is convex in n at first, so the first record may not
    pay for itself where a whole sample does: lots of all sizes are compared (on a grid), not just one more record.
    """
    largest = min(max(wanted - held, 0), len(costs))
    best, best_gain = 0, 0.0
    before = two_sample_power(held / 2.0, effect, significance)
    for lot in sorted({-(-largest * point // GRID_POINTS) for point in range(1, GRID_POINTS + 1)} - {0}):
        power = two_sample_power((held + lot) / 2.0, effect, significance)
        gain = value * prior * (power - before) - float(costs[lot - 1])
        if gain > best_gain:
            best, best_gain = lot, gain
    return best
