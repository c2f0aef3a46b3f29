"""Payment of approved claims by their pools, once.

What can never be: a payment above what was approved and is still unpaid. What a pool cannot pay stays recorded as
unpaid and may be paid later, out of its run-off.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Refused
from sim.contracts.claims.measures import RecentDelays
from sim.contracts.claims.table import APPROVED, PAID, PARTLY_PAID, ClaimTable

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


class ClaimError(Refused):
    """A call that the claims contract refuses."""


@dataclass(slots=True)
class Totals:
    """Counts of claims, and sums in base units, since the start."""

    filed: int = 0
    refused: int = 0
    approved: int = 0
    denied: int = 0
    dropped: int = 0
    paid: int = 0
    appeals: int = 0
    overturned: int = 0
    redrawn: int = 0
    without_quorum: int = 0
    claimed_amount: int = 0
    approved_amount: int = 0
    paid_amount: int = 0
    rewards: int = 0
    slashed: int = 0

    def copy(self) -> Totals:
        """The figures as they stand."""
        return Totals(*_figures(self))


_figures = attrgetter(*Totals.__slots__)


class Payments:
    """Schedule of payments; ``insurance`` pays, and the table keeps what was paid."""

    def __init__(self, ledger: Ledger, table: ClaimTable, totals: Totals, insurance: Any, delay_days: int) -> None:
        self.ledger = ledger
        self.table = table
        self.totals = totals
        self.insurance = insurance
        self.delay_days = delay_days
        self._due: dict[int, list[NDArray[np.int64]]] = {}
        self.delays = RecentDelays()

    def add(self, ids: NDArray[np.int64], day: int) -> None:
        """Pay approved claims ``delay_days`` after ``day``."""
        self._due.setdefault(day + self.delay_days, []).append(ids)

    def run(self, day: int) -> NDArray[np.int64]:
        """Ask each pool to pay what is due; the claims for which it was asked, int64[n]."""
        ready = sorted(when for when in self._due if when <= day)
        parts = [ids for when in ready for ids in self._due.pop(when)]
        if not parts or self.insurance is None:
            return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
        ids = np.concatenate(parts)
        pools = self.table["pool"][ids]
        order = pools.argsort(kind="stable")
        ids, pools = ids[order], pools[order]
        payees = self.table["payee"][ids].astype(np.int64)
        incurred, plans = self.table["incurred"][ids].astype(np.int64), self.table["plan"][ids]
        amounts = self.table["approved"][ids] - self.table["paid"][ids]
        edges = [0, *((pools[1:] != pools[:-1]).nonzero()[0] + 1).tolist(), ids.size]
        paid = np.empty_like(amounts)
        for first, last in pairwise(edges):
            paid[first:last] = self.insurance.settle(int(pools[first]), ids[first:last], amounts[first:last],
                                                     payees[first:last], "claim", incurred[first:last],
                                                     plans[first:last])
        self.record(ids, paid, day)
        return ids

    def record_late(self, ids: NDArray[np.int64], amounts: NDArray[np.int64], day: int) -> None:
        """Note later payments; a claim may come more than once."""
        if ids.size:
            claims, row = np.unique(ids, return_inverse=True)
            sums = np.zeros(claims.size, dtype=np.int64)
            np.add.at(sums, row, amounts)
            self.record(claims, sums, day)

    def record(self, ids: NDArray[np.int64], amounts: NDArray[np.int64], day: int) -> None:
        """Note that ``amounts`` int64[n] base units were paid on claims ``ids`` (each once).

        Raises ClaimError where that is negative or more than what was approved and is unpaid.
        """
        table = self.table
        paid = table["paid"][ids] + amounts
        approved = table["approved"][ids]
        wrong = (amounts < 0) | (paid > approved)
        if np.logical_or.reduce(wrong):
            raise ClaimError(f"claim {ids[wrong][0]} would be paid {amounts[wrong][0]} base units of "
                             f"{approved[wrong][0]} approved")
        if self.ledger.in_atomic:
            old = {name: table[name][ids] for name in ("paid", "status", "paid_on")}
            counts = (self.totals.paid, self.totals.paid_amount)
            self.ledger.on_rollback(self.delays.drop_last)
            self.ledger.on_rollback(lambda: self._restore(ids, old, counts))
        full = paid == approved
        self.delays.add(day, day - table["incurred"][ids[full]].astype(np.int64))
        table["paid"][ids] = paid
        table["status"][ids] = np.where(full, PAID, np.where(paid > 0, PARTLY_PAID, APPROVED))
        table["paid_on"][ids[full]] = day
        self.totals.paid += int(full.sum())
        self.totals.paid_amount += int(amounts.sum())

    def _restore(self, ids: NDArray[np.int64], old: dict[str, NDArray[Any]], counts: tuple[int, int]) -> None:
        for name, values in old.items():
            self.table[name][ids] = values
        self.totals.paid, self.totals.paid_amount = counts
