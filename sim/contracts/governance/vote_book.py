"""What is remembered of votes for the reports: outcomes, turnout, concentration of votes cast, who voted how."""

from __future__ import annotations

from statistics import fmean, median
from typing import TYPE_CHECKING

from sim.contracts.governance import concentration
from sim.contracts.governance.actions import PayFromTreasury
from sim.contracts.governance.proposal import Proposal, ProposalState
from sim.contracts.governance.voting_power import FutureLookup

if TYPE_CHECKING:
    from sim.contracts.governance.governance import Governance
    from sim.mechanism import Market


class VoteBook:
    """Counts over the run. ``watched``: an adversary takes part, so that what proposers took is reported."""

    def __init__(self, market: Market, governance: Governance) -> None:
        self._market = market
        self._governance = governance
        self._closed: dict[ProposalState, int] = dict.fromkeys(ProposalState, 0)
        self._turnouts: list[float] = []
        self._nakamotos: list[int] = []
        self._herfindahls: list[float] = []
        self._quorum_failures = 0
        self.refused = 0
        self.watched = False
        self.largest_loss = 0.0

    def executed(self, proposal: Proposal, before: int) -> None:
        """Note what an executed proposal paid to its own proposer, of the ``before`` base units of cash there were."""
        governance = self._governance
        account = governance.power.voters[proposal.proposer]
        taken = sum(action.amount for action in proposal.actions if isinstance(action, PayFromTreasury)
                    and action.account == account and action.asset == governance.cash)
        largest = self.largest_loss
        governance.ledger.on_rollback(lambda: setattr(self, "largest_loss", largest))
        self.largest_loss = max(largest, taken / before if before else 0.0)

    def close(self, proposal: Proposal, state: ProposalState) -> None:
        """Take a proposal that has come to its end into the counts and the table of votes."""
        self._closed[state] += 1
        self._list_votes(proposal)
        if state is ProposalState.CANCELED:
            return
        self._turnouts.append(proposal.turnout)
        if not self._governance.governor.quorum_reached(proposal):
            self._quorum_failures += 1
        cast = [votes for _, votes in proposal.ballots.values()]
        if sum(cast):
            self._nakamotos.append(concentration.nakamoto(cast))
            self._herfindahls.append(concentration.herfindahl(cast))

    def _list_votes(self, proposal: Proposal) -> None:
        """A row for each voter with power at the snapshot or a vote."""
        power, market = self._governance.power, self._market
        powers = dict(proposal.powers)
        try:
            snapshot = power.past(proposal.snapshot, market.day + 1).power
        except FutureLookup:  # struck before its snapshot, or so old that the checkpoint is gone
            snapshot = None
        if snapshot is not None:
            powers |= {voter: held for voter, held in enumerate(snapshot.tolist())
                       if held > 0 and voter not in proposal.powers}
        for voter in sorted(powers):
            support, votes = proposal.ballots.get(voter, (None, 0))
            market.record.row("votes", market.day, proposal.number,
                              self._governance.ledger.account_name(power.voters[voter]), powers[voter],
                              "" if support is None else support.name.lower(), votes)

    def finish(self, proposals: int) -> None:
        """Record the run's figures."""
        metric = self._market.record.metric
        metric("governance.proposals", proposals)
        metric("governance.executed", self._closed[ProposalState.EXECUTED])
        metric("governance.defeated", self._closed[ProposalState.DEFEATED])
        metric("governance.expired", self._closed[ProposalState.EXPIRED])
        metric("governance.quorum_failures", self._quorum_failures)
        metric("governance.executions_refused", self.refused)
        metric("governance.turnout", fmean(self._turnouts) if self._turnouts else 0.0)
        metric("governance.nakamoto", median(self._nakamotos) if self._nakamotos else 0.0)
        if self.watched:
            metric("governance.treasury_loss_share", self.largest_loss)
            metric("governance.vetoed", self._closed[ProposalState.CANCELED])
            metric("governance.hhi_votes", fmean(self._herfindahls) if self._herfindahls else float("nan"))
