"""Premium: billed a month ahead, held as unearned, earned by the day, split by the day.

Holds, for one pool, how much of the unearned account falls to each coming day. A premium p for T days (a month: 30) is
earned by its k-th day to floor(p k / T): the daily parts differ by at most one unit and sum to p exactly. The schedule
adds up policies, not totals, so any one policy can be cancelled to the unit.

What can never be: the schedule sums to anything but the balance of the unearned account (UPR == balance); a unit of
unearned premium pays another policy's claim. Rounding: the earned part is floored, which favours the policyholder; of
the earned premium every share but that of claims is floored, so that claims get what rounding leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import BPS, mul_div, mul_div_up

MONTH_DAYS = 30
YEAR_DAYS = 365
RING_DAYS = 64
"""Days that the schedule reaches ahead: two months, with room."""

PAYERS_FLOOR = 4
"""Base units by which a payment may fall short of the price: person and sponsor each floor the month and the days."""

DONE, TOO_FAR, NO_DAY = range(3)
"""What comes of putting premiums on a schedule."""

SHARE = 1_000_000
"""Denominator of the premium's shares."""


def monthly_premium(annual: NDArray[np.int64]) -> NDArray[np.int64]:
    """What 30 days of cover cost at annual premiums int64[n] (base units): floor(30/365), as the payers floor it."""
    return annual * MONTH_DAYS // YEAR_DAYS


def earned_part(premiums: NDArray[np.int64], elapsed: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.int64]:
    """floor(p k / T), int64[n], of premiums p for T = ``days`` after k = ``elapsed`` of them, without overflow."""
    return premiums // days * elapsed + premiums % days * elapsed // days


@kernel
def spread(
    ring: NDArray[np.int64], next_day: int, premiums: NDArray[np.int64], starts: NDArray[np.int64],
    days: NDArray[np.int64], sign: int,
) -> int:
    """Add ``sign`` times what each premium int64[n] earns on each of its ``days`` from ``starts`` on to its day of the
    schedule; days before ``next_day`` go to that day when added, and nowhere when taken off. DONE, or why nothing was
    added."""
    for i in range(premiums.size):
        if starts[i] + days[i] - next_day > RING_DAYS:
            return TOO_FAR
        if days[i] < 1:
            return NO_DAY
    for i in range(premiums.size):
        whole, rest = premiums[i] // days[i], premiums[i] % days[i]
        left = np.int64(0)
        for k in range(days[i]):
            part = whole
            left += rest
            if left >= days[i]:
                left -= days[i]
                part += 1
            day = starts[i] + k
            if day >= next_day:
                ring[day % RING_DAYS] += sign * part
            elif sign > 0:
                ring[next_day % RING_DAYS] += part
    return DONE


@kernel
def payable_rows(
    slots: NDArray[np.int64], own: NDArray[np.int64], sponsored: NDArray[np.int64], pool: NDArray[np.int16],
    monthly_due: NDArray[np.int64], paid_to: NDArray[np.int32], next_day: NDArray[np.int64], cash: NDArray[np.int64],
    bought: bool, days: NDArray[np.int64], payable: NDArray[np.bool_],
) -> tuple[bool, int]:
    """Which payments of n persons can be taken: those in a pool, paid for at most a month ahead, with the cash.

    Of the people's columns and of ``cash`` the rows ``slots`` count; ``next_day`` int64[pools]. Writes ``payable`` and,
    where the days are to be those that the amount buys, at most a month, ``days``. Returns whether the slots rise, and
    the first row that pays less than its price (-1: none).
    """
    rising, short = True, -1
    for row in range(slots.size):
        slot = slots[row]
        due, amount = monthly_due[slot], own[row] + sponsored[row]
        if bought:
            days[row] = min(max((amount * MONTH_DAYS + due // 2) // max(due, 1), 1), MONTH_DAYS)
        rising = rising and (row == 0 or slot > slots[row - 1])
        payable[row] = pool[slot] >= 0 and paid_to[slot] - next_day[pool[slot]] <= MONTH_DAYS
        if payable[row]:
            if short < 0 and amount < due * days[row] // MONTH_DAYS - PAYERS_FLOOR:
                short = row
            payable[row] = cash[slot] >= own[row]
    return rising, short


class UnearnedPremium:
    """The schedule of one pool, by plan. ``next_day`` is the first day that is not yet earned; ``earned`` int64[plans]
    is what each plan has earned since the start."""

    __slots__ = ("_ring", "earned", "next_day")

    def __init__(self, next_day: int = 0, plans: int = 1) -> None:
        self._ring: NDArray[np.int64] = np.zeros((plans, RING_DAYS), dtype=np.int64)
        self.earned: NDArray[np.int64] = np.zeros(plans, dtype=np.int64)
        self.next_day = next_day

    @property
    def total(self) -> int:
        """All that is scheduled and not yet earned."""
        return int(self._ring.sum())

    def write(
        self, premiums: NDArray[np.int64], starts: NDArray[np.int64], days: NDArray[np.int64],
        plans: NDArray[np.integer] | None = None,
    ) -> None:
        """Schedule ``premiums`` int64[n] for ``days`` from ``starts`` on, each int64[n], of ``plans`` (default: the
        first).

        Days that have passed (a premium paid in the days of grace) are earned with the next accrual. ValueError for a
        term that ends beyond the schedule.
        """
        self._spread(premiums, starts, days, 1, plans)

    def cancel(
        self, premiums: NDArray[np.int64], starts: NDArray[np.int64], days: NDArray[np.int64],
        plans: NDArray[np.integer] | None = None,
    ) -> NDArray[np.int64]:
        """Take the unearned part of these off the schedule; returns it, int64[n]."""
        elapsed = np.clip(self.next_day - starts, 0, days)
        unearned: NDArray[np.int64] = premiums - earned_part(premiums, elapsed, days)
        self._spread(premiums, starts, days, -1, plans)
        return unearned

    def accrue(self, day: int) -> int:
        """Earn every day up to and including ``day``; returns the premium earned. Earns nothing twice."""
        earned = 0
        for due in range(self.next_day, min(day + 1, self.next_day + RING_DAYS)):
            place = due % RING_DAYS
            earned += int(self._ring[:, place].sum())
            self.earned += self._ring[:, place]
            self._ring[:, place] = 0
        self.next_day = max(self.next_day, day + 1)
        return earned

    def ahead(self) -> NDArray[np.int64]:
        """int64[RING_DAYS]: what each day from ``next_day`` on will earn."""
        return np.roll(self._ring.sum(axis=0), -(self.next_day % RING_DAYS))

    def by_plan(self) -> NDArray[np.int64]:
        """int64[plans]: what is scheduled of each plan."""
        total: NDArray[np.int64] = self._ring.sum(axis=1)
        return total

    def state(self) -> tuple[NDArray[np.int64], int, NDArray[np.int64]]:
        """A copy of the schedule, for :meth:`restore`."""
        return self._ring.copy(), self.next_day, self.earned.copy()

    def restore(self, state: tuple[NDArray[np.int64], int, NDArray[np.int64]]) -> None:
        """Go back to an earlier :meth:`state`."""
        self._ring, self.next_day, self.earned = state[0].copy(), state[1], state[2].copy()

    def _spread(
        self, premiums: NDArray[np.int64], starts: NDArray[np.int64], days: NDArray[np.int64], sign: int,
        plans: NDArray[np.integer] | None,
    ) -> None:
        for plan in (0,) if plans is None or len(self._ring) == 1 else np.unique(plans).tolist():
            mine = slice(None) if plans is None or len(self._ring) == 1 else plans == plan
            done = spread(self._ring[plan], self.next_day, premiums[mine], starts[mine], days[mine], sign)
            if done != DONE:
                raise ValueError(f"a premium is paid {'too far ahead' if done == TOO_FAR else 'for no day'}")


@dataclass(frozen=True, slots=True)
class PremiumShares:
    """What becomes of each earned dollar, in millionths; ``claims`` is what the others leave."""

    administration: int
    oracles: int
    treasury: int
    capital: int

    @classmethod
    def of(cls, claims: float, administration: float, oracles: float, treasury: float, capital: float) -> PremiumShares:
        """Shares from fractions; ValueError unless they are non-negative and sum to 1."""
        parts = [Fraction(str(part)) for part in (claims, administration, oracles, treasury, capital)]
        if min(parts) < 0 or sum(parts) != 1:
            raise ValueError(f"the shares of a premium must sum to 1: {[float(part) for part in parts]}")
        return cls(*(int(part * SHARE) for part in parts[1:]))

    def split(self, earned: int) -> tuple[int, int, int, int, int]:
        """(claims, administration, oracles, treasury, capital); sums to ``earned`` exactly."""
        rest = [mul_div(earned, share, SHARE)
                for share in (self.administration, self.oracles, self.treasury, self.capital)]
        return earned - sum(rest), rest[0], rest[1], rest[2], rest[3]

    @property
    def claims(self) -> float:
        """The share of claims, a fraction: the expected loss ratio that the split provides for."""
        return 1.0 - (self.administration + self.oracles + self.treasury + self.capital) / SHARE

    @property
    def expenses(self) -> float:
        """The share of administration, oracles and treasury, a fraction."""
        return (self.administration + self.oracles + self.treasury) / SHARE


def loss_ratio_rebate(premium: int, claims: int, threshold_bps: int) -> int:
    """What is owed back to policyholders of a year whose loss ratio is below the threshold:
    max(0, threshold x premium - claims), rounded up, in their favour (45 CFR 158.210 and 158.240)."""
    return max(mul_div_up(premium, threshold_bps, BPS) - claims, 0)
