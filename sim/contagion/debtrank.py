"""DebtRank: how much of the value of a system is in distress after a shock that fails nobody yet.

Distress h of an institution is the share of its equity that is lost. A debtor's distress passes on to its creditors in
proportion to what they lent over their own equity, L_ij = A_ij / E_i. In the *single-hit* form (Battiston et al. 2012)
an institution passes distress on once, in the round after it was first hit; in the *linear* form (Bardoscia et al.
2015) it passes on each new loss, h(t+1) = min(1, h(t) + L (h(t) - h(t-1))).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from sim.contagion.debts import BadDebts, money, positions, totals

STILL = 1e-15
"""Distress that is no longer passed on."""

MOST_ROUNDS = 100_000


@dataclass(frozen=True, slots=True)
class Distress:
    """``distress`` float64[n] in the end, between 0 and 1; ``value``, the DebtRank: the share of the system's value
    that was lost after the shock; ``rounds`` until it stood still."""

    distress: NDArray[np.float64]
    value: float
    rounds: int


def debtrank(
    debtors: ArrayLike, creditors: ArrayLike, amounts: ArrayLike, equity: ArrayLike, shock: ArrayLike,
    weights: ArrayLike | None = None, form: Literal["linear", "single_hit"] = "linear",
) -> Distress:
    """DebtRank of a ``shock`` float[n], the share of its equity that each loses at the start.

    Args:
        debtors, creditors: int[m], positions 0 .. n - 1.
        amounts: [m], what is lent, >= 0.
        equity: [n]; an institution without any is in full distress from the start.
        weights: [n], economic value of each; default: what it has borrowed within the network.
        form: which distress is passed on.

    Raises:
        BadDebts: the arguments describe no market.
    """
    own = np.asarray(equity, dtype=np.float64)
    count = own.size
    debtor, creditor = positions(debtors, count, "debtors"), positions(creditors, count, "creditors")
    lent = money(amounts, debtor.size, "amounts", np.float64)
    start = np.clip(money(shock, count, "shocks", np.float64), 0.0, 1.0)
    value = totals(debtor, lent, count) if weights is None else money(weights, count, "weights", np.float64)
    if not value.sum() > 0.0:
        value = np.ones(count)
    start[own <= 0.0] = 1.0
    leverage = csr_array((lent / np.where(own > 0.0, own, 1.0)[creditor], (creditor, debtor)), shape=(count, count))
    if form == "linear":
        distress, rounds = _linear(leverage, start)
    elif form == "single_hit":
        leverage.data = np.minimum(leverage.data, 1.0)
        distress, rounds = _single_hit(leverage, start)
    else:
        raise BadDebts(f"DebtRank has no form {form!r}; it is 'linear' or 'single_hit'")
    return Distress(distress, float((distress - start) @ value / value.sum()), rounds)


def _linear(leverage: csr_array, start: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    distress, passed = start.copy(), start.copy()
    for done in range(MOST_ROUNDS):
        following = np.minimum(1.0, distress + leverage @ passed)
        passed = following - distress
        distress = following
        if passed.max(initial=0.0) <= STILL:
            return distress, done
    return distress, MOST_ROUNDS


def _single_hit(leverage: csr_array, start: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    distress = start.copy()
    fresh, rounds = start > 0.0, 0
    hit = fresh.copy()
    while fresh.any():
        distress = np.minimum(1.0, distress + leverage @ np.where(fresh, distress, 0.0))
        fresh = (distress > 0.0) & ~hit
        hit |= fresh
        rounds += 1
    return distress, rounds
