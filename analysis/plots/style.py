"""The house style: colour-blind safe, quiet axes, units on every axis, legends beside the data and never on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter, MaxNLocator

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A7A7A", "#000000")
"""Okabe and Ito's palette, dark colours first."""

BLUE, RED, GREEN, PINK, ORANGE, SKY, GREY, BLACK = COLOURS

Formatter = Callable[[float, object], str]
"""Turns a value on an axis into its label."""

PARAMETERS = {
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8a8a",
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.fontsize": 8.2,
    "legend.frameon": False,
    "legend.handlelength": 1.5,
    "legend.columnspacing": 1.3,
    "legend.handletextpad": 0.5,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.parse_math": False,  # names from a scenario may hold dollar signs
    "svg.fonttype": "path",
    "svg.hashsalt": "salus",
    "figure.dpi": 100,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Within this block figures are drawn in the house style; nothing outside is changed.

    >>> with house_style():
    ...     mpl.rcParams["axes.titlelocation"]
    'left'
    """
    with mpl.rc_context(PARAMETERS):
        yield


MARGINS = (0.78, 0.14, 0.46, 0.34)
"""Inches left, right, below and above the axes, so that the axes of neighbouring figures align."""

LEGEND_ROW, LEGEND_COLUMNS = 0.175, 4
"""Inches that one row of the legend takes above the axes, and entries in a row."""


def new_axes(width: float = 5.3, height: float = 2.9,
             margins: tuple[float, float, float, float] = MARGINS) -> tuple[Figure, Axes]:
    """A figure of its own, without pyplot's global state, and its axes; sizes in inches.

    >>> new_axes(5.3, 2.9)[0].get_size_inches().tolist()
    [5.3, 2.9]
    """
    figure = Figure(figsize=(width, height))
    return figure, figure.add_axes((margins[0] / width, margins[2] / height, 1.0 - (margins[0] + margins[1]) / width,
                                    1.0 - (margins[2] + margins[3]) / height))


def make_room(axes: Axes, height: float) -> None:
    """Break the legend above the axes into rows that fit the figure, ``height`` inches high, lower the top of the axes
    by them, and shift title and label that would be cut off at the figure's right edge.

    >>> make_room(axes, 2.9)
    """
    renderer = FigureCanvasAgg(axes.get_figure(root=True)).get_renderer()
    right = renderer.width - 0.04 * renderer.dpi
    rows, legend, title = 0, axes.get_legend(), axes.get_title(loc="left")
    if legend is not None:
        handles, labels = legend.legend_handles, [label.get_text() for label in legend.get_texts()]
        columns = min(len(labels), LEGEND_COLUMNS)
        while columns > 1 and legend.get_window_extent(renderer).x1 > right:
            columns -= 1
            legend = _legend(axes, [handle for handle in handles if handle is not None], labels, columns)
        rows = -(-len(labels) // columns)
        box = axes.get_position()
        axes.set_position((box.x0, box.y0, box.width, box.height - rows * LEGEND_ROW / height))
    here = axes.get_window_extent(renderer)
    drawn = axes.set_title(title, loc="left", y=1.0, pad=6 + 72 * LEGEND_ROW * rows)
    beyond = drawn.get_window_extent(renderer).x1 - right
    if beyond > 0:
        drawn.set_x(-min(beyond, here.x0 - 0.04 * renderer.dpi) / here.width)
    beyond = axes.xaxis.label.get_window_extent(renderer).x1 - right
    if beyond > 0:
        axes.xaxis.label.set_x(0.5 - beyond / here.width)


def short(value: float, _position: object = None, digits: int = 3) -> str:
    """Three ``digits`` with a suffix: 950, 1.2k, 3.4M, 5.6bn; the unit is on the axis.

    >>> short(1234.0), short(5.6e9)
    ('1.23k', '5.6bn')
    """
    for limit, suffix in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit * 0.9995:
            scaled = value / limit
            return f"{scaled:,.0f}{suffix}" if abs(scaled) >= 999.5 else f"{scaled:.{digits}g}{suffix}"
    return f"{value:.{digits}g}"


def percent(value: float, _position: object = None, digits: int = 3) -> str:
    """A share as a percentage of three ``digits``.

    >>> percent(0.1234)
    '12.3 %'
    """
    share = 100.0 * value
    return f"{share:,.0f} %" if abs(share) >= 999.5 else f"{share:.{digits}g} %"


def plain(value: float, _position: object = None) -> str:
    """A number as it is, with separators of thousands.

    >>> plain(12345.0)
    '12,345'
    """
    return f"{value:,.10g}"


class Ticks(FuncFormatter):
    """Labels of ticks, with as many digits as it takes to tell neighbours apart."""

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """The labels of ``values``.

        >>> Ticks(percent).format_ticks([1.0951, 1.0952])
        ['109.51 %', '109.52 %']
        """
        labels = [self.func(value, None) for value in values]
        for digits in range(4, 9):
            if len(set(labels)) == len(set(values)) or self.func not in (short, percent):
                break
            labels = [self.func(value, None, digits) for value in values]
        return labels


def finish(axes: Axes, title: str, unit: str, formatter: Formatter | None = None) -> Axes:
    """Title, unit of the vertical axis, labels of its ticks, and a legend above the data where there is one.

    >>> finish(axes, "Price", "USD").get_ylabel()
    'USD'
    """
    axes.set_ylabel(unit)
    if formatter is not None:
        axes.yaxis.set_major_formatter(Ticks(formatter))
    handles, labels = axes.get_legend_handles_labels()
    return head(axes, title, handles, labels)


def head(axes: Axes, title: str, handles: Sequence[Artist], labels: Sequence[str]) -> Axes:
    """The title, and under it but above the data a legend, if there are ``handles``.

    >>> head(axes, "Price", [], []).get_title(loc="left")
    'Price'
    """
    rows = -(-len(handles) // LEGEND_COLUMNS)
    axes.set_title(title, y=1.0, pad=6 + 72 * LEGEND_ROW * rows)
    if handles:
        _legend(axes, handles, labels, LEGEND_COLUMNS)
    return axes


def _legend(axes: Axes, handles: Sequence[Artist], labels: Sequence[str], columns: int) -> Legend:
    """A legend above the data, in so many columns."""
    return axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.0,
                       borderpad=0.25, labelspacing=0.3, ncols=columns)


def time_axis(axes: Axes, days: int) -> Axes:
    """The horizontal axis of ``days`` days, labelled in days, or in years where there are more than two.

    >>> time_axis(axes, 1095).get_xlabel()
    'year'
    """
    axes.set_xlim(0, max(days - 1, 1))
    if days > 2 * 365:
        axes.set_xlabel("year")
        ticks = list(range(0, days + 1, 365))
        axes.set_xticks(ticks, [str(tick // 365) for tick in ticks])
        axes.set_xlim(0, days)
    else:
        axes.set_xlabel("day")
        axes.xaxis.set_major_locator(whole_numbers())
    return axes


def whole_numbers() -> MaxNLocator:
    """Ticks at whole numbers only, as many as there is room for.

    >>> whole_numbers().tick_values(0, 4).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    return MaxNLocator(nbins="auto", integer=True, steps=[1, 2, 2.5, 5, 10])


def mark_days(axes: Axes, marks: Mapping[int, str]) -> Axes:
    """A dotted line with its name at each of the days ``marks`` (day -> name), such as the shocks of a run.

    Room for the names is made above the data, where the scale lets it.

    >>> len(mark_days(axes, {30: "shock"}).texts)
    1
    """
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        axes.set_ylim(low, high * (high / low) ** 0.09)
    else:  # an axis may run downwards
        axes.set_ylim(low, high + 0.09 * (high - low))
    first, last = axes.get_xlim()
    for day, name in marks.items():
        axes.axvline(day, color=BLACK, linestyle=":", linewidth=0.9)
        late = day > first + 0.7 * (last - first)
        axes.annotate(name, (day, 1.0), xycoords=("data", "axes fraction"), xytext=(-2 if late else 2, -1), va="top",
                      textcoords="offset points", fontsize=7, color="#333333", ha="right" if late else "left")
    return axes


def thin(values: pd.Series[float], points: int = 320) -> pd.Series[float]:
    """About ``points`` of the values at most: the least and the greatest of each stretch, so that no peak is lost.

    ``values`` by day (or any index) and the result have the same unit.

    >>> len(thin(pd.Series(np.arange(1000.0)), 100)) <= 101
    True
    """
    if len(values) <= points:
        return values
    size = -(-2 * len(values) // points)
    padded = np.full(-(-len(values) // size) * size, np.nan)
    padded[:len(values)] = values.to_numpy(dtype="float64")
    stretches = padded.reshape(-1, size)
    starts = np.arange(len(stretches)) * size
    least = starts + np.where(np.isnan(stretches), np.inf, stretches).argmin(axis=1)
    most = starts + np.where(np.isnan(stretches), -np.inf, stretches).argmax(axis=1)
    return values.iloc[np.unique(np.concatenate([[0, len(values) - 1], least, most]))]
