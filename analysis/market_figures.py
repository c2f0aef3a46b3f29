"""Figures of market series, as chapters of the report use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from analysis.load import Run
from analysis.page import Chapter, table, text
from analysis.plots import lines
from analysis.plots.style import COLOURS, Formatter, finish, short

MOST_LINES = len(COLOURS)
"""Institutions that get a line of their own."""


def window_of(days: int) -> int:
    """Days over which a run of ``days`` days is averaged in figures.
    >>> window_of(1095)
    30
    """
    return 30 if days >= 180 else 7 if days >= 30 else 1


def market_lines(run: Run, names: Mapping[str, str], window: int = 1) -> pd.DataFrame | None:
    """Days x labels of the market series ``names`` (series -> label) that the run has, as means of ``window`` days.

    None where there is nothing to draw. Units are those of the series.
    >>> market_lines(run, {"amm.price": "price"}, 1).shape
    (200, 1)
    """
    found = {label: run.series(name) for name, label in names.items()}
    present = {label: series for label, series in found.items() if series is not None}
    if not present:
        return None
    smoothed = lines.smooth(pd.DataFrame(present), window).dropna(how="all")
    return smoothed if len(smoothed) > 1 else None


def add_lines(chapter: Chapter, run: Run, names: Mapping[str, str], title: str, unit: str, caption: str,
              formatter: Formatter | None = short, window: int = 1, from_zero: bool = True,
              styles: Sequence[str] = (), steps: bool = False, colours: Sequence[str] = COLOURS) -> None:
    """Add a figure of market series (series -> label), if the run has any of them.
    >>> add_lines(chapter, run, {"amm.price": "price"}, "Price", "USD", "The first pool's.")
    """
    found = market_lines(run, names, window)
    if found is not None:
        chapter.figure(lambda axes: lines.lines(axes, found, title, lines.in_days(unit, window), formatter, run.days,
                                                from_zero, styles, steps, colours), caption)


def add_institutions(chapter: Chapter, run: Run, name: str, title: str, unit: str, caption: str) -> None:
    """Add one line for each institution of a series in USD; the range and the median where there are many.
    >>> add_institutions(chapter, run, "insurance.capital", "Capital", "USD", "Own funds.")
    """
    found = run.by_institution(name)
    if found is None or len(found) < 2:
        return
    if found.shape[1] <= MOST_LINES:
        chapter.figure(lambda axes: lines.lines(axes, found, title, unit, short, run.days), caption)
    else:
        chapter.figure(lambda axes: finish(lines.spread(axes, found, "institution"), title, unit, short), caption)


def any_of(run: Run, name: str) -> bool:
    """Whether a market series is anything but zero on some day.
    >>> any_of(run, "amm.price")
    True
    """
    found = run.series(name)
    return found is not None and bool((found != 0).any())


def add_figures(chapter: Chapter, run: Run, title: str,
                figures: Sequence[tuple[str, str, Callable[[float], str]]]) -> None:
    """Add a table of the ``figures`` (label, metric, format of a number in the metric's unit) that the run has, if any.
    >>> add_figures(chapter, run, "Claims", [("Days, median", "claims.delay_p50", str)])
    """
    rows = [[text(label), text(form(run.metrics[name]))] for label, name, form in figures if name in run.metrics]
    if rows:
        chapter.below.append(f"<h3>{text(title)}</h3>" + table(["figure", "this run"], rows, (1,)))
