"""The report's chapter on reinsurance: premium and recoveries, losses passed on, what is owed, sellers' capital."""

from __future__ import annotations

from analysis.load import Run
from analysis.market_figures import add_institutions, add_lines, window_of
from analysis.page import Chapter
from analysis.plots.style import percent, short

TITLE, PLACE = "Reinsurance", 30


def reinsurance_chapter(chapter: Chapter, run: Run) -> None:
    """Premium against recoveries, losses passed on in rounds, what is owed and overdue, prices, sellers' capital.
    >>> reinsurance_chapter(chapter, run)
    """
    if run.series("reinsurance.premium") is None:
        return
    window = window_of(run.days)
    add_lines(chapter, run, {"reinsurance.premium": "premium", "reinsurance.recovered": "recoveries"},
              "Reinsurance premium against recoveries", "USD a day",
              "Premium less commission, and what sellers paid.", short, window)
    add_lines(chapter, run, {"reinsurance.ceded": "ceded in all rounds", "reinsurance.ceded_first": "ceded first"},
              "Losses ceded", "USD a day", "What a seller has assumed goes through its own treaties. Where the upper "
              "line leaves the lower one, losses travel on; in a circle they come back.", short, min(window, 7))
    add_lines(chapter, run, {"reinsurance.recoverables": "recoverable", "reinsurance.overdue": "overdue"},
              "Owed by reinsurers", "USD", "Ceded losses that sellers still owe, and the part that fell due before.")
    add_lines(chapter, run, {"reinsurance.rate_on_line": "rate on line", "reinsurance.limit_used": "limit used"},
              "Price and use of limits", "share of placed annual limit",
              "Premium over placed limit of treaties in force, and how much of their limit is used.", percent)
    add_institutions(chapter, run, "reinsurance.capital", "Capital of reinsurers", "USD",
                     "Assets less liabilities. A seller whose capital is gone is in default.")
