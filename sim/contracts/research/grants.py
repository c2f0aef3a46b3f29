"""Grant rounds: applications, their ranking by voters, and payment of the winners once a vote has funded the round.

Holds the rounds with their applications and scores, and the money between funding and payment, which happen in one
transaction. What can never be: two applications of one applicant in a round, a voter ranking twice, more paid than
funded. Rounding: none; what is not awarded returns to the treasury.
Where ``award`` is set, a winner must also have conviction behind it (:mod:`sim.contracts.research.award`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from sim.chain.mempool import Refused
from sim.kernel.fixedpoint import BPS

if TYPE_CHECKING:
    from sim.contracts.research.award import ConvictionAward
    from sim.kernel.ledger import Ledger


class RoundState(Enum):
    """Open for applications, waiting for the vote, or over."""

    OPEN = "open"
    VOTING = "voting"
    FUNDED = "funded"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Application:
    """A request for ``amount`` micro-USD; ``expected_value`` (USD) is what the applicant says the result is worth."""

    applicant: int
    account: int
    condition: int
    amount: int
    expected_value: float


@dataclass(slots=True)
class Round:
    """One round. ``scores`` sums votes x points over voters, one element per application; ``stakes`` lists them with
    the day of each ranking, where awards need conviction."""

    number: int
    opened: int
    closes: int
    state: RoundState = RoundState.OPEN
    applications: list[Application] = field(default_factory=list)
    scores: list[int] = field(default_factory=list)
    voters: set[int] = field(default_factory=set)
    stakes: list[tuple[int, int, int]] = field(default_factory=list)
    awarded: list[int] = field(default_factory=list)

    @property
    def requested(self) -> int:
        """Sum of all requests, micro-USD."""
        return sum(application.amount for application in self.applications)


class Grants:
    """The grant programme with its ledger account; unspent money goes to ``refund`` (account, amount)."""

    def __init__(self, ledger: Ledger, cash: int, account: int, refund: Callable[[int, int], None],
                 awarded: Callable[[Application], None]) -> None:
        self._ledger = ledger
        self._cash = cash
        self.account = account
        self._refund = refund
        self._awarded = awarded
        self.rounds: list[Round] = []
        self.paid = 0
        self.award: ConvictionAward | None = None

    def open_round(self, day: int, closes: int) -> Round:
        """Open the next round for applications through day ``closes``; an older unfunded one lapses."""
        for old in self.rounds[-1:]:
            if old.state in (RoundState.OPEN, RoundState.VOTING):
                old.state = RoundState.LAPSED
        self.rounds.append(Round(len(self.rounds), day, closes))
        return self.rounds[-1]

    def apply(self, application: Application, day: int) -> int:
        """Enter the current round; returns the application's number in it. :class:`Refused` when closed or twice."""
        current = self._current(RoundState.OPEN)
        if day > current.closes:
            raise Refused(f"grant round {current.number} has closed")
        if application.amount <= 0:
            raise Refused("a grant application must ask for something")
        if any(other.applicant == application.applicant for other in current.applications):
            raise Refused(f"applicant {application.applicant} has applied in round {current.number}")
        self._ledger.on_rollback(lambda: (current.applications.pop(), current.scores.pop()))
        current.applications.append(application)
        current.scores.append(0)
        return len(current.applications) - 1

    def close_applications(self, day: int) -> Round | None:
        """The round whose applications ended before ``day`` and that now waits for the vote, if it has just closed."""
        if not self.rounds:
            return None
        current = self.rounds[-1]
        if current.state is not RoundState.OPEN or day <= current.closes:
            return None
        current.state = RoundState.VOTING if current.applications else RoundState.LAPSED
        return current if current.applications else None

    def awaiting_funding(self) -> Round | None:
        """The round that waits for a vote on its funding."""
        return self.rounds[-1] if self.rounds and self.rounds[-1].state is RoundState.VOTING else None

    def rank(self, number: int, voter: int, votes: int, points: Mapping[int, int]) -> None:
        """Add a voter's ranking: ``points`` in basis points by application, 10,000 in all at most, times ``votes``."""
        current = self._current(RoundState.VOTING)
        if current.number != number:
            raise Refused(f"grant round {number} is not the current one")
        if voter in current.voters:
            raise Refused(f"voter {voter} has ranked round {number}")
        if sum(points.values()) > BPS or min(points.values(), default=0) < 0:
            raise Refused("points must be positive and sum to at most 10,000")
        if any(not 0 <= application < len(current.applications) for application in points):
            raise Refused(f"round {number} has no such application")
        before, staked = list(current.scores), len(current.stakes)

        def undo() -> None:
            current.scores[:] = before
            current.voters.discard(voter)
            del current.stakes[staked:]

        self._ledger.on_rollback(undo)
        current.voters.add(voter)
        for application, given in points.items():
            current.scores[application] += votes * given
            if self.award is not None:
                current.stakes.append((application, self.award.today(), votes * given))

    def funded(self, number: int, amount: int) -> None:
        """Pay the winners of a round from ``amount`` that has just arrived: by score, each in full while it lasts.

        Applications without a point get nothing; one too large for what is left is passed over for the next.
        """
        current = self._current(RoundState.VOTING)
        if current.number != number:
            raise Refused(f"grant round {number} is not the current one")
        state, paid = current.state, self.paid

        def undo() -> None:
            current.state, self.paid = state, paid
            current.awarded.clear()

        self._ledger.on_rollback(undo)
        left = amount
        carried = self._carried(current, amount)
        for index in sorted(range(len(current.scores)), key=lambda i: (-current.scores[i], i)):
            application = current.applications[index]
            if current.scores[index] > 0 and application.amount <= left and index in carried:
                self._ledger.transfer(self._cash, self.account, application.account, application.amount, "grant")
                left -= application.amount
                self.paid += application.amount
                current.awarded.append(index)
                self._awarded(application)
        current.state = RoundState.FUNDED
        if left:
            self._refund(self.account, left)

    def _carried(self, current: Round, amount: int) -> set[int]:
        """Applications with enough conviction behind them for what they ask; all of them where awards need none."""
        everything = range(len(current.applications))
        if self.award is None:
            return set(everything)
        award, staked, funds = self.award, sum(current.scores), self.award.funds() + amount
        return {index for index in everything if award.convinced(
            current.applications[index].amount, [(day, votes) for at, day, votes in current.stakes if at == index],
            staked, funds)}

    def _current(self, state: RoundState) -> Round:
        if not self.rounds or self.rounds[-1].state is not state:
            raise Refused(f"no grant round is {state.value}")
        return self.rounds[-1]
