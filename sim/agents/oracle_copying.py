"""Copying as an action: the chance of being with the majority when some members copy instead of looking.

Copiers report what the first member who looks reports; it is the lead, and its copiers' votes stand or fall with it.
Each other member is believed to copy with the same probability. With nobody copying a copier is with the majority more
often than who looks, at no cost of effort; where all copy, all agree, and nobody has looked. What keeps members looking
is only what it costs to see another's report before one's own is due: commitments are there to make that dear.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.agents.oracle_bribes import binomial
from sim.agents.oracle_effort import Skill, Stakes, at_least, match_probability


def lead_agreement(copiers: int, lookers: int, needed: int, same: float) -> float:
    """Probability that at least ``needed`` votes of a lead with ``copiers`` and of ``lookers`` - 1 others fall on one
    side, each independent report doing so with probability ``same``."""
    return (same * at_least(needed - copiers - 1, lookers - 1, same)
            + (1.0 - same) * at_least(needed, lookers - 1, same))


def looking_agreement(copiers: int, lookers: int, seats: int, same: float) -> float:
    """Probability that one's own vote, formed by looking, is with the majority, beside ``copiers`` and ``lookers``
    others, each independent report being equal to one's own with probability ``same``."""
    needed = seats // 2  # votes beside one's own
    as_lead = at_least(needed - copiers, lookers, same)
    if not lookers:
        return as_lead
    chance = 1.0 / (lookers + 1)
    return chance * as_lead + (1.0 - chance) * lead_agreement(copiers, lookers, needed, same)


def match_looking(
    own: NDArray[np.float64], others: float, seats: int, correlation: float, copying: float
) -> NDArray[np.float64]:
    """Probability that a vote of accuracy ``own`` is with the majority when each other member copies with probability
    ``copying`` and looks with accuracy ``others`` otherwise. Equals :func:`match_probability` where nobody copies."""
    if copying <= 0.0:
        return match_probability(own, others, seats, correlation)
    follow = math.sqrt(correlation)
    weights = binomial(seats - 1, copying)

    def agreement(others_see_it: bool) -> tuple[float, float]:
        right = follow * others_see_it + (1.0 - follow) * others
        both = [sum(float(weights[k]) * looking_agreement(k, seats - 1 - k, seats, side) for k in range(seats))
                for side in (right, 1.0 - right)]
        return both[0], both[1]

    result = np.zeros_like(own)
    clear, misled = agreement(True), agreement(False)
    for weight, sees_it, (with_right, with_wrong) in (
        (np.minimum(own, others), 1.0, clear),
        (np.maximum(own - others, 0.0), 1.0, misled),
        (np.maximum(others - own, 0.0), 0.0, clear),
        (1.0 - np.maximum(own, others), 0.0, misled),
    ):
        right = follow * sees_it + (1.0 - follow) * own
        result += weight * (right * with_right + (1.0 - right) * with_wrong)
    return result


def match_copying(others: float, seats: int, correlation: float, copying: float) -> float:
    """Probability that a copier is with the majority; 1 where everybody else copies, too."""
    follow = math.sqrt(correlation)
    weights = binomial(seats - 1, min(max(copying, 0.0), 1.0))
    majority = seats // 2 + 1
    total = float(weights[seats - 1])
    for k in range(seats - 1):
        lookers = seats - 1 - k
        for weight, sees_it in ((others, 1.0), (1.0 - others, 0.0)):
            right = follow * sees_it + (1.0 - follow) * others
            total += float(weights[k]) * weight * sum(
                side * at_least(majority - k - 2, lookers - 1, side) for side in (right, 1.0 - right))
    return total


def copying_value(
    stakes: Stakes, others: float, seats: int, correlation: float, copying: float, cost: float
) -> float:
    """Expected dollars per vote of a copier who pays ``cost`` to see a report."""
    match = match_copying(others, seats, correlation, copying)
    return match * stakes.reward - (1.0 - match) * stakes.slash - stakes.fixed - cost


def free_riding_share(
    levels: NDArray[np.float64], cost: float, skill: Skill, stakes: Stakes, others: float, seats: int,
    correlation: float, copy_cost: float,
) -> float:
    """Share of copiers at which copying pays no better than looking as hard as is best, found from below: 0 where it
    never pays, 1 where it always does. Others who look have accuracy ``others``."""
    accuracies = skill.accuracy(levels)

    def gain(share: float) -> float:
        match = match_looking(accuracies, others, seats, correlation, share)
        look = float((match * stakes.reward - (1.0 - match) * stakes.slash - stakes.fixed - cost * levels).max())
        return copying_value(stakes, others, seats, correlation, share, copy_cost) - look

    if gain(0.0) <= 0.0:
        return 0.0
    low = 0.0
    for step in range(1, 101):
        if gain(step / 100.0) <= 0.0:
            high = step / 100.0
            break
        low = step / 100.0
    else:
        return 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if gain(middle) > 0.0 else (low, middle)
    return 0.5 * (low + high)
