"""Morbidity-trend forward: the buyer receives what medical cost per member rose above an agreed trend, and pays below.

    payment = notional x min(max(cost / agreed - 1, -limit), limit),  agreed = base x (1 + trend x days / 365)

``cost`` is the mean cost per member and day since the base period, ``base`` that of the base period, as pools report
them. It settles once, at the end; margin is called every day on what it would settle at today, weighted by the share
of its term that has passed. Rounding: the payment is floored towards zero, in favour of who pays.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.contracts.derivatives.margin import MarginedContract, MarginError, Side
from sim.kernel.fixedpoint import MICRO, mul_div

SETTLEMENT = "forward_settlement"
YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class ForwardTerms:
    """``notional`` in base units, ``trend`` a year and ``limit`` of the deviation as shares in millionths; the term is
    the days ``start`` to ``end`` - 1."""

    start: int
    end: int
    notional: int
    trend: int
    limit: int

    def deviation(self, cost: int, base: int, days: int) -> int:
        """cost / agreed - 1 in millionths, within the limit, after ``days``; costs in any common unit above 0.

        The agreed cost grows at simple interest within a year of the base: base x (1 + trend x days / 365).
        """
        if base <= 0:
            raise MarginError("a forward needs a base cost above 0")
        agreed = MICRO * YEAR_DAYS + self.trend * days
        ratio = mul_div(cost, MICRO * MICRO * YEAR_DAYS, base * agreed)
        return min(max(ratio - MICRO, -self.limit), self.limit)

    def payment(self, deviation: int) -> int:
        """Signed payment to the buyer at a deviation in millionths."""
        amount = mul_div(self.notional, abs(deviation), MICRO)
        return amount if deviation >= 0 else -amount


class MorbidityForward:
    """One forward; the long side of ``contract`` is the buyer. ``payment`` is what it settled at, None before."""

    def __init__(self, contract: MarginedContract, terms: ForwardTerms) -> None:
        self.contract = contract
        self.terms = terms
        self.payment: int | None = None

    def mark(self, deviation: int, day: int) -> Side | None:
        """Call margin at today's deviation, by the share of the term that has passed; a side in default, if any."""
        passed = min(max(day + 1 - self.terms.start, 0), self.terms.end - self.terms.start)
        worth = self.terms.payment(deviation)
        part = mul_div(abs(worth), passed, self.terms.end - self.terms.start)
        return self.contract.mark(part if worth >= 0 else -part, day)

    def settle(self, deviation: int, day: int) -> int:
        """Settle at the final deviation and end; the payment to the buyer."""
        if not self.contract.open:
            raise MarginError(f"{self.contract.name} is {self.contract.standing}")
        before = self.payment
        self.contract.ledger.on_rollback(lambda: setattr(self, "payment", before))
        self.payment = self.terms.payment(deviation)
        side = Side.SHORT if self.payment >= 0 else Side.LONG
        self.contract.settle(side, abs(self.payment), SETTLEMENT, day)
        if self.contract.open:
            self.contract.expire(day)
        return self.payment
