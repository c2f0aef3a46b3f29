"""Who pays a premium: the patient's own part, and the sponsor's.

Firms pay a share of the premium of the employed, or the same amount whatever plan is chosen (a voucher): that share of
the lowest premium offered. For the others the government pays what the benchmark premium (the second lowest of the
pools' cheapest) exceeds a share of income, as premium tax credits do.
"""

from __future__ import annotations

import numpy as np


def split_premiums(
    rates: np.ndarray, income: np.ndarray, employed: np.ndarray, employer_share: float, affordability_cap: float,
    first: np.ndarray, flat: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Own and sponsored annual premium, each int64[options, n] base units; -1 where not offered.

    ``rates`` int64[options, n] are the full annual premiums (-1 where not offered), ``income`` int64[n] yearly;
    ``first`` int64[pools] says where each pool's options begin. ``flat``: the employer pays a voucher.
    """
    offered = rates >= 0
    asked = np.where(offered, rates, np.iinfo(np.int64).max)
    if flat:
        lowest = np.where(offered.any(axis=0), asked.min(axis=0), 0)
        employer = np.minimum(np.floor(lowest * employer_share).astype(np.int64)[None, :], rates)
    else:
        employer = np.floor(rates * employer_share).astype(np.int64)
    ordered = np.sort(np.minimum.reduceat(asked, first, axis=0), axis=0)
    count = np.logical_or.reduceat(offered, first, axis=0).sum(axis=0)
    benchmark = np.take_along_axis(ordered, np.clip(np.minimum(1, count - 1), 0, None)[None, :], axis=0)[0]
    credit = np.maximum(np.where(count > 0, benchmark, 0) - np.floor(income * affordability_cap).astype(np.int64), 0)
    sponsored = np.where(employed[None, :], employer, np.minimum(credit[None, :], np.maximum(rates, 0)))
    sponsored = np.where(offered, sponsored, 0)
    own = np.where(offered, rates - sponsored, -1)
    return own, sponsored
