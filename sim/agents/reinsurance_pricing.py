"""What a reinsurer believes of a cedant's losses, and what it asks for taking them: pure functions.

Beliefs rest on what everybody may see: a pool's book and its reported experience, the published distribution of medical
cost, and an assumed frequency of epidemics. No belief reads what the simulation will draw. Money is in dollars.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.capital import QUANTILE_995, Ceded, pool_cv
from sim.contracts.insurance.treaties import SHARE, UNLIMITED, Layer
from sim.kernel.draws import unit_normal
from sim.kernel.fixedpoint import MICRO

NODES = 1000
STEPS = 400
YEAR_DAYS = 365

_NORMALS = np.array([unit_normal((i + 0.5) / NODES) for i in range(NODES)])


@dataclass(frozen=True, slots=True)
class CostLaw:
    """Published distribution of a person's annual cost: nothing with probability ``zero``, else lognormal, relative to
    the mean of all."""

    zero: float
    mu: float
    sigma: float

    @classmethod
    def of(cls, mean: float, median: float, zero: float) -> CostLaw:
        """The law with these published figures."""
        at_median = unit_normal((0.5 - zero) / (1.0 - zero))
        sigma = at_median + math.sqrt(at_median**2 + 2.0 * math.log(mean / (1.0 - zero) / median))
        return cls(zero, -math.log(1.0 - zero) - sigma**2 / 2.0, sigma)

    def exceeds(self, relative: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability that a person costs more than ``relative`` float64[n] times the mean."""
        z = (np.log(np.maximum(relative, 1e-12)) - self.mu) / self.sigma
        tail = np.array([0.5 * math.erfc(value / math.sqrt(2.0)) for value in z.tolist()])
        return (1.0 - self.zero) * tail

    def layer(self, retention: float, limit: float) -> tuple[float, float]:
        """Mean and mean square of min(max(cost - retention, 0), limit), relative to the mean cost and its square:
        E = integral of P(cost > x) from r to r + l, E2 = integral of 2 (x - r) P(cost > x)."""
        points = retention + limit * ((np.arange(STEPS) + 0.5) / STEPS) ** 2
        widths = np.diff(limit * (np.arange(STEPS + 1) / STEPS) ** 2)
        weights = self.exceeds(points) * widths
        return float(weights.sum()), float((2.0 * (points - retention) * weights).sum())


@dataclass(frozen=True, slots=True)
class Belief:
    """What a seller expects of a cedant's year: claims of ``members`` with mean ``expected`` dollars in all."""

    members: int
    expected: float
    law: CostLaw
    member_cv: float
    systemic_sd: float
    epidemic_rate: float
    epidemic_size: float

    def losses(self, days: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Possible totals of ``days`` days and their weights, float64[nodes] each: a lognormal with the pool's
        coefficient of variation, and the same with an epidemic of ``epidemic_size`` of a year's claims on top."""
        part = days / YEAR_DAYS
        own = pool_cv(self.member_cv, 0.0, max(self.members, 1)) ** 2 / part
        variance = math.log1p(own + self.systemic_sd**2 * (1.0 + own))
        calm = self.expected * part * np.exp(_NORMALS * math.sqrt(variance) - variance / 2.0)
        chance = min(self.epidemic_rate * part, 1.0)
        weights = np.full(NODES, 1.0 / NODES)
        return (np.concatenate((calm, calm + self.epidemic_size * self.expected)),
                np.concatenate((weights * (1.0 - chance), weights * chance)))


@dataclass(frozen=True, slots=True)
class Outlook:
    """Ceded losses of a year under one layer, dollars: mean, standard deviation, 99.5 % quantile, and the most that
    the layer can take (infinite where it has no limit)."""

    mean: float
    deviation: float
    quantile: float
    limit: float


def outlook(layer: Layer, basis: str, event_days: int, belief: Belief) -> Outlook:
    """What the placed share of ``layer`` will take of a year's losses."""
    share, retention = layer.share / SHARE, layer.retention / MICRO
    limit = math.inf if layer.limit >= UNLIMITED else layer.limit / MICRO
    most = math.inf if layer.annual_limit >= UNLIMITED else share * layer.annual_limit / MICRO
    if basis == "risk":
        mean_cost = belief.expected / max(belief.members, 1)
        mean, square = belief.law.layer(retention / mean_cost, min(limit / mean_cost, 1e6))
        expected = share * belief.members * mean * mean_cost
        deviation = share * mean_cost * math.sqrt(max(belief.members * (square - mean**2), 0.0))
        deviation = math.hypot(deviation, belief.systemic_sd * expected)
        return Outlook(min(expected, most), deviation, min(expected + QUANTILE_995 * deviation, most), most)
    days = event_days if basis == "event" else YEAR_DAYS
    losses, weights = belief.losses(days)
    taken = share * np.minimum(np.maximum(losses - retention, 0.0), limit)
    windows = YEAR_DAYS / days
    one = float(weights @ taken)
    expected = windows * one
    variance = windows * max(float(weights @ taken**2) - one**2, 0.0)
    order = np.argsort(taken, kind="stable")
    reached = np.searchsorted(np.cumsum(weights[order]), 1.0 - 0.005 / windows)
    quantile = float(taken[order][min(int(reached), taken.size - 1)])
    return Outlook(min(expected, most), math.sqrt(variance), min(max(quantile, expected), most), most)


def price(view: Outlook, method: str, risk_load: float, capital_cost: float, hardness: float) -> float:
    """Premium a year in dollars.

    ``standard_deviation``: per unit of limit EL + lambda sqrt(EL (1 - EL)), EL the expected share of the annual limit;
    without a limit, mean + lambda x standard deviation. ``cost_of_capital``: mean + rate x (99.5 % quantile - mean).
    ``hardness`` multiplies what is asked above the mean.
    """
    if method == "cost_of_capital":
        margin = capital_cost * max(view.quantile - view.mean, 0.0)
    elif math.isinf(view.limit):
        margin = risk_load * view.deviation
    else:
        share = min(view.mean / view.limit, 1.0) if view.limit else 0.0
        margin = view.limit * risk_load * math.sqrt(share * (1.0 - share))
    return view.mean + hardness * margin


def next_hardness(hardness: float, loss_to_capital: float, response: float, decay: float) -> float:
    """The price cycle: what is above 1 fades by ``decay`` a year, and a year's loss over capital adds ``response``
    times itself."""
    return 1.0 + (hardness - 1.0) * (1.0 - decay) + response * max(loss_to_capital, 0.0)


def ceded_year(layers: tuple[Layer, ...], basis: str, belief: Belief, held: Ceded) -> Ceded:
    """``held`` with one more treaty, as a capital regime sees it. A cover per event counts for nothing: regimes look at
    a whole year's deviation, which need not fall into one window."""
    if basis == "risk":
        mean_cost = belief.expected / max(belief.members, 1)
        first = second = 0.0
        for layer in layers:
            share, retention = layer.share / SHARE, layer.retention / MICRO / mean_cost
            limit = min(layer.limit / MICRO / mean_cost, 1e6)
            mean, square = belief.law.layer(retention, limit)
            first += share * mean
            # of the square of a cost, 2 r c + c^2 goes, c the part ceded; above r + l more goes, which is left out
            second += share * (2.0 * retention * mean + square)
        total = 1.0 + belief.member_cv**2
        kept = max(1.0 - first, 1e-9)
        cv = math.sqrt(max((total - min(second, total)) / kept**2 - 1.0, 0.0))
        return Ceded(1.0 - (1.0 - held.share) * kept, held.cv_factor * min(cv / belief.member_cv, 1.0), held.layers)
    if basis == "event":
        return held
    if layers[0].limit >= UNLIMITED:
        share = layers[0].share / SHARE
        return Ceded(1.0 - (1.0 - held.share) * (1.0 - share), held.cv_factor, held.layers)
    added = tuple((layer.retention, layer.limit, layer.share / SHARE,
                   round(outlook(layer, basis, YEAR_DAYS, belief).mean * MICRO)) for layer in layers)
    return Ceded(held.share, held.cv_factor, (*held.layers, *added))
