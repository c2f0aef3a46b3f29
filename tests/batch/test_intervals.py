"""Coverage of the intervals, and published values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.batch.intervals import mean, student, wilson
from sim.scenario.expectations import WILSON_Z


def coverage(share: float, runs: int) -> float:
    """Exact probability that the Wilson interval holds ``share``, by summing the binomial distribution."""
    inside = 0.0
    for hits in range(runs + 1):
        low, high = wilson(hits, runs)
        if low <= share <= high:
            inside += math.comb(runs, hits) * share**hits * (1 - share) ** (runs - hits)
    return inside


@pytest.mark.parametrize("runs", [20, 50, 200])
def test_wilson_covers_near_its_nominal_level(runs: int) -> None:
    shares = np.linspace(0.02, 0.98, 97)
    covered = [coverage(float(share), runs) for share in shares]
    assert 0.945 < float(np.mean(covered)) < 0.965  # the mean over shares is the level at which Wilson is judged
    assert min(covered) > 0.85  # single shares dip, most near 0 and 1 (Brown, Cai and DasGupta 2001)


@pytest.mark.parametrize(("hits", "runs", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
])
def test_wilson_gives_the_published_intervals(hits: int, runs: int, low: float, high: float) -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
    assert wilson(hits, runs) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilson_is_the_set_of_shares_that_a_score_test_accepts(hits: int, runs: int) -> None:
    hits = min(hits, runs)
    low, high = wilson(hits, runs)
    assert 0.0 <= low <= hits / runs <= high <= 1.0
    for bound in (low, high):
        if 0.0 < bound < 1.0:
            score = (hits / runs - bound) / math.sqrt(bound * (1 - bound) / runs)
            assert abs(score) == pytest.approx(WILSON_Z, rel=1e-6)


def test_wilson_of_nothing_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="not a count"):
        wilson(3, 2)


@pytest.mark.parametrize("runs", [2, 5, 20])
def test_student_covers_its_nominal_level(runs: int) -> None:
    rng = np.random.default_rng(11)
    trials = 3000
    inside = 0
    for sample in rng.normal(3.0, 2.0, size=(trials, runs)).tolist():
        low, high = student(sample)
        inside += low <= 3.0 <= high
    # Standard error of the coverage is 0.004.
    assert abs(inside / trials - 0.95) < 0.016


def test_student_gives_the_tabulated_quantile() -> None:
    figures = [1.0, 2.0, 3.0, 4.0, 5.0]
    half = 2.7764451 * math.sqrt(2.5 / 5)  # t(0.975; 4 degrees of freedom)
    assert student(figures) == (pytest.approx(3 - half), pytest.approx(3 + half))


def test_intervals_of_few_and_of_equal_figures() -> None:
    assert student([4.0]) == (-math.inf, math.inf)
    assert student([0.1] * 7) == (0.1, 0.1)
    assert mean([0.1] * 7) == 0.1
    assert math.isnan(mean([]))
