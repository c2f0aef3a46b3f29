"""Bars: sums by period, shares by decile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.plots.style import BLUE, COLOURS, GREY, Formatter, finish, percent, time_axis


def stacked(axes: Axes, table: pd.DataFrame, title: str, unit: str, formatter: Formatter | None = None,
            colours: Sequence[str] = COLOURS, days: int = 0) -> Axes:
    """Stacked bars of the columns of ``table`` (index: first day of each period); negative columns go downwards.

    >>> stacked(axes, pd.DataFrame({"a": [1.0, 2.0]}, index=[0, 30]), "Claims", "USD").get_ylabel()
    'USD'
    """
    starts = table.index.to_numpy(dtype="float64")
    period = float(np.diff(starts).min()) if len(starts) > 1 else float(days or 1)
    above = np.zeros(len(table))
    below = np.zeros(len(table))
    for label, colour in zip(table.columns, colours, strict=False):
        heights = table[label].fillna(0.0).to_numpy(dtype="float64")
        base = np.where(heights >= 0, above, below)
        axes.bar(starts + period / 2, heights, width=0.86 * period, bottom=base, color=colour, label=label)
        above, below = above + np.maximum(heights, 0.0), below + np.minimum(heights, 0.0)
    # not left to autoscaling, which takes the foot of an empty bar on top of the highest for an edge to stick to
    axes.set_ylim(1.06 * float(below.min()), 1.06 * float(above.max()) or 1.0)
    if (below < 0).any():
        axes.axhline(0, color="#555555", linewidth=0.8)
    time_axis(axes, max(days, int(starts.max() + period)))
    return finish(axes, title, unit, formatter)


def deciles(axes: Axes, metrics: Mapping[str, float], prefix: str, title: str, across: str, unit: str) -> Axes:
    """Bars of the ten shares ``prefix``1 to ``prefix``10 of ``metrics``; ``across`` says what the deciles are of.

    >>> deciles(axes, run.metrics, "patients.uninsured_decile_", "Uninsured", "income decile", "share").get_xlabel()
    'income decile'
    """
    places = list(range(1, 11))
    shares = [metrics.get(f"{prefix}{place}", float("nan")) for place in places]
    axes.bar(places, shares, color=BLUE, width=0.8)
    axes.set_xticks(places)
    axes.set_xlabel(across)
    axes.set_ylim(0, max(0.01, 1.12 * float(np.nanmax(shares))) if np.isfinite(shares).any() else 1.0)
    axes.grid(visible=False, axis="x")
    for place, share in zip(places, shares, strict=True):
        if np.isfinite(share):
            axes.annotate(percent(share).removesuffix(" %"), (place, share), xytext=(0, 1.5), fontsize=7,
                          textcoords="offset points", ha="center", va="bottom", color="#333333")
    return finish(axes, title, unit, percent)


def concentration(axes: Axes, metrics: Mapping[str, float], prefix: str, published: Mapping[str, float],
                  source: str) -> Axes:
    """Share of a year's spending on the top 1, 5, 10 and 50 % of persons (``prefix``1_share, ...), beside
    ``published`` ("1" -> share), which ``source`` names.

    >>> concentration(axes, run.metrics, "patients.top", {"1": 0.2, "5": 0.5}, "published").get_ylabel()
    'share of all spending'
    """
    tops = list(published)
    places = np.arange(len(tops), dtype="float64")
    for shift, values, colour, label in (
            (-0.2, [metrics.get(f"{prefix}{top}_share", float("nan")) for top in tops], BLUE, "simulated, first year"),
            (0.2, [published[top] for top in tops], GREY, source)):
        axes.bar(places + shift, values, width=0.38, color=colour, label=label)
        for place, value in zip(places + shift, values, strict=True):
            if np.isfinite(value):
                axes.annotate(percent(value).removesuffix(" %"), (place, value), xytext=(0, 1.5), fontsize=7,
                              textcoords="offset points", ha="center", va="bottom", color="#333333")
    axes.set_xticks(places, [f"top {top} %" for top in tops])
    axes.set_xlabel("persons, by spending")
    axes.set_ylim(0, 1.08)
    axes.grid(visible=False, axis="x")
    return finish(axes, "Concentration of spending", "share of all spending", percent)
