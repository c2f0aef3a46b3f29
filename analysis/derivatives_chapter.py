"""The report's chapter on health derivatives: what was paid for which incidence, margin, what the hedge took off."""

from __future__ import annotations

from analysis.load import Run
from analysis.market_figures import add_institutions, add_lines
from analysis.page import Chapter, number, table, text
from analysis.plots.style import percent, short

TITLE, PLACE = "Health derivatives", 85
HEDGES = (
    ("Claims of pools, per member and period", "outbreak_swap.pool_loss_variance", "outbreak_swap.pool_effectiveness"),
    ("Mean own payments of regions, per period", "outbreak_swap.own_payment_variance",
     "outbreak_swap.own_payment_effectiveness"),
)
FIGURES = (
    ("Premium over expected payout", "outbreak_swap.price_ratio"),
    ("Payout less expected, over expected", "outbreak_swap.payout_less_expected"),
    ("Correlation of payout and claims", "outbreak_swap.basis_correlation"),
    ("Loss events without a payout, share", "outbreak_swap.loss_events_without_payout"),
    ("Owed by sellers and unpaid, share", "outbreak_swap.unpaid_share"),
    ("Bond: days from the event to the first trigger", "pandemic_bond.trigger_day_first"),
    ("Bond: days from the event to the last trigger", "pandemic_bond.trigger_day_last"),
    ("Bond: payout over the cost of care", "pandemic_bond.payout_over_loss"),
    ("Bond: share of that cost before the payout", "pandemic_bond.loss_before_payout"),
    ("Bond: calculations that failed by growth alone", "pandemic_bond.growth_failed"),
    ("Forward: deviation from the agreed trend", "morbidity_forward.deviation"),
)


def hedges_html(run: Run) -> str:
    """Table of variance hedged and unhedged with hedge effectiveness; empty where nothing was hedged.
    >>> hedges_html(run)  # a run without hedges
    ''
    """
    rows = []
    for label, variance, effectiveness in HEDGES:
        if effectiveness in run.metrics:
            values = (run.metrics[variance + "_unhedged"], run.metrics[variance])
            rows.append([text(label), *(number(round(value, 1)) for value in values),
                         percent(run.metrics[effectiveness])])
    if not rows:
        return ""
    heads = ["loss", "variance unhedged, USD²", "variance hedged, USD²", "effectiveness"]
    return "<h3>Hedge effectiveness</h3>" + table(heads, rows, (1, 2, 3)) + (
        '<p class="meta">1 − variance hedged / unhedged, over pools or regions and periods. Without an outbreak there '
        "is little variance to remove, and the ratio says little.</p>")


def figures_html(run: Run) -> str:
    """Table of prices, basis risk and triggers of the run; empty where there are none.
    >>> figures_html(run)
    ''
    """
    rows = [[text(label), f"{run.metrics[name]:.3g}"] for label, name in FIGURES if name in run.metrics]
    return "<h3>Price, basis risk, trigger</h3>" + table(["figure", "value"], rows, (1,)) if rows else ""


def derivatives_chapter(chapter: Chapter, run: Run) -> None:
    """Reported incidence and payouts of swaps, value and margin, the bond's counts and principal, what hedges took off.
    >>> derivatives_chapter(chapter, run)
    """
    names = ("outbreak_swap.value", "pandemic_bond.outstanding", "morbidity_forward.value")
    if all(run.series(name) is None for name in names):
        return
    add_institutions(chapter, run, "outbreak_swap.incidence", "Reported incidence of the last period",
                     "cases per 100,000", "What the committee reported when the period was settled.")
    add_institutions(chapter, run, "outbreak_swap.payout", "Payouts owed since the start", "USD",
                     "By buyer of an incidence swap.")
    add_lines(chapter, run, {"outbreak_swap.value": "value to buyers", "outbreak_swap.margin": "margin posted",
                             "outbreak_swap.unpaid": "unpaid"},
              "Incidence swaps", "USD", "Marked to the simulated epidemics most like the reported one; each side posts "
              "what the swap is worth to the other.", short)
    add_lines(chapter, run, {"pandemic_bond.cases": "cases", "pandemic_bond.deaths": "deaths"},
              "Reported cases and deaths", "persons represented", "What the bond's trigger is read on.", short)
    add_lines(chapter, run, {"pandemic_bond.outstanding": "in trust", "pandemic_bond.paid_out": "paid out"},
              "Pandemic bond", "USD", "Principal in trust; paid to the facility by bonds and swaps.", short, steps=True)
    add_lines(chapter, run, {"morbidity_forward.deviation": "deviation"}, "Trend of claims per member",
              "over the agreed trend, less 1", "What the forwards would settle at.", percent, from_zero=False)
    chapter.below.extend(html for html in (hedges_html(run), figures_html(run)) if html)
