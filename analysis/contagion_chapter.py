"""The report's chapter on contagion: who owes whom, who failed, in which round, through what."""

from __future__ import annotations

import pandas as pd

from analysis import network
from analysis.load import Run
from analysis.market_figures import add_institutions, add_lines, any_of, window_of
from analysis.page import Chapter, number, table, text
from analysis.plots import network as network_plots
from analysis.plots.style import percent, plain, short

TITLE, PLACE = "Contagion", 40

COLUMNS = ("day", "subject", "channel", "cascade", "round", "kind")


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
    claims = network.edges(run)
    if len(claims):
        nodes = network.nodes(run)
        chapter.figure(lambda axes: network_plots.network(axes, nodes, claims),
                       "Who owed whom on the last recorded day with claims. An arrow runs from debtor to creditor.",
                       over_time=False, height=4.6, margins=network_plots.MARGINS)
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
