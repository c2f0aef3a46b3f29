"""Money between sectors as ribbons: who paid on the left, who received on the right."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from analysis.plots.style import COLOURS, percent, short

MARGINS = (1.5, 1.5, 0.3, 0.4)
"""Inches left, right, below and above axes with names on both sides."""

GAP = 0.025
"""Between two sectors, as a share of the height."""


def sankey(axes: Axes, matrix: pd.DataFrame, unit: str = "USD", least: float = 0.002) -> Axes:
    """Ribbons as wide as what each sector paid each other over the run; ``matrix`` (sectors x sectors, whole units;
    rows pay columns) as :func:`analysis.flows.whole_units` gives it. Payments inside a sector are left out, and those
    below the share ``least`` of the whole, which the title tells. Use :data:`MARGINS`.

    >>> money = pd.DataFrame([[5.0, 3.0], [2.0, 0.0]], index=["firms", "households"], columns=["firms", "households"])
    >>> sankey(axes, money).get_title(loc="left")
    'Money between sectors over the run: 5 USD'
    """
    values = np.clip(matrix.to_numpy(dtype="float64"), 0.0, None)
    np.fill_diagonal(values, 0.0)
    whole = float(values.sum()) or 1.0
    left_out = float(values[values < least * whole].sum())
    values[values < least * whole] = 0.0
    names = [str(name) for name in matrix.index]
    paid, received = values.sum(axis=1), values.sum(axis=0)
    order = sorted(range(len(names)), key=lambda place: (-float(max(paid[place], received[place])), names[place]))
    colours = {names[place]: COLOURS[rank % len(COLOURS)] for rank, place in enumerate(order)}
    tops = []
    for side, sums in ((0.0, paid), (1.0, received)):
        shown = [place for place in order if sums[place] > 0]
        y, top = 1.0, {}
        room = GAP * (len(shown) - 1)
        for place in shown:
            height = float(sums[place]) / float(values.sum()) * (1.0 - room)
            axes.add_patch(Rectangle((side - 0.02 * side, y - height), 0.02, height, color=colours[names[place]]))
            axes.text(side + (0.012 if side else -0.012), y - height / 2,
                      f"{names[place].replace('_', ' ')}  {short(float(sums[place]))}", va="center", fontsize=8,
                      ha="left" if side else "right")
            top[place] = y
            y -= height + GAP
        tops.append((top, (1.0 - room) / float(values.sum() or 1.0)))
    (left, left_scale), (right, right_scale) = tops
    for payer in order:
        for payee in order:
            if values[payer, payee] <= 0.0:
                continue
            y0, y1 = left[payer], right[payee]
            h0, h1 = float(values[payer, payee]) * left_scale, float(values[payer, payee]) * right_scale
            left[payer] -= h0
            right[payee] -= h1
            corners = [(0.02, y0), (0.5, y0), (0.5, y1), (0.98, y1), (0.98, y1 - h1), (0.5, y1 - h1), (0.5, y0 - h0),
                       (0.02, y0 - h0), (0.02, y0)]
            codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
            axes.add_patch(PathPatch(Path(corners, codes), facecolor=colours[names[payer]], alpha=0.35, linewidth=0))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.axis("off")
    note = f" ({percent(left_out / whole, digits=2)} in small payments left out)" if left_out else ""
    axes.set_title(f"Money between sectors over the run: {short(whole)} {unit}{note}")
    axes.text(-0.012, -0.035, f"paid, {unit}", ha="right", va="top", fontsize=8, color="#444444")
    axes.text(1.012, -0.035, f"received, {unit}", ha="left", va="top", fontsize=8, color="#444444")
    return axes
