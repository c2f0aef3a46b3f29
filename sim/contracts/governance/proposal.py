"""Proposals as data: their states, the rules in force, and what a voter's answer is.

Nothing here changes anything; :class:`~sim.contracts.governance.governor.Governor` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from sim.chain.mempool import Refused
from sim.contracts.governance.actions import Action, FundProgramme, PayFromTreasury
from sim.contracts.governance.conviction import Conviction


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
    """The rules as they stand on one day. Shares of supply (threshold, quorum, cap, emergency) are in 1/denominator.

    ``late_quorum_extension``: days that a vote stays open after the ballot that reached the quorum (0: none).
    ``cap_numerator``: most of the supply that one voter's power may count. ``emergency_numerator``: share of all votes
    now that lets a proposal pass before its deadline, ``emergency_after`` days after it was made (None: never).
    ``recount``: at execution a vote counts no more than its voter holds then.
    """

    voting_delay: int
    voting_period: int
    threshold_numerator: int
    quorum_numerator: int
    denominator: int = 100
    late_quorum_extension: int = 0
    cap_numerator: int | None = None
    emergency_numerator: int | None = None
    emergency_after: int = 1
    recount: bool = False
    conviction: Conviction | None = None


def no_votes() -> dict[Support, int]:
    """An empty tally."""
    return dict.fromkeys(Support, 0)


@dataclass(slots=True)
class Proposal:
    """One proposal. ``ballots`` maps a voter to (support, votes counted), ``powers`` to the power behind the votes."""

    number: int
    proposer: int
    actions: tuple[Action, ...]
    title: str
    created: int
    snapshot: int
    deadline: int
    votes: dict[Support, int] = field(default_factory=no_votes)
    ballots: dict[int, tuple[Support, int]] = field(default_factory=dict)
    powers: dict[int, int] = field(default_factory=dict)
    supply: int | None = None
    quorum: int | None = None
    eta: int | None = None
    executed_on: int | None = None
    passed_on: int | None = None
    conviction: int = 0
    extended: bool = False
    canceled: bool = False
    failure: str = ""

    @property
    def cast(self) -> int:
        """Power of all who voted: the votes themselves where one token is one vote."""
        return sum(self.powers.values())

    @property
    def turnout(self) -> float:
        """Power cast as a share of the supply at the snapshot; 0 before it."""
        return self.cast / self.supply if self.supply else 0.0

    def requested(self, cash: int) -> int:
        """Base units of the asset ``cash`` that the proposal would take from the treasury."""
        return sum(action.amount for action in self.actions if isinstance(action, FundProgramme)
                   or (isinstance(action, PayFromTreasury) and action.asset == cash))


def quorum_votes(supply: int, numerator: int, denominator: int = 100) -> int:
    """Votes needed for a quorum: floor(past supply x numerator / denominator)."""
    return supply * numerator // denominator
