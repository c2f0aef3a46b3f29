"""The treasury: the protocol's purse, open only to executed proposals and standing budgets.

Holds the balance of one ledger account, the standing budgets and a book of what came in and went out by kind. Others
pay in by plain ledger transfers, so income that was not announced through :meth:`receive` is found by comparing the
balance with the book. What can never be: cash leaving under no authority, a budget exceeded in a period.
A budget that the purse cannot meet is paid as far as it goes; the rest is recorded as unpaid.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Refused

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


class TreasuryError(Refused):
    """A payment that no proposal or budget covers."""


@dataclass(slots=True)
class Budget:
    """A standing permission to spend ``amount`` base units of cash per ``period_days``."""

    amount: int
    period_days: int
    spent: int = 0
    unpaid: int = 0
    period: int = 0


class Treasury:
    """The purse at ``account``; ``cash`` is the asset that budgets and programmes are paid in."""

    def __init__(self, ledger: Ledger, account: int, cash: int) -> None:
        self._ledger = ledger
        self.account = account
        self.cash = cash
        self.budgets: dict[str, Budget] = {}
        self.income: defaultdict[str, int] = defaultdict(int)
        """Cash received so far, by kind; "fees" is what came in unannounced (premium and swap fee shares)."""
        self.spent: defaultdict[str, int] = defaultdict(int)
        """Cash paid out so far, by kind."""
        self._booked = 0
        self.unexplained_loss = 0
        """Cash that left the account other than through this contract; must stay 0."""

    def balance(self, asset: int | None = None) -> int:
        """Base units of ``asset`` (cash by default) in the purse."""
        return self._ledger.balance(self.cash if asset is None else asset, self.account)

    def receive(self, source: int, amount: int, kind: str) -> None:
        """Take ``amount`` base units of cash from ``source``, booked under ``kind``."""
        self._restore_on_rollback()
        self._ledger.transfer(self.cash, source, self.account, amount, kind)
        self.income[kind] += amount
        self._booked += amount

    def spend(self, asset: int, account: int, amount: int, kind: str, authority: str) -> None:
        """Pay out under an executed proposal, named by ``authority``; refused without one or without funds."""
        if not authority:
            raise TreasuryError("a payment needs an authority")
        self._restore_on_rollback()
        self._ledger.transfer(asset, self.account, account, amount, kind)
        if asset == self.cash:
            self._book_out(kind, amount)

    def book_guarantee(self, asset: int, amount: int, kind: str) -> None:
        """Book ``amount`` that a contract has just drawn under a standing rule of the market: a loss that the treasury
        covers, a market that it sponsors."""
        if asset == self.cash:
            self._restore_on_rollback()
            self._book_out(kind, amount)

    def set_budget(self, name: str, amount: int, period_days: int = 30) -> None:
        """Create the standing budget ``name`` or change its amount per period."""
        if amount < 0:
            raise TreasuryError(f"budget {name!r} cannot be negative")
        self._restore_on_rollback()
        if name in self.budgets:
            self.budgets[name].amount = amount
        else:
            self.budgets[name] = Budget(amount, period_days)

    def pay_budget(self, name: str, accounts: NDArray[np.int64], day: int, kind: str) -> int:
        """Pay the rest of this period's budget ``name`` in equal parts to ``accounts``; returns what was paid.

        Parts are floored. What the purse lacks stays unpaid and is recorded.
        """
        if name not in self.budgets:
            raise TreasuryError(f"no budget {name!r}")
        self._restore_on_rollback()
        budget = self.budgets[name]
        period = day // budget.period_days
        if period != budget.period:
            budget.period, budget.spent = period, 0
        if accounts.size == 0:
            return 0
        due = budget.amount - budget.spent
        part = min(due, self.balance()) // accounts.size
        total = part * int(accounts.size)
        if total > 0:
            self._ledger.pay(self.cash, self.account, accounts, np.full(accounts.size, part, dtype=np.int64), kind)
            self._book_out(kind, total)
        budget.spent += total
        budget.unpaid += max(due // int(accounts.size) * int(accounts.size) - total, 0)
        return total

    def reconcile(self) -> int:
        """Book what came in unannounced since the last call, and return it."""
        unannounced = self.balance() - self._booked
        if unannounced > 0:
            self.income["fees"] += unannounced
        else:
            self.unexplained_loss -= unannounced
        self._booked += unannounced
        return unannounced

    @property
    def total_income(self) -> int:
        """Cash received so far under all kinds."""
        return sum(self.income.values())

    def _book_out(self, kind: str, amount: int) -> None:
        self.spent[kind] += amount
        self._booked -= amount

    def _restore_on_rollback(self) -> None:
        if not self._ledger.in_atomic:
            return
        booked, income, spent = self._booked, dict(self.income), dict(self.spent)
        budgets = {name: (b.amount, b.period_days, b.spent, b.unpaid, b.period) for name, b in self.budgets.items()}

        def undo() -> None:
            self._booked = booked
            self.income = defaultdict(int, income)
            self.spent = defaultdict(int, spent)
            self.budgets = {name: Budget(*state) for name, state in budgets.items()}

        self._ledger.on_rollback(undo)
