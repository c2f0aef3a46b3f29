"""Tails: loss exceedance curves, quantiles against a fitted tail, mean excess, sizes of cascades."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import ArrayLike, NDArray

from analysis.plots.style import BLACK, BLUE, COLOURS, GREY, SKY, Formatter, finish, percent, short

MARGINS = (0.78, 0.62, 0.46, 0.34)
"""Inches left, right, below and above axes with a return period on the right."""


def _inverse(value: ArrayLike) -> NDArray[np.float64]:
    """One over a value; infinite at 0."""
    with np.errstate(divide="ignore"):
        result: NDArray[np.float64] = 1.0 / np.asarray(value, dtype=np.float64)
    return result


def exceedance(axes: Axes, tables: Mapping[str, pd.DataFrame], runs: int, what: str, unit: str,
               formatter: Formatter = short) -> Axes:
    """Loss exceedance: the share of ``runs`` with at least that loss, for each table of
    :func:`analysis.tail.exceedance` (name -> table), logarithmic (losses too where they
    span a power of ten), with the pointwise 95 % interval, and on the right the return period: one run in so many. Use
    :data:`MARGINS`.

    >>> exceedance(axes, {"main": tail.exceedance([1.0, 2.0, 4.0])}, 3, "Loss", "USD").get_ylabel()
    'share of runs with at least that'
    """
    for colour, (name, table) in zip(COLOURS, tables.items(), strict=False):
        axes.fill_between(table["loss"], table["low"].clip(lower=1e-9), table["high"], step="pre", color=colour,
                          alpha=0.16, linewidth=0)
        axes.step(table["loss"], table["probability"], where="pre", color=colour,
                  label=name if len(tables) > 1 else None)
    axes.set_yscale("log")
    axes.set_ylim(0.5 / max(runs, 1), 1.15)
    axes.yaxis.set_minor_formatter(NullFormatter())
    every = np.concatenate([table["loss"].to_numpy(dtype="float64") for table in tables.values()])
    least, most = float(every.min()), float(every.max())
    if least > 0.0 and most > 10.0 * least:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel(f"{what}, {unit}")
    axes.xaxis.set_major_formatter(FuncFormatter(formatter))
    period = axes.secondary_yaxis("right", functions=(_inverse, _inverse))
    period.set_ylabel("return period, runs")
    periods = [size for size in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000) if size <= 2 * runs]
    period.set_yticks(periods, [f"{size:,}" for size in periods])
    period.yaxis.set_minor_locator(NullLocator())
    return finish(axes, f"{what}: exceedance (n = {runs:,}, 95 %)", "share of runs with at least that", percent)


def cascades(axes: Axes, tables: Mapping[str, pd.DataFrame], runs: int) -> Axes:
    """Sizes of cascades: share of ``runs`` with one of at least so many institutions, for each table of
    :func:`analysis.tail.cascade_sizes` (name -> table), both axes logarithmic, with pointwise 95 % intervals.

    >>> cascades(axes, {"main": tail.cascade_sizes([0, 1, 3])}, 3).get_xscale()
    'log'
    """
    for colour, (name, table) in zip(COLOURS, tables.items(), strict=False):
        error = np.vstack([table["probability"] - table["low"], table["high"] - table["probability"]])
        axes.errorbar(table["size"], table["probability"], yerr=error, color=colour, marker="o", markersize=3.5,
                      elinewidth=0.8, drawstyle="steps-pre", linewidth=1.0, label=name if len(tables) > 1 else None)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(0.5 / max(runs, 1), 1.15)
    most = max((float(table["size"].max()) for table in tables.values() if len(table)), default=1.0)
    ticks = [size for size in (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000) if size <= most * 1.2]
    axes.set_xlim(0.9, most * 1.2)
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("institutions in the largest cascade, at least")
    return finish(axes, f"Sizes of cascades (n = {runs:,}, 95 %)", "share of runs", percent)


def quantiles(axes: Axes, table: pd.DataFrame, xi: float, what: str, unit: str, formatter: Formatter = short) -> Axes:
    """QQ of the tail: seen against fitted quantiles (``table``, shape ``xi`` of :func:`analysis.tail.tail_quantiles`)
    with the band in which the fitted tail's own order statistics lie.

    >>> quantiles(axes, *tail.tail_quantiles(np.arange(100.0)), "Loss", "USD").get_title(loc="left")
    'Loss: QQ of the tail (n = 19)'
    """
    axes.fill_between(table["fitted"], table["low"], table["high"], color=SKY, alpha=0.35, linewidth=0,
                      label="95 % of each rank")
    ends = [float(table["fitted"].min()), float(table["fitted"].max())]
    axes.plot(ends, ends, color=BLACK, linewidth=0.9, linestyle="--", label=f"generalized Pareto, xi = {xi:.2f}")
    axes.plot(table["fitted"], table["seen"], linestyle="", marker="o", markersize=3, color=BLUE, markeredgewidth=0,
              label="seen")
    least, most = float(table["seen"].min()), max(float(table["seen"].max()), ends[1])
    axes.set_ylim(least - 0.04 * (most - least), most + 0.1 * (most - least))
    axes.set_xlabel(f"fitted quantile, {unit}")
    axes.xaxis.set_major_formatter(FuncFormatter(formatter))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    return finish(axes, f"{what}: QQ of the tail (n = {len(table)})", f"seen, {unit}", formatter)


def mean_excess(axes: Axes, table: pd.DataFrame, what: str, unit: str, formatter: Formatter = short) -> Axes:
    """Mean excess over the threshold with its 95 % interval; ``table`` is that of :func:`analysis.tail.mean_excess`.

    >>> mean_excess(axes, tail.mean_excess(np.arange(50.0)), "Loss", "USD").get_xlabel()
    'threshold, USD'
    """
    axes.fill_between(table["threshold"], table["low"].clip(lower=0.0), table["high"], color=SKY, alpha=0.35,
                      linewidth=0)
    axes.plot(table["threshold"], table["excess"], color=BLUE)
    overall = float(table["excess"].iloc[0]) if len(table) else 0.0
    axes.axhline(overall, color=GREY, linestyle="--", linewidth=1.0, label="an exponential tail would be level")
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel(f"threshold, {unit}")
    axes.xaxis.set_major_formatter(FuncFormatter(formatter))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    n = int(table["n"].iloc[0]) if len(table) else 0
    return finish(axes, f"{what}: mean excess (n = {n:,}, 95 %)", f"mean excess, {unit}", formatter)
