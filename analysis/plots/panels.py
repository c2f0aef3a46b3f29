"""Small multiples: one panel a series, each with its own scale and unit."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis.plots.style import COLOURS, SKY, short, thin

COLUMNS, ROW, ABOVE, BELOW = 2, 1.18, 0.34, 0.44
"""Panels in a row; inches of a row, above the panels, and below them."""

POINTS = 120
"""Most points of a line: a panel is small."""


def height(panels: int) -> float:
    """Inches that a figure of so many panels needs.

    >>> round(height(4), 2)
    3.14
    """
    return ABOVE + BELOW + ROW * -(-panels // COLUMNS)


def panels(axes: Axes, series: Mapping[str, pd.DataFrame], units: Mapping[str, str], title: str, days: int) -> Axes:
    """One panel for each of ``series`` (name -> days x columns) in a figure of :func:`height` inches: a line, or where
    there are several columns (institutions) their range and median. ``units`` (name -> unit) stand in the panels'
    titles; all share the axis of ``days``. ``axes`` keeps the title alone.

    >>> panels(axes, {"stake": pd.DataFrame({0: [1.0, 2.0]})}, {"stake": "USD"}, "oracles", 2).get_title(loc="left")
    'oracles'
    """
    figure = axes.figure
    assert isinstance(figure, Figure)
    width, high = (float(size) for size in figure.get_size_inches())
    axes.set_title(title)
    axes.axis("off")
    rows = -(-len(series) // COLUMNS)
    each = (width - 0.08) / COLUMNS
    for place, (name, table) in enumerate(series.items()):
        row, column = divmod(place, COLUMNS)
        left, foot = 0.52 + column * each, BELOW + (rows - 1 - row) * ROW + 0.1
        panel = figure.add_axes((left / width, foot / high, (each - 0.62) / width, (ROW - 0.42) / high))
        _draw(panel, table)
        panel.set_title(f"{name.replace('_', ' ')}, {units[name]}", fontsize=7.2, fontweight="normal", pad=3, x=-0.16)
        panel.tick_params(labelsize=7)
        panel.set_xlim(0, max(days - 1, 1))
        panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        panel.yaxis.set_major_locator(MaxNLocator(3))
        panel.yaxis.set_major_formatter(FuncFormatter(short))
        if place + COLUMNS < len(series):
            panel.tick_params(labelbottom=False)
        else:
            panel.set_xlabel("day", fontsize=7, labelpad=1)
    return axes


def _draw(panel: Axes, table: pd.DataFrame) -> None:
    """A line, or range and median."""
    if table.shape[1] == 1:
        values = thin(table.iloc[:, 0].dropna(), POINTS)
        panel.plot(values.index, values, color=COLOURS[0], linewidth=0.9)
    else:
        low, middle, high = (thin(table.quantile(q, axis=1), POINTS) for q in (0.0, 0.5, 1.0))
        shown = sorted(set(low.index) | set(high.index))
        panel.fill_between(shown, table.loc[shown].min(axis=1), table.loc[shown].max(axis=1), color=SKY, alpha=0.35,
                           linewidth=0)
        panel.plot(middle.index, middle, color=COLOURS[0], linewidth=0.9)
    least = float(table.min().min())
    if least >= 0.0:
        panel.set_ylim(0.0, 1.08 * float(table.max().max()) or 1.0)
