"""The governance token: who gets the 100 million GOV, and when.

Holds no state: these are the schedules that the governance contract follows when it releases tokens from its
vesting and reward accounts, and the shares by which the community's part is handed out at the start.
What can never be: more released than the schedule allows. Rounding: releases are floored, in favour of the accounts
that still hold the unreleased tokens; every part of the genesis sums to the whole, to the unit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

BPS = 10_000


def genesis(supply: int, shares_bps: Mapping[str, int]) -> dict[str, int]:
    """Split ``supply`` base units by basis points that sum to 10,000; the last part takes the dust."""
    if sum(shares_bps.values()) != BPS:
        raise ValueError(f"genesis shares sum to {sum(shares_bps.values())} bps, not {BPS}")
    parts = {name: supply * bps // BPS for name, bps in shares_bps.items()}
    last = next(reversed(parts))
    parts[last] += supply - sum(parts.values())
    return parts


def vested(total: int, day: int, vesting_days: int) -> int:
    """Base units of ``total`` released by the end of ``day`` under linear vesting over ``vesting_days``."""
    return total * min(max(day, 0), vesting_days) // vesting_days


def emitted(total: int, day: int, halving_days: int) -> int:
    """Base units of ``total`` emitted by the end of ``day`` when the rate halves every ``halving_days``.

    The k-th period emits total / 2^(k+1), evenly over its days; the whole is never quite reached.
    """
    if day <= 0:
        return 0
    periods, days = divmod(day, halving_days)
    rest = total >> periods
    return total - rest + (rest // 2) * days // halving_days


def concentrated_holdings(pot: int, top: int, top_share: float, ranks: NDArray[np.float64]) -> NDArray[np.int64]:
    """Share ``pot`` base units so that the ``top`` first holders own ``top_share`` of it.

    The first ``top`` get Zipf shares (rank r gets a share proportional to 1/r); the others share the rest in
    proportion to ``ranks`` (positive sizes, one per other holder), none above the smallest of the first.
    Sums to ``pot`` exactly; the dust goes to the first holder. Returns int64[top + len(ranks)], base units.
    """
    if top < 1:
        raise ValueError("a concentrated distribution needs at least one top holder")
    zipf = 1.0 / np.arange(1, top + 1)
    if ranks.size == 0:
        top_share = 1.0
    first = top_share * zipf / zipf.sum()
    others = _capped(ranks, 1.0 - top_share, first[-1])
    holdings = np.floor(np.concatenate([first, others]) * float(pot)).astype(np.int64)
    # the dust may be negative by a few units in 10^14 where the float shares sum to just above one
    holdings[0] += pot - int(holdings.sum())
    return holdings


def _capped(sizes: NDArray[np.float64], whole: float, cap: float) -> NDArray[np.float64]:
    """Shares proportional to ``sizes`` summing to ``whole``, none above ``cap`` (as far as ``cap`` lets the sum go)."""
    if sizes.size == 0:
        return sizes
    shares = whole * sizes / sizes.sum()
    if cap * sizes.size <= whole:
        return np.full(sizes.size, whole / sizes.size)
    for _ in range(sizes.size):
        over = shares > cap
        if not over.any():
            break
        shares[over] = cap
        free = shares < cap
        shares[free] *= (whole - cap * (sizes.size - int(free.sum()))) / shares[free].sum()
    return shares
