"""Lines against what they are held to: levels that trigger something, the peg and the basins of a coin; log scales."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from analysis.plots import lines
from analysis.plots.style import COLOURS, GREY, Formatter, finish, short, thin, time_axis

BROKEN, HELD = 0.5, 0.95
"""Dollars below which a coin is in the basin of collapse, and from which it is in that of its peg."""


def levels(axes: Axes, table: pd.DataFrame, marked: Mapping[str, float], title: str, unit: str,
           formatter: Formatter | None = None, days: int = 0) -> Axes:
    """Lines of ``table`` (days x labels, in ``unit``) with a dashed line at each level of ``marked`` (name -> value).

    Levels and the data are both in sight, from zero.

    >>> len(levels(axes, pd.DataFrame({"a": [2.0, 1.4]}), {"liquidation": 1.2}, "Ratio", "ratio").texts)
    1
    """
    top = max([*marked.values(), float(np.nanmax(table.to_numpy(dtype="float64")))])
    lines.lines(axes, table, title, unit, formatter, days)
    axes.set_ylim(0.0, 1.08 * top if top > 0 else 1.0)
    for name, value in marked.items():
        axes.axhline(value, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.annotate(name, (1.0, value), xycoords=("axes fraction", "data"), xytext=(-2, 1), ha="right", va="bottom",
                      textcoords="offset points", fontsize=7, color="#333333")
    return axes


def basins(axes: Axes, price: pd.DataFrame, title: str, days: int = 0) -> Axes:
    """Price of a coin (days x labels, USD) against one dollar, above bands for its two basins: from
    :data:`HELD` the peg holds, below :data:`BROKEN` the coin has collapsed.

    >>> basins(axes, pd.DataFrame({"coin": [1.0, 0.4]}), "Price").get_ylabel()
    'USD'
    """
    top = max(1.1, 1.05 * float(np.nanmax(price.to_numpy(dtype="float64"))))
    axes.axhspan(HELD, top, color=COLOURS[2], alpha=0.10, linewidth=0)
    axes.axhspan(0.0, BROKEN, color=COLOURS[1], alpha=0.10, linewidth=0)
    axes.axhline(1.0, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    for name, height in (("peg holds", 1.0), ("collapsed", 0.0)):
        axes.annotate(name, (1.0, height), xycoords=("axes fraction", "data"), xytext=(-3, 2), ha="right", va="bottom",
                      textcoords="offset points", fontsize=7, color="#333333")
    lines.lines(axes, price, title, "USD", short, days)
    axes.set_ylim(0.0, top)
    return axes


def wide_range(table: pd.DataFrame, times: float = 100.0) -> bool:
    """Whether positive values of ``table`` (days x labels, any one unit) span more than a ratio of ``times``.

    >>> wide_range(pd.DataFrame({"a": [1.0, 1e-6]}))
    True
    """
    values = table.to_numpy(dtype="float64")
    known = values[np.isfinite(values)]
    return bool(known.size) and bool((known > 0).all()) and float(known.max() / known.min()) > times


def powers(value: float, _position: object = None) -> str:
    """A label of a log scale: plain where it is short, else as a power of ten.

    ``value`` is in any unit.

    >>> powers(0.01), powers(1e-9), powers(1e13)
    ('0.01', '1e-9', '1e13')
    """
    if 1e-3 <= value < 1e12:
        return short(value)
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def either_scale(axes: Axes, table: pd.DataFrame, title: str, unit: str, days: int = 0) -> Axes:
    """Lines of ``table`` (days x labels, in ``unit``), on a log scale where they span orders of magnitude.

    >>> either_scale(axes, pd.DataFrame({"share": [1.0, 1e-6]}), "Price of the share", "USD").get_yscale()
    'log'
    """
    if not wide_range(table):
        return lines.lines(axes, table, title, unit, short, days)
    for colour, label in zip(COLOURS, table.columns, strict=False):
        values = thin(table[label])
        axes.plot(values.index, values, color=colour, label=label if table.shape[1] > 1 else None)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=7))
    axes.yaxis.set_minor_locator(NullLocator())
    time_axis(axes, days or int(table.index.max()) + 1)
    finish(axes, title, f"{unit}, log scale")
    axes.yaxis.set_major_formatter(FuncFormatter(powers))
    return axes
