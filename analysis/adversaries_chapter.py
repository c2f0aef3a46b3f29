"""The report's chapter on adversaries: what they tried, what it brought them, what it cost them and their victims."""

from __future__ import annotations

import math

from analysis import adversaries
from analysis.load import Run
from analysis.market_figures import add_lines, any_of
from analysis.page import Chapter, table, text
from analysis.plots.style import BLUE, GREY, ORANGE, RED, percent, plain, short

TITLE, PLACE = "Adversaries", 118

ROWS = (("attempts", "attempts", "{:,.0f}".format), ("went_through", "went through", "{:,.0f}".format),
        ("expected", "profit expected, USD", short), ("profit", "profit, USD", short),
        ("loss", "victims' loss, USD", short))
"""Column of :func:`analysis.adversaries.outcomes`, what it is, format."""


def adversaries_html(run: Run) -> str:
    """Table of the run's adversaries: attempts, how many went through, profit expected and made, victims' loss, cost;
    empty where there is none.

    >>> adversaries_html(run)
    ''
    """
    found = adversaries.outcomes(run.metrics)
    if found.empty:
        return ""
    spent = ["<br>".join(text(f"{short(amount)} {words}") for amount, words in adversaries.spending(run, str(name)))
             or "nothing reported" for name in found.index]
    rows = [[words, *("–" if math.isnan(value) else form(float(value)) for value in found[column])]
            for column, words, form in ROWS]
    # a column each, so that the one or two of a run fit a phone
    return "<h3>What attacks brought</h3>" + table(
        ["", *map(text, found["adversary"])], [*rows, ["paid or put up", *spent]], tuple(range(1, len(found) + 1))) + (
        '<p class="meta">An adversary acts where it expects a profit from what it can observe; a dash stands for what '
        "it did not report. Profit is after gas, tokens at fair value.</p>")


def adversaries_chapter(chapter: Chapter, run: Run) -> None:
    """The adversaries' table, and day by day what they took, promised and paid.
    >>> adversaries_chapter(chapter, run)
    """
    html = adversaries_html(run)
    if not html:
        return
    for name, who in (("sandwich.victims_loss", "sandwiches"), ("oracle_briber.false_paid", "bribed oracles"),
                      ("fraud_ring.false_paid", "false claims of the ring")):
        if any_of(run, name):
            add_lines(chapter, run, {name: "loss"}, f"Lost by victims: {who}", "USD a day",
                      {"sandwich.victims_loss": "What orders between two of the adversary's fetched less than they "
                                                "would have alone."}.get(name, "Paid by pools on false claims."), short,
                      colours=(RED,))
    if any_of(run, "sandwich.attacks"):
        add_lines(chapter, run, {"sandwich.attacks": "orders"}, "Orders sandwiched", "orders a day",
                  "Put between two orders of the adversary.", plain, colours=(BLUE,))
    if any_of(run, "oracle_briber.locked") or any_of(run, "oracle_briber.bribes"):
        add_lines(chapter, run, {"oracle_briber.locked": "locked behind promises",
                                 "oracle_briber.bribes": "paid, a day"},
                  "What bribes cost", "USD", "A promise that falls due only where it fails locks money and costs next "
                  "to nothing; a plain bribe is paid for each vote.", short, colours=(GREY, ORANGE))
    add_lines(chapter, run, {"fraud_ring.believed_detection": "believed"}, "Detection that the ring reckons with",
              "probability of a denial", "It files where this leaves a profit.", percent)
    chapter.below.append(html)
