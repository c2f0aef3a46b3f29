"""What a lending market's series tell together: collateral over debt, and how many lots went for nothing."""

from __future__ import annotations

import pandas as pd

from analysis.load import Run


def collateral_ratio(run: Run) -> pd.Series[float] | None:
    """Collateral of borrowers over their debt at the contract's prices, a ratio by day; days without debt are left
    out, None where there are fewer than two others.

    >>> collateral_ratio(run) is None  # a run without a lending market
    True
    """
    debt, collateral = run.series("lending.debt"), run.series("lending.collateral")
    if debt is None or collateral is None:
        return None
    ratio = (collateral / debt.where(debt > 0)).dropna()
    return ratio if len(ratio) > 1 else None


def zero_bid_share(settled: pd.Series[float], zero_bids: pd.Series[float]) -> pd.Series[float]:
    """Share of the lots settled so far that went for at most 1 per cent of the sum wanted, by day, from the first
    settled lot on; arguments are numbers of lots so far, by day.

    >>> zero_bid_share(pd.Series([0.0, 4.0]), pd.Series([0.0, 1.0])).tolist()
    [0.25]
    """
    return (zero_bids / settled.where(settled > 0)).dropna()
