"""Development of claims by accident period, and reserves held against the chain ladder."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import BLUE, GREY, ORANGE, RED, finish, percent, short, time_axis
from analysis.triangles import chain_ladder

PERIODS = 7
"""Development periods that are drawn: care is billed and paid within weeks."""


def development(axes: Axes, paid: pd.DataFrame, incurred: pd.DataFrame, unit: str) -> Axes:
    """Shares of the chain-ladder ultimate of incurred claims that were reported and paid, by development period: a
    thin line for each accident period, a strong one for all together (cumulative USD triangles).

    ``paid`` and ``incurred`` are accident periods x development periods, USD.

    >>> paid, incurred = (pd.DataFrame([[first, 2.0], [first, np.nan]]) for first in (1.0, 2.0))
    >>> development(axes, paid, incurred, "month").get_ylabel()
    'share of ultimate'
    """
    ultimate = chain_ladder(incurred)["ultimate"].to_numpy()
    for triangle, colour, label in ((incurred, BLUE, "incurred"), (paid, ORANGE, "paid")):
        values = triangle.to_numpy(dtype="float64")[:, :PERIODS]
        for row, whole in zip(values, ultimate, strict=True):
            if whole > 0.0 and np.isfinite(row).sum() > 1:
                axes.plot(np.arange(row.size), row / whole, color=colour, linewidth=0.5, alpha=0.35)
        known = [np.isfinite(values[:, d]) & (ultimate > 0.0) for d in range(values.shape[1])]
        shares = [values[rows, d].sum() / ultimate[rows].sum() if rows.any() else np.nan
                  for d, rows in enumerate(known)]
        axes.plot(np.arange(len(shares)), shares, color=colour, marker="o", markersize=3, label=label)
    axes.set_xlabel(f"{unit}s after the accident {unit}")
    axes.set_xticks(range(min(incurred.shape[1], PERIODS)))
    axes.set_ylim(0, max(1.1, axes.get_ylim()[1]))
    return finish(axes, "Development of claims", "share of ultimate", percent)


def reserves(axes: Axes, table: pd.DataFrame) -> Axes:
    """Bars of IBNR by chain ladder and as held, USD, one pair a pool (rows of ``table`` but "all pools").

    >>> reserves(axes, pd.DataFrame({"IBNR by chain ladder": [1.0], "IBNR held": [1.5]}, index=["EAST"])).get_ylabel()
    'USD'
    """
    pools = table.drop(index="all pools", errors="ignore").astype(float)
    places = np.arange(len(pools), dtype="float64")
    for shift, column, colour, label in ((-0.2, "IBNR by chain ladder", GREY, "chain ladder"),
                                         (0.2, "IBNR held", BLUE, "held")):
        axes.bar(places + shift, pools[column].fillna(0.0), width=0.38, color=colour, label=label)
    axes.axhline(0, color="#555555", linewidth=0.8)
    every = max(1, -(-len(pools) // 12))
    axes.set_xticks(places[::every], [str(name)[:8] for name in pools.index[::every]])
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("pool")
    return finish(axes, "IBNR held against chain ladder", "USD", short)


def run_off(axes: Axes, expected: pd.Series[float], actual: pd.Series[float], days: int) -> Axes:
    """Expected and actual growth of past months' claims in the last whole month, USD by day.

    >>> run_off(axes, pd.Series([1.0, 1.0]), pd.Series([1.0, 2.0]), 2).get_ylabel()
    'USD in a month'
    """
    for values, colour, label, style in ((expected, GREY, "expected", "--"), (actual, RED, "actual", "-")):
        axes.plot(values.index, values, color=colour, linestyle=style, label=label, drawstyle="steps-post")
    time_axis(axes, days)
    return finish(axes, "Run-off of past months", "USD in a month", short)
