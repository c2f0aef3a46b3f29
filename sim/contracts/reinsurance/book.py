"""All reinsurance in force: who cedes what to whom, losses that travel on, and what is owed and paid.

Losses of a cedant go through its treaties in the order in which they were made, each applied to what the former left.
What a seller assumes is a loss of its own: after the day's claims it goes through the seller's own treaties, which may
cede it further, and so on in *rounds* until nothing moves. In a cycle of excess-of-loss covers one loss comes back to
those who passed it on and triggers their cover again, until limits are exhausted: the spiral. A round costs nothing but
what treaties say, so the result is the least fixed point of liabilities, and no order of parties matters in it.

What can never be: ceded and retained parts do not add up to the losses; a recovery that belongs to no ceded loss, or is
paid twice. Rounding: a debtor's cash is shared over its debts exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.treaties import share_lines
from sim.contracts.reinsurance.parties import PREMIUM, Party, Standing
from sim.contracts.reinsurance.treaty import NOBODY, Line, Treaty
from sim.kernel.fixedpoint import share_pot

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


@dataclass(slots=True)
class Account:
    """One party's sums since the start, base units: losses that went through its programme, and what became of them;
    premium ceded less commission, and premium received; recoveries got and paid; what it assumed from others."""

    losses: int = 0
    ceded: int = 0
    retained: int = 0
    premium: int = 0
    premium_received: int = 0
    recovered: int = 0
    assumed: int = 0
    paid: int = 0
    failed: int = 0


@dataclass(slots=True)
class Trace:
    """What travelled on one day: ``first`` was ceded of direct losses, ``gross`` in all rounds; the parties that
    assumed something in each round."""

    first: int = 0
    gross: int = 0
    rounds: list[tuple[str, ...]] = field(default_factory=list)


class ReinsuranceBook:
    """Treaties of ``parties`` by name. ``most_rounds`` bounds one day's rounds; what is left travels on tomorrow."""

    def __init__(self, ledger: Ledger, parties: Mapping[str, Party], most_rounds: int) -> None:
        self.ledger = ledger
        self.parties = dict(parties)
        self.most_rounds = most_rounds
        self.treaties: list[Treaty] = []
        self.outward: dict[str, list[Treaty]] = {name: [] for name in self.parties}
        self.inward: dict[str, list[Line]] = {name: [] for name in self.parties}
        self.accounts: dict[str, Account] = {name: Account() for name in self.parties}
        self.arriving: dict[str, list[tuple[int, int]]] = {name: [] for name in self.parties}
        self.first_ceded: dict[str, int] = dict.fromkeys(self.parties, 0)
        self.today = Trace()

    def add(self, treaty: Treaty) -> None:
        """A treaty comes into force."""
        self.treaties.append(treaty)
        self.outward[treaty.buyer.name].append(treaty)
        for line in treaty.every_line():
            self.inward[line.seller.name].append(line)

    # Losses --------------------------------------------------------------------------------------------------

    def cede(
        self, buyer: Party, day: int, amounts: NDArray[np.int64], incurred: NDArray[np.int64],
        insured: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], list[tuple[Line, int]]]:
        """Run losses int64[n] of ``buyer``, approved on ``day``, through its treaties.

        Returns what of each is due at once, int64[n], and (line, amount) of those that owe it.
        """
        if self.ledger.in_atomic:
            self.ledger.on_rollback(self._keep(buyer.name))
        account = self.accounts[buyer.name]
        remaining, at_once = amounts.copy(), np.zeros_like(amounts)
        calls: dict[int, tuple[Line, int]] = {}
        for treaty in self.outward[buyer.name]:
            parts, taken = treaty.cede(day, remaining, incurred, insured)
            if not taken:
                continue
            remaining = remaining - parts
            if treaty.terms.lag_days == 0:
                at_once += parts
            for line, when, amount in taken:
                if treaty.terms.lag_days == 0:
                    calls[id(line)] = (line, calls[id(line)][1] + amount if id(line) in calls else amount)
                self.arriving[line.seller.name].append((when, amount))
                self.accounts[line.seller.name].assumed += amount
        ceded = int((amounts - remaining).sum())
        account.losses += int(amounts.sum())
        account.ceded += ceded
        account.retained += int(remaining.sum())
        self.today.gross += ceded
        return at_once, [(line, min(amount, line.due(day))) for line, amount in calls.values()]

    def cede_claims(
        self, buyer: Party, day: int, amounts: NDArray[np.int64], incurred: NDArray[np.int64],
        insured: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], list[tuple[Line, int]]]:
        """:meth:`cede` of a pool's own claims, the first cession of what may travel on."""
        before = self.accounts[buyer.name].ceded
        result = self.cede(buyer, day, amounts, incurred, insured)
        first = self.accounts[buyer.name].ceded - before
        self.today.first += first
        self.first_ceded[buyer.name] += first
        return result

    def run_rounds(self, day: int) -> None:
        """Let what sellers have assumed travel on through their own treaties, round by round, until nothing moves."""
        for _ in range(self.most_rounds):
            moving = {name: losses for name, losses in self.arriving.items() if losses}
            if not moving:
                return
            self.today.rounds.append(tuple(moving))
            for name in moving:
                self.arriving[name] = []
            for name, losses in moving.items():
                if self.outward[name]:
                    days, which = np.unique(np.array([when for when, _ in losses], dtype=np.int64), return_inverse=True)
                    amounts = np.zeros(days.size, dtype=np.int64)
                    np.add.at(amounts, which, np.array([amount for _, amount in losses], dtype=np.int64))
                    self.cede(self.parties[name], day, amounts, days, np.full(days.size, NOBODY, dtype=np.int64))
                else:
                    total = sum(amount for _, amount in losses)
                    self.accounts[name].losses += total
                    self.accounts[name].retained += total

    # Premium -------------------------------------------------------------------------------------------------

    def pay_premiums(self, day: int) -> int:
        """Each cedant pays what its treaties have cost by now and it has not paid, as far as its free cash reaches;
        returns what was paid, less commission. A seller that has defaulted is paid no more: its part is withheld."""
        paid = 0
        for treaty in self.treaties:
            gross, returned = treaty.premium_until(day)
            due = gross - returned - treaty.premium_paid
            if due <= 0:
                continue
            amount = min(due, treaty.buyer.free_cash())
            if amount > 0:
                lines = treaty.every_line()
                for line, part in zip(lines, share_lines(amount, [line.premium for line in lines]), strict=True):
                    if part and line.seller.standing is not Standing.DEFAULTED:
                        treaty.buyer.pay(line.seller, part, PREMIUM)
                        self.accounts[line.seller.name].premium_received += part
                        self.accounts[treaty.buyer.name].premium += part
                        paid += part
                treaty.premium_paid += amount
        return paid

    # Recoveries ----------------------------------------------------------------------------------------------

    def due_lines(self, day: int) -> list[tuple[Line, int]]:
        """(line, amount) of all that has fallen due by ``day``, in the order in which treaties were made. Of one that
        has defaulted and has no money, only what falls due today: the rest was found unpaid before."""
        broke = {name for name, party in self.parties.items()
                 if party.standing is Standing.DEFAULTED and party.free_cash() <= 0}
        found = []
        for treaty in self.treaties:
            for line in treaty.every_line():
                if line.waiting:
                    amount = line.due(day) - (line.due(day - 1) if line.seller.name in broke else 0)
                    if amount:
                        found.append((line, amount))
        return found

    def pay_line(self, line: Line, amount: int, kind: str) -> None:
        """A seller pays ``amount`` of what a line owes."""
        if amount:
            line.seller.pay(line.treaty.buyer, amount, kind)
            self._count_payment(line, amount)

    def _count_payment(self, line: Line, amount: int) -> None:
        line.pay(amount)
        self.accounts[line.seller.name].paid += amount
        self.accounts[line.treaty.buyer.name].recovered += amount

    def collect(self, due: Sequence[tuple[Line, int]], kind: str) -> list[int]:
        """Every debtor pays what its free cash allows, pro rata over what it owes, again and again as money arrives;
        returns what each line has paid."""
        paid = [0] * len(due)
        by_seller: dict[str, list[int]] = {}
        for row, (line, _) in enumerate(due):
            by_seller.setdefault(line.seller.name, []).append(row)
        moved = True
        while moved:
            moved = False
            for name, rows in by_seller.items():
                left = np.array([due[row][1] - paid[row] for row in rows], dtype=np.int64)
                cash = self.parties[name].free_cash() if left.any() else 0
                if cash <= 0:
                    continue
                parts = share_pot(cash, left, np.arange(left.size, dtype=np.uint64))
                for row, part in zip(rows, parts.tolist(), strict=True):
                    if part:
                        self.pay_line(due[row][0], part, kind)
                        paid[row] += part
                        moved = True
        return paid

    def execute(self, due: Sequence[tuple[Line, int]], paid: Sequence[int], kind: str) -> None:
        """Pay what somebody else has found that each line pays. Debts that pay each other in a circle, without any
        money to begin with, are set off."""
        left = list(paid)
        moved = True
        while moved and any(left):
            moved = False
            for row, (line, _) in enumerate(due):
                part = min(left[row], line.seller.cash_at_hand()) if left[row] else 0
                if part > 0:
                    self.pay_line(line, part, kind)
                    left[row] -= part
                    moved = True
        for row, (line, _) in enumerate(due):
            if left[row]:
                self._count_payment(line, left[row])

    def fail(self, due: Sequence[tuple[Line, int]], paid: Sequence[int], day: int) -> list[tuple[Party, int]]:
        """Those who did not pay all that fell due have failed; returns (seller, what it left unpaid) of each."""
        unpaid: dict[str, int] = {}
        for (line, amount), part in zip(due, paid, strict=True):
            if part < amount:
                unpaid[line.seller.name] = unpaid.get(line.seller.name, 0) + amount - part
        for name in unpaid:
            self.parties[name].fail(day)
        return [(self.parties[name], amount) for name, amount in unpaid.items()]

    def write_off(self, day: int, after_days: int) -> int:
        """Give up what has been due for longer than ``after_days``; returns it."""
        total = 0
        for line in (line for treaty in self.treaties for line in treaty.every_line() if line.waiting):
            amount = line.due(day - after_days)
            if amount:
                line.write_off(amount)
                self.accounts[line.treaty.buyer.name].failed += amount
                total += amount
        return total

    # Figures -------------------------------------------------------------------------------------------------

    def owed_to(self, name: str) -> Iterable[tuple[Party, int]]:
        """(seller, amount) of what sellers owe a cedant for losses ceded and not paid."""
        return ((line.seller, line.owed) for treaty in self.outward[name] for line in treaty.every_line() if line.owed)

    def expected(self, name: str, day: int, reserves: int) -> list[tuple[Line, int]]:
        """(line, amount): the best estimate of what will be ceded of a cedant's ``reserves`` for losses that it has not
        approved yet, under the treaties in force."""
        result: list[tuple[Line, int]] = []
        for treaty in self.outward[name]:
            if reserves <= 0:
                break
            if not treaty.terms.start <= day < treaty.terms.end:
                continue
            parts = treaty.estimate(day, reserves)
            for row, part in zip(treaty.lines, parts, strict=True):
                if part and row:
                    result.extend(zip(row, share_lines(part, [line.share for line in row]), strict=True))
                    reserves -= part
        return result

    def overdue(self, day: int) -> int:
        """What fell due before ``day`` and is unpaid, of all lines."""
        return sum(line.due(day - 1) for treaty in self.treaties for line in treaty.every_line() if line.waiting)

    # Rollback ------------------------------------------------------------------------------------------------

    def _keep(self, buyer: str) -> Any:
        treaties = [(treaty, treaty.state()) for treaty in self.outward[buyer]]
        accounts = {name: replace(account) for name, account in self.accounts.items()}
        arriving = {name: list(losses) for name, losses in self.arriving.items()}
        gross, first, firsts = self.today.gross, self.today.first, dict(self.first_ceded)

        def restore() -> None:
            for treaty, state in treaties:
                treaty.restore(state)
            self.accounts, self.arriving = accounts, arriving
            self.today.gross, self.today.first, self.first_ceded = gross, first, firsts

        return restore
