"""Projects, purchases and grants in a whole market; what switching payments off means."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contracts.research.study import two_sample_power

DOLLARS = 10**6


def test_groups_buy_data_and_finish_projects(village):
    market = village(research={"researchers": 8}).days(400)
    metrics = market.metrics()
    research = market.mechanism("research")
    assert metrics["research.projects"] >= 8
    assert metrics["research.mean_power"] > 0.5
    assert metrics["research.records_bought"] == metrics["data_vault.sales"]
    assert metrics["research.data_spending"] == pytest.approx(
        metrics["data_vault.sales"] * metrics["data_vault.mean_price"])
    assert metrics["data_vault.revenue_per_patient"] > 0
    assert {group.condition for group in research.groups} == {0, 1}


def test_money_goes_round(village):
    """What groups paid is with patients, vault, treasury and firms; nothing is made or lost."""
    market = village(research={"researchers": 4}, governance=None, delegates=None).days(120)
    flows: dict[tuple[str, str, str], int] = {}
    for _, kind, _, source, target, amount in market.record.flows:
        flows[kind, source, target] = flows.get((kind, source, target), 0) + amount
    sale = flows["data_sale", "researchers", "households"]
    fees = flows["data_fee", "researchers", "protocol"]
    assert sale + fees == round(market.metrics()["research.data_spending"] * DOLLARS)
    assert fees == pytest.approx(sale / 9, rel=1e-4)
    assert flows["research_overhead", "researchers", "firms"] > 0


FREE = {"analysis_days": 0, "overhead_per_month": 0.0, "analysis_cost": 0.0, "least_power": 0.05}


def test_effects_that_exist_are_found_with_the_power(village):
    """With the prior at one every project's effect exists."""
    metrics = village(people=800, seed=3, research={"prior": 1.0, **FREE}).days(500).metrics()
    projects, power = metrics["research.projects"], metrics["research.mean_power"]
    assert metrics["research.false_positives"] == 0
    assert projects > 100
    assert metrics["research.successes"] / projects == pytest.approx(power, abs=4 * np.sqrt(0.25 / projects))


def test_nulls_are_found_at_the_level_of_the_test(village):
    """With the prior next to zero no effect exists, whatever is found."""
    # a prize of ten billion keeps groups buying although hardly any effect exists
    settings = {"prior": 1e-5, "significance": 0.1, "result_value": 1e10, **FREE}
    metrics = village(people=800, seed=3, research=settings).days(500).metrics()
    projects = metrics["research.projects"]
    assert metrics["research.successes"] == 0
    assert projects > 100
    assert metrics["research.false_positives"] / projects == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / projects))


def test_grants_are_voted_funded_and_paid(village):
    market = village(fees=3000, research={"opening_cash": 6000.0, "researchers": 10},
                     delegates={"attention_cost": 0.0}).days(400)
    metrics = market.metrics()
    assert metrics["research.grant_rounds_funded"] >= 1
    paid = sum(event[3] for event in market.events("research.grant"))
    assert metrics["research.grants_paid"] == pytest.approx(paid)
    assert paid > 0
    treasury = market.mechanism("governance").treasury
    funded = treasury.spent["programme_funding"] - treasury.income["grant_return"]
    assert funded == round(paid * DOLLARS)
    assert 0.1 <= metrics["research.hhi_grants"] <= 1.0
    rounds = market.mechanism("research").grants.rounds
    for done in rounds:
        assert len({application.applicant for application in done.applications}) == len(done.applications)


def test_a_group_without_cash_buys_nothing(village):
    market = village(research={"opening_cash": 0.0}, governance=None, delegates=None).days(300)
    metrics = market.metrics()
    assert metrics["research.records_bought"] == 0
    assert metrics["research.projects"] == 0
    assert metrics["research.abandoned"] > 0
    assert "research.hhi_grants" not in metrics


def test_a_worthless_result_is_not_studied(village):
    market = village(research={"result_value": 100.0}).days(120)
    assert market.metrics()["research.records_bought"] == 0


def test_without_payments_nothing_shows(village):
    """Payments at zero and no research at all leave the same people, money and events, day by day."""
    on = village(research={"payments": 0.0}, fees=20_000)
    off = village(research=None, fees=20_000)
    for _ in range(150):
        on.days(1)
        off.days(1)
        for name in on.people.names:
            assert on.people[name].tobytes() == off.people[name].tobytes(), (on.day, name)
        assert on.ledger.person_balances(on.usd).tobytes() == off.ledger.person_balances(off.usd).tobytes()
    assert on.record.events == off.record.events
    assert on.mechanism("governance").treasury.balance() == off.mechanism("governance").treasury.balance()
    assert on.metrics()["research.projects"] == 0


def test_discoveries_are_told_to_listeners(village):
    heard = []
    market = village(people=800, research={"prior": 1.0})
    market.mechanism("research").listeners.append(heard.append)
    market.days(300)
    assert len(heard) == len(market.events("research.discovery")) > 0
    assert all(found.true and found.power > two_sample_power(0, 0.5, 0.05) for found in heard)
