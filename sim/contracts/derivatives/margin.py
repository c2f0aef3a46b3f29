"""A contract of two sides with margin: posted when it opens, called every day by its marked value, seized on default.

Holds a margin account for each side and what each has owed, paid and left unpaid. The long side receives when the
value is positive. A side must have posted its initial margin and what the contract is worth to the other. Who cannot
meet a call, or pays less than it owes, is in default: the contract is closed out at its value, which is taken from the
margin of who owes it, then from its cash; the rest is recorded as unpaid, and paid when it has cash again.

What can never be: owed = paid + unpaid does not hold; anybody receives more than it is owed; margin goes anywhere but
back to who posted it or to the other side for a debt; a failed opening leaves a trace. Nothing is divided here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from sim.chain.mempool import Refused
from sim.contracts.derivatives.parties import Party

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

MARGIN = "derivative_margin"
CLOSE_OUT = "derivative_close_out"
LATE = "derivative_late_payment"


class MarginError(Refused):
    """A contract cannot be opened, or is not open."""


class Side(IntEnum):
    """LONG receives a positive value, SHORT pays it."""

    LONG = 0
    SHORT = 1

    @property
    def other(self) -> Side:
        """The side across."""
        return Side(1 - self)


class Standing(StrEnum):
    """NEW before margin is posted; OPEN; ENDED as agreed; DEFAULTED and closed out."""

    NEW = "new"
    OPEN = "open"
    ENDED = "ended"
    DEFAULTED = "defaulted"


@dataclass(slots=True)
class Account:
    """Sums of one side as debtor since the start, base units."""

    owed: int = 0
    paid: int = 0
    unpaid: int = 0


class MarginedContract:
    """One contract between ``long`` and ``short``; ``initial`` margin of each side in base units."""

    def __init__(
        self, ledger: Ledger, asset: int, name: str, long: Party, short: Party, initial: tuple[int, int]
    ) -> None:
        if min(initial) < 0:
            raise MarginError(f"{name} asks for a negative margin")
        self.ledger = ledger
        self.asset = asset
        self.name = name
        self.parties = (long, short)
        self.initial = initial
        self.margins = tuple(ledger.open_account(f"{name}.margin_{side.name.lower()}", "derivatives") for side in Side)
        self.standing = Standing.NEW
        self.value = 0
        """Marked value to the long side, base units."""
        self.accounts = (Account(), Account())
        self.defaulter: Side | None = None
        self.closed_on: int | None = None

    @property
    def open(self) -> bool:
        """Whether it is in force."""
        return self.standing is Standing.OPEN

    def posted(self, side: Side) -> int:
        """Margin of a side."""
        return self.ledger.balance(self.asset, self.margins[side])

    def required(self, side: Side) -> int:
        """Initial margin and what the contract is worth to the other side."""
        worth = -self.value if side is Side.LONG else self.value
        return self.initial[side] + max(worth, 0)

    def enter(self) -> None:
        """Both sides post initial margin; MarginError, without a trace, where one cannot."""
        if self.standing is not Standing.NEW:
            raise MarginError(f"{self.name} is {self.standing}")
        for side, party in zip(Side, self.parties, strict=True):
            if party.free_cash() < self.initial[side]:
                raise MarginError(f"{party.name} cannot post the initial margin of {self.name}")
        self._touch()
        with self.ledger.atomic():
            for side, party in zip(Side, self.parties, strict=True):
                party.post(self.margins[side], self.initial[side], MARGIN)
        self.standing = Standing.OPEN

    def mark(self, value: int, day: int) -> Side | None:
        """Mark to ``value``: surplus margin goes back, missing margin is called. Who cannot post it is in default; the
        contract is then closed out and that side returned."""
        self._need_open()
        self._touch()
        self.value = value
        for side, party in zip(Side, self.parties, strict=True):
            surplus = self.posted(side) - self.required(side)
            if surplus > 0:
                party.take_back(self.margins[side], surplus, MARGIN)
        for side, party in zip(Side, self.parties, strict=True):
            call = self.required(side) - self.posted(side)
            if call > 0:
                if party.free_cash() < call:
                    self.close_out(side, day)
                    return side
                party.post(self.margins[side], call, MARGIN)
        return None

    def settle(self, debtor: Side, amount: int, kind: str, day: int, left: int = 0) -> int:
        """``debtor`` owes ``amount`` today: paid from cash, then margin; returns what was paid. ``left`` is what the
        contract is worth to the long side afterwards. Less than all is a default, and the contract is closed out."""
        self._need_open()
        if amount < 0:
            raise MarginError(f"{self.name} cannot settle {amount}")
        self._touch()
        self.value = left
        paid = self._pay(debtor, amount, kind, margin_first=False)
        if paid < amount:
            self.close_out(debtor, day)
        return paid

    def close_out(self, defaulter: Side, day: int) -> None:
        """End it because ``defaulter`` failed: its value is due at once to whom it is worth something."""
        self._need_open()
        self._touch()
        self.standing, self.defaulter, self.closed_on = Standing.DEFAULTED, defaulter, day
        if self.value:
            self._pay(Side.SHORT if self.value > 0 else Side.LONG, abs(self.value), CLOSE_OUT, margin_first=True)
        self.value = 0
        self.parties[defaulter].fail(day)
        self._return_margins()

    def expire(self, day: int) -> None:
        """It ends as agreed; margins go back."""
        self._need_open()
        self._touch()
        self.standing, self.value, self.closed_on = Standing.ENDED, 0, day
        self._return_margins()

    def pay_late(self, debtor: Side, most: int | None = None) -> int:
        """Pay of what ``debtor`` left unpaid what its cash allows, at most ``most``; returns it."""
        account, party = self.accounts[debtor], self.parties[debtor]
        amount = min(account.unpaid, party.free_cash(), account.unpaid if most is None else most)
        if amount <= 0:
            return 0
        self._touch()
        self._transfer(debtor, amount, LATE)
        account.unpaid -= amount
        account.paid += amount
        return amount

    # Inside --------------------------------------------------------------------------------------------------

    def _need_open(self) -> None:
        if not self.open:
            raise MarginError(f"{self.name} is {self.standing}")

    def _pay(self, debtor: Side, amount: int, kind: str, margin_first: bool) -> int:
        """Pay what can be paid of ``amount`` and record the rest as unpaid."""
        account, party = self.accounts[debtor], self.parties[debtor]
        account.owed += amount
        left = amount
        for from_margin in (margin_first, not margin_first):
            part = min(left, self.posted(debtor) if from_margin else max(party.free_cash(), 0))
            if part <= 0:
                continue
            if from_margin:
                self._from_margin(debtor, part, kind)
            else:
                self._transfer(debtor, part, kind)
            left -= part
        account.paid += amount - left
        account.unpaid += left
        return amount - left

    def _from_margin(self, debtor: Side, amount: int, kind: str) -> None:
        self.parties[debtor.other].receive(self.margins[debtor], amount, kind)

    def _transfer(self, debtor: Side, amount: int, kind: str) -> None:
        """Cash of ``debtor`` through its margin account, so that each party books its own part of the payment."""
        with self.ledger.atomic():
            self.parties[debtor].pay(self.margins[debtor], amount, kind)
            self.parties[debtor.other].receive(self.margins[debtor], amount, kind)

    def _return_margins(self) -> None:
        for side, party in zip(Side, self.parties, strict=True):
            if self.posted(side):
                party.take_back(self.margins[side], self.posted(side), MARGIN)

    def _touch(self) -> None:
        """Inside a transaction, remember the state so that a rollback restores it."""
        if not self.ledger.in_atomic:
            return
        kept: tuple[Any, ...] = (self.standing, self.value, self.defaulter, self.closed_on)
        accounts = tuple(replace(account) for account in self.accounts)
        failed = tuple(party.failed_on for party in self.parties)

        def restore() -> None:
            self.standing, self.value, self.defaulter, self.closed_on = kept
            self.accounts = (accounts[0], accounts[1])
            for party, day in zip(self.parties, failed, strict=True):
                party.failed_on = day

        self.ledger.on_rollback(restore)
