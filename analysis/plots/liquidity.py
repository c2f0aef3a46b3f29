"""Liquidity providers: prices of shares, and how flows follow returns."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.plots.lines import spread
from analysis.plots.style import BLACK, RED, SKY, finish, percent, plain, thin, time_axis


def share_prices(axes: Axes, table: pd.DataFrame, kind: str) -> Axes:
    """Price of the pools' shares of one ``kind`` (days x pools; 1 at first): range, median, and the lowest last.

    >>> share_prices(axes, run.by_institution("insurance.share_price"), "senior").get_xlabel()
    'day'
    """
    spread(axes, table, "pool")
    lowest = table.ffill().iloc[-1].idxmin()
    values = thin(table[lowest].dropna())
    axes.plot(values.index, values, color=RED, linewidth=1.0, label=f"{str(lowest)[:12]} (lowest)")
    axes.axhline(1.0, color=BLACK, linewidth=0.8)
    time_axis(axes, int(table.index.max()) + 1)
    return finish(axes, f"Price of the {kind} shares", "USD a share that first cost 1", plain)


def flow_performance(axes: Axes, table: pd.DataFrame, window: int, groups: int = 5) -> Axes:
    """Net flow of a window against the share's return in the window before, with means of equal groups.

    ``table`` has rows of :func:`analysis.liquidity.flow_performance` with windows of ``window`` days. Means of the
    ``groups`` come with 95 % intervals (normal, rows taken as independent). Axes end at the 2 % and 98 % quantiles,
    and the legend says how many points lie beyond.

    >>> windows = pd.DataFrame({"pool": "A", "day": 30, "past_return": [0.0, 0.1], "flow": [0.0, 0.2]})
    >>> flow_performance(axes, windows, 30).get_title(loc="left")
    'Flows after returns (n = 2)'
    """
    inside = pd.Series(True, index=table.index)
    for column, limit in (("past_return", axes.set_xlim), ("flow", axes.set_ylim)):
        low, high = (float(table[column].quantile(share)) for share in (0.02, 0.98))
        room = 0.25 * (high - low) or 0.01
        limit(low - room, high + room)
        inside &= table[column].between(low - room, high + room)
    beyond = int((~inside).sum())
    axes.scatter(table.loc[inside, "past_return"], table.loc[inside, "flow"], s=9, color=SKY, linewidths=0,
                 label=f"a pool in a window ({beyond} beyond)" if beyond else "a pool in a window")
    if len(table) >= 5 * groups:
        ordered = table.sort_values(["past_return", "pool", "day"])
        parts = [ordered.iloc[part] for part in np.array_split(np.arange(len(ordered)), groups)]
        axes.errorbar([float(part["past_return"].median()) for part in parts],
                      [float(part["flow"].mean()) for part in parts],
                      yerr=[1.96 * float(part["flow"].std()) / np.sqrt(len(part)) for part in parts],
                      color=RED, marker="o", markersize=4, capsize=2, linewidth=1.2, label="mean of a fifth, 95 %")
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.set_xlabel(f"return of the senior share, {window} days before")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(percent))
    return finish(axes, f"Flows after returns (n = {len(table)})", f"net flow in {window} days / value", percent)
