"""Reinsurance treaties as arithmetic: what of a loss is ceded, to the unit.

A treaty has one or more *layers* on one subject loss. Of a subject loss S a layer of retention r and limit l takes
min(max(S - r, 0), l); of that, the placed share is ceded. What the subject loss is, the *basis* says: all losses of
the treaty's year (quota share, which retains nothing and has no limit; stop loss), those of one insured in it (per
risk), or those of a window of some days (per event). A layer's limit is there once, and again as often as it is
*reinstated*: over the year it pays at most limit x (1 + reinstatements), and the reinstatement premium is pro rata to
the amount that was reinstated.

Losses come one by one, and what is ceded of the sum is the difference before and after, so that over a settlement the
total depends on no order, parts of a claim and its retained rest add up, and nothing is ceded twice. Rounding: ceded
amounts and commissions are floored, reinstatement premiums rounded up, all in favour of the reinsurer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import mul_div, mul_div_up

SHARE = 1_000_000
"""Denominator of shares: the whole."""

UNLIMITED = 2**62
"""A limit that is none."""

Basis = Literal["year", "risk", "event"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer; money in base units, shares in millionths. ``premium`` is what the placed share costs a year (a quota
    share costs a share of premium instead); ``reinstatements`` -1: as often as needed."""

    retention: int
    limit: int
    share: int = SHARE
    reinstatements: int = 0
    reinstatement_rate: int = SHARE
    premium: int = 0

    @property
    def annual_limit(self) -> int:
        """The most that the whole layer (placed or not) takes in a year."""
        if self.reinstatements < 0 or self.limit >= UNLIMITED:
            return UNLIMITED
        return min(self.limit * (1 + self.reinstatements), UNLIMITED)

    def reinstatement_premium(self, taken: int) -> int:
        """Premium due for what was reinstated once the layer (placed or not) has taken ``taken`` this year:
        premium x rate x reinstated / limit, rounded up."""
        if self.reinstatements <= 0 or self.limit >= UNLIMITED:
            return 0
        reinstated = min(taken, self.limit * self.reinstatements)
        return mul_div_up(self.premium * self.reinstatement_rate, reinstated, self.limit * SHARE)


@kernel
def layer_part(loss: int, retention: int, limit: int) -> int:
    """min(max(loss - retention, 0), limit)."""
    return min(max(loss - retention, 0), limit)


@kernel
def retained(loss: int, retention: int, limit: int, share: int) -> int:
    """What the cedant keeps of one loss under one layer; the compiled day (:mod:`batch`) uses it."""
    return loss - mul_div(layer_part(loss, retention, limit), share, SHARE)


@kernel
def cede_in_order(
    claims: NDArray[np.int64], places: NDArray[np.int64], used: NDArray[np.int64], terms: NDArray[np.int64],
    taken: NDArray[np.int64], parts: NDArray[np.int64],
) -> None:
    """Cede claims one after the other.

    Args:
        claims: int64[n] base units. places: int64[n], which subject loss each adds to; negative: not covered.
        used: int64[places], the subject losses so far, advanced. terms: int64[layers, 4] with retention, limit, annual
        limit and share of each layer. taken: int64[layers], what each has taken this year before its share, advanced.
        parts: int64[layers, n], written: what is ceded of each claim under each layer.
    """
    for i in range(claims.size):
        place = places[i]
        if place < 0:
            parts[:, i] = 0
            continue
        before = used[place]
        after = before + claims[i]
        used[place] = after
        for k in range(terms.shape[0]):
            part = layer_part(after, terms[k, 0], terms[k, 1]) - layer_part(before, terms[k, 0], terms[k, 1])
            part = min(part, terms[k, 2] - taken[k])
            parts[k, i] = mul_div(taken[k] + part, terms[k, 3], SHARE) - mul_div(taken[k], terms[k, 3], SHARE)
            taken[k] += part


def share_lines(amount: int, shares: list[int]) -> list[int]:
    """Split ``amount`` over lines in proportion to ``shares``, exactly, by prefix sums."""
    total, running, before = sum(shares), 0, 0
    parts = []
    for share in shares:
        running += share
        upto = mul_div(amount, running, total)
        parts.append(upto - before)
        before = upto
    return parts


def commission(premium: int, rate: int) -> int:
    """Ceding commission on ceded premium at ``rate`` in millionths, floored."""
    return mul_div(premium, rate, SHARE)
