"""A table of agents as numpy columns, one row of which can be looked at as an agent.

Rows are added, never removed or moved, so a slot stays valid; but a random draw must use the permanent ``key``, which
does not depend on how many others there are. A column's array is replaced when the table grows: fetch it anew each
day, do not keep it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from sim.kernel.draws import agent_key, mix64_array

FOUNDING_DAY = -1
"""The entry day of those who are there from the start."""


def person_keys(entry_day: int, count: int, first: int = 0) -> NDArray[np.uint64]:
    """uint64[count]: keys of those who entered on ``entry_day`` as number ``first``, ``first`` + 1, ... of that day."""
    start = agent_key(f"person {int(entry_day)}")
    return mix64_array(mix64_array(np.arange(first, first + count, dtype=np.uint64)) ^ start)


class Columns:
    """``size`` rows; a column is an item or attribute by its name, ``[i]`` is a row, ``select(mask)`` are several."""

    key: NDArray[np.uint64]

    def __init__(self, size: int) -> None:
        if size < 0:
            raise ValueError(f"a table cannot have {size} rows")
        self._size = int(size)
        self._stores: dict[str, NDArray[Any]] = {}
        self._views: dict[str, NDArray[Any]] = {}
        self._defaults: dict[str, Any] = {}
        self._entered: dict[int, int] = {FOUNDING_DAY: self._size}
        self.add("key", np.uint64, person_keys(FOUNDING_DAY, self._size))
        self._defaults["key"] = 0

    @property
    def size(self) -> int:
        """How many rows are in use."""
        return self._size

    def __len__(self) -> int:
        return self._size

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order of registration."""
        return tuple(self._views)

    def add(self, name: str, dtype: DTypeLike, default: ArrayLike = 0) -> NDArray[Any]:
        """Add a column and return its array.

        ``default`` is a scalar, or an array of ``size`` values; rows that are added later start at the scalar, or at
        zero where an array was given. ValueError for a name that is taken or not an identifier.
        """
        if name in self._views:
            raise ValueError(f"column {name!r} exists already")
        if not name.isidentifier() or name.startswith("_") or hasattr(type(self), name):
            raise ValueError(f"{name!r} cannot be the name of a column")
        store = np.empty(self._size, dtype=dtype)
        store[:] = default
        self._stores[name] = self._views[name] = store
        self._defaults[name] = default if np.ndim(default) == 0 else 0
        return store

    def grow(self, count: int, day: int) -> NDArray[np.int64]:
        """Add ``count`` newcomers who enter on ``day``; returns their slots, int64[count]."""
        if count < 0:
            raise ValueError(f"a table cannot grow by {count} rows")
        old, new = self._size, self._size + count
        for name, store in self._stores.items():
            if new > store.size:
                larger = np.empty(max(new, store.size + store.size // 4), dtype=store.dtype)
                larger[:old] = store[:old]
                self._stores[name] = store = larger
            store[old:new] = self._defaults[name]
            self._views[name] = store[:new]
        first = self._entered.get(int(day), 0)
        self._views["key"][old:] = person_keys(day, count, first)
        self._entered[int(day)] = first + count
        self._size = new
        return np.arange(old, new)

    def __contains__(self, name: object) -> bool:
        return name in self._views

    def __getitem__(self, what: Any) -> Any:
        """The column of a name (writable, used rows only), or the row of a slot."""
        try:
            return self._views[what]
        except KeyError:
            if isinstance(what, str):
                raise KeyError(f"no column {what!r}") from None
        slot = int(what)
        if not -self._size <= slot < self._size:
            raise IndexError(f"no row {slot} of {self._size}")
        return Row(self, slot % self._size)

    def __setitem__(self, name: str, values: ArrayLike) -> None:
        """Write values into the column, in place."""
        if name not in self._views:
            raise KeyError(f"no column {name!r}")
        self._views[name][...] = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_views"][name]
        except KeyError:
            raise AttributeError(f"no column {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("_views", ()):
            self[name] = value
        else:
            super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Row]:
        return (Row(self, slot) for slot in range(self._size))

    def select(self, which: ArrayLike) -> Selection:
        """The rows of a bool mask of ``size``, or of an array of slots."""
        rows = np.asarray(which)
        if rows.dtype == np.bool_:
            if rows.size != self._size:
                raise ValueError(f"a mask of {rows.size} for {self._size} rows")
            rows = np.flatnonzero(rows)
        return Selection(self, rows.astype(np.int64))


class Row:
    """One row looked at as an agent: its columns are read-only attributes, as Python scalars."""

    __slots__ = ("_columns", "slot")

    _columns: Columns
    slot: int

    def __init__(self, columns: Columns, slot: int) -> None:
        object.__setattr__(self, "_columns", columns)
        object.__setattr__(self, "slot", slot)

    def __getattr__(self, name: str) -> Any:
        return _column(self._columns, name)[self.slot].item()

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a row is a view: write {name!r} through its column")

    def __dir__(self) -> list[str]:
        return ["slot", *self._columns.names]

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)}" for name in self._columns.names)
        return f"Row(slot={self.slot}, {values})"


class Selection:
    """Some rows: columns of just these (copies), and iteration over them as rows."""

    __slots__ = ("_columns", "slots")

    def __init__(self, columns: Columns, slots: NDArray[np.int64]) -> None:
        self._columns = columns
        self.slots = slots

    def __len__(self) -> int:
        return int(self.slots.size)

    def __getitem__(self, name: str) -> NDArray[Any]:
        values: NDArray[Any] = self._columns[name][self.slots]
        return values

    def __getattr__(self, name: str) -> Any:
        return _column(self._columns, name)[self.slots]

    def __iter__(self) -> Iterator[Row]:
        return (Row(self._columns, int(slot)) for slot in self.slots)


def _column(columns: Columns, name: str) -> NDArray[Any]:
    if name not in columns:
        raise AttributeError(f"no column {name!r}")
    column: NDArray[Any] = columns[name]
    return column
