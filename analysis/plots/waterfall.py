"""The capital waterfall: what stands behind claims, layer upon layer, and how much of each was drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import BLUE, RED, finish, short


def capital_waterfall(axes: Axes, table: pd.DataFrame) -> Axes:
    """Layers from the first that bears a claim to the last, each standing on those before it, with what they bore.

    ``table`` is that of :func:`analysis.solvency.waterfall` (layers x [stands, bore], USD).

    >>> layers = pd.DataFrame({"stands": [2.0, 5.0], "bore": [1.0, 0.0]}, index=["surplus", "senior capital"])
    >>> capital_waterfall(axes, layers).get_ylabel()
    'USD, all pools'
    """
    places = np.arange(len(table), dtype="float64")
    stands, bore = (table[name].to_numpy(dtype="float64") for name in ("stands", "bore"))
    foot = np.append(0.0, np.cumsum(stands)[:-1])
    axes.bar(places - 0.2, stands, bottom=foot, width=0.38, color=BLUE, label="stands at the end")
    axes.bar(places + 0.2, bore, bottom=foot, width=0.38, color=RED, label="bore in the run")
    for place in range(len(table) - 1):
        axes.plot([place - 0.39, place + 1.0], [foot[place + 1]] * 2, color="#777777", linewidth=0.7)
    for place, values, shift in ((0, stands, -0.2), (1, bore, 0.2)):
        for row, value in enumerate(values):
            if value == 0.0:
                continue
            axes.annotate(short(value), (row + shift, foot[row] + value), xytext=(0, 1.5 if value >= 0 else -9),
                          textcoords="offset points", ha="center", fontsize=7, color=(BLUE, RED)[place])
    axes.axhline(0, color="#555555", linewidth=0.8)
    axes.set_xticks(places, [str(name).replace(" ", "\n", 1) for name in table.index])
    axes.set_xlabel("layer, in the order in which it bears a claim")
    axes.grid(visible=False, axis="x")
    ends = np.concatenate([[0.0], foot + stands, foot + bore])
    room = 0.1 * (float(ends.max() - ends.min()) or 1.0)
    axes.set_ylim(float(ends.min()) - (room if ends.min() < 0.0 else 0.0), float(ends.max()) + room)
    return finish(axes, "Capital waterfall of all pools", "USD, all pools", short)
