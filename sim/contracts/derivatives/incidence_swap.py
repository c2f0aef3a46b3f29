"""Incidence swap: the buyer pays a fixed premium each period, the seller pays by the region's reported incidence.

    payout = notional x min(max(incidence - strike, 0), exhaustion - strike) / (exhaustion - strike)

Incidence is reported cases per million persons in the period. Both legs of a period are settled at once, when the
report is in, by one payment of the difference. Rounding: the payout is floored, in favour of the seller.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.contracts.derivatives.margin import MarginedContract, MarginError, Side
from sim.kernel.fixedpoint import mul_div

PREMIUM = "swap_premium"
PAYOUT = "swap_payout"


@dataclass(frozen=True, slots=True)
class SwapTerms:
    """``notional`` is the largest payout of a period, ``premium`` the price of a period, base units; strike and
    exhaustion in cases per million; ``periods`` of ``period_days`` from day ``start``."""

    region: int
    start: int
    period_days: int
    periods: int
    notional: int
    premium: int
    strike: int
    exhaustion: int

    def payout(self, incidence: int) -> int:
        """What the seller owes for a period with that incidence."""
        above = min(max(incidence - self.strike, 0), self.exhaustion - self.strike)
        return mul_div(self.notional, above, self.exhaustion - self.strike)

    def period_of(self, day: int) -> int:
        """Index of the period that ``day`` lies in; -1 before the first."""
        return -1 if day < self.start else min((day - self.start) // self.period_days, self.periods)

    @property
    def end(self) -> int:
        """First day after the last period."""
        return self.start + self.periods * self.period_days


class IncidenceSwap:
    """One swap. ``settled`` counts periods; ``payouts`` and ``premiums`` are what was owed for each, base units, and
    ``received`` and ``given`` what the buyer got and paid in all, before margin."""

    def __init__(self, contract: MarginedContract, terms: SwapTerms) -> None:
        if not 0 <= terms.strike < terms.exhaustion:
            raise MarginError(f"{contract.name}: the strike must be below the exhaustion point")
        self.contract = contract
        self.terms = terms
        self.payouts: list[int] = []
        self.premiums: list[int] = []

    @property
    def settled(self) -> int:
        """Periods that are settled."""
        return len(self.payouts)

    def settle_period(self, incidence: int, day: int, left: int = 0) -> None:
        """Settle the next period at its reported incidence; the last one ends the swap. ``left`` is the value of the
        later periods to the buyer."""
        if self.settled >= self.terms.periods:
            raise MarginError(f"{self.contract.name} has no period left")
        if not self.contract.open:
            raise MarginError(f"{self.contract.name} is {self.contract.standing}")
        payout, premium = self.terms.payout(incidence), self.terms.premium
        kept = list(self.payouts), list(self.premiums)
        self.contract.ledger.on_rollback(lambda: self._restore(*kept))
        self.payouts.append(payout)
        self.premiums.append(premium)
        last = self.settled == self.terms.periods
        net = payout - premium
        self.contract.settle(Side.SHORT if net > 0 else Side.LONG, abs(net), PAYOUT if net > 0 else PREMIUM, day,
                             0 if last else left)
        if last and self.contract.open:
            self.contract.expire(day)

    def _restore(self, payouts: list[int], premiums: list[int]) -> None:
        self.payouts, self.premiums = payouts, premiums
