"""The chapter on how claims develop: loss triangles, link ratios, reserves held against the chain ladder."""

from __future__ import annotations

import math

import pandas as pd

from analysis import triangles
from analysis.load import Run
from analysis.page import Chapter, folded, number, table, text
from analysis.plots import triangles as plots

TITLE, PLACE = "Development of claims", 60

SHOWN = 13
"""Development periods of a table; later ones hold nothing of care that is billed within weeks."""


def development_chapter(chapter: Chapter, run: Run) -> None:
    """Development of claims by accident period, held reserves against the chain ladder, the triangles themselves.

    >>> development_chapter(chapter, run)
    """
    period = triangles.period_months(run)
    incurred = triangles.cumulative(run, "incurred", period)
    if len(incurred) < 3 or float(incurred.max().max()) <= 0.0:
        return
    paid = triangles.cumulative(run, "paid", period)
    unit = "month" if period == 1 else "quarter"
    chapter.figure(lambda axes: plots.development(axes, paid, incurred, unit),
                   f"All pools: a line for each accident {unit}, as a share of its chain-ladder ultimate. Where "
                   "reported claims exceed 100 %, some were denied or corrected downwards.", over_time=False)
    reserves = triangles.reserve_table(run, period)
    chapter.figure(lambda axes: plots.reserves(axes, reserves),
                   "Claims incurred but not reported: what pools held, and what the chain ladder on their own triangle "
                   f"asks for, at the end of the last whole {unit}.", over_time=False)
    expected = run.by_institution("insurance.run_off_expected")
    actual = run.by_institution("insurance.run_off_actual")
    if expected is not None and actual is not None and len(expected) > 60:
        chapter.figure(lambda axes: plots.run_off(axes, expected.sum(axis=1), actual.sum(axis=1), run.days),
                       "All pools: growth of the claims of past months in the last whole month. Actual above expected "
                       "means that reserves were short.")
    chapter.below.append(f"<h3>Loss triangle of all pools, by accident {unit} of {30 * period} days</h3>")
    chapter.below.append(triangle_html(paid, "Cumulative paid claims, USD", unit))
    chapter.below.append(triangle_html(incurred, "Cumulative incurred claims (reported, corrected when decided), USD",
                                       unit))
    chapter.below.append(ratios_html(incurred, unit))
    chapter.below.append(reserves_html(reserves))
    pools = [name for name in reserves.index if name != "all pools"]
    if len(pools) > 1:
        each = "".join(triangle_html(triangles.cumulative(run, "incurred", period, pool), f"{pool}: incurred, USD",
                                     unit) for pool in pools[:12])
        chapter.below.append(folded("Incurred triangles of the single pools", each))


def _cells(row: pd.Series[float], form: str) -> list[str]:
    """Figures of a row in the format ``form``; nothing where they are not known."""
    return ["" if math.isnan(value) else format(value, form) for value in row.to_numpy()[:SHOWN]]


def triangle_html(triangle: pd.DataFrame, title: str, unit: str) -> str:
    """A cumulative triangle as HTML, with a line that says how much later development is left out.

    ``triangle`` is accident periods x development periods, USD, as :func:`analysis.triangles.cumulative` gives it.

    >>> triangle_html(triangles.cumulative(run, "paid"), "Paid, USD", "month").count("<tr>")
    7
    """
    if triangle.empty:
        return ""
    shown = min(triangle.shape[1], SHOWN)
    heads = [f"accident {unit}", *(str(d) for d in range(shown))]
    rows = [[str(a), *_cells(row, ",.0f")] for a, row in triangle.iterrows()]
    note = f" Development beyond {unit} {SHOWN - 1} is left out." if triangle.shape[1] > SHOWN else ""
    return (f'<p class="meta">{text(title)}; columns: {unit}s after the accident {unit}.{note}</p>'
            + table(heads, rows, range(1, shown + 1)))


def ratios_html(triangle: pd.DataFrame, unit: str) -> str:
    """Link ratios of a triangle, with their volume-weighted average and the factor to ultimate, as HTML.

    ``triangle`` is accident periods x development periods, USD; ratios have no unit.

    >>> ratios_html(triangles.cumulative(run, "paid"), "month").count("<tr>")
    8
    """
    ratios, average = triangles.link_ratios(triangle), triangles.average_ratios(triangle)
    shown = min(ratios.shape[1], SHOWN)
    heads = [f"accident {unit}", *(f"{d}–{d + 1}" for d in range(shown))]
    rows = [[str(a), *_cells(row, ".4f")] for a, row in ratios.iloc[:-1].iterrows()]
    rows.append(["<b>volume-weighted</b>", *_cells(average, ".4f")])
    rows.append(["<b>to ultimate</b>", *_cells(average[::-1].cumprod()[::-1], ".4f")])
    return (f'<p class="meta">Link ratios of incurred claims, from one {unit} to the next</p>'
            + table(heads, rows, range(1, shown + 1)))


def reserves_html(reserves: pd.DataFrame) -> str:
    """Chain-ladder ultimates against held reserves as HTML.

    ``reserves`` is that of :func:`analysis.triangles.reserve_table` (pools x figures, USD).

    >>> reserves_html(triangles.reserve_table(run, 1)).count("<tr>")
    4
    """
    heads = ["pool", *(text(column) for column in reserves.columns)]
    rows = [[text(name), *("–" if value is None or math.isnan(value) else number(round(value))
                           for value in row)] for name, row in reserves.astype(float).iterrows()]
    return ('<p class="meta">Chain ladder against held reserves, USD</p>'
            + table(heads, rows, range(1, len(heads))))
