"""Holders, arbitrageurs and borrowers of the stablecoin in a market of their own."""

from __future__ import annotations

import pytest

from sim import HealthMarket, load_scenario
from sim.agents.stablecoin_holder import _concavity
from sim.agents.stablecoin_keeper import best_size
from sim.kernel.fixedpoint import MICRO

FAST = [("horizon_days", "12"), ("stablecoin_holders.holders", "40"), ("population.patients", "10"),
        ("stablecoin.share_window_days", "0.05"),
        ("stablecoin_holders.arbitrage_orders_per_day", "6"), ("stablecoin_holders.troves", "8")]


@pytest.fixture
def market(repository):
    """``market(share, path=value)``: the spiral's market, small."""

    def build(share: float, seed: int = 3, **settings: str) -> HealthMarket:
        given = [(path.replace("__", "."), value) for path, value in settings.items()]
        scenario = load_scenario(repository / "scenarios" / "s3_stablecoin_spiral.yaml",
                                 [*FAST, ("shocks.0.share", str(share)), *given])
        return HealthMarket(scenario, seed)

    return build


def lived(market: HealthMarket) -> dict[str, float]:
    for _ in range(market.horizon_days):
        market.step()
        market.invariants.require(market.day)
    return market.finish()


def test_a_large_wave_breaks_the_coin_and_a_small_one_does_not(market):
    small, large = lived(market(0.01)), lived(market(0.4))
    assert small["stablecoin.price_end"] > 0.95
    assert large["stablecoin.price_end"] < 0.5
    assert large["stablecoin_holders.run_share"] > 0.3
    assert small["stablecoin_holders.run_share"] < 0.02


def test_without_fear_nobody_runs(market):
    figures = lived(market(0.2, stablecoin_holders__runs="false"))
    assert figures["stablecoin_holders.run_share"] == 0.0


def test_only_the_informed_fear_for_the_reserve_and_all_for_the_price(market):
    one = market(0.0)
    for _ in range(3):
        one.step()
    holders = one.mechanism("stablecoin_holders")
    holders.attention[:] = 1.0
    holders.tolerance[:] = 0.1
    holders.coverage.append(holders.coverage[-1] * 0.5)
    assert set(holders.afraid(3)) == set(holders.informed.nonzero()[0])
    holders.stablecoin.price = lambda: 0.5
    assert len(holders.afraid(3)) == 40


def test_the_largest_are_the_informed_and_look_most(market):
    holders = market(0.0).mechanism("stablecoin_holders")
    assert holders.opening[holders.informed].min() >= holders.opening[~holders.informed].max()
    assert holders.attention[holders.opening.argmax()] == holders.section.attention_most
    assert holders.opening.sum() == pytest.approx(1e7 * MICRO, rel=1e-9)


def test_troves_stand_behind_all_coins_and_pay_the_wave(market):
    figures = lived(market(0.05, stablecoin__form="over_collateralised"))
    assert figures["stablecoin.depeg_max"] < 0.05
    assert figures["stablecoin.bad_debt"] == 0.0
    assert figures["stablecoin.redeemed"] + figures["stablecoin_holders.defended"] > 0.0


def test_the_best_size_is_found():
    size, gain = best_size(10**9, lambda x: -((x - 12_345_678) ** 2))
    assert (size, gain) == (12_345_678, 0)
    assert best_size(50, lambda x: x)[0] == 50


def test_a_steady_run_has_half_the_area():
    steady = [(day, 0, 10, 10, True) for day in range(100)]
    early = [(0, 0, 90, 90, True), (1, 0, 1, 1, True), (9, 0, 9, 9, True)]
    assert _concavity(steady) == pytest.approx(0.505)
    assert _concavity(early) > 0.9
    assert _concavity(early[:1]) is None
