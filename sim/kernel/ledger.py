"""The ledger: who holds how much of what, in whole base units, and what moved between which sectors today.

It holds one int64 balance per account of an asset's span, the supply of each asset, and a matrix of the day's flows by
(kind, asset), paying sector and receiving sector. What can never be: a negative balance; a supply that differs from
the sum of the balances or reaches 2**63 (so no balance can overflow either); a unit that moves without a flow; a call
that fails and leaves a trace. Nothing is divided here, so nothing is rounded.

Every amount that crosses the boundary is a Python int. A batch form does what the same scalar calls in row order
would do, all or none; with ``partial`` the rows that cannot be paid are skipped and a mask says which were paid (an
unknown account or a negative amount still refuses the whole batch). A kernel that decides row by row borrows
``rows`` of the ledger and transfers one row at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import index

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.kernel import ledger_rows as rows
from sim.kernel.accounts import MAX_SECTORS, Asset, Book
from sim.kernel.fixedpoint import MAX_INT64
from sim.kernel.flows import CELLS, Flow, FlowMatrix
from sim.kernel.journal import MOVE, Journal
from sim.kernel.ledger_errors import (
    DuplicateName,
    InsufficientFunds,
    InvalidAmount,
    LedgerError,
    LedgerOverflow,
    UnknownAccount,
    UnknownAsset,
)
from sim.kernel.ledger_rows import Rows

__all__ = [
    "ISSUANCE",
    "DuplicateName",
    "Flow",
    "InsufficientFunds",
    "InvalidAmount",
    "Ledger",
    "LedgerError",
    "LedgerOverflow",
    "UnknownAccount",
    "UnknownAsset",
]

ISSUANCE = "issuance"
"""The sector that units come from when they are created and go to when they are destroyed."""

_DTYPE = np.dtype(np.int64)
_OUTSIDE = rows.OUTSIDE
_NOBODY = -2

Mask = NDArray[np.bool_] | None
"""bool[n], the rows that were paid, from a batch with ``partial``; None from one without."""


class Ledger(Book):
    """Balances and flows of ``institutions`` (how many may be open at once) and ``people``."""

    def __init__(self, institutions: int, people: int, people_sector: str = "households") -> None:
        journal = Journal(self._undo_moves)
        super().__init__(institutions, people, people_sector, journal)
        self._marks, self._moves = journal.marks, journal.moves
        self._issuance = self.sector(ISSUANCE)
        self._flows = FlowMatrix()
        self._sums = np.empty(MAX_SECTORS, dtype=np.int64)

    # Single moves

    def transfer(self, asset: int, src: int, dst: int, amount: int, kind: str) -> None:
        """Move ``amount`` from ``src`` to ``dst``. InsufficientFunds where ``src`` holds less."""
        try:
            entry = self._assets[asset]
            from_sector = entry.sectors[src]
            to_sector = entry.sectors[dst]
        except (KeyError, IndexError):
            from_sector = to_sector = -1
        if (src | dst | from_sector | to_sector) < 0:  # one of them is negative
            self._sector_id(self._asset(asset), src)
            raise self._unknown(asset, dst)
        if type(amount) is not int:
            amount = index(amount)
        cells = entry.cells
        held = cells[src]
        if not 0 < amount <= held:
            if amount == 0:
                return
            raise self._refusal(rows.NEGATIVE if amount < 0 else rows.INSUFFICIENT, entry, src, amount, kind)
        flows = self._flows
        slot = entry.slots[kind] if kind in entry.slots else flows.slot(kind, entry)
        cell = slot * CELLS + from_sector * MAX_SECTORS + to_sector
        flow = flows.cells[cell] + amount
        if flow > MAX_INT64:
            raise self._refusal(rows.OVERFLOW, entry, src, amount, kind)
        flows.cells[cell] = flow
        cells[src] = held - amount
        cells[dst] += amount
        if self._marks:
            self._moves.extend((asset, src, dst, amount, cell))

    def mint(self, asset: int, dst: int, amount: int, kind: str) -> None:
        """Create ``amount`` at ``dst``. LedgerOverflow where the supply would reach 2**63."""
        entry = self._asset(asset)
        sector = self._sector_id(entry, dst)
        amount = index(amount)
        if amount < 0:
            raise self._refusal(rows.NEGATIVE, entry, dst, amount, kind)
        cell = self._flows.slot(kind, entry) * CELLS + self._issuance * MAX_SECTORS + sector
        if amount > MAX_INT64 - max(entry.supply, self._flows.cells[cell]):
            raise self._refusal(rows.OVERFLOW, entry, dst, amount, kind)
        self._flows.cells[cell] += amount
        entry.supply += amount
        entry.cells[dst] += amount
        if self._marks:
            self._moves.extend((asset, _OUTSIDE, dst, amount, cell))

    def burn(self, asset: int, src: int, amount: int, kind: str) -> None:
        """Destroy ``amount`` held by ``src``. InsufficientFunds where ``src`` holds less."""
        entry = self._asset(asset)
        sector = self._sector_id(entry, src)
        amount = index(amount)
        if not 0 <= amount <= entry.cells[src]:
            raise self._refusal(rows.NEGATIVE if amount < 0 else rows.INSUFFICIENT, entry, src, amount, kind)
        cell = self._flows.slot(kind, entry) * CELLS + sector * MAX_SECTORS + self._issuance
        if amount > MAX_INT64 - self._flows.cells[cell]:
            raise self._refusal(rows.OVERFLOW, entry, src, amount, kind)
        self._flows.cells[cell] += amount
        entry.supply -= amount
        entry.cells[src] -= amount
        if self._marks:
            self._moves.extend((asset, src, _OUTSIDE, amount, cell))

    # Batches

    def collect(
        self, asset: int, sources: ArrayLike, dst: int, amounts: ArrayLike, kind: str, partial: bool = False
    ) -> Mask:
        """Many to one: ``sources`` int64[n] pay ``amounts`` (int64[n], or one int for all) to ``dst``."""
        entry = self._asset(asset)
        return self._collect(entry, sources, index(dst), self._sector_id(entry, dst), amounts, kind, partial)

    def burn_batch(
        self, asset: int, sources: ArrayLike, amounts: ArrayLike, kind: str, partial: bool = False
    ) -> Mask:
        """:meth:`burn` for each row; arguments as of :meth:`collect`."""
        return self._collect(self._asset(asset), sources, _OUTSIDE, self._issuance, amounts, kind, partial)

    def pay(
        self, asset: int, src: int, dests: ArrayLike, amounts: ArrayLike, kind: str, partial: bool = False
    ) -> Mask:
        """One to many: ``src`` pays ``amounts`` (int64[n], or one int for all) to ``dests`` int64[n]."""
        entry = self._asset(asset)
        return self._pay(entry, index(src), self._sector_id(entry, src), dests, amounts, kind, partial)

    def mint_batch(self, asset: int, dests: ArrayLike, amounts: ArrayLike, kind: str) -> None:
        """:meth:`mint` for each row; arguments as of :meth:`pay`."""
        self._pay(self._asset(asset), _OUTSIDE, self._issuance, dests, amounts, kind, partial=False)

    def move(
        self, asset: int, sources: ArrayLike, dests: ArrayLike, amounts: ArrayLike, kind: str, partial: bool = False
    ) -> Mask:
        """Pairs: ``sources`` int64[n] pay ``amounts`` (int64[n], or one int for all) to ``dests`` int64[n].

        A row may spend what an earlier row brought.
        """
        entry = self._asset(asset)
        payers, payees, units = _int64(sources), _int64(dests), _int64(amounts)
        mask = _mask(payers, payees, units, partial)
        slot = self._flows.slot(kind, entry)
        flows = self._flows.array
        before = flows[slot].copy() if self._marks else None
        code, row, _ = rows.move_rows(
            entry.array, self._sector_of, payers, payees, units, partial, mask, flows, slot
        )
        if code != rows.DONE:
            account = int(payers[row])
            if code == rows.UNKNOWN and 0 <= account < len(entry.sectors) and entry.sectors[account] >= 0:
                account = int(payees[row])
            raise self._refusal(code, entry, account, int(units[row % units.size]), kind)
        if before is not None:
            units, kept = units.copy(), mask.copy()
            self._journal.add(self._undo_rows, entry, payers.copy(), units, kept, 1, _NOBODY, 0, slot, before)
            self._journal.add(self._undo_rows, entry, payees.copy(), units, kept, -1, _NOBODY, 0, slot, before)
        return mask if partial else None

    # Row by row, inside a kernel

    @contextmanager
    def rows(self, *kinds: tuple[int, str]) -> Iterator[tuple[Rows, ...]]:
        """``with ledger.rows((asset, kind), ...) as (first, ...):`` - lend these to kernels, one each, in that order.

        Kernels call :func:`~sim.kernel.ledger_rows.transfer_row` on them, each a transfer of its own: what stands
        stands, whatever happens to later rows. There is no journal of it, so it is refused inside ``atomic()``, and
        while rows are lent the ledger refuses ``atomic()``, new kinds of flow, new people and another loan.
        """
        if self._marks:
            raise LedgerError("rows cannot be lent inside atomic(): what a kernel moves is not journalled")
        if self._flows.lent:
            raise LedgerError("rows are lent already: ask for all of them at once")
        entries = [(self._asset(asset), kind) for asset, kind in kinds]
        slots = [self._flows.slot(kind, entry) for entry, kind in entries]  # all of them, before one may move the array
        lent = []
        for (entry, _), slot in zip(entries, slots, strict=True):
            sectors = self._sector_of[: entry.array.size]
            sectors.flags.writeable = False
            lent.append(Rows(entry.array.view(), sectors, self._flows.array[slot]))
        self._flows.lent = True
        try:
            yield tuple(lent)
        finally:
            self._flows.lent = False
            for loan in lent:
                loan.balances.flags.writeable = loan.flows.flags.writeable = False

    def grow_people(self, count: int) -> None:
        """Give ``count`` newcomers an account. Views taken before do not show them."""
        if self._flows.lent:
            raise LedgerError("people cannot be added while rows are lent to a kernel")
        super().grow_people(count)

    def _collect(
        self, entry: Asset, sources: ArrayLike, dst: int, to_sector: int, amounts: ArrayLike, kind: str, partial: bool
    ) -> Mask:
        payers, units = _int64(sources), _int64(amounts)
        mask = _mask(payers, payers, units, partial)
        slot = self._flows.slot(kind, entry)
        flows = self._flows.array
        before = flows[slot].copy() if self._marks else None
        held = entry.supply if dst == _OUTSIDE else entry.cells[dst]
        code, row, total = rows.collect_rows(
            entry.array, self._sector_of, self._capacity, payers, units, dst, partial, mask, flows, slot, to_sector,
            self._sums,
        )  # fmt: skip
        if code != rows.DONE:
            raise self._refusal(code, entry, int(payers[row % payers.size]), int(units[row % units.size]), kind)
        if dst == _OUTSIDE:
            entry.supply -= total
        if before is not None:
            kept = (payers.copy(), units.copy(), mask.copy())
            self._journal.add(self._undo_rows, entry, *kept, 1, dst, held, slot, before)
        return mask if partial else None

    def _pay(
        self, entry: Asset, src: int, from_sector: int, dests: ArrayLike, amounts: ArrayLike, kind: str, partial: bool
    ) -> Mask:
        payees, units = _int64(dests), _int64(amounts)
        mask = _mask(payees, payees, units, partial)
        slot = self._flows.slot(kind, entry)
        flows = self._flows.array
        before = flows[slot].copy() if self._marks else None
        held = entry.supply if src == _OUTSIDE else entry.cells[src]
        available = MAX_INT64 - held if src == _OUTSIDE else held
        code, row, total = rows.pay_rows(
            entry.array, self._sector_of, self._capacity, src, available, payees, units, partial, mask, flows, slot,
            from_sector, self._sums,
        )  # fmt: skip
        if code != rows.DONE:
            if code == rows.INSUFFICIENT and src == _OUTSIDE:
                code = rows.OVERFLOW
            account = src if code == rows.INSUFFICIENT else int(payees[row % payees.size])
            raise self._refusal(code, entry, account, int(units[row % units.size]), kind)
        if src == _OUTSIDE:
            entry.supply += total
        if before is not None:
            kept = (payees.copy(), units.copy(), mask.copy())
            self._journal.add(self._undo_rows, entry, *kept, -1, src, held, slot, before)
        return mask if partial else None

    # Blocks that stand or fall as one

    def atomic(self) -> Journal:
        """``with ledger.atomic():`` - an exception inside undoes every change of the block and then goes on."""
        if self._flows.lent:
            raise LedgerError("atomic() while rows are lent to a kernel: what it moves is not journalled")
        return self._journal

    @property
    def in_atomic(self) -> bool:
        """Whether a block is open."""
        return bool(self._marks)

    def on_rollback(self, undo: Callable[[], object]) -> None:
        """Inside a block: call ``undo`` if it is rolled back, in its turn backwards. Outside: nothing.

        ``undo`` restores state of its own; it must not move anything on the ledger.
        """
        self._journal.add(undo)

    def _undo_moves(self, moves: list[int]) -> None:
        cells = self._flows.cells
        for at in range(len(moves) - MOVE, -1, -MOVE):
            asset, src, dst, amount, cell = moves[at : at + MOVE]
            entry = self._assets[asset]
            if src == _OUTSIDE:
                entry.supply -= amount
            else:
                entry.cells[src] += amount
            if dst == _OUTSIDE:
                entry.supply += amount
            else:
                entry.cells[dst] -= amount
            cells[cell] -= amount

    def _undo_rows(
        self, entry: Asset, accounts: NDArray[np.int64], units: NDArray[np.int64], mask: NDArray[np.bool_], sign: int,
        single: int, held: int, slot: int, before: NDArray[np.int64],
    ) -> None:  # fmt: skip
        """Take a batch back: the rows by their amounts, the single side and the flows by what they were before."""
        rows.add_rows(entry.array, accounts, units, mask, sign)
        if single == _OUTSIDE:
            entry.supply = held
        elif single != _NOBODY:
            entry.cells[single] = held
        self._flows.array[slot] = before

    # The day's end, and what must always hold

    def end_day(self, day: int) -> list[Flow]:
        """The day's flows that are not zero, sorted by kind, asset and sectors; then they start anew."""
        if self._marks:
            raise LedgerError("a day cannot end inside atomic()")
        return self._flows.settle(day, self.sectors)

    def check_supplies(self) -> str | None:
        """Balances are not negative and sum to the supply; None, or the first asset where that is broken."""
        for entry in self._assets.values():
            if entry.array.size and entry.array.min() < 0:
                account = int(entry.array.argmin())
                return f"{self.account_name(account)} holds {entry.array[account]} of {entry.symbol}"
            if (total := int(entry.array.sum())) != entry.supply:
                return f"balances of {entry.symbol} sum to {total}, its supply is {entry.supply}"
        return None

    def check_flows(self) -> str | None:
        """Every sector's stock is all that ever flowed in less all that flowed out; None, or what is broken."""
        for entry in self._assets.values():
            stocks = self.sector_stocks(entry.id).tolist()
            stocks[self._issuance] = -entry.supply
            for name, stock, net in zip(self.sectors, stocks, self._flows.net(entry), strict=False):
                if stock != net:
                    return f"{name} holds {stock} of {entry.symbol}, but its flows sum to {net}"
        return None

    def invariants(self) -> Iterator[tuple[str, Callable[[], str | None]]]:
        """Pairs (name, check)."""
        yield "ledger.sums_equal_supplies", self.check_supplies
        yield "ledger.stocks_equal_flows", self.check_flows

    def _refusal(self, code: int, entry: Asset, account: int, amount: int, kind: str) -> LedgerError:
        """The error that says why ``account`` cannot pay or receive ``amount``."""
        if code == rows.UNKNOWN:
            return self._unknown(entry.id, account)
        if code == rows.OVERFLOW:
            return LedgerOverflow(f"{kind}: {entry.symbol} would reach 2**63 units in its supply or in a day's flow")
        if code == rows.NEGATIVE:
            return InvalidAmount(f"{kind}: {self.account_name(account)} with an amount of {amount}")
        held = entry.cells[account]
        return InsufficientFunds(
            f"{kind}: {self.account_name(account)} holds {held} of {entry.symbol}, {amount} needed"
        )


def _int64(values: ArrayLike) -> NDArray[np.int64]:
    """A contiguous int64 column; anything that int64 cannot hold exactly is refused.

    What is read-only is copied: it may be a live view of the very balances that the batch changes.
    """
    if type(values) is np.ndarray and values.dtype is _DTYPE and values.ndim == 1 and values.flags.carray:
        return values  # most are such already
    array = np.asarray(values)
    if array.dtype != np.int64:
        if array.dtype.kind not in "iu" and array.size:
            raise TypeError(f"accounts and amounts are integers below 2**63, not {array.dtype}")
        if array.dtype == np.uint64 and array.size and int(array.max()) > MAX_INT64:
            raise LedgerOverflow("an account or amount of 2**63 or more")
    column = np.ascontiguousarray(array, dtype=np.int64).reshape(-1)
    return column if column.flags.writeable else column.copy()


def _mask(
    first: NDArray[np.int64], second: NDArray[np.int64], units: NDArray[np.int64], partial: bool
) -> NDArray[np.bool_]:
    """Room for the mask, empty where none is asked for, after a look at the lengths."""
    if first.size != second.size or units.size not in (1, first.size):
        raise LedgerError(f"a batch of {first.size} and {second.size} accounts with {units.size} amounts")
    return np.empty(first.size if partial else 0, dtype=np.bool_)
