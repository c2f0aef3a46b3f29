"""What operators believe that votes of the next period earn and cost."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim.agents.oracle_beliefs import Beliefs, Observed
from sim.kernel.fixedpoint import MICRO


def claims(owed=0, reward=6, gas=4):
    return SimpleNamespace(reward=lambda: reward * MICRO, vote_gas=lambda: gas * MICRO,
                           at_stake=lambda: np.array([5 * MICRO]),
                           operators=SimpleNamespace(owed=np.array([owed])))


def period():
    return Observed(coherent=80, deviating=10, absent=10, earned=160 * MICRO, gas=900 * MICRO,
                    further_gas=300 * MICRO)


def test_at_first_the_posted_reward_and_gas_are_believed():
    found = Beliefs().expected(claims())
    assert (found.reward, found.slash, found.fixed) == (6, 5, 4)


def test_votes_earn_and_cost_what_they_did():
    beliefs = Beliefs()
    beliefs.learn(period())
    found = beliefs.expected(claims(owed=1))
    assert (found.reward, found.slash, found.fixed) == (2, 5, 9)
    assert beliefs.overhead == 3
    best = beliefs.posted(claims())
    assert (best.reward, best.fixed) == (6, 4)


@pytest.mark.parametrize(("owed", "pay"), [(1, 2), (0, 6)])
def test_after_a_period_without_votes_debts_of_the_fund_are_not_forgotten(owed, pay):
    beliefs = Beliefs()
    beliefs.learn(period())
    beliefs.learn(Observed())
    found = beliefs.expected(claims(owed=owed))
    assert (found.reward, found.fixed) == (pay, 12)
