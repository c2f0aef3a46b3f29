"""What a decision costs and earns its reporters: deviators and absentees lose stake, the majority shares it.

What can never be: more given than taken (lost == shared + rest, to the unit), or a stake below zero. A penalty that
exceeds what a reporter has left takes all of it. The pot of a claim is shared among its coherent seats in proportion
to what each had at stake, exactly; without any coherent seat it is the rest, which is nobody's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.contracts.oracle_committee.decision import ABSENT, COHERENT, DEVIATING, EMPTY
from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import mul_div


@dataclass(slots=True)
class Tally:
    """Sums per reporter over the rounds of a day, int64[reporters] each, and the rest that nobody may claim."""

    lost: NDArray[np.int64]
    shared: NDArray[np.int64]
    coherent: NDArray[np.int64]
    deviating: NDArray[np.int64]
    absent: NDArray[np.int64]
    rest: int = 0

    @classmethod
    def empty(cls, reporters: int) -> Tally:
        """All zero."""
        zeros = np.zeros((5, reporters), dtype=np.int64)
        return cls(zeros[0], zeros[1], zeros[2], zeros[3], zeros[4])


@kernel
def tally_seats(
    claims: NDArray[np.uint64],
    seats: NDArray[np.int32],
    verdicts: NDArray[np.int8],
    at_stake: NDArray[np.int64],
    stakes: NDArray[np.int64],
    share_losses: bool,
    lost: NDArray[np.int64],
    shared: NDArray[np.int64],
    coherent: NDArray[np.int64],
    deviating: NDArray[np.int64],
    absent: NDArray[np.int64],
) -> int:
    """Add one round to the tally; the last five arrays are written. Returns the rest. See :func:`add_round`."""
    rest = 0
    size = seats.shape[1]
    for i in range(seats.shape[0]):
        pot = 0
        winners = 0
        weight = 0
        for j in range(size):
            verdict = verdicts[i, j]
            if verdict == EMPTY:
                continue
            reporter = seats[i, j]
            if verdict == COHERENT:
                coherent[reporter] += 1
                winners += 1
                weight += at_stake[reporter]
            elif verdict in (DEVIATING, ABSENT):
                if verdict == DEVIATING:
                    deviating[reporter] += 1
                else:
                    absent[reporter] += 1
                taken = min(at_stake[reporter], stakes[reporter] - lost[reporter])
                lost[reporter] += taken
                pot += taken
        if pot == 0:
            continue
        if winners == 0 or not share_losses:
            rest += pot
            continue
        # The order in which units of rounding fall starts at a seat given by the claim's key.
        start = np.int64(claims[i] % np.uint64(size))
        running = 0
        paid = 0
        for step in range(size):
            j = (start + step) % size
            if verdicts[i, j] == COHERENT:
                reporter = seats[i, j]
                running += at_stake[reporter] if weight > 0 else 1
                upto = mul_div(pot, running, weight if weight > 0 else winners)
                shared[reporter] += upto - paid
                paid = upto
    return rest


def add_round(
    tally: Tally,
    claims: NDArray[np.uint64],
    seats: NDArray[np.int32],
    verdicts: NDArray[np.int8],
    at_stake: NDArray[np.int64],
    stakes: NDArray[np.int64],
    share_losses: bool = True,
) -> None:
    """Add a round's losses, shares and counts to ``tally``.

    Args:
        claims: uint64[n] permanent keys.
        seats, verdicts: [n, k].
        at_stake: int64[reporters] base units at stake per seat.
        stakes: int64[reporters] base units that each had before the first round of the day; with those already lost
            according to the tally taken off, nothing can be taken twice.
        share_losses: whether coherent seats share what was lost; otherwise all of it is rest.
    """
    tally.rest += int(tally_seats(claims, seats, verdicts, at_stake, stakes, share_losses, tally.lost, tally.shared,
                                  tally.coherent, tally.deviating, tally.absent))
