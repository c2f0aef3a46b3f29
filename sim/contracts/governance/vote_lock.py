"""Vote locks: the tokens behind a vote stay in escrow for some days, so that nobody votes with what must go back.

Holds one account and, per account of a voter or of somebody who delegates to it, what is locked and until when. Locked
tokens go on voting. What can never be: a token that leaves before its day, or comes back to anybody but its owner.
A lock that is prolonged keeps all of an owner's tokens until the later day. No rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sim.contracts.governance.voting_power import VotingPower
    from sim.kernel.ledger import Ledger


class VoteLock:
    """Escrow of GOV behind votes. ``owners`` maps an account to (amount locked, last day of the lock, voter)."""

    def __init__(self, ledger: Ledger, asset: int, votes: VotingPower) -> None:
        self._ledger = ledger
        self._asset = asset
        self._votes = votes
        self.account = ledger.open_account("gov_locked", "protocol")
        self.owners: dict[int, tuple[int, int, int]] = {}

    def lock(self, voter: int, until: int) -> int:
        """Take all tokens that ``voter`` votes into escrow through day ``until``; returns how many are newly in it."""
        slots, institutions = self._votes.behind(voter)
        accounts = [*institutions.tolist(), *self._ledger.person(slots).tolist()]
        before = dict(self.owners)
        self._ledger.on_rollback(lambda: setattr(self, "owners", before))
        taken = 0
        for account in accounts:
            amount = self._ledger.balance(self._asset, account)
            held, last, _ = self.owners.get(account, (0, until, voter))
            if held + amount == 0:
                continue
            self._ledger.transfer(self._asset, account, self.account, amount, "vote_lock")
            self.owners[account] = (held + amount, max(last, until), voter)
            taken += amount
        return taken

    def release(self, day: int) -> int:
        """Give back what was locked through a day before ``day``; returns how much."""
        due = sorted(account for account, (_, last, _) in self.owners.items() if last < day)
        before = dict(self.owners)
        self._ledger.on_rollback(lambda: setattr(self, "owners", before))
        given = 0
        for account in due:
            amount, _, _ = self.owners.pop(account)
            self._ledger.transfer(self._asset, self.account, account, amount, "vote_unlock")
            given += amount
        return given

    def power(self, voters: int) -> NDArray[np.int64]:
        """What is locked goes on voting with whom it was locked."""
        found = np.zeros(voters, dtype=np.int64)
        for amount, _, voter in self.owners.values():
            found[voter] += amount
        return found

    def supply(self) -> int:
        """Locked tokens are in GOV's supply already."""
        return 0

    def escrow_holds(self) -> str | None:
        """The escrow holds what it owes."""
        held, owed = self._ledger.balance(self._asset, self.account), sum(a for a, _, _ in self.owners.values())
        return None if held == owed else f"the escrow of voters holds {held} base units and owes {owed}"
