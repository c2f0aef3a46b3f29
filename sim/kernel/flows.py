"""The matrix of the day's flows: base units by (kind, asset), paying sector and receiving sector.

One dense int64 array, grown when a new pair of kind and asset appears and used again every day. ``settled`` keeps,
per asset and sector, all that came in less all that went out on the days before, so that stocks can be checked against
flows at any time without a copy of the opening balances.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernel.accounts import MAX_SECTORS, Asset
from sim.kernel.compiled import kernel
from sim.kernel.ledger_errors import LedgerError

CELLS = MAX_SECTORS * MAX_SECTORS

Flow = tuple[int, str, str, str, str, int]
"""(day, kind, asset symbol, paying sector, receiving sector, base units)."""


class Order(NamedTuple):
    """Slots by kind and asset and sectors by name, as their ids; ``sizes`` are how many there were of both."""

    sizes: tuple[int, int]
    slots: NDArray[np.int64]
    sectors: NDArray[np.int64]

    @classmethod
    def of(cls, slots: list[tuple[str, Asset]], sectors: tuple[str, ...]) -> Order:
        """The order of these."""
        by_name = sorted(range(len(slots)), key=lambda slot: (slots[slot][0], slots[slot][1].symbol))
        return cls((len(slots), len(sectors)), np.array(by_name, dtype=np.int64),
                   np.array(sorted(range(len(sectors)), key=sectors.__getitem__), dtype=np.int64))


@kernel
def _is_zero(numbers: Any) -> bool:
    """Whether all are zero; looks at each, which is quicker than to stop."""
    some = 0
    for i in range(numbers.size):
        some |= numbers[i]
    return some == 0


@kernel
def take_out(flows: Any, slots: Any, sectors: Any, found: Any) -> int:
    """Write into ``found`` int64[n, 4] the flows that are not zero, in this order, and make them zero; their number,
    which is n where more may be left."""
    count = 0
    for slot in slots:
        if _is_zero(flows[slot].ravel()):
            continue
        for payer in sectors:
            if _is_zero(flows[slot, payer]):
                continue
            for payee in sectors:
                amount = flows[slot, payer, payee]
                if amount == 0:
                    continue
                if count == len(found):
                    return count
                found[count, 0], found[count, 1], found[count, 2], found[count, 3] = slot, payer, payee, amount
                count += 1
                flows[slot, payer, payee] = 0
    return count


class FlowMatrix:
    """``array[slot, payer, payee]``; ``cells`` is the same memory, flat. While ``lent`` the array must not move."""

    __slots__ = ("_found", "_labels", "_order", "_slots", "array", "cells", "lent", "settled")

    def __init__(self) -> None:
        self._slots: list[tuple[str, Asset]] = []
        self._labels: list[tuple[str, str, list[int]]] = []
        """By slot: kind, symbol, and what ``settled`` keeps for the asset."""
        self._order = Order.of([], ())
        self._found = np.empty((256, 4), dtype=np.int64)
        self.settled: dict[int, list[int]] = {}
        self.lent = False
        self.array = np.zeros((16, MAX_SECTORS, MAX_SECTORS), dtype=np.int64)
        self.cells: Any = memoryview(self.array.reshape(-1).data)

    def slot(self, kind: str, asset: Asset) -> int:
        """The matrix of (kind, asset), made where it is new."""
        if kind not in asset.slots:
            if self.lent:
                raise LedgerError(f"{kind}: a new kind of flow while rows are lent to a kernel")
            if len(self._slots) == len(self.array):
                self.array = np.concatenate((self.array, np.zeros_like(self.array)))
                self.cells = memoryview(self.array.reshape(-1).data)
            asset.slots[kind] = len(self._slots)
            self._slots.append((kind, asset))
            self._labels.append((kind, asset.symbol, self.settled.setdefault(asset.id, [0] * MAX_SECTORS)))
        return asset.slots[kind]

    def settle(self, day: int, sectors: tuple[str, ...]) -> list[Flow]:
        """The flows that are not zero, sorted; they are added to ``settled`` and the matrix starts anew."""
        if self._order.sizes != (len(self._slots), len(sectors)):
            self._order = Order.of(self._slots, sectors)
        found, count = self._found, len(self._found)
        rows: list[list[int]] = []
        while count == len(found):
            count = take_out(self.array, self._order.slots, self._order.sectors, found)
            rows += found[:count].tolist()
        flows: list[Flow] = []
        for slot, payer, payee, amount in rows:
            kind, symbol, settled = self._labels[slot]
            settled[payer] -= amount
            settled[payee] += amount
            flows.append((day, kind, symbol, sectors[payer], sectors[payee], amount))
        return flows

    def net(self, asset: Asset) -> list[int]:
        """By sector id: all that ever came in less all that ever went out, today included."""
        totals = list(self.settled.get(asset.id, [0] * MAX_SECTORS))
        for slot in asset.slots.values():
            today = self.array[slot].astype(object)
            for sector, change in enumerate((today.sum(axis=0) - today.sum(axis=1)).tolist()):
                totals[sector] += change
        return totals
