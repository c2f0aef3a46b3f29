"""The two sides of a treaty: pools, which cede and may also sell, and reinsurers, which sell and may also cede.

Both are seen through one interface: what they may pay with today, and where they are paid. What a pool has assumed
from others ranks after its own policyholders: it pays only with what it has above its claim reserves (net of what it
will recover of them), and nothing while a claim of a policyholder is unpaid. What can never be: a party pays what it
has not, or what belongs to policyholders.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolError, PoolState

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


class Standing(StrEnum):
    """SOUND; DOWNGRADED: its credit is doubted; INSOLVENT: assets below liabilities; DEFAULTED: it did not pay."""

    SOUND = "sound"
    DOWNGRADED = "downgraded"
    INSOLVENT = "insolvent"
    DEFAULTED = "defaulted"


class Party(Protocol):
    """A cedant or seller. ``account`` names it in exposures; ``seniority`` is the rank of what it owes as a seller."""

    name: str
    account: int
    seniority: int
    standing: Standing
    extra_lag_days: int

    @property
    def earned(self) -> int:
        """Premium earned since the start, base units."""
        ...

    def free_cash(self) -> int:
        """What it may pay debts to other institutions with today."""
        ...

    def cash_at_hand(self) -> int:
        """All the cash it has, whoever ranks first."""
        ...

    def pay(self, other: Party, amount: int, kind: str) -> None:
        """Pay ``amount``, which it has, to another party."""
        ...

    def arrived(self, payer: int, amount: int, kind: str) -> None:
        """Move ``amount`` from account ``payer`` to where it belongs, and count it."""
        ...

    def fail(self, day: int) -> None:
        """It did not pay what fell due."""
        ...


class PoolParty:
    """A pool as cedant and seller."""

    seniority = 1

    def __init__(self, pool: InsurancePool) -> None:
        self.pool = pool
        self.name = pool.name
        self.account = pool.accounts.surplus
        self.transit = pool.ledger.open_account(f"{pool.name}.reinsurance", "insurers")
        self.extra_lag_days = 0
        self._standing = Standing.SOUND

    @property
    def standing(self) -> Standing:
        """A pool whose assets fall below its liabilities defaults the same day, so none is seen INSOLVENT."""
        return self._standing if self.pool.defaulted_on is None else Standing.DEFAULTED

    @standing.setter
    def standing(self, value: Standing) -> None:
        self._standing = value

    @property
    def earned(self) -> int:
        return self.pool.totals.earned

    def cash_at_hand(self) -> int:
        pool, a = self.pool, self.pool.accounts
        return sum(pool.cash(account) for account in (a.claims, a.surplus, a.junior, a.senior))

    def free_cash(self) -> int:
        pool = self.pool
        if pool.unpaid.total:
            return 0
        held = self.cash_at_hand()
        return min(held, max(held + pool.admitted_assets() - pool.claim_reserves(), 0))

    def pay(self, other: Party, amount: int, kind: str) -> None:
        pool, a = self.pool, self.pool.accounts
        left = amount
        with pool.ledger.atomic():
            for layer in (a.claims, a.surplus, a.junior, a.senior):
                part = min(left, pool.cash(layer))
                if part > 0:
                    pool.exchange(kind, layer, self.transit, -part)
                    left -= part
                    if layer == a.senior:
                        pool.advance(part)
            if left:
                raise PoolError(f"{self.name} has {left} too little to pay {other.name}")
            other.arrived(self.transit, amount, kind)

    def arrived(self, payer: int, amount: int, kind: str) -> None:
        """Premium joins the claims fund; a recovery first repays what the senior tranche advanced. Money called for a
        settlement waits in the account of the pool's reinsurance layer, which pays the claims."""
        if kind == CALL:
            self.pool.exchange(kind, self.transit, payer, amount)
            return
        if kind == RECOVERY:
            owed = min(amount, self.pool.lent) if not self.pool.unpaid.total else 0
            if owed:
                self.pool.exchange(kind, self.pool.accounts.senior, payer, owed)
                self.pool.lend(-owed)
            amount -= owed
        if amount:
            self.pool.exchange(kind, self.pool.accounts.claims, payer, amount)

    def fail(self, day: int) -> None:
        if self.pool.state is not PoolState.CLOSED:
            self.pool.default(day)


class ReinsurerParty:
    """A reinsurer's account: its cash is its capital and its premium; debts of all cedants rank equally."""

    seniority = 0

    def __init__(self, ledger: Ledger, asset: int, name: str) -> None:
        self.ledger = ledger
        self.asset = asset
        self.name = name
        self.account = ledger.open_account(name, "reinsurers")
        self.standing = Standing.SOUND
        self.extra_lag_days = 0
        self.failed_on: int | None = None
        self.premium_received = 0

    @property
    def earned(self) -> int:
        return self.premium_received

    def free_cash(self) -> int:
        return self.ledger.balance(self.asset, self.account)

    def cash_at_hand(self) -> int:
        return self.free_cash()

    def pay(self, other: Party, amount: int, kind: str) -> None:
        other.arrived(self.account, amount, kind)

    def arrived(self, payer: int, amount: int, kind: str) -> None:
        self.ledger.transfer(self.asset, payer, self.account, amount, kind)
        if kind == PREMIUM:
            self.premium_received += amount

    def fail(self, day: int) -> None:
        self.standing = Standing.DEFAULTED
        if self.failed_on is None:
            self.failed_on = day


PREMIUM = "reinsurance_premium"
RECOVERY = "reinsurance_recovery"
CALL = "reinsurance_call"
"""A recovery that is called in while claims are settled."""
