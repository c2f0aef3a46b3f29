"""Who sells collateral: liquidators by their cash and the market's depth, keepers by what a block asks for gas."""

from pathlib import Path
from typing import Any

from sim.model import HealthMarket
from sim.scenario.load import load_scenario

SCENARIO = """
name: credit
question: Is bad collateral sold?
stage: 3
horizon_days: 16
population: {patients: 20}
economy: {}
reference_price: {}
chain: {preset: CHAIN}
health_token: {primary_market_open: false}
amm: {pools: [{name: HLT, base: HLT, opening_value: 1.0e+6}]}
traders: {}
borrowers: {number: 12, collateral: 12000}
shocks:
  - {day: 8, kind: price_jump, which: hlt_external, size: -0.4}
"""
DIRECT = """lending: {markets: [{asset: USDs, opening: 1.0e+6}, {asset: HLT, price: spot}]}
"""
AUCTION = """lending: {liquidation: auction, markets: [{asset: USDs, opening: 1.0e+6}, {asset: HLT, price: spot}]}
collateral_auctions: {}
"""
SPIKE = "  - {day: 8, kind: fee_spike, multiple: 8, days: 3}\n"


def build(folder: Path, text: str, chain: str = "layer_2") -> Any:
    file = folder / "credit.yaml"
    file.write_text(text.replace("CHAIN", chain), encoding="utf-8")
    return HealthMarket(load_scenario(file), 4)


def finish(market: Any) -> dict[str, float]:
    for _ in range(market.horizon_days):
        market.step()
        market.invariants.require(market.day)
    return dict(market.finish())


def test_liquidators_close_bad_positions_and_gain(tmp_path: Path) -> None:
    market = build(tmp_path, SCENARIO + DIRECT + "liquidators: {cash: 20000}\n")
    for _ in range(8):
        market.step()
    lending = market.mechanism("lending")
    assert lending.liquidations == 0
    assert len(lending.borrowers()) == 12
    assert {one.kind for one in market.exposures()} == {"lending"}
    assert sum(one.amount for one in market.exposures()) > 0
    for _ in range(8):
        market.step()
        market.invariants.require(market.day)
    found = market.finish()
    assert found["liquidators.done"] > 0
    assert found["liquidators.profit"] > 0
    assert lending.unhealthy() == []


def test_a_flash_loan_stands_in_for_cash(tmp_path: Path) -> None:
    without = finish(build(tmp_path, SCENARIO + DIRECT + "liquidators: {cash: 20}\n"))
    with_loan = finish(build(
        tmp_path, SCENARIO + DIRECT + "liquidators: {cash: 20, funding: flash_loan}\nflash_loans: {}\n"))
    assert with_loan["lending.liquidated"] > 10 * without["lending.liquidated"]
    assert with_loan["flash_loans.premiums"] > 0


def test_nobody_liquidates_what_cannot_be_sold(tmp_path: Path) -> None:
    """Where the sale would not bring the debt and the least profit, the call reverts."""
    found = finish(build(tmp_path, SCENARIO + DIRECT + "liquidators: {least_profit: 1.0e+6}\n"))
    assert found["liquidators.done"] == found["lending.liquidations"] == 0
    assert found["liquidators.refused"] > 0


def test_scripts_bid_in_quiet_days_and_are_shut_out_of_dear_ones(tmp_path: Path) -> None:
    quiet = finish(build(tmp_path, SCENARIO + AUCTION + "keepers: {}\n", "layer_1"))
    dear = finish(build(tmp_path, SCENARIO + SPIKE + AUCTION + "keepers: {}\n", "layer_1"))
    assert quiet["collateral_auctions.zero_bid_share"] < 0.1 < 0.5 < dear["collateral_auctions.zero_bid_share"]
    assert quiet["collateral_auctions.recovered_share"] > 0.7
    assert dear["keepers.dropped"] > 0
    assert dear["keepers.adaptive_profit"] > 0
    assert dear["lending.bad_debt"] > quiet["lending.bad_debt"]


def test_attentive_borrowers_repay_before_the_liquidators_come(tmp_path: Path) -> None:
    cash = SCENARIO.replace("collateral: 12000", "collateral: 12000, cash_kept: 1.0, repays_below: 1.3, attentive: WHO")
    careless = finish(build(tmp_path, cash.replace("WHO", "0.0") + DIRECT + "liquidators: {}\n"))
    careful = finish(build(tmp_path, cash.replace("WHO", "1.0") + DIRECT + "liquidators: {}\n"))
    assert careless["borrowers.top_ups"] == 0 < careful["borrowers.top_ups"]
    assert careful["lending.liquidated"] < careless["lending.liquidated"]


def test_borrowers_lose_the_tokens_less_the_debt_that_they_repaid(tmp_path: Path) -> None:
    market = build(tmp_path, SCENARIO + DIRECT + "liquidators: {cash: 200000}\n")
    figures = finish(market)
    assert figures["lending.liquidated"] > 0.0
    # A bonus of five per cent, and what was sold below the price that came back in the end.
    assert 0.0 < figures["borrowers.loss"] < figures["lending.liquidated"]


def test_keepers_know_what_a_lot_of_cash_is_worth(tmp_path: Path) -> None:
    """Cash can be pledged too, and has no market maker."""
    market = build(tmp_path, SCENARIO + AUCTION + "keepers: {}\n")
    market.step()
    keepers = market.mechanism("keepers")
    assert keepers.fetches(market.usd, 1_000) == 1_000
    assert 0 < keepers.fetches(market.ledger.asset_id("HLT"), 10**6) < 2 * 10**6
    assert keepers.fetches(market.ledger.asset_id("HLT-LP"), 10**6) == 0
