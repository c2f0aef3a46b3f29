"""Money that moves between a pool's layers and other accounts for reasons other than premium, claims and shares.

Every move is counted under its reason, so that no unit is lost from the books. Money goes out in the order of the
waterfall (surplus, junior, senior) and what the senior tranche gives is remembered as *lent*: it has a claim for it on
the assets that the money bought, ahead of the junior tranche, and is repaid first.

What can never be: a move changes the value of the senior tranche while there is anything before it; a debt is paid with
money that the pool has not. Nothing is divided here, so nothing is rounded.
"""

from __future__ import annotations

from typing import Any

from sim.contracts.insurance.accounts import Totals
from sim.contracts.insurance.balance_sheet import BalanceSheet
from sim.contracts.insurance.pool_state import PoolError


class Exchanges(BalanceSheet):
    """Base of :class:`sim.contracts.insurance.pool.InsurancePool`."""

    name: str
    totals: Totals

    def _touch(self, *parts: Any) -> None:
        """Inside a transaction, remember the state."""
        raise NotImplementedError

    def exchange(self, reason: str, layer: int, other: int, amount: int) -> None:
        """Move ``amount`` from ``other`` into a layer's account (negative: out of it), counted under ``reason``."""
        self._touch()
        payer, payee = (other, layer) if amount >= 0 else (layer, other)
        self.ledger.transfer(self.asset, payer, payee, abs(amount), reason)
        self.totals.exchanged[reason] = self.totals.exchanged.get(reason, 0) + amount

    def lend(self, amount: int) -> None:
        """The senior tranche has lent ``amount`` more (negative: got it back)."""
        if self.lent + amount < 0:
            raise PoolError(f"{self.name} gives {-amount} back to a senior tranche that lent {self.lent}")
        self._touch()
        self.lent += amount

    def advance(self, drawn: int) -> None:
        """Senior money has just paid ``drawn`` while junior assets were no cash: that part of it is lent, not lost."""
        if drawn and (self.admitted or self.lent):
            self.lend(max(min(drawn, self.first_loss()), 0))

    def put_out(self, reason: str, other: int, amount: int) -> int:
        """Move ``amount``, or all there is, from surplus, junior and senior money to ``other``, which buys assets that
        count as the pool's; returns it."""
        a, left = self.accounts, amount
        with self.ledger.atomic():
            for layer in (a.surplus, a.junior, a.senior):
                part = min(left, self.cash(layer))
                if part > 0:
                    self.exchange(reason, layer, other, -part)
                    left -= part
                    if layer == a.senior:
                        self.lend(part)
        return amount - left

    def take_back(self, reason: str, other: int, amount: int) -> None:
        """Move ``amount`` from ``other``, proceeds of assets: to the senior tranche what it lent, then to surplus."""
        owed = min(amount, self.lent)
        with self.ledger.atomic():
            if owed:
                self.exchange(reason, self.accounts.senior, other, owed)
                self.lend(-owed)
            if amount > owed:
                self.exchange(reason, self.accounts.surplus, other, amount - owed)

    def gather(self, amount: int) -> None:
        """Fill the surplus account up to ``amount`` from the other layers, claims money first."""
        a = self.accounts
        for layer in (a.claims, a.junior, a.senior):
            part = min(amount - self.cash(a.surplus), self.cash(layer))
            if part > 0:
                self.ledger.transfer(self.asset, layer, a.surplus, part, "layer_transfer")
                if layer == a.senior:
                    self.lend(part)

    def repay_senior(self) -> int:
        """Give the senior tranche back what it lent, as far as surplus and junior money reach; returns it."""
        repaid = 0
        for layer in (self.accounts.surplus, self.accounts.junior):
            part = min(self.lent, self.cash(layer))
            if part > 0:
                self._touch()
                self.ledger.transfer(self.asset, layer, self.accounts.senior, part, "senior_repayment")
                self.lend(-part)
                repaid += part
        return repaid

    def receive(self, reason: str, amount: int) -> None:
        """Another pool has just paid ``amount`` into one of the layers: count it under ``reason``."""
        self._touch()
        self.totals.exchanged[reason] = self.totals.exchanged.get(reason, 0) + amount

    def pay_debt(self, payee: int, amount: int, kind: str, claims_first: bool = False) -> None:
        """Pay a debt other than a claim, out of surplus, junior, senior and claims money in this order (or with the
        last first), counted under ``kind``. PoolError where all of it is too little: what can be paid is worked out
        before."""
        a = self.accounts
        layers = (a.surplus, a.junior, a.senior)
        with self.ledger.atomic():
            for layer in (a.claims, *layers) if claims_first else (*layers, a.claims):
                part = min(amount, self.cash(layer))
                if part > 0:
                    self.exchange(kind, layer, payee, -part)
                    amount -= part
                    if layer == a.senior:
                        self.advance(part)
            if amount:
                raise PoolError(f"{self.name} has {amount} too little for a debt")
