"""The governor: proposals, votes, and what becomes of them.

Holds the proposals with their votes and state. Semantics are those of OpenZeppelin's Governor with a Compound style
timelock, in days: a proposal made on day d has its snapshot at the end of day s = d + delay, is open for votes on the
days s + 1 .. s + period, and passes iff for > against and for + abstain >= quorum. A passed proposal is queued,
waits the timelock's delay and may be executed until its grace is over.
What can never be: a vote counted twice or from power that was acquired after the snapshot, more votes than tokens at
the snapshot, execution of what did not pass or before its time, a second execution.
Rounding: quorum and threshold are floored shares of the supply at the snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sim.chain.mempool import Refused
from sim.contracts.governance.actions import Action
from sim.contracts.governance.timelock import Timelock
from sim.contracts.governance.vote_rules import VoteRule, token_weighted
from sim.contracts.governance.voting_power import PastVotes, VotesFrom, from_snapshot


class GovernorError(Refused):
    """A call that the governor refuses; its state is then unchanged."""


class ProposalState(Enum):
    """Where a proposal stands. The last four are final."""

    PENDING = "pending"
    ACTIVE = "active"
    SUCCEEDED = "succeeded"
    QUEUED = "queued"
    DEFEATED = "defeated"
    CANCELED = "canceled"
    EXECUTED = "executed"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether the proposal can still change."""
        return self in _FINAL


_FINAL = (ProposalState.DEFEATED, ProposalState.CANCELED, ProposalState.EXECUTED, ProposalState.EXPIRED)


class Support(Enum):
    """The three answers, numbered as in GovernorBravo."""

    AGAINST = 0
    FOR = 1
    ABSTAIN = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """The rules as they stand on one day. ``threshold`` is a share of supply in 1/denominator like the quorum."""

    voting_delay: int
    voting_period: int
    threshold_numerator: int
    quorum_numerator: int
    denominator: int = 100


@dataclass(slots=True)
class Proposal:
    """One proposal. ``ballots`` maps a voter to (support, votes counted)."""

    number: int
    proposer: int
    actions: tuple[Action, ...]
    title: str
    created: int
    snapshot: int
    deadline: int
    votes: dict[Support, int] = field(default_factory=lambda: dict.fromkeys(Support, 0))
    ballots: dict[int, tuple[Support, int]] = field(default_factory=dict)
    supply: int | None = None
    quorum: int | None = None
    eta: int | None = None
    executed_on: int | None = None
    canceled: bool = False
    failure: str = ""

    @property
    def turnout(self) -> float:
        """Votes cast as a share of the supply at the snapshot; 0 before it."""
        return sum(self.votes.values()) / self.supply if self.supply else 0.0


def quorum_votes(supply: int, numerator: int, denominator: int = 100) -> int:
    """Votes needed for a quorum: floor(past supply x numerator / denominator)."""
    return supply * numerator // denominator


class Governor:
    """One governor over one source of voting power.

    ``settings`` gives the rules in force; delay and period are fixed for a proposal when it is made, the quorum at its
    snapshot, the timelock when it is queued. ``run`` executes actions, all or nothing, and raises an exception of
    ``refusals`` where one is refused. ``on_rollback`` registers how to undo a change if an enclosing transaction fails.
    """

    def __init__(self, *, settings: Callable[[], Settings], votes: PastVotes, timelock: Timelock,
                 run: Callable[[Proposal], None], refusals: tuple[type[Exception], ...] = (ValueError,),
                 rule: VoteRule = token_weighted, votes_from: VotesFrom = from_snapshot,
                 on_rollback: Callable[[Callable[[], None]], None] = lambda undo: None) -> None:
        self._settings = settings
        self._votes = votes
        self._timelock = timelock
        self._run = run
        self._refusals = refusals
        self._rule = rule
        self._votes_from = votes_from
        self._on_rollback = on_rollback
        self._proposals: list[Proposal] = []
        self._open: dict[int, Proposal] = {}

    def __len__(self) -> int:
        return len(self._proposals)

    def __iter__(self) -> Iterator[Proposal]:
        return iter(self._proposals)

    def __getitem__(self, number: int) -> Proposal:
        try:
            if number >= 0:
                return self._proposals[number]
        except IndexError:
            pass
        raise GovernorError(f"no proposal {number}")

    def open(self) -> list[Proposal]:
        """Proposals that were not in a final state when :meth:`close_finished` was last called."""
        return list(self._open.values())

    def propose(self, voter: int, actions: tuple[Action, ...], day: int, title: str = "") -> int:
        """Make a proposal and return its number.

        The proposer's power is read at the latest checkpoint before ``day``; :class:`GovernorError` if it lies below
        the threshold or there are no actions.
        """
        settings = self._settings()
        if not actions:
            raise GovernorError("a proposal needs an action")
        checkpoint = self._votes.before(day)
        power = checkpoint.of(voter) if checkpoint else 0
        threshold = quorum_votes(checkpoint.supply if checkpoint else 0, settings.threshold_numerator,
                                 settings.denominator)
        if checkpoint is None or power < threshold:
            raise GovernorError(f"voter {voter} has {power} votes, below the proposal threshold {threshold}")
        snapshot = day + settings.voting_delay
        proposal = Proposal(len(self._proposals), voter, actions, title, day, snapshot,
                            snapshot + settings.voting_period)
        self._on_rollback(self._drop_last)
        self._proposals.append(proposal)
        self._open[proposal.number] = proposal
        return proposal.number

    def _drop_last(self) -> None:
        self._open.pop(self._proposals.pop().number, None)

    def state(self, number: int, day: int) -> ProposalState:
        """The state on ``day``."""
        proposal = self[number]
        if proposal.executed_on is not None:
            return ProposalState.EXECUTED
        if proposal.canceled:
            return ProposalState.CANCELED
        if proposal.snapshot >= day:
            return ProposalState.PENDING
        if proposal.deadline >= day:
            return ProposalState.ACTIVE
        if not self.passes(proposal):
            return ProposalState.DEFEATED
        if proposal.eta is None:
            return ProposalState.SUCCEEDED
        return ProposalState.EXPIRED if self._timelock.stale(proposal.eta, day) else ProposalState.QUEUED

    @staticmethod
    def quorum_reached(proposal: Proposal) -> bool:
        """for + abstain >= quorum; false while the quorum is unknown."""
        votes = proposal.votes
        return proposal.quorum is not None and votes[Support.FOR] + votes[Support.ABSTAIN] >= proposal.quorum

    def passes(self, proposal: Proposal) -> bool:
        """Quorum reached and strictly more votes for than against."""
        return self.quorum_reached(proposal) and proposal.votes[Support.FOR] > proposal.votes[Support.AGAINST]

    def open_vote(self, number: int, day: int) -> None:
        """Fix supply and quorum from the checkpoint of the snapshot. The first vote does it; anyone else may."""
        proposal = self[number]
        if proposal.supply is not None:
            return
        settings = self._settings()
        checkpoint = self._votes.past(proposal.snapshot, day)
        self._restore_on_rollback(proposal, "supply", "quorum")
        proposal.supply = checkpoint.supply
        proposal.quorum = quorum_votes(checkpoint.supply, settings.quorum_numerator, settings.denominator)

    def cast_vote(self, number: int, voter: int, support: Support, day: int) -> int:
        """Count ``voter`` once and return the votes counted.

        :class:`GovernorError` where the vote is not open or the voter has voted.
        """
        proposal = self[number]
        if self.state(number, day) is not ProposalState.ACTIVE:
            raise GovernorError(f"proposal {number} is {self.state(number, day).value}, not active")
        if voter in proposal.ballots:
            raise GovernorError(f"voter {voter} has voted on proposal {number}")
        self.open_vote(number, day)
        votes = self._rule(self._votes_from(self._votes, proposal.snapshot, voter, day))
        before = proposal.votes[support]

        def undo() -> None:
            proposal.votes[support] = before
            del proposal.ballots[voter]

        self._on_rollback(undo)
        proposal.votes[support] = before + votes
        proposal.ballots[voter] = (support, votes)
        return votes

    def queue(self, number: int, day: int) -> int:
        """Put a passed proposal into the timelock; returns the first day of execution."""
        self._require(number, day, ProposalState.SUCCEEDED)
        proposal = self[number]
        self._restore_on_rollback(proposal, "eta")
        proposal.eta = self._timelock.eta(day)
        return proposal.eta

    def execute(self, number: int, day: int) -> bool:
        """Carry out a queued proposal; true when done.

        False where an action was refused: nothing of the proposal then happened, the reason stands in its
        ``failure``, and it may be tried again until it expires. :class:`GovernorError` where it is not its time.
        """
        self._require(number, day, ProposalState.QUEUED)
        proposal = self[number]
        assert proposal.eta is not None
        if not self._timelock.ready(proposal.eta, day):
            raise GovernorError(f"proposal {number} waits in the timelock until day {proposal.eta}")
        self._restore_on_rollback(proposal, "executed_on", "failure")
        # marked first, so that an action that calls the governor again finds the proposal executed
        proposal.executed_on = day
        try:
            self._run(proposal)
        except self._refusals as refusal:
            proposal.executed_on = None
            proposal.failure = str(refusal)
            return False
        proposal.failure = ""
        return True

    def cancel(self, number: int, voter: int, day: int) -> None:
        """Withdraw a proposal: only its proposer may, and only while it is pending."""
        self._require(number, day, ProposalState.PENDING)
        proposal = self[number]
        if proposal.proposer != voter:
            raise GovernorError(f"only the proposer may cancel proposal {number}")
        self._restore_on_rollback(proposal, "canceled")
        proposal.canceled = True

    def close_finished(self, day: int) -> list[tuple[Proposal, ProposalState]]:
        """Take the proposals that are final on ``day`` off the open list and return them with their state."""
        done = [(proposal, state) for proposal in self._open.values()
                if (state := self.state(proposal.number, day)).final]
        for proposal, _ in done:
            del self._open[proposal.number]
        return done

    def _require(self, number: int, day: int, wanted: ProposalState) -> None:
        state = self.state(number, day)
        if state is not wanted:
            raise GovernorError(f"proposal {number} is {state.value}, not {wanted.value}")

    def _restore_on_rollback(self, proposal: Proposal, *fields: str) -> None:
        old: dict[str, Any] = {name: getattr(proposal, name) for name in fields}

        def undo() -> None:
            for name, value in old.items():
                setattr(proposal, name, value)

        self._on_rollback(undo)
