"""Stability pool: deposits of a stablecoin, burned against the debt of liquidated troves for their collateral.

Holds the deposits and the collateral not yet claimed in one account. What can never be: a deposit that loses more than
it is; a unit of debt or collateral that no depositor bears or gets. Shares are by prefix sums, exact in their total,
each within a unit of its part (as Liquity's StabilityPool.sol in its header's formulae, without its running products).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sim.chain.mempool import Refused

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


class StabilityError(Refused):
    """A deposit, withdrawal or claim that the pool refuses."""


def in_proportion(pot: int, weights: Sequence[int]) -> list[int]:
    """Split ``pot`` over ``weights`` exactly: differences of floor(pot C_k / C_n). ZeroDivisionError without weight.

    Where ``pot`` is at most the sum of the weights, no part exceeds its weight.
    """
    total, so_far, before = sum(weights), 0, 0
    parts = []
    for weight in weights:
        so_far += weight
        reached = pot * so_far // total
        parts.append(reached - before)
        before = reached
    return parts


class StabilityPool:
    """``deposits`` and ``gains`` by depositor's account, base units of ``coin`` and of ``collateral``."""

    def __init__(self, ledger: Ledger, name: str, coin: int, collateral: int) -> None:
        self.ledger = ledger
        self.coin = coin
        self.collateral = collateral
        self.account = ledger.open_account(f"{name}.stability", "protocol")
        self.deposits: dict[int, int] = {}
        self.gains: dict[int, int] = {}
        self.total = 0
        self.offset_debt = 0
        self.held_back: Callable[[], bool] = lambda: False
        """Whether withdrawals wait, so that nobody takes a deposit away from the debt that it is about to bear."""

    def deposit(self, account: int, amount: int) -> None:
        """Add ``amount`` of the coin."""
        if amount <= 0:
            raise StabilityError(f"a deposit is positive, not {amount}")
        with self.ledger.atomic():
            self.ledger.transfer(self.coin, account, self.account, amount, "stability_deposit")
            self._put(self.deposits | {account: self.deposits.get(account, 0) + amount}, self.gains)

    def withdraw(self, account: int, amount: int) -> None:
        """Take ``amount`` of what is left of the deposit."""
        held = self.deposits.get(account, 0)
        if not 0 < amount <= held:
            raise StabilityError(f"{amount} cannot be withdrawn from a deposit of {held}")
        if self.held_back():
            raise StabilityError("withdrawals wait for the liquidation of troves below the minimum ratio")
        with self.ledger.atomic():
            self.ledger.transfer(self.coin, self.account, account, amount, "stability_withdrawal")
            self._put(self.deposits | {account: held - amount}, self.gains)

    def claim(self, account: int) -> int:
        """Pay out the collateral gained so far, and return it."""
        gained = self.gains.get(account, 0)
        with self.ledger.atomic():
            self.ledger.transfer(self.collateral, self.account, account, gained, "stability_gain")
            self._put(self.deposits, self.gains | {account: 0})
        return gained

    def offset(self, debt: int, vault: int, collateral: int) -> None:
        """Burn ``debt`` of the deposits and take ``collateral`` from ``vault`` for it, both shared by deposit."""
        if not 0 < debt <= self.total:
            raise StabilityError(f"deposits of {self.total} cannot bear a debt of {debt}")
        accounts = sorted(self.deposits)
        held = [self.deposits[account] for account in accounts]
        lost, won = in_proportion(debt, held), in_proportion(collateral, held)
        with self.ledger.atomic():
            self.ledger.burn(self.coin, self.account, debt, "stability_offset")
            self.ledger.transfer(self.collateral, vault, self.account, collateral, "stability_offset")
            self._put({account: before - loss for account, before, loss in zip(accounts, held, lost, strict=True)},
                      self.gains | {account: self.gains.get(account, 0) + gain
                                    for account, gain in zip(accounts, won, strict=True)}, debt)

    def check(self) -> str | None:
        """Invariant: the account holds the deposits and the gains, and nobody's are negative."""
        owed = sum(self.deposits.values()), sum(self.gains.values())
        held = self.ledger.balance(self.coin, self.account), self.ledger.balance(self.collateral, self.account)
        if owed != held or owed[0] != self.total or min((*self.deposits.values(), *self.gains.values(), 0)) < 0:
            return f"the stability pool owes (coin, collateral) {owed} and holds {held}"
        return None

    def _put(self, deposits: dict[int, int], gains: dict[int, int], offset: int = 0) -> None:
        old = self.deposits, self.gains, self.total, self.offset_debt
        self.ledger.on_rollback(lambda: self._restore(old))
        self.deposits = {account: amount for account, amount in deposits.items() if amount}
        self.gains = {account: amount for account, amount in gains.items() if amount}
        self.total = sum(self.deposits.values())
        self.offset_debt += offset

    def _restore(self, old: tuple[dict[int, int], dict[int, int], int, int]) -> None:
        self.deposits, self.gains, self.total, self.offset_debt = old
