"""Fictitious default in floats (Eisenberg & Noe 2001, section 3.1), with seniority and bankruptcy costs.

In each wave the payments of those known to fail are found by walking down from an upper bound. Where they pay nearly
everything to each other that walk creeps, and a sparse linear system is solved instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import splu

from sim.contagion.clearing_kernels import from_solvent, pay_floats
from sim.contagion.debts import Debts

SWEEPS = 200
"""Steps of the walk before a linear system is tried."""

CREEPING = 50
"""Times :data:`SWEEPS` steps at most, where the linear system does not answer either."""

ROUNDING = 1e-12
"""Whoever lacks less than this share of its debt counts as solvent."""

EXACT, CLOSE = 4e-16, 1e-12
"""Relative fall of receipts at which a walk ends: for an answer in floats, and for a first guess."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FloatClearing:
    """``received`` [n], ``paid`` [g] by group, ``wave`` int64[n]; ``error`` [n] by which receipts may be too low."""

    received: Floats
    paid: Floats
    wave: NDArray[np.int64]
    error: Floats


def clear_floats(
    debts: Debts, cash: Floats, alpha: float, beta: float, known: NDArray[np.int64] | None = None,
    still: float = EXACT,
) -> FloatClearing:
    """The greatest clearing vector; ``known`` int64[n] holds the waves of those known to fail (0: not known); receipts
    that fall by less than the relative ``still`` stand still, above the solution."""
    wave = np.zeros(cash.size, dtype=np.int64) if known is None else known.copy()
    received, paid, error = debts.due.copy(), debts.group_debt.copy(), np.zeros(cash.size)
    if wave.any():
        received, error = _settle(debts, cash, alpha, beta, wave, received, paid, still)
    while (lacking := (wave == 0) & (cash + received < debts.debt * (1.0 - ROUNDING))).any():
        wave[lacking] = wave.max() + 1
        received, error = _settle(debts, cash, alpha, beta, wave, received, paid, still)
    return FloatClearing(received, paid, wave, error)


def _settle(debts: Debts, cash: Floats, alpha: float, beta: float, wave: NDArray[np.int64], received: Floats,
            paid: Floats, still: float) -> tuple[Floats, Floats]:
    """Receipts given who fails, and by how much they may be too low; ``received`` is an upper bound, ``paid`` is
    written."""
    failed = np.flatnonzero(wave)
    base = from_solvent(debts.debtor, debts.creditor, debts.amount, wave, np.zeros_like(cash))

    def walk(start: Floats, sweeps: int) -> bool:
        return pay_floats(failed, debts.node_group, debts.group_edge, debts.group_debt, debts.creditor, debts.amount,
                          cash, alpha, beta, base, debts.due, start, sweeps, still, paid)

    for _ in range(CREEPING):
        if walk(received, SWEEPS):
            break
        solved = _solve(debts, cash, alpha, beta, failed, base, received)
        if solved is not None:
            found, error = solved
            walk(found.copy(), 1)  # the payments that belong to these receipts
            return found, error
    # a walk ends above the solution but for the rounding of its sums, which so short a walk multiplies by ten at most
    terms = 10.0 + np.bincount(debts.creditor, minlength=cash.size)
    return received, 1e-15 * terms * (received + 1e-6 * debts.due)


def _solve(debts: Debts, cash: Floats, alpha: float, beta: float, failed: NDArray[np.int64], base: Floats,
           received: Floats) -> tuple[Floats, Floats] | None:
    """Receipts and their error if each failed debtor exhausts its means in the class in which it does now, else None.

    The means a of the failed solve a = alpha e + beta (R + M'(a - S)): M shares of the creditors in the class that is
    paid in part, S what the classes before it are owed, R all receipts but from those classes.
    """
    count = cash.size
    means = alpha * cash[failed] + beta * received[failed]
    groups, before = np.empty(failed.size, dtype=np.int64), np.empty(failed.size)
    for k, i in enumerate(failed):
        first, last = debts.node_group[i], debts.node_group[i + 1]
        upto = np.cumsum(debts.group_debt[first:last])
        place = min(int(np.searchsorted(upto, means[k], side="right")), int(last - first) - 1)
        groups[k], before[k] = first + place, upto[place] - debts.group_debt[first + place]
    of_group = np.full(debts.group_debt.size, -1, dtype=np.int64)
    of_group[groups] = np.arange(failed.size)
    partly = np.flatnonzero(of_group[debts.group] >= 0)
    column = of_group[debts.group[partly]]
    owed = debts.group_debt[groups]
    shares = csc_array((debts.amount[partly] / owed[column], (debts.creditor[partly], column)),
                       shape=(count, failed.size))
    senior = np.zeros(count, dtype=bool)
    senior[failed] = True
    marginal = groups[np.cumsum(senior)[debts.debtor] - 1]
    full = np.flatnonzero(senior[debts.debtor] & (debts.group < marginal))
    others = base.copy()
    np.add.at(others, debts.creditor[full], debts.amount[full])
    inner = shares[failed, :]
    try:
        system = splu(csc_array(eye_array(failed.size) - beta * inner))
    except RuntimeError:  # singular to the last place: the failed pay all but nothing to each other
        return None
    solution = system.solve(alpha * cash[failed] + beta * (others[failed] - inner @ before))
    tolerance = ROUNDING * (before + owed)
    if not ((solution >= before - tolerance) & (solution <= before + owed + tolerance)).all():
        return None
    partial = np.clip(solution - before, 0.0, owed)
    found = others + shares @ partial
    # a residual r of the means moves them by at most |r| (1 - beta M')^-1 1, as that inverse has no negative entry
    residual = np.abs(alpha * cash[failed] + beta * found[failed] - before - partial).max()
    bound = 2.0 * (residual + 1e-14 * solution.max()) * system.solve(np.ones(failed.size))
    return (found, ROUNDING * found + shares @ bound) if (bound >= 0.0).all() else None
