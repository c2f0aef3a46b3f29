"""How claims develop after the month in which care was given: chain ladder and Bornhuetter-Ferguson.

Both read the pool's own triangle of incurred claims (reported, corrected when decided) by accident month a and
development month d, C(a, d) cumulative. Link ratios are volume-weighted over completed months,
f_d = sum_a C(a, d + 1) / sum_a C(a, d), and give the share G(d) of the ultimate that is known after month d.

chain_ladder             unreported = C(a) (1 - G) / G: what has been reported, developed
bornhuetter_ferguson     unreported = E(a) (1 - G): expected losses (the claims share of earned premium) of the month

A young triangle is steadied by a prior pattern, a geometric lag of known mean, with the weight of ``prior_claims``
claims. Between ends of months the share unreported is interpolated: geometrically for past months, and as a geometric
lag with the month's own mean for the month under way. Nothing here moves money; amounts are base units as floats.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.premium import MONTH_DAYS

Reserving = Literal["geometric", "chain_ladder", "bornhuetter_ferguson"]
Floats = NDArray[np.float64]

SMALL = 1e-9
"""Shares below are nothing."""


def unreported_of_lag(keep: float, days: int) -> float:
    """Share unreported at the end of ``days`` of even losses, of which a share ``keep`` stays unreported each day."""
    if keep <= 0.0:
        return 0.0
    return 1.0 if keep >= 1.0 else keep * (1.0 - keep**days) / (1.0 - keep) / days


def prior_pattern(lag_days: float, months: int) -> Floats:
    """Share of a month's losses unreported at the end of development month d, float64[months], geometric lag."""
    keep = lag_days / (1.0 + lag_days)
    return unreported_of_lag(keep, MONTH_DAYS) * keep ** (MONTH_DAYS * np.arange(months, dtype=np.float64))


def link_ratios(cumulative: Floats, prior: Floats, weight: float) -> Floats:
    """Volume-weighted link ratios float64[n - 1] of a cumulative triangle float64[n, n] (row a is known to column
    n - 1 - a); ``prior`` float64[n] cumulative shares count as one more row of volume ``weight``."""
    n = len(cumulative)
    ratios = np.ones(max(n - 1, 0))
    for d in range(n - 1):
        before = float(cumulative[:n - 1 - d, d].sum()) + weight * float(prior[d])
        after = float(cumulative[:n - 1 - d, d + 1].sum()) + weight * float(prior[d + 1])
        if before > 0.0 and after > 0.0:
            ratios[d] = after / before
    return ratios


def known_shares(cumulative: Floats, prior_unreported: Floats, weight: float) -> Floats:
    """Share of the ultimate known at the end of development month d, float64[n]."""
    known = 1.0 - prior_unreported
    ratios = link_ratios(cumulative, known, weight)
    return np.asarray(known[-1] / np.append(np.cumprod(ratios[::-1])[::-1], 1.0))


def lag_within_month(unreported: float) -> float:
    """The daily share that stays unreported with which a month of even losses ends with ``unreported``."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if unreported_of_lag(middle, MONTH_DAYS) < unreported else (low, middle)
    return 0.5 * (low + high)


class Development:
    """Estimate of one pool's unreported claims by ``method``; call :meth:`pass_day` once a day, after its reports.

    ``expected_emergence`` and ``actual_emergence`` are what the claims of past months were expected to grow by in the
    last completed month, and what they grew by: the run-off.
    """

    def __init__(self, method: Reserving, prior_lag_days: float, prior_claims: float) -> None:
        self.method = method
        self.prior_lag_days = prior_lag_days
        self.prior_claims = prior_claims
        self.unreported = 0.0
        self.expected_emergence = 0.0
        self.actual_emergence = 0.0
        self._month = 0
        self._losses: Floats = np.zeros(1)  # expected losses by accident month
        self._left: Floats = prior_pattern(prior_lag_days, 2)  # share unreported after month d
        self._keep = lag_within_month(float(self._left[0]))
        self._known: Floats = np.zeros(0)  # claims by accident month at the end of last month
        self._foreseen: Floats = np.zeros(0)  # their growth in the month after, as foreseen then

    def pass_day(self, day: int, losses: int, incurred: NDArray[np.int64], mean_claim: float) -> None:
        """``losses`` (base units) were expected of ``day``; ``incurred`` int64[n, n] is the triangle by then."""
        month, elapsed = day // MONTH_DAYS, day % MONTH_DAYS + 1
        if month > self._month:
            self._pass_month(month, incurred, mean_claim)
        self._losses[month] += losses
        claims = _totals(incurred, month + 1)
        left = self._unreported(month, elapsed)
        self.unreported = max(float(self._estimate(claims, left).sum()), 0.0)

    def _estimate(self, claims: Floats, left: Floats) -> Floats:
        """Unreported claims by accident month."""
        if self.method == "bornhuetter_ferguson":
            return self._losses[:claims.size] * left
        return claims * left / np.maximum(1.0 - left, 0.01)

    def _unreported(self, month: int, elapsed: int) -> Floats:
        """Share unreported of each accident month, float64[month + 1], on the ``elapsed``-th day of ``month``."""
        passed = elapsed / MONTH_DAYS
        before, after = self._left[month - np.arange(month) - 1], self._left[month - np.arange(month)]
        both = (before > SMALL) & (after > SMALL)
        past = np.where(both, np.maximum(before, SMALL) ** (1.0 - passed) * np.maximum(after, SMALL) ** passed,
                        before * (1.0 - passed) + after * passed)
        return np.append(past, unreported_of_lag(self._keep, elapsed))

    def _pass_month(self, month: int, incurred: NDArray[np.int64], mean_claim: float) -> None:
        """A month has ended: compare what was foreseen of it, and estimate the pattern anew."""
        cumulative = cumulated(incurred[:month, :month])
        # a claim of an ended month that came in on the first day of this one counts in its column, not yet seen here
        known = np.array([cumulative[a, month - 1 - a] for a in range(month)])
        self.actual_emergence = float((known[:self._known.size] - self._known).sum())
        self.expected_emergence = float(self._foreseen.sum())
        prior = prior_pattern(self.prior_lag_days, month)
        shares = known_shares(cumulative, prior, self.prior_claims * mean_claim)
        self._left = np.append(1.0 - shares, prior_pattern(self.prior_lag_days, month + 1)[-1])
        self._keep = lag_within_month(float(np.clip(self._left[0], 0.0, 0.99)))
        self._losses = np.append(self._losses, np.zeros(month + 1 - self._losses.size))
        ages = month - 1 - np.arange(month)
        now, then = self._left[ages], self._left[ages + 1]
        base = self._losses[:month] if self.method == "bornhuetter_ferguson" else known / np.maximum(1.0 - now, 0.01)
        self._known, self._foreseen = known, base * (now - then)
        self._month = month

    def state(self) -> dict[str, Any]:
        """A copy, for :meth:`restore`."""
        return vars(self) | {"_losses": self._losses.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to an earlier :meth:`state`."""
        vars(self).update(state | {"_losses": state["_losses"].copy()})


def cumulated(triangle: NDArray[np.int64]) -> Floats:
    """Cumulative amounts float64[n, n]; beyond the last diagonal a row stands still and means nothing."""
    return np.cumsum(triangle, axis=1).astype(np.float64)


def _totals(triangle: NDArray[np.int64], months: int) -> Floats:
    """All claims by accident month so far, float64[months]."""
    return triangle[:months].sum(axis=1).astype(np.float64)
