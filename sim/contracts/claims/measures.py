"""Figures of the claims process over a run: delay, claims unpaid after 90 days by size, errors against the truth.

An observer's figures. The truth about a claim is off the chain: the contract never reads it to decide.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.contracts.claims.table import DENIED, DROPPED, ClaimTable

DECILES = 10
WAIT_DAYS = 90

DELAY_WINDOW = 30
"""Days of payments of which the daily series of delays are quantiles."""


@dataclass(slots=True)
class Unfiled:
    """Claims that patients gave up before filing: amounts in base units, and the days on which care was received."""

    amounts: list[NDArray[np.int64]] = field(default_factory=list)
    incurred: list[NDArray[np.int64]] = field(default_factory=list)

    def add(self, amounts: NDArray[np.int64], incurred: NDArray[np.int64]) -> None:
        """Record claims given up; arrays of equal length."""
        if amounts.shape != incurred.shape:
            raise ValueError(f"{amounts.size} amounts but {incurred.size} days")
        self.amounts.append(np.array(amounts, dtype=np.int64))
        self.incurred.append(np.array(incurred, dtype=np.int64))

    @property
    def count(self) -> int:
        """How many were given up."""
        return sum(part.size for part in self.amounts)


class RecentDelays:
    """Days from care to full payment of the claims paid in the last :data:`DELAY_WINDOW` days."""

    def __init__(self) -> None:
        self._batches: list[tuple[int, NDArray[np.int64]]] = []

    def add(self, day: int, delays: NDArray[np.int64]) -> None:
        """Note the delays, int64[n] days, of claims paid in full on ``day``."""
        self._batches.append((day, delays))

    def drop_last(self) -> None:
        """Take the last :meth:`add` back."""
        self._batches.pop()

    def quantiles(self, day: int) -> tuple[float, float]:
        """Median and 95 % quantile (the smallest delay that so many do not exceed) on ``day``; NaN without any."""
        self._batches = [batch for batch in self._batches if batch[0] > day - DELAY_WINDOW]
        counts = np.bincount(np.concatenate([np.empty(0, dtype=np.int64), *(delays for _, delays in self._batches)]))
        total = int(counts.sum())
        if not total:
            return float("nan"), float("nan")
        middle, high = np.searchsorted(np.cumsum(counts), [0.5 * total, 0.95 * total])
        return float(middle), float(high)


def delay_quantiles(table: ClaimTable) -> tuple[float, float]:
    """Median and 95 % quantile of the days from care to full payment; NaN where nothing was paid."""
    paid = table["paid_on"] >= 0
    if not paid.any():
        return float("nan"), float("nan")
    days = table["paid_on"][paid].astype(np.int64) - table["incurred"][paid]
    middle, high = np.quantile(days, [0.5, 0.95])
    return float(middle), float(high)


def unpaid_by_decile(table: ClaimTable, unfiled: Unfiled, last_day: int) -> NDArray[np.float64]:
    """Share of claims that were neither paid in full nor denied 90 days after care, float64[10] by size decile.

    Deciles of the amount are over all claims whose care lies at least 90 days before ``last_day``, those given up
    before filing included (they count as unpaid). NaN where a decile is empty.
    """
    done_on = np.where(table["paid_on"] >= 0, table["paid_on"],
                       np.where(table["status"] == DENIED, table["decided"], np.iinfo(np.int32).max))
    late = done_on.astype(np.int64) - table["incurred"] > WAIT_DAYS
    amounts = np.concatenate([table["claimed"], *unfiled.amounts])
    incurred = np.concatenate([table["incurred"].astype(np.int64), *unfiled.incurred])
    unpaid = np.concatenate([late, np.ones(unfiled.count, dtype=np.bool_)])
    old = incurred + WAIT_DAYS <= last_day
    amounts, unpaid = amounts[old], unpaid[old]
    shares = np.full(DECILES, np.nan)
    if not amounts.size:
        return shares
    edges = np.quantile(amounts, np.arange(1, DECILES) / DECILES)
    decile = np.searchsorted(edges, amounts, side="left")
    count = np.bincount(decile, minlength=DECILES)
    bad = np.bincount(decile, weights=unpaid, minlength=DECILES)
    filled = count > 0
    shares[filled] = bad[filled] / count[filled]
    return shares


@dataclass(frozen=True, slots=True)
class Errors:
    """Decisions against the truth. Shares of all decided claims; accuracy in money."""

    false_approvals: float
    false_denials: float
    payment_accuracy: float


def errors(table: ClaimTable, true_amounts: NDArray[np.int64]) -> Errors:
    """Compare final decisions with what was truly due, int64[claims] base units; NaN where nothing was decided.

    A false approval pays where nothing is due, a false denial the reverse. Payment accuracy is 1 - sum |approved -
    due| / sum due, with what is due capped by what was claimed.
    """
    decided = (table["decided"] >= 0) & (table["status"] != DROPPED)
    if not decided.any():
        return Errors(float("nan"), float("nan"), float("nan"))
    approved = table["approved"][decided]
    due = np.minimum(true_amounts[decided], table["claimed"][decided])
    total = float(due.sum())
    off = float(np.abs(approved - due).sum())
    return Errors(float(((approved > 0) & (due == 0)).mean()), float(((approved == 0) & (due > 0)).mean()),
                  1.0 - off / total if total else float("nan"))
