"""Escrow of bribes: a public promise to the members of committees that judge one claim, with the money to keep it.

Holds what was deposited for each promise. Anybody can read the promise and the deposit before voting, and nobody's
word is needed: the contract pays by the votes that the claims contract published. What can never be: a promise that
the deposit could not keep to a majority of the first committee, a payment above the deposit, or a deposit that is
neither in the account nor paid or returned. It can only pay for what it can verify, so it opens no promise where
ballots stay secret. Rounding: what a member is promised out of too small a deposit is floored, in the owner's favour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.chain.mempool import Refused
from sim.contracts.claims.round import Round
from sim.contracts.claims.table import OPEN
from sim.contracts.oracle_committee.decision import DEVIATING
from sim.contracts.oracle_committee.rules import votes_needed

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


class BribeError(Refused):
    """A promise that the escrow does not open."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A promise on one claim: ``deposit`` base units are left, ``promises`` base units per vote by number of appeals.

    ``contingent``: paid to members who voted for the claim and lost (p + epsilon). Otherwise paid to the first members
    who voted for it, as many as the deposit reaches for, whatever the result.
    """

    claim: int
    deposit: int
    promises: tuple[int, ...]
    contingent: bool

    def terms(self, level: int, seats: int) -> tuple[int, int]:
        """(base units per vote, members to whom it is promised) on a committee of ``seats`` after ``level`` appeals.

        A contingent promise goes to all members: no more than a minority can ever fall due.
        """
        majority = votes_needed("simple", seats)
        promise = min(self.promises[min(level, len(self.promises) - 1)], self.deposit // majority)
        if promise <= 0:
            return 0, 0
        return promise, seats if self.contingent else min(seats, self.deposit // promise)


class BribeEscrow:
    """Promises of one owner, one per claim.

    Parameters
    ----------
    ledger, asset: what is promised.
    claims: the claims contract, whose published votes decide on payment.
    owner: account that deposits come from and return to.
    name, sector: of the escrow's account.
    """

    def __init__(self, ledger: Ledger, asset: int, claims: Any, owner: int, name: str, sector: str) -> None:
        self.ledger = ledger
        self.asset = asset
        self.claims = claims
        self.owner = owner
        self.account = ledger.open_account(name, sector)
        self.offers: dict[int, Offer] = {}
        self.paid = 0

    @property
    def locked(self) -> int:
        """Base units deposited behind open promises."""
        return sum(offer.deposit for offer in self.offers.values())

    def offer(self, claim: int, deposit: int, promises: tuple[int, ...], contingent: bool) -> None:
        """Open a promise on an undecided claim. BribeError where ballots are secret, the claim is not open or has a
        promise, or the deposit does not reach for a majority of the first committee."""
        if self.claims.section.secret_ballots:
            raise BribeError("ballots are secret: nobody can prove a vote that was paid for")
        if not 0 <= claim < len(self.claims.table) or self.claims.table["status"][claim] not in OPEN:
            raise BribeError(f"claim {claim} is not before a committee")
        if claim in self.offers:
            raise BribeError(f"there is a promise on claim {claim}")
        if not promises or min(promises) <= 0:
            raise BribeError("a promise is of at least one base unit")
        if deposit < promises[0] * votes_needed("simple", self.claims.seats(0)):
            raise BribeError(f"{deposit} base units do not cover {promises[0]} for each member of a majority")
        self.ledger.transfer(self.asset, self.owner, self.account, deposit, "bribe_deposit")
        self._keep(claim, Offer(claim, deposit, promises, contingent))

    def settle(self, rounds: Iterable[Round]) -> int:
        """Pay what fell due in rounds that were decided; base units paid."""
        paid = 0
        for round_ in rounds:
            if round_.decisions is None:
                continue
            for row, claim in enumerate(round_.ids.tolist()):
                offer = self.offers.get(claim)
                if offer is None:
                    continue
                promise, members = offer.terms(round_.level, round_.seats.shape[1])
                due = round_.revealed[row] & round_.valid[row]
                if offer.contingent:
                    due = due & (round_.decisions.verdicts[row] == DEVIATING)
                seats = round_.seats[row, :members][due[:members]].astype(np.int64)
                if not seats.size or not promise:
                    continue
                amounts = np.full(seats.size, promise, dtype=np.int64)
                self.ledger.pay(self.asset, self.account, self.claims.operators.wallets[seats], amounts, "bribe")
                self._keep(claim, replace(offer, deposit=offer.deposit - int(amounts.sum())))
                paid += int(amounts.sum())
        before = self.paid
        self.ledger.on_rollback(lambda: self._count(before))
        self.paid += paid
        return paid

    def release(self, claims: Iterable[int]) -> None:
        """Return the deposits behind promises on claims that ended."""
        for claim in claims:
            offer = self.offers.get(claim)
            if offer is not None:
                self.ledger.transfer(self.asset, self.account, self.owner, offer.deposit, "bribe_return")
                self._keep(claim, None)

    def check(self) -> str | None:
        """Invariant: the account holds the deposits, to the unit, and none is negative."""
        held, owed = self.ledger.balance(self.asset, self.account), self.locked
        if any(offer.deposit < 0 for offer in self.offers.values()):
            return "a promise was paid beyond its deposit"
        return None if held == owed else f"the escrow of bribes holds {held} base units, {owed} were deposited"

    def _keep(self, claim: int, offer: Offer | None) -> None:
        old = self.offers.get(claim)
        self.ledger.on_rollback(lambda: self._write(claim, old))
        self._write(claim, offer)

    def _write(self, claim: int, offer: Offer | None) -> None:
        if offer is None:
            self.offers.pop(claim, None)
        else:
            self.offers[claim] = offer

    def _count(self, paid: int) -> None:
        self.paid = paid
