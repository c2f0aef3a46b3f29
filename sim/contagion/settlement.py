"""One day's debts among institutions, cleared and paid: from exposures of all mechanisms to moves on the ledger.

Each mechanism names what falls due (:meth:`Mechanism.obligations_due`); together they are cleared
(:mod:`sim.contagion.clearing`), and each mechanism moves its own (:meth:`Mechanism.settle_obligations`). Debts in
different assets are cleared apart. A clearing vector lets a debtor pay with what it receives in the same moment, so the
clearing house lends what a debtor lacks until then and takes it back before the day goes on: units that it creates and
destroys inside one atomic block.

What can never be: a debtor pays more than its money and its receipts; units of the clearing house outlast the day; a
debt is paid beyond its amount. Rounding: in the clearing, against creditors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.contagion.clearing import Clearing, clear
from sim.contracts.insurance.pool import InsurancePool
from sim.kernel.draws import mix64_array
from sim.mechanism import Exposure, Mechanism, Statement

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


@dataclass(slots=True)
class Settled:
    """What came of one day's debts, base units. ``unpaid_to`` by creditor, ``wave`` (rounds of failure) and ``costs``
    by debtor's account; ``guaranteed`` was paid in debtors' stead."""

    owed: int = 0
    unpaid: int = 0
    guaranteed: int = 0
    unpaid_to: dict[int, int] = field(default_factory=dict)
    wave: dict[int, int] = field(default_factory=dict)
    costs: dict[int, int] = field(default_factory=dict)


PASSED_THROUGH = ("unearned_premium_cash", "administration_cash")
"""Assets that belong to others."""


def available(statement: Statement, due_in: int, policyholders_first: bool) -> int:
    """Money with which an institution can pay today's debts, ``due_in`` being owed to it today. With
    ``policyholders_first`` not the part that is needed for claims beside its other assets."""
    if not policyholders_first:
        return max(statement.cash, 0)
    claims = sum(amount for name, amount in statement.liabilities.items() if name.startswith("claims_"))
    others = sum(amount for name, amount in statement.assets.items() if name not in PASSED_THROUGH)
    return max(statement.cash - max(claims - max(others - due_in, 0), 0), 0)


class Clearinghouse:
    """Clears and settles. ``pools`` by the account that names them; ``alpha`` and ``beta``: what failure leaves of cash
    and of receipts; ``guarantor``: the account that pays what debtors cannot (None: creditors bear it)."""

    def __init__(
        self, ledger: Ledger, pools: Mapping[int, InsurancePool], alpha: float, beta: float, policyholders_first: bool,
        guarantor: int | None,
    ) -> None:
        self.ledger = ledger
        self.pools = pools
        self.alpha = alpha
        self.beta = beta
        self.policyholders_first = policyholders_first
        self.guarantor = guarantor

    def settle(self, day: int, mechanisms: Iterable[Mechanism], statements: Mapping[int, Statement]) -> Settled:
        """Clear and pay what falls due on ``day``; ``statements`` by account."""
        parts = [(mechanism, list(mechanism.obligations_due(day))) for mechanism in mechanisms]
        debts = [debt for _, due in parts for debt in due]
        settled = Settled()
        if not debts:
            return settled
        paid = np.zeros(len(debts), dtype=np.int64)
        with self.ledger.atomic():
            for asset in sorted({debt.asset for debt in debts}):
                rows = [row for row, debt in enumerate(debts) if debt.asset == asset]
                paid[rows] = self._clear([debts[row] for row in rows], asset, statements, settled)
            lent = self._lend(debts, paid)
            first = 0
            for mechanism, due in parts:
                if due:
                    mechanism.settle_obligations(day, paid[first:first + len(due)].tolist())
                first += len(due)
            for (account, asset), amount in lent.items():
                if account in self.pools:
                    self.pools[account].gather(amount)
                self.ledger.burn(asset, account, amount, "intraday_credit")
        for debt, amount in zip(debts, paid.tolist(), strict=True):
            settled.owed += debt.amount
            if missing := debt.amount - amount:
                settled.unpaid += missing
                settled.unpaid_to[debt.creditor] = settled.unpaid_to.get(debt.creditor, 0) + missing
        return settled

    def _clear(
        self, debts: list[Exposure], asset: int, statements: Mapping[int, Statement], settled: Settled
    ) -> NDArray[np.int64]:
        """Payments int64[debts] of debts in one asset."""
        accounts = sorted({account for debt in debts for account in (debt.debtor, debt.creditor)})
        place = {account: position for position, account in enumerate(accounts)}
        others = [row for row, debt in enumerate(debts) if debt.debtor != debt.creditor]
        amounts = np.array([debt.amount for debt in debts], dtype=np.int64)
        debtors = np.array([place[debts[row].debtor] for row in others], dtype=np.int64)
        creditors = np.array([place[debts[row].creditor] for row in others], dtype=np.int64)
        due_in = np.zeros(len(accounts), dtype=np.int64)
        np.add.at(due_in, creditors, amounts[others])
        cash = np.array([self._cash(account, asset, statements, due)
                         for account, due in zip(accounts, due_in.tolist(), strict=True)], dtype=np.int64)
        if self.guarantor is not None:
            settled.guaranteed += self._guarantee(accounts, debtors, creditors, amounts[others], cash, asset)
        order = mix64_array(np.array(others, dtype=np.uint64))
        found: Clearing = clear(debtors, creditors, amounts[others], cash,
                                np.array([debts[row].seniority for row in others], dtype=np.int64), self.alpha,
                                self.beta, order)
        for position, account in enumerate(accounts):
            if found.wave[position]:
                settled.wave[account] = max(settled.wave.get(account, 0), int(found.wave[position]))
                settled.costs[account] = settled.costs.get(account, 0) + int(found.cost[position])
        paid = amounts.copy()  # who owes itself pays itself
        paid[others] = found.paid
        return paid

    def _cash(self, account: int, asset: int, statements: Mapping[int, Statement], due_in: int) -> int:
        if account in statements:
            return available(statements[account], due_in, self.policyholders_first)
        return self.ledger.balance(asset, account)

    def _guarantee(
        self, accounts: list[int], debtors: NDArray[np.int64], creditors: NDArray[np.int64],
        amounts: NDArray[np.int64], cash: NDArray[np.int64], asset: int,
    ) -> int:
        """Give debtors what they lack if all others pay, as far as the guarantor has it; raises ``cash``."""
        assert self.guarantor is not None
        need = -cash.copy()
        np.add.at(need, debtors, amounts)
        np.subtract.at(need, creditors, amounts)
        given = 0
        for position in np.flatnonzero(need > 0).tolist():
            part = min(int(need[position]), self.ledger.balance(asset, self.guarantor))
            pool = self.pools.get(accounts[position])
            if pool is not None:
                pool.exchange("guarantee", accounts[position], self.guarantor, part)
            else:
                self.ledger.transfer(asset, self.guarantor, accounts[position], part, "guarantee")
            cash[position] += part
            given += part
        return given

    def pay_costs(self, costs: Mapping[int, int], payee: int, asset: int) -> int:
        """Have the failed pay the costs of their failure, as far as they hold it; returns what was paid."""
        spent = 0
        for account, cost in costs.items():
            pool = self.pools.get(account)
            if pool is not None:
                paid = min(cost, pool.layer_money())
                pool.pay_debt(payee, paid, "bankruptcy_cost")
            else:
                paid = min(cost, self.ledger.balance(asset, account))
                self.ledger.transfer(asset, account, payee, paid, "bankruptcy_cost")
            spent += paid
        return spent

    def _lend(self, debts: list[Exposure], paid: NDArray[np.int64]) -> dict[tuple[int, int], int]:
        """Create what debtors pay out of what they are still to receive; returns it by (account, asset)."""
        payments: dict[tuple[int, int], int] = {}
        for debt, amount in zip(debts, paid.tolist(), strict=True):
            payments[debt.debtor, debt.asset] = payments.get((debt.debtor, debt.asset), 0) + amount
        lent = {}
        for (account, asset), amount in payments.items():
            pool = self.pools.get(account)
            held = pool.layer_money() if pool is not None else self.ledger.balance(asset, account)
            if amount > held:
                self.ledger.mint(asset, account, amount - held, "intraday_credit")
                lent[account, asset] = amount - held
        return lent
