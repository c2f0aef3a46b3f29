"""Experiments of the contagion laboratory: frequency and extent of systemic failure, and the sizes of cascades."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.load import FolderError
from analysis.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PINK, RED, house_style, percent

SERIES_COLOURS = (ORANGE, BLUE, GREEN, PINK, RED, BLACK)

SHADES = (GREY, BLUE, RED, ORANGE)
"""Of the lines in the picture of sizes."""


def load_experiment(folder: Path) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """(manifest, summary, sizes) of a laboratory's folder; raises :class:`FolderError`.

    ``summary`` has a row for each point of a curve, ``sizes`` one for each size; figures are shares.

    >>> [len(part) for part in load_experiment(laboratory)[1:]]
    [3, 2]
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest.get("format_name") != "salus-laboratory":
            raise FolderError(f"{folder} is not a folder of the laboratory")
        return manifest, pd.read_parquet(folder / "summary.parquet"), pd.read_parquet(folder / "sizes.parquet")
    except (OSError, ValueError) as error:
        raise FolderError(f"{folder} is not a whole folder of the laboratory: {error}") from error


def curve(axes: Axes, table: pd.DataFrame, figure: str, series: Sequence[str], title: str) -> Axes:
    """``figure`` ("frequency" or "extent") of each of the ``series`` over x: points, intervals as bars, the analytic
    value of an infinite network as a line.

    ``summary`` is that of :func:`load_experiment`; both figures are shares.

    >>> curve(axes, load_experiment(laboratory)[1], "frequency", ["a"], "Frequency").get_title(loc="left")
    'Frequency'
    """
    for colour, name in zip(SERIES_COLOURS, series, strict=False):
        rows = table[table["series"] == name].sort_values("x")
        known = rows[rows[figure].notna()]
        low = (known[figure] - known[f"{figure}_low"]).clip(lower=0.0).fillna(0.0)
        high = (known[f"{figure}_high"] - known[figure]).clip(lower=0.0).fillna(0.0)
        theory = rows[rows[f"analytic_{figure}"].notna()]
        joined = theory.empty
        axes.errorbar(known["x"], known[figure], yerr=np.vstack([low, high]), color=colour, elinewidth=0.9,
                      marker="o", markersize=2.6, markeredgewidth=0, linewidth=1.1 if joined else 0.0, zorder=3)
        if not joined:
            axes.plot(theory["x"], theory[f"analytic_{figure}"], color=colour, linewidth=1.1, alpha=0.75, zorder=2)
    axes.set_ylim(-0.02, 1.03)
    axes.yaxis.set_major_formatter(percent)
    axes.set_title(title)
    return axes


def sizes(axes: Axes, table: pd.DataFrame, name: str, at: Sequence[float], runs: int) -> Axes:
    """Complementary cumulative distribution of the share that fails on the curve ``name``: one step line for each x in
    ``at`` (``table``: series, x, share, at_least). The last step of each, of at least one of the ``runs``, ends at the
    axis.

    >>> sizes(axes, load_experiment(laboratory)[2], "a", [2.0], 100).get_ylabel()
    'share of runs'
    """
    lowest = 0.5 / runs
    for colour, x in zip(SHADES, at, strict=False):
        rows = table[(table["series"] == name) & (table["x"] == x)].sort_values("share")
        if len(rows):
            axes.plot(np.append(rows["share"], rows["share"].iloc[-1]), np.append(rows["at_least"], 0.4 * lowest),
                      color=colour, drawstyle="steps-pre", linewidth=1.2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(lowest, 1.4)
    axes.xaxis.set_major_formatter(percent)
    axes.yaxis.set_major_formatter(percent)
    axes.minorticks_off()
    axes.set_title("Sizes of cascades")
    axes.set_xlabel("share of institutions that fail, at least")
    axes.set_ylabel("share of runs")
    return axes


def representative(table: pd.DataFrame, series: str) -> list[float]:
    """Places on the curve: where failures begin to become systemic, do so most often, cease to, and the last.

    ``summary`` is that of :func:`load_experiment`; a place is a value of x, in the experiment's unit.

    >>> representative(load_experiment(laboratory)[1], "a")
    [1.0, 2.0, 3.0]
    """
    rows = table[table["series"] == series].sort_values("x").reset_index(drop=True)
    inside = rows[rows["frequency"] >= 0.02]["x"]
    if inside.empty:
        return [float(rows["x"].iloc[0]), float(rows["x"].iloc[-1])]
    most = rows["x"].iloc[int(rows["frequency"].argmax())]
    return [float(x) for x in dict.fromkeys((inside.iloc[0], most, inside.iloc[-1], rows["x"].iloc[-1]))]


def experiment_figure(manifest: dict[str, Any], summary: pd.DataFrame, shares: pd.DataFrame) -> Figure:
    """Frequency, extent and sizes side by side, each under its legend.

    ``summary`` and ``sizes`` are those of :func:`load_experiment`.

    >>> len(experiment_figure(*load_experiment(laboratory)).axes)
    3
    """
    series = list(dict.fromkeys(summary["series"]))
    main = series[1] if len(series) == 3 else series[0]
    figure = Figure(figsize=(10.2, 3.8))
    frequency, extent, distribution = (figure.add_axes((0.066 + 0.332 * column, 0.2, 0.245, 0.53))
                                       for column in range(3))
    curve(frequency, summary, "frequency", series, "Frequency of systemic failure")
    curve(extent, summary, "extent", series, "Extent where systemic")
    frequency.set_ylabel("share of runs")
    extent.set_ylabel("share of institutions that fail")
    span = float(summary["x"].max() - summary["x"].min())
    for axes in (frequency, extent):
        axes.set_xlabel(manifest["x"])
        axes.set_xlim(float(summary["x"].min()) - 0.03 * span, float(summary["x"].max()) + 0.03 * span)
        if summary["x"].max() <= 0.6:
            axes.xaxis.set_major_formatter(percent)
    places = representative(summary, main)
    sizes(distribution, shares, main, places, manifest["runs"])
    marks = _marks(series, _analytic(summary))
    figure.legend(*marks, loc="lower left", bbox_to_anchor=(0.056, 0.82), ncols=4, borderaxespad=0.0)
    shown = percent if summary["x"].max() <= 0.6 else lambda x: f"{x:g}"
    figure.legend([Line2D([], [], color=colour) for colour, _ in zip(SHADES, places, strict=False)],
                  [shown(x) for x in places], loc="lower left", bbox_to_anchor=(0.72, 0.82), ncols=4,
                  borderaxespad=0.0, title=f"{main}, at" if len(series) > 1 else "at", title_fontsize=8.2,
                  alignment="left")
    figure.text(0.066, 0.985, manifest["question"], fontsize=10.5, weight="bold", va="top")
    figure.text(0.066, 0.015, _note(manifest), fontsize=6.8, color="#555555", va="bottom", linespacing=1.4)
    return figure


def _marks(series: Sequence[str], analytic: bool) -> tuple[list[Line2D], list[str]]:
    """Handles and labels of the legend of the curves."""
    width = 0.0 if analytic else 1.1
    handles = [Line2D([], [], color=colour, marker="o", markersize=3.5, linewidth=width)
               for colour, _ in zip(SERIES_COLOURS, series, strict=False)]
    if not analytic:
        return handles, list(series)
    return [*handles, Line2D([], [], color=GREY)], [*series, "infinite network, analytic"]


def _analytic(summary: pd.DataFrame) -> bool:
    """Whether the experiment has analytic values to be drawn."""
    return bool(summary["analytic_frequency"].notna().any())


def _note(manifest: dict[str, Any]) -> str:
    """What stands below the figures."""
    start = f"Systemic: at least {percent(manifest['systemic'])} of {manifest['institutions']:,} institutions fail. "
    if manifest["given_network"]:
        return start + "Each institution fails once."
    return (start + f"{manifest['runs']:,} random networks per point; bars: 95 % intervals (Wilson; Student for the "
            f"extent).\nExperiment: {manifest['source']}.")


def write_picture(folder: Path) -> Path:
    """Draw ``folder``/picture.png from the folder's tables.

    >>> write_picture(laboratory).name
    'picture.png'
    """
    with house_style():
        figure = experiment_figure(*load_experiment(folder))
        path = folder / "picture.png"
        figure.savefig(path, dpi=200, metadata={"Software": None})
    return path
