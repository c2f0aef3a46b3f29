"""The report's chapter on plans: who is where, what it costs, what is asked for it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes

from analysis import selection
from analysis.load import Run
from analysis.page import Chapter, number, table, text
from analysis.plots import lines
from analysis.plots.style import Formatter, percent, short

TITLE, PLACE = "Plans", 100

FIGURES: tuple[tuple[str, str, str, str, str, Formatter, bool], ...] = (
    ("selection.enrolment_share", "", "Enrolment by plan", "share of the insured",
     "Members of each plan over all insured persons; changes come with open enrolment.", percent, True),
    ("selection.base_rate", "selection.members", "Premium by plan", "USD a year, base rate",
     "What is asked for a person of age factor 1; zero once a plan is closed. Where each plan is rated on its own "
     "experience, the distance follows who is in it.", short, True),
    ("selection.care_cost", "selection.members", "Care received by members", "USD a member-year, last 365 days",
     "Average cost by plan: its distance is selection and, in a small part, more care under more cover.", short, False),
    ("selection.loss_ratio", "selection.members", "Loss ratio by plan", "claims less transfers over premium",
     "Over the last 365 days. A plan above its neighbour asks for a higher rate at the next filing.", percent, False),
)
"""Series, weight of a mean over pools, title, unit, caption, format, steps."""

HEADS = {"members": "members", "rate": "rate, USD", "loss_ratio": "loss ratio, 365 days",
         "care_cost": "care a member-year, USD", "transfers": "received for risk, USD"}


def plan_chapter(chapter: Chapter, run: Run) -> None:
    """Enrolment, premium, cost and loss ratio by plan, the gaps between plans, and a table of their ends.

    >>> plan_chapter(chapter, run)
    """
    for name, weight, title, unit, caption, formatter, steps in FIGURES:
        found = selection.by_plan(run, name, weight)
        if found is not None and len(found) > 1:
            chapter.figure(drawing(found, title, unit, formatter, run.days, steps), caption)
    gaps = {label: run.series(name) for name, label in (
        ("selection.premium_gap", "premium"), ("selection.realised_cost_gap", "care received"))}
    present = {label: series for label, series in gaps.items() if series is not None}
    if present and selection.by_plan(run, "selection.enrolment_share") is not None:
        joined = pd.DataFrame(present)
        chapter.figure(drawing(joined, "Generous plan less the others", "USD a year", short, run.days, False),
                       "Difference of mean premiums and of mean care. In a death spiral the first follows the second "
                       "until nobody is left.")
    last = selection.ends(run)
    if last is not None:
        rows = [[text(name), *(number(round(float(row[column]), 2 if column == "loss_ratio" else 0))
                               if row[column] == row[column] else "" for column in last.columns)]
                for name, row in last.iterrows()]
        chapter.below.append("<h3>Plans at the end</h3>" + table(
            ["plan", *(HEADS[column] for column in last.columns)], rows, tuple(range(1, last.shape[1] + 1))))


def drawing(found: pd.DataFrame, title: str, unit: str, formatter: Formatter, days: int,
            steps: bool) -> Callable[[Axes], Axes]:
    """A figure of lines, one for each column of ``found``.

    ``found`` is days x labels, in ``unit``.

    >>> drawing(pd.DataFrame({"a": [1.0, 2.0]}), "Price", "USD", short, 2, False)(axes).get_ylabel()
    'USD'
    """
    return lambda axes: lines.lines(axes, found, title, unit, formatter, days, steps=steps)
