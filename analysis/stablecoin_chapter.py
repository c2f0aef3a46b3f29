"""The report's chapter on stablecoins: the coin against its peg, what stands behind it, redemptions, the run."""

from __future__ import annotations

from analysis.load import Run
from analysis.market_figures import add_figures, add_lines, any_of, market_lines
from analysis.page import Chapter
from analysis.plots import levels
from analysis.plots.style import GREY, ORANGE, percent, plain, short

TITLE, PLACE = "Stablecoin", 74

FIGURES = (
    ("Price at the end, mean of five days, USD", "stablecoin.price_end", "{:.4f}".format),
    ("Largest distance below the peg, USD", "stablecoin.depeg_max", "{:.4f}".format),
    ("Coins redeemed", "stablecoin.redeemed", short),
    ("Coins that nothing covers, USD", "stablecoin.bad_debt", short),
    ("Debt of troves that were liquidated, coins", "stablecoin.liquidated", short),
    ("Part that the stability pool could not bear, coins", "stablecoin.redistributed", short),
    ("Fall of the share's price", "stablecoin.share_price_fall", percent),
    ("Shares at the end over those at the start", "stablecoin.share_dilution", short),
    ("Share of coins that left for fear", "stablecoin_holders.run_share", percent),
    ("Cash per coin of informed holders who left for fear, USD", "stablecoin_holders.informed_exit_price",
     "{:.4f}".format),
    ("Cash per coin of the others, USD", "stablecoin_holders.other_exit_price", "{:.4f}".format),
    ("Days by which the informed left earlier", "stablecoin_holders.informed_lead_days", short),
    ("Concavity of the run (0.5 steady, 1 all on the first day)", "stablecoin_holders.run_concavity", "{:.3f}".format),
    ("Profit of arbitrageurs, USD", "stablecoin_holders.arbitrage_profit", short),
    ("Coins that borrowers bought to repay their debt", "stablecoin_holders.defended", short),
)
"""Label, metric, format of the chapter's table."""


def algorithmic(run: Run) -> bool:
    """Whether the coin is backed by a share token that is printed on redemption, and not by troves alone.

    >>> algorithmic(run)
    False
    """
    return run.series("stablecoin.share_price") is not None


def stablecoin_chapter(chapter: Chapter, run: Run) -> None:
    """Price against the peg, share price and supply or collateral ratio, redemptions, exits, supply.
    >>> stablecoin_chapter(chapter, run)
    """
    price = market_lines(run, {"stablecoin.price": "price"})
    if price is None:
        return
    if algorithmic(run):
        chapter.figure(lambda axes: levels.basins(axes, price, "Price of the coin", run.days),
                       f"At the end of the day in its pool. Two basins: from {levels.HELD:.2f} USD the peg holds, "
                       f"below {levels.BROKEN:.2f} the coin has collapsed.")
    else:
        add_lines(chapter, run, {"stablecoin.price": "price"}, "Price of the coin", "USD",
                  "At the end of the day in its pool; the peg is one dollar. The axis does not begin at zero.", None,
                  from_zero=False)
    for name, title, unit, caption in (
            ("stablecoin.share_price", "Price of the share", "USD", "Redemptions are paid in part in new shares; who "
             "sells them presses this price, and the next redemption prints more."),
            ("stablecoin.share_supply", "Shares outstanding", "shares", "Printed on redemption, burned on minting.")):
        shown = market_lines(run, {name: title})
        if shown is not None:
            chapter.figure(lambda axes, shown=shown, title=title, unit=unit: levels.either_scale(  # type: ignore[misc]
                axes, shown, title, unit, run.days), caption)
    _backing(chapter, run)
    add_lines(chapter, run, {"stablecoin.supply": "outstanding", "stablecoin_holders.held": "with holders"},
              "Coins", "coins", "Held: stability deposits included; the rest is in the coin's pool.", short,
              colours=(GREY, ORANGE))
    if any_of(run, "stablecoin.redeemed"):
        add_lines(chapter, run, {"stablecoin.redeemed": "redeemed"}, "Redemptions", "coins a day",
                  "Through the contract: at face value less the fee, or in cash and new shares.", short)
    if any_of(run, "stablecoin_holders.exits"):
        add_lines(chapter, run, {"stablecoin_holders.exits": "all", "stablecoin_holders.run_exits": "for fear"},
                  "Holders who leave", "coins a day", "For fear: without the scheduled wave. Who expects a loss beyond "
                  "the own tolerance leaves, and adds to that of the others.", short, styles=("-", "--"))
    add_lines(chapter, run, {"stablecoin.base_rate": "base rate"}, "Base rate", "share of the sum redeemed",
              "Fee on redemptions and loans beside its floor: it rises with redemptions and decays.", percent)
    if any_of(run, "stablecoin_holders.arbitrage_profit"):
        add_lines(chapter, run, {"stablecoin_holders.arbitrage_profit": "profit"}, "Profit of arbitrageurs",
                  "USD a day", "Between contract and market, before gas.", short)
    add_figures(chapter, run, "Peg, run and losses", FIGURES)


def _backing(chapter: Chapter, run: Run) -> None:
    """What stands behind a coin, with the levels that matter to troves."""
    backing = market_lines(run, {"stablecoin.backing": "backing"})
    if backing is None:
        return
    if algorithmic(run):
        chapter.figure(lambda axes: levels.levels(axes, backing, {"peg": 1.0}, "Cash behind a coin", "USD per coin",
                                                  plain, run.days),
                       "In the reserve. What is missing to a dollar rests on the share's value.")
        return
    marked = {name: value for name, value in (
        ("recovery mode", run.setting("stablecoin.critical_ratio", 0.0)),
        ("liquidation", run.setting("stablecoin.minimum_ratio", 0.0))) if value > 0}
    chapter.figure(lambda axes: levels.levels(axes, backing, marked, "Collateral ratio",
                                              "collateral over coins, all troves", percent, run.days),
                   "A trove below the lower level is liquidated against the stability pool; below the upper one, of "
                   "all together, recovery mode begins.")
