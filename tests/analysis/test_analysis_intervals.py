"""Intervals: values that others publish, agreement with the batch's own, and the coverage they promise."""

from __future__ import annotations

import doctest
import importlib
import math

import numpy as np
import pytest
from scipy import stats

from analysis.intervals import (
    Floats,
    bootstrap,
    interval,
    is_indicator,
    paired_shares,
    student,
    unpaired_shares,
    welch,
    wilson,
)
from sim.batch import intervals as batch

TRIALS = 2000


def coverage(hits: list[bool]) -> tuple[float, float]:
    """Share of intervals that hold the truth, and three standard errors of a share of 0.95."""
    return float(np.mean(hits)), 3 * math.sqrt(0.95 * 0.05 / len(hits))


@pytest.mark.parametrize(("hits", "runs"), [(0, 20), (1, 20), (7, 20), (20, 20), (0, 0), (120, 2000)])
def test_wilson_agrees_with_scipy_and_with_the_batch(hits: int, runs: int) -> None:
    assert wilson(hits, runs) == pytest.approx(batch.wilson(hits, runs), abs=1e-12)
    if runs:
        found = stats.binomtest(hits, runs).proportion_ci(method="wilson")
        assert wilson(hits, runs) == pytest.approx((found.low, found.high), abs=1e-12)


def test_student_and_welch_agree_with_scipy_and_with_the_batch() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.lognormal(size=17), rng.lognormal(1.0, 2.0, size=23)
    assert student(a) == pytest.approx(batch.student(list(a)))
    found = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert welch(a, b) == pytest.approx((found.low, found.high))


def test_bootstrap_agrees_with_scipy() -> None:
    values = np.random.default_rng(4).lognormal(size=60)
    found = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=20_000, rng=1).confidence_interval
    assert bootstrap(values, resamples=20_000) == pytest.approx((found.low, found.high), rel=0.03)


def test_wilson_covers_as_often_as_it_says_on_average_over_shares() -> None:
    """Counted exactly. At a single share it swings about its level in steps (Brown, Cai and DasGupta 2001)."""
    runs = 200
    edges = np.array([wilson(hits, runs) for hits in range(runs + 1)])
    shares = np.linspace(0.005, 0.995, 397)
    covered = np.array([stats.binom.pmf(np.arange(runs + 1), runs, share)[
        (edges[:, 0] <= share) & (share <= edges[:, 1])].sum() for share in shares])
    assert covered.mean() == pytest.approx(0.95, abs=0.005)
    assert covered.min() > 0.89


def test_bootstrap_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    inside = [low <= 1.0 <= high for low, high in
              (bootstrap(rng.gamma(4.0, 0.25, size=80), resamples=600) for _ in range(1000))]
    rate, slack = coverage(inside)
    assert 0.95 - slack - 0.012 < rate < 0.95 + slack


def test_paired_shares_cover_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    inside = []
    for _ in range(TRIALS):
        ill = rng.random(60)
        a, b = (ill < 0.2).astype(float), ((ill + 0.1 * rng.random(60)) < 0.4).astype(float)
        low, high = paired_shares(a, b)
        inside.append(low <= 0.15 <= high)
    rate, slack = coverage(inside)
    assert 0.95 - slack - 0.01 < rate < 0.95 + slack + 0.02


@pytest.mark.parametrize("function", [student, bootstrap])
def test_too_few_runs_say_nothing_and_equal_runs_say_all(function: object) -> None:
    assert callable(function)
    assert function(np.array([3.0])) == (-math.inf, math.inf)
    assert function(np.full(5, 0.1)) == (0.1, 0.1)


def test_the_interval_goes_by_what_the_figure_is() -> None:
    yes: Floats = np.array([1.0, 0.0, 1.0])
    assert is_indicator(yes)
    assert interval(yes) == wilson(2, 3)
    assert not is_indicator(np.array([0.0, 0.5]))
    assert interval(np.array([0.0, 0.5])) == student(np.array([0.0, 0.5]))
    assert welch(np.array([1.0]), yes) == paired_shares(np.array([1.0]), np.array([0.0])) == (-math.inf, math.inf)


def test_unpaired_shares_agree_with_the_published_example() -> None:
    """Newcombe (1998), table II: 56 of 70 against 48 of 80 gives 0.0524 to 0.3339 by method 10."""
    of_80, of_70 = np.repeat([1.0, 0.0], [48, 32]), np.repeat([1.0, 0.0], [56, 14])
    assert unpaired_shares(of_80, of_70) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize("name", ["intervals", "compare", "glossary", "plots.compare", "plots.sensitivity"])
def test_examples_run(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"analysis.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
