"""What care really cost, by claim: known to the provider and to whoever examines its records, not to the contract."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FIRST = 1024
_UNKNOWN = -1

Ints = NDArray[np.int64]


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
        distinct = (ids[1:] > ids[:-1]).all() or np.unique(ids).size == ids.size
        if not distinct or (self._true[ids] != _UNKNOWN).any():
            raise ValueError("a claim is recorded once")
        self._true[ids] = amounts
        self._count += ids.size

    def true_amount(self, claim_ids: Ints) -> Ints:
        """int64[n]: what the care of each claim was really worth. ValueError for a claim that is not recorded."""
        ids = np.asarray(claim_ids, dtype=np.int64)
        if ids.size and (ids.min() < 0 or ids.max() >= self._true.size):
            raise ValueError("no record of one of these claims")
        amounts: Ints = self._true[ids]
        if (amounts == _UNKNOWN).any():
            raise ValueError("no record of one of these claims")
        return amounts

    def known(self, claim_ids: Ints) -> NDArray[np.bool_]:
        """bool[n]: whether there is a record of each claim."""
        ids = np.asarray(claim_ids, dtype=np.int64)
        inside = (ids >= 0) & (ids < self._true.size)
        return np.asarray(inside & (self._true[np.where(inside, ids, 0)] != _UNKNOWN))
