"""Risk adjustment: transfers by observable risk, exact and affordable, whoever has to pay."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contracts.insurance.accounts import FeeAccounts
from sim.contracts.insurance.capital import CapitalParameters, regime
from sim.contracts.insurance.checks import plans_add_up
from sim.contracts.insurance.options import Options
from sim.contracts.insurance.policy import Terms, lump_sum
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolConfig
from sim.contracts.insurance.premium import PremiumShares
from sim.contracts.insurance.risk_adjustment import (
    RiskAdjustment,
    liabilities,
    needs_and_abilities,
    risk_classes,
    transfers_due,
)
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger

FULL = Terms("indemnity", 0, 0, 10**15, 10**15)
HALF = Terms("indemnity", 0, 5000, 10**15, 10**15)


def build(cash: list[tuple[int, int]], plans: int = 2) -> tuple[RiskAdjustment, list[InsurancePool], Ledger]:
    """A fund over pools with (claims fund, surplus) each, every pool with ``plans`` plans."""
    ledger = Ledger(institutions=64, people=0)
    usd = ledger.asset("USDs")
    fees = FeeAccounts(ledger.open_account("o", "protocol"), ledger.open_account("t", "protocol"))
    config = PoolConfig(PremiumShares.of(0.85, 0.07, 0.02, 0.02, 0.04))
    pools = [InsurancePool(ledger, usd, f"P{j}", [FULL] * plans, config, regime("fixed_ratio", CapitalParameters()),
                           fees) for j in range(len(cash))]
    for pool, (claims, surplus) in zip(pools, cash, strict=True):
        ledger.mint(usd, pool.accounts.claims, claims, "endowment")
        ledger.mint(usd, pool.accounts.surplus, surplus, "endowment")
    return RiskAdjustment(ledger, usd, pools, Options([pool.plans for pool in pools])), pools, ledger


def money(pool: InsurancePool) -> int:
    """What a pool can be charged."""
    return pool.cash(pool.accounts.claims) + pool.cash(pool.accounts.surplus)


def test_liabilities_by_hand() -> None:
    plan = Terms("indemnity", 250 * MICRO, 2000, 2000 * MICRO, 100_000 * MICRO)
    costs = np.array([0, 100, 1250, 50_000, 150_000]) * MICRO
    assert (liabilities(costs, plan) / MICRO).tolist() == [0.0, 0.0, 800.0, 48_000.0, 98_000.0]
    assert not liabilities(costs, lump_sum(MICRO, MICRO, 0, 1)).any()


def test_the_plan_with_the_sick_is_paid_what_its_members_risk_costs() -> None:
    """Two classes that cost 100 and 300 a day; a full plan has three of the sick in four, another one in four."""
    classes = np.array([1, 1, 1, 0, 1, 0, 0, 0])
    held = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    costs = np.where(classes == 1, 300, 100) * MICRO
    needs, abilities = needs_and_abilities(held, classes, np.ones(8), np.ones(8), costs, [FULL, FULL])
    assert (needs / MICRO).tolist() == [1000.0, 600.0]
    assert (abilities / MICRO).tolist() == [800.0, 800.0]
    assert (transfers_due(needs, abilities) / MICRO).tolist() == [200.0, -200.0]


def test_equal_risks_pay_nothing_however_different_the_terms() -> None:
    classes = np.array([0, 1, 0, 1])
    costs = np.array([100, 900, 100, 900]) * MICRO
    held = np.array([0, 0, 1, 1])
    due = transfers_due(*needs_and_abilities(held, classes, np.ones(4), np.ones(4), costs, [FULL, HALF]))
    assert np.abs(due).max() < 1.0


def test_what_rates_by_age_raise_is_not_paid_twice() -> None:
    """The old cost three times the young and pay three times the rate: nothing is left to transfer."""
    classes, costs = np.array([0, 0, 1, 1]), np.array([100, 100, 300, 300]) * MICRO
    factor = np.array([0.5, 0.5, 1.5, 1.5])
    due = transfers_due(*needs_and_abilities(np.array([0, 0, 1, 1]), classes, np.ones(4), factor, costs, [FULL, FULL]))
    assert np.abs(due).max() < 1.0


def test_classes_tell_apart_what_they_look_at() -> None:
    zero = np.zeros(4, dtype=np.int64)
    classes = risk_classes(np.array([5, 15, 5, 5]), np.array([0, 0, 1, 0]), zero, np.array([0, 0, 0, 4]))
    assert np.unique(classes).size == 4
    assert np.unique(risk_classes(np.array([81, 99, 120, 85]), zero + 9, zero + 7, zero + 500)).size == 1


def test_nobody_who_cost_anything_means_no_transfers() -> None:
    due = transfers_due(*needs_and_abilities(np.array([0, 1]), np.array([0, 1]), np.ones(2), np.ones(2),
                                             np.zeros(2, dtype=np.int64), [FULL, HALF]))
    assert due.tolist() == [0.0, 0.0]


def test_a_pool_pays_from_its_claims_fund_then_from_surplus_and_the_rest_later() -> None:
    fund, pools, ledger = build([(100, 50), (1000, 0)], plans=1)
    assert fund.settle(np.array([-400.0, 400.0])).tolist() == [-150, 150]
    assert [pools[0].cash(account) for account in (pools[0].accounts.claims, pools[0].accounts.surplus)] == [0, 0]
    ledger.mint(fund.asset, pools[0].accounts.claims, 300, "endowment")
    assert fund.settle(np.array([-400.0, 400.0])).tolist() == [-250, 250], "what was owed"
    assert fund.settle(np.array([-400.0, 400.0])).tolist() == [0, 0]
    fund.close_year()
    assert fund.received.tolist() == [0, 0]
    assert fund.check() is None
    assert fund.gross == 400


def test_between_plans_of_one_pool_no_money_is_left_or_lost() -> None:
    fund, pools, _ = build([(1000, 0)], plans=2)
    assert fund.settle(np.array([-300.7, 300.7])).tolist() == [-300, 300]
    assert pools[0].cash(pools[0].accounts.claims) == 1000
    assert pools[0].books.transfers.tolist() == [-300, 300]
    assert pools[0].totals.transfers == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1, max_size=4), st.integers(1, 3),
       st.data())
def test_transfers_sum_to_zero_and_no_unit_is_lost(
    cash: list[tuple[int, int]], plans: int, data: st.DataObject
) -> None:
    fund, pools, ledger = build(cash, plans)
    options = len(cash) * plans
    for _ in range(3):
        wanted = np.array(data.draw(st.lists(st.floats(-1e12, 1e12), min_size=options, max_size=options)))
        due = wanted - wanted.mean()
        before = [money(pool) for pool in pools]
        today = fund.settle(due)
        assert int(today.sum()) == 0
        assert fund.check() is None
        for index, pool in enumerate(pools):
            held = money(pool)
            mine = today[index * plans:(index + 1) * plans]
            assert held == before[index] + int(mine.sum()), "the ledger moved what the books say"
            assert held >= 0
            assert plans_add_up(pool) is None
        assert ledger.check_supplies() is None
