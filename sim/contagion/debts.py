"""Debts between institutions as sorted columns: what clearing walks over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.kernel.fixedpoint import MAX_INT64


class BadDebts(ValueError):
    """Debts, cash or shares that describe no market; the message is one sentence."""


def positions(values: ArrayLike, count: int, what: str) -> NDArray[np.int64]:
    """``values`` as int64 positions of ``count`` institutions; raises :class:`BadDebts`."""
    array = np.asarray(values)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise BadDebts(f"{what} must be a list of whole numbers")
    if array.min() < 0 or array.max() >= count:
        raise BadDebts(f"{what} must lie between 0 and {count - 1}, the positions of the institutions")
    return np.ascontiguousarray(array, dtype=np.int64)


def money(values: ArrayLike, size: int, what: str, dtype: Any) -> NDArray[Any]:
    """``values`` as ``size`` amounts of at least nothing, int64 or float64; raises :class:`BadDebts`."""
    array = np.asarray(values)
    if array.shape != (size,):
        raise BadDebts(f"there are {array.size} {what} where {size} are due")
    if size and dtype is np.int64 and array.dtype.kind not in "iu":
        raise BadDebts(f"{what} must be whole base units")
    array = np.ascontiguousarray(array, dtype=dtype)
    if dtype is np.float64 and not np.isfinite(array).all():
        raise BadDebts(f"{what} must be finite")
    if size and array.min() < 0:
        raise BadDebts(f"{what} must not be negative")
    return array


def totals(at: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """float64[count]: the ``values`` summed by position."""
    found: NDArray[Any] = np.bincount(at, values, count)
    return found.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Debts:
    """m debts among n institutions, sorted by debtor and seniority.

    A *group* is what one debtor owes in one class of seniority. ``row`` int64[m]: where the caller listed each sorted
    debt; ``debtor``, ``creditor``, ``amount`` [m]; ``group`` int64[m]: the group of each; ``group_debt`` [g];
    ``group_edge`` int64[g + 1] and ``node_group`` int64[n + 1]: first debt of each group, first group of each
    institution; ``debt`` [n]: owed by each in all; ``due`` [n]: owed to each in all. Amounts are int64 base units or
    float64.
    """

    row: NDArray[np.int64]
    debtor: NDArray[np.int64]
    creditor: NDArray[np.int64]
    amount: NDArray[Any]
    group: NDArray[np.int64]
    group_debt: NDArray[Any]
    group_edge: NDArray[np.int64]
    node_group: NDArray[np.int64]
    debt: NDArray[Any]
    due: NDArray[Any]

    @classmethod
    def of(cls, debtors: ArrayLike, creditors: ArrayLike, amounts: ArrayLike, count: int,
           seniority: ArrayLike | None, dtype: Any) -> Debts:
        """Check and sort; ``seniority`` (0 is paid first) may be left out; raises :class:`BadDebts`."""
        debtor = positions(debtors, count, "debtors")
        creditor = positions(creditors, count, "creditors")
        if creditor.size != debtor.size:
            raise BadDebts(f"there are {debtor.size} debtors but {creditor.size} creditors")
        amount = money(amounts, debtor.size, "amounts", dtype)
        if (debtor == creditor).any():
            raise BadDebts("an institution cannot owe itself")
        if dtype is np.int64 and amount.size and float(amount.sum(dtype=np.float64)) > 0.99 * MAX_INT64:
            raise BadDebts("the debts sum to more than 64 bits hold")
        rank, classes = _ranks(seniority, debtor.size)
        key = debtor * classes + rank
        row = np.argsort(key, kind="stable")
        key, debtor, creditor, amount = key[row], debtor[row], creditor[row], amount[row]
        first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if key.size else np.zeros(0, np.int64)
        group_edge = np.append(first, key.size).astype(np.int64)
        group_debt = np.add.reduceat(amount, first) if key.size else np.zeros(0, dtype=dtype)
        owner = key[first] // classes
        node_group = np.searchsorted(owner, np.arange(count + 1)).astype(np.int64)
        debt, due = np.zeros(count, dtype=dtype), np.zeros(count, dtype=dtype)
        np.add.at(debt, owner, group_debt)
        np.add.at(due, creditor, amount)
        group = np.repeat(np.arange(first.size), np.diff(group_edge))
        return cls(row, debtor, creditor, amount, group, group_debt, group_edge, node_group, debt, due)

    def in_floats(self) -> Debts:
        """The same debts in float64, for the analysis and for the first guess of the exact solution."""
        return replace(self, **{name: getattr(self, name).astype(np.float64)
                                for name in ("amount", "group_debt", "debt", "due")})

    def as_listed(self, values: NDArray[Any]) -> NDArray[Any]:
        """``values`` of the sorted debts in the caller's order."""
        out = np.empty_like(values)
        out[self.row] = values
        return out

    def by_debtor(self, values: NDArray[Any]) -> NDArray[Any]:
        """[n]: the groups' ``values`` summed by debtor."""
        out = np.zeros(self.debt.size, dtype=values.dtype)
        np.add.at(out, self.debtor[self.group_edge[:-1]], values)
        return out


def _ranks(seniority: ArrayLike | None, size: int) -> tuple[NDArray[np.int64] | int, int]:
    """Rank of each debt's class, from 0, and the number of classes."""
    if seniority is None or size == 0:
        return 0, 1
    array = np.asarray(seniority)
    if array.shape != (size,) or array.dtype.kind not in "iu":
        raise BadDebts(f"seniority must be {size} whole numbers")
    low, high = int(array.min()), int(array.max())
    if high == low:
        return 0, 1
    if high - low < 64:  # the usual few classes need no sorting
        return array.astype(np.int64) - low, high - low + 1
    levels, rank = np.unique(array, return_inverse=True)
    return rank.astype(np.int64), int(levels.size)
