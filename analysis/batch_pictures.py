"""Pictures over the runs of a batch, for its report: fans, survival, tails, cascades, phase maps, tornado charts.

Each function adds what the batch has data for to a chapter, and nothing otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from analysis import tail
from analysis.batch import DONE, METRIC, PARAMETER, Batch
from analysis.glossary import NOTHING_KNOWN, Glossary
from analysis.intervals import is_indicator
from analysis.over_runs import ends_table, fan, phase_table
from analysis.page import Chapter
from analysis.plots import over_runs, survival
from analysis.plots import tail as tail_plots
from analysis.plots.style import percent, short
from analysis.survival import kaplan_meier

Groups = Mapping[str, pd.DataFrame]
"""Label -> rows of :attr:`analysis.batch.Batch.runs`, finished."""

FANS = ("insurance.total_capital", "insurance.pooled_loss_ratio", "liquidity_providers.value", "patients.uninsured",
        "contagion.failures", "amm.price", "epidemic.prevalence")
"""Daily series that are drawn as fans, where the runs recorded them."""

LOSSES = ("insurance.paid_claims", "insurance.unpaid_claims", "insurance.incurred_loss_ratio_highest",
          "contagion.unpaid_obligations")
"""Figures of a run that are losses: the higher the worse."""

RUIN, RUIN_DAY, CASCADE = "insurance.any_default", "insurance.time_to_ruin_days", "contagion.cascade_size"
BALANCED = ("grid", "lhs", "sobol")
"""Designs in which the ends of one parameter meet the same values of the others."""

LEAST_FAN, LEAST_TAIL, LEAST_FIT, MOST_CURVES = 5, 15, 50, 4
"""Fewest runs of a fan, of an exceedance curve, of a fitted tail; most curves in one picture."""


def add_fans(chapter: Chapter, batch: Batch, groups: Groups, glossary: Glossary = NOTHING_KNOWN) -> None:
    """Fan charts (days, unit of the series) of :data:`FANS` over the runs of the first group.

    >>> add_fans(chapter, batch, {"main": batch.runs})
    """
    label, runs = next(iter(groups.items()))
    if len(runs) < LEAST_FAN:
        return
    of = f" of {label}" if len(groups) > 1 else ""
    for name in FANS:
        paths = batch.daily(name, runs["index"]) if name in batch.series else pd.DataFrame()
        if len(paths) < 2 or float(np.nanmax(paths.to_numpy()) - np.nanmin(paths.to_numpy())) == 0.0:
            continue
        unit = glossary.axis(name, over_time=True)
        chapter.figure(partial(over_runs.fan, table=fan(paths), runs=paths.shape[1], title=name, unit=unit),
                       f"{glossary.meaning(name)}: quantiles over the runs{of}, day by day.")


def add_survival(chapter: Chapter, groups: Groups) -> None:
    """Kaplan-Meier curves of markets (days until the first pool defaults), one for each group; runs without a default
    are censored at their horizon.

    >>> add_survival(chapter, {"main": batch.runs})
    """
    ruin, day = METRIC + RUIN, METRIC + RUIN_DAY
    tables = {}
    for label, runs in list(groups.items())[:MOST_CURVES]:
        known = runs[[ruin, day]].dropna() if {ruin, day} <= set(runs) else pd.DataFrame()
        if len(known) >= LEAST_FAN:
            tables[label] = kaplan_meier(known[day], known[ruin] > 0)
    if not any(bool(table["events"].sum()) for table in tables.values()):
        return
    chapter.figure(partial(survival.survival, tables=tables, subject="market"),
                   "Share of runs in which no pool has defaulted yet; ticks are runs that reached their horizon.",
                   over_time=False, height=3.1 + 0.16 * len(tables),
                   margins=(*survival.MARGINS[:2], 0.84 + 0.16 * len(tables), survival.MARGINS[3]))


def add_tails(chapter: Chapter, groups: Groups, glossary: Glossary = NOTHING_KNOWN, fits: bool = True) -> None:
    """Exceedance curves (share of runs by loss, with the return period) of :data:`LOSSES`, and with ``fits``, where a
    group is large, QQ and mean excess against a generalized Pareto tail.

    >>> add_tails(chapter, {"main": batch.runs})
    """
    shown = dict(list(groups.items())[:MOST_CURVES])
    for name in LOSSES:
        column = METRIC + name
        losses = {label: runs[column].dropna() for label, runs in shown.items() if column in runs}
        losses = {label: one for label, one in losses.items() if len(one) >= LEAST_TAIL}
        same = len(losses) > 1 and all(np.array_equal(one, next(iter(losses.values()))) for one in losses.values())
        if not losses or same or pd.concat(list(losses.values())).nunique() < LEAST_TAIL:
            continue
        what, unit = name.rpartition(".")[2].replace("_", " "), glossary.axis(name)
        formatter = percent if unit == "ratio" else short
        tables = {label: tail.exceedance(one) for label, one in losses.items()}
        chapter.figure(partial(tail_plots.exceedance, tables=tables, runs=max(map(len, losses.values())), what=what,
                               unit=unit, formatter=formatter),
                       f"{glossary.meaning(name)}. One run in so many has at least that.", over_time=False,
                       margins=tail_plots.MARGINS)
        label, largest = max(losses.items(), key=lambda one: len(one[1]))
        if fits and len(largest) >= LEAST_FIT and largest.nunique() >= LEAST_FIT // 2:
            _add_fit(chapter, largest, what if len(groups) == 1 else f"{what}, {label}", unit)


def _add_fit(chapter: Chapter, losses: pd.Series[float], what: str, unit: str) -> None:
    """QQ of the tail and mean excess of one group's losses."""
    formatter = percent if unit == "ratio" else short
    table, xi = tail.tail_quantiles(losses)
    chapter.figure(partial(tail_plots.quantiles, table=table, xi=xi, what=what, unit=unit, formatter=formatter),
                   "The largest fifth against the tail fitted to it. Points outside the band are larger or smaller "
                   "than such a tail would make them; xi above 0 is a power law.", over_time=False)
    excess = tail.mean_excess(losses)
    if len(excess) > 3:
        chapter.figure(partial(tail_plots.mean_excess, table=excess, what=what, unit=unit, formatter=formatter),
                       "How far losses above a threshold exceed it on average. A rising line is a heavy tail.",
                       over_time=False)


def add_cascades(chapter: Chapter, groups: Groups) -> None:
    """Share of runs by the size of their largest cascade (institutions), log-log, where any failed.

    >>> add_cascades(chapter, {"main": batch.runs})
    """
    column = METRIC + CASCADE
    sizes = {label: runs[column].dropna() for label, runs in list(groups.items())[:MOST_CURVES] if column in runs}
    tables = {label: tail.cascade_sizes(one) for label, one in sizes.items() if len(one) >= LEAST_FAN}
    if any(len(table) for table in tables.values()):
        runs = max(len(sizes[label]) for label in tables)
        chapter.figure(partial(tail_plots.cascades, tables=tables, runs=runs),
                       "Largest cascade of a run; runs without a failure count in the share.", over_time=False)


def add_maps(chapter: Chapter, batch: Batch, names: list[str], glossary: Glossary = NOTHING_KNOWN) -> None:
    """Phase maps of the figures ``names`` over the two numeric parameters of a grid; shares have a contour at one half.

    >>> add_maps(chapter, batch, ["insurance.any_default"])
    """
    if batch.design != "grid" or len(batch.parameters) != 2 \
            or not all(is_numeric_dtype(batch.runs[PARAMETER + path]) for path in batch.parameters):
        return
    x, y = batch.parameters
    for name in names:
        table = phase_table(batch.runs, x, y, name)
        if len(table) < 4 or table["mean"].nunique() < 2:
            continue
        share = is_indicator(batch.runs[METRIC + name].dropna().to_numpy(dtype="float64"), name)
        unit = "share of runs" if share else glossary.axis(name)
        level = 0.5 if share else None
        chapter.figure(partial(over_runs.phase_map, table=table, names=(x, y), title=name, unit=unit, level=level,
                               formatter=percent if share or unit == "ratio" else short),
                       f"{glossary.meaning(name)}: mean of the runs of each cell.", over_time=False, height=3.6,
                       margins=(0.9, 0.14, 0.5, 0.34))


def add_tornado(chapter: Chapter, batch: Batch, names: list[str], glossary: Glossary = NOTHING_KNOWN) -> None:
    """Tornado charts: means of the figures ``names`` (in their units) at the low and at the high end of each numeric
    parameter of a sweep of several, whatever the others were.

    >>> add_tornado(chapter, batch, ["insurance.any_default"])
    """
    paths = [path for path in batch.parameters if is_numeric_dtype(batch.runs[PARAMETER + path])]
    if len(paths) < 2 or batch.design not in BALANCED:
        return
    done = batch.runs[batch.runs["status"] == DONE]
    whole = " (the quarter of runs nearest to it)" if batch.design != "grid" else ""
    longest = max(map(len, paths))
    for name in names:
        values = done[METRIC + name].dropna()
        table = ends_table(batch.runs, paths, name)
        if values.nunique() < 2 or table[["low", "high"]].isna().to_numpy().any():
            continue
        unit = glossary.axis(name)
        chapter.figure(partial(over_runs.tornado, table=table, base=float(values.mean()), title=name, unit=unit,
                               runs=int(table["n"].min()), formatter=percent if unit == "ratio" else short),
                       f"{glossary.meaning(name)}: mean where a parameter is at the end of its range{whole}, over all "
                       "values of the others, whose spread is in the 95 % intervals. The line is the mean of all runs.",
                       over_time=False, height=max(2.4, 1.3 + 0.34 * len(paths)),
                       margins=(min(2.9, 0.25 + 0.068 * longest), 0.2, 0.46, 0.34))
