"""Who takes a bribe: gains by case, beliefs, the threshold of p + epsilon, and what a plain bribe costs beside it."""

import pytest

from sim.agents.oracle_bribes import BribedVote, Honesty
from sim.contracts.oracle_committee.rules import Bribe

CONSCIENCE = Honesty(1.0, 1.0, 0.04)


def vote(promise, contingent=True, offered=5, seats=5, **more):
    return BribedVote(2.0, 5.0, promise, seats, offered, contingent, **more)


def test_gains_are_those_of_the_derived_attack():
    bribe = Bribe(2_000_000, 5_000_000, 500_000, 5)
    gains = [(bribe.payoff(True, x, bribe.promise) - bribe.payoff(False, x, bribe.promise)) / 1e6 for x in range(5)]
    assert vote(7.5).gains.tolist() == pytest.approx(gains)
    assert vote(7.5).gains.tolist() == pytest.approx([0.5, 0.5, 0.0, 7.0, 7.0])


def test_losers_stakes_are_shared_where_the_rule_says_so():
    assert vote(7.5, shared=True).gains[1] == pytest.approx(0.5 - 5.0 / 4)
    assert vote(7.5, shared=True).gains[4] == pytest.approx(7.0)


@pytest.mark.parametrize(("multiple", "wins"), [(0.5, False), (0.9, False), (1.0, True), (1.1, True), (2.0, True)])
def test_committee_falls_once_the_budget_covers_the_promise(multiple, wins):
    budget = multiple * 3 * 7.5
    one = vote(min(7.5, budget / 3), error=0.07)
    takers = one.believed_takers(CONSCIENCE)
    assert (one.success(takers) > 0.95) is wins
    assert (one.success(takers) < 0.02) is not wins
    if wins:
        assert one.cost(takers) < 0.05


def test_a_plain_bribe_costs_what_it_promises_when_it_works():
    plain = vote(7.5, contingent=False)
    takers = plain.believed_takers(CONSCIENCE)
    assert plain.success(takers) > 0.95
    assert plain.cost(takers) == pytest.approx(5 * 7.5 * takers)
    assert plain.cost(takers) > 100 * vote(7.5).cost(vote(7.5).believed_takers(CONSCIENCE))


def test_the_honest_are_not_first_and_so_nobody_is():
    one = vote(7.5)
    assert one.believed_takers(Honesty(20.0, 0.5, 0.04)) < 0.01
    assert one.believed_takers(Honesty(1.0, 1.0, 0.0)) > 0.9


def test_an_offer_to_too_few_cannot_win():
    assert vote(50.0, contingent=False, offered=2, error=0.0).success(1.0) == 0.0
