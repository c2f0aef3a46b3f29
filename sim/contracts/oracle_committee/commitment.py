"""Commitments: a 64-bit hash of a report and its salt, bound to one claim and one reporter.

A reporter publishes the hash first and the report later; a report that does not give back the hash is refused, so
nobody can copy what others reported or change its mind after seeing them. Chains use 256 bits; 64 are enough here,
where no simulated agent searches for collisions, and keep a day of votes in one word each. Zero means "none".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.kernel.compiled import kernel
from sim.kernel.draws import mix64

NO_COMMITMENT = np.uint64(0)

_ONE = np.uint64(1)
_CLAIM = np.uint64(0x9E3779B97F4A7C15)


@kernel
def pair_key(claim: np.uint64, reporter: np.uint64) -> np.uint64:
    """Permanent key of one reporter's vote on one claim."""
    return mix64(mix64(claim + _CLAIM) ^ reporter)


@kernel
def commitment_of(claim: np.uint64, reporter: np.uint64, amount: int, valid: bool, salt: np.uint64) -> np.uint64:
    """Hash of (claim, reporter, amount, validity, salt); never :data:`NO_COMMITMENT`."""
    word = mix64(pair_key(claim, reporter) ^ np.uint64(amount))
    word = mix64(mix64(word + (_ONE if valid else NO_COMMITMENT)) ^ salt)
    return word if word != NO_COMMITMENT else _ONE


@kernel
def store_commitments(
    seats: NDArray[np.int32], landed: NDArray[np.bool_], given: NDArray[np.uint64], stored: NDArray[np.uint64]
) -> int:
    """Keep in ``stored`` the commitments of seats whose holder's transaction landed; the first one given stands.

    Args:
        seats: int32[n, k] reporters, -1 where a seat is empty.
        landed: bool[reporters].
        given: uint64[n, k]; zero where the holder commits to nothing.
        stored: uint64[n, k], written.

    Returns the number of commitments kept.
    """
    kept = 0
    for i in range(seats.shape[0]):
        for j in range(seats.shape[1]):
            reporter = seats[i, j]
            if reporter >= 0 and landed[reporter] and stored[i, j] == NO_COMMITMENT and given[i, j] != NO_COMMITMENT:
                stored[i, j] = given[i, j]
                kept += 1
    return kept


@kernel
def store_reveals(
    claims: NDArray[np.uint64],
    reporters: NDArray[np.uint64],
    seats: NDArray[np.int32],
    landed: NDArray[np.bool_],
    commitments: NDArray[np.uint64],
    given_amounts: NDArray[np.int64],
    given_valid: NDArray[np.bool_],
    salts: NDArray[np.uint64],
    amounts: NDArray[np.int64],
    valid: NDArray[np.bool_],
    revealed: NDArray[np.bool_],
) -> int:
    """Accept the reports of seats whose holder's transaction landed and whose hash is the one committed to.

    Arrays are [n, k] but for ``claims`` uint64[n] and ``reporters`` uint64[reporters], their permanent keys. The last
    three are written. A second reveal, one without a commitment, a negative amount or a wrong hash changes nothing.

    Returns the number of reports accepted.
    """
    accepted = 0
    for i in range(seats.shape[0]):
        for j in range(seats.shape[1]):
            reporter = seats[i, j]
            if reporter < 0 or not landed[reporter] or revealed[i, j] or commitments[i, j] == NO_COMMITMENT:
                continue
            if given_amounts[i, j] < 0:
                continue
            proof = commitment_of(claims[i], reporters[reporter], given_amounts[i, j], given_valid[i, j], salts[i, j])
            if proof == commitments[i, j]:
                amounts[i, j] = given_amounts[i, j]
                valid[i, j] = given_valid[i, j]
                revealed[i, j] = True
                accepted += 1
    return accepted
