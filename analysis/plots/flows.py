"""The transactions-flow matrix as a heat map."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from analysis.plots.style import short


def draw_flow_matrix(axes: Axes, matrix: pd.DataFrame, unit: str = "USD") -> Axes:
    """Heat map of ``matrix`` (sectors x sectors, whole units; rows pay columns) with sums in the margins.

    Colours are logarithmic over the six largest powers of ten, and only help the eye: the figures are in the cells.

    >>> draw_flow_matrix(axes, pd.DataFrame([[0.0, 2.0], [1.0, 0.0]])).get_xlabel()
    'paid to'
    """
    values = matrix.to_numpy(dtype="float64")
    size = len(values)
    most = float(values.max()) if values.size and values.max() > 0 else 1.0
    scale = LogNorm(vmin=most / 1e6, vmax=most)
    edges = np.arange(size + 1) - 0.5
    axes.pcolormesh(edges, edges, np.ma.masked_less_equal(np.clip(values, 0, None), 0), cmap="Blues",
                    norm=scale, edgecolors="none", linewidth=0)
    axes.set_xlim(-0.5, size + 0.5)
    axes.set_ylim(size + 0.5, -0.5)
    sums = np.full((size + 1, size + 1), np.nan)
    sums[:size, :size] = values
    sums[size, :size], sums[:size, size], sums[size, size] = values.sum(axis=0), values.sum(axis=1), values.sum()
    for row, column in zip(*np.nonzero(sums > 0), strict=True):
        margin = row == size or column == size
        axes.text(column, row, short(sums[row, column]), ha="center", va="center", fontsize=8,
                  fontweight="bold" if margin else "normal",
                  color="white" if not margin and scale(sums[row, column]) > 0.6 else "#1b1f24")
    for edge in range(size + 1):
        axes.axhline(edge - 0.5, color="#e4e4e4", linewidth=0.6 if edge < size else 1.6)
        axes.axvline(edge - 0.5, color="#e4e4e4", linewidth=0.6 if edge < size else 1.6)
    names = [str(name).replace("_", " ") for name in matrix.index]
    axes.set_xticks(range(size + 1), [*names, "all"], rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(size + 1), [*names, "all"])
    axes.tick_params(length=0)
    axes.set_xlabel("paid to")
    axes.set_ylabel("paid by")
    axes.grid(visible=False)
    axes.set_title(f"Payments between sectors over the run, {unit}")
    return axes
