"""Traders in a market of their own: the outside price, the health token, one pool and them."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.sections.amm import AmmSection
from sim.scenario.sections.health_token import HealthTokenSection
from sim.scenario.sections.reference_price import ReferencePriceSection
from sim.scenario.sections.traders import TradersSection

QUIET = {"noise_traders": 0, "momentum_traders": 0, "arbitrageurs": 0}


def build(days=30, seed=1, token=None, **traders):
    sections = {"reference_price": ReferencePriceSection(), "health_token": HealthTokenSection(**(token or {})),
                "amm": AmmSection(), "traders": TradersSection(**traders)}
    scenario = SimpleNamespace(sections=sections, horizon_days=days, shocks=(), seed=seed)
    return HealthMarket(scenario, seed)


def run(market, days=None):
    for _ in range(days or market.horizon_days):
        market.step()
        market.invariants.require(market.day)
    return market


def pool_of(market):
    return market.mechanism("amm").pool("HLT")


class Price:
    """Stands in for the outside world with a price of our own."""

    def __init__(self, market, price, index=1.0):
        self.hlt_external, self.medical_index = price, index
        self.external_venue = market.ledger.account("external_venue")

    def set_fundamental(self, value):
        pass


def at_price(market, price):
    """Fix the venue's price, and let it trade outside the band."""
    market.mechanism("traders").outside = Price(market, price)
    return market


def closed(**traders):
    return build(token={"primary_market_open": False}, **{**QUIET, **traders})


def test_arbitrage_brings_the_pool_to_the_edge_of_the_band_and_no_further():
    for venue in (0.8, 0.95, 1.1, 1.4):
        market = at_price(closed(arbitrageurs=1, arbitrage_inventory_share=5.0), venue)
        market.step()
        edge = venue * 1.0005 / 0.997 if venue < 1 else venue * 0.9995 * 0.997
        # the fee that stays in the pool moves the edge by a little when the trade is large
        assert pool_of(market).spot() == pytest.approx(edge, rel=1e-3)
        assert market.mechanism("traders").arbitrageurs[0].best()[3] == 0


def test_no_arbitrage_inside_the_band():
    for venue in (0.998, 1.0, 1.002):
        market = at_price(closed(arbitrageurs=1), venue)
        market.step()
        assert pool_of(market).spot() == 1.0


def test_arbitrage_is_limited_by_inventory():
    market = at_price(closed(arbitrageurs=1, arbitrage_inventory_share=0.01), 1.4)
    market.step()
    assert pool_of(market).spot() == pytest.approx(1.01**2, rel=1e-3)


def test_arbitrage_gains_what_the_closed_form_says():
    venue = 1.21
    market = at_price(closed(arbitrageurs=1, arbitrage_inventory_share=5.0, venue_cost_bps=0.0), venue)
    arbitrageur = market.mechanism("traders").arbitrageurs[0]
    market.step()
    # AMM-04 with a fee on the input: gain = x p + y/keep - 2 sqrt(x y p / keep)
    keep, reserve = 0.997, 2e6
    assert arbitrageur.result(venue) == pytest.approx(
        reserve * venue + reserve / keep - 2 * reserve * (venue / keep) ** 0.5, rel=1e-6)
    tokens, cash = arbitrageur.tokens, arbitrageur.cash
    market.step()  # sells at the venue what it bought
    assert arbitrageur.tokens == arbitrageur.opening[1]
    assert arbitrageur.cash - cash == pytest.approx((tokens - arbitrageur.tokens) * venue, abs=2)


def test_gas_above_the_gain_stops_arbitrage():
    market = at_price(closed(arbitrageurs=1), 1.02)
    traders = market.mechanism("traders")
    traders.chain.fee = lambda kind: 10**12
    traders.arbitrageurs[0].late_gain = 0.0
    market.step()
    assert pool_of(market).spot() == 1.0


def test_expensive_later_orders_are_given_up_and_tried_again():
    market = at_price(closed(arbitrageurs=1, arbitrage_probe_days=5), 1.0)
    traders = market.mechanism("traders")
    traders.chain.fee = lambda kind: 1000
    sent = []
    for _ in range(12):
        before = traders.chain.counts.submitted
        market.step()
        sent.append(traders.chain.counts.submitted - before)
    assert sent == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]


def test_the_loser_of_a_race_is_refused_and_nothing_moves():
    market = at_price(closed(arbitrageurs=2, arbitrage_orders_per_day=1, arbitrage_inventory_share=5.0), 1.1)
    market.step()
    traders = market.mechanism("traders")
    assert traders.today["orders"] == 1
    assert traders.today["failed_orders"] == 1
    idle = [trader for trader in traders.arbitrageurs if trader.tokens == trader.opening[1]]
    assert len(idle) == 1
    assert idle[0].cash == idle[0].opening[0]


def test_mint_and_redeem_arbitrage_against_the_reserve():
    for pool_price, counter in ((1.10, "minted"), (0.90, "redeemed")):
        market = build(**{**QUIET, "arbitrageurs": 1, "arbitrage_inventory_share": 1.0})
        token, pool, ledger = market.mechanism("health_token"), pool_of(market), market.ledger
        market.mechanism("traders").outside = Price(market, pool_price)  # the venue is no cheaper than the reserve
        whale = ledger.open_account("whale", "traders")
        for asset in (pool.base, pool.quote):
            ledger.mint(asset, whale, 10**12, "x")
        market.ledger.mint(market.usd, token.reserve, 10**12, "x")
        side = pool.quote if pool_price > 1 else pool.base
        pool.swap(whale, side, int(2e12 * (max(pool_price, 1 / pool_price) ** 0.5 - 1)))
        market.step()
        market.step()
        assert getattr(token, counter) > 0
        assert 0.98 * 0.99 < pool.spot() < 1.004
        assert market.mechanism("traders").arbitrageurs[0].result(1.0) > 0


def test_noise_trades_the_stated_share_of_depth_both_ways():
    market = run(build(days=400, **{**QUIET, "noise_traders": 4, "noise_inventory_share": 5.0,
                                    "slippage_limit": 0.5}))
    series = market.record.daily["traders.noise_volume"]
    depth = np.mean(market.record.daily["amm.depth"]) / 0.00998  # quote reserve
    assert series.mean() / depth == pytest.approx(0.005, rel=0.15)
    pool = pool_of(market)
    sold, bought = pool.state.base_in * 1.0, pool.state.quote_in * 1.0
    assert sold / (sold + bought) == pytest.approx(0.5, abs=0.06)


def test_noise_traders_offer_no_more_than_they_hold():
    market = run(build(days=60, **{**QUIET, "noise_traders": 2, "noise_inventory_share": 0.001}))
    assert market.mechanism("traders").total.get("failed_orders", 0) < 60
    assert market.record.daily["traders.noise_volume"].sum() > 0


def test_one_more_noise_trader_moves_no_other_draw():
    """The same trader draws the same sides, whatever else takes part."""
    few, more = build(**{**QUIET, "noise_traders": 2}), build(**{**QUIET, "noise_traders": 2, "arbitrageurs": 2})
    for market in (few, more):
        market.mechanism("traders").trade(market)
    orders = [[(order.trader.name, order.base_in, order.arrival) for batch in
               market.mechanism("chain").queue().batches.values() for order in batch.payload
               if order.trader.kind == "noise"] for market in (few, more)]
    assert orders[0] == orders[1]


def test_momentum_follows_the_trend_within_its_wealth():
    market = build(**{**QUIET, "momentum_traders": 1, "momentum_min_trade": 0.0})
    trader = market.mechanism("traders").momentum[0]
    rng = np.random.default_rng(0)
    noise = 0.001 * rng.standard_normal(21)
    assert trader.wish([1.0] * 5, 1.0) == 0.0
    assert trader.wish([1.0] * 21, 1.0) == 0.0
    up = list(np.exp(0.02 * np.arange(21) + noise))
    down = list(np.exp(-0.02 * np.arange(21) + noise))
    wealth = (trader.cash + trader.tokens) / MICRO
    assert trader.wish(up, 1.0) == pytest.approx(0.25 * wealth, rel=0.05)  # from 1/2 to (1 + k)/2, k = 0.5
    assert trader.wish(down, 1.0) == pytest.approx(-0.25 * wealth, rel=0.05)
    assert trader.wish(list(np.exp(noise)), 1.0) == pytest.approx(
        0.25 * wealth * np.tanh((noise[-1] - noise[0]) / (np.diff(noise).std() * 20**0.5)), rel=0.2)


def test_slippage_limit_refuses_a_worse_price():
    market = build(**{**QUIET, "noise_traders": 1, "slippage_limit": 0.0})
    traders, pool = market.mechanism("traders"), pool_of(market)
    order = traders._order(traders.noise[0], 10**9, pool.spot(), 0.5)
    whale = market.ledger.open_account("whale", "traders")
    market.ledger.mint(market.usd, whale, 10**12, "x")
    pool.swap(whale, pool.quote, 10**9)
    with pytest.raises(ValueError, match="less than"):
        traders.noise[0].execute(order)


def test_what_traders_lose_others_gain():
    """Nothing is created: dollars and tokens only change hands, are minted against cash, or redeemed."""
    market = run(build(days=120))
    assert market.ledger.check_supplies() is None
    assert market.ledger.check_flows() is None
    summary = market.finish()
    assert summary["traders.noise_result"] < 0  # noise pays for the fees and for being wrong
    assert summary["traders.arbitrage_profit"] > 0
    assert summary["amm.price_gap"] < 0.02


def test_same_seed_same_run():
    first, second = (run(build(days=40)).record.daily for _ in range(2))
    other = run(build(days=40, seed=2)).record.daily
    assert set(first) == set(second)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["amm.price"], other["amm.price"])


def test_every_declared_series_and_metric_is_recorded():
    market = run(build(days=3))
    summary = market.finish()
    assert {item.name for item in TradersSection.series} <= set(market.record.daily)
    assert {item.name for item in TradersSection.metrics} <= set(summary)
