"""Who stands on a side of a derivative: an account with its own cash, or a pool with all that its waterfall holds.

Both are seen through one interface. What can never be: a party pays what it has not; a pool pays margin or a premium
with unearned premium, or before a claim that it left unpaid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolState

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


class Party(Protocol):
    """One side. ``account`` names it in exposures."""

    name: str
    account: int
    failed_on: int | None

    def free_cash(self) -> int:
        """What it may pay with today, base units."""
        ...

    def pay(self, account: int, amount: int, kind: str) -> None:
        """Pay ``amount``, which it has, for good."""
        ...

    def receive(self, account: int, amount: int, kind: str) -> None:
        """Take ``amount`` from ``account`` as its own."""
        ...

    def post(self, account: int, amount: int, kind: str) -> None:
        """Put ``amount``, which it has, on a margin account, where it stays its own."""
        ...

    def take_back(self, account: int, amount: int, kind: str) -> None:
        """Take margin back."""
        ...

    def fail(self, day: int) -> None:
        """It did not pay or post what was due."""
        ...


class CashParty:
    """A party whose account is all it has: an investor, a regional fund."""

    def __init__(self, ledger: Ledger, asset: int, name: str, sector: str) -> None:
        self.ledger = ledger
        self.asset = asset
        self.name = name
        self.account = ledger.open_account(name, sector)
        self.failed_on: int | None = None

    def free_cash(self) -> int:
        return self.ledger.balance(self.asset, self.account)

    def pay(self, account: int, amount: int, kind: str) -> None:
        self.ledger.transfer(self.asset, self.account, account, amount, kind)

    def receive(self, account: int, amount: int, kind: str) -> None:
        self.ledger.transfer(self.asset, account, self.account, amount, kind)

    post = pay
    take_back = receive

    def fail(self, day: int) -> None:
        if self.failed_on is None:
            self.failed_on = day


class PoolParty:
    """A pool. Margin that it posts counts among its assets; what it receives repays its senior tranche first."""

    def __init__(self, pool: InsurancePool) -> None:
        self.pool = pool
        self.name = pool.name
        self.account = pool.accounts.surplus
        self.failed_on: int | None = None

    def free_cash(self) -> int:
        pool, a = self.pool, self.pool.accounts
        if pool.unpaid.total or pool.state is PoolState.CLOSED:
            return 0
        return pool.cash(a.surplus) + pool.cash(a.junior) + pool.cash(a.senior)

    def pay(self, account: int, amount: int, kind: str) -> None:
        self.pool.pay_debt(account, amount, kind)

    def receive(self, account: int, amount: int, kind: str) -> None:
        self.pool.take_back(kind, account, amount)

    def post(self, account: int, amount: int, kind: str) -> None:
        self.pool.put_out(kind, account, amount)

    def take_back(self, account: int, amount: int, kind: str) -> None:
        self.pool.take_back(kind, account, amount)

    def fail(self, day: int) -> None:
        """The contract is closed out; the pool itself fails only by its own books."""
        if self.failed_on is None:
            self.failed_on = day
