"""What plans are worth to people and what they cost: certainty equivalents, expected claims, and the welfare lost.

A person under a plan bears a certainty-equivalent loss CE (:mod:`sim.agents.patient.choice`, without premium) and the
plan expects to pay L for it. CE + L is what that person under that plan costs everybody together; premiums only move
money. The welfare loss of an allocation is its mean of CE + L less the mean of the least CE + L of each person (Einav,
Finkelstein & Cullen 2010, for plans instead of one cover). Tastes, trust and the worth of care itself do not enter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.agents.patient.choice import certainty_equivalent, out_of_pocket
from sim.kernel.compiled import kernel


@kernel
def social_costs(
    aversion: NDArray[np.float64], mean: NDArray[np.float64], cap: NDArray[np.float64], plans: NDArray[np.float64],
    quantities: NDArray[np.float64], nodes: NDArray[np.float64], weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """CE + L in dollars a year of each person under each plan, float64[plans, n].

    ``aversion``, ``mean`` (expected annual cost at free care) and ``cap`` (what can be collected) are float64[n];
    ``plans`` float64[plans, 4] deductible, coinsurance, out-of-pocket maximum, limit; ``quantities`` float64[plans]
    demand relative to free care; ``nodes`` and ``weights`` float64[K] the distribution of a year's cost over its mean.
    """
    result = np.empty((plans.shape[0], mean.size))
    scratch = np.empty(nodes.size)
    for j in range(plans.shape[0]):
        plan = plans[j]
        for i in range(mean.size):
            claims = 0.0
            for k in range(nodes.size):
                cost = mean[i] * quantities[j] * nodes[k]
                claims += weights[k] * (cost - out_of_pocket(cost, plan[0], plan[1], plan[2], plan[3]))
            result[j, i] = claims + certainty_equivalent(aversion[i], 0.0, mean[i], quantities[j], cap[i], plan, nodes,
                                                         weights, scratch)
    return result


def welfare_loss(costs: NDArray[np.float64], held: NDArray[np.int64]) -> float:
    """Mean of ``costs`` float64[plans, n] in the plans ``held`` int64[n] less the mean of each person's least; nan for
    nobody."""
    if held.size == 0:
        return float("nan")
    return float((costs[held, np.arange(held.size)] - costs.min(axis=0)).mean())
