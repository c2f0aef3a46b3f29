"""The choice of effort: accuracy, the probability of matching the majority, best responses."""

import itertools
import math

import numpy as np
import pytest

from sim.agents.oracle_effort import Skill, Stakes, at_least, match_probability, settled_accuracy, vote_values

LEVELS = np.linspace(0.0, 3.0, 61)
SKILL = Skill()


def test_accuracy_follows_the_rule():
    assert SKILL.accuracy(np.array([0.0, 1.0, 50.0])).tolist() == pytest.approx([0.5, 0.95 - 0.45 * math.exp(-3), 0.95])


def test_at_least_is_the_binomial_tail():
    assert at_least(0, 4, 0.3) == pytest.approx(1.0)
    assert at_least(5, 4, 0.3) == 0
    assert at_least(2, 2, 0.9) == pytest.approx(0.81)


def enumerated(own, others, seats, correlation):
    """P(vote is with the majority) by summing over who follows, who is right, and what everybody sees."""
    follow, total = math.sqrt(correlation), 0.0
    edges = sorted({0.0, own, others, 1.0})
    for low, high in itertools.pairwise(edges):
        shared = (low + high) / 2
        for right in itertools.product((True, False), repeat=seats):
            p = high - low
            for j, one in enumerate(right):
                accuracy = own if j == 0 else others
                chance = follow * (shared < accuracy) + (1 - follow) * accuracy
                p *= chance if one else 1 - chance
            with_me = sum(one == right[0] for one in right)
            total += p * (2 * with_me > seats)
    return total


@pytest.mark.parametrize(("own", "others"), [(0.9, 0.9), (0.95, 0.7), (0.6, 0.8), (0.5, 0.5)])
@pytest.mark.parametrize("seats", [1, 3, 5, 4])
@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.8])
def test_match_probability_equals_enumeration(own, others, seats, correlation):
    found = match_probability(np.array([own]), others, seats, correlation)[0]
    assert found == pytest.approx(enumerated(own, others, seats, correlation), abs=1e-12)


def best(cost, stakes, others=0.9):
    return LEVELS[vote_values(LEVELS, np.array([cost]), SKILL, stakes, others, 5, 0.2)[0].argmax()]


def test_effort_rises_with_what_is_at_stake_and_falls_with_its_cost():
    assert best(0.5, Stakes(2, 5)) < best(0.5, Stakes(2, 50))
    assert best(0.5, Stakes(2, 5)) > best(2.0, Stakes(2, 5))
    assert best(100.0, Stakes(2, 5)) == 0


def test_fixed_costs_change_the_value_and_not_the_effort():
    assert best(0.5, Stakes(2, 5, fixed=3)) == best(0.5, Stakes(2, 5))
    values = [vote_values(LEVELS, np.array([0.5]), SKILL, Stakes(2, 5, fixed), 0.9, 5, 0.2).max() for fixed in (0, 3)]
    assert values[0] - values[1] == pytest.approx(3)


def test_settled_accuracy_is_a_best_response_to_itself():
    stakes = Stakes(2, 5)
    settled = settled_accuracy(LEVELS, 0.5, SKILL, stakes, 5, 0.2)
    assert SKILL.accuracy(np.array([best(0.5, stakes, others=settled)]))[0] == settled
