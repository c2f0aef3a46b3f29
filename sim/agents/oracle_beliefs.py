"""What oracle operators make of a period: what votes were paid and what their gas cost, and so what the next bring.

A reward is posted, but the fee account may not hold it; gas is refunded as that of one more vote in a transaction, but
an operator with few votes bears a transaction alone. Operators go by what they saw of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.agents.oracle_effort import Stakes
from sim.kernel.fixedpoint import MICRO

if TYPE_CHECKING:
    from sim.contracts.claims.mechanism import Claims


@dataclass(slots=True)
class Observed:
    """What anybody can see of a period: votes with and against the majority and absent, what the former were paid,
    and the gas of all, base units: as quoted, and as that of one more vote each."""

    coherent: int = 0
    deviating: int = 0
    absent: int = 0
    earned: int = 0
    gas: int = 0
    further_gas: int = 0

    @property
    def votes(self) -> int:
        """All votes."""
        return self.coherent + self.deviating + self.absent

    @property
    def coherence(self) -> float:
        """Share of the revealed votes that were with the majority; NaN without any."""
        revealed = self.coherent + self.deviating
        return self.coherent / revealed if revealed else float("nan")

    def add(self, other: Observed) -> None:
        """Count ``other`` in."""
        self.coherent += other.coherent
        self.deviating += other.deviating
        self.absent += other.absent
        self.earned += other.earned
        self.gas += other.gas
        self.further_gas += other.further_gas


@dataclass(slots=True)
class Beliefs:
    """What operators remember. ``pay`` and ``gas``: dollars per coherent vote and per vote in the last period that had
    any, None before the first; ``overhead``: that gas over the gas of one more vote, at least 1."""

    pay: float | None = None
    gas: float | None = None
    overhead: float = 1.0
    idle: bool = True

    def learn(self, period: Observed) -> None:
        """Take in a period; one without coherent votes teaches nothing about pay."""
        self.idle = period.coherent == 0
        if period.coherent:
            self.pay = period.earned / period.coherent / MICRO
        if period.votes:
            self.gas = period.gas / period.votes / MICRO
            if period.further_gas:
                self.overhead = max(period.gas / period.further_gas, 1.0)

    def posted(self, claims: Claims) -> Stakes:
        """A vote at its best, dollars: paid in full, and one of many in its transaction."""
        return Stakes(claims.reward() / MICRO, float(claims.at_stake().mean()) / MICRO, claims.vote_gas() / MICRO)

    def expected(self, claims: Claims) -> Stakes:
        """A vote of the next period, dollars.

        It is paid and costs what votes of the last period did. After a period without votes gas is priced at today's
        quotes, and pay is the posted reward, unless the fee account still owes for older votes: then it will pay no
        better than it did.
        """
        best = self.posted(claims)
        if self.idle:
            owing = self.pay is not None and bool(claims.operators.owed.any())
            return Stakes(self.pay if owing and self.pay is not None else best.reward, best.slash,
                          best.fixed * self.overhead)
        return Stakes(best.reward if self.pay is None else self.pay, best.slash,
                      best.fixed if self.gas is None else self.gas)
