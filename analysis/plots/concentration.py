"""Concentration: Lorenz curve, and power against votes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike

from analysis.concentration import gini, herfindahl, lorenz, nakamoto
from analysis.plots.style import BLUE, GREY, ORANGE, SKY, finish, percent


def lorenz_curve(axes: Axes, weights: ArrayLike, what: str = "votes") -> Axes:
    """Share of ``what`` held by the smallest holders, with Gini, HHI and Nakamoto coefficient; ``weights`` [holders].

    >>> lorenz_curve(axes, [1, 2, 3, 4]).get_title(loc="left")
    'Concentration of votes (n = 4)'
    """
    values = np.asarray(weights, dtype=np.float64)
    table = lorenz(values)
    axes.fill_between(table["holders"], table["held"], table["holders"], color=SKY, alpha=0.25, linewidth=0)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle="--", label="equal")
    axes.plot(table["holders"], table["held"], color=BLUE, label="seen")
    axes.text(0.04, 0.95, f"Gini {gini(values):.3f}\nHHI {herfindahl(values):.3f}\n"
              f"Nakamoto {nakamoto(values)} (> 1/2), {nakamoto(values, 0.33)} (> 33 %)", transform=axes.transAxes,
              va="top", fontsize=8, linespacing=1.5)
    axes.set_xlim(0, 1.04)
    axes.set_ylim(0, 1.01)
    axes.set_xlabel("share of holders, smallest first")
    axes.xaxis.set_major_formatter(FuncFormatter(percent))
    return finish(axes, f"Concentration of {what} (n = {values.size})", f"share of {what}", percent)


def power(axes: Axes, table: pd.DataFrame, quota: str) -> Axes:
    """Votes, Shapley-Shubik and Banzhaf index of each voter, largest first; ``table`` is that of
    :func:`analysis.concentration.power_table`, ``quota`` says what passes, such as "> 50 %".

    >>> power(axes, power_table(["a", "b", "c"], [50, 49, 1]), "> 50 %").get_ylabel()
    'share of votes, of power'
    """
    places = np.arange(len(table), dtype="float64")
    for shift, column, colour, label in ((-0.27, "votes", GREY, "votes"), (0.0, "shapley_shubik", BLUE,
                                         "Shapley-Shubik"), (0.27, "banzhaf", ORANGE, "Banzhaf")):
        axes.bar(places + shift, table[column], width=0.25, color=colour, label=label)
    axes.set_xticks(places, [str(name)[:14] for name in table.index])
    if len(table) > 8:
        for name in axes.get_xticklabels():
            name.set(rotation=35, ha="right", rotation_mode="anchor")
    else:
        axes.set_xlabel("voter")
    axes.grid(visible=False, axis="x")
    return finish(axes, f"Power of voters, {quota} passes (n = {len(table)})", "share of votes, of power", percent)
