"""Own funds against requirements, MCR %, loss ratios, states of the pools."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from analysis.plots.lines import spread
from analysis.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    RED,
    SKY,
    Formatter,
    finish,
    head,
    percent,
    short,
    thin,
    time_axis,
)

PARTS = ("senior", "junior")
"""Columns of own funds that are stacked; what else is known of scr and mcr is drawn as lines."""


def layers(axes: Axes, table: pd.DataFrame, labels: dict[str, str], title: str, unit: str,
           formatter: Formatter | None = short) -> Axes:
    """Columns of ``table`` (days x parts, all >= 0) stacked as areas, in the order of ``labels`` (column -> name).

    >>> layers(axes, pd.DataFrame({"a": [1.0, 2.0]}), {"a": "first"}, "Layers", "USD").get_ylabel()
    'USD'
    """
    shown = sorted(set(thin(table.sum(axis=1)).index))
    rows = table.loc[shown]
    present = [column for column in labels if column in table]
    axes.stackplot(rows.index, *(rows[column].fillna(0.0) for column in present), linewidth=0,
                   labels=[labels[column] for column in present], colors=(BLUE, SKY, ORANGE, GREEN))
    axes.set_ylim(bottom=0)
    time_axis(axes, int(table.index.max()) + 1)
    return finish(axes, title, unit, formatter)


def own_funds(axes: Axes, table: pd.DataFrame) -> Axes:
    """Senior and junior capital of all pools stacked, with what is required of them: ``table`` is that of
    :func:`analysis.solvency.own_funds` (days x [senior, junior, scr, mcr], USD).

    >>> own_funds(axes, pd.DataFrame({"senior": [2.0, 2.0], "junior": [1.0, 1.0], "scr": [2.5, 2.5]})).get_ylabel()
    'USD, all pools'
    """
    for column, label, style in (("scr", "SCR", "-"), ("mcr", "MCR", "--")):
        if column in table:
            values = thin(table[column])
            axes.plot(values.index, values, color=BLACK, linestyle=style, linewidth=1.2, label=label)
    return layers(axes, table, {"senior": "senior", "junior": "junior, with surplus"},
                  "Capital of the pools", "USD, all pools")


def mcr_percent(axes: Axes, table: pd.DataFrame, gate: pd.Series[float] | None = None) -> Axes:
    """MCR % (capital over the minimum requirement; days x pools, ratio): range, median, the pool that fell lowest,
    and the ``gate`` (by day) below which no withdrawal is paid.

    >>> mcr_percent(axes, run.by_institution("insurance.mcr_ratio")).get_ylabel()
    'capital / MCR'
    """
    spread(axes, table, "pool")
    lowest = table.min().idxmin()
    values = thin(table[lowest].dropna())
    axes.plot(values.index, values, color=RED, linewidth=1.0, label=f"{str(lowest)[:12]} (lowest)")
    if gate is not None:
        axes.plot(gate.index, gate, color=BLACK, linestyle="--", linewidth=1.0, drawstyle="steps-post", label="gate")
    axes.set_ylim(min(0.0, float(np.nanmin(table))), min(float(np.nanmax(table)) * 1.08, 10.0))
    time_axis(axes, int(table.index.max()) + 1)
    return finish(axes, "MCR %", "capital / MCR", percent)


def loss_ratios(axes: Axes, table: pd.DataFrame, together: pd.Series[float], window: int,
                priced: float | None = None) -> Axes:
    """Loss ratio of the last ``window`` days: range and median of pools (days x pools), all pools ``together``, and
    the ratio that premiums are ``priced`` for.

    >>> loss_ratios(axes, pd.DataFrame({"A": [0.8, 0.9]}), pd.Series([0.8, 0.9]), 30).get_ylabel()
    'incurred / earned premium'
    """
    spread(axes, table, "pool")
    values = thin(together.dropna())
    axes.plot(values.index, values, color=RED, label="all pools")
    if priced is not None:
        axes.axhline(priced, color=BLACK, linestyle="--", linewidth=1.0, label="priced for")
    most = max(2.0, 2.5 * float(np.nanmax(together)))  # one large claim can lift a small pool's ratio to any height
    axes.set_ylim(min(0.0, float(np.nanmin(table))), min(1.06 * float(np.nanmax(table)), most))
    time_axis(axes, int(table.index.max()) + 1)
    return finish(axes, f"Loss ratio of the last {window} days", "incurred / earned premium", percent)


def stretches(values: pd.Series[float], state: int) -> list[tuple[int, int]]:
    """(first day, number of days) of each unbroken stretch in which ``values`` (by day) are ``state``.

    >>> stretches(pd.Series([0.0, 1.0, 1.0, 0.0]), 1)
    [(1, 2)]
    """
    inside = np.concatenate([[False], values.to_numpy(dtype="float64") == state, [False]]).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(inside) == 1), np.flatnonzero(np.diff(inside) == -1)
    first = int(values.index.min())
    return [(first + int(start), int(end - start)) for start, end in zip(starts, ends, strict=True)]


def states(axes: Axes, table: pd.DataFrame, names: tuple[str, ...]) -> Axes:
    """A strip for each pool (days x pools, values 0 ..) coloured by its state; ``names`` are the states' names.

    >>> states(axes, run.by_institution("insurance.state"), ("active", "gated")).get_ylabel()
    'pool'
    """
    colours = ("#e8eef2", ORANGE, RED, BLACK)[:len(names)]
    pools = list(table.columns)
    for row, pool in enumerate(pools):
        for state, colour in enumerate(colours):
            axes.broken_barh(stretches(table[pool], state), (row - 0.42, 0.84), facecolors=colour, linewidth=0)
    axes.set_yticks(range(len(pools)), [str(pool)[:10] for pool in pools])
    axes.set_ylim(len(pools) - 0.5, -0.5)
    axes.grid(visible=False)
    time_axis(axes, int(table.index.max()) + 1)
    axes.set_ylabel("pool")
    return head(axes, "States of the pools", [Patch(color=colour) for colour in colours], names)
