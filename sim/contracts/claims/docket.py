"""The docket: claims that wait for a committee, and the rounds that are open.

What can never be: a claim in two open rounds, or in a round before its day. Each round holds the claims of one day and
one committee size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.contracts.claims.rewards import Operators
from sim.contracts.claims.round import Round, Stage
from sim.contracts.claims.table import COMMITTED, ClaimTable
from sim.contracts.oracle_committee.rules import corruption_cost

if TYPE_CHECKING:
    from sim.kernel.draws import Decision
    from sim.kernel.ledger import Ledger


class Docket:
    """Waiting claims and open rounds.

    Parameters
    ----------
    ledger: for the undoing of transactions.
    table: the claims.
    operators: who can be drawn.
    seating: the draws of committees.
    seats: committee size by number of appeals.
    commit_days, reveal_days: lengths of the two windows.
    round_size: most claims in one round, so that an operator's votes on them fit into one transaction.
    """

    def __init__(
        self,
        ledger: Ledger,
        table: ClaimTable,
        operators: Operators,
        seating: Decision,
        seats: Callable[[int], int],
        commit_days: int,
        reveal_days: int,
        round_size: int,
    ) -> None:
        self.ledger = ledger
        self.table = table
        self.operators = operators
        self.seating = seating
        self.seats = seats
        self.commit_days = commit_days
        self.reveal_days = reveal_days
        self.round_size = round_size
        self.rounds: list[Round] = []
        self.waiting: dict[int, list[NDArray[np.int64]]] = {}
        self.corruption_ratios: list[float] = []
        """Each drawing: cheapest majority of stake on the committee of the largest claim, over that claim."""
        self._serial = 0

    def add(self, ids: NDArray[np.int64], day: int) -> None:
        """Let claims wait until committees are drawn on ``day``."""
        queue = self.waiting.setdefault(day, [])
        queue.append(ids)
        self.ledger.on_rollback(queue.pop)

    def open_reveals(self, day: int) -> None:
        """Move on the rounds whose commit window is over."""
        for round_ in self.rounds:
            if round_.open_reveals(day):
                self.table["status"][round_.ids] = COMMITTED
                self.table["committed"][round_.ids] = round_.commit_until

    def draw(self, day: int) -> None:
        """Draw committees for the claims whose time has come, in rounds of one committee size."""
        ready = sorted(when for when in self.waiting if when <= day)
        due = [ids for when in ready for ids in self.waiting.pop(when)]
        if not due:
            return
        ids = np.concatenate(due)
        levels = self.table["level"][ids]
        for level in np.bincount(levels).nonzero()[0].tolist():
            self._seat(ids[levels == level], level, day)

    def _seat(self, ids: NDArray[np.int64], level: int, day: int) -> None:
        keys, claimed = self.table["key"][ids], self.table["claimed"][ids]
        staking = self.operators.staking
        seats = staking.draw(self.seating.stream, day, keys, self.seats(level))
        until = day + self.commit_days - 1
        for start in range(0, ids.size, self.round_size):
            part = slice(start, start + self.round_size)
            self.rounds.append(Round(self._serial, level, ids[part], keys[part], claimed[part], seats[part], day, until,
                                     until + self.reveal_days))
            self._serial += 1
        largest = int(claimed.argmax())
        members = seats[largest][seats[largest] >= 0]
        cost = corruption_cost(staking.stakes()[members].tolist()) if members.size else 0
        self.corruption_ratios.append(cost / int(claimed[largest]))

    def to_commit(self, day: int) -> list[Round]:
        """Rounds opened on ``day``."""
        return [round_ for round_ in self.rounds if round_.stage is Stage.COMMIT and round_.opened == day]

    def to_reveal(self, day: int) -> list[Round]:
        """Rounds whose reveals are asked for from ``day`` on."""
        return [round_ for round_ in self.rounds if round_.stage is Stage.REVEAL and round_.commit_until == day - 1]

    def commit(self, round_: Round, landed: NDArray[np.bool_], commitments: NDArray[np.uint64]) -> int:
        """Operators ``landed`` bool[operators] commit uint64[n, k] to a round; the number of commitments kept."""
        if self.ledger.in_atomic:
            self.ledger.on_rollback(round_.save_commitments())
        return round_.commit(landed, commitments)

    def reveal(
        self,
        round_: Round,
        landed: NDArray[np.bool_],
        amounts: NDArray[np.int64],
        valid: NDArray[np.bool_],
        salts: NDArray[np.uint64],
    ) -> int:
        """Operators ``landed`` reveal reports [n, k] in a round; the number that proved their commitments."""
        if self.ledger.in_atomic:
            self.ledger.on_rollback(round_.save_reports())
        return round_.reveal(self.operators.keys, landed, amounts, valid, salts)

    def close(self, day: int) -> list[Round]:
        """Take out the rounds in which nothing more can come."""
        over = [round_ for round_ in self.rounds if round_.is_over(day)]
        if over:
            self.rounds = [round_ for round_ in self.rounds if round_ not in over]
        return over

    def oldest(self, day: int) -> int:
        """Day on which the oldest claim before committees was filed; ``day`` where there is none."""
        filed = self.table["filed"]
        parts = [round_.ids for round_ in self.rounds] + [ids for queue in self.waiting.values() for ids in queue]
        return min((int(filed[ids].min()) for ids in parts if ids.size), default=day)

    def check(self) -> str | None:
        """Invariant: no claim is in two open rounds, or in one and waiting."""
        parts = [round_.ids for round_ in self.rounds] + [ids for queue in self.waiting.values() for ids in queue]
        if not parts:
            return None
        ids = np.concatenate(parts)
        doubles = ids.size - np.unique(ids).size
        return f"{doubles} claims are before two committees at once" if doubles else None
