"""How hard an oracle operator looks: the effort that maximises what a vote is expected to earn.

An operator that spends effort e is right with probability p(e) = p0 + g (1 - exp(-r e)). It is paid R when it votes
with the majority and loses S when it does not, so it chooses e to maximise q R - (1 - q) S - c e, where q is the
probability of voting with the majority given how often it believes the others to be right. Errors are correlated: with
probability sqrt(rho) a vote follows what everybody sees of the claim, else the operator's own look at it; the errors of
two votes of equal accuracy then have correlation rho.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Match = Callable[[NDArray[np.float64], float, int, float], NDArray[np.float64]]
"""Probability of being with the majority, by own accuracies, others' accuracy, seats and correlation of errors."""


@dataclass(frozen=True, slots=True)
class Skill:
    """Accuracy as a function of effort: p(e) = floor + gain (1 - exp(-rate e))."""

    floor: float = 0.5
    gain: float = 0.45
    rate: float = 3.0

    def accuracy(self, effort: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of a correct report, in the shape of ``effort``."""
        result: NDArray[np.float64] = self.floor + self.gain * (1.0 - np.exp(-self.rate * effort))
        return result


def at_least(successes: int, trials: int, p: float) -> float:
    """P(Bin(trials, p) >= successes)."""
    return sum(math.comb(trials, x) * p**x * (1.0 - p) ** (trials - x) for x in range(max(successes, 0), trials + 1))


def match_probability(
    own: NDArray[np.float64], others: float, seats: int, correlation: float
) -> NDArray[np.float64]:
    """Probability that a vote of accuracy ``own`` is with the majority of ``seats`` votes of accuracy ``others``.

    By the three cases of what everybody sees of the claim: clear enough for both accuracies, for the better one only,
    or for neither. A tie counts as no match.
    """
    follow = math.sqrt(correlation)
    needed = seats // 2  # votes beside one's own

    def agreement(others_see_it: bool) -> tuple[float, float]:
        right = follow * others_see_it + (1.0 - follow) * others
        return at_least(needed, seats - 1, right), at_least(needed, seats - 1, 1.0 - right)

    total = np.zeros_like(own)
    better = own > others
    cases = (
        (np.minimum(own, others), np.ones_like(own), True),
        (np.where(better, own - others, 0.0), np.ones_like(own), False),
        (np.where(better, 0.0, others - own), np.zeros_like(own), True),
        (1.0 - np.maximum(own, others), np.zeros_like(own), False),
    )
    for weight, sees_it, others_see_it in cases:
        right = follow * sees_it + (1.0 - follow) * own
        with_right, with_wrong = agreement(others_see_it)
        total += weight * (right * with_right + (1.0 - right) * with_wrong)
    return total


def majority_probability(accuracy: float, seats: int, correlation: float) -> float:
    """Probability that the majority of ``seats`` members is right: Condorcet's binomial, given what everybody sees.

    With probability ``accuracy`` what everybody sees of the claim is clear, and a vote is then right with probability
    f + (1 - f) p, f = sqrt(correlation); else with (1 - f) p. The two binomials are mixed, so that more seats do not
    bring certainty. A tie is no decision.
    """
    follow, needed = math.sqrt(correlation), seats // 2 + 1
    clear = at_least(needed, seats, follow + (1.0 - follow) * accuracy)
    misled = at_least(needed, seats, (1.0 - follow) * accuracy)
    return accuracy * clear + (1.0 - accuracy) * misled


@dataclass(frozen=True, slots=True)
class Stakes:
    """What a vote is about, dollars: ``reward`` with the majority, ``slash`` against it, ``fixed`` cost in any case."""

    reward: float
    slash: float
    fixed: float = 0.0


def vote_values(
    levels: NDArray[np.float64],
    costs: NDArray[np.float64],
    skill: Skill,
    stakes: Stakes,
    others: float,
    seats: int,
    correlation: float,
    match: Match = match_probability,
) -> NDArray[np.float64]:
    """Expected dollars per vote, float64[operators, levels], of each effort level at each operator's cost of effort.

    ``match`` gives the probability of being with the majority.
    """
    chance = match(skill.accuracy(levels), others, seats, correlation)
    earned = chance * stakes.reward - (1.0 - chance) * stakes.slash - stakes.fixed
    result: NDArray[np.float64] = earned[None, :] - costs[:, None] * levels[None, :]
    return result


def settled_accuracy(
    levels: NDArray[np.float64], cost: float, skill: Skill, stakes: Stakes, seats: int, correlation: float
) -> float:
    """Accuracy at which operators of one cost stay, each best responding to the others, starting from full effort."""
    accuracies = skill.accuracy(levels)
    others = float(accuracies[-1])
    costs = np.array([cost])
    for _ in range(len(levels)):
        best = int(vote_values(levels, costs, skill, stakes, others, seats, correlation)[0].argmax())
        if accuracies[best] == others:
            break
        others = float(accuracies[best])
    return others
