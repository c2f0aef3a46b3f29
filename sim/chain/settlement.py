"""Settlement: the queue that agents submit to, and the execution of what a day's blocks include.

It holds waiting transactions and counts; money stays on the ledger. What can never be: a transaction executed twice, a
transaction lost (submitted = executed + dropped + waiting, always), or a refused call that leaves a trace. A subclass
says which rows are included, in which block, and what they pay: :class:`sim.chain.chain.Chain` by a fee market,
:class:`sim.chain.instant.InstantChain` all at once and for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import ANY_FEE, FOREVER, Batch, Mempool, Queue, Refused, Rows, RowsCallback, runs
from sim.kernel.draws import Decision, agent_key
from sim.kernel.fixedpoint import BPS
from sim.kernel.ledger import Ledger, LedgerError
from sim.mechanism import Market, Mechanism

_NONE: Rows = np.empty(0, dtype=np.int64)


@dataclass(slots=True)
class Counts:
    """Transactions so far: submitted, executed (with those reverted among them), dropped; days waited in all."""

    submitted: int = 0
    executed: int = 0
    dropped: int = 0
    reverted: int = 0
    days_waited: int = 0
    reverted_by_kind: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Included:
    """What the day's blocks hold. ``rows`` are positions in the mempool in order of execution, ``blocks`` theirs."""

    rows: Rows
    blocks: Rows


def attempt(ledger: Ledger, batch: Batch, rows: Rows, blocks: Rows) -> Rows:
    """Call the batch for ``rows`` in one atomic block; where that is refused, for each half, down to single rows.

    Returns the rows that stay refused; they have left no trace. Costs one call where nothing is refused and about
    2 log2(m) calls for each refused row among m.
    """
    refusals: tuple[type[Exception], ...] = (LedgerError, Refused, *batch.refusals)
    if batch.singly and rows.size > 1:
        return np.concatenate([attempt(ledger, batch, rows[k:k + 1], blocks[k:k + 1]) for k in range(rows.size)])
    try:
        with ledger.atomic():
            batch.call(rows, blocks)
    except refusals:
        if rows.size == 1:
            return rows
        half = rows.size // 2
        return np.concatenate((attempt(ledger, batch, rows[:half], blocks[:half]),
                               attempt(ledger, batch, rows[half:], blocks[half:])))
    return _NONE


class Settlement(Mechanism):
    """The mempool and the execution of its rows; base of both chains."""

    blocks_per_day: int = 1
    """Simulated blocks of a day; ``blocks`` in a call counts from 0 below it."""

    def setup(self, market: Market) -> None:
        self.market = market
        self.ledger = market.ledger
        self.pool = Mempool()
        self.counts = Counts()
        self.today = Counts()
        self._kinds: dict[str, int] = {}
        self._serials: list[int] = []
        self._gas: dict[str, int] = {}
        self._order: Decision = market.draws.decision("chain.order")

    # What agents may ask -------------------------------------------------------------------------------------

    def register_kind(self, kind: str, gas: int) -> None:
        """Name a kind of transaction with its gas; a kind of the scenario's gas table keeps the table's figure."""
        if gas < 0:
            raise ValueError(f"{kind!r} cannot cost {gas} gas")
        self._gas.setdefault(kind, int(gas))

    def gas(self, kind: str) -> int:
        """Gas of one transaction of ``kind``; KeyError where nobody registered it."""
        try:
            return self._gas[kind]
        except KeyError:
            raise KeyError(f"no gas is known for transactions of kind {kind!r}; register_kind names new ones") from None

    def fee(self, kind: str) -> int:
        """Micro-USD that a transaction of ``kind`` would cost now, as far as anybody knows."""
        raise NotImplementedError

    @property
    def congestion(self) -> float:
        """Share of the gas limit used in the last day's blocks, 0 .. 1."""
        return 0.0

    @property
    def suggested_tip(self) -> int:
        """Tip, wei per gas, that ``tip_bps`` of 10,000 offers."""
        return 1

    def pending(self, kind: str | None = None) -> int:
        """Transactions that wait, of ``kind`` or in all."""
        if kind is None:
            return self.pool.size
        number = self._kinds.get(kind)
        return 0 if number is None else int(np.count_nonzero(self.pool["kind"] == number))

    def queue(self) -> Queue:
        """The public mempool."""
        return self.pool.queue()

    def submit(self, batch: Batch) -> int:
        """Queue a batch for today's blocks (for tomorrow's, once they have executed); its number, or -1 if empty.

        Raises ValueError where columns do not fit, fees or gas are negative, or gas exceeds a block.
        """
        senders = np.asarray(batch.senders, dtype=np.int64).reshape(-1)
        count = senders.size
        if count == 0:
            return -1
        columns: dict[str, NDArray[np.int64] | int] = {}
        gas = self._column(batch, "gas", self.gas(batch.kind) if batch.gas is None else batch.gas, count)
        self._check_gas(batch, gas)
        if not isinstance(gas, int):
            gas, columns["gas"] = 0, gas
        max_fee = self._column(batch, "max_fee", ANY_FEE if batch.max_fee is None else batch.max_fee, count)
        if not isinstance(max_fee, int):
            max_fee, columns["max_fee"] = 0, max_fee
        tip = self._column(batch, "tip_bps", batch.tip_bps, count) * self.suggested_tip // BPS
        if not isinstance(tip, int):
            tip, columns["tip"] = 0, tip
        if batch.payer is not None:
            columns["payer"] = batch.payer
        keys = np.asarray(senders if batch.keys is None else batch.keys, dtype=np.uint64)
        if keys.shape != senders.shape:
            raise ValueError(f"a batch of {batch.kind!r} has {keys.size} keys for {count} senders")
        if batch.arrival is not None:
            columns["arrival"] = np.minimum(self._column(batch, "arrival", batch.arrival, count),
                                            self.blocks_per_day - 1)
        number, serial = self._kind(batch.kind)
        self.counts.submitted += count
        return self.pool.add(
            batch, np.ascontiguousarray(senders), np.ascontiguousarray(keys),
            (number, gas, max_fee, tip, FOREVER if batch.expires is None else batch.expires, self.market.day,
             batch.ordered),
            columns, self._order.stream, serial, self.blocks_per_day)

    def _kind(self, kind: str) -> tuple[int, int]:
        """Number of the kind, and the serial of its draws, which no other kind's coming or going changes."""
        number = self._kinds.setdefault(kind, len(self._kinds))
        if number == len(self._serials):
            self._serials.append(int(agent_key(f"transaction:{kind}") >> np.uint64(33)))
        return number, self._serials[number]

    @staticmethod
    def _column(batch: Batch, name: str, value: object, count: int) -> int | NDArray[np.int64]:
        """A column of ``count`` int64, or the one int that stands for it; ValueError where it does not fit."""
        if isinstance(value, int) and value >= 0:
            return value
        column = np.asarray(value, dtype=np.int64)
        if column.ndim and column.shape != (count,):
            raise ValueError(f"a batch of {batch.kind!r} has {column.size} values of {name} for {count} senders")
        if column.size and column.min() < 0:
            raise ValueError(f"a batch of {batch.kind!r} has a negative {name}")
        return column

    def _check_gas(self, batch: Batch, gas: int | NDArray[np.int64]) -> None:
        """Refuse what no block could ever hold."""

    # The day's blocks ----------------------------------------------------------------------------------------

    def _settle(self, included: Included, pay: Callable[[Rows], NDArray[np.bool_] | None]) -> None:
        """Take the included and the expired out of the mempool, have gas paid, and execute.

        ``pay`` is given mempool positions in order of submission and returns which of them paid (None: all did). Rows
        that commute run first, batch by batch in order of submission; then ordered rows, in order of execution.
        """
        pool, day, counts = self.pool, self.market.day, self.counts
        self.today = Counts()
        if pool.size == 0:
            return
        leaving = np.zeros(pool.size, dtype=np.bool_)
        leaving[included.rows] = True
        expired = ~leaving & (pool["expires"] <= day)
        chosen = leaving.nonzero()[0]
        paid = pay(chosen)
        funded = leaving
        if paid is not None and not paid.all():
            funded = leaving.copy()
            funded[chosen[~paid]] = False
        dropped = (expired | (leaving & ~funded)).nonzero()[0]
        waited = int((day - pool["submitted"][funded]).sum())

        blocks = np.zeros(pool.size, dtype=np.int64)
        blocks[included.rows] = included.blocks
        in_order = funded & (pool["ordered"] != 0)
        commuting = (funded & ~in_order).nonzero()[0]
        in_order = included.rows[in_order[included.rows]]
        work = [self._parts(some, blocks) for some in (commuting, in_order)]
        lost = self._parts(dropped, blocks)
        executed = commuting.size + in_order.size
        pool.remove(leaving | expired)
        pool["arrival"][:] = 0

        counts.dropped += dropped.size
        counts.executed += executed
        counts.days_waited += waited
        self.today.dropped, self.today.executed = int(dropped.size), executed
        for parts in work:
            for batch, rows, where in parts:
                refused = attempt(self.ledger, batch, rows, where)
                if refused.size:
                    self._note_reverted(batch, refused)
        for batch, rows, _ in lost:
            self._tell(batch.dropped, rows)

    def _parts(self, positions: Rows, blocks: Rows) -> list[tuple[Batch, Rows, Rows]]:
        """Stretches of one batch among mempool positions: (batch, its rows, their blocks)."""
        if positions.size == 0:
            return []
        numbers, rows, where = self.pool["batch"][positions], self.pool["row"][positions], blocks[positions]
        batches = self.pool.batches
        return [(batches[int(numbers[start])], rows[start:end], where[start:end]) for start, end in runs(numbers)]

    def _note_reverted(self, batch: Batch, rows: Rows) -> None:
        for counts in (self.counts, self.today):
            counts.reverted += rows.size
            counts.reverted_by_kind[batch.kind] = counts.reverted_by_kind.get(batch.kind, 0) + int(rows.size)
        self._tell(batch.reverted, rows)

    @staticmethod
    def _tell(callback: RowsCallback | None, rows: Rows) -> None:
        if callback is not None:
            callback(rows)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "chain.transactions_are_conserved", self.check_conserved

    def check_conserved(self) -> str | None:
        """Each transaction submitted was executed once, dropped once, or waits."""
        counts = self.counts
        accounted = counts.executed + counts.dropped + self.pool.size
        if accounted == counts.submitted:
            return None
        return (f"{counts.submitted} transactions were submitted, but {counts.executed} executed + {counts.dropped} "
                f"dropped + {self.pool.size} waiting make {accounted}")
