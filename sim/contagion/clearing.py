"""Clearing: who can pay how much when all debts among institutions fall due at once.

A clearing vector pays each debt in full, or, where a debtor fails, all it has: senior classes before junior ones and
pro rata within a class (Eisenberg & Noe 2001, section 2; Elsinger 2009 for seniority). A failed debtor has alpha of its
cash and beta of what it receives (Rogers & Veraart 2013; both 1 without bankruptcy costs). There can be several such
vectors; this is the greatest. It is found by fictitious default: all pay in full; those that cannot are wave 1; given
their payments others cannot, wave 2; and so on.

:func:`clearing_vector` answers in floats, for the analysis. :func:`clear` answers in base units, for the ledger: it
takes the float solution rounded up, walks down to the greatest fixed point of the map that rounds each debt down, and
shares the dust of each failed debtor by :func:`sim.kernel.fixedpoint.share_pot`. The payments out of an estate sum to
the estate exactly and each is within a unit of its exact share. What the dust of others adds to a failed debtor's
receipts, less than a unit for each debt owed to it, stays with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.contagion.clearing_kernels import from_solvent, pay_units, share_dust
from sim.contagion.debts import BadDebts, Debts, money
from sim.contagion.fictitious_default import CLOSE, clear_floats
from sim.kernel.fixedpoint import MAX_INT64, MICRO


@dataclass(frozen=True, slots=True)
class Clearing:
    """What clearing found for m debts among n institutions. Amounts are int64 base units, or float64 of any unit.

    ``paid`` [m]: by debt, as listed. ``wave`` int64[n]: 0 where all debts are paid in full, else the round of the
    failure, 1 for those that fail though all others pay. ``payment``, ``received``, ``owed`` [n]: totals of each;
    ``cost`` [n]: what bankruptcy destroys of a failed debtor's cash and receipts.
    """

    paid: NDArray[Any]
    wave: NDArray[np.int64]
    payment: NDArray[Any]
    received: NDArray[Any]
    owed: NDArray[Any]
    cost: NDArray[Any]

    @property
    def defaulted(self) -> NDArray[np.bool_]:
        """bool[n]: who could not pay in full."""
        return self.wave > 0

    @property
    def waves(self) -> list[list[int]]:
        """Positions of those that failed, round by round."""
        return [np.flatnonzero(self.wave == k).tolist() for k in range(1, int(self.wave.max(initial=0)) + 1)]

    def equity(self, cash: ArrayLike) -> NDArray[Any]:
        """[n]: what is left to each: cash and receipts less payments and costs."""
        return np.asarray(cash) + self.received - self.payment - self.cost


def clearing_vector(
    debtors: ArrayLike, creditors: ArrayLike, amounts: ArrayLike, cash: ArrayLike, seniority: ArrayLike | None = None,
    alpha: float = 1.0, beta: float = 1.0,
) -> Clearing:
    """The greatest clearing vector in floats.

    Args:
        debtors, creditors: int[m], positions 0 .. n - 1; debts between the same two may be listed separately.
        amounts: [m], what is owed, >= 0.
        cash: [n], what each can pay with apart from what it receives, >= 0.
        seniority: int[m], 0 is paid first; without it all debts rank equally.
        alpha, beta: share of its cash and of its receipts that a failed debtor keeps for its creditors.

    Raises:
        BadDebts: the arguments describe no market.
    """
    own = money(cash, np.size(cash), "cash", np.float64)
    _check_shares(alpha, beta)
    debts = Debts.of(debtors, creditors, amounts, own.size, seniority, np.float64)
    found = clear_floats(debts, own, alpha, beta)
    paid = debts.amount.copy()
    partly = found.paid < debts.group_debt
    at = np.flatnonzero(partly[debts.group])
    paid[at] *= (found.paid / np.where(debts.group_debt > 0.0, debts.group_debt, 1.0))[debts.group[at]]
    failed = found.wave > 0
    payment = np.where(failed, debts.by_debtor(found.paid), debts.debt)
    cost = np.where(failed, (1.0 - alpha) * own + (1.0 - beta) * found.received, 0.0)
    return Clearing(debts.as_listed(paid), found.wave, payment, found.received, debts.debt, cost)


def clear(
    debtors: ArrayLike, creditors: ArrayLike, amounts: ArrayLike, cash: ArrayLike, seniority: ArrayLike | None = None,
    alpha: float = 1.0, beta: float = 1.0, order: ArrayLike | None = None,
) -> Clearing:
    """The greatest clearing vector in base units, ready for the ledger; arguments as in :func:`clearing_vector`.

    ``amounts`` and ``cash`` are whole numbers that sum to less than 2**63; ``alpha`` and ``beta`` count to six places.
    ``order`` uint64[m] says where the dust falls (hashed keys of the debts, as in ``share_pot``); without it, by the
    order of the list. The payments of a failed debtor sum to floor(alpha cash) + floor(beta receipts), receipts counted
    before dust; every other debtor pays in full.
    """
    own = money(cash, np.size(cash), "cash", np.int64)
    _check_shares(alpha, beta)
    debts = Debts.of(debtors, creditors, amounts, own.size, seniority, np.int64)
    if float(own.sum(dtype=np.float64)) + float(debts.amount.sum(dtype=np.float64)) > 0.99 * MAX_INT64:
        raise BadDebts("cash and debts sum to more than 64 bits hold")
    paid = debts.amount.copy()
    if (debts.debt <= own + debts.due).all():
        return Clearing(debts.as_listed(paid), np.zeros(own.size, dtype=np.int64), debts.debt, debts.due, debts.debt,
                        np.zeros_like(own))
    parts = round(alpha * MICRO), round(beta * MICRO)
    wave, counted, paid_group, payment = _clear_units(debts, own, parts)
    at = np.flatnonzero((paid_group < debts.group_debt)[debts.group])
    if order is not None:
        at = at[np.lexsort((_order(order, debts.row.size)[debts.row[at]], debts.group[at]))]
    share_dust(at, debts.group, debts.amount, debts.group_debt, paid_group, paid)
    received = np.zeros_like(own)
    np.add.at(received, debts.creditor, paid)
    destroyed = own - _parts(own, parts[0]) + counted - _parts(counted, parts[1])
    return Clearing(debts.as_listed(paid), wave, payment, received, debts.debt, np.where(wave > 0, destroyed, 0))


def _clear_units(
    debts: Debts, cash: NDArray[np.int64], parts: tuple[int, int],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Waves [n], receipts before dust [n], payments by group [g] and by debtor [n], in base units."""
    floats, own = debts.in_floats(), cash.astype(np.float64)
    wave = np.zeros(cash.size, dtype=np.int64)
    received, payment, paid = debts.due.copy(), debts.debt.copy(), debts.group_debt.copy()
    while True:
        guess = clear_floats(floats, own, parts[0] / MICRO, parts[1] / MICRO, wave, CLOSE)
        wave = guess.wave
        above = np.minimum(np.ceil(guess.received + guess.error) + 1.0, floats.due)
        np.minimum(received, np.where(above < floats.due, above, 0.0).astype(np.int64), out=received,
                   where=above < floats.due)
        failed, pot = np.flatnonzero(wave), np.zeros(int((wave > 0).sum()), dtype=np.int64)
        base = from_solvent(debts.debtor, debts.creditor, debts.amount, wave, np.zeros_like(cash))
        pay_units(failed, debts.node_group, debts.group_edge, debts.group_debt, debts.creditor, debts.amount, cash,
                  parts[0], parts[1], base, received, paid, pot)
        payment[failed] = pot
        lacking = (wave == 0) & (cash + received < debts.debt)  # by less than floats see
        if not lacking.any():
            return wave, received, paid, payment
        wave[lacking] = wave.max(initial=0) + 1


def _check_shares(alpha: float, beta: float) -> None:
    for name, value in (("alpha", alpha), ("beta", beta)):
        if not 0.0 <= value <= 1.0:
            raise BadDebts(f"{name} must lie between 0 and 1")


def _order(order: ArrayLike, size: int) -> NDArray[np.uint64]:
    keys = np.asarray(order)
    if keys.shape != (size,):
        raise BadDebts(f"there are {keys.size} order keys for {size} debts")
    return keys


def _parts(amounts: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """floor(amount x parts / 1,000,000) without overflow."""
    return amounts // MICRO * parts + amounts % MICRO * parts // MICRO
