"""Liquidity providers' side of the pools: returns of shares, flows, and how flows answer to returns."""

from __future__ import annotations

import numpy as np
import pandas as pd


def implied_flows(value: pd.DataFrame, price: pd.DataFrame) -> pd.DataFrame:
    """Net money that came into each pool each day, USD; ``value`` (USD) and ``price`` of its shares, days x pools.

    flow_t = value_t - value_(t-1) * price_t / price_(t-1), the definition used for investment funds (Sirri and
    Tufano 1998, Journal of Finance 53): what the change of the share's price does not explain.

    >>> implied_flows(pd.DataFrame({"A": [100.0, 120.0]}), pd.DataFrame({"A": [1.0, 1.1]})).round(6)["A"].iloc[-1]
    np.float64(10.0)
    """
    growth = price / price.shift().where(price.shift() > 0)
    return value - value.shift() * growth


def flow_performance(value: pd.DataFrame, price: pd.DataFrame, window: int = 30) -> pd.DataFrame:
    """How flows follow returns: one row for each pool and window of ``window`` days but the first.

    Columns ``pool``, ``day`` (first of the window), ``past_return`` (of the share over the window before) and ``flow``
    (net flow in the window over the value at its start). ``value`` (USD) and ``price``: days x pools.

    >>> flow_performance(run.by_institution("insurance.senior"), run.by_institution("insurance.share_price")).shape
    (10, 4)
    """
    flows = implied_flows(value, price)
    rows: list[dict[str, object]] = []
    first = int(price.index.min())
    for start in range(first + window, int(price.index.max()) + 2 - window, window):
        before, opening = price.loc[start - window], price.loc[start - 1]
        inflow = flows.loc[start:start + window - 1].sum(min_count=1)
        held = value.loc[start - 1]
        rows += [{"pool": pool, "day": start, "past_return": opening[pool] / before[pool] - 1.0,
                  "flow": inflow[pool] / held[pool]}
                 for pool in price.columns if before[pool] > 0 and held[pool] > 0 and np.isfinite(inflow[pool])]
    return pd.DataFrame(rows, columns=["pool", "day", "past_return", "flow"])


def annual_return(value: pd.DataFrame, price: pd.DataFrame, window: int = 90) -> pd.Series[float]:
    """Return of all shares together over the last ``window`` days, per year (simple, 365 days), by day.

    Each day's returns of the pools are weighted by the value at its start. ``value`` (USD), ``price``: days x pools.

    >>> price = pd.DataFrame({"A": [1.0, 1.001, 1.002001]})
    >>> annual_return(price, price, window=2).round(3).iloc[-1]
    np.float64(0.365)
    """
    held = value.shift()
    daily = price / price.shift().where(price.shift() > 0) - 1.0
    weights = held.where(daily.notna())
    total = (daily * weights).sum(axis=1, min_count=1) / weights.sum(axis=1).where(lambda sums: sums > 0)
    return total.rolling(window, min_periods=window).mean() * 365.0
