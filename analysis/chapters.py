"""The report's chapters: which figures and tables answer which question. What a run does not have is left out."""

from __future__ import annotations

import pandas as pd

from analysis import flows as money_flows
from analysis import governance, liquidity, solvency
from analysis.claims import waiting_days
from analysis.contagion_chapter import contagion_chapter, reinsurance_chapter
from analysis.derivatives_chapter import derivatives_chapter
from analysis.development import development_chapter
from analysis.epidemic_chapter import epidemic_chapter
from analysis.load import MICRO, Run
from analysis.market_figures import add_lines, market_lines, window_of
from analysis.page import Chapter, folded, number, table, text
from analysis.plan_chapter import plan_chapter
from analysis.plots import bars, flows, lines, oracles
from analysis.plots import liquidity as liquidity_plots
from analysis.plots import solvency as solvency_plots
from analysis.plots.style import COLOURS, percent, plain, short

MEPS_2016 = {"1": 0.219, "5": 0.50, "10": 0.66, "50": 0.972}
"""AHRQ Statistical Brief 521: shares of spending of the US civilian population, 2016."""


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
    ratio = run.series("claims.corruption_ratio")
    if ratio is not None and len(ratio) > 1 and bool((ratio > 0).any()):
        chapter.figure(lambda axes: oracles.corruption_ratio(axes, ratio, window, run.days),
                       "Cheapest majority of stake on the committee of the day's largest claim, over that claim.")


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
    add_lines(chapter, run, {"health_token.reserve_ratio": "ratio"}, "Reserve ratio of the health token",
              "reserve / (supply × index)", "Below 100 % redemption pays less than the index.", formatter=percent,
              from_zero=False)
    add_lines(chapter, run, {"health_token.supply": "supply"}, "Health tokens outstanding", "tokens",
              "Minted against cash, burned on redemption.")


def people_chapter(chapter: Chapter, run: Run) -> None:
    """Cover by income and over time, concentration of spending, payments outside insurance.
    >>> people_chapter(chapter, run)"""
    window = window_of(run.days)
    if "patients.uninsured_decile_1" in run.metrics:
        chapter.figure(lambda axes: bars.deciles(
            axes, run.metrics, "patients.uninsured_decile_", "Uninsured by income, at the end",
            "income decile (1 = poorest)", "share without cover"),
            "Neither public cover nor a pool's. Public cover reaches the poor and the old.", over_time=False)
    add_lines(chapter, run, {"patients.uninsured": "share"}, "Uninsured", "share of all patients",
              "Steps are open enrolments and lapses.", formatter=percent)
    if "patients.top1_share" in run.metrics:
        chapter.figure(lambda axes: bars.concentration(axes, run.metrics, "patients.top", MEPS_2016, "MEPS 2016"),
                       "A few fall dearly ill: the model must put as much of the spending on them as surveys do.",
                       over_time=False)
    add_lines(chapter, run, {"patients.own_payments": "patients themselves", "patients.charity_care": "charity"},
              "Paid for care outside insurance", "USD a day", "What patients owe beyond their cash is charity care.",
              window=window)


def governance_chapter(chapter: Chapter, run: Run) -> None:
    """Treasury, concentration of votes, proposals, consents, data sales and research.
    >>> governance_chapter(chapter, run)
    """
    window = window_of(run.days)
    add_lines(chapter, run, {"governance.treasury": "treasury", "research.cash": "researchers"},
              "Cash of treasury and researchers", "USD", "Fees and shares of premiums come in; grants go out.")
    add_lines(chapter, run, {"governance.top10_share": "ten largest holders", "governance.gini": "Gini"},
              "Concentration of governance tokens", "share; Gini coefficient", "Of tokens in circulation.",
              formatter=percent)
    add_lines(chapter, run, {"governance.nakamoto": "voters"}, "Voters who make a majority", "fewest voters",
              "Nakamoto coefficient of the delegated votes.", formatter=plain, steps=True)
    add_lines(chapter, run, {"data_vault.consents": "consents"}, "Consent to share records", "patients",
              "Patients whose consent, at some price, is in force.")
    add_lines(chapter, run, {"research.active_projects": "projects"}, "Research projects under way", "projects",
              "Collecting or analysing data.", formatter=plain, steps=True)
    add_lines(chapter, run, {"data_vault.sales": "records"}, "Data sales", "records a day",
              "Records bought by researchers.", window=window, formatter=plain)
    votes = governance.proposals(run.events)
    if len(votes):
        chapter.below.append(proposals_html(votes))


def proposals_html(votes: pd.DataFrame) -> str:
    """How proposals ended, with the table of :func:`analysis.governance.proposals` folded under it.
    >>> proposals_html(governance.proposals(run.events)).count("<tr>")
    3
    """
    counts = votes["outcome"].value_counts()
    ended = ", ".join(f"{counts[outcome]} {outcome}" for outcome in sorted(counts.index, key=lambda o: (-counts[o], o)))
    rows = [[text(name), text(title), number(None if proposed is pd.NA else int(proposed)), text(outcome),
             number(None if closed is pd.NA else int(closed))]
            for name, title, proposed, closed, outcome in votes.to_numpy(dtype=object).tolist()]
    return (f"<h3>Proposals</h3><p>{len(votes)} proposals: {text(ended)}.</p>" + folded(
        "All proposals", table(["proposal", "what", "proposed, day", "outcome", "closed, day"], rows, (2, 4))))


def flows_chapter(chapter: Chapter, run: Run) -> None:
    """The flow matrix in dollars, the balance of each sector, and the largest kinds of payment.
    >>> flows_chapter(chapter, run)
    """
    matrix = money_flows.flow_matrix(run.flows)
    if not matrix.size:
        return
    shown = money_flows.whole_units(matrix)
    chapter.figure(lambda axes: flows.draw_flow_matrix(axes, shown),
                   "Every dollar that moved after the opening; the diagonal is inside a sector. flows.parquet has each "
                   "day and kind of payment, to a millionth of a dollar.", over_time=False, width=11.2,
                   height=2.0 + 0.33 * len(shown), margins=(1.5, 0.1, 1.25, 0.35))
    balance = money_flows.whole_units(money_flows.sector_balance(matrix))
    rows = [[text(str(sector).replace("_", " ")), *(number(round(row[column])) for column in balance.columns)]
            for sector, row in balance.iterrows()]
    kinds = money_flows.by_kind(run.flows)
    paid = [[*(text(str(name).replace("_", " ")) for name in names), number(round(amount / MICRO))]
            for *names, amount in kinds.head(25).to_numpy().tolist()]
    chapter.below.append(folded("Balance of each sector, USD", table(
        ["sector", *(text(column) for column in balance.columns)], rows, (1, 2, 3))))
    chapter.below.append(folded(f"The {len(paid)} largest of {len(kinds)} kinds of payment, USD", table(
        ["kind", "from", "to", "over the run"], paid, (3,))))


CHAPTERS = (("Solvency and reserves", solvency_chapter), ("Liquidity providers", liquidity_chapter),
            ("Reinsurance", reinsurance_chapter), ("Contagion", contagion_chapter),
            ("Claims and oracles", claims_chapter), ("Development of claims", development_chapter),
            ("Health token", token_chapter), ("Epidemic", epidemic_chapter),
            ("Health derivatives", derivatives_chapter), ("People", people_chapter),
            ("Plans", plan_chapter),
            ("Governance, data and research", governance_chapter), ("Where the money went", flows_chapter))
"""Titles and builders of the chapters, in the order of the page."""
