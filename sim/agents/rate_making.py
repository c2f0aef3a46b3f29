"""Rate making: the formulas of an insurer's filing, as pure functions.

All money is in dollars a year per unit of exposure; a unit of exposure is one member-year at age factor 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.policy import Terms
from sim.kernel.draws import unit_normal
from sim.kernel.fixedpoint import BPS, MICRO

NODES = 400


def credibility(member_years: float, member_cv: float, between_pool_sd: float) -> float:
    """Buehlmann's Z = n / (n + k), k = EPV / VHM = (CV within / CV between)^2."""
    k = (member_cv / between_pool_sd) ** 2
    return member_years / (member_years + k)


def rate(
    expected_loss: float, expense_share: float, margin: float, capital_charge: float,
    capital_per_unit: Callable[[float], float],
) -> float:
    """The premium P = (L + e P) / (1 - m) + c K(P), by iteration from L / (1 - m - e).

    ``expected_loss`` L is trended; ``expense_share`` e is of premium; ``capital_per_unit`` gives the target capital K
    of a unit of exposure at a premium.
    """
    premium = expected_loss / (1.0 - margin - expense_share)
    for _ in range(50):
        charge = capital_charge * capital_per_unit(premium)
        # a book so small that its capital costs more than the premium could bring is priced at what three losses cost
        new = min((expected_loss + (1.0 - margin) * charge) / (1.0 - margin - expense_share), 3.0 * expected_loss)
        if abs(new - premium) <= 1e-9 * new:
            break
        premium = new
    return new


def limited_change(new: float, old: float, limit: float) -> float:
    """``new`` within ``limit`` of ``old``, both ways."""
    return min(max(new, old * (1.0 - limit)), old * (1.0 + limit))


def cost_quantiles(mean: float, median: float, zero_share: float) -> NDArray[np.float64]:
    """Annual cost relative to its mean at NODES equally likely points: nothing with probability ``zero_share``, else a
    lognormal with that mean and median of all; rescaled so that the points' mean is 1."""
    points = (np.arange(NODES) + 0.5) / NODES
    inside = (points - zero_share) / (1.0 - zero_share)
    at_median = unit_normal((0.5 - zero_share) / (1.0 - zero_share))
    sigma = at_median + math.sqrt(at_median**2 + 2.0 * math.log(mean / (1.0 - zero_share) / median))
    costs = np.array([math.exp(sigma * unit_normal(u)) if u > 0.0 else 0.0 for u in inside])
    relative: NDArray[np.float64] = costs / costs.mean()
    return relative


def pool_share(
    terms: Terms, means: NDArray[np.float64], relative: NDArray[np.float64], benefits_per_year: float
) -> NDArray[np.float64]:
    """Expected part that a plan pays of annual costs with these means (dollars), float64[n]: its actuarial value at
    each mean. Of a lump sum: the expected benefits of a member-year over the mean."""
    if terms.pays_patient:
        return benefits_per_year * terms.benefit / MICRO / means
    costs = means[:, None] * relative[None, :]
    covered = np.minimum(costs, terms.annual_limit / MICRO)
    deductible = terms.deductible / MICRO
    own = np.minimum(covered, deductible) + np.maximum(covered - deductible, 0.0) * (terms.coinsurance_bps / BPS)
    paid = covered - np.minimum(own, terms.out_of_pocket_max / MICRO)
    share: NDArray[np.float64] = paid.mean(axis=1) / means
    return share
