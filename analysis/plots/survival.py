"""Survival of pools: Kaplan-Meier curves with their intervals, and the numbers at risk below."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import COLOURS, finish, percent
from analysis.survival import at_risk

MARGINS = (1.25, 0.2, 1.0, 0.34)
"""Inches left, right, below and above the axes that leave room for two rows of numbers at risk."""


def survival(axes: Axes, tables: Mapping[str, pd.DataFrame], subject: str = "pool") -> Axes:
    """One step curve for each table of :func:`analysis.survival.kaplan_meier` (name -> table) with its pointwise 95 %
    interval, censored subjects as ticks, and under the axis the number of subjects at risk. Use :data:`MARGINS`.

    >>> survival(axes, {"main": kaplan_meier([1, 2, 2, 3], [True, True, False, True])}).get_xlabel()
    'day'
    """
    last = max(float(table.index.max()) for table in tables.values())
    for colour, (name, table) in zip(COLOURS, tables.items(), strict=False):
        n = int(table["at_risk"].iloc[0])
        ended = f", {int(table['events'].sum())} ended" if len(tables) < 3 else ""
        known = table[table["low"].notna()]
        axes.fill_between(known.index, known["low"], known["high"], step="post", color=colour, alpha=0.16, linewidth=0)
        axes.step(table.index, table["survival"], where="post", color=colour,
                  label=f"{name}, n = {n}{ended}")
        ticks = table[table["censored"] > 0]
        axes.plot(ticks.index, ticks["survival"], linestyle="", marker="|", markersize=5, color=colour)
    axes.set_xlim(0, last * 1.01)
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("day")
    days = [float(day) for day in axes.get_xticks() if 0 <= day <= last]
    axes.set_xticks(days)
    under = axes.get_xaxis_transform()
    height = _inches(axes)
    axes.annotate("at risk", (0.0, 0.0), xycoords="axes fraction", xytext=(-16, -38), textcoords="offset points",
                  fontsize=7.5, ha="right", color="#444444", weight="bold")
    for row, (colour, (name, table)) in enumerate(zip(COLOURS, tables.items(), strict=False)):
        place = -(51 + 11 * row) / 72 / height
        axes.text(-16 / 72 / _inches(axes, width=True), place, str(name)[:18], transform=axes.transAxes, fontsize=7.5,
                  ha="right", color=colour)
        for day, count in zip(days, at_risk(table, days), strict=True):
            axes.text(day, place, f"{count}", transform=under, fontsize=7.5, ha="center", color=colour)
    return finish(axes, f"Survival of {subject}s (95 % interval)", f"share of {subject}s alive", percent)


def _inches(axes: Axes, width: bool = False) -> float:
    """Height, or width, of the axes in inches."""
    box = axes.get_window_extent()
    return float(box.width if width else box.height) / float(axes.figure.dpi)
