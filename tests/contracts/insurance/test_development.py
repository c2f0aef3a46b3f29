"""Chain ladder and Bornhuetter-Ferguson on a pool's triangle, against worked figures and known lags."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.insurance.development import (
    Development,
    Reserving,
    cumulated,
    known_shares,
    lag_within_month,
    link_ratios,
    prior_pattern,
    unreported_of_lag,
)
from sim.contracts.insurance.reserves import Reserves

METHODS: tuple[Reserving, ...] = ("chain_ladder", "bornhuetter_ferguson")


def test_link_ratios_of_a_worked_triangle() -> None:
    """Volume-weighted, by hand: (150 + 165) / (100 + 110) and 180 / 150."""
    cumulative = np.array([[100.0, 150.0, 180.0], [110.0, 165.0, 165.0], [120.0, 120.0, 120.0]])
    assert link_ratios(cumulative, np.ones(3), 0.0).tolist() == [pytest.approx(1.5), pytest.approx(1.2)]
    shares = known_shares(cumulative, np.zeros(3), 0.0)
    assert shares == pytest.approx([1 / 1.8, 1 / 1.2, 1.0])


def test_without_claims_the_prior_pattern_stands() -> None:
    prior = prior_pattern(6.0, 4)
    assert known_shares(np.zeros((4, 4)), prior, 50.0) == pytest.approx(1.0 - prior)


@given(st.floats(0.0, 20.0))
def test_the_lag_within_a_month_is_found_back(lag: float) -> None:
    keep = lag / (1.0 + lag)
    assert lag_within_month(unreported_of_lag(keep, 30)) == pytest.approx(keep, abs=1e-6)


def run(method: Reserving, lag: int, days: int, daily: int = 1000, level: float = 1.0) -> tuple[Reserves, int]:
    """Even losses, each reported exactly ``lag`` days later; returns the reserves and what is truly unreported.
    ``level`` is true over expected losses."""
    reserves = Reserves(float(lag), 10.0, method)
    for day in range(days):
        if day >= lag:
            amount = np.array([round(daily * level)], dtype=np.int64)
            reserves.report(day, amount, np.array([day - lag], dtype=np.int64))
            reserves.release(day, amount, np.array([day - lag], dtype=np.int64))
            reserves.triangle.add_incurred(day, amount, np.array([day - lag], dtype=np.int64))
        reserves.expect(daily, day)
    return reserves, round(daily * level) * min(lag, days)


@pytest.mark.parametrize("method", METHODS)
def test_even_losses_are_reserved_at_rate_times_lag(method: Reserving) -> None:
    for day in (360, 540):
        reserves, truth = run(method, 5, day)
        assert reserves.ibnr == pytest.approx(truth, rel=0.1)


def test_chain_ladder_follows_experience_and_bornhuetter_ferguson_the_plan() -> None:
    """Losses twice as high as expected: the ladder doubles, the other stays with expected losses."""
    ladder, truth = run("chain_ladder", 5, 360, level=2.0)
    plan, _ = run("bornhuetter_ferguson", 5, 360, level=2.0)
    assert ladder.ibnr == pytest.approx(truth, rel=0.1)
    assert plan.ibnr == pytest.approx(truth / 2, rel=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_the_run_off_of_even_losses_is_as_expected(method: Reserving) -> None:
    development = run(method, 8, 400)[0].development
    assert development is not None
    assert development.actual_emergence == pytest.approx(8 * 1000, rel=1e-9)
    assert development.expected_emergence == pytest.approx(development.actual_emergence, rel=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_restored_goes_on_in_the_same_way(method: Reserving) -> None:
    twin, _ = run(method, 3, 100)
    reserves, _ = run(method, 3, 100)
    kept = reserves.state()
    for day in range(100, 140):
        reserves.expect(5000, day)
    assert reserves.ibnr != twin.ibnr
    reserves.restore(kept)
    for day in range(100, 140):
        reserves.expect(1000, day)
        twin.expect(1000, day)
        assert reserves.ibnr == twin.ibnr


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60), st.integers(1, 10**12)), max_size=60),
       st.sampled_from(METHODS))
def test_no_triangle_makes_a_negative_or_infinite_reserve(
    reports: list[tuple[int, int, int]], method: Reserving
) -> None:
    development = Development(method, 2.0, 20.0)
    reserves = Reserves(2.0, 20.0, method)
    for day in range(0, 450, 7):
        for at, lag, amount in reports:
            if day <= at < day + 7:
                reserves.report(day, np.array([amount]), np.array([max(day - lag, 0)]))
        reserves.expect(10**6, day)
        assert reserves.ibnr >= 0
    assert np.isfinite(development.unreported)
    assert cumulated(reserves.triangle.incurred)[:, -1].sum() == reserves.triangle.incurred.sum()
