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

SHARES = ("frequency", "extent")


def load_experiment(folder: Path) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """(manifest, summary, cascades) of a laboratory's folder; raises :class:`FolderError`."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest.get("format_name") != "salus-laboratory":
            raise FolderError(f"{folder} is not a folder of the laboratory")
        return manifest, pd.read_parquet(folder / "summary.parquet"), pd.read_parquet(folder / "cascades.parquet")
    except (OSError, ValueError) as error:
        raise FolderError(f"{folder} is not a whole folder of the laboratory: {error}") from error


def curve(axes: Axes, table: pd.DataFrame, figure: str, series: Sequence[str], title: str) -> Axes:
    """``figure`` ("frequency" or "extent") of each of the ``series`` over x: points, intervals as bars, the analytic
    value of an infinite network as a line."""
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


def sizes(axes: Axes, cascades: pd.DataFrame, name: str, at: Sequence[float], what: str) -> Axes:
    """Complementary cumulative distribution of the share that fails, one step line for each x in ``at``."""
    shades = (GREY, BLUE, RED, ORANGE)
    for colour, x in zip(shades, at, strict=False):
        found = np.sort(cascades[(cascades["series"] == name) & (cascades["x"] == x)]["share"].to_numpy())
        if not found.size:
            continue
        places = np.concatenate([found, found[-1:] * 1.0001])
        above = np.concatenate([1.0 - np.arange(found.size) / found.size, [0.0]])
        axes.plot(places, np.maximum(above, 0.5 / found.size), color=colour, drawstyle="steps-pre", linewidth=1.2,
                  label=f"{x:g}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(percent)
    axes.yaxis.set_major_formatter(percent)
    axes.set_title("Sizes of cascades")
    axes.set_xlabel("share of institutions that fail, at least")
    axes.set_ylabel("share of runs")
    axes.legend(title=f"{name},\n{what}", title_fontsize=7.2, fontsize=7.5, loc="lower left", alignment="left")
    return axes


def representative(table: pd.DataFrame, series: str) -> list[float]:
    """Four places on the curve: before, inside and at the end of the window in which failures become systemic."""
    rows = table[table["series"] == series].sort_values("x")
    inside = rows[rows["frequency"] > 0.0]["x"].to_numpy()
    every = rows["x"].to_numpy()
    if inside.size < 3:
        return [float(x) for x in every[np.linspace(0, len(every) - 1, 3).round().astype(int)]]
    wanted = (inside[0], inside[inside.size // 2], inside[-1])
    return [float(x) for x in dict.fromkeys((*wanted, every[-1]))]


def experiment_figure(manifest: dict[str, Any], summary: pd.DataFrame, cascades: pd.DataFrame) -> Figure:
    """Frequency, extent and sizes side by side, with the legend below the title."""
    series = list(dict.fromkeys(summary["series"]))
    main = series[1] if len(series) == 3 else series[0]
    figure = Figure(figsize=(10.2, 3.75))
    boxes = [(0.065 + 0.325 * column, 0.175, 0.255, 0.56) for column in range(3)]
    frequency, extent, distribution = (figure.add_axes(box) for box in boxes)
    curve(frequency, summary, "frequency", series, "Frequency of systemic failure")
    curve(extent, summary, "extent", series, "Extent where systemic")
    frequency.set_ylabel("share of runs")
    extent.set_ylabel("share of institutions that fail")
    for axes in (frequency, extent):
        axes.set_xlabel(manifest["x"])
        if summary["x"].max() <= 0.6:
            axes.xaxis.set_major_formatter(percent)
    sizes(distribution, cascades, main, representative(summary, main), manifest["x"])
    handles = [Line2D([], [], color=colour, marker="o", markersize=3.5, linewidth=0) if _analytic(summary) else
               Line2D([], [], color=colour, marker="o", markersize=3.5) for colour, _ in zip(SERIES_COLOURS, series,
                                                                                             strict=False)]
    labels = list(series)
    if _analytic(summary):
        handles.append(Line2D([], [], color=GREY))
        labels.append("infinite network, analytic")
    figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(0.053, 0.905), ncols=5, borderaxespad=0.0)
    figure.text(0.06, 0.985, manifest["question"], fontsize=11, weight="bold", va="top")
    figure.text(0.995, 0.012, _note(manifest), fontsize=6.8, color="#555555", ha="right", va="bottom")
    return figure


def _analytic(summary: pd.DataFrame) -> bool:
    return bool(summary["analytic_frequency"].notna().any())


def _note(manifest: dict[str, Any]) -> str:
    start = f"systemic: at least {percent(manifest['systemic'])} of {manifest['institutions']:,} institutions fail; "
    if manifest["given_network"]:
        return start + "each institution fails once"
    return (start + f"{manifest['runs']:,} random networks per point, 95 % intervals (Wilson; Student for the extent); "
            f"{manifest['source']}")


def write_picture(folder: Path) -> Path:
    """Draw ``folder``/picture.png from the folder's tables."""
    with house_style():
        figure = experiment_figure(*load_experiment(folder))
        path = folder / "picture.png"
        figure.savefig(path, dpi=200, metadata={"Software": None})
    return path
