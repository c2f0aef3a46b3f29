"""The committee's decision on each claim: majority validity, then the median of the amounts that the majority found.

What can never be: an approval above what was claimed, or by fewer votes than the rule asks; a reporter held both right
and wrong on one claim. Rounding: the median of an even number of reports is the upper middle one, as in offchain
reporting; the tolerance around it is floored, against the deviator. A tie, or no side with enough votes, decides
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.contracts.oracle_committee.rules import ApprovalRule
from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import BPS

DENY, APPROVE, SPLIT, NO_QUORUM = 0, 1, 2, 3
"""Outcomes of a round."""

EMPTY, COHERENT, DEVIATING, ABSENT, IDLE = 0, 1, 2, 3, 4
"""What a round says of a seat: not filled; with the majority; against it or far from the median; no valid reveal;
revealed in a round without decision."""


@dataclass(frozen=True, slots=True)
class CommitteeRules:
    """Parameters of a decision. Basis points, so that a rule is a whole number on a chain."""

    quorum_bps: int = 6_000
    approval: ApprovalRule = "simple"
    amount_tolerance_bps: int = 500


@dataclass(frozen=True, slots=True)
class Decisions:
    """outcome int8[n], approved amount int64[n], verdict on each seat int8[n, k]."""

    outcome: NDArray[np.int8]
    approved: NDArray[np.int64]
    verdicts: NDArray[np.int8]


@kernel
def decide_batch(
    seats: NDArray[np.int32],
    revealed: NDArray[np.bool_],
    amounts: NDArray[np.int64],
    valid: NDArray[np.bool_],
    claimed: NDArray[np.int64],
    quorum_bps: int,
    two_thirds: bool,
    tolerance_bps: int,
    outcome: NDArray[np.int8],
    approved: NDArray[np.int64],
    verdicts: NDArray[np.int8],
) -> None:
    """Decide n claims with k seats each; the last three arrays are written. See :func:`decide`."""
    claims, size = seats.shape
    found = np.empty(size, dtype=np.int64)
    for i in range(claims):
        filled = 0
        voters = 0
        yes = 0
        for j in range(size):
            if seats[i, j] < 0:
                continue
            filled += 1
            verdicts[i, j] = ABSENT
            if revealed[i, j]:
                verdicts[i, j] = IDLE
                voters += 1
                if valid[i, j]:
                    t = yes  # insertion sort: committees are small
                    while t > 0 and found[t - 1] > amounts[i, j]:
                        found[t] = found[t - 1]
                        t -= 1
                    found[t] = amounts[i, j]
                    yes += 1
        if voters == 0 or voters * BPS < quorum_bps * filled:
            outcome[i] = NO_QUORUM
            continue
        needed = (2 * voters + 2) // 3 if two_thirds else voters // 2 + 1
        if yes >= needed:
            median = found[yes // 2]
            band = median // BPS * tolerance_bps + median % BPS * tolerance_bps // BPS
            approved[i] = min(median, claimed[i])
            outcome[i] = APPROVE if approved[i] > 0 else DENY
            for j in range(size):
                if verdicts[i, j] == IDLE:
                    near = valid[i, j] and abs(amounts[i, j] - median) <= band
                    verdicts[i, j] = COHERENT if near else DEVIATING
        elif voters - yes >= needed:
            outcome[i] = DENY
            for j in range(size):
                if verdicts[i, j] == IDLE:
                    verdicts[i, j] = DEVIATING if valid[i, j] else COHERENT
        else:
            outcome[i] = SPLIT


def decide(
    seats: NDArray[np.int32],
    revealed: NDArray[np.bool_],
    amounts: NDArray[np.int64],
    valid: NDArray[np.bool_],
    claimed: NDArray[np.int64],
    rules: CommitteeRules,
) -> Decisions:
    """Decide a batch of claims.

    A quorum of the filled seats must have revealed. Validity goes by majority of those who revealed (more than half,
    or two thirds); the amount is the upper median of the reports of those who found the claim valid, capped by what
    was claimed. A report counts as coherent when it is on the winning side and, for an approval, within the tolerance
    of the median.

    Args:
        seats, revealed, amounts, valid: [n, k]; ``amounts`` in base units, below 2**63 / 10^4.
        claimed: int64[n] base units.
    """
    claims = claimed.size
    outcome = np.empty(claims, dtype=np.int8)
    approved = np.zeros(claims, dtype=np.int64)
    verdicts = np.zeros(seats.shape, dtype=np.int8)
    decide_batch(seats, revealed, amounts, valid, claimed, rules.quorum_bps, rules.approval == "two_thirds",
                 rules.amount_tolerance_bps, outcome, approved, verdicts)
    return Decisions(outcome, approved, verdicts)
