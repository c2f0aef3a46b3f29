"""Books by plan: what each plan of a pool has in force, was approved and has outstanding.

The money of a pool is one; its plans differ in terms, price and members. These books say what each plan contributes,
so that an insurer can rate it on its own experience. Premium by plan stands in the unearned premium's schedule.

What can never be: the plans' members, premium, approved or reported claims do not add up to the pool's. A transfer for
risk adjustment is a plan's income like premium; between plans of one pool no money moves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PLAIN = ("members", "monthly_premium", "approved", "outstanding", "transfers")


class PlanBooks:
    """Columns int64[plans] in base units: ``members`` (persons), ``monthly_premium`` in force, ``approved`` claims
    since the start, ``outstanding`` reported claims, ``transfers`` received (negative: paid) for risk adjustment."""

    __slots__ = PLAIN

    def __init__(self, plans: int) -> None:
        for name in PLAIN:
            setattr(self, name, np.zeros(plans, dtype=np.int64))
        self.members: NDArray[np.int64]
        self.monthly_premium: NDArray[np.int64]
        self.approved: NDArray[np.int64]
        self.outstanding: NDArray[np.int64]
        self.transfers: NDArray[np.int64]

    def add(self, name: str, amounts: NDArray[np.int64], plans: NDArray[np.integer] | None, sign: int = 1) -> None:
        """Add amounts int64[n] (base units) to the column ``name`` of their plans; of no plans given: the first."""
        column: NDArray[np.int64] = getattr(self, name)
        if plans is None or column.size == 1:
            column[0] += sign * int(amounts.sum())
        else:
            np.add.at(column, plans, sign * amounts)

    def state(self) -> tuple[NDArray[np.int64], ...]:
        """A copy, for :meth:`restore`."""
        return tuple(getattr(self, name).copy() for name in PLAIN)

    def restore(self, state: tuple[Any, ...]) -> None:
        """Go back to an earlier :meth:`state`."""
        for name, values in zip(PLAIN, state, strict=True):
            setattr(self, name, values.copy())
