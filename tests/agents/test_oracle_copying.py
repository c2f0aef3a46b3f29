"""Copying as an action: the closed form against committees played out, and who copies at which cost."""

import numpy as np
import pytest

from sim.agents.oracle_copying import free_riding_share, match_copying, match_looking
from sim.agents.oracle_effort import Skill, Stakes, majority_probability, match_probability

LEVELS = np.linspace(0.0, 3.0, 61)


def played(own, others, seats, correlation, copying, i_copy, runs=200_000, seed=3):
    """Share of committees in which member 0 is with the majority; the lead is the first looker in random seat order."""
    draw = np.random.default_rng(seed)
    follow = np.sqrt(correlation)
    copies = draw.random((runs, seats)) < copying
    copies[:, 0] = i_copy
    seen = draw.random((runs, 1))
    follows = draw.random((runs, seats)) < follow
    accuracy = np.full(seats, others)
    accuracy[0] = own
    right = np.where(follows, seen, draw.random((runs, seats))) < accuracy
    rank = draw.random((runs, seats)) + copies  # lookers come first, then copiers: nobody to copy, the first copier
    lead = rank.argmin(axis=1)
    votes = np.where(copies, right[np.arange(runs), lead][:, None], right)
    return float(((votes == votes[:, :1]).sum(axis=1) > seats // 2).mean())


@pytest.mark.parametrize("copying", [0.0, 0.3, 0.8])
def test_closed_form_is_what_committees_do(copying):
    accuracy = np.array([0.6, 0.85, 0.95])
    expected = match_looking(accuracy, 0.85, 5, 0.2, copying)
    for own, one in zip(accuracy.tolist(), expected.tolist(), strict=True):
        assert one == pytest.approx(played(own, 0.85, 5, 0.2, copying, False), abs=0.004)
    assert match_copying(0.85, 5, 0.2, copying) == pytest.approx(played(0.85, 0.85, 5, 0.2, copying, True), abs=0.004)


def test_without_copiers_it_is_the_effort_game():
    accuracy = Skill().accuracy(LEVELS)
    assert match_looking(accuracy, 0.9, 7, 0.2, 0.0) == pytest.approx(match_probability(accuracy, 0.9, 7, 0.2))
    assert match_looking(accuracy, 0.9, 7, 0.2, 1e-12) == pytest.approx(match_probability(accuracy, 0.9, 7, 0.2))


def test_free_riding_is_all_or_nothing_in_its_cost():
    """Copying pays more the more copy, so the share jumps: dear copying finds nobody, cheap copying nearly all."""
    def share(copy_cost):
        return free_riding_share(LEVELS, 0.5, Skill(), Stakes(2.0, 5.0), 0.92, 5, 0.2, copy_cost)

    assert share(0.0) == pytest.approx(1.0)
    assert share(0.4) > 0.9
    assert share(0.6) == 0.0


def test_more_seats_do_not_cure_correlated_errors():
    alone = [majority_probability(0.8, seats, 0.0) for seats in (5, 31, 101)]
    together = [majority_probability(0.8, seats, 0.5) for seats in (5, 31, 101)]
    assert alone[0] < alone[1] < alone[2]
    assert alone[2] > 0.999999
    assert together[2] < 0.81
    assert majority_probability(0.9, 5, 0.0) == pytest.approx(0.99144)
