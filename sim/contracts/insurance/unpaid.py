"""Claims that were approved and not paid in full: a record of debts, in the order in which they arose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class UnpaidClaims:
    """Columns int64[n]: claim number, what is still owed (base units), to which account, day of care."""

    ids: NDArray[np.int64]
    amounts: NDArray[np.int64]
    payees: NDArray[np.int64]
    incurred: NDArray[np.int64]

    @classmethod
    def none(cls) -> UnpaidClaims:
        """No debts."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, empty, empty, empty)

    def __len__(self) -> int:
        return int(self.ids.size)

    @property
    def total(self) -> int:
        """All that is owed."""
        return int(self.amounts.sum()) if self.ids.size else 0

    def joined(self, new: UnpaidClaims) -> UnpaidClaims:
        """These, then ``new``."""
        return UnpaidClaims(*(np.concatenate((getattr(self, name), getattr(new, name)))
                              for name in ("ids", "amounts", "payees", "incurred")))

    def reduced(self, owed: NDArray[np.int64]) -> UnpaidClaims:
        """Those of which something in ``owed`` int64[n] is still due."""
        rows = np.flatnonzero(owed)
        return UnpaidClaims(self.ids[rows], owed[rows], self.payees[rows], self.incurred[rows])


@dataclass(frozen=True, slots=True)
class Settling:
    """The claims that a settlement is about, for layers that look at more than amounts: its day, the claims in the
    order in which layers see them, and the row from which on they are new (the others stayed unpaid before)."""

    day: int
    due: UnpaidClaims
    first_new: int
