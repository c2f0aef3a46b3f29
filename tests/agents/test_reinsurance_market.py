"""Reinsurance in the market: absent it leaves no trace; purchases by the rule; late and failed recoveries; clearing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.contracts.reinsurance.parties import Standing
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Mechanism
from sim.model import HealthMarket
from sim.scenario.load import load_scenario

MARKET = """
name: village
question: none
horizon_days: {days}
population: {{patients: 600}}
economy: {{}}
morbidity: {{}}
providers: {{}}
reference_price: {{}}
patients: {{}}
insurance: {{pools: 2}}
insurers: {{}}
liquidity_providers: {{providers: 20}}
claims: {{}}
{more}
"""
QUOTA = "reinsurance: {insurers_buy: false, payment_lag_days: %d, treaties: [{form: quota_share, quota: 0.4}]}"


def market(tmp_path: Path, more: str = "", days: int = 60, seed: int = 5) -> HealthMarket:
    file = tmp_path / "village.yaml"
    file.write_text(MARKET.format(days=days, more=more), encoding="utf-8")
    return HealthMarket(load_scenario(file), seed)


def advance(one: HealthMarket, days: int) -> HealthMarket:
    for _ in range(days):
        one.step()
        one.invariants.require(one.day)
    return one


def test_without_the_section_there_is_no_trace(tmp_path: Path) -> None:
    one = advance(market(tmp_path), 3)
    assert not one.ledger.has_account("RE1")
    assert not one.ledger.has_account("POOL1.reinsurance")
    assert not any("reinsurance" in name for name in (*one.record.daily, *one.record.institutions["POOL1"]))
    assert one.mechanism("insurance").pools[0].layers[0].name == "claims"


def test_a_section_that_does_nothing_changes_no_claim(tmp_path: Path) -> None:
    with_it = advance(market(tmp_path, "reinsurance: {insurers_buy: false}"), 40)
    without = advance(market(tmp_path), 40)
    for one, other in zip(with_it.mechanism("insurance").pools, without.mechanism("insurance").pools, strict=True):
        assert (one.totals.approved, one.totals.paid, one.capital) == (
            other.totals.approved, other.totals.paid, other.capital)


def test_a_quota_share_takes_its_part_of_premium_claims_and_reserves(tmp_path: Path) -> None:
    one = advance(market(tmp_path, QUOTA % 0), 50)
    pool = one.mechanism("insurance").pools[0]
    book = one.mechanism("reinsurance").book
    own = book.accounts["POOL1"]
    assert own.losses == pool.totals.approved > 0
    assert own.ceded == pool.totals.approved * 4 // 10
    assert pool.totals.by_layer["reinsurance"] == own.recovered == own.ceded
    assert pool.totals.earned * 2 // 10 < own.premium < pool.totals.earned * 4 // 10  # less commission
    assert pool.admitted_assets() == pytest.approx(0.4 * (pool.reserves.outstanding + pool.reserves.ibnr), abs=3)
    assert pool.book().ceded.share == pytest.approx(0.4)


def test_recoveries_wait_for_the_lag_and_count_as_assets_meanwhile(tmp_path: Path) -> None:
    one = advance(market(tmp_path, QUOTA % 30), 29)
    mechanism, pool = one.mechanism("reinsurance"), one.mechanism("insurance").pools[0]
    own = mechanism.book.accounts["POOL1"]
    assert own.ceded > 0
    assert own.recovered == 0
    assert pool.admitted_assets() >= own.ceded
    assert sum(row.amount for row in one.exposures() if row.kind == "reinsurance") == sum(
        account.ceded - account.recovered for account in mechanism.book.accounts.values())
    advance(one, 30)
    assert 0 < own.recovered <= own.ceded


@pytest.mark.parametrize("recovery", [0.0, 1.0])
def test_a_reinsurer_that_defaults_leaves_recoveries_unpaid(tmp_path: Path, recovery: float) -> None:
    shock = f"\nshocks: [{{day: 25, kind: reinsurer_default, recovery: {recovery}}}]"
    one = advance(market(tmp_path, QUOTA % 20 + shock), 60)
    mechanism = one.mechanism("reinsurance")
    assert all(agent.party.standing is Standing.DEFAULTED for agent in mechanism.reinsurers)
    figures = one.finish()
    assert figures["reinsurance.reinsurer_defaults"] == 3
    assert (figures["reinsurance.failed_share"] > 0) == (recovery == 0.0)
    if recovery == 0.0:
        owed = sum(line.owed for line in mechanism.book.inward["RE1"])
        assert 0 < mechanism.desk.recoverable("POOL1", one.day) < mechanism.book.accounts["POOL1"].ceded
        assert owed > 0
        assert any(statement.equity < 0 for statement in mechanism.statements())


def test_a_downgrade_cuts_the_asset_and_delays_the_payment(tmp_path: Path) -> None:
    sound = advance(market(tmp_path, QUOTA % 20), 19)
    shock = "\nshocks: [{day: 18, kind: reinsurer_downgrade, extra_lag_days: 15}]"
    doubted = advance(market(tmp_path, QUOTA % 20 + shock), 19)
    assert doubted.mechanism("reinsurance").desk.recoverable("POOL1", 18) == pytest.approx(
        0.9 * sound.mechanism("reinsurance").desk.recoverable("POOL1", 18), abs=20)
    advance(sound, 30)
    advance(doubted, 30)
    late, prompt = (one.mechanism("reinsurance").book.accounts["POOL1"].recovered for one in (doubted, sound))
    assert late < prompt


def test_an_insurer_buys_what_is_worth_its_price(tmp_path: Path) -> None:
    rule = "reinsurance: {review_interval_days: 10, buying_scr_ratio: 20.0%s}"
    keen = advance(market(tmp_path, rule % ", capital_relief_value: 0.5"), 31)
    desk = keen.mechanism("reinsurance").desk
    assert desk.purchases > 0
    for slip in desk.made:
        assert 0.0 < slip.expected < slip.price
    pool = keen.mechanism("insurance").pools[0]
    gross = pool.regime.desired(type(pool.book())(*(getattr(pool.book(), name) for name in (
        "members", "annual_premium", "expected_claims", "claim_reserves", "active_cover"))))
    assert pool.scr() < gross
    idle = advance(market(tmp_path, rule % ", capital_relief_value: 0.0"), 31)
    assert idle.mechanism("reinsurance").desk.purchases == 0


def test_sellers_accept_no_more_than_their_capital_allows(tmp_path: Path) -> None:
    rule = "reinsurance: {buying_scr_ratio: 20.0, capital_relief_value: 2.0, reinsurer_capital: %s}"
    one = advance(market(tmp_path, rule % "0.4"), 2)
    mechanism = one.mechanism("reinsurance")
    for agent in mechanism.reinsurers:
        limit = sum(line.exposure for line in mechanism.book.inward[agent.party.name])
        assert limit <= agent.party.free_cash() * 1.001 + MICRO
    assert advance(market(tmp_path, rule % "0.0"), 2).mechanism("reinsurance").desk.purchases == 0


def test_prices_harden_after_a_loss_and_soften_again(tmp_path: Path) -> None:
    one = market(tmp_path, "reinsurance: {}")
    agent = one.mechanism("reinsurance").reinsurers[0]
    own = one.mechanism("reinsurance").book.accounts["RE1"]
    own.assumed += agent.party.free_cash() // 2
    agent.close_year(agent.party.free_cash())
    assert agent.hardness == pytest.approx(1.5, abs=1e-3)
    agent.close_year(agent.party.free_cash())
    assert agent.hardness == pytest.approx(1.3, abs=1e-3)


class Clearing(Mechanism):
    """Stands for the mechanism that clears debts: it pays half of each."""

    def __init__(self) -> None:
        self.name = "contagion"


def test_debts_can_be_settled_by_clearing(tmp_path: Path) -> None:
    one = market(tmp_path, QUOTA % 5)
    one._mechanisms["contagion"] = Clearing()
    mechanism: Any = one.mechanism("reinsurance")
    mechanism.clears = False
    advance(one, 30)
    assert mechanism.book.accounts["POOL1"].recovered == 0
    due = mechanism.obligations_due(29)
    assert due
    assert all(row.debtor != row.creditor and row.amount > 0 for row in due)
    paid = [row.amount // 2 for row in due]
    mechanism.settle_obligations(29, paid)
    assert sum(account.recovered for account in mechanism.book.accounts.values()) == sum(paid)
    assert mechanism.reinsurers[0].party.standing is Standing.DEFAULTED
    with pytest.raises(ValueError, match="do not belong"):
        mechanism.settle_obligations(30, paid)
