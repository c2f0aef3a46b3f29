"""The report's chapter on liquidity providers: flows, prices of shares, queue, yields."""

from __future__ import annotations

from analysis import liquidity, solvency
from analysis.load import Run
from analysis.market_figures import add_lines, market_lines, window_of
from analysis.page import Chapter
from analysis.plots import bars, lines
from analysis.plots import liquidity as liquidity_plots
from analysis.plots.style import COLOURS, percent, short

TITLE, PLACE = "Liquidity providers", 20


def liquidity_chapter(chapter: Chapter, run: Run) -> None:
    """Flows of liquidity providers, prices of shares, how one follows the other, queue, yields.
    >>> liquidity_chapter(chapter, run)"""
    window = window_of(run.days)
    moved = market_lines(run, {"liquidity_providers.deposits": "deposits",
                               "liquidity_providers.withdrawals": "withdrawals paid"})
    if moved is not None:
        summed = solvency.by_period(moved, window)
        if "withdrawals paid" in summed:
            summed["withdrawals paid"] = -summed["withdrawals paid"]
        chapter.figure(lambda axes: bars.stacked(axes, summed, "Liquidity provider flows", f"USD in {window} days",
                                                 short, (COLOURS[0], COLOURS[1]), run.days),
                       "All pools, without the opening deposits.")
    add_lines(chapter, run, {"liquidity_providers.requests": "withdrawals requested",
                             "liquidity_providers.withdrawals": "withdrawals paid"},
              "Withdrawals asked for and paid", "USD a day", "A run shows in the requests before it shows in what is "
              "paid: cooldown and gate stand between them.", window=window)
    price, value = run.by_institution("insurance.share_price"), run.by_institution("insurance.senior")
    if price is not None and len(price) > 1:
        chapter.figure(lambda axes: liquidity_plots.share_prices(axes, price, "senior"),
                       "Profit lifts the price; losses that pass the junior tranche lower it.")
    junior = run.by_institution("insurance.junior_price")
    if junior is not None and len(junior) > 1:
        chapter.figure(lambda axes: liquidity_plots.share_prices(axes, junior, "junior"),
                       "The insurer's own stake and the surplus: first to lose, and it keeps the profit.")
    if price is not None and value is not None:
        answers = liquidity.flow_performance(value, price, window)
        if len(answers) >= 10:
            chapter.figure(lambda axes: liquidity_plots.flow_performance(axes, answers, window),
                           "Net flow is what the price does not explain of the change in a pool's senior capital.",
                           over_time=False)
    add_lines(chapter, run, {"insurance.total_queue": "queue"}, "Withdrawals in the queue", "USD",
              "Value of the senior shares that wait for cooldown or gate, all pools.")
    yields = market_lines(run, {"liquidity_providers.expected_yield": "expected by providers"})
    if yields is not None and price is not None and value is not None and run.days >= 6 * window:
        yields[f"earned, last {3 * window} days"] = liquidity.annual_return(value, price, 3 * window)
    if yields is not None:
        chapter.figure(lambda axes: lines.lines(axes, yields, "Yield of senior capital", "a year", percent, run.days),
                       "Without governance tokens. Expected is the mean over open pools; earned weighs pools by "
                       "their capital.")
    add_lines(chapter, run, {"liquidity_providers.value": "at work in pools", "liquidity_providers.cash": "cash"},
              "Wealth of the liquidity providers", "USD", "Capital at work (the market's TVL), and cash that could "
              "join it.")
