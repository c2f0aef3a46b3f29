"""Prices of a prediction market's outcomes from opening to close, and Brier scores over markets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import BLUE, COLOURS, GREY, SKY, finish, percent, plain, time_axis


def prices(axes: Axes, market: pd.DataFrame, labels: Sequence[str], title: str) -> Axes:
    """Price of each outcome of one settled market (rows ``price_halfway``, ``price_at_close``, both
    probabilities, ``happened``) at the opening, where all have the same, half-way, and at the close; the outcome that
    happened is drawn thick.

    >>> market = pd.DataFrame({"price_halfway": [0.6, 0.4], "price_at_close": [0.8, 0.2], "happened": [1, 0]})
    >>> prices(axes, market, ["low", "high"], "Growth").get_ylabel()
    'price (probability)'
    """
    points = market[["price_halfway", "price_at_close", "happened"]].to_numpy(dtype="float64")
    for colour, label, (halfway, close, happened) in zip(COLOURS, labels, points, strict=False):
        true = bool(happened)
        axes.plot([0, 1, 2], [1.0 / len(market), halfway, close], color=colour, marker="o",
                  markersize=5 if true else 3, linewidth=2.6 if true else 1.1,
                  label=f"{label} (happened)" if true else label)
    axes.set_xticks([0, 1, 2], ["opening", "half-way", "close"])
    axes.set_xlim(-0.08, 2.08)
    axes.set_ylim(0.0, 1.02)
    return finish(axes, title, "price (probability)", percent)


def brier_scores(axes: Axes, scores: pd.DataFrame, days: int) -> Axes:
    """Brier score of each market by the day of its settlement: half-way and at the close, against that of equal
    chances.

    ``scores`` are those of :func:`analysis.forecasts.scores`; ``days`` is the length of the axis.

    >>> index = pd.MultiIndex.from_tuples([(9, "claims", 1)], names=["day", "subject", "opened"])
    >>> table = pd.DataFrame({"uniform": [0.8], "halfway": [0.5], "close": [0.2]}, index=index)
    >>> brier_scores(axes, table, 20).get_xlabel()
    'day'
    """
    day = scores.index.get_level_values("day").to_numpy(dtype="float64")
    axes.scatter(day, scores["uniform"], color=GREY, marker="_", s=70, label="equal chances")
    axes.scatter(day, scores["halfway"], facecolors="none", edgecolors=SKY, s=30, label="half-way")
    axes.scatter(day, scores["close"], color=BLUE, s=24, label="at the close")
    axes.set_ylim(-0.04, max(1.0, 1.1 * float(np.nanmax(scores[["uniform", "halfway", "close"]].to_numpy()))))
    time_axis(axes, days)
    return finish(axes, "Brier score by market", "score, 0 perfect, 2 worst", plain)
