"""The contagion window of a large random network, analytically: what simulated cascades are held against.

Gai & Kapadia (2010, section 3) after Watts (2002): institutions in a directed Poisson network of mean degree z, each
with its claims spread evenly over its debtors. One that loses a debtor fails if it has at most K debtors, K =
floor(lent / capital): it is *vulnerable*. A failed institution has Poisson(z) creditors; a creditor reached has
1 + Poisson(z) debtors and is vulnerable with probability v = P(Poisson(z) <= K - 1). So each failure causes z v more on
average, and contagion can spread without limit only where z v > 1.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import bdtrc, gammaln, pdtr

MOST_STEPS = 100_000


def failing_share(lent: float, capital: float) -> float:
    """Least share of its debtors whose failure fails an institution: capital over what it lends."""
    return capital / lent if lent > 0.0 else math.inf


def vulnerable_debtors(lent: float, capital: float) -> int:
    """K: the most debtors with which the loss of one is fatal; a loss equal to the capital is."""
    return math.floor(1.0 / failing_share(lent, capital) * (1.0 + 1e-9)) if capital > 0.0 else 10**9


def secondary_failures(degree: float, lent: float, capital: float) -> float:
    """z v: failures that one failure causes on average while few have failed."""
    most = vulnerable_debtors(lent, capital)
    return degree * float(pdtr(most - 1, degree)) if most >= 1 and degree > 0.0 else 0.0


def frequency(degree: float, lent: float, capital: float) -> float:
    """Probability that one random failure starts a cascade without limit: the survival of its branching process."""
    most = vulnerable_debtors(lent, capital)
    if secondary_failures(degree, lent, capital) <= 1.0:
        return 0.0
    vulnerable, extinct = float(pdtr(most - 1, degree)), 0.0
    for _ in range(MOST_STEPS):
        following = 1.0 - vulnerable + vulnerable * math.exp(-degree * (1.0 - extinct))
        if following - extinct < 1e-14:
            break
        extinct = following
    return 1.0 - math.exp(-degree * (1.0 - extinct))


def extent(degree: float, lent: float, capital: float) -> float:
    """Share of institutions that fail once a cascade spreads: the least share x above nothing that reproduces itself,
    x = sum over d of P(d debtors) P(at least the fatal share of them failed, each with probability x)."""
    if secondary_failures(degree, lent, capital) <= 1.0:
        return 0.0
    debtors = np.arange(1, int(degree + 12.0 * math.sqrt(degree) + 30.0))
    weight = np.exp(debtors * math.log(degree) - degree - gammaln(debtors + 1.0))
    fatal = np.maximum(1.0, np.ceil(debtors * failing_share(lent, capital) * (1.0 - 1e-9)))
    share = 1e-9
    for _ in range(MOST_STEPS):
        following = float(weight @ np.where(fatal <= debtors, bdtrc(fatal - 1.0, debtors, share), 0.0))
        if following - share < 1e-14:
            return following
        share = following
    return share


def window(lent: float, capital: float, high: float = 50.0) -> tuple[float, float] | None:
    """(least, greatest) degree at which cascades spread without limit: z v crosses 1; None where it never does."""
    grid = np.linspace(0.0, high, 5001)
    above = [secondary_failures(float(degree), lent, capital) > 1.0 for degree in grid]
    if not any(above):
        return None
    first, last = above.index(True), len(above) - 1 - above[::-1].index(True)

    def edge(inside: float, outside: float) -> float:
        for _ in range(80):
            middle = 0.5 * (inside + outside)
            if secondary_failures(middle, lent, capital) > 1.0:
                inside = middle
            else:
                outside = middle
        return 0.5 * (inside + outside)

    return (edge(float(grid[first]), float(grid[max(0, first - 1)])),
            edge(float(grid[last]), float(grid[min(len(grid) - 1, last + 1)])))
