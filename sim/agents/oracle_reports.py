"""What operators report on the claims they are drawn for: the truth, or an error, or a copy of somebody's report.

A draw belongs to a claim, or to a pair of claim and operator, by their permanent keys: one more claim or operator
changes no other report. What everybody sees of a claim is one uniform; an operator follows it with probability
sqrt(correlation), or looks for itself, and is right when the uniform lies below its accuracy. Those who are misled by
what everybody sees make the same error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.contracts.oracle_committee.commitment import commitment_of, pair_key
from sim.kernel.compiled import kernel
from sim.kernel.draws import draw_bits, hits, lognormal, to_unit

_UNIFORM, _KIND, _AMOUNT, _FOLLOW = 0, 1, 2, 3
"""Serials of the draws of one claim or pair."""


@kernel
def form_reports(
    stream: np.uint64,
    day: int,
    claims: NDArray[np.uint64],
    seats: NDArray[np.int32],
    operators: NDArray[np.uint64],
    accuracy: NDArray[np.float64],
    copies: NDArray[np.bool_],
    present: NDArray[np.bool_],
    due: NDArray[np.int64],
    claimed: NDArray[np.int64],
    follow: float,
    invalid_share: float,
    amount_sd: float,
    amounts: NDArray[np.int64],
    valid: NDArray[np.bool_],
) -> None:
    """Write the reports [n, k] of those present; empty and absent seats are left as they are.

    Args:
        stream, day: of the decision to draw from.
        claims: uint64[n] permanent keys; ``due`` int64[n] what is truly due on them (0: nothing, the claim is invalid),
            ``claimed`` int64[n].
        seats: int32[n, k]. operators, accuracy, copies, present: per operator.
        follow: probability of going by what everybody sees.
        invalid_share: share of errors on a valid claim that call it invalid; the others misjudge its amount by a
            lognormal factor of median 1 and log-deviation ``amount_sd``. An error on an invalid claim finds it valid,
            as claimed.
        amounts, valid: written.
    """
    size = seats.shape[1]
    for i in range(claims.size):
        shared = to_unit(draw_bits(stream, day, claims[i], _UNIFORM))
        lead = -1
        for turn in range(2):  # those who look for themselves first, then those who copy the first of them
            for j in range(size):
                operator = seats[i, j]
                if operator < 0 or not present[operator] or copies[operator] != (turn == 1):
                    continue
                if turn == 1 and lead >= 0:
                    amounts[i, j] = amounts[i, lead]
                    valid[i, j] = valid[i, lead]
                    continue
                if lead < 0:
                    lead = j
                key = pair_key(claims[i], operators[operator])
                follows = hits(draw_bits(stream, day, key, _FOLLOW), follow)
                seen = shared if follows else to_unit(draw_bits(stream, day, key, _UNIFORM))
                valid[i, j] = due[i] > 0
                amounts[i, j] = due[i]
                if seen < accuracy[operator]:
                    continue
                source = claims[i] if follows else key
                if due[i] <= 0:
                    valid[i, j] = True
                    amounts[i, j] = claimed[i]
                elif hits(draw_bits(stream, day, source, _KIND), invalid_share):
                    valid[i, j] = False
                    amounts[i, j] = 0
                else:
                    factor = lognormal(to_unit(draw_bits(stream, day, source, _AMOUNT)), 0.0, amount_sd)
                    amounts[i, j] = np.int64(due[i] * factor)


@kernel
def seal_reports(
    stream: np.uint64,
    day: int,
    claims: NDArray[np.uint64],
    seats: NDArray[np.int32],
    operators: NDArray[np.uint64],
    present: NDArray[np.bool_],
    amounts: NDArray[np.int64],
    valid: NDArray[np.bool_],
    salts: NDArray[np.uint64],
    commitments: NDArray[np.uint64],
) -> None:
    """Write a salt and the commitment [n, k] to each report of those present; zero elsewhere."""
    for i in range(claims.size):
        for j in range(seats.shape[1]):
            operator = seats[i, j]
            if operator >= 0 and present[operator]:
                key = operators[operator]
                salts[i, j] = draw_bits(stream, day, pair_key(claims[i], key), 0)
                commitments[i, j] = commitment_of(claims[i], key, amounts[i, j], valid[i, j], salts[i, j])
            else:
                salts[i, j] = np.uint64(0)
                commitments[i, j] = np.uint64(0)
