"""Insurers' investments: targets, band, issuer or market, fire sales by ratio and by cash, valuation, closing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.contracts.insurance.pool_state import PoolState
from sim.contracts.insurance.portfolio import largest_sale
from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.load import load_scenario

SCENARIO = """
name: investors
question: Do pools invest and sell by their rules?
stage: 3
horizon_days: 300
population: {patients: 500}
economy: {}
morbidity: {}
providers: {}
reference_price: {}
patients: {}
insurance: {pools: 2, withdrawal_cooldown_days: 5}
insurers: {}
liquidity_providers: {providers: 30, entry_speed: 0.0, exit_base: 0.0, opening_scr_ratio: 2.5}
claims: {mode: automatic}
health_token: {primary_market_open: false}
amm: {pools: [{name: HLT, base: HLT, opening_value: 2.0e+6}]}
investments: {INVESTMENTS}
"""


def build(folder: Path, investments: str, days: int = 1, text: str = SCENARIO) -> Any:
    file = folder / "investors.yaml"
    file.write_text(text.replace("INVESTMENTS", investments), encoding="utf-8")
    market = HealthMarket(load_scenario(file), 2)
    pass_days(market, days)
    return market


def pass_days(market: Any, days: int) -> None:
    for _ in range(days):
        market.step()
        market.invariants.require(market.day)


def test_the_first_portfolio_is_bought_of_the_issuer_at_the_index(tmp_path: Path) -> None:
    market = build(tmp_path, "health_token_share: 0.3")
    token, spot = market.mechanism("health_token"), market.mechanism("amm").pool("HLT").spot()
    for one in market.mechanism("investments").investors:
        assert one.portfolio.token_value() == pytest.approx(0.3 * one.pool.capital, rel=0.01)
        assert one.pool.capital == one.pool.first_loss() + one.pool.senior_money()
    assert spot == token.index / MICRO, "no trade has moved the price"
    assert market.mechanism("investments").failed_orders == 0


def test_in_the_market_it_is_bought_in_parts_within_the_limit(tmp_path: Path) -> None:
    market = build(tmp_path, "health_token_share: 0.4, first_purchase: market, rebalancing_days: 1, band: 0.0", days=1)
    one = market.mechanism("investments").investors[0]
    first = one.portfolio.token_value()
    assert 0 < first < 0.2 * one.pool.capital
    pass_days(market, 20)
    assert one.portfolio.token_value() > 2 * first
    assert market.mechanism("investments").failed_orders <= 2


def test_all_classes_stand_among_the_admitted_assets_at_their_targets(tmp_path: Path) -> None:
    market = build(tmp_path, "health_token_share: 0.2, liquidity_share: 0.1, pool_shares_share: 0.1", days=3)
    for one in market.mechanism("investments").investors:
        value = {name: worth() for name, worth in one.pool.admitted.items()}
        assert value["health_token"] == pytest.approx(0.2 * one.pool.capital, rel=0.2)
        assert value["liquidity_shares"] == pytest.approx(0.1 * one.pool.capital, rel=0.2)
        assert value["pool_shares"] == pytest.approx(0.1 * one.pool.capital, rel=0.2)
        stated = next(row for row in market.statements() if row.institution == one.pool.name)
        assert {name: stated.assets[name] for name in value} == value
        assert stated.equity == one.pool.capital
    exposures = [(row.debtor, row.creditor, row.kind) for row in market.exposures()]
    accounts = [pool.accounts.surplus for pool in market.mechanism("insurance").pools]
    assert sorted(exposures) == sorted([(accounts[0], accounts[1], "pool_shares"),
                                        (accounts[1], accounts[0], "pool_shares")])


def test_targets_shrink_with_the_ratio_and_the_price_falls_for_all(tmp_path: Path) -> None:
    market = build(tmp_path, "health_token_share: 0.4, selling_scr_ratio: 1.5, exit_scr_ratio: 0.5", days=3)
    first, second = market.mechanism("investments").investors
    amm = market.mechanism("amm").pool("HLT")
    before, theirs, price = first.portfolio.tokens(), second.portfolio.tokens(), amm.spot()
    pool = first.pool
    market.mechanism("insurance").report(np.array([0]), np.array([int(0.62 * pool.capital)]), np.array([market.day]))
    factor = first.stress_factor()
    assert 0.0 < factor < 1.0
    assert factor == pytest.approx((pool.scr_ratio() - 0.5) / 1.0)
    worth, funds = second.pool.capital, pool.capital
    pass_days(market, 1)
    wanted = first.portfolio.worth_of_tokens(before) - 0.4 * factor * funds
    assert wanted > 0
    assert 0 < first.portfolio.tokens() < before
    assert second.portfolio.tokens() == theirs
    fall = price - amm.spot()
    assert fall > 0
    assert worth - second.pool.capital == pytest.approx(fall * theirs, rel=0.2), "the others bear the fall"
    assert first.portfolio.losses > 0
    assert market.record.daily["investments.fire_sales"][market.day] > 0


def test_cash_that_is_short_is_raised_by_selling(tmp_path: Path) -> None:
    market = build(tmp_path, "health_token_share: 0.6, selling_scr_ratio: 0.0, exit_scr_ratio: 0.0", days=3)
    one = market.mechanism("investments").investors[0]
    money = one.pool.layer_money()
    assert one.shortage() == 0
    market.mechanism("insurance").report(np.array([0]), np.array([int(0.9 * money)]), np.array([market.day]))
    assert one.shortage() > 0
    pass_days(market, 1)
    assert one.pool.layer_money() > money
    assert one.stressed > 0


def test_switched_off_they_keep_what_they_hold(tmp_path: Path) -> None:
    market = build(tmp_path, "health_token_share: 0.4, fire_sales: false", days=3)
    one = market.mechanism("investments").investors[0]
    tokens = one.portfolio.tokens()
    market.mechanism("insurance").wind_down(["POOL1"], -1, True)
    pass_days(market, 10)
    assert one.portfolio.tokens() == tokens
    assert one.pool.state is PoolState.RUN_OFF


def test_a_pool_in_run_off_sells_everything_within_the_limit_and_closes(tmp_path: Path) -> None:
    text = SCENARIO.replace("{pools: 2,", "{pools: 2, run_off_tail_days: 30,").replace("2.0e+6", "3.0e+5")
    market = build(tmp_path, "health_token_share: 0.4, liquidity_share: 0.1, pool_shares_share: 0.1", 3, text)
    one = market.mechanism("investments").investors[0]
    amm = market.mechanism("amm").pool("HLT")
    largest = largest_sale(amm, 0.5)
    tokens = one.portfolio.tokens()
    assert tokens > largest
    market.mechanism("insurance").wind_down(["POOL1"], -1, True)
    pass_days(market, 1)
    assert tokens - one.portfolio.tokens() <= largest + 1, "no more in a day than the limit allows"
    pass_days(market, 60)
    assert one.portfolio.tokens() == one.portfolio.liquidity() == 0
    assert one.pool.state is PoolState.CLOSED
    assert one.pool.lent == 0


@pytest.mark.parametrize("valuation", ["spot", "twap", "liquidation"])
def test_valuations(tmp_path: Path, valuation: str) -> None:
    """After a stranger halves the price for a moment the average hardly moves; liquidation is below spot."""
    market = build(tmp_path, f"health_token_share: 0.3, liquidity_share: 0.1, valuation: {valuation}, "
                   "selling_scr_ratio: 0.0, exit_scr_ratio: 0.0", days=5)
    book, amm = market.mechanism("investments").investors[0].portfolio, market.mechanism("amm").pool("HLT")
    spot = book.tokens() * amm.spot()
    before = book.token_value(), book.liquidity_value()
    if valuation == "liquidation":
        assert book.token_value() == amm.quote_out(amm.base, book.tokens()) < spot
    else:
        assert book.token_value() == pytest.approx(spot, rel=1e-3)
    stranger = market.ledger.open_account("stranger", "traders")
    amount = int(0.42 * amm.reserves()[0])
    market.ledger.mint(amm.base, stranger, amount, "endowment")
    amm.swap(stranger, amm.base, amount)
    after = book.token_value(), book.liquidity_value()
    fallen = [1.0 - now / then for now, then in zip(after, before, strict=True)]
    if valuation == "twap":
        assert max(abs(loss) for loss in fallen) < 0.01
    else:
        assert min(fallen) > 0.25
