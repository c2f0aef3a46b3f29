"""Providing liquidity: return against impermanent loss, and depth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from analysis.market_making import impermanent_loss
from analysis.plots.style import BLACK, COLOURS, RED, finish, percent, plain, short


def return_against_loss(axes: Axes, table: pd.DataFrame) -> Axes:
    """Value of the opening position over holding against the price's move, with the loss without fees as the line
    2 sqrt(r) / (1 + r) - 1. ``table`` is that of :func:`analysis.market_making.lp_returns`; a point a day.

    >>> days = pd.DataFrame({"ratio": [1.0, 1.2], "over_hold": [0.0, 0.01]})
    >>> return_against_loss(axes, days).get_ylabel()
    'value over holding'
    """
    low, high = float(table["ratio"].min()), float(table["ratio"].max())
    ratios = np.geomspace(min(low, 1.0) / 1.08, max(high, 1.0) * 1.08, 200)
    axes.plot(ratios, impermanent_loss(ratios), color=RED, label="loss without fees")
    axes.scatter(table["ratio"], table["over_hold"], c=table.index, cmap="cividis", s=7, linewidths=0,
                 label=f"with fees, n = {len(table):,} days (light: late)")
    axes.axhline(0, color="#555555", linewidth=0.8)
    first, last = int(table.index.min()), int(table.index.max())
    for day, below in ((first, True), (last, False)):
        axes.annotate(f"day {day}", (table["ratio"][day], table["over_hold"][day]), xytext=(0, -12 if below else 5),
                      fontsize=7, textcoords="offset points", color="#333333", ha="center")
    axes.margins(y=0.12)
    axes.set_xscale("log")
    ticks = [tick for tick in (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5, 2, 3, 5, 10)
             if ratios[0] <= tick <= ratios[-1]]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("price / opening price")
    return finish(axes, "Return of providing liquidity", "value over holding", percent)


def depth(axes: Axes, curves: Mapping[int, pd.DataFrame]) -> Axes:
    """Cash that moves the price by so much, a line for each day; ``curves`` are those of
    :func:`analysis.market_making.depth_curves` (day -> table).

    >>> depth(axes, {0: depth_curve(1000.0, 4.0)}).get_xlabel()
    'move of the price'
    """
    for place, (colour, (day, table)) in enumerate(zip(COLOURS, curves.items(), strict=False)):
        axes.plot(table["move"], table["cash"], color=colour, label=f"day {day}",
                  linestyle=("-", "--", ":", "-.")[place % 4], linewidth=2.2 - 0.4 * min(place, 3))
    axes.axhline(0, color=BLACK, linewidth=0.8)
    axes.axvline(0, color=BLACK, linewidth=0.8)
    axes.set_xlabel("move of the price")
    axes.xaxis.set_major_formatter(FuncFormatter(percent if curves else plain))
    return finish(axes, "Depth of the pool", "USD paid in (taken out: < 0)", short)
