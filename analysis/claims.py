"""How long claims wait."""

from __future__ import annotations

import pandas as pd


def waiting_days(undecided: pd.Series[float], decided: pd.Series[float], window: int = 30) -> pd.Series[float]:
    """Mean days that a filed claim waits for its decision, by day, from stocks and flows.

    Little's law over the last ``window`` days: mean number of claims that wait at the end of a day over claims decided
    a day. Exact in the long run, and a moving average while queues build up. NaN while nothing is decided.

    >>> waiting_days(pd.Series([6.0, 6.0]), pd.Series([2.0, 2.0]), window=2).iloc[-1]
    np.float64(3.0)
    """
    stock = undecided.rolling(window, min_periods=window).mean()
    flow = decided.rolling(window, min_periods=window).mean()
    return stock / flow.where(flow > 0)
