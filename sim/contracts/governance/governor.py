"""The governor: proposals, votes, and what becomes of them.

Holds the proposals with their votes and state. Semantics are those of OpenZeppelin's Governor with a Compound style
timelock, in days: a proposal made on day d has its snapshot at the end of day s = d + delay, is open for votes on the
days s + 1 .. s + period, and passes iff for > against and for + abstain >= quorum. A passed proposal is queued,
waits the timelock's delay and may be executed until its grace is over.
Variants, each off unless the rules in force name it: power read at the vote instead of the snapshot (Beanstalk before
its repair), an emergency commit at a supermajority (the same), a recount at execution, OpenZeppelin's extension after
a late quorum, a cap on a voter's power, conviction in place of a majority, a guardian's veto.
What can never be: a vote counted twice or, under snapshots, from power that was acquired later; more votes than tokens
at the snapshot; execution of what did not pass or before its time; a second execution.
Rounding: quorum, threshold and cap are floored shares of the supply at the snapshot; the emergency's share is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sim.contracts.governance.actions import Action
from sim.contracts.governance.proposal import (
    GovernorError,
    Proposal,
    ProposalState,
    Settings,
    Support,
    no_votes,
    quorum_votes,
)
from sim.contracts.governance.timelock import Timelock
from sim.contracts.governance.vote_rules import VoteRule, token_weighted
from sim.contracts.governance.voting_power import PastVotes, VotesFrom, from_live, from_snapshot

__all__ = ["Governor", "GovernorError", "Proposal", "ProposalState", "Settings", "Support", "quorum_votes"]


class Governor:
    """One governor over one source of voting power.

    ``settings`` gives the rules in force; delay and period are fixed for a proposal when it is made, the quorum at its
    snapshot, the timelock when it is queued. ``run`` executes actions, all or nothing, and raises an exception of
    ``refusals`` where one is refused. ``requested`` gives what a proposal wants and what there is, for conviction.
    ``on_rollback`` registers how to undo a change if an enclosing transaction fails.
    """

    def __init__(self, *, settings: Callable[[], Settings], votes: PastVotes, timelock: Timelock,
                 run: Callable[[Proposal], None], refusals: tuple[type[Exception], ...] = (ValueError,),
                 rule: VoteRule = token_weighted, votes_from: VotesFrom = from_snapshot,
                 requested: Callable[[Proposal], tuple[int, int]] = lambda proposal: (0, 1),
                 on_rollback: Callable[[Callable[[], None]], None] = lambda undo: None) -> None:
        self._settings = settings
        self._votes = votes
        self._timelock = timelock
        self._run = run
        self._refusals = refusals
        self._rule = rule
        self._votes_from = votes_from
        self._requested = requested
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
        if proposal.passed_on is None:
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
        """Power for + abstain >= quorum; false while the quorum is unknown."""
        return proposal.quorum is not None and proposal.quorum <= sum(
            proposal.powers[voter] for voter, ballot in proposal.ballots.items() if ballot[0] is not Support.AGAINST)

    def passes(self, proposal: Proposal) -> bool:
        """Passed before its deadline, or quorum reached and strictly more votes for than against."""
        if proposal.passed_on is not None:
            return True
        return self._settings().conviction is None and self.quorum_reached(proposal) and (
            proposal.votes[Support.FOR] > proposal.votes[Support.AGAINST])

    def latest_deadline(self, number: int) -> int:
        """The last day on which a vote can still be open, late quorums included."""
        return self[number].deadline + self._settings().late_quorum_extension

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
        power = self._capped(proposal, self._votes_from(self._votes, proposal.snapshot, voter, day))
        votes = self._rule(power)
        before = proposal.votes[support]

        def undo() -> None:
            proposal.votes[support] = before
            del proposal.ballots[voter], proposal.powers[voter]

        self._on_rollback(undo)
        proposal.votes[support] = before + votes
        proposal.ballots[voter] = (support, votes)
        proposal.powers[voter] = power
        extension = self._settings().late_quorum_extension
        if extension and not proposal.extended and self.quorum_reached(proposal):
            self._restore_on_rollback(proposal, "extended", "deadline")
            proposal.extended = True
            proposal.deadline = max(proposal.deadline, day + extension)
        return votes

    def _capped(self, proposal: Proposal, power: int) -> int:
        settings = self._settings()
        if settings.cap_numerator is None:
            return power
        return min(power, quorum_votes(proposal.supply or 0, settings.cap_numerator, settings.denominator))

    def recounted(self, proposal: Proposal) -> dict[Support, int]:
        """The tally if each ballot counts no more than was counted and no more than its voter's power is now."""
        tally = no_votes()
        for voter, (support, votes) in proposal.ballots.items():
            tally[support] += min(votes, self._rule(self._capped(proposal, self._votes.current(voter))))
        return tally

    def emergency_reached(self, proposal: Proposal, votes_for: int) -> bool:
        """Whether ``votes_for`` are the supermajority that lets a proposal pass at once."""
        settings = self._settings()
        if settings.emergency_numerator is None:
            return False
        supply = self._votes.current_supply() if self._votes_from is from_live else proposal.supply or 0
        return votes_for > 0 and votes_for * settings.denominator >= settings.emergency_numerator * supply

    def emergency_commit(self, number: int, day: int) -> bool:
        """Pass an open proposal that a supermajority of all votes wants, and queue it; true where it was also executed.

        As Beanstalk's emergencyCommit: the earliest ``emergency_after`` days after the proposal, whoever calls. With a
        timelock of no days it is executed in the same call.
        """
        self._require(number, day, ProposalState.ACTIVE)
        proposal = self[number]
        if day < proposal.created + self._settings().emergency_after:
            raise GovernorError(f"proposal {number} is too young for an emergency commit")
        if not self.emergency_reached(proposal, proposal.votes[Support.FOR]):
            raise GovernorError(f"proposal {number} has no supermajority")
        self._restore_on_rollback(proposal, "passed_on")
        proposal.passed_on = day
        return self.queue(number, day) <= day and self.execute(number, day)

    def accrue(self, day: int) -> list[Proposal]:
        """Let a day pass over the conviction behind the open proposals; returns those that it convinced.

        Stakes are the present powers of those who voted for, at most what was counted.
        """
        terms = self._settings().conviction
        if terms is None:
            return []
        stakes = {number: self.recounted(proposal)[Support.FOR] for number, proposal in self._open.items()
                  if self.state(number, day) is ProposalState.ACTIVE}
        done = []
        for number, stake in stakes.items():
            proposal = self[number]
            proposal.conviction = terms.next(proposal.conviction, stake)
            threshold = terms.threshold(*self._requested(proposal), sum(stakes.values()), self._votes.current_supply())
            if threshold is not None and proposal.conviction >= threshold and stake:
                proposal.passed_on = day
                done.append(proposal)
        return done

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
        if self._settings().recount:
            self._recount(proposal)
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

    def _recount(self, proposal: Proposal) -> None:
        tally = self.recounted(proposal)
        if proposal.passed_on is not None:
            holds = self._settings().conviction is not None or self.emergency_reached(proposal, tally[Support.FOR])
        else:
            holds = tally[Support.FOR] > tally[Support.AGAINST] and (
                sum(min(power, self._capped(proposal, self._votes.current(voter)))
                    for voter, power in proposal.powers.items()
                    if proposal.ballots[voter][0] is not Support.AGAINST) >= (proposal.quorum or 0))
        if not holds:
            raise GovernorError(f"proposal {proposal.number} does not pass a recount: {tally[Support.FOR]} votes for, "
                                f"{tally[Support.AGAINST]} against")

    def veto(self, number: int, day: int) -> None:
        """Strike a proposal that is not final. Who may is for the caller to check."""
        if self.state(number, day).final:
            raise GovernorError(f"proposal {number} is {self.state(number, day).value}")
        proposal = self[number]
        self._restore_on_rollback(proposal, "canceled")
        proposal.canceled = True

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
