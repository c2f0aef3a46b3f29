"""The sandwich trader: its plan against the closed form, the victim's limit, its own means, the queue."""

import pytest

from sim import HealthMarket, load_scenario
from sim.agents.adversary.sandwich import Victim, plan
from sim.contracts.amm.constant_product import fee_fraction

UNIT = 10**9
NO_FEE, FEE = fee_fraction(0), fee_fraction(30)
X = 1000 * UNIT


@pytest.mark.parametrize(("most", "profit", "victim", "fee"), [
    (10, 2.0663989814905, 89.1981090000892, NO_FEE), (500, 56.52173913043475, 41.666666666666664, NO_FEE),
    (100, 17.368352531117694, 75.5698002734141, FEE)])
def test_without_a_limit_it_puts_in_what_it_has(most, profit, victim, fee):
    """AMM-10: the profit rises with the size in front, so that its means bind."""
    found = plan(Victim(False, 100 * UNIT, 0, 0, 1), X, X, *fee, most * UNIT)
    assert found.size == pytest.approx(most * UNIT, rel=1e-6)
    assert found.profit / UNIT == pytest.approx(profit, rel=1e-6)
    assert found.victim_out / UNIT == pytest.approx(victim, rel=1e-6)


def test_the_victims_limit_binds_to_the_unit():
    alone = plan(Victim(False, 100 * UNIT, 0, 0, 1), X, X, *FEE, 0).alone_out
    least = alone * 98 // 100
    found = plan(Victim(False, 100 * UNIT, least, 0, 1), X, X, *FEE, X)
    assert found.profit > 0
    assert least <= found.victim_out <= least + least // 10**6
    assert plan(Victim(False, 100 * UNIT, alone, 0, 1), X, X, *FEE, X).size == 0


def test_a_small_order_does_not_pay_its_fee():
    """Below 0.3 per cent of the reserve the attacker's own fee exceeds the gain."""
    assert plan(Victim(False, 2 * UNIT, 0, 0, 1), X, X, *FEE, X // 100).profit == 0
    assert plan(Victim(False, 5 * UNIT, 0, 0, 1), X, X, *FEE, X // 100).profit > 0


def run(*changes):
    market = HealthMarket(load_scenario("scenarios/s3_sandwich.yaml", [("horizon_days", "10"), *changes]), seed=4)
    for _ in range(10):
        market.step()
        market.invariants.require(market.day)
    mechanism = market.mechanism("sandwich")
    mechanism.finish(market)
    return mechanism, market.record.metrics


def test_in_a_market_victims_lose_and_it_gains():
    mechanism, metrics = run()
    assert 0 < metrics["sandwich.attacks"] <= metrics["sandwich.attempts"]
    assert metrics["sandwich.profit"] > 0
    assert metrics["sandwich.victims_loss"] > 0
    trader = mechanism.trader
    assert trader.ledger.balance(trader.pool.base, trader.account) >= trader.opening[0]  # nothing is left unsold


def test_orders_that_cannot_be_read_are_safe():
    assert run(("traders.private_orders", "true"))[1]["sandwich.attempts"] == 0


def test_it_stays_away_where_gas_exceeds_the_profit():
    assert run(("sandwich.markup", "1000"), ("chain.preset", "layer_1"))[1]["sandwich.attempts"] == 0
