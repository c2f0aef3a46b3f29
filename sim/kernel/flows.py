"""The matrix of the day's flows: base units by (kind, asset), paying sector and receiving sector.

One dense int64 array, grown when a new pair of kind and asset appears and used again every day. ``settled`` keeps,
per asset and sector, all that came in less all that went out on the days before, so that stocks can be checked against
flows at any time without a copy of the opening balances.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.kernel.accounts import MAX_SECTORS, Asset
from sim.kernel.ledger_errors import LedgerError

CELLS = MAX_SECTORS * MAX_SECTORS

Flow = tuple[int, str, str, str, str, int]
"""(day, kind, asset symbol, paying sector, receiving sector, base units)."""


class FlowMatrix:
    """``array[slot, payer, payee]``; ``cells`` is the same memory, flat. While ``lent`` the array must not move."""

    __slots__ = ("_slots", "array", "cells", "lent", "settled")

    def __init__(self) -> None:
        self._slots: list[tuple[str, Asset]] = []
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
        return asset.slots[kind]

    def settle(self, day: int, sectors: tuple[str, ...]) -> list[Flow]:
        """The flows that are not zero, sorted; they are added to ``settled`` and the matrix starts anew."""
        used = self.array[: len(self._slots), : len(sectors), : len(sectors)]
        flows: list[Flow] = []
        places = np.nonzero(used)
        amounts = used[places].tolist()
        for slot, payer, payee, amount in zip(*(place.tolist() for place in places), amounts, strict=True):
            kind, asset = self._slots[slot]
            settled = self.settled.setdefault(asset.id, [0] * MAX_SECTORS)
            settled[payer] -= amount
            settled[payee] += amount
            flows.append((day, kind, asset.symbol, sectors[payer], sectors[payee], amount))
        used[...] = 0
        return sorted(flows)

    def net(self, asset: Asset) -> list[int]:
        """By sector id: all that ever came in less all that ever went out, today included."""
        totals = list(self.settled.get(asset.id, [0] * MAX_SECTORS))
        for slot in asset.slots.values():
            today = self.array[slot].astype(object)
            for sector, change in enumerate((today.sum(axis=0) - today.sum(axis=1)).tolist()):
                totals[sector] += change
        return totals
