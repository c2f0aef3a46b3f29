"""Genesis, delegation, proposals that change parameters, and votes by interest, in a whole market."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sim.contracts.governance.actions import ChangeParameter, PayFromTreasury
from sim.contracts.governance.governor import ProposalState, Support
from sim.kernel.fixedpoint import MAX_INT64

MILLION = 10**12
QUIET = {"proposals_per_year": 0.0}


def test_genesis(village):
    """100 M GOV: 40 to the community, of which 52 % with ten holders; 25 treasury, 20 team, 15 rewards."""
    market = village()
    governance, ledger = market.mechanism("governance"), market.ledger
    held = {name: ledger.balance(governance.gov, ledger.account(name))
            for name in ("treasury", "gov_vesting", "gov_rewards", "gov_distributor")}
    assert held == {"treasury": 25 * MILLION, "gov_vesting": 20 * MILLION, "gov_rewards": 15 * MILLION,
                    "gov_distributor": 0}
    assert ledger.supply(governance.gov) == 100 * MILLION
    assert governance.circulating() == 40 * MILLION
    share = market.metrics()["governance.top10_share"]
    assert 0.45 <= share <= 0.58
    holders = np.count_nonzero(ledger.person_balances(governance.gov))
    assert 0.1 < holders / 400 < 0.3


def test_unvested_and_treasury_tokens_do_not_vote(village):
    market = village()
    governance = market.mechanism("governance")
    assert 0 < governance.power.live().sum() <= 40 * MILLION


def test_vesting_and_rewards_follow_their_schedules(village):
    market = village(delegates=QUIET).days(361)
    governance, ledger = market.mechanism("governance"), market.ledger
    team = [ledger.balance(governance.gov, account) for account in governance.team]
    assert 0 <= 20 * MILLION * 360 // 1460 - sum(team) < len(team)       # each part is floored
    assert governance.rewards.paid == 0                      # nobody holds pool shares in the village
    pool = ledger.asset("POOL1-S", span="institutions")
    oracle = ledger.open_account("oracle 1", "oracles")
    ledger.mint(pool, ledger.account("provider 3"), 7, "deposit")
    before = ledger.balance(governance.gov, ledger.account("provider 3"))
    market.days(30)
    released = 75 * MILLION // 10 * 390 // 730 - 75 * MILLION // 10 * 360 // 730
    assert ledger.balance(governance.gov, ledger.account("provider 3")) - before == released * 6 // 10
    assert ledger.balance(governance.gov, oracle) == released * 2 // 10


def test_fair_value_is_discounted_income_over_supply(village):
    """2,000 dollars a day for 101 days seen on day 100, at 20 %, over 100 M."""
    market = village(delegates=None, research=None).days(101)
    governance = market.mechanism("governance")
    assert governance.fair_value() == pytest.approx(2000 * 101 * 365 / 100 / 0.20 / 100e6)
    assert market.ledger.price(governance.gov) == governance.fair_value()


def test_emissions_can_be_switched_off(village):
    market = village(governance={"emission_scale": 0.0}, delegates=QUIET)
    oracle = market.ledger.open_account("oracle 1", "oracles")
    market.days(91)
    assert market.ledger.balance(market.mechanism("governance").gov, oracle) == 0


def test_proposals_change_parameters_within_bounds(village):
    market = village(fees=40_000, delegates={"proposals_per_year": 60.0}).days(500)
    executed = market.events("governance.executed")
    changes = [action for event in executed for action in json.loads(event[4])["actions"]
               if action["action"] == "ChangeParameter"]
    assert len(changes) >= 3
    last = {change["path"]: change["value"] for change in changes}
    for path, value in last.items():
        assert market.parameters[path] == value
    for entry in market.parameters:
        assert entry.low <= entry.value <= entry.high
        assert entry.path in last or entry.value == entry.initial
    metrics = market.metrics()
    assert metrics["governance.executed"] == len(executed)
    assert 0.04 < metrics["governance.turnout"] < 0.5
    assert 1 <= metrics["governance.nakamoto"] <= 4          # a handful of voters reach half even when all vote
    assert metrics["governance.executed"] + metrics["governance.defeated"] <= metrics["governance.proposals"]


def test_nothing_is_executed_before_its_time(village):
    market = village(fees=40_000, delegates={"proposals_per_year": 60.0}).days(300)
    eta = {event[2]: json.loads(event[4])["eta"] for event in market.events("governance.queued")}
    for event in market.events("governance.executed"):
        assert event[0] >= eta[event[2]]
    for proposal in market.mechanism("governance").governor:
        for voter, (_, votes) in proposal.ballots.items():
            assert voter < len(market.mechanism("governance").power.voters)
            assert votes > 0


def proposed(market, value):
    """A whale's proposal to move the quorum, made by hand on the next day."""
    governance = market.mechanism("governance")
    whale = next(a for a in market.mechanism("delegates").agents if a.kind == "whales")
    market.days(1)
    return governance.propose(whale.voter, (ChangeParameter("governance.quorum", value),), "by hand"), whale


def carried_through(village, value, support):
    """The fate of a proposal on which only whales vote, by hand."""
    market = village(delegates={"proposals_per_year": 0.0, "attention_cost": 10_000.0}, research=None)
    market.days(2)
    governance = market.mechanism("governance")
    number, whale = proposed(market, value)
    market.days(3)
    governance.vote(number, whale.voter, support)
    market.days(3)
    return market, governance, number


def test_a_passed_proposal_is_queued_and_executed_by_the_delegates(village):
    market, governance, number = carried_through(village, 0.08, Support.FOR)
    assert governance.governor.state(number, market.day) is ProposalState.QUEUED
    assert market.parameters["governance.quorum"] == 0.04
    market.days(5)
    assert governance.governor.state(number, market.day) is ProposalState.EXECUTED
    assert market.parameters["governance.quorum"] == 0.08


def test_a_rejected_proposal_changes_nothing(village):
    market, governance, number = carried_through(village, 0.08, Support.AGAINST)
    market.days(40)
    assert governance.governor.state(number, market.day) is ProposalState.DEFEATED
    assert market.parameters["governance.quorum"] == 0.04
    assert market.metrics()["governance.defeated"] == 1


def test_out_of_bounds_is_refused_and_recorded(village):
    market, governance, number = carried_through(village, 0.5, Support.FOR)
    market.days(30)
    assert market.parameters["governance.quorum"] == 0.04
    assert governance.governor.state(number, market.day) is ProposalState.EXPIRED
    refusals = market.events("governance.execution_refused")
    assert refusals
    assert "outside" in json.loads(refusals[0][4])["reason"]
    metrics = market.metrics()
    assert metrics["governance.executions_refused"] == len(refusals)
    assert metrics["governance.expired"] == 1
    assert metrics["governance.executed"] == 0


def test_few_votes_are_cast_when_attention_is_dear(village):
    cheap, dear = (village(fees=20_000, delegates={"attention_cost": cost}).days(250).metrics()
                   for cost in (0.0, 5_000.0))
    assert cheap["governance.turnout"] > 2 * dear["governance.turnout"]
    assert cheap["delegates.votes"] > dear["delegates.votes"]


def test_delegates_vote_their_interest(village):
    """Without noise nobody votes for a move away from the ideal point of its class."""
    market = village(fees=40_000, delegates={"opinion_noise": 0.0, "proposals_per_year": 60.0}, research=None).days(400)
    agents = market.mechanism("delegates").by_voter
    ideals = market.mechanism("delegates").section.ideals
    parameters = {entry.path: entry for entry in market.parameters}
    checked = 0
    value = {path: entry.initial for path, entry in parameters.items()}
    for proposal in market.mechanism("governance").governor:
        (action,) = proposal.actions
        for voter, (support, _) in proposal.ballots.items():
            entry = parameters[action.path]
            ideal = entry.low + getattr(ideals[action.path], agents[voter].kind) * (entry.high - entry.low)
            nearer = abs(action.value - ideal) < abs(value[action.path] - ideal)
            assert support is (Support.FOR if nearer else Support.AGAINST)
            checked += 1
        if proposal.executed_on is not None:
            value[action.path] = action.value
    assert checked > 20


def test_a_proposal_that_promises_more_money_than_there_is_can_be_voted_on(village):
    """Its gain, as a limit for fees, would not fit into a ledger's integer."""
    market = village(delegates=QUIET).days(2)
    governance, delegates = market.mechanism("governance"), market.mechanism("delegates")
    payee = market.ledger.account("provider 3")
    whale = next(agent for agent in delegates.agents if agent.kind == "whales")
    number = governance.propose(whale.voter, (PayFromTreasury(market.usd, payee, MAX_INT64),), "riches")
    delegates.interests.gain = lambda agent, proposal: 1e16
    market.days(6)
    assert governance.governor[number].turnout > 0.0


def test_delegates_are_paid_from_the_standing_budget(village):
    market = village(delegates={"proposals_per_year": 0.0, "opening_cash": 0.0}, research=None).days(31)
    advocate, whale = market.ledger.account("advocate-1"), market.ledger.account("whale-1")
    assert market.ledger.balance(market.usd, advocate) == 100_000_000
    assert market.ledger.balance(market.usd, whale) == 0
    assert market.mechanism("governance").treasury.spent == {"delegate_pay": 12 * 100_000_000}


def test_same_seed_same_votes(village):
    first, second = (village(fees=20_000).days(200) for _ in range(2))
    assert first.record.events == second.record.events
    other = village(fees=20_000, seed=2).days(200)
    assert other.record.events != first.record.events


def test_works_without_delegates_and_without_people(village):
    market = village(delegates=None, research=None).days(40)
    assert market.metrics()["governance.proposals"] == 0
    empty = village(people=0, delegates=None, research=None).days(40)
    assert empty.ledger.supply(empty.mechanism("governance").gov) == 100 * MILLION


@pytest.mark.parametrize("kind", ["patients", "liquidity_providers", "researchers", "whales"])
def test_every_class_has_voters(village, kind):
    market = village(people=2000)
    power = market.mechanism("governance").power.live()
    assert any(power[agent.voter] > 0 for agent in market.mechanism("delegates").agents if agent.kind == kind)
