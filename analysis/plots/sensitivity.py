"""Pictures of sensitivity: Morris' mu* against sigma, Sobol' bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import BLUE, ORANGE, Formatter, finish, head, percent, short


def sobol_bars(axes: Axes, table: pd.DataFrame, title: str, blocks: int) -> Axes:
    """First and total indices of each parameter with their 95 % intervals, greatest above.

    ``table`` is parameters x :data:`analysis.sensitivity.SOBOL`; ``blocks`` is their number of blocks.

    Example
    -------
    >>> from analysis.plots.style import new_axes
    >>> table = pd.DataFrame([[0.6, 0.5, 0.7, 0.8, 0.7, 0.9]], index=["a.b"],
    ...                      columns=["first", "first_low", "first_high", "total", "total_low", "total_high"])
    >>> sobol_bars(new_axes()[1], table, "Cost", 64).get_xlabel()
    'share of variance; 95 % intervals, 64 blocks'
    """
    rows = table.iloc[::-1]
    places = np.arange(len(rows), dtype="float64")
    for shift, column, colour, label in ((0.19, "first", BLUE, "first order"), (-0.19, "total", ORANGE, "total")):
        axes.barh(places + shift, rows[column], height=0.36, color=colour, label=label)
        axes.hlines(places + shift, rows[f"{column}_low"], rows[f"{column}_high"], color="#333333", linewidth=1.1)
    return _across(axes, rows, title, f"share of variance; 95 % intervals, {blocks} blocks", percent)


def morris_bars(axes: Axes, table: pd.DataFrame, title: str, unit: str, trajectories: int) -> Axes:
    """mu* of each parameter with its 95 % interval, greatest above, in ``unit``.

    ``table`` is parameters x :data:`analysis.sensitivity.MORRIS`.

    Example
    -------
    >>> from analysis.plots.style import new_axes
    >>> table = pd.DataFrame([[2.0, 2.0, 1.5, 2.5, 0.3]], index=["a.b"],
    ...                      columns=["mu", "mu_star", "mu_star_low", "mu_star_high", "sigma"])
    >>> morris_bars(new_axes()[1], table, "Cost", "USD", 10).get_xlabel()
    'mu*, USD over the range; 95 % intervals, 10 trajectories'
    """
    rows = table.iloc[::-1]
    places = np.arange(len(rows), dtype="float64")
    axes.barh(places, rows["mu_star"], height=0.6, color=BLUE)
    axes.hlines(places, rows["mu_star_low"], rows["mu_star_high"], color="#333333", linewidth=1.1)
    return _across(axes, rows, title, f"mu*, {unit} over the range; 95 % intervals, {trajectories} trajectories", short)


def _across(axes: Axes, rows: pd.DataFrame, title: str, label: str, formatter: Formatter) -> Axes:
    """Names on the vertical axis, the unit on the horizontal one."""
    axes.axvline(0, color="#555555", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [str(name) for name in rows.index])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    axes.xaxis.set_major_formatter(formatter)
    handles, labels = axes.get_legend_handles_labels()
    return head(axes, title, handles, labels)


def morris_plane(axes: Axes, table: pd.DataFrame, title: str, unit: str) -> Axes:
    """sigma against mu* of each parameter: near the axis an even effect, above the line a bent or joint one.

    ``table`` is parameters x :data:`analysis.sensitivity.MORRIS`; both axes are in ``unit``.

    Example
    -------
    >>> from analysis.plots.style import new_axes
    >>> table = pd.DataFrame({"mu_star": [2.0, 0.0], "sigma": [0.3, 0.0]}, index=["a.b", "c.d"])
    >>> morris_plane(new_axes()[1], table, "Cost", "USD").get_ylabel()
    'sigma, USD'
    """
    most = 1.18 * float(max(table["mu_star"].max(), table["sigma"].max(), 1e-300))
    axes.plot([0, most], [0, most], color="#888888", linestyle="--", linewidth=0.9, label="sigma = mu*")
    axes.plot(table["mu_star"], table["sigma"], "o", color=BLUE, markersize=5)
    told = table[(table["mu_star"] > 0.03 * most) | (table["sigma"] > 0.03 * most)].head(8)
    for place, (name, row) in enumerate(told.iterrows()):
        right = row["mu_star"] > 0.6 * most
        axes.annotate(str(name), (row["mu_star"], row["sigma"]), fontsize=7.5,  # neighbours at two heights
                      xytext=(-5 if right else 5, 4 + 10 * (place % 2)),
                      textcoords="offset points", color="#333333", ha="right" if right else "left")
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    axes.set_xlabel(f"mu*, {unit}")
    axes.xaxis.set_major_formatter(short)
    return finish(axes, title, f"sigma, {unit}", short)
