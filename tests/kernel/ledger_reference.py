"""A ledger of dictionaries and Python ints, written for clarity alone, that the real one is compared with.

Operations are plain tuples, (name, argument, ...), so that one program can be run on both.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from sim.kernel.ledger import (
    InsufficientFunds,
    InvalidAmount,
    Ledger,
    LedgerError,
    LedgerOverflow,
    UnknownAccount,
)

MAX = 2**63 - 1
CAPACITY, PEOPLE = 4, 3
SPANS = {0: CAPACITY + PEOPLE, 1: CAPACITY}
"""Asset id -> accounts in its span: one asset for all, one for institutions."""


class Boom(Exception):
    """A failure that is not the ledger's."""


class Reference:
    """Same operations, same refusals, no cleverness: a batch is a loop, a block is a copy."""

    def __init__(self) -> None:
        self.balances = {(asset, account): 0 for asset, span in SPANS.items() for account in range(span)}
        self.sectors: dict[int, str] = {CAPACITY + slot: "households" for slot in range(PEOPLE)}
        self.flows: dict[tuple[str, int, str, str], int] = {}
        self.names: dict[str, int] = {}
        self.freed: list[int] = []
        self.next = 0
        self.notes: list[int] = []

    def run(self, operation: tuple[Any, ...]) -> Any:
        """Do it, or raise and leave no trace."""
        before = copy.deepcopy(self.__dict__)
        try:
            return getattr(self, "do_" + operation[0])(*operation[1:])
        except (LedgerError, Boom):
            self.__dict__.update(before)
            raise

    def sector(self, asset: int, account: int) -> str:
        if not 0 <= account < SPANS[asset] or account not in self.sectors:
            raise UnknownAccount
        return self.sectors[account]

    def supply(self, asset: int) -> int:
        return sum(units for (kind, _), units in self.balances.items() if kind == asset)

    def move_one(self, asset: int, src: int | None, dst: int | None, amount: int, kind: str) -> None:
        payer = "issuance" if src is None else self.sector(asset, src)
        payee = "issuance" if dst is None else self.sector(asset, dst)
        if amount < 0:
            raise InvalidAmount
        if src is not None and amount > self.balances[asset, src]:
            raise InsufficientFunds
        if src is None and self.supply(asset) + amount > MAX:
            raise LedgerOverflow
        cell = (kind, asset, payer, payee)
        if self.flows.get(cell, 0) + amount > MAX:
            raise LedgerOverflow
        self.flows[cell] = self.flows.get(cell, 0) + amount
        if src is not None:
            self.balances[asset, src] -= amount
        if dst is not None:
            self.balances[asset, dst] += amount

    def do_transfer(self, asset: int, src: int, dst: int, amount: int, kind: str) -> None:
        self.move_one(asset, src, dst, amount, kind)

    def do_mint(self, asset: int, dst: int, amount: int, kind: str) -> None:
        self.move_one(asset, None, dst, amount, kind)

    def do_burn(self, asset: int, src: int, amount: int, kind: str) -> None:
        self.move_one(asset, src, None, amount, kind)

    def rows(self, asset: int, pairs: list[Any], amounts: Any, kind: str, partial: bool) -> list[bool] | None:
        paid = []
        for row, (src, dst) in enumerate(pairs):
            try:
                self.move_one(asset, src, dst, amounts if isinstance(amounts, int) else amounts[row], kind)
                paid.append(True)
            except InsufficientFunds:
                if not partial:
                    raise
                paid.append(False)
        return paid if partial else None

    def do_collect(self, asset: int, sources: list[int], dst: int, amounts: Any, kind: str, partial: bool) -> Any:
        self.sector(asset, dst)
        return self.rows(asset, [(src, dst) for src in sources], amounts, kind, partial)

    def do_pay(self, asset: int, src: int, dests: list[int], amounts: Any, kind: str, partial: bool) -> Any:
        self.sector(asset, src)
        return self.rows(asset, [(src, dst) for dst in dests], amounts, kind, partial)

    def do_move(self, asset: int, pairs: list[tuple[int, int]], amounts: Any, kind: str, partial: bool) -> Any:
        return self.rows(asset, pairs, amounts, kind, partial)

    def do_burn_batch(self, asset: int, sources: list[int], amounts: Any, kind: str, partial: bool) -> Any:
        return self.rows(asset, [(src, None) for src in sources], amounts, kind, partial)

    def do_mint_batch(self, asset: int, dests: list[int], amounts: Any, kind: str) -> Any:
        return self.rows(asset, [(None, dst) for dst in dests], amounts, kind, partial=False)

    def do_open(self, name: str, sector: str) -> int:
        if name in self.names or (not self.freed and self.next == CAPACITY):
            raise LedgerError
        if self.freed:
            account = self.freed.pop()
        else:
            account = self.next
            self.next += 1
        self.names[name] = account
        self.sectors[account] = sector
        return account

    def do_close(self, name: str) -> None:
        if name not in self.names or any(self.balances[asset, self.names[name]] for asset in SPANS):
            raise LedgerError
        account = self.names.pop(name)
        del self.sectors[account]
        self.freed.append(account)

    def do_note(self, number: int) -> None:
        self.notes.append(number)

    def do_atomic(self, operations: list[tuple[Any, ...]], caught: bool, fails: bool) -> list[Any]:
        results = []
        for operation in operations:
            try:
                results.append(self.run(operation))
            except (LedgerError, Boom) as error:
                if not caught:
                    raise
                results.append(type(error))
        if fails:
            raise Boom
        return results


class Real:
    """The same operations on the real ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger(institutions=CAPACITY, people=PEOPLE)
        self.ledger.asset("USDs")
        self.ledger.asset("SHARE", span="institutions")
        self.notes: list[int] = []

    def run(self, operation: tuple[Any, ...]) -> Any:
        """Do it; masks come back as lists."""
        name, *arguments = operation
        if name == "atomic":
            return self.atomic(*arguments)
        if name == "note":
            return self.note(*arguments)
        if name == "open":
            return self.ledger.open_account(*arguments)
        if name == "close":
            return self.ledger.close_account(*arguments)
        if name == "move":
            asset, pairs, *rest = arguments
            arguments = [asset, [src for src, _ in pairs], [dst for _, dst in pairs], *rest]
        result = getattr(self.ledger, name)(*arguments)
        return result.tolist() if isinstance(result, np.ndarray) else result

    def note(self, number: int) -> None:
        """State beside the ledger, as a contract has it."""
        old = list(self.notes)

        def restore() -> None:
            self.notes = old

        self.ledger.on_rollback(restore)
        self.notes.append(number)

    def atomic(self, operations: list[tuple[Any, ...]], caught: bool, fails: bool) -> list[Any]:
        """A block; inner refusals are caught inside it or end it."""
        results = []
        with self.ledger.atomic():
            for operation in operations:
                try:
                    results.append(self.run(operation))
                except (LedgerError, Boom) as error:
                    if not caught:
                        raise
                    results.append(type(error))
            if fails:
                raise Boom
        return results
