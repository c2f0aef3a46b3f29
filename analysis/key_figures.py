"""The figures that a report shows first: those that the scenario's expectations name, then those of its mechanisms."""

from __future__ import annotations

from collections.abc import Callable

from analysis.glossary import NOTHING_KNOWN, Glossary
from analysis.load import Run
from analysis.page import cards, number, text
from analysis.plots.style import percent, short

MOST, WORDS = 12, 90
"""Most figures of the scenario's own, and letters of a label."""


def count(value: float) -> str:
    """A whole number.

    >>> count(12345.0)
    '12,345'
    """
    return f"{value:,.0f}"


def dollars(value: float) -> str:
    """Dollars: whole below a hundred thousand, shortened above.

    >>> dollars(1.5e6)
    '$1.5M'
    """
    return f"${value:,.0f}" if abs(value) < 1e5 else f"${short(value)}"


def money(value: float) -> str:
    """Dollars of any size: with cents below a hundred.

    >>> money(22.5), money(1.5e6)
    ('$22.50', '$1.5M')
    """
    return f"${value:,.2f}" if 0 < abs(value) < 100 else dollars(value)


KEY_FIGURES: tuple[tuple[str, tuple[tuple[str, str, Callable[[float], str]], ...]], ...] = (
    ("Solvency", (
        ("insurance.incurred_loss_ratio", "incurred loss ratio, all pools", percent),
        ("insurance.combined_ratio", "combined ratio", percent),
        ("insurance.lowest_mcr_ratio", "lowest MCR % of any pool", percent),
        ("insurance.defaults", "pools that defaulted", count),
        ("insurance.gated_days", "pool-days behind the gate", count),
        ("insurance.unpaid_claims", "approved claims left unpaid", dollars))),
    ("Claims", (
        ("claims.filed", "claims filed", count),
        ("claims.delay_p50", "days from care to payment, median", number),
        ("claims.delay_p95", "the same, 95th percentile", number),
        ("claims.false_denials", "decided claims wrongly denied", percent),
        ("claims.unfiled", "claims given up before filing", count),
        ("chain.mean_claim_fee_usd", "mean fee to file a claim", lambda value: f"${value:.3g}"))),
    ("Liquidity and token", (
        ("liquidity_providers.yield", "yield of liquidity providers a year", percent),
        ("liquidity_providers.peak_requests_30d", "most withdrawals asked for in 30 days, of senior capital", percent),
        ("amm.price_end", "health token at the end", lambda value: f"${value:.3f}"),
        ("amm.depth_min", "least depth at 2 %", dollars),
        ("amm.lp_yield", "fees to token liquidity a year", percent),
        ("health_token.reserve_ratio_min", "lowest reserve ratio of the token", percent))),
    ("Credit and coins", (
        ("lending.loss", "bad debt and shortfall of lending", dollars),
        ("lending.liquidations", "liquidations of borrowers", count),
        ("collateral_auctions.zero_bid_share", "lots of collateral won at zero", percent),
        ("collateral_auctions.recovered_share", "debt recovered by auctions", percent),
        ("stablecoin.price_end", "stablecoin at the end, mean of five days", lambda value: f"${value:.3f}"),
        ("stablecoin.depeg_max", "largest distance below its peg", lambda value: f"${value:.3f}"),
        ("stablecoin_holders.run_share", "coins that left for fear", percent),
        ("synthetics.collateral_fall", "largest fall of the synthetics' collateral", percent),
        ("synthetics.peg_gap", "mean gap of the synthetic and its index", percent),
        ("synthetics.bad_debt", "bad debt of the synthetics", dollars))),
    ("Forecasts", (
        ("prediction_markets.settled", "prediction markets settled", count),
        ("prediction_markets.brier", "mean Brier score (0 perfect, 2 worst)", lambda value: f"{value:.3f}"),
        ("prediction_markets.price_of_truth", "closing price of what happened", percent))),
    ("People and governance", (
        ("patients.mean_annual_spending", "spending per person and year", dollars),
        ("patients.uninsured_rate", "without cover, mean of days", percent),
        ("patients.catastrophic_share", "person-years of catastrophic own payments", percent),
        ("governance.executed", "proposals executed", count),
        ("governance.turnout", "mean turnout of votes", percent),
        ("research.grants_paid", "research grants paid", dollars))),
)
"""Groups of figures that most readers look for first: metric, label, format."""


def expected(run: Run) -> list[str]:
    """Names of the figures that the expectations of the run's scenario are on, in their order, as far as the run has
    them.

    >>> expected(run)
    []
    """
    wishes = run.scenario.get("expect")
    named = [wish.get("metric") for wish in wishes if isinstance(wish, dict)] if isinstance(wishes, list) else []
    return [name for name in dict.fromkeys(map(str, named)) if name in run.metrics][:MOST]


def label(name: str, glossary: Glossary) -> str:
    """What a figure is, in a few words: its description up to the first colon or semicolon.

    >>> label("sandwich.profit", NOTHING_KNOWN)
    'sandwich.profit'
    """
    meaning = glossary.meaning(name)
    for mark in (": ", "; "):
        meaning = meaning.partition(mark)[0]
    return meaning if len(meaning) <= WORDS else meaning[:WORDS].rsplit(" ", 1)[0].rstrip(",") + " …"


def key_figures(run: Run, glossary: Glossary = NOTHING_KNOWN) -> str:
    """Cards of the figures that the scenario's expectations name, then of those of :data:`KEY_FIGURES` that the run
    has, as HTML; ``glossary`` tells what the former are.

    >>> key_figures(run).count("<h3>")
    2
    """
    known = {name: (words, form) for _, figures in KEY_FIGURES for name, words, form in figures}
    own, asked = [], expected(run)
    for name in asked:
        unit = glossary.unit(name)
        words, form = known.get(name, (label(name, glossary), money if unit == "USD" else number))
        # a name alone does not say whose profit it is
        whose = name.partition(".")[0].replace("_", " ")
        own.append((form(run.metrics[name]), words if name in known else f"{whose}: {words[0].lower()}{words[1:]}"))
    blocks = [f"<h3>What this scenario asks about</h3>{cards(own)}"] if own else []
    for title, figures in KEY_FIGURES:
        shown = [(form(run.metrics[name]), words) for name, words, form in figures
                 if name in run.metrics and name not in asked]
        if shown:
            blocks.append(f"<h3>{text(title)}</h3>{cards(shown)}")
    return "".join(blocks)
