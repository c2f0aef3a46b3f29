"""Optimistic claims: a claim with a bond is taken as true unless somebody disputes it with a bond of the same size.

Holds the bonds of open assertions in one account. What can never be: a bond paid out twice, or the account holding
more or less than the open bonds. Rounding: the store's part of a loser's bond is floored, in the winner's favour, so
that both bonds are paid out to the unit (winner 1.5, store 0.5 bonds where half of one is burned, as in UMA).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.contracts.oracle_committee.rules import dispute_payout
from sim.kernel.fixedpoint import BPS

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Dispute:
    """The accounts on both sides of a disputed claim, and the bond that each has put up."""

    asserter: int
    disputer: int
    bond: int


@dataclass(slots=True)
class _Day:
    """Assertions whose window ends on one day: claim ids (rising), accounts, bonds, and which are still open."""

    ids: NDArray[np.int64]
    accounts: NDArray[np.int64]
    bonds: NDArray[np.int64]
    unchallenged: NDArray[np.bool_]


class Assertions:
    """Bonds of asserted claims.

    Parameters
    ----------
    ledger, asset: where bonds are held.
    store: account that receives the burned part of a loser's bond.
    burned_bps: that part, in basis points of one bond.
    """

    def __init__(self, ledger: Ledger, asset: int, store: int, burned_bps: int) -> None:
        self.ledger = ledger
        self.asset = asset
        self.store = store
        self.burned_bps = burned_bps
        self.account = ledger.open_account("claim_bonds", "protocol")
        self._open: dict[int, list[_Day]] = {}
        self._disputes: dict[int, Dispute] = {}

    def open(
        self, ids: NDArray[np.int64], accounts: NDArray[np.int64], bonds: NDArray[np.int64], until: int
    ) -> NDArray[np.bool_]:
        """Collect the bonds of claims that may be disputed up to and including ``until``; bool[n]: who could pay."""
        paid = np.asarray(self.ledger.collect(self.asset, accounts, self.account, bonds, "claim_bond", partial=True))
        batch = _Day(ids[paid], accounts[paid], bonds[paid], np.ones(int(paid.sum()), dtype=np.bool_))
        days = self._open.setdefault(until, [])
        days.append(batch)
        self.ledger.on_rollback(lambda: days.pop())  # the last one by then: what came later is undone before
        return paid

    def unchallenged(self) -> NDArray[np.int64]:
        """Claims that can still be disputed, int64[n]."""
        found = [batch.ids[batch.unchallenged] for until in sorted(self._open) for batch in self._open[until]]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

    def dispute(self, ids: NDArray[np.int64], disputers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Dispute claims against equal bonds from ``disputers``, in row order.

        Returns bool[n]: false where the claim cannot be disputed (any more) or the disputer cannot pay the bond.
        """
        accepted = np.zeros(ids.size, dtype=np.bool_)
        for row in range(ids.size):
            claim, disputer = int(ids[row]), int(disputers[row])
            found = self._find(claim)
            if found is None:
                continue
            batch, place = found
            bond = int(batch.bonds[place])
            if self.ledger.balance(self.asset, disputer) < bond:
                continue
            self.ledger.transfer(self.asset, disputer, self.account, bond, "claim_bond")
            batch.unchallenged[place] = False
            self._disputes[claim] = Dispute(int(batch.accounts[place]), disputer, bond)
            self.ledger.on_rollback(partial(self._undispute, batch, place, claim))
            accepted[row] = True
        return accepted

    def expire(self, day: int) -> NDArray[np.int64]:
        """Return the bonds whose window ended before ``day`` without dispute; the claims concerned, int64[n]."""
        done = [np.empty(0, dtype=np.int64)]
        for until in sorted(day_ for day_ in self._open if day_ < day):
            for batch in self._open.pop(until):
                free = batch.unchallenged
                self.ledger.pay(self.asset, self.account, batch.accounts[free], batch.bonds[free], "bond_return")
                done.append(batch.ids[free])
        return np.concatenate(done)

    def resolve(self, ids: NDArray[np.int64], asserter_right: NDArray[np.bool_]) -> None:
        """Pay out the disputes among ``ids`` (other claims are passed over): both bonds less what is burned."""
        if not self._disputes:
            return
        for claim, right in zip(ids.tolist(), asserter_right.tolist(), strict=True):
            dispute = self._disputes.pop(claim, None)
            if dispute is None:
                continue
            winner, store = dispute_payout(dispute.bond, self.burned_bps, BPS)
            account = dispute.asserter if right else dispute.disputer
            self.ledger.transfer(self.asset, self.account, account, winner, "bond_award")
            self.ledger.transfer(self.asset, self.account, self.store, store, "bond_burned")

    def check(self) -> str | None:
        """Invariant: the account holds the open bonds, to the unit."""
        owed = sum(int(batch.bonds[batch.unchallenged].sum()) for days in self._open.values() for batch in days)
        owed += sum(2 * dispute.bond for dispute in self._disputes.values())
        held = self.ledger.balance(self.asset, self.account)
        return None if held == owed else f"claim bonds hold {held} base units, {owed} are owed"

    def _find(self, claim: int) -> tuple[_Day, int] | None:
        for batches in self._open.values():
            for batch in batches:
                place = int(np.searchsorted(batch.ids, claim))
                if place < batch.ids.size and batch.ids[place] == claim:
                    return (batch, place) if batch.unchallenged[place] else None
        return None

    def _undispute(self, batch: _Day, place: int, claim: int) -> None:
        batch.unchallenged[place] = True
        self._disputes.pop(claim, None)
