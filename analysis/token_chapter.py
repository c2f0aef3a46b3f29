"""The report's chapter on health token: price, depth, traders, result of providing liquidity."""

from __future__ import annotations

from analysis import market_making, solvency
from analysis.load import Run
from analysis.market_figures import add_lines, market_lines, window_of
from analysis.page import Chapter
from analysis.plots import bars
from analysis.plots import market_making as making
from analysis.plots.style import COLOURS, percent, plain, short

TITLE, PLACE = "Health token", 70


def token_chapter(chapter: Chapter, run: Run) -> None:
    """Price, depth, volume, liquidity providers' result on the token's pool, reserve of the token.
    >>> token_chapter(chapter, run)"""
    if run.series("amm.price") is None and run.series("health_token.index") is None:
        return
    window = window_of(run.days)
    add_lines(chapter, run, {"reference_price.hlt_external": "outside venue", "health_token.index": "care it buys",
                             "health_token.fundamental": "redeemed for", "amm.price": "pool"},
              "Health token price", "USD", "Issue at the price of the care it buys and redemption less the fee hold "
              "the pool in a band; inside it, arbitrage follows the outside venue.", formatter=plain, from_zero=False,
              colours=("#b9bec4", COLOURS[2], COLOURS[4], COLOURS[0]))
    add_lines(chapter, run, {"amm.depth": "depth"}, "Depth of the token's pool", "USD for a move of 2 %",
              "Cash that moves the price by two per cent.")
    traded = market_lines(run, {"traders.noise_volume": "noise", "traders.momentum_volume": "momentum",
                                "traders.arbitrage_volume": "arbitrage"})
    if traded is not None:
        summed = solvency.by_period(traded, window)
        chapter.figure(lambda axes: bars.stacked(axes, summed, "Value swapped by traders", f"USD in {window} days",
                                                 short, (COLOURS[5], COLOURS[4], COLOURS[0]), run.days),
                       "Traders only; patients who hedge or pay with tokens swap besides.")
    add_lines(chapter, run, {"amm.lp_value_over_hold": "value"}, "Liquidity position over holding",
              "value over holding, less 1", "Impermanent loss net of fees, of a position held from the "
              "opening in the token's pool.", formatter=percent)
    returns = market_making.lp_returns(run)
    if returns is not None and len(returns) > 1:
        chapter.figure(lambda axes: making.return_against_loss(axes, returns),
                       "The distance of a point from the line is what fees have earned up to that day.",
                       over_time=False)
    curves = market_making.depth_curves(run, sorted({0, run.days // 2, run.days - 1}))
    if curves:
        chapter.figure(lambda axes: making.depth(axes, curves),
                       "What must be paid into the pool, before fees, to lift the price by so much. The steeper, the "
                       "deeper.", over_time=False)
    add_lines(chapter, run, {"health_token.reserve_ratio": "ratio"}, "Reserve ratio of the health token",
              "reserve / (supply × index)", "Below 100 % redemption pays less than the index.", formatter=percent,
              from_zero=False)
    add_lines(chapter, run, {"health_token.supply": "supply"}, "Health tokens outstanding", "tokens",
              "Minted against cash, burned on redemption.")
