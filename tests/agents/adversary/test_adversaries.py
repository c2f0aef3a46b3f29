"""Briber and ring in small markets: they act when it pays, do as they say, and leave no trace where they are absent."""

from pathlib import Path

import numpy as np
import pytest

from sim import load_scenario
from sim.agents.adversary.fraud_ring import accuracy_of, enters
from sim.agents.oracle_effort import match_probability
from sim.model import HealthMarket

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"


def after(name, days, variant=None, **changes):
    """A market of a shipped scenario after some days, every invariant checked each day."""
    scenario = load_scenario(SCENARIOS / f"{name}.yaml", [(key.replace("__", "."), str(value))
                                                          for key, value in changes.items()])
    market = HealthMarket(scenario.variants[variant] if variant else scenario, seed=11)
    for _ in range(days):
        market.step()
        market.invariants.require(market.day)
    return market


@pytest.fixture(scope="module")
def bribed():
    return after("s3_oracle_p_plus_epsilon", 25)


def test_p_plus_epsilon_wins_for_nothing(bribed):
    metrics = bribed.finish()
    assert metrics["oracle_briber.accuracy"] == 0.0
    assert metrics["oracle_briber.bribes_paid"] == 0.0
    assert metrics["oracle_briber.profit"] > 10_000
    assert metrics["oracle_briber.expected_profit"] == pytest.approx(metrics["oracle_briber.profit"], rel=0.35)
    table, false = bribed.mechanism("claims").table, bribed.mechanism("oracle_briber").false
    assert false.filed == metrics["oracle_briber.filed"] > 10
    assert int(table["paid"].sum()) > false.paid == pytest.approx(metrics["oracle_briber.pool_loss"] * 1e6)


def test_a_briber_who_is_short_stays_away():
    assert after("s3_oracle_p_plus_epsilon", 12, "sober").finish()["oracle_briber.filed"] == 0


def test_without_offers_nobody_is_tempted():
    market = after("s3_oracle_p_plus_epsilon", 12, "secret_ballots")
    briber = market.mechanism("oracle_briber")
    assert briber.false.filed > 0
    assert briber.offered_votes == 0
    assert not briber.escrow.offers
    assert market.ledger.balance(market.usd, briber.escrow.account) == 0


def test_entry_is_the_published_rule():
    assert enters(0.5, 1400.0, 1000.0, 0.0)
    assert not enters(0.6, 1400.0, 1000.0, 0.0)
    assert not enters(0.5, 1000.0, 1000.0, 0.0)
    assert not enters(0.5, 1400.0, 1000.0, 201.0)


def test_accuracy_is_read_off_agreement():
    for accuracy in (0.6, 0.8, 0.95):
        agreement = float(match_probability(np.array([accuracy]), accuracy, 5, 0.2)[0])
        assert accuracy_of(agreement, 5, 0.2) == pytest.approx(accuracy, abs=1e-6)
    assert accuracy_of(0.1, 5, 0.2) == pytest.approx(0.5)


def test_the_ring_robs_careless_committees_and_leaves_careful_ones():
    careless = after("s3_fraud_ring", 40).finish()
    assert careless["fraud_ring.filed"] >= 10
    assert careless["fraud_ring.profit"] > 0
    careful = after("s3_fraud_ring", 25, "careful").finish()
    assert careful["fraud_ring.filed"] == 0
    assert careful["fraud_ring.believed_detection"] > 0.9
