"""Drawing committees: seats go to stakers one after another, without replacement, in proportion to stake.

What can never be: a staker in two seats of one committee, or a staker without eligible stake in any. The draw of a
claim is a function of the claim's permanent key and the day, so one claim more or less moves no other committee.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.kernel.compiled import kernel
from sim.kernel.draws import below, draw_bits

NOBODY = -1
"""An empty seat: fewer stakers are eligible than the committee has seats."""


def draw_seats(
    stream: np.uint64, day: int, claims: NDArray[np.uint64], weights: NDArray[np.int64], size: int
) -> NDArray[np.int32]:
    """Committees of ``size`` seats, int32[n, size].

    Each seat is drawn by inversion on the stake that is left: r uniform on 0 .. left - 1, then moved past the intervals
    of those already seated, which keeps every draw exact and bounded however unequal stakes are.

    Args:
        stream: the decision's stream of draws.
        day: day of the draw.
        claims: uint64[n] permanent keys.
        weights: int64[stakers] eligible stake, zero for those who may not be drawn; their sum must be below 2**63.
        size: seats per committee.
    """
    seats = np.full((claims.size, size), NOBODY, dtype=np.int32)
    fill_seats(stream, day, claims, weights, size, seats)
    return seats


@kernel
def fill_seats(
    stream: np.uint64, day: int, claims: NDArray[np.uint64], weights: NDArray[np.int64], size: int,
    seats: NDArray[np.int32],
) -> None:
    """The loop of :func:`draw_seats`; all of ``seats`` are empty before."""
    stakers = weights.size
    starts = np.zeros(stakers + 1, dtype=np.int64)
    for s in range(stakers):
        starts[s + 1] = starts[s] + weights[s]
    total = starts[stakers]
    buckets = 4 * stakers  # where to start looking for a point of the line of stake: usually the right interval
    scale = buckets / total if total > 0 else 0.0
    guide = np.zeros(buckets, dtype=np.int64)
    s = 0
    for b in range(buckets):
        while s < stakers - 1 and starts[s + 1] * scale <= b:
            s += 1
        guide[b] = s
    seated = np.empty(size, dtype=np.int64)  # this committee so far, by rising index
    for i in range(claims.size):
        left = total
        for j in range(size):
            if left <= 0:
                break
            place = below(draw_bits(stream, day, claims[i], j), left)
            for t in range(j):
                if place < starts[seated[t]]:
                    break
                place += weights[seated[t]]
            low = guide[min(int(place * scale), buckets - 1)]
            while starts[low] > place:  # only where rounding chose the wrong bucket
                low -= 1
            while starts[low + 1] <= place:  # ends in an interval with weight
                low += 1
            seats[i, j] = low
            left -= weights[low]
            t = j
            while t > 0 and seated[t - 1] > low:
                seated[t] = seated[t - 1]
                t -= 1
            seated[t] = low
