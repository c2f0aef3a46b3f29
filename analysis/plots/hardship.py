"""Without cover, and catastrophic spending, by income decile."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.hardship import MEASURES
from analysis.plots.style import BLACK, BLUE, ORANGE, RED, finish, percent

SHOWN = {"above_10": BLUE, "above_25": ORANGE, "above_40_of_capacity": RED}
"""Measures of catastrophic spending, with their colours."""


def _deciles(axes: Axes, table: pd.DataFrame, title: str) -> Axes:
    """Axis of deciles and title with the number of person-years."""
    axes.set_xticks(range(1, 11))
    axes.set_xlabel("income decile, 1 the poorest")
    axes.set_ylim(bottom=0)
    axes.grid(visible=False, axis="x")
    n = int(table["persons"].sum())
    return finish(axes, f"{title} (n = {n:,}, 95 %)", "share of person-years", percent)


def catastrophic(axes: Axes, table: pd.DataFrame) -> Axes:
    """Share of person-years with catastrophic own payments by each measure, by income decile, with Wilson intervals;
    ``table`` is that of :func:`analysis.hardship.by_decile`.

    >>> catastrophic(axes, by_decile(run)).get_ylabel()
    'share of person-years'
    """
    for shift, (column, colour) in zip((-0.27, 0.0, 0.27), SHOWN.items(), strict=True):
        error = np.vstack([table[column] - table[f"{column}_low"], table[f"{column}_high"] - table[column]])
        axes.bar(table.index + shift, table[column], width=0.25, color=colour, label=MEASURES[column], yerr=error,
                 error_kw={"elinewidth": 0.8, "ecolor": BLACK})
    return _deciles(axes, table, "Catastrophic own payments")


def uninsured(axes: Axes, table: pd.DataFrame) -> Axes:
    """Share of persons without any cover at the end of the year, by income decile, with Wilson intervals; ``table`` is
    that of :func:`analysis.hardship.by_decile`.

    >>> uninsured(axes, by_decile(run)).get_xlabel()
    'income decile, 1 the poorest'
    """
    error = np.vstack([table["uninsured"] - table["uninsured_low"], table["uninsured_high"] - table["uninsured"]])
    axes.bar(table.index, table["uninsured"], width=0.7, color=BLUE, yerr=error,
             error_kw={"elinewidth": 0.9, "ecolor": BLACK})
    return _deciles(axes, table, "Without any cover")
