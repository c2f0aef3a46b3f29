"""The market's clearing on the ledger, the tracing of failures, DebtRank, and what is absent without the sections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.contagion.tracing import Tracer
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Exposure

ALL = ("runs_on_losses", "runs_on_exits", "informed_exits", "fire_sales", "lapses", "clearing")
SECTIONS = ("contagion", "investments", "lapses")


def test_without_the_sections_there_is_no_trace_of_them(neighbours: Callable[..., Any], acts: Any) -> None:
    whole, bare = neighbours(), neighbours(without=SECTIONS)
    for market in (whole, bare):
        acts.days(market, 5)

    def belongs(name: str) -> bool:
        return name.split(".")[0] in SECTIONS

    assert set(whole.record.daily) - set(bare.record.daily) == {name for name in whole.record.daily if belongs(name)}
    assert not any(belongs(name) for name in bare.record.daily)
    figures = {name for pool in bare.record.institutions.values() for name in pool}
    more = {name for pool in whole.record.institutions.values() for name in pool} - figures
    assert more
    assert all(belongs(name) for name in more)
    assert set(whole.ledger._accounts) - set(bare.ledger._accounts) == {
        f"POOL{i + 1}.investments" for i in range(3)}
    hooks = {(planned.mechanism, planned.call) for phase in whole.plan.hooks.values() for planned in phase}
    fewer = {(planned.mechanism, planned.call) for phase in bare.plan.hooks.values() for planned in phase}
    assert {name for name, _ in hooks - fewer} == set(SECTIONS)
    assert fewer <= hooks
    assert set(whole.people.names) == set(bare.people.names)
    assert not any(belongs(name) for name in bare.invariants.names)
    assert all(pool.admitted == {} for pool in bare.mechanism("insurance").pools)


def test_a_circle_of_debts_without_money_is_settled(neighbours: Callable[..., Any], acts: Any) -> None:
    """A owes B, B owes C, C owes A, all the same and none has a unit: all are paid."""
    market = neighbours(on=("clearing",))
    debts = market.debts
    a, b, c = (debts.firm(name, 0) for name in "ABC")
    debts.owed[3] = [(a, b, 700, 0), (b, c, 700, 0), (c, a, 700, 0)]
    acts.days(market, 5)
    assert debts.paid[3] == [700, 700, 700]
    assert debts.failed == {}
    assert market.ledger.supply(market.usd) == int(market.ledger.balances(market.usd).sum())


def test_failure_travels_along_debts_in_rounds(neighbours: Callable[..., Any], acts: Any) -> None:
    """A has 300 of 1000; B lives on A, C on B; D is senior at A. Without costs, by hand: D 200, B 100, C 100 of 600."""
    market = neighbours(on=("clearing",))
    market.mechanism("contagion").house.alpha = market.mechanism("contagion").house.beta = 1.0
    debts = market.debts
    a, b, c, d = debts.firm("A", 300), debts.firm("B", 0), debts.firm("C", 50), debts.firm("D", 0)
    debts.owed[3] = [(a, b, 800, 1), (a, d, 200, 0), (b, c, 600, 0), (c, d, 400, 0)]
    acts.days(market, 4)
    assert debts.paid[3] == [100, 200, 100, 150]
    failures = {failure.institution: failure for failure in market.mechanism("contagion").tracer.failures}
    assert {name: failure.round for name, failure in failures.items()} == {"A": 1, "B": 2, "C": 3}
    assert {failure.cascade for failure in failures.values()} == {1}
    assert failures["B"].channel == failures["C"].channel == "clearing"
    assert all(failure.hard for failure in failures.values())
    metrics = market.finish()
    assert metrics["contagion.cascade_size"] == metrics["contagion.cascade_depth"] == 3
    assert metrics["contagion.unpaid_obligations"] == pytest.approx((2000 - 550) / MICRO)


def test_bankruptcy_costs_leave_the_estate(neighbours: Callable[..., Any], acts: Any) -> None:
    market = neighbours(on=("clearing",))
    debts, firms = market.debts, market.ledger.account("firms")
    a, b = debts.firm("A", 1000), debts.firm("B", 0)
    debts.owed[3] = [(a, b, 5000, 0)]
    acts.days(market, 3)
    before = market.ledger.balance(market.usd, firms)
    acts.days(market, 1)
    assert debts.paid[3] == [900], "alpha 0.9 of its cash"
    assert market.mechanism("contagion").costs_paid == 100
    assert market.ledger.balance(market.usd, a) == 0
    assert market.ledger.balance(market.usd, firms) != before


def test_a_pool_keeps_what_covers_its_claims(neighbours: Callable[..., Any], acts: Any) -> None:
    """Claims take precedence: a creditor gets what is left above the reserves, and only then."""
    market = neighbours(on=("clearing",))
    pool, debts = market.mechanism("insurance").pools[0], market.debts
    creditor = debts.firm("CREDITOR", 0)
    acts.days(market, 2)
    reported = pool.layer_money() + pool.admitted_assets() - 1_000 * MICRO
    market.mechanism("insurance").report(np.array([0]), np.array([reported]), np.array([market.day]))
    debts.owed[market.day + 1] = [(pool.accounts.surplus, creditor, 50_000 * MICRO, 0)]
    market.step()
    assert 0 <= debts.paid[market.day][0] < 1_100 * MICRO
    assert pool.layer_money() + pool.admitted_assets() >= pool.claim_reserves() - 100 * MICRO


def test_the_government_pays_where_the_channel_is_off(neighbours: Callable[..., Any], acts: Any) -> None:
    market = neighbours()
    debts = market.debts
    a, b = debts.firm("A", 1000), debts.firm("B", 0)
    debts.owed[3] = [(a, b, 5000, 0)]
    acts.days(market, 4)
    assert debts.paid[3] == [5000]
    assert market.mechanism("contagion").total.guaranteed == 4000
    assert market.mechanism("contagion").tracer.failures == []


def test_cash_and_balance_sheet_insolvency_are_told_apart(neighbours: Callable[..., Any], acts: Any) -> None:
    """POOL1 owes more than its cash and less than its assets; POOL2 more reserves than assets; POOL3 both."""
    market = neighbours()
    insurance = market.mechanism("insurance")
    pools = insurance.pools
    acts.days(market, 3)
    firms = np.array([market.ledger.account("firms")])
    invested = market.mechanism("investments").investors[0].portfolio.value()
    insurance.settle(0, np.array([10**6]), np.array([pools[0].layer_money() + invested // 3]), firms)
    acts.lose(market, 1, 1.2)
    insurance.settle(2, np.array([10**6 + 1]), np.array([2 * pools[2].layer_money()]), firms)
    market.step()
    assert [pool.insolvency for pool in pools] == ["cash", "balance_sheet", "both"]
    metrics = market.finish()
    assert metrics["contagion.hard_insolvencies"] == 1
    assert metrics["contagion.balance_sheet_insolvencies"] == 2
    kinds = {(subject, details) for _, kind, subject, _, details in market.record.events if kind == "default"}
    assert kinds >= {("POOL2", '{"insolvency": "balance_sheet"}')}


def test_debtrank_of_one_claim_by_hand(neighbours: Callable[..., Any], acts: Any) -> None:
    """B and C have 1000 each; A owes B 250: A's failure takes 250 of the 2000 of B, C and nobody else's."""
    market = neighbours(on=("clearing",))
    debts, contagion = market.debts, market.mechanism("contagion")
    a, b, _ = debts.firm("A", 500), debts.firm("B", 1000), debts.firm("C", 1000)
    debts.standing = [Exposure(a, b, market.usd, 250, "loan")]
    acts_statements = [one for one in market.statements() if one.institution in "ABC"]
    contagion._statements = acts_statements
    linear, single = contagion.debtranks(debts.standing)
    assert linear == single == pytest.approx(250 / 2000)
    assert contagion.concentration(debts.standing) == 1.0
    assert contagion.concentration([*debts.standing, Exposure(b, a, market.usd, 250, "loan")]) == 0.5


def test_the_tracer_names_the_largest_loss_and_counts_rounds() -> None:
    tracer = Tracer(window=10)
    for day in range(30):
        tracer.note_losses("A", {"claims": 50 * day, "run": 3 * day})
        tracer.note_losses("B", {"claims": -100 * day, "fire_sale": 10 * day, "run": 5 * day})
        tracer.note_losses("C", {"claims": 5, "run": 0})
    first = tracer.fail("A", 29, hard=True, insolvent=False)
    assert (first.channel, first.round) == ("claims", 1)
    second = tracer.fail("B", 35, hard=True, insolvent=False)
    assert (second.channel, second.round, second.cascade) == ("fire_sale", 2, first.cascade)
    third = tracer.fail("C", 36, hard=False, insolvent=True)
    assert (third.channel, third.round, third.cascade) == ("other", 1, 2), "losses before the window do not count"
    late = tracer.fail("B2", 90, hard=False, insolvent=True)
    assert late.cascade == 3
    assert tracer.size() == 2
    assert tracer.depth() == 2
    assert Tracer(5).size() == Tracer(5).depth() == 0


def test_a_failure_with_every_channel_on_keeps_the_books(neighbours: Callable[..., Any], acts: Any) -> None:
    market = neighbours(on=ALL)
    acts.days(market, 8)
    acts.lose(market, 0, 0.6)
    acts.days(market, 5)
    acts.fail(market, 0)
    acts.days(market, 20)
    assert market.mechanism("contagion").tracer.failures
    metrics = market.finish()
    assert metrics["contagion.failures"] == sum(
        metrics[f"contagion.failures_{channel}"] for channel in ("claims", "clearing", "fire_sale", "run", "lapse",
                                                                 "other"))


def test_a_fire_sale_brings_down_a_pool_that_owes_and_is_owed_nothing(
    neighbours: Callable[..., Any], acts: Any
) -> None:
    """POOL1 ends and sells; POOL2, with much of the same token, fails by claims that it bears where nobody sells."""
    found = {}
    for on in ((), ("fire_sales",)):
        market = neighbours(on=on, invests="health_token_share: 0.8, selling_scr_ratio: 1.1, exit_scr_ratio: 1.0")
        acts.days(market, 3)
        claims = int(0.4 * market.mechanism("insurance").pools[1].capital)
        acts.lose(market, 0, 1.2)
        acts.days(market, 3)
        market.mechanism("insurance").report(np.array([1]), np.array([claims]), np.array([market.day]))
        acts.days(market, 4)
        found[on] = {failure.institution: failure for failure in market.mechanism("contagion").tracer.failures}
        metrics = market.finish()
        assert metrics["contagion.failures"] == len(found[on])
    assert set(found[()]) == {"POOL1"}
    fallen = found["fire_sales",]
    assert {"POOL1", "POOL2"} <= set(fallen)
    assert (fallen["POOL2"].channel, fallen["POOL2"].round) == ("fire_sale", 2)
    assert fallen["POOL2"].cascade == fallen["POOL1"].cascade
    assert fallen["POOL2"].insolvent
    assert metrics["contagion.cascade_size"] >= 2
    assert metrics["contagion.failures_fire_sale"] >= 1
