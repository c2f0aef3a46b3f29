"""What care really cost, by claim: known to the provider and to whoever examines its records, not to the contract."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.kernel.compiled import kernel

_FIRST = 1024
_UNKNOWN = -1

Ints = NDArray[np.int64]


@kernel
def _all_known(true: Ints, ids: Ints) -> bool:
    """Whether each of ``ids`` int64[n] is recorded in ``true`` int64[ids there is room for]."""
    unknown = 0
    for i in range(ids.size):
        if ids[i] < 0 or ids[i] >= true.size or true[ids[i]] == _UNKNOWN:
            unknown += 1
    return unknown == 0


@kernel
def _enter(true: Ints, ids: Ints, amounts: Ints) -> bool:
    """Write the amounts; False, and nothing written, where one is recorded already or comes twice."""
    for i in range(ids.size):
        if true[ids[i]] != _UNKNOWN:
            for done in range(i):
                true[ids[done]] = _UNKNOWN
            return False
        true[ids[i]] = amounts[i]
    return True


class ClinicalRecords:
    """True amounts in base units by claim id; ids are small whole numbers, so an array holds them."""

    def __init__(self) -> None:
        self._true = np.full(_FIRST, _UNKNOWN, dtype=np.int64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, claim_ids: Ints, true_amounts: Ints) -> None:
        """Record the true amount of each claim, int64[n] each. ValueError for an id that is recorded already or
        negative, or an amount below zero."""
        ids = np.asarray(claim_ids, dtype=np.int64)
        amounts = np.asarray(true_amounts, dtype=np.int64)
        if ids.shape != amounts.shape:
            raise ValueError(f"{ids.size} claims but {amounts.size} amounts")
        if ids.size == 0:
            return
        if ids.min() < 0 or amounts.min() < 0:
            raise ValueError("claim ids and true amounts are never negative")
        highest = int(ids.max())
        if highest >= self._true.size:
            larger = np.full(max(highest + 1, 2 * self._true.size), _UNKNOWN, dtype=np.int64)
            larger[:self._true.size] = self._true
            self._true = larger
        if not _enter(self._true, ids, amounts):
            raise ValueError("a claim is recorded once")
        self._count += ids.size

    def true_amount(self, claim_ids: Ints) -> Ints:
        """int64[n]: what the care of each claim was really worth. ValueError for a claim that is not recorded."""
        ids = np.asarray(claim_ids, dtype=np.int64)
        if not _all_known(self._true, ids):
            raise ValueError("no record of one of these claims")
        amounts: Ints = self._true[ids]
        return amounts

    def known(self, claim_ids: Ints) -> NDArray[np.bool_]:
        """bool[n]: whether there is a record of each claim."""
        ids = np.asarray(claim_ids, dtype=np.int64)
        inside = (ids >= 0) & (ids < self._true.size)
        return np.asarray(inside & (self._true[np.where(inside, ids, 0)] != _UNKNOWN))
