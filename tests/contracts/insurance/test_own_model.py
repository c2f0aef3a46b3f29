"""The internal model: pooling, the common factor, experience, caps; and what perils add to any regime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contracts.insurance.capital import REGIMES, Book, CapitalParameters, NexusCover, WithPerils, regime
from sim.contracts.insurance.own_model import OwnModel, condensed, lognormal_factor, product_factor
from sim.kernel.fixedpoint import MICRO

MODEL = OwnModel(3.93846, 0.1333, 0.05)
RULES = {name: regime(name, CapitalParameters()) for name in REGIMES}


def book(members: int, each: int = 5_000, limit: int = 1_000_000) -> Book:
    return Book(members, members * each * MICRO * 20 // 17, members * each * MICRO, 0, members * limit * MICRO)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(REGIMES)), st.integers(1, 30_000), st.integers(1, 3_000))
def test_requirements_are_not_negative_and_rise_with_members(name: str, members: int, more: int) -> None:
    rule = RULES[name]
    low, high = rule.desired(book(members)), rule.desired(book(members + more))
    assert 0 <= low <= high


def test_the_exact_quantile_lies_above_the_lognormals() -> None:
    """1,000 members without a common factor: 0.4565 above the mean; with one of 5 % the floor is 0.1359."""
    assert OwnModel(3.93846, 0.1333, 0.0).multiple(1000, 1e9) == pytest.approx(0.4565, abs=1e-3)
    multiples = [MODEL.multiple(n, 1e9) for n in (100, 1_000, 10_000, 100_000, 10_000_000)]
    assert multiples == sorted(multiples, reverse=True)
    assert multiples[-1] == pytest.approx(0.135942, rel=5e-3)


def test_a_lower_limit_needs_less() -> None:
    assert MODEL.multiple(500, 4.0) < MODEL.multiple(500, 40.0) < MODEL.multiple(500, 400.0)
    assert MODEL.member(4.0).mean == pytest.approx(1.0, rel=1e-9)
    assert float(MODEL.member(4.0).cdf(np.array([4.0]))[0]) == 1.0


def test_a_tail_mean_lies_above_its_quantile() -> None:
    tail = OwnModel(3.93846, 0.1333, 0.05, 0.995, "tvar")
    assert tail.multiple(500, 100.0) > MODEL.multiple(500, 100.0)


def test_experience_counts_by_credibility() -> None:
    model = OwnModel(3.93846, 0.1333, 0.0, credibility_k=1000.0)
    before = model.multiple(200, 1e6)
    model.learn(np.ones(1000))
    assert model.credibility == 0.5
    half = model.multiple(200, 1e6)
    model.learn(np.full(9_000, 3.0))
    assert model.multiple(200, 1e6) < half < before
    model.learn(np.zeros(50))
    assert model.member_years == 10_000


def test_a_lump_sum_is_all_or_nothing() -> None:
    model = OwnModel(3.93846, 0.1333, 0.0, lump_sum=True)
    law = model.member(12.5)
    assert law.mean == pytest.approx(1.0)
    assert law.second_moment == pytest.approx(12.5)
    assert model.multiple(1000, 12.5) == pytest.approx(0.286, abs=0.02)  # binomial(1000, 0.08): 103 of 80


def test_a_certain_cost_needs_what_the_common_factor_does() -> None:
    assert OwnModel(3.93846, 0.1333, 0.0).multiple(100, 1.0) == pytest.approx(0.0, abs=0.02)


def test_factors_have_mean_one_and_keep_their_law_when_condensed() -> None:
    factors, weights = lognormal_factor(0.2)
    assert float(factors @ weights) == pytest.approx(1.0, abs=1e-12)
    assert float(weights @ factors**2) == pytest.approx(1.04, rel=1e-4)
    joint, mass = product_factor((factors, weights), (np.array([1.0, 2.0]), np.array([0.9, 0.1])))
    assert joint.size <= 240
    assert float(joint @ mass) == pytest.approx(1.0, abs=1e-12)
    assert float(mass @ joint**2) == pytest.approx(1.04 * 1.3 / 1.21, rel=1e-3)


@given(st.lists(st.tuples(st.floats(0.0, 1e6), st.floats(1e-6, 1.0)), min_size=1, max_size=400))
def test_condensing_keeps_mass_and_mean(rows: list[tuple[float, float]]) -> None:
    values, weights = (np.array(column) for column in zip(*rows, strict=True))
    few, mass = condensed(values, weights)
    assert few.size <= 240
    assert mass.sum() == pytest.approx(1.0)
    assert float(few @ mass) == pytest.approx(float(values @ weights / weights.sum()), rel=1e-9, abs=1e-9)


def test_perils_that_are_believed_in_cost_capital() -> None:
    plain, wary = (regime("own_model", CapitalParameters()) for _ in range(2))
    wary.model.assume(np.array([1.0, 1.5]), np.array([0.95, 0.05]))  # type: ignore[attr-defined]
    assert wary.desired(book(2000)) > plain.desired(book(2000))
    added = WithPerils(regime("fixed_ratio", CapitalParameters()), 0.2)
    assert added.desired(book(100)) == RULES["fixed_ratio"].desired(book(100)) + book(100).expected_claims // 5
    assert added.required(book(100), 3) == added.desired(book(100))
    assert added.minimum_share == 0.45


def test_reserve_risk_is_half_correlated_and_a_pandemic_adds() -> None:
    whole = Book(1000, 40_000_000, 0, 5_000_000, 0)
    parted = regime("standard_formula", CapitalParameters(sigma=0.05, reserve_sigma=0.1))
    premium, reserve = 3.0 * 0.05 * 40e6, 3.0 * 0.1 * 5e6
    assert parted.desired(whole) == pytest.approx((premium**2 + premium * reserve + reserve**2) ** 0.5, abs=1.0)
    ill = regime("standard_formula", CapitalParameters(sigma=0.05, pandemic_cost=10_000))
    base, pandemic = 3.0 * 0.05 * 45e6, 0.4 * 1000 * 10_000
    assert ill.desired(whole) == pytest.approx((base**2 + 0.5 * base * pandemic + pandemic**2) ** 0.5, abs=1.0)


def test_nexus_moves_faster_when_it_is_updated_more_often() -> None:
    """At 1 % an update and 5 % a day, five updates a day make 1.01^5; twenty-four are floored to 20 points each."""
    for updates, expected in ((1, 101_000), (5, 105_100), (24, 104_908)):
        rule = NexusCover(CapitalParameters(updates_per_day=updates))
        rule.required(Book(1, 0, 0, 0, 480_000), 0)
        assert rule.required(Book(2, 0, 0, 0, 960_000), 1) == pytest.approx(expected, abs=25)
