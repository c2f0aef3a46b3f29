"""The house style: colour-blind safe, quiet axes, units on every axis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A7A7A", "#000000")
"""Okabe and Ito's palette, dark colours first."""

PARAMETERS = {
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "font.family": "sans-serif",
    "svg.fonttype": "path",
    "svg.hashsalt": "salus",
    "figure.dpi": 100,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Within this block figures are drawn in the house style; nothing outside is changed."""
    with mpl.rc_context(PARAMETERS):
        yield


def new_axes(width: float = 7.0, height: float = 3.2, **subplots: object) -> tuple[Figure, Axes]:
    """A figure of its own, without pyplot's global state; sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(**subplots)  # type: ignore[arg-type,return-value]


def money(value: float, _position: object = None) -> str:
    """Dollars, short: 1.2k, 3.4M, 5.6bn."""
    size = abs(value)
    for limit, divisor, suffix in ((1e9, 1e9, "bn"), (1e6, 1e6, "M"), (1e3, 1e3, "k")):
        if size >= limit:
            return f"{value / divisor:.3g}{suffix}"
    return f"{value:.3g}"


def percent(value: float, _position: object = None) -> str:
    """A share as a percentage."""
    return f"{100 * value:.3g} %"


def year_axis(axes: Axes, days: int) -> None:
    """Label the horizontal axis in days or years, whichever reads better for ``days`` days."""
    if days > 2 * 365:
        axes.set_xlabel("year")
        ticks = list(range(0, days + 1, 365))
        axes.set_xticks(ticks, [str(tick // 365) for tick in ticks])
    else:
        axes.set_xlabel("day")
