"""Which cover a patient buys: certainty equivalents of each plan and of none, inertia, trust and logit noise.

U_j = -(1/a) ln E[exp(a (own premium_j + min(OOP_j, what can be collected)))] + phi trust_j - K [j is not current]

An option j is one plan of one pool; trust is in the pool, inertia K is of the plan.

with constant absolute risk aversion a. What can be collected is cash above the floor and a part of a year's income.
The expectation runs over K nodes of the distribution of a year's cost of care relative to its mean; the mean is the
patient's own, as it perceives it. The logit is the maximum of the utilities with Gumbel noise, one draw per person and
pool (and plan), so that a new pool changes nobody's draw for the others.
"""

from __future__ import annotations

import math

import numpy as np

from sim.kernel.compiled import kernel

NO_PLAN = -1


@kernel
def out_of_pocket(cost: float, deductible: float, coinsurance: float, maximum: float, limit: float) -> float:
    """A year's own payments in dollars for a cost of care under an indemnity plan; beyond ``limit`` all is own."""
    covered = min(cost, limit)
    own = min(covered, deductible) + max(covered - deductible, 0.0) * coinsurance
    return min(own, maximum) + (cost - covered)


@kernel
def certainty_equivalent(
    aversion: float, premium: float, mean: float, quantity: float, cap: float, plan: np.ndarray,
    nodes: np.ndarray, weights: np.ndarray, scratch: np.ndarray,
) -> float:
    """(1/a) ln E[exp(a loss)], dollars: the certain loss that the patient would rather not exceed."""
    largest = 0.0
    for k in range(nodes.size):
        loss = premium + min(out_of_pocket(mean * quantity * nodes[k], plan[0], plan[1], plan[2], plan[3]), cap)
        scratch[k] = aversion * loss
        largest = max(largest, scratch[k])
    total = 0.0
    for k in range(nodes.size):
        total += weights[k] * math.exp(scratch[k] - largest)
    return (largest + math.log(total)) / aversion


@kernel
def choose_plans(
    aversion: np.ndarray, perceived: np.ndarray, cap: np.ndarray, current: np.ndarray, own_trust: np.ndarray,
    reputation: np.ndarray, own_premium: np.ndarray, pool_of: np.ndarray, plans: np.ndarray, quantities: np.ndarray,
    none_quantity: float,
    nodes: np.ndarray, weights: np.ndarray, tastes: np.ndarray, phi: float, inertia: float, first_choice: bool,
) -> np.ndarray:
    """The chosen option of each person, int16[n], -1 for none.

    ``current`` is the option held; ``reputation`` float64[pools]; ``own_premium`` float64[options, n] dollars a year,
    negative where not offered; ``pool_of`` int64[options]; ``plans`` float64[options, 4] are deductible, coinsurance,
    out-of-pocket maximum and limit in dollars; ``quantities`` float64[options] the demand for care under each plan
    relative to free care; ``tastes`` float64[options + 1, n] dollars, row 0 for no plan.
    """
    people, options = perceived.size, plans.shape[0]
    chosen = np.full(people, NO_PLAN, dtype=np.int16)
    uncovered = np.array([0.0, 1.0, np.inf, np.inf])
    scratch = np.empty(nodes.size)
    for i in range(people):
        move = 0.0 if first_choice else inertia
        best = -certainty_equivalent(aversion[i], 0.0, perceived[i], none_quantity, cap[i], uncovered, nodes, weights,
                                     scratch) + tastes[0, i]
        if current[i] != NO_PLAN:
            best -= move
        for j in range(options):
            if own_premium[j, i] < 0.0:
                continue
            at_home = current[i] != NO_PLAN and pool_of[current[i]] == pool_of[j]
            trust = own_trust[i] if at_home else reputation[pool_of[j]]
            utility = phi * trust + tastes[j + 1, i] - certainty_equivalent(
                aversion[i], own_premium[j, i], perceived[i], quantities[j], cap[i], plans[j], nodes, weights, scratch)
            if current[i] != j:
                utility -= move
            if utility > best:
                best = utility
                chosen[i] = j
    return chosen
