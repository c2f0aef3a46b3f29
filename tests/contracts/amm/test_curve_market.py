"""Markets whose token trades on another curve: traders, fees, treasury and invariants, day by day."""

import pytest

from sim import HealthMarket, load_scenario

SCENARIO = """
stage: 3
name: curve
question: Does it run?
horizon_days: 35
population: {patients: 20}
economy: {}
reference_price: {}
chain: {preset: layer_2}
health_token: {}
amm: {pools: [{name: HLT, base: HLT, quote: USDs, %s}]}
traders: {noise_volume_share: 0.02}
"""


@pytest.mark.parametrize("curve", [
    "curve: weighted, weight_base: 0.8", "curve: weighted, weight_base: 0.25", "curve: stableswap",
    "curve: stableswap, amplification: 5, opening_price: 1.1"])
def test_a_market_runs_and_arbitrage_holds_the_price(curve, tmp_path):
    file = tmp_path / "curve.yaml"
    file.write_text(SCENARIO % curve)
    market = HealthMarket(load_scenario(str(file)), seed=2)
    gaps = []
    for _ in range(35):
        market.step()
        market.invariants.require(market.day)
        venue = market.mechanism("traders").venue_price()
        gaps.append(abs(market.mechanism("amm").pool("HLT").spot() / venue - 1.0))
    amm = market.mechanism("amm")
    assert amm.treasury_fees > 0
    assert market.mechanism("traders").total["orders"] > 50
    assert sorted(gaps)[len(gaps) // 2] < 0.02
