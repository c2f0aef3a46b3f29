"""Lines over days, shared by most of the report's figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import COLOURS, SKY, Formatter, finish, plain, thin, time_axis, whole_numbers


def smooth(table: pd.DataFrame, window: int) -> pd.DataFrame:
    """Mean of the last ``window`` days of each column; NaN before the window is full.

    >>> smooth(pd.DataFrame({"a": [1.0, 3.0]}), 2)["a"].iloc[-1]
    np.float64(2.0)
    """
    return table if window <= 1 else table.rolling(window, min_periods=window).mean()


def in_days(unit: str, window: int) -> str:
    """The unit of a figure with the window of its mean, where there is one.

    >>> in_days("USD", 30)
    'USD, 30-day mean'
    """
    return unit if window <= 1 else f"{unit}, {window}-day mean"


def lines(axes: Axes, table: pd.DataFrame, title: str, unit: str, formatter: Formatter | None = None,
          days: int = 0, from_zero: bool = True, styles: Sequence[str] = (), steps: bool = False,
          colours: Sequence[str] = COLOURS) -> Axes:
    """One line for each column of ``table`` (days x labels), named above the data if there are several.

    ``unit`` labels the vertical axis; ``days`` is the length of the horizontal one (default: the table's);
    ``styles`` and ``colours`` go by column, the first at the bottom; ``steps`` draws values that hold until the next.

    >>> lines(axes, pd.DataFrame({"a": [1.0, 2.0]}), "Price", "USD").get_ylabel()
    'USD'
    """
    for position, label in enumerate(table.columns):
        values = thin(table[label])
        axes.plot(values.index, values, color=colours[position], label=label if table.shape[1] > 1 else None,
                  linestyle=styles[position] if position < len(styles) else "-",
                  drawstyle="steps-post" if steps else "default",
                  linewidth=1.1 if len(table) > 300 and table.shape[1] > 2 else 1.4)
    low, high = (float(edge(table.to_numpy(dtype="float64"))) for edge in (np.nanmin, np.nanmax))
    if from_zero and low >= 0:
        axes.set_ylim(0, 1.06 * high if high > 0 else 1.0)
    elif low < 0 < high:
        axes.axhline(0, color="#555555", linewidth=0.8)
    time_axis(axes, days or int(table.index.max()) + 1)
    known = table.to_numpy(dtype="float64")
    known = known[np.isfinite(known)]
    if formatter is plain and bool((known == np.round(known)).all()):  # counts
        axes.yaxis.set_major_locator(whole_numbers())
    return finish(axes, title, unit, formatter)


def spread(axes: Axes, table: pd.DataFrame, what: str) -> Axes:
    """The range over the columns of ``table`` (days x institutions) as a band, and their median as a line.

    ``what`` names one institution in the legend, such as "pool".

    >>> len(spread(axes, run.by_institution("insurance.capital"), "pool").lines)
    1
    """
    known = table.dropna(how="all")
    least, middle, most = (thin(known.quantile(q, axis=1)) for q in (0.0, 0.5, 1.0))
    shown = sorted(set(least.index) | set(most.index))
    axes.fill_between(shown, known.loc[shown].min(axis=1), known.loc[shown].max(axis=1), color=SKY, alpha=0.3,
                      linewidth=0, label=f"range of {table.shape[1]} {what}s")
    axes.plot(middle.index, middle, color=COLOURS[0], label=f"median {what}")
    return axes
