"""Reserves: what a pool owes for claims that have happened, and how they developed.

Holds the outstanding (case) reserve of reported claims at what was claimed, the estimate of claims incurred but not
reported (IBNR), and the run-off triangles. The unearned premium reserve is the schedule of :mod:`premium`.

What can never be: a claim is reserved before it is reported or after it is decided; the outstanding reserve is
negative. Rounding: estimates are rounded up, which lowers the share price and favours policyholders.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.development import Development, Reserving
from sim.contracts.insurance.premium import MONTH_DAYS
from sim.kernel.compiled import kernel


class ReserveError(ValueError):
    """More is released than was reported."""


@kernel
def add_by_month(
    table: NDArray[np.int64], month: int, day: int, amounts: NDArray[np.int64], incurred_days: NDArray[np.int64],
    sign: int,
) -> None:
    """Add ``sign`` x ``amounts`` int64[n] of ``day``, in ``month``, to the cells of the months of care."""
    for row in range(amounts.size):
        accident = min(incurred_days[row], day) // MONTH_DAYS
        table[accident, month - accident] += sign * amounts[row]


class LossTriangle:
    """Paid and incurred amounts by accident month and development month, each int64[months, months].

    Row a is the month in which care was given (day // 30), column d how many months later. ``incurred`` is what was
    reported, corrected when decided, so a row sums to the ultimate loss known by now.
    """

    __slots__ = ("_incurred", "_paid")

    def __init__(self, months: int = 16) -> None:
        self._paid: NDArray[np.int64] = np.zeros((months, months), dtype=np.int64)
        self._incurred: NDArray[np.int64] = np.zeros((months, months), dtype=np.int64)

    @property
    def paid(self) -> NDArray[np.int64]:
        """Paid in development month d of accident month a."""
        return self._paid

    @property
    def incurred(self) -> NDArray[np.int64]:
        """Change of the incurred amount in development month d of accident month a."""
        return self._incurred

    def add_paid(self, day: int, amounts: NDArray[np.int64], incurred_days: NDArray[np.int64]) -> None:
        """Record payments made on ``day`` for care of ``incurred_days`` int64[n]."""
        month = self._month(day)
        add_by_month(self._paid, month, day, amounts, incurred_days, 1)

    def add_incurred(
        self, day: int, amounts: NDArray[np.int64], incurred_days: NDArray[np.int64], sign: int = 1
    ) -> None:
        """Record on ``day`` a change of what care of ``incurred_days`` int64[n] will cost: ``sign`` x ``amounts``."""
        month = self._month(day)
        add_by_month(self._incurred, month, day, amounts, incurred_days, sign)

    def covering(self, day: int) -> NDArray[np.int64]:
        """The incurred table, grown so that it has the month of ``day``."""
        self._month(day)
        return self._incurred

    def copy(self) -> LossTriangle:
        """An independent copy."""
        other = LossTriangle(0)
        other._paid, other._incurred = self._paid.copy(), self._incurred.copy()
        return other

    def _month(self, day: int) -> int:
        """The month of ``day``, for which there is room from now on."""
        month = day // MONTH_DAYS
        if month >= len(self._paid):
            size = max(month + 1, 2 * len(self._paid))
            self._paid, self._incurred = _grown(self._paid, size), _grown(self._incurred, size)
        return month


def _grown(table: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    larger = np.zeros((size, size), dtype=np.int64)
    larger[:len(table), :len(table)] = table
    return larger


class Reserves:
    """Outstanding and unreported claims of one pool.

    IBNR by Bornhuetter and Ferguson's idea (expected losses x share still unreported) with a geometric reporting lag
    of mean L days: after each day

        IBNR <- (IBNR + expected losses of the day) L / (1 + L)

    so that with a steady loss rate it is rate x L (Little's law). L is the pool's own mean lag, given the weight of
    ``prior_claims`` claims of lag ``prior_lag_days``. By name, ``method``, chain ladder or Bornhuetter-Ferguson on the
    pool's own triangle takes its place (:mod:`development`).
    """

    __slots__ = ("_expected", "_lag_count", "_lag_sum", "development", "outstanding", "prior_claims", "triangle")

    def __init__(self, prior_lag_days: float, prior_claims: float, method: Reserving = "geometric") -> None:
        self.outstanding = 0
        self._expected = 0.0
        self._lag_sum = prior_lag_days * prior_claims
        self._lag_count = prior_claims
        self.prior_claims = prior_claims
        self.triangle = LossTriangle()
        self.development = None if method == "geometric" else Development(method, prior_lag_days, prior_claims)

    @property
    def lag_days(self) -> float:
        """Mean days from care to report, as experienced."""
        return self._lag_sum / self._lag_count if self._lag_count > 0 else 0.0

    @property
    def ibnr(self) -> int:
        """Incurred but not reported, base units, rounded up."""
        return math.ceil(self._expected)

    def expect(self, losses: int, day: int = 0) -> None:
        """``day`` passes, in which ``losses`` (base units) are expected to have been incurred."""
        if self.development is not None:
            reports = self._lag_count - self.prior_claims
            mean_claim = float(self.triangle.incurred.sum()) / reports if reports else 0.0
            self.development.pass_day(day, losses, self.triangle.covering(day), mean_claim)
            self._expected = self.development.unreported
            return
        lag = self.lag_days
        self._expected = (self._expected + losses) * (lag / (1.0 + lag))
        if self._expected < 1.0:
            self._expected = 0.0

    def report(self, day: int, amounts: NDArray[np.int64], incurred_days: NDArray[np.int64]) -> None:
        """Claims of ``amounts`` int64[n] for care on ``incurred_days`` int64[n] are filed today."""
        self.outstanding += int(amounts.sum())
        self._lag_sum += float(np.maximum(day - incurred_days, 0).sum())
        self._lag_count += float(amounts.size)
        self.triangle.add_incurred(day, amounts, incurred_days)

    def unreport(
        self, before: tuple[int, float, float], day: int, amounts: NDArray[np.int64], incurred_days: NDArray[np.int64]
    ) -> None:
        """Take a :meth:`report` back; ``before`` is :meth:`counts` as they were."""
        self.outstanding, self._lag_sum, self._lag_count = before
        self.triangle.add_incurred(day, amounts, incurred_days, -1)

    def counts(self) -> tuple[int, float, float]:
        """What a report changes beside the triangle."""
        return self.outstanding, self._lag_sum, self._lag_count

    def release(self, day: int, amounts: NDArray[np.int64], incurred_days: NDArray[np.int64]) -> None:
        """Reported claims of ``amounts`` are decided: they leave the case reserve, whatever was approved."""
        total = int(amounts.sum())
        if total > self.outstanding:
            raise ReserveError(f"{total} released of {self.outstanding} outstanding")
        self.outstanding -= total
        self.triangle.add_incurred(day, amounts, incurred_days, -1)

    def hand_over(
        self, other: Reserves, day: int, amounts: NDArray[np.int64], incurred_days: NDArray[np.int64]
    ) -> None:
        """Another pool takes over these reported claims, and all that is unreported."""
        self.release(day, amounts, incurred_days)
        other.outstanding += int(amounts.sum())
        other.triangle.add_incurred(day, amounts, incurred_days)
        other._expected += self._expected
        self._expected = 0.0

    def forget_unreported(self) -> None:
        """The time for late reports is over."""
        self._expected = 0.0

    def state(self) -> tuple[int, float, float, float, LossTriangle, dict[str, Any] | None]:
        """A copy, for :meth:`restore`."""
        return (self.outstanding, self._expected, self._lag_sum, self._lag_count, self.triangle.copy(),
                None if self.development is None else self.development.state())

    def restore(self, state: tuple[int, float, float, float, LossTriangle, dict[str, Any] | None]) -> None:
        """Go back to an earlier :meth:`state`."""
        self.outstanding, self._expected, self._lag_sum, self._lag_count, triangle, developed = state
        self.triangle = triangle.copy()
        if self.development is not None and developed is not None:
            self.development.restore(developed)
