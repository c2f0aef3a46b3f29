"""One committee round: claims that were drawn together, with committees of one size, from seating to decision.

What can never be: a commitment outside its window or from somebody who has no seat, a report that its commitment does
not prove, a decision before the round is over. The first commitment and the first valid reveal of a seat stand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sim.contracts.oracle_committee.commitment import NO_COMMITMENT, store_commitments, store_reveals
from sim.contracts.oracle_committee.decision import CommitteeRules, Decisions, decide


class Stage(IntEnum):
    """What a round accepts."""

    COMMIT = 0
    REVEAL = 1
    CLOSED = 2


@dataclass(slots=True)
class Round:
    """n claims with k seats each.

    ``ids`` int64[n] claims, ``keys`` uint64[n] their permanent keys, ``claimed`` int64[n] base units, ``seats``
    int32[n, k] operator numbers (-1 empty), ``level`` appeals so far. Commitments are accepted up to and including day
    ``commit_until``, reveals after it up to ``reveal_until``. ``decisions`` are there once the round is closed.
    """

    serial: int
    level: int
    ids: NDArray[np.int64]
    keys: NDArray[np.uint64]
    claimed: NDArray[np.int64]
    seats: NDArray[np.int32]
    opened: int
    commit_until: int
    reveal_until: int
    stage: Stage = Stage.COMMIT
    commitments: NDArray[np.uint64] = field(init=False)
    amounts: NDArray[np.int64] = field(init=False)
    valid: NDArray[np.bool_] = field(init=False)
    revealed: NDArray[np.bool_] = field(init=False)
    decisions: Decisions | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        shape = self.seats.shape
        self.commitments = np.zeros(shape, dtype=np.uint64)
        self.amounts = np.zeros(shape, dtype=np.int64)
        self.valid = np.zeros(shape, dtype=np.bool_)
        self.revealed = np.zeros(shape, dtype=np.bool_)

    def commit(self, landed: NDArray[np.bool_], commitments: NDArray[np.uint64]) -> int:
        """Keep the commitments uint64[n, k] of the operators ``landed`` bool[operators]; how many were kept."""
        if self.stage is not Stage.COMMIT:
            return 0
        return int(store_commitments(self.seats, landed, commitments, self.commitments))

    def reveal(
        self,
        operators: NDArray[np.uint64],
        landed: NDArray[np.bool_],
        amounts: NDArray[np.int64],
        valid: NDArray[np.bool_],
        salts: NDArray[np.uint64],
    ) -> int:
        """Accept the reports [n, k] that prove their commitments; their number. ``operators`` are permanent keys."""
        if self.stage is not Stage.REVEAL:
            return 0
        return int(store_reveals(self.keys, operators, self.seats, landed, self.commitments, amounts, valid, salts,
                                 self.amounts, self.valid, self.revealed))

    def save_commitments(self) -> Callable[[], None]:
        """A function that puts the commitments back to what they are now."""
        saved = self.commitments.copy()

        def restore() -> None:
            self.commitments = saved

        return restore

    def save_reports(self) -> Callable[[], None]:
        """A function that puts the reports back to what they are now."""
        saved = (self.amounts.copy(), self.valid.copy(), self.revealed.copy())

        def restore() -> None:
            self.amounts, self.valid, self.revealed = saved

        return restore

    def open_reveals(self, day: int) -> bool:
        """Pass to the reveal stage once the commit window is over; whether that happened now."""
        if self.stage is Stage.COMMIT and day > self.commit_until:
            self.stage = Stage.REVEAL
            return True
        return False

    def is_over(self, day: int) -> bool:
        """Whether nothing more can come: the last day of the reveal window, or every commitment revealed."""
        if self.stage is not Stage.REVEAL:
            return False
        return day >= self.reveal_until or bool(((self.commitments != NO_COMMITMENT) == self.revealed).all())

    def decide(self, rules: CommitteeRules) -> Decisions:
        """Close the round and decide its claims."""
        self.stage = Stage.CLOSED
        self.decisions = decide(self.seats, self.revealed, self.amounts, self.valid, self.claimed, rules)
        return self.decisions
