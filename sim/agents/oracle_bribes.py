"""What committee members make of a bribe: who takes it, given what the others are believed to do.

A member who votes the bribed answer instead of the truth gains g(x), where x of the other members vote for it; it
takes the bribe when the expected gain exceeds its honesty. Beliefs: the others take bribes with one probability p,
which is iterated by logit best response from nobody taking any, so that a bribe must first win over the least honest,
then those who expect them to be won, and so on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sim.contracts.oracle_committee.rules import votes_needed

QUANTILES = 201
"""Members of the imagined population over whose honesty beliefs are averaged."""

ROUNDS = 500
"""Most rounds of thought about the others."""


def binomial(trials: int, p: float) -> NDArray[np.float64]:
    """Probabilities float64[trials + 1] of 0 .. trials successes."""
    q = 1.0 - p
    return np.array([math.comb(trials, x) * p**x * q ** (trials - x) for x in range(trials + 1)])


@dataclass(frozen=True)
class Honesty:
    """Dollars that it is worth to a member not to lie: lognormal with ``median`` and log-deviation ``log_sd``.

    ``noise``: scale of the logit choice by which others are believed to choose; 0 is an exact best response.
    """

    median: float
    log_sd: float
    noise: float = 0.0

    @cached_property
    def quantiles(self) -> NDArray[np.float64]:
        """Honesty of :data:`QUANTILES` equally likely members, dollars."""
        normal = NormalDist()
        levels = [normal.inv_cdf((one + 0.5) / QUANTILES) for one in range(QUANTILES)]
        return self.median * np.exp(self.log_sd * np.array(levels))

    def takers(self, gain: float) -> float:
        """Share of members who lie for an expected ``gain`` dollars."""
        margins = gain - self.quantiles
        if self.noise > 0.0:
            return float(np.mean(0.5 * (1.0 + np.tanh(margins / (2.0 * self.noise)))))
        return float(np.mean(margins > 0.0))


@dataclass(frozen=True)
class BribedVote:
    """A vote on an invalid claim with a bribe for finding it valid, dollars.

    ``reward`` with the majority, ``slash`` against it, shared among the winners where ``shared``; ``promise`` to the
    first ``offered`` of ``seats`` members, kept when the bribed answer loses (``contingent``) or in any case.
    ``error``: probability that a member who was not bribed finds the claim valid.
    """

    reward: float
    slash: float
    promise: float
    seats: int
    offered: int
    contingent: bool
    shared: bool = False
    error: float = 0.0

    @property
    def majority(self) -> int:
        """Votes that decide."""
        return votes_needed("simple", self.seats)

    def payoff(self, lies: bool, others: int) -> float:
        """Dollars for a vote, ``others`` of the other members voting the bribed answer. A tie pays and takes nothing
        but a bribe that is paid in any case."""
        n = self.seats
        bribed = others + int(lies)
        kept = self.promise if lies else 0.0
        pot = self.slash if self.shared else 0.0
        if bribed >= self.majority:
            won = self.reward + pot * (n - bribed) / bribed if lies else -self.slash
            return won + (0.0 if self.contingent else kept)
        if n - bribed >= self.majority:
            return kept - self.slash if lies else self.reward + pot * bribed / (n - bribed)
        return 0.0 if self.contingent else kept

    @cached_property
    def gains(self) -> NDArray[np.float64]:
        """Payoff of the lie less that of the truth, by the number 0 .. seats - 1 of others who vote for it."""
        return np.array([self.payoff(True, x) - self.payoff(False, x) for x in range(self.seats)])

    def _lies(self, takers: float) -> float:
        """Probability that a member with an offer votes the bribed answer, by error or for the bribe."""
        return self.error + (1.0 - self.error) * takers

    def expected_gain(self, takers: float) -> float:
        """Dollars that a member with an offer expects from the lie when a share ``takers`` of those offered take it."""
        others = np.convolve(binomial(self.offered - 1, self._lies(takers)),
                             binomial(self.seats - self.offered, self.error))
        return float(others @ self.gains)

    def believed_takers(self, honesty: Honesty) -> float:
        """Share of the offered members believed to take the bribe: logit best responses, starting from none."""
        takers = 0.0
        if self.promise <= 0.0 or self.offered < 1:
            return takers
        for _ in range(ROUNDS):
            after = honesty.takers(self.expected_gain(takers))
            if abs(after - takers) < 1e-9:
                break
            takers = after
        return takers

    def votes(self, takers: float) -> NDArray[np.float64]:
        """Probabilities float64[seats + 1] of 0 .. seats votes for the bribed answer."""
        return np.convolve(binomial(self.offered, self._lies(takers)),
                           binomial(self.seats - self.offered, self.error))

    def success(self, takers: float) -> float:
        """Probability that the bribed answer wins."""
        return float(self.votes(takers)[self.majority:].sum())

    def cost(self, takers: float) -> float:
        """Dollars that the briber expects to pay."""
        if not self.contingent:
            return self.offered * self._lies(takers) * self.promise
        votes = self.votes(takers)
        return float(sum(x * votes[x] for x in range(self.seats - self.majority + 1)) * self.promise)
