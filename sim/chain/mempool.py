"""Transactions that wait for a block: what agents submit, and the columns they are held in.

A batch is many transactions of one kind by one caller. The mempool holds one row per transaction in order of
submission (batch, then row of the batch), and keeps that order when rows leave. A row leaves once: executed or dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.kernel.compiled import kernel
from sim.kernel.draws import draw_bits
from sim.kernel.fixedpoint import BPS, MAX_INT64

Rows = NDArray[np.int64]
Call = Callable[[Rows, Rows], None]
RowsCallback = Callable[[Rows], None]

FOREVER = MAX_INT64
"""Expiry of a transaction without one."""

ANY_FEE = MAX_INT64
"""Fee limit of a transaction that pays whatever it costs."""


class Refused(ValueError):
    """A contract declines a call; what the call changed is undone, and the gas is still paid."""


@dataclass(slots=True, eq=False)
class Batch:
    """Transactions of one kind, submitted together. Shapes: n transactions.

    Attributes:
        kind: names the gas cost (``chain.gas(kind)``).
        senders: int64[n] ledger accounts.
        call: ``call(rows, blocks)`` executes the rows int64[m] of this batch, included in ``blocks`` int64[m]. Rows
            come in the order in which they must take effect. It may be called again for a part of the rows if it
            refused them together, so it must treat rows in order as if each came alone.
        max_fee: most that one transaction may cost, micro-USD; None pays whatever it costs.
        tip_bps: tip offered, in basis points of the tip the chain suggests.
        ordered: False where rows commute; True executes strictly by (block, tip descending, hashed key).
        keys: uint64[n] permanent keys of the senders, which decide ties and arrival; by default from the accounts.
        expires: last day on which it may be included; None waits for ever.
        dropped: told the rows that will never be executed (expired, or no cash for gas).
        reverted: told the rows that were included but refused.
        payer: account that pays the gas in the senders' stead.
        gas: gas per transaction where the kind's own does not fit (a batch of proofs).
        arrival: int64[n] step of the day at which it reaches the mempool; by default spread over the day by key.
        payload: what an observer of the queue can read of the call.
        singly: rows are called one by one from the start; right where most calls of several rows meet a refusal.
        refusals: exceptions of the called contract that mean "refused", beside LedgerError and Refused.
    """

    kind: str
    senders: ArrayLike
    call: Call
    max_fee: ArrayLike | None = None
    tip_bps: ArrayLike = BPS
    ordered: bool = False
    keys: ArrayLike | None = None
    expires: int | None = None
    dropped: RowsCallback | None = None
    reverted: RowsCallback | None = None
    payer: int | None = None
    gas: ArrayLike | None = None
    arrival: ArrayLike | None = None
    payload: Any = None
    refusals: tuple[type[Exception], ...] = ()
    singly: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """What anybody can see of the mempool: read-only columns, one element per waiting transaction.

    ``batch`` indexes ``batches``; ``row`` is the row of that batch. Amounts are micro-USD per transaction (``max_fee``)
    and wei per gas (``tip``); ``arrival`` is a step of the day.
    """

    batches: dict[int, Batch]
    batch: NDArray[np.int64]
    row: NDArray[np.int64]
    sender: NDArray[np.int64]
    max_fee: NDArray[np.int64]
    tip: NDArray[np.int64]
    arrival: NDArray[np.int64]

    def of_kind(self, kind: str) -> NDArray[np.int64]:
        """Positions in the queue of the transactions of ``kind``."""
        wanted = [number for number, batch in self.batches.items() if batch.kind == kind]
        return np.flatnonzero(np.isin(self.batch, wanted))


COLUMNS = ("batch", "row", "kind", "sender", "payer", "gas", "max_fee", "tip", "expires", "submitted", "ordered",
           "arrival", "rank")
"""One row each of the table int64[columns, capacity]. ``rank`` is read as uint64, ``ordered`` is 0 or 1."""

_HALF = np.uint64(32)


@kernel
def enter(
    table: Any, start: int, batch: int, senders: Any, kind: int, gas: int, max_fee: int, tip: int, expires: int,
    submitted: int, ordered: int, keys: Any, stream: np.uint64, serial: int, blocks: int,
) -> None:
    """Write a row per sender from ``start`` on, its own payer. ``rank`` are the random bits of day ``submitted`` for
    its key; by their upper half it arrives at one of ``blocks``."""
    for i in range(senders.size):
        rank = draw_bits(stream, submitted, keys[i], serial)
        at = start + i
        table[0, at], table[1, at], table[2, at] = batch, i, kind
        table[3, at], table[4, at], table[5, at] = senders[i], senders[i], gas
        table[6, at], table[7, at], table[8, at] = max_fee, tip, expires
        table[9, at], table[10, at] = submitted, ordered
        table[11, at] = np.int64((rank >> _HALF) * np.uint64(blocks) >> _HALF)
        table[12, at] = np.int64(rank)


def runs(numbers: NDArray[np.int64]) -> list[tuple[int, int]]:
    """(start, end) of each stretch of equal neighbours."""
    if numbers.size == 0:
        return []
    edges = [0, *((numbers[1:] != numbers[:-1]).nonzero()[0] + 1).tolist(), int(numbers.size)]
    return list(pairwise(edges))


class Mempool:
    """Columns of waiting transactions, grown by doubling. ``pool["gas"]`` is a view of the used rows."""

    def __init__(self, capacity: int = 1024) -> None:
        self._hold(np.zeros((len(COLUMNS), capacity), dtype=np.int64))
        self.size = 0
        self.batches: dict[int, Batch] = {}
        self._left: dict[int, int] = {}
        self._next = 0

    def _hold(self, table: NDArray[np.int64]) -> None:
        self._table = table
        self._columns: dict[str, NDArray[Any]] = dict(zip(COLUMNS, table, strict=True))
        self._columns["rank"] = table[-1].view(np.uint64)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name][:self.size]

    def add(
        self, batch: Batch, senders: Rows, keys: NDArray[np.uint64], plain: tuple[int, int, int, int, int, int, int],
        columns: dict[str, Rows | int], stream: np.uint64, serial: int, blocks: int,
    ) -> int:
        """Append a row of ``batch`` for each of ``senders``; the batch's number, from 0 upwards.

        ``plain`` are kind, gas, max_fee, tip, expires, submitted and ordered, one number each; ``columns`` replace what
        :func:`enter` wrote.
        """
        number, start, end = self._next, self.size, self.size + senders.size
        self._next += 1
        if end > self._table.shape[1]:
            grown = np.zeros((len(COLUMNS), max(end, 2 * self._table.shape[1])), dtype=np.int64)
            grown[:, :start] = self._table[:, :start]
            self._hold(grown)
        kind, gas, max_fee, tip, expires, submitted, ordered = plain
        enter(self._table, start, number, senders, kind, gas, max_fee, tip, expires, submitted, ordered, keys, stream,
              serial, blocks)
        for name, values in columns.items():
            self._columns[name][start:end] = values
        self.size = end
        self.batches[number] = batch
        self._left[number] = end - start
        return number

    def remove(self, leaving: NDArray[np.bool_]) -> None:
        """Drop the rows of the mask; the others keep their order. Batches without rows are forgotten."""
        if leaving.size != self.size:
            raise ValueError(f"a mask of {leaving.size} rows for a mempool of {self.size}")
        gone = self["batch"][leaving]
        for start, end in runs(gone):  # rows stand in order of submission, so a batch is one run
            number = int(gone[start])
            self._left[number] -= end - start
            if self._left[number] == 0:
                del self._left[number], self.batches[number]
        if not self.batches:
            self.size = 0
            return
        staying = (~leaving).nonzero()[0]
        self._table[:, :staying.size] = self._table[:, staying]
        self.size = int(staying.size)

    def queue(self) -> Queue:
        """A read-only look at the rows."""
        views = {}
        for name in ("batch", "row", "sender", "max_fee", "tip", "arrival"):
            views[name] = self[name].view()
            views[name].flags.writeable = False
        return Queue(batches=dict(self.batches), **views)
