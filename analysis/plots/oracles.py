"""How dear it would be to corrupt a committee."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from analysis.plots.style import BLUE, RED, SKY, finish, plain, thin, time_axis


def corruption_ratio(axes: Axes, values: pd.Series[float], window: int, days: int) -> Axes:
    """Cheapest majority of stake on a committee over the largest claim before it (by day), on a logarithmic scale.

    Below 1 a bribe of that stake would pay. Lines are the median and the least of the last ``window`` days; ``days``
    is the run's length.

    >>> corruption_ratio(axes, run.series("claims.corruption_ratio"), 30, 200).get_ylabel()
    'stake / largest claim'
    """
    seen = values.where(values > 0).rolling(window, min_periods=window)
    for line, colour, label in ((seen.median(), BLUE, "median"), (seen.min(), SKY, "least")):
        drawn = thin(line.dropna())
        axes.semilogy(drawn.index, drawn, color=colour, label=f"{label} of {window} days")
    axes.axhline(1.0, color=RED, linestyle="--", linewidth=1.0, label="a bribe pays below")
    time_axis(axes, days)
    finish(axes, "Cost to corrupt over what it brings", "stake / largest claim", plain)
    axes.yaxis.set_minor_formatter(NullFormatter())
    return axes
