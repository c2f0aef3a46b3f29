"""Recapitalisation: who pays, what is minted, the cap, and what comes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.load import load_scenario

SCENARIO = """
name: rescue
question: Can a pool be saved by new tokens?
stage: 3
horizon_days: 100
population: {patients: 500}
economy: {}
morbidity: {}
providers: {}
reference_price: {}
patients: {}
insurance: {pools: 2}
insurers: {}
liquidity_providers: {providers: 40, entry_speed: 0.0, exit_base: 0.0, opening_scr_ratio: 0.6, cash_ratio: 2.0}
health_token: {}
amm: {pools: [{name: HLT, base: HLT}, {name: GOV, base: GOV, issuer: "", opening_value: 5.0e+5, opening_price: 0.5}]}
governance: {}
delegates: {}
recapitalisation: {RULES}
"""


def build(folder: Path, rules: str, days: int) -> Any:
    file = folder / "rescue.yaml"
    file.write_text(SCENARIO.replace("RULES", rules), encoding="utf-8")
    market = HealthMarket(load_scenario(file), 6)
    for _ in range(days):
        market.step()
        market.invariants.require(market.day)
    return market


def test_a_short_pool_is_filled_up_to_its_target(tmp_path: Path) -> None:
    without = build(tmp_path, "issues: false", 5)
    market = build(tmp_path, "trigger_scr_ratio: 1.5, target_scr_ratio: 1.6, budget_share: 1.0", 5)
    assert min(pool.scr_ratio() for pool in without.mechanism("insurance").pools) < 1.2
    rescue, governance = market.mechanism("recapitalisation"), market.mechanism("governance")
    for pool in market.mechanism("insurance").pools:
        assert pool.scr_ratio() == pytest.approx(1.6, abs=0.1)
        assert pool.totals.exchanged["recapitalisation"] > 0
    raised = sum(pool.totals.exchanged["recapitalisation"] for pool in market.mechanism("insurance").pools)
    assert rescue.raised == raised
    assert governance.issued == rescue.issued > 0
    assert market.ledger.supply(governance.gov) == 10**8 * MICRO + rescue.issued
    price = raised / rescue.issued
    assert 0.5 * 0.9 * 0.8 < price < 0.5 * 0.9, "a discount of a tenth, and dilution on top"
    metrics = market.finish()
    assert metrics["recapitalisation.mean_discount"] == pytest.approx(1.0 - price / 0.5, abs=0.01)
    assert metrics["recapitalisation.dilution"] == pytest.approx(rescue.issued / MICRO / 1e8)


def test_buyers_pay_within_their_budget_and_hold_what_was_minted(tmp_path: Path) -> None:
    market = build(tmp_path, "trigger_scr_ratio: 1.5, target_scr_ratio: 1.6, budget_share: 0.001", 0)
    providers, governance = market.mechanism("liquidity_providers"), market.mechanism("governance")
    cash = market.ledger.balances(market.usd)[providers.accounts].copy()
    tokens = market.ledger.balances(governance.gov)[providers.accounts].copy()
    market.step()
    while market.mechanism("recapitalisation").raised == 0 and market.day < 40:
        cash = market.ledger.balances(market.usd)[providers.accounts].copy()
        tokens = market.ledger.balances(governance.gov)[providers.accounts].copy()
        market.step()
    paid = cash - market.ledger.balances(market.usd)[providers.accounts]
    got = market.ledger.balances(governance.gov)[providers.accounts] - tokens
    assert paid.sum() >= market.mechanism("recapitalisation").raised > 0
    assert (paid <= cash * 0.0021 + 1).all(), "two pools, a thousandth for each"
    assert got.sum() == market.mechanism("recapitalisation").issued
    assert (got[paid > 1000] > 0).all()


def test_no_more_is_issued_in_a_year_than_the_cap(tmp_path: Path) -> None:
    market = build(tmp_path, "issue_cap: 0.001, target_scr_ratio: 3.0, trigger_scr_ratio: 2.9, interval_days: 1, "
                   "budget_share: 1.0", 20)
    rescue = market.mechanism("recapitalisation")
    assert 0 < rescue.issued <= 10**5 * MICRO
    assert rescue.issued >= 0.999 * 10**5 * MICRO
    assert rescue.missing > 0
    market.parameters.change("recapitalisation.issue_cap", 0.002)
    for _ in range(5):
        market.step()
    market.invariants.require(market.day)
    assert 10**5 * MICRO < rescue.issued <= 2 * 10**5 * MICRO


def test_without_tokens_there_is_no_issue(tmp_path: Path) -> None:
    text = SCENARIO.replace("governance: {}\n", "").replace("delegates: {}\n", "")
    start = text.index(", {name: GOV")
    text = text[:start] + "]}" + text[text.index("\n", start):]
    file = tmp_path / "rescue.yaml"
    file.write_text(text.replace("RULES", ""), encoding="utf-8")
    market = HealthMarket(load_scenario(file), 6)
    for _ in range(3):
        market.step()
    assert market.mechanism("recapitalisation").issues == 0
