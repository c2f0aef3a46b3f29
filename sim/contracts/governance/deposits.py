"""Voting deposits: liquidity that votes while it is deposited with the governor, as in Beanstalk's silo.

Holds one account with the deposits of cash and who owns them. A deposit gives its owner votes at once and loses them
at withdrawal, which is possible at any moment unless a vote has locked it. What can never be: more owed than held,
votes without a deposit. Rounding: votes are floored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Refused
from sim.kernel.fixedpoint import MICRO

if TYPE_CHECKING:
    from sim.contracts.governance.voting_power import VotingPower
    from sim.kernel.ledger import Ledger


class VotingDeposits:
    """Deposits by voter; ``votes_per_unit`` micro-GOV of power per micro-USD, in millionths."""

    def __init__(self, ledger: Ledger, cash: int, votes: VotingPower, votes_per_unit: int) -> None:
        self._ledger = ledger
        self._cash = cash
        self._votes = votes
        self._rate = votes_per_unit
        self.account = ledger.open_account("gov_deposits", "protocol")
        self.held: dict[int, int] = {}
        self.locked_until: dict[int, int] = {}

    def votes_for(self, amount: int) -> int:
        """Power that a deposit of ``amount`` base units gives."""
        return amount * self._rate // MICRO

    def cash_for(self, votes: int) -> int:
        """Least deposit that gives ``votes``."""
        return -(-votes * MICRO // self._rate)

    def deposit(self, voter: int, amount: int) -> None:
        """Take ``amount`` of cash from the voter's account; :class:`Refused` where there is no such voter."""
        if not 0 <= voter < len(self._votes.voters):
            raise Refused(f"no voter {voter}")
        self._ledger.transfer(self._cash, self._votes.voters[voter], self.account, amount, "voting_deposit")
        self._set(voter, self.held.get(voter, 0) + amount)

    def withdraw(self, voter: int, amount: int, day: int) -> None:
        """Give ``amount`` back; :class:`Refused` where it is more than was deposited, or locked by a vote."""
        held = self.held.get(voter, 0)
        if amount > held:
            raise Refused(f"voter {voter} has {held} deposited")
        if day <= self.locked_until.get(voter, -1):
            raise Refused(f"the deposit of voter {voter} is locked through day {self.locked_until[voter]}")
        self._ledger.transfer(self._cash, self.account, self._votes.voters[voter], amount, "voting_withdrawal")
        self._set(voter, held - amount)

    def lock(self, voter: int, until: int) -> None:
        """Refuse withdrawals of ``voter`` through day ``until``."""
        before = self.locked_until.get(voter, -1)
        self._ledger.on_rollback(lambda: self.locked_until.__setitem__(voter, before))
        self.locked_until[voter] = max(before, until)

    def _set(self, voter: int, amount: int) -> None:
        before = self.held.get(voter, 0)
        self._ledger.on_rollback(lambda: self.held.__setitem__(voter, before))
        self.held[voter] = amount

    def power(self, voters: int) -> NDArray[np.int64]:
        """Votes of each voter's deposit, int64[voters] base units."""
        found = np.zeros(voters, dtype=np.int64)
        for voter, amount in self.held.items():
            found[voter] = self.votes_for(amount)
        return found

    def supply(self) -> int:
        """Votes of all deposits: they are on top of GOV's supply."""
        return sum(self.votes_for(amount) for amount in self.held.values())

    def deposits_are_held(self) -> str | None:
        """The account holds what it owes."""
        held, owed = self._ledger.balance(self._cash, self.account), sum(self.held.values())
        return None if held == owed else f"voting deposits hold {held} base units and owe {owed}"
