"""Who pays a premium: the patient's own part, and the sponsor's.

Firms pay a share of the premium of the employed. For the others the government pays what the benchmark premium (the
second lowest offered) exceeds a share of income, as premium tax credits do.
"""

from __future__ import annotations

import numpy as np


def split_premiums(
    rates: np.ndarray, income: np.ndarray, employed: np.ndarray, employer_share: float, affordability_cap: float
) -> tuple[np.ndarray, np.ndarray]:
    """Own and sponsored annual premium, each int64[pools, n] base units; -1 where a pool offers none.

    ``rates`` int64[pools, n] are the full annual premiums (-1 where not offered), ``income`` int64[n] yearly.
    """
    offered = rates >= 0
    employer = np.floor(rates * employer_share).astype(np.int64)
    ordered = np.sort(np.where(offered, rates, np.iinfo(np.int64).max), axis=0)
    count = offered.sum(axis=0)
    benchmark = np.take_along_axis(ordered, np.clip(np.minimum(1, count - 1), 0, None)[None, :], axis=0)[0]
    credit = np.maximum(np.where(count > 0, benchmark, 0) - np.floor(income * affordability_cap).astype(np.int64), 0)
    sponsored = np.where(employed[None, :], employer, np.minimum(credit[None, :], np.maximum(rates, 0)))
    sponsored = np.where(offered, sponsored, 0)
    own = np.where(offered, rates - sponsored, -1)
    return own, sponsored
