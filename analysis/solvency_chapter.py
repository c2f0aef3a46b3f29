"""The report's chapter on solvency: own funds, requirements, loss ratios, reserves, who bore the claims."""

from __future__ import annotations

import pandas as pd

from analysis import governance, solvency
from analysis.load import Run
from analysis.market_figures import add_lines, window_of
from analysis.page import Chapter, number, table, text
from analysis.plots import bars, lines, survival, waterfall
from analysis.plots import solvency as solvency_plots
from analysis.plots.style import COLOURS, MARGINS, percent, plain, short
from analysis.survival import kaplan_meier, pool_lifetimes

TITLE, PLACE = "Solvency and reserves", 10


def solvency_chapter(chapter: Chapter, run: Run) -> None:
    """Capital, MCR %, premiums against claims, loss ratios, reserves, waterfall, and a table of the pools.
    >>> solvency_chapter(chapter, run)
    """
    window = window_of(run.days)
    funds = solvency.own_funds(run)
    if funds is not None and len(funds) > 1:
        chapter.figure(lambda axes: solvency_plots.own_funds(axes, funds),
                       "Own funds by tier, with the summed requirements of the pools. Junior capital and surplus bear "
                       "losses before senior shares do.")
    ratio = run.by_institution("insurance.mcr_ratio")
    if ratio is not None and len(ratio) > 1:
        gate = governance.parameter_path(run.events, "insurance.mcr_gate", run.setting("insurance.mcr_gate", 1.0),
                                         run.days)
        chapter.figure(lambda axes: solvency_plots.mcr_percent(axes, ratio, gate),
                       "No withdrawal may take a pool below the gate, and below it none is paid. Votes can move "
                       "the gate.")
    together = {label: solvency.pooled(run, name) for name, label in (
        ("insurance.earned_premium", "earned premium"), ("insurance.incurred", "incurred claims"),
        ("insurance.paid", "paid claims"))}
    known = pd.DataFrame({label: series for label, series in together.items() if series is not None})
    smoothed = lines.smooth(known, window).dropna(how="all")
    if len(smoothed) > 1:
        chapter.figure(lambda axes: lines.lines(axes, smoothed, "Premiums against claims",
                                                lines.in_days("USD a day", window), short, run.days,
                                                styles=("-", "-", "--")),
                       "All pools. Incurred claims are approved ones and the change of the claim reserves.")
    add_loss_ratios(chapter, run, 3 * window)
    held = solvency.reserves(run)
    if held is not None and len(held) > 1:
        chapter.figure(lambda axes: solvency_plots.layers(
            axes, held, {"unearned": "unearned premium", "outstanding": "outstanding claims", "ibnr": "IBNR"},
            "Reserves", "USD, all pools"),
            "Premium paid for days to come; case reserves of reported claims; claims incurred but not reported.")
    borne = solvency.borne_by_layer(run, window)
    if borne is not None and float(borne.to_numpy().sum()) > 0:
        chapter.figure(lambda axes: bars.stacked(axes, borne, "Who bore the claims", f"USD in {window} days", short,
                                                 (COLOURS[0], COLOURS[2], COLOURS[4], COLOURS[1]), run.days),
                       "The waterfall: each layer bears what those before it cannot. The parts sum to the claims paid.")
    standing = solvency.waterfall(run)
    if standing is not None and float(standing["stands"].abs().sum()) > 0:
        chapter.figure(lambda axes: waterfall.capital_waterfall(axes, standing),
                       "Each layer stands on those that bear claims before it. What the junior tranche bears or holds "
                       "includes what reinsurers owe.", over_time=False,
                       margins=(MARGINS[0], MARGINS[1], 0.62, MARGINS[3]))
    add_survival(chapter, run)
    state = run.by_institution("insurance.state")
    if state is not None and len(state) > 1 and float(state.max().max()) > 0:
        chapter.figure(lambda axes: solvency_plots.states(axes, state, solvency.STATES),
                       "Gated pools pay no withdrawals; in run-off they write no cover and settle what is due.",
                       height=max(2.9, 1.0 + 0.19 * state.shape[1]))
    add_lines(chapter, run, {"insurance.mean_premium": "premium"}, "Mean premium", "USD a year and insured person",
              "Rates are filed once a contract year and rise with experience and trend.", steps=True, formatter=plain)
    pools = solvency.pool_table(run)
    if pools is not None:
        chapter.below.append(pools_html(pools))


def add_survival(chapter: Chapter, run: Run, least: int = 4) -> None:
    """Add the Kaplan-Meier curve of pools, days until run-off, where at least ``least`` lived and one ended.

    >>> add_survival(chapter, run)
    """
    lives = pool_lifetimes([run])
    if len(lives) < least or not bool(lives["observed"].any()):
        return
    table = kaplan_meier(lives["duration"], lives["observed"])
    chapter.figure(lambda axes: survival.survival(axes, {"pools": table}, "pool"),
                   "Until a pool goes into run-off; those alive at the end are censored. Pools of one market share "
                   "their shocks, so that the band, which takes them as independent, is too narrow.",
                   over_time=False, height=3.3, margins=survival.MARGINS)


def add_loss_ratios(chapter: Chapter, run: Run, window: int) -> None:
    """Add the loss ratios of the last ``window`` days, by pool and together.
    >>> add_loss_ratios(chapter, run, 30)
    """
    incurred, earned = run.by_institution("insurance.incurred"), run.by_institution("insurance.earned_premium")
    if incurred is None or earned is None:
        return
    each = solvency.rolling_ratio(incurred, earned, window)
    together = solvency.rolling_ratio(incurred.sum(axis=1).to_frame("all"), earned.sum(axis=1).to_frame("all"),
                                      window)["all"]
    if together.notna().sum() < 2:
        return
    priced = run.setting("insurance.premium_shares.claims", float("nan"))
    chapter.figure(lambda axes: solvency_plots.loss_ratios(axes, each, together, window,
                                                           priced if priced == priced else None),
                   "Pools of some hundred or thousand members swing with their few largest claims; what is far "
                   "above the market is cut off.")


def pools_html(pools: pd.DataFrame) -> str:
    """The table of :func:`analysis.solvency.pool_table` as HTML.
    >>> pools_html(solvency.pool_table(run)).count("<tr>")
    3
    """
    shares = {"loss ratio", "combined ratio", "SCR ratio", "lowest MCR %"}
    prices = {"senior share", "junior share"}

    def cell(column: str, value: object) -> str:
        """One figure in the format of its column."""
        if not isinstance(value, (int, float)) or value != value:
            return text(value) if isinstance(value, str) else "–"
        if column in shares:
            return percent(value)
        return f"{value:.3f}" if column in prices else number(round(float(value)))

    heads = ["pool", *pools.columns]
    rows = [[text(name), *(cell(column, row[column]) for column in pools.columns)] for name, row in pools.iterrows()]
    numeric = [place for place, head in enumerate(heads) if head not in ("pool", "state")]
    return ("<h3>Pools at the end of the run</h3>" + table([text(head) for head in heads], rows, numeric)
            + '<p class="meta">Premium, claims and capital in USD; ratios since the start; a share first cost 1.</p>')
