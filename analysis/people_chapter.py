"""The report's chapter on people: cover, concentration of spending, own payments, hardship."""

from __future__ import annotations

from analysis import hardship
from analysis.load import Run
from analysis.market_figures import add_lines, window_of
from analysis.page import Chapter
from analysis.plots import bars
from analysis.plots import hardship as hardship_plots
from analysis.plots.style import percent

TITLE, PLACE = "People", 90


MEPS_2016 = {"1": 0.219, "5": 0.50, "10": 0.66, "50": 0.972}
"""AHRQ Statistical Brief 521: shares of spending of the US civilian population, 2016."""


def people_chapter(chapter: Chapter, run: Run) -> None:
    """Cover by income and over time, concentration of spending, payments outside insurance.
    >>> people_chapter(chapter, run)"""
    window = window_of(run.days)
    table = hardship.by_decile(run)
    if "patients.uninsured_decile_1" in run.metrics and not len(table):
        chapter.figure(lambda axes: bars.deciles(
            axes, run.metrics, "patients.uninsured_decile_", "Uninsured by income, at the end",
            "income decile (1 = poorest)", "share without cover"),
            "Neither public cover nor a pool's. Public cover reaches the poor and the old.", over_time=False)
    add_lines(chapter, run, {"patients.uninsured": "share"}, "Uninsured", "share of all patients",
              "Steps are open enrolments and lapses.", formatter=percent)
    if "patients.top1_share" in run.metrics:
        chapter.figure(lambda axes: bars.concentration(axes, run.metrics, "patients.top", MEPS_2016, "MEPS 2016"),
                       "A few fall dearly ill: the model must put as much of the spending on them as surveys do.",
                       over_time=False)
    if len(table):
        chapter.figure(lambda axes: hardship_plots.catastrophic(axes, table),
                       "Own payments over income (indicator 3.8.2 of the Sustainable Development Goals) and over "
                       "capacity to pay. Black lines are Wilson intervals, person-years taken as independent.",
                       over_time=False)
        chapter.figure(lambda axes: hardship_plots.uninsured(axes, table),
                       "At the end of each whole year: neither public cover nor a pool's. Public cover reaches the "
                       "poor and the old.", over_time=False)
    add_lines(chapter, run, {"patients.own_payments": "patients themselves", "patients.charity_care": "charity"},
              "Paid for care outside insurance", "USD a day", "What patients owe beyond their cash is charity care.",
              window=window)
