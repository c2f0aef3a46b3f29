"""Capital, required capital, premiums against claims, losses by layer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.load import Run
from analysis.plots.style import COLOURS, money, percent, year_axis


def capital(axes: Axes, table: pd.DataFrame, required: pd.DataFrame | None = None) -> Axes:
    """Capital of each pool (dollars; days x pools), with the pools' summed requirement as a dashed line.

    Pools are drawn thin, the sum thick on the right-hand scale of the same axes.
    """
    for pool in table:
        axes.plot(table.index, table[pool], color=COLOURS[5], linewidth=0.7, alpha=0.7)
    axes.plot(table.index, table.sum(axis=1, min_count=1), color=COLOURS[0], linewidth=2.0, label="all pools")
    if required is not None:
        axes.plot(required.index, required.sum(axis=1, min_count=1), color=COLOURS[1], linestyle="--",
                  label="required, all pools")
    axes.plot([], [], color=COLOURS[5], linewidth=0.7, label="each pool")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(money))
    axes.set_ylabel("USD")
    axes.set_title("Capital of the pools")
    axes.legend(loc="upper left", ncols=3)
    year_axis(axes, int(table.index.max()) + 1)
    return axes


def mcr_percent(axes: Axes, table: pd.DataFrame) -> Axes:
    """Capital over required minimum of each pool (days x pools, ratio), with the gate at 100 %."""
    lower, middle, upper = (table.quantile(q, axis=1) for q in (0.0, 0.5, 1.0))
    axes.fill_between(table.index, lower, upper, color=COLOURS[5], alpha=0.35, linewidth=0,
                      label=f"least to most of {table.shape[1]} pools")
    axes.plot(table.index, middle, color=COLOURS[0], label="median pool")
    axes.axhline(1.0, color=COLOURS[1], linestyle="--", linewidth=1.0, label="gate")
    axes.yaxis.set_major_formatter(FuncFormatter(percent))
    axes.set_ylim(0, min(float(np.nanmax(upper)) * 1.15, 10.0))
    axes.set_ylabel("capital / MCR")
    axes.set_title("MCR %")
    axes.legend(loc="upper right", ncols=3)
    year_axis(axes, int(table.index.max()) + 1)
    return axes


def premiums_against_claims(axes: Axes, run: Run, window: int = 30) -> Axes:
    """Earned premium, incurred and paid claims of all pools: dollars a day, mean of ``window`` days."""
    for name, label, colour in (("insurance.earned_premium", "earned premium", COLOURS[0]),
                                ("insurance.incurred", "incurred claims", COLOURS[1]),
                                ("insurance.paid", "paid claims", COLOURS[2])):
        table = run.by_institution(name)
        if table is None:
            continue
        axes.plot(table.sum(axis=1).rolling(window, min_periods=window).mean(), color=colour, label=label)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(money))
    axes.set_ylabel(f"USD a day ({window}-day mean)")
    axes.set_title("Premiums against claims")
    axes.legend(loc="lower right", ncols=3)
    year_axis(axes, int(run.daily.index.max()) + 1)
    return axes


def loss_triangle(triangle: pd.DataFrame) -> pd.DataFrame:
    """Cumulative claims by accident quarter (rows) and development quarter (columns) from rows of
    ``accident``, ``development``, ``amount`` (dollars)."""
    wide = triangle.pivot_table(index="accident", columns="development", values="amount", aggfunc="sum").fillna(0.0)
    return wide.cumsum(axis=1)
