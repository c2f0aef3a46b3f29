"""Conviction: the closed form, its days, its order, and what a threshold is for."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.governance.conviction import SCALE, Conviction, conviction_after, conviction_threshold
from sim.contracts.research.award import ConvictionAward

TERMS = Conviction(900_000, 200_000, 2_000, 200_000)
stakes = st.integers(0, 10**14)


@given(stakes, st.integers(0, 60), st.integers(100_000, 999_000))
def test_days_one_by_one_are_the_closed_form_less_a_unit_each(stake, days, decay):
    terms, alpha, conviction = Conviction(decay, 200_000, 2_000, 0), Fraction(decay, SCALE), 0
    for _ in range(days):
        conviction = terms.next(conviction, stake)
    exact = conviction_after(Fraction(0), Fraction(stake), days, alpha)
    assert exact - Fraction(1) / (1 - alpha) <= conviction <= exact


@given(stakes, stakes, stakes, stakes)
def test_conviction_grows_with_stake_and_with_what_was_there(first, more, start, extra):
    assert TERMS.next(start, first) <= TERMS.next(start, first + more)
    assert TERMS.next(start, first) <= TERMS.next(start + extra, first)


@given(st.lists(stakes, min_size=1, max_size=20))
def test_conviction_never_exceeds_what_the_largest_stake_reaches_in_the_end(path):
    conviction = 0
    for stake in path:
        conviction = TERMS.next(conviction, stake)
    assert conviction * 100_000 <= max(path) * SCALE


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 10**9))
def test_a_larger_request_never_needs_less(small, more, funds):
    first = TERMS.threshold(small, funds, 0, 10**12)
    second = TERMS.threshold(small + more, funds, 0, 10**12)
    if first is None:
        assert second is None
    assert second is None or (first is not None and first <= second)


def test_nothing_carries_the_share_beta_nor_a_request_from_nothing():
    assert TERMS.threshold(200, 1000, 10, 100) is None
    assert TERMS.threshold(199, 1000, 10, 100) is not None
    assert TERMS.threshold(1, 0, 10, 100) is None
    share = beta = Fraction(1, 5)
    assert conviction_threshold(share, Fraction(100), Fraction(9, 10), beta, Fraction(1, 500)) is None


def test_the_threshold_is_rounded_up():
    # 0.002 x 9001 / (0.1 x (2/15)^2) = 10126.125
    assert TERMS.threshold(1000, 15_000, 9001, 45_000) == 10127


@pytest.mark.parametrize(("days_ago", "carried"), [(0, False), (2, False), (30, True)])
def test_an_award_needs_support_that_has_lasted(days_ago, carried):
    award = ConvictionAward(TERMS, lambda: 0, lambda: 1000, lambda: 40)
    # 3,000 of 15,000 staked votes behind a tenth of the funds need conviction 30,000, all but what 30 days give
    stakes = [(40 - days_ago, 15_000 * 10_000 // 5)]
    assert award.convinced(1000, stakes, 15_000 * 10_000, 10_000) is False
    assert award.convinced(100, stakes, 15_000 * 10_000, 10_000) is carried
    assert award.convinced(100, stakes, 15_000 * 10_000, 0) is False
