"""The report's chapters on reinsurance and on contagion: who owes whom, who failed, in which round, through what."""

from __future__ import annotations

import pandas as pd

from analysis.load import Run
from analysis.market_figures import add_lines, window_of
from analysis.page import Chapter, number, table, text
from analysis.plots import lines
from analysis.plots.style import COLOURS, finish, percent, plain, short

MOST_LINES = len(COLOURS)
COLUMNS = ("day", "subject", "channel", "cascade", "round", "kind")


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


def contagion_chapter(chapter: Chapter, run: Run) -> None:
    """Equity by institution, debts due and unpaid, DebtRank, forced sales, lapses, and every failure with its way.
    >>> contagion_chapter(chapter, run)
    """
    failed = failures(run)
    add_institutions(chapter, run, "contagion.institution_equity", "Equity of institutions", "USD",
                     "Assets less liabilities at market value, from the ledger, every day.")
    window = min(window_of(run.days), 7)
    if any_of(run, "contagion.obligations"):
        add_lines(chapter, run, {"contagion.obligations": "due", "contagion.unpaid": "unpaid"},
                  "Debts among institutions", "USD a day",
                  "What fell due, cleared together; the rest of what cannot be paid stays owed.", short, window)
    if any_of(run, "contagion.debtrank"):
        add_lines(chapter, run, {"contagion.debtrank": "linear", "contagion.debtrank_single_hit": "single hit"},
                  "DebtRank", "share of the others' equity",
                  "What the failure of the worst single institution would destroy along claims.", percent)
    if any_of(run, "investments.value"):
        add_lines(chapter, run, {"investments.fire_sales": "sold under stress",
                                 "investments.mark_losses": "lost to market prices"},
                  "Forced sales", "USD a day", "Sales through the market maker, and what the fall of its price takes "
                  "from everybody who holds the same.", short, window, from_zero=False)
    if any_of(run, "lapses.lapsed"):
        add_lines(chapter, run, {"lapses.lapsed": "covers"}, "Lapses by lost trust", "covers a day",
                  "Members who leave during the year because they trust their pool no longer.", plain, window)
    if len(failed):
        rows = [[str(row[name]) if name in ("day", "cascade", "round") else text(row[name]) for name in COLUMNS]
                for row in failed.to_dict("records")]
        chapter.below.append("<h3>Failures</h3>" + table(
            ["day", "institution", "channel", "cascade", "round", "insolvent"], rows, (0, 3, 4)))
        chapter.below.append(f'<p class="meta">{number(len(failed))} failures. The channel is the largest loss of '
                             "capital in the weeks before; round 1 of a cascade fell by itself.</p>")


def failures(run: Run) -> pd.DataFrame:
    """Failures x [day, subject, channel, cascade, round, kind], as the events tell them; empty where there is none.
    >>> list(failures(run))
    ['day', 'subject', 'channel', 'cascade', 'round', 'kind']
    """
    events = run.events[run.events["kind"] == "failure"]
    details = pd.DataFrame(list(events["details"]), index=events.index)
    if details.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    found = pd.concat([events[["day", "subject"]], details[["channel", "cascade", "round"]]], axis=1)
    kinds = {(True, True): "in cash and on its balance sheet", (True, False): "in cash",
             (False, True): "on its balance sheet", (False, False): "otherwise"}
    found["kind"] = [kinds[bool(hard), bool(insolvent)]
                     for hard, insolvent in zip(details["hard"], details["insolvent"], strict=True)]
    return found
