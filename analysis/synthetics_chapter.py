"""The report's chapter on synthetics: the debt pool, its collateral, the price against the index, hedges."""

from __future__ import annotations

from analysis.load import Run
from analysis.market_figures import add_figures, add_institutions, add_lines, any_of, market_lines
from analysis.page import Chapter
from analysis.plots import levels
from analysis.plots.style import COLOURS, ORANGE, RED, percent, plain, short

TITLE, PLACE = "Synthetics", 76

FIGURES = (
    ("Mean gap between sMED and the index", "synthetics.peg_gap", percent),
    ("Largest fall of the collateral's price", "synthetics.collateral_fall", percent),
    ("Liquidations", "synthetics.liquidations", plain),
    ("Collateral taken in liquidations, of all at the start", "synthetics.liquidated_share", percent),
    ("Bad debt, USD", "synthetics.bad_debt", short),
    ("Bad debt over all debt at the start", "synthetics.bad_debt_share", percent),
    ("Loss of issuers in liquidations, USD", "minters.loss", short),
    ("Profit of liquidators, USD", "minters.liquidator_profit", short),
    ("Hedge effectiveness, patients", "synthetic_hedgers.patients_effectiveness", percent),
    ("Hedge effectiveness, insurers", "synthetic_hedgers.pools_effectiveness", percent),
    ("Basis risk: monthly standard deviation of price less index", "synthetic_hedgers.basis_risk", percent),
    ("Insurers' gain on sMED, USD", "synthetic_hedgers.pools_gain", short),
)
"""Label, metric, format of the chapter's table."""


def synthetics_chapter(chapter: Chapter, run: Run) -> None:
    """Debt pool, collateral ratio against its levels, price against the index, liquidations, issuers, hedges.
    >>> synthetics_chapter(chapter, run)
    """
    if run.series("synthetics.debt") is None:
        return
    add_lines(chapter, run, {"synthetics.debt": "debt", "synthetics.collateral": "collateral",
                             "synthetics.unbacked": "unbacked"},
              "Debt pool", "USD", "All synthetics at their oracle prices, and the collateral of all positions. "
              "Unbacked: debt of positions beyond their own collateral.", short, colours=(COLOURS[0], COLOURS[2], RED))
    ratio = market_lines(run, {"synthetics.ratio": "ratio"})
    if ratio is not None:
        marked = {name: value for name, value in (
            ("issuance", run.setting("synthetics.issuance_ratio", 0.0)),
            ("liquidation", run.setting("synthetics.liquidation_ratio", 0.0))) if value > 0}
        chapter.figure(lambda axes: levels.levels(axes, ratio, marked, "C-ratio",
                                                  "collateral over debt, all positions", percent, run.days),
                       "Below the upper level nobody can issue or withdraw; a position below the lower one is flagged "
                       "and then liquidated.")
    add_lines(chapter, run, {"reference_price.medical_index": "index", "synthetics.price": "sMED in its pool"},
              "Price of sMED against the index", "USD", "The index is what care costs. Issue and sale above it, and "
              "burning below it, hold the price near.", plain, from_zero=False, colours=("#9aa1a8", COLOURS[0]))
    add_lines(chapter, run, {"synthetics.collateral_price": "price"}, "Price of the collateral", "USD",
              "Spot, in the pool in which liquidated collateral is sold.", short)
    if any_of(run, "synthetics.liquidations"):
        add_lines(chapter, run, {"synthetics.liquidations": "liquidations"}, "Liquidations", "a day",
                  "Each sells collateral; where that moves the price, the next position falls below its level.", plain,
                  colours=(RED,))
    flows = {"minters.issued": "issued and sold", "minters.defended": "burned in defence",
             "minters.bought_back": "bought below the index"}
    if any(any_of(run, name) for name in flows):
        add_lines(chapter, run, flows, "What issuers do", "sMED a day", "Issue and purchases answer the price; defence "
                  "raises an issuer's own ratio.", short)
    add_lines(chapter, run, {"synthetics.supply": "outstanding", "minters.liquidator_stock": "with liquidators"},
              "sMED outstanding", "tokens", "Liquidators burn their stock for collateral.", short,
              colours=(COLOURS[0], ORANGE))
    add_lines(chapter, run, {"synthetic_hedgers.patients_held": "patients", "synthetic_hedgers.pools_held": "insurers"},
              "sMED held as a hedge", "tokens", "It pays when care becomes dearer.", short)
    add_institutions(chapter, run, "synthetic_hedgers.held", "sMED held, by insurer", "tokens", "As a hedge.")
    add_figures(chapter, run, "Peg, losses and hedges", FIGURES)
