"""An insurer's own model of a year's claims: independent members, one common factor, and what experience adds.

The year's total is S = C x (X_1 + ... + X_N): X_i the years of N independent members, relative to their mean, C a
factor common to all (medical inflation, utilisation, perils), of mean 1. The sum's law comes by FFT
(:mod:`aggregate_loss`); C mixes it: P(S > x) = sum_k w_k P(X_1 + ... + X_N > x / c_k).

A member's year is the published one (nothing, or lognormal), capped at the sum assured, mixed with the pool's own
member-years by credibility Z = n / (n + k). What a requirement needs is the multiple VaR / mean - 1, which depends on
the book's size alone: it is worked out at sizes in a geometric progression and interpolated between, so that a day
costs nothing and a larger book never needs less.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sim.contracts.insurance.aggregate_loss import AggregateLoss, Binomial, aggregate
from sim.contracts.insurance.severity import Empirical, Floats, Layer, Mixture, Severity, scaled, zero_inflated

Measure = Literal["var", "tvar"]

GROWTH = 1.2
"""Ratio of successive book sizes at which the multiple is worked out."""

CAP_GRID = 0.1
"""Width, in logarithms, of the classes of the sum assured over a member's expected cost."""

TOLERANCE = 2e-3
"""Step of the lattice over the standard deviation of the year."""

NODES, LEAST_CHANCE = 240, 1e-9
"""Points by which the law of a common factor is represented, and the least chance of more that is told apart."""


@dataclass(frozen=True, slots=True)
class MixedLoss:
    """A total ``own`` times an independent factor: ``factors`` float64[k] with ``weights`` float64[k]."""

    own: AggregateLoss
    factors: Floats
    weights: Floats

    @property
    def mean(self) -> float:
        """Its mean."""
        return self.own.mean * float(self.factors @ self.weights)

    def _curves(self) -> tuple[Floats, Floats, Floats]:
        """(midpoints, survival there; stop-loss premium) of ``own``, for interpolation."""
        survival = self.own.survival
        loss = np.maximum(self.own.mean - self.own.step * np.concatenate(([0.0], np.cumsum(survival[:-1]))), 0.0)
        return self.own.grid + 0.5 * self.own.step, survival, loss

    def quantile(self, probability: float) -> float:
        """VaR, by bisection."""
        middle, survival, _ = self._curves()
        # the total of an own loss beyond the lattice is not known: it counts as a loss at the lattice's end
        low, high = 0.0, float(self.own.grid[-1] * self.factors.max())
        for _ in range(45):
            x = 0.5 * (low + high)
            beyond = float(self.weights @ np.interp(x / self.factors, middle, survival, left=float(survival[0]),
                                                    right=0.0))
            low, high = (x, high) if beyond > 1.0 - probability else (low, x)
        return high

    def stop_loss(self, retention: float) -> float:
        """E[max(S - retention, 0)]."""
        _, _, loss = self._curves()
        at = np.interp(retention / self.factors, self.own.grid, loss)
        return float(self.weights @ (self.factors * at))

    def tail_mean(self, probability: float) -> float:
        """TVaR: VaR + stop loss at VaR / (1 - probability)."""
        quantile = self.quantile(probability)
        return quantile + self.stop_loss(quantile) / (1.0 - probability)


def lognormal_factor(sd: float, width: float = 5.0, step: float = 0.05) -> tuple[Floats, Floats]:
    """(factors, weights) of a lognormal of mean 1 and standard deviation ``sd``, by the trapezoid rule in its normal
    exponent, which is exact to rounding for smooth integrands."""
    if sd == 0.0:
        return np.ones(1), np.ones(1)
    log_sd = math.sqrt(math.log1p(sd * sd))
    z = np.arange(-width, width + step / 2.0, step)
    weights = np.exp(-0.5 * z * z)
    weights /= weights.sum()
    factors = np.exp(log_sd * z)
    return factors / float(factors @ weights), weights


def condensed(values: Floats, weights: Floats, nodes: int = NODES) -> tuple[Floats, Floats]:
    """At most ``nodes`` classes of a law, each at its mean, geometric in the chance of more: (values, weights)."""
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order] / weights.sum()
    chance = np.maximum(1.0 - np.concatenate(([0.0], np.cumsum(weights[:-1]))), LEAST_CHANCE)
    classes = np.minimum((np.log(chance) / math.log(LEAST_CHANCE) * nodes).astype(np.int64), nodes - 1)
    mass: Floats = np.bincount(classes, weights, nodes).astype(np.float64)
    total: Floats = np.bincount(classes, weights * values, nodes).astype(np.float64)
    kept = mass > 0.0
    return total[kept] / mass[kept], mass[kept]


def product_factor(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """The law of the product of two independent factors, rescaled to mean 1."""
    factors = np.multiply.outer(first[0], second[0]).ravel()
    weights = np.multiply.outer(first[1], second[1]).ravel()
    return condensed(factors / float(factors @ weights), weights)


class OwnModel:
    """Multiples of expected claims that a book needs. Money does not enter.

    ``quantile`` and ``measure`` say how bad a year is provided for; ``credibility_k`` is the number of member-years at
    which the pool's own experience weighs as much as the published law.
    """

    def __init__(
        self, member_cv: float, zero_share: float, systemic_sd: float, quantile: float = 0.995,
        measure: Measure = "var", credibility_k: float = 10_000.0, lump_sum: bool = False,
    ) -> None:
        self.published = zero_inflated(zero_share, member_cv)
        self.quantile = quantile
        self.measure = measure
        self.credibility_k = credibility_k
        self.lump_sum = lump_sum
        self.member_years = 0.0
        self.systemic = lognormal_factor(systemic_sd)
        self.common = self.systemic
        self._seen: Floats = np.zeros(0)
        self._years: Floats = np.zeros(0)
        self._known: dict[tuple[int, int], float] = {}

    def learn(self, costs: Floats, years: float = 1.0) -> None:
        """Add own experience: ``costs`` float64[n] of members over ``years`` of cover each, in any unit."""
        total = float(costs.sum())
        if costs.size == 0 or total <= 0.0:
            return
        self._seen = np.concatenate((self._seen, costs * (costs.size / total)))
        self._years = np.concatenate((self._years, np.full(costs.size, years)))
        self.member_years += costs.size * years
        self._known.clear()

    def assume(self, factors: Floats, weights: Floats) -> None:
        """From now on, costs are also multiplied by this independent factor (perils, as the insurer believes)."""
        self.common = product_factor(self.systemic, (factors, weights))
        self._known.clear()

    @property
    def credibility(self) -> float:
        """Weight of own experience, Z = n / (n + k)."""
        return self.member_years / (self.member_years + self.credibility_k)

    def member(self, cap: float) -> Severity:
        """Law of a member's year, of mean 1, of which nothing is above ``cap`` times the expected cost."""
        if self.lump_sum:
            chance = min(1.0 / cap, 1.0)
            return Empirical([0.0, cap], [1.0 - chance, chance]) if cap > 1.0 else Empirical([1.0])
        weight = self.credibility
        law = self.published
        if weight > 0.0:
            law = Mixture((Empirical(self._seen, self._years), self.published), (weight, 1.0 - weight))
        if cap <= 1.0:
            return Empirical([1.0])
        return self._capped(law, cap)

    @staticmethod
    def _capped(law: Severity, cap: float) -> Severity:
        """``law`` scaled and capped, so that its mean is 1 and its largest value ``cap``: of f X capped at ``cap`` the
        mean rises with f to the chance of any cost times ``cap``."""
        low, high = 1.0, 2.0
        while Layer(scaled(law, high), limit=cap).mean < 1.0:
            high *= 2.0
            if high > 1e12:
                return Empirical([1.0])  # even if everybody who costs anything cost the cap, the mean were below 1
        for _ in range(50):
            factor = 0.5 * (low + high)
            low, high = (factor, high) if Layer(scaled(law, factor), limit=cap).mean < 1.0 else (low, factor)
        return Layer(scaled(law, high), limit=cap)

    def loss(self, members: int, cap: float) -> MixedLoss:
        """Law of the year of ``members``, in units of a member's expected cost."""
        own = aggregate(Binomial(members), self.member(cap), TOLERANCE, max(self.quantile, 0.9))
        return MixedLoss(own, *self.common)

    def multiple(self, members: int, cap: float) -> float:
        """(VaR or TVaR - mean) / mean of a book of ``members``; at least 0."""
        place = math.log(max(members, 1)) / math.log(GROWTH)
        below = math.floor(place)
        of_cap = round(math.log(max(cap, 1.0)) / CAP_GRID)
        low, high = self._at(below, of_cap), self._at(below + 1, of_cap)
        return low + (place - below) * (high - low)

    def _at(self, place: int, of_cap: int) -> float:
        key = (place, of_cap)
        if key not in self._known:
            law = self.member(math.exp(of_cap * CAP_GRID))
            members = max(round(GROWTH**place), 1)
            if law.second_moment <= law.mean**2 * (1.0 + 1e-12):
                loss = MixedLoss(AggregateLoss(1.0, np.eye(1, members + 1, members)[0], float(members)), *self.common)
            else:
                loss = self.loss(members, math.exp(of_cap * CAP_GRID))
            read: Callable[[float], float] = loss.quantile if self.measure == "var" else loss.tail_mean
            self._known[key] = max(read(self.quantile) / loss.mean - 1.0, 0.0)
        return self._known[key]
