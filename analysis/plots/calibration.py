"""Calibration of forecasts: how often what was given a chance happened."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.plots.style import COLOURS, GREY, finish, percent


def calibration(axes: Axes, tables: Mapping[str, pd.DataFrame]) -> Axes:
    """Share of outcomes that happened against the chance they were given, for each table of
    :func:`analysis.forecasts.calibration` (name -> table), with 95 % intervals; on the diagonal forecasts are right.

    Example
    -------
    >>> from analysis import forecasts
    >>> table = forecasts.calibration([0.1, 0.12, 0.88, 0.9], [0, 0, 1, 1])
    >>> calibration(axes, {"main": table}).get_xlabel()
    'price at the close'
    """
    axes.plot([0.0, 1.0], [0.0, 1.0], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    for colour, (name, table) in zip(COLOURS, tables.items(), strict=False):
        error = np.vstack([table["share"] - table["low"], table["high"] - table["share"]])
        axes.errorbar(table["forecast"], table["share"], yerr=error, color=colour, marker="o", markersize=4,
                      elinewidth=0.8, linewidth=0.8, label=name if len(tables) > 1 else None)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("price at the close")
    axes.xaxis.set_major_formatter(FuncFormatter(percent))
    count = sum(int(table["count"].sum()) for table in tables.values())
    return finish(axes, f"Calibration of prediction markets ({count:,} outcomes, 95 %)", "share that happened", percent)
