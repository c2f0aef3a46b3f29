"""Every claim ever filed, one row each, as growing columns; a claim's id is its row.

What can never be: two rows for one episode of care. Decided claims stay, because reserves are estimated from them and
figures of the run need them; a row takes 69 bytes and the index of episodes at most 14 more, so five million claims
fit in 400 MB. Capacity grows by half; pages of it that were never written cost nothing.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernel.compiled import kernel
from sim.kernel.draws import mix64

NEVER = -1
"""A day that has not come."""

_LOAD = 0.6


class Status(IntEnum):
    """Where a claim stands. Denied, paid and dropped are final (a denial, once its appeal window is over)."""

    FILED = 0
    COMMITTED = 1
    REVEALED = 2
    APPROVED = 3
    DENIED = 4
    APPEALED = 5
    PAID = 6
    PARTLY_PAID = 7
    DROPPED = 8


(FILED, COMMITTED, REVEALED, APPROVED, DENIED, APPEALED, PAID, PARTLY_PAID, DROPPED) = (int(one) for one in Status)
"""The statuses as plain integers, for use on columns."""

OPEN = (FILED, COMMITTED, REVEALED, APPEALED)
"""Statuses of claims that are not decided: a case reserve stands for them."""

COLUMNS: dict[str, tuple[Any, int]] = {
    "key": (np.uint64, 0),  # permanent key of the episode of care
    "slot": (np.int32, 0),  # the patient's storage slot
    "pool": (np.int16, 0),
    "plan": (np.int8, 0),  # of the pool, when the care was received
    "payee": (np.int32, 0),  # ledger account that is paid
    "claimed": (np.int64, 0),  # base units
    "approved": (np.int64, 0),
    "paid": (np.int64, 0),
    "incurred": (np.int32, NEVER),  # days
    "filed": (np.int32, NEVER),
    "committed": (np.int32, NEVER),
    "revealed": (np.int32, NEVER),
    "decided": (np.int32, NEVER),
    "paid_on": (np.int32, NEVER),  # the day on which the last unit of the approved amount was paid
    "status": (np.int8, FILED),
    "level": (np.int8, 0),  # appeals and redraws so far
}


def episode_keys(
    people: NDArray[np.uint64], incurred: NDArray[np.int64], serials: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Permanent keys of episodes of care, uint64[n], from person, day and the person's serial number that day."""
    keys = np.empty(people.size, dtype=np.uint64)
    fill_episode_keys(people, incurred, serials, keys)
    return keys


@kernel
def fill_episode_keys(
    people: NDArray[np.uint64], incurred: NDArray[np.int64], serials: NDArray[np.int64], keys: NDArray[np.uint64]
) -> None:
    """The loop of :func:`episode_keys`."""
    for i in range(people.size):
        keys[i] = mix64(mix64(people[i] ^ mix64(np.uint64(incurred[i]) + np.uint64(1))) + np.uint64(serials[i]))


@kernel
def _insert(
    index: NDArray[np.int32], column: NDArray[np.uint64], used: int, keys: NDArray[np.uint64], wanted: NDArray[np.bool_]
) -> int:
    """Append the keys that are wanted and new; clears ``wanted`` elsewhere. Returns the number of rows then used."""
    mask = np.uint64(index.size - 1)
    for i in range(keys.size):
        if not wanted[i]:
            continue
        place = keys[i] & mask
        while index[place] >= 0 and column[index[place]] != keys[i]:
            place = (place + np.uint64(1)) & mask
        if index[place] >= 0:
            wanted[i] = False
            continue
        index[place] = used
        column[used] = keys[i]
        used += 1
    return used


@kernel
def _rebuild(index: NDArray[np.int32], column: NDArray[np.uint64], used: int) -> None:
    index[:] = -1
    mask = np.uint64(index.size - 1)
    for row in range(used):
        place = column[row] & mask
        while index[place] >= 0:
            place = (place + np.uint64(1)) & mask
        index[place] = row


@kernel
def _forget(index: NDArray[np.int32], column: NDArray[np.uint64], size: int, used: int) -> None:
    """Take the rows from ``size`` to ``used`` out again, last in first out, so that no chain of places is broken."""
    mask = np.uint64(index.size - 1)
    for row in range(used - 1, size - 1, -1):
        place = column[row] & mask
        while index[place] != row:
            place = (place + np.uint64(1)) & mask
        index[place] = -1


class ClaimTable:
    """Columns of claims; ``table["status"]`` is a writable view of the rows in use (it goes stale when rows are added).

    Parameters
    ----------
    capacity: rows to make room for at first.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self.size = 0
        self._columns = {name: np.empty(capacity, dtype=dtype) for name, (dtype, _) in COLUMNS.items()}
        self._index = np.full(2048, -1, dtype=np.int32)
        self._reserve(capacity)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name][: self.size]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(COLUMNS)

    def append(
        self, keys: NDArray[np.uint64], wanted: NDArray[np.bool_], **values: NDArray[Any] | int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Add the rows that are ``wanted`` and whose episode is new.

        Args:
            keys: uint64[n] episode keys.
            wanted: bool[n].
            values: other columns, arrays of n or scalars; those not given take their default.

        Returns:
            (rows of the batch that were added, their claim ids), both int64 and in order.
        """
        self._reserve(self.size + keys.size)
        new = wanted.copy()
        first, last = self.size, int(_insert(self._index, self._columns["key"], self.size, keys, new))
        rows = new.nonzero()[0]
        every = rows.size == keys.size
        for name, (_, default) in COLUMNS.items():
            if name != "key":
                value = values.get(name, default)
                self._columns[name][first:last] = value if every or not isinstance(value, np.ndarray) else value[rows]
        self.size = last
        return rows, np.arange(first, last)

    def truncate(self, size: int) -> None:
        """Forget the rows from ``size`` on: a transaction that filed them was rolled back."""
        _forget(self._index, self._columns["key"], size, self.size)
        self.size = size

    def check(self) -> str | None:
        """Invariant: each episode stands in one row only."""
        doubles = self.size - np.unique(self["key"]).size
        return f"{doubles} claims share an episode with another claim" if doubles else None

    @property
    def nbytes(self) -> int:
        """Bytes of the rows in use and of the index."""
        return sum(column[: self.size].nbytes for column in self._columns.values()) + self._index.nbytes

    def _reserve(self, rows: int) -> None:
        capacity = self._columns["key"].size
        if rows > capacity:
            capacity = max(rows, capacity + capacity // 2)
            for name, column in self._columns.items():
                grown = np.empty(capacity, dtype=column.dtype)
                grown[: self.size] = column[: self.size]
                self._columns[name] = grown
        places = self._index.size
        while rows > _LOAD * places:
            places *= 2
        if places > self._index.size:
            self._index = np.empty(places, dtype=np.int32)
            _rebuild(self._index, self._columns["key"], self.size)
