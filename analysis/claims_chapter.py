"""The report's chapter on claims and oracles: delay of claims, work of the committees, fees, cost to corrupt."""

from __future__ import annotations

import pandas as pd

from analysis.claims import waiting_days
from analysis.load import Run
from analysis.market_figures import add_lines, window_of
from analysis.page import Chapter, number
from analysis.plots import bars, concentration, lines, oracles
from analysis.plots.style import percent, plain

TITLE, PLACE = "Claims and oracles", 50


def claims_chapter(chapter: Chapter, run: Run) -> None:
    """Delay of claims, work of the committees, fees, cost to corrupt.
    >>> claims_chapter(chapter, run)"""
    window = window_of(run.days)
    undecided, approved, denied = (run.series(f"claims.{what}") for what in ("undecided", "approved", "denied"))
    if undecided is not None and approved is not None and denied is not None:
        waits = waiting_days(undecided, approved + denied, window).dropna()
        if len(waits) > 1:
            paid = [f"{label} {number(run.metrics[name])}" for name, label in (
                ("claims.delay_p50", "median"), ("claims.delay_p95", "95th percentile")) if name in run.metrics]
            known = f" From care to payment, over the whole run: {', '.join(paid)} days." if paid else ""
            chapter.figure(lambda axes: lines.lines(axes, waits.to_frame("wait"), "Claim delay, filing to decision",
                                                    lines.in_days("days", window), plain, run.days),
                           f"Claims that wait over claims decided a day (Little's law).{known}")
    add_lines(chapter, run, {"claims.filed": "filed", "claims.paid": "paid in full",
                             "claims.undecided": "waiting at day's end"},
              "Claims", "claims", "A day: filed and paid; at the end of a day: filed and not yet decided.",
              window=window, formatter=plain, styles=("-", "--"))
    add_lines(chapter, run, {"claims.delay_p50": "median, care to payment", "claims.delay_p95": "95th percentile",
                             "claims.oldest_waiting": "oldest claim undecided, since filing"},
              "Delay of claims", "days", "Claims paid in full in the last 30 days, and the oldest before committees, "
              "where decisions that stop show first.", formatter=plain, styles=("-", "--", ":"))
    if any(name.startswith("claims.unpaid_day90_decile_") for name in run.metrics):
        chapter.figure(lambda axes: bars.deciles(
            axes, run.metrics, "claims.unpaid_day90_decile_", "Claims not settled 90 days after care",
            "claim size decile (1 = smallest)", "share of claims"),
            "Neither paid in full nor denied, those included that were never filed because of the fee.",
            over_time=False)
    add_lines(chapter, run, {"chain.claim_fee_usd": "fee"}, "Fee to file a claim", "USD",
              "Gas at the day's mean base fee, tip and the price of the gas coin.")
    add_lines(chapter, run, {"oracles.coherence": "votes with the majority", "oracles.accuracy": "reports correct",
                             "oracles.absence": "votes not revealed"},
              "Oracle operators", "share", "A vote against the majority loses stake; a vote not revealed too.",
              window=window, formatter=percent)
    stakes = run.by_institution("oracles.operator_stake")
    held = stakes.ffill().iloc[-1].dropna() if stakes is not None else pd.Series(dtype="float64")
    if len(held) > 2 and float(held.sum()) > 0:
        chapter.figure(lambda axes: concentration.lorenz_curve(axes, held, "operators' stake"),
                       "At the end. Committees are drawn by stake: few operators with most of it decide most claims.",
                       over_time=False)
    ratio = run.series("claims.corruption_ratio")
    if ratio is not None and len(ratio) > 1 and bool((ratio > 0).any()):
        chapter.figure(lambda axes: oracles.corruption_ratio(axes, ratio, window, run.days),
                       "Cheapest majority of stake on the committee of the day's largest claim, over that claim.")
