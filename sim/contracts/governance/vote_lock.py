"""Vote locks: the tokens behind a vote stay in escrow for some days, so that nobody votes with what must go back.

Holds one account and, per account of a voter or of somebody who delegates to it, what is locked and until when. Locked
tokens go on voting. What can never be: a token that leaves before its day, comes back to anybody but its owner, or
votes with a second voter while it is locked.
A lock that is prolonged keeps all tokens that its voter has locked until the later day. No rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sim.contracts.governance.voting_power import VotingPower
    from sim.kernel.ledger import Ledger


class VoteLock:
    """Escrow of GOV behind votes. ``owners`` maps (account, voter) to (amount locked, last day of the lock)."""

    def __init__(self, ledger: Ledger, asset: int, votes: VotingPower) -> None:
        self._ledger = ledger
        self._asset = asset
        self._votes = votes
        self.account = ledger.open_account("gov_locked", "protocol")
        self.owners: dict[tuple[int, int], tuple[int, int]] = {}

    def lock(self, voter: int, until: int) -> int:
        """Take all tokens that ``voter`` votes into escrow through day ``until``; returns how many are newly in it.

        What is in it already stays with the voter that it was locked for, whomever its owner has chosen since: it may
        have been counted for that voter on any open proposal.
        """
        before = dict(self.owners)
        self._ledger.on_rollback(lambda: setattr(self, "owners", before))
        for place, (held, last) in before.items():
            if place[1] == voter:
                self.owners[place] = held, max(last, until)
        taken = 0
        slots, institutions = self._votes.behind(voter)
        for account in (*institutions.tolist(), *self._ledger.person(slots).tolist()):
            amount = self._ledger.balance(self._asset, account)
            if amount == 0:
                continue
            held, last = self.owners.get((account, voter), (0, until))
            self._ledger.transfer(self._asset, account, self.account, amount, "vote_lock")
            self.owners[account, voter] = held + amount, max(last, until)
            taken += amount
        return taken

    def release(self, day: int) -> int:
        """Give back what was locked through a day before ``day``; returns how much."""
        due = sorted(place for place, (_, last) in self.owners.items() if last < day)
        before = dict(self.owners)
        self._ledger.on_rollback(lambda: setattr(self, "owners", before))
        given = 0
        for place in due:
            amount, _ = self.owners.pop(place)
            self._ledger.transfer(self._asset, self.account, place[0], amount, "vote_unlock")
            given += amount
        return given

    def power(self, voters: int) -> NDArray[np.int64]:
        """What is locked goes on voting with whom it was locked."""
        found = np.zeros(voters, dtype=np.int64)
        for (_, voter), (amount, _) in self.owners.items():
            found[voter] += amount
        return found

    def supply(self) -> int:
        """Locked tokens are in GOV's supply already."""
        return 0

    def escrow_holds(self) -> str | None:
        """The escrow holds what it owes."""
        held, owed = self._ledger.balance(self._asset, self.account), sum(a for a, _ in self.owners.values())
        return None if held == owed else f"the escrow of voters holds {held} base units and owes {owed}"
