"""Voting power: who votes for whom, and how much each voter weighed at a given day.

Holds the list of voters (accounts that vote for themselves and for those who delegate to them), the delegation of
every account, and checkpoints: for a day, the power of each voter and the supply at its end. A token that is
delegated to nobody has no vote, as in OpenZeppelin's ``Votes``: holders who want to vote register as voters.
What can never be: a token counted for two voters, a checkpoint changed after it was taken, a lookup of the present.
No rounding: sums of whole units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Refused

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

NOBODY = -1
MOST_VOTERS = np.iinfo(np.int16).max
_EXACT_FLOAT = 1 << 53


class FutureLookup(Refused):
    """Power was asked for a day that is not over, or of which no checkpoint was taken."""


class UnknownVoter(Refused):
    """A delegation to somebody who is no voter."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Power of each voter (int64[n], base units) and total supply at the end of ``day``."""

    day: int
    power: NDArray[np.int64]
    supply: int

    def of(self, voter: int) -> int:
        """Power of ``voter``; one who registered later had none."""
        return int(self.power[voter]) if voter < self.power.size else 0


class PastVotes(Protocol):
    """What a governor needs to know of voting power."""

    def past(self, day: int, now: int) -> Checkpoint: ...
    def before(self, now: int) -> Checkpoint | None: ...
    def current(self, voter: int) -> int: ...
    def current_supply(self) -> int: ...


class MorePower(Protocol):
    """Voting power from elsewhere than GOV at the voters' accounts: what is locked, what deposits give."""

    def power(self, voters: int) -> NDArray[np.int64]:
        """int64[voters], base units."""
        ...

    def supply(self) -> int:
        """What it adds to the supply of votes; 0 where the tokens are in GOV's supply already."""
        ...


class VotingPower:
    """Delegations of one token over a ledger, with checkpoints by day.

    People delegate by their column ``delegate`` (int16, voter index or -1); institutions by an array of this object.
    A checkpoint costs one pass over the holders, so it is taken only for days that a proposal refers to. Power travels
    at most ``depth`` steps of delegation: at 1 nobody passes on what others delegated to him.
    """

    def __init__(self, ledger: Ledger, asset: int, people_delegate: Callable[[], NDArray[np.int16]],
                 depth: int = 1) -> None:
        self._ledger = ledger
        self._asset = asset
        self._people = people_delegate
        self._institutions: NDArray[np.int16] = np.full(0, NOBODY, dtype=np.int16)
        self._checkpoints: dict[int, Checkpoint] = {}
        self._depth = depth
        self.more: list[MorePower] = []
        self.voters: list[int] = []
        """Account of each voter; the index is the voter's number."""

    def register(self, account: int) -> int:
        """Make ``account`` (an institution's) a voter who votes its own tokens; returns the voter's number."""
        if account in self.voters:
            raise ValueError(f"account {account} is a voter already")
        if len(self.voters) >= MOST_VOTERS:
            raise ValueError("no room for another voter")
        self.voters.append(account)
        voter = len(self.voters) - 1
        self.delegate(account, voter)
        return voter

    def delegate(self, account: int, voter: int) -> None:
        """Let ``voter`` (or NOBODY) vote the tokens of the institution ``account`` from the next checkpoint on."""
        if not NOBODY <= voter < len(self.voters):
            raise UnknownVoter(f"no voter {voter}")
        if account >= self._institutions.size:
            grown = np.full(account + 1, NOBODY, dtype=np.int16)
            grown[: self._institutions.size] = self._institutions
            self._institutions = grown
        old = int(self._institutions[account])
        self._ledger.on_rollback(lambda: self._institutions.__setitem__(account, old))
        self._institutions[account] = voter

    def delegate_people(self, slots: NDArray[np.int64], voters: NDArray[np.int16]) -> None:
        """The same for people, by slot."""
        if voters.size and not (voters.min() >= NOBODY and voters.max() < len(self.voters)):
            raise UnknownVoter("delegation to an unknown voter")
        column = self._people()
        old = column[slots].copy()
        self._ledger.on_rollback(lambda: self._people().__setitem__(slots, old))
        column[slots] = voters

    def live(self) -> NDArray[np.int64]:
        """Power of each voter now, int64[n_voters] base units."""
        count = len(self.voters)
        people = self._sums(self._people(), self._ledger.person_balances(self._asset), count)
        held = self._ledger.balances(self._asset)[: self._institutions.size]
        power = people + self._sums(self._institutions[: held.size], held, count)
        for source in self.more:
            power = power + source.power(count)
        return self._passed_on(power) if self._depth > 1 else power

    def _passed_on(self, power: NDArray[np.int64]) -> NDArray[np.int64]:
        """Power after the further steps that the depth allows; on a circle it stays where the steps end."""
        onward = np.arange(power.size)
        for voter, account in enumerate(self.voters):
            to = int(self._institutions[account])
            onward[voter] = to if to != NOBODY else voter
        place = np.arange(power.size)
        for _ in range(self._depth - 1):
            place = onward[place]
        final = np.zeros_like(power)
        np.add.at(final, place, power)
        return final

    def behind(self, voter: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Whose tokens ``voter`` votes directly: (slots of people, accounts of institutions)."""
        return np.flatnonzero(self._people() == voter), np.flatnonzero(self._institutions == voter)

    def current(self, voter: int) -> int:
        """Power of ``voter`` at this moment."""
        return int(self.live()[voter])

    def current_supply(self) -> int:
        """Votes there are at this moment, cast or not, base units."""
        return int(self._ledger.supply(self._asset)) + sum(source.supply() for source in self.more)

    def _sums(self, delegates: NDArray[np.int16], held: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        voting = np.flatnonzero(delegates >= 0)
        if self._ledger.supply(self._asset) < _EXACT_FLOAT:
            # sums of whole units below 2^53 are exact in float64, and bincount is ten times as fast as np.add.at
            return np.bincount(delegates[voting], weights=held[voting], minlength=count).astype(np.int64)
        sums = np.zeros(count, dtype=np.int64)
        np.add.at(sums, delegates[voting], held[voting])
        return sums

    def checkpoint(self, day: int) -> Checkpoint:
        """Take the state as it is now for the end of ``day``; a second call for that day returns the first."""
        if day not in self._checkpoints:
            self._checkpoints[day] = Checkpoint(day, self.live(), self.current_supply())
        return self._checkpoints[day]

    def past(self, day: int, now: int) -> Checkpoint:
        """The checkpoint of the end of ``day``, which must lie before ``now``; :class:`FutureLookup` otherwise."""
        if day >= now:
            raise FutureLookup(f"day {day} is not over on day {now}")
        if day not in self._checkpoints:
            raise FutureLookup(f"no checkpoint of day {day} was taken")
        return self._checkpoints[day]

    def before(self, now: int) -> Checkpoint | None:
        """The latest checkpoint of a day before ``now``."""
        days = [day for day in self._checkpoints if day < now]
        return self._checkpoints[max(days)] if days else None

    def forget(self, before: int) -> None:
        """Drop checkpoints of days before ``before`` except the latest of them, which :meth:`before` may need."""
        old = sorted(day for day in self._checkpoints if day < before)
        for day in old[:-1]:
            del self._checkpoints[day]


class VotesFrom(Protocol):
    """Where the power behind a vote is read: given its proposal's snapshot day, the voter and the day of the vote."""

    def __call__(self, votes: PastVotes, snapshot: int, voter: int, now: int) -> int: ...


def from_snapshot(votes: PastVotes, snapshot: int, voter: int, now: int) -> int:
    """Power at the proposal's snapshot: tokens bought or borrowed afterwards do not count."""
    return votes.past(snapshot, now).of(voter)


def from_live(votes: PastVotes, snapshot: int, voter: int, now: int) -> int:
    """Power at the moment of the vote: what was bought or borrowed a second ago counts, and stays counted."""
    return votes.current(voter)


VOTES_FROM: dict[str, VotesFrom] = {"snapshot": from_snapshot, "live_balance": from_live}
"""Sources that a scenario may name in ``governance.votes_from``."""
