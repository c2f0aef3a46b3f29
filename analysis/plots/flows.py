"""Where money went: the transactions-flow matrix of the whole run as a heat map."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from analysis.plots.style import money


def flow_matrix(flows: pd.DataFrame, asset: str = "USDs") -> pd.DataFrame:
    """Sectors x sectors sums of ``asset`` over the run in whole units, rows pay columns; the opening is left out."""
    table = flows[(flows["asset"] == asset) & (flows["day"] >= 0)]
    wide = table.pivot_table(index="from_sector", columns="to_sector", values="amount", aggfunc="sum").fillna(0.0)
    sectors = sorted(set(wide.index) | set(wide.columns))
    return wide.reindex(index=sectors, columns=sectors, fill_value=0.0)


def draw_flow_matrix(axes: Axes, matrix: pd.DataFrame) -> Axes:
    """Heat map of ``matrix`` with the sums written in the cells; colours are logarithmic."""
    values = matrix.to_numpy(dtype=float)
    positive = values[values > 0]
    if positive.size:
        low = max(float(positive.min()), float(positive.max()) / 1e6)
        axes.imshow(np.where(values > 0, np.maximum(values, low), np.nan), cmap="Blues", aspect="auto",
                    norm=LogNorm(vmin=low, vmax=float(positive.max())))
        for row, column in zip(*np.nonzero(values > 0), strict=True):
            dark = values[row, column] > positive.max() / 100
            axes.text(column, row, money(values[row, column]), ha="center", va="center", fontsize=6.8,
                      color="white" if dark else "black")
    names = [name.replace("_", " ") for name in matrix.index]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("paid to")
    axes.set_ylabel("paid by")
    axes.grid(visible=False)
    axes.set_title("Flows between sectors over the run, USD")
    return axes
