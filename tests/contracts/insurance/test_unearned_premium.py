"""Unearned premium: a thirtieth a day to the unit, late and early starts, cancellation, split of what is earned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.insurance.premium import PremiumShares, UnearnedPremium, earned_part, monthly_premium


def array(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_a_month_is_earned_by_thirtieths_and_whole() -> None:
    schedule = UnearnedPremium()
    schedule.write(array(100), array(0), array(30))
    earned = [schedule.accrue(day) for day in range(31)]
    assert earned == [100 * (k + 1) // 30 - 100 * k // 30 for k in range(30)] + [0]
    assert schedule.total == 0


def test_days_of_grace_are_earned_at_once() -> None:
    schedule = UnearnedPremium(next_day=20)
    schedule.write(array(300), array(13), array(30))
    assert schedule.accrue(20) == 80  # seven days that have passed, and today
    assert schedule.total == 220


def test_a_month_that_starts_later_waits() -> None:
    schedule = UnearnedPremium(next_day=3)
    schedule.write(array(300), array(10), array(30))
    assert [schedule.accrue(day) for day in (9, 10)] == [0, 10]


def test_skipped_days_are_not_lost_and_none_is_earned_twice() -> None:
    schedule = UnearnedPremium()
    schedule.write(array(300), array(0), array(30))
    assert schedule.accrue(9) == 100
    assert schedule.accrue(9) == 0
    assert schedule.accrue(500) == 200


def test_too_far_ahead_is_refused() -> None:
    with pytest.raises(ValueError, match="too far ahead"):
        UnearnedPremium().write(array(1), array(40), array(30))


policies = st.lists(st.tuples(st.integers(0, 10**13), st.integers(-40, 20), st.integers(1, 40)), min_size=1, max_size=8)


@given(policies, st.integers(0, 45), st.data())
def test_any_policy_can_be_cancelled_to_the_unit(
    rows: list[tuple[int, int, int]], wait: int, data: st.DataObject
) -> None:
    premiums, starts, days = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    schedule, without = UnearnedPremium(), UnearnedPremium()
    schedule.write(premiums, starts, days)
    gone = data.draw(st.integers(0, len(rows) - 1))
    kept = np.arange(len(rows)) != gone
    without.write(premiums[kept], starts[kept], days[kept])
    assert schedule.total == int(premiums.sum())
    earned = schedule.accrue(wait - 1) if wait else 0
    before = schedule.total
    assert earned + before == int(premiums.sum())
    refund = schedule.cancel(premiums[[gone]], starts[[gone]], days[[gone]])
    elapsed = min(max(wait - int(starts[gone]), 0), int(days[gone]))
    assert int(refund[0]) == rows[gone][0] - rows[gone][0] * elapsed // rows[gone][2]
    if wait:
        without.accrue(wait - 1)
        assert schedule.total == before - int(refund[0])
    assert (schedule.ahead() >= 0).all()
    if wait > 0:
        assert (schedule.ahead()[:50] == without.ahead()[:50]).all(), "the others' schedules are untouched"


@given(st.lists(st.integers(0, 10**15), max_size=6), st.integers(1, 60))
def test_earned_parts_are_floors_and_end_at_the_premium(premiums: list[int], days: int) -> None:
    amounts, terms = np.array(premiums, dtype=np.int64), np.full(len(premiums), days, dtype=np.int64)
    for k in range(days + 1):
        earned = earned_part(amounts, np.full(len(premiums), k, dtype=np.int64), terms)
        assert earned.tolist() == [p * k // days for p in premiums]


def test_shares_sum_to_what_is_earned_and_claims_get_the_rest() -> None:
    shares = PremiumShares.of(0.85, 0.07, 0.02, 0.02, 0.04)
    assert shares.split(10_000) == (8500, 700, 200, 200, 400)
    assert shares.split(99) == (99 - 6 - 1 - 1 - 3, 6, 1, 1, 3)
    assert shares.claims == pytest.approx(0.85)
    with pytest.raises(ValueError, match="sum to 1"):
        PremiumShares.of(0.85, 0.07, 0.02, 0.02, 0.05)


def test_a_year_of_months_costs_a_year() -> None:
    assert monthly_premium(array(365_000)).tolist() == [30_000]
