"""Insurers: the rate formula, credibility, filings within limits, writing, dividends, run-off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.agents.plan_rating import trended
from sim.agents.rate_making import cost_quantiles, credibility, limited_change, pool_share, rate
from sim.contracts.insurance.policy import Terms, lump_sum
from sim.contracts.insurance.pool_state import PoolState
from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.load import load_scenario

SCENARIO = """
name: insurers_alone
question: Do insurers price and manage capital by their rules?
stage: 3
horizon_days: 800
population: {patients: 3000}
economy: {}
reference_price: {}
insurance: {pools: 2}
insurers: {}
liquidity_providers: {providers: 20, exit_base: 0.0, entry_speed: 0.0}
"""


def build(folder: Path, text: str = SCENARIO) -> Any:
    file = folder / "insurers_alone.yaml"
    file.write_text(text, encoding="utf-8")
    return HealthMarket(load_scenario(file), 3)


@pytest.fixture
def market(tmp_path: Path) -> Any:
    """Two insurers, with the insurable shared between them and a month paid."""
    made = build(tmp_path)
    insurance, people = made.mechanism("insurance"), made.people
    made.step()
    slots = np.flatnonzero(~people["public_cover"])
    assert insurance.enrol(slots, np.arange(slots.size) % 2, 0).mean() > 0.8
    return made


def pass_days(market: Any, days: int) -> None:
    """Days in which everybody insured pays what is due, out of the employers' pocket."""
    insurance, people = market.mechanism("insurance"), market.people
    for _ in range(days):
        market.step()
        due = np.flatnonzero((people["pool"] >= 0) & (people["paid_to"] <= market.day))
        monthly = people["monthly_due"][due]
        market.ledger.mint(market.usd, market.ledger.account("firms"), int(monthly.sum()), "endowment_of_the_test")
        firms = np.full(due.size, market.ledger.account("firms"))
        insurance.pay_premiums(due, np.zeros_like(monthly), firms, monthly, np.full(due.size, 30))


def test_credibility_is_half_at_k() -> None:
    assert credibility(1551.147, 3.93846, 0.1) == pytest.approx(0.5, abs=1e-3)
    assert credibility(0.0, 4.0, 0.1) == 0.0


def test_the_rate_solves_its_equation() -> None:
    """P = (L + e P) / (1 - m) + c K(P)."""
    premium = rate(4000.0, 0.08, 0.03, 0.10, lambda p: 0.4 * p)
    assert premium == pytest.approx((4000.0 + 0.08 * premium) / 0.97 + 0.10 * 0.4 * premium, rel=1e-9)
    assert 4000.0 / premium == pytest.approx(0.851, abs=1e-3), "loading of 15 % of premium"


def test_a_book_too_small_to_carry_its_capital_has_a_price_all_the_same() -> None:
    assert rate(100.0, 0.08, 0.03, 0.10, lambda p: 20.0 * p) == pytest.approx(300.0)


def test_changes_are_limited() -> None:
    assert limited_change(150.0, 100.0, 0.2) == 120.0
    assert limited_change(50.0, 100.0, 0.2) == 80.0
    assert limited_change(110.0, 100.0, 0.2) == 110.0


def test_manual_costs_have_the_published_mean_median_and_zero_share() -> None:
    relative = cost_quantiles(6063.13, 1316.44, 0.1333)
    assert relative.mean() == pytest.approx(1.0)
    assert np.median(relative) * 6063.13 == pytest.approx(1316.44, rel=0.05)
    assert (relative == 0.0).mean() == pytest.approx(0.1333, abs=0.003)


def test_actuarial_value_by_hand() -> None:
    """Two equally likely costs, 0 and 2 means: of a mean of 5,000 the plan pays 10,000 - 2,000 every other year."""
    plan = Terms("indemnity", 250 * MICRO, 2000, 2000 * MICRO, 10**12)
    assert pool_share(plan, np.array([5000.0]), np.array([0.0, 2.0]), 0.0)[0] == pytest.approx(0.8)
    assert pool_share(plan, np.array([100.0]), np.array([1.0]), 0.0)[0] == 0.0
    benefit = lump_sum(1000 * MICRO, 1000 * MICRO, 0, 1)
    assert pool_share(benefit, np.array([5000.0]), np.array([1.0]), 0.5)[0] == pytest.approx(0.1)


def test_the_default_plan_pays_about_seven_eighths_of_reference_spending() -> None:
    plan = Terms("indemnity", 250 * MICRO, 2000, 2000 * MICRO, 10**12)
    share = float(pool_share(plan, np.array([6063.13]), cost_quantiles(6063.13, 1316.44, 0.1333), 0.0)[0])
    assert 0.85 <= share <= 0.88


def test_pools_open_at_the_target_ratio(market: Any) -> None:
    insurers = market.mechanism("insurers")
    for index, pool in enumerate(market.mechanism("insurance").pools):
        required = insurers.opening_requirement(index)
        assert pool.capital == pytest.approx(1.5 * required, rel=1e-6)
        assert pool.junior_value() == pytest.approx(0.2 * 1.5 * required, rel=1e-6)
        assert pool.scr_ratio() == pytest.approx(1.5, abs=0.25)


def test_a_filing_weighs_own_experience_and_keeps_its_limits(market: Any) -> None:
    insurance, insurers = market.mechanism("insurance"), market.mechanism("insurers")
    first = insurance.membership.base_rates.copy()
    pass_days(market, 200)
    for index, pool in enumerate(insurance.pools):
        worth = pool.totals.earned * (2 if index else 0) // 5  # pool 0 has no claims, pool 1 a loss ratio of 0.4
        ids = np.array([index], dtype=np.int64)
        insurance.settle(index, ids, np.array([worth]), np.array([market.ledger.account("firms")]))
    before = [insurer.expected_loss for insurer in insurers.insurers]
    pass_days(market, 365 - 30 - market.day)
    assert market.day == 335
    filed = {pool: base for _, pool, base in insurance._filed}
    assert filed[0] == pytest.approx(0.8 * first[0], abs=2), "at most 20 % a year"
    assert filed[0] <= filed[1] < first[1]
    for index, insurer in enumerate(insurers.insurers):
        weight = insurer.credibilities[0]
        assert weight == pytest.approx(credibility(insurance.pools[index].members * 335 / 365, 3.93846, 0.1), rel=0.02)
        own = insurance.report_figures.incurred(insurance.pools[index]) / insurance.pools[index].totals.earned \
            * float(first[index]) / MICRO
        prior = trended(before[index], 0.0, 335 / 2, 0.045)
        assert insurer.expected_loss == pytest.approx(weight * own + (1 - weight) * prior, rel=1e-3)
    assert (insurance.membership.base_rates == first).all(), "in force only from the next contract year"
    pass_days(market, 30)
    assert insurance.membership.base_rates.tolist() == [filed[0], filed[1]]


def test_an_insurer_stops_writing_and_runs_off(market: Any) -> None:
    insurance, pool = market.mechanism("insurance"), market.mechanism("insurance").pools[0]
    pass_days(market, 2)
    assert pool.offers
    reserve = pool.capital - int(0.9 * pool.scr())
    insurance.report(np.array([0]), np.array([reserve]))
    market.step()
    assert not pool.offers
    assert pool.state in (PoolState.ACTIVE, PoolState.GATED)
    insurance.report(np.array([0]), np.array([pool.capital + 10 * MICRO]))
    market.step()
    assert pool.state is PoolState.RUN_OFF
    assert pool.defaulted_on == market.day
    market.step()
    assert pool.members == 0
    market.invariants.require(market.day)


def test_surplus_above_the_dividend_ratio_is_paid_out(market: Any) -> None:
    insurers, pool = market.mechanism("insurers"), market.mechanism("insurance").pools[0]
    insurer = insurers.insurers[0]
    pass_days(market, 3)
    assert insurer.manage_capital() == 0
    gift = 2 * pool.scr()
    market.ledger.mint(market.usd, pool.accounts.surplus, gift, "endowment_of_the_test")
    pool.totals.deposited += gift
    paid = insurer.manage_capital()
    assert paid > 0
    assert pool.scr_ratio() == pytest.approx(2.0, abs=1e-6)
    assert pool.cash(insurer.account) == paid
    market.invariants.require(market.day)
    market.mechanism("insurance").report(np.array([0]), np.array([int(0.8 * pool.scr())]))
    before = pool.capital
    assert insurer.manage_capital() == 0
    assert pool.capital == pytest.approx(min(before + paid, 1.5 * pool.scr()), rel=1e-6), "former dividends are staked"


def test_administration_is_spent(market: Any) -> None:
    pool, firms = market.mechanism("insurance").pools[0], market.ledger.account("firms")
    pass_days(market, 5)
    held = pool.cash(pool.accounts.expenses)
    assert held > 0
    before = market.ledger.balance(market.usd, firms)
    market.mechanism("insurers").insurers[0].spend_administration(firms)
    assert market.ledger.balance(market.usd, firms) == before + held


def test_regional_insurers_look_at_their_region(tmp_path: Path) -> None:
    made = build(tmp_path, SCENARIO.replace("{pools: 2}", "{pools: 2, pool_regions: [0]}"))
    books = [insurer.opening_book.members for insurer in made.mechanism("insurers").insurers]
    insurable = ~made.people["public_cover"]
    here = int((insurable & (made.people["region"] == 0)).sum())
    take_up = made.mechanism("insurers").section.expected_take_up
    assert books == [round(take_up * here / 2), round(take_up * int(insurable.sum()) / 2)]
