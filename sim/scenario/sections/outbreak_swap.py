"""Schema of incidence swaps: who hedges a regional outbreak with whom, at what price and with what margin."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import Metric, Section, Series, param

CAT_BONDS = ("As in reinsurance here: catastrophe bonds at about 4 times expected loss, health excess of "
             "loss (Vitality Re class) at 15 times, recalled; standard-deviation principle as in Kreps 1990")


class OutbreakSwapSection(Section):
    """Pools and regional relief funds hedge reported incidence with investors, by margined incidence swaps."""

    implementation: ClassVar[str] = "sim.agents.derivatives.outbreak_swap:OutbreakSwap"
    requires: ClassVar[tuple[str, ...]] = ("population", "epidemic", "economy", "patients")
    series: ClassVar[tuple[Series, ...]] = (
        Series("outbreak_swap.value", "Marked value of all swaps to their buyers", "USD"),
        Series("outbreak_swap.margin", "Margin posted, both sides", "USD"),
        Series("outbreak_swap.unpaid", "Owed on swaps and unpaid", "USD"),
        Series("outbreak_swap.incidence", "Reported cases of the last period settled, per 100,000 persons",
               "1/100,000", "institution"),
        Series("outbreak_swap.payout", "Owed by sellers to this buyer since the start", "USD", "institution"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("outbreak_swap.notional", "Largest payouts of a period, all swaps", "USD"),
        Metric("outbreak_swap.expected_payout", "Payouts over the whole term that the price is made with", "USD"),
        Metric("outbreak_swap.payout", "Payouts owed over the whole term", "USD"),
        Metric("outbreak_swap.premium", "Premiums agreed for the whole term", "USD"),
        Metric("outbreak_swap.payout_less_expected", "Payouts less what the price expects, over the expected ones; its "
               "mean over runs is 0 if the price rests on the right distribution"),
        Metric("outbreak_swap.price_ratio", "Premiums over expected payouts: one and the load"),
        Metric("outbreak_swap.paid", "Of what was owed by either side, paid", "USD"),
        Metric("outbreak_swap.unpaid", "Of what was owed by either side, unpaid at the end", "USD", "low"),
        Metric("outbreak_swap.unpaid_share", "Of what sellers owed, share unpaid at the end", "1", "low"),
        Metric("outbreak_swap.defaults", "Sides that did not meet a call or a payment", "count", "low"),
        Metric("outbreak_swap.refused", "Swaps that a side declined or could not enter", "count", "low"),
        Metric("outbreak_swap.pool_loss_variance", "Variance over pools and periods of claims per member, net of swap "
               "payments received and premium", "USD^2", "low"),
        Metric("outbreak_swap.pool_loss_variance_unhedged", "The same without the swap's payments", "USD^2", "low"),
        Metric("outbreak_swap.pool_effectiveness", "Hedge effectiveness for pools, 1 - variance hedged / unhedged; "
               "undefined where no pool is hedged", "1", "high"),
        Metric("outbreak_swap.pool_squared_deviation", "Square of all pools' claims per member over the term, net of "
               "the swap, less its expectation; its mean over runs is the variance between runs", "USD^2", "low"),
        Metric("outbreak_swap.pool_squared_deviation_unhedged", "The same without the swap", "USD^2", "low"),
        Metric("outbreak_swap.own_payment_variance", "Variance over regions and periods of the mean own payment for "
               "care, net of relief, with the levy", "USD^2", "low"),
        Metric("outbreak_swap.own_payment_variance_unhedged", "The same without relief and levy", "USD^2", "low"),
        Metric("outbreak_swap.own_payment_effectiveness", "1 - variance hedged / unhedged of regional mean own "
               "payments; undefined where no region is hedged", "1", "high"),
        Metric("outbreak_swap.individual_effectiveness", "1 - variance hedged / unhedged of the term's own payments "
               "over persons", "1", "high"),
        Metric("outbreak_swap.basis_correlation", "Correlation over pools and periods of payout and claims, both per "
               "member", "1", "high"),
        Metric("outbreak_swap.loss_events", "Periods of pools with claims above twice their median", "count"),
        Metric("outbreak_swap.loss_events_without_payout", "Share of these in which the swap owed nothing", "1", "low"),
        Metric("outbreak_swap.seller_result", "What sellers received less what they paid", "USD"),
        Metric("outbreak_swap.relief", "Paid to residents by regional funds", "USD"),
        Metric("outbreak_swap.levy", "Collected from residents by regional funds", "USD"),
        Metric("outbreak_swap.levy_unpaid", "Levies that residents could not pay", "USD", "low"),
    )

    trade_day: int = param(5, "Day on which swaps are offered and bought; periods begin the day after.", unit="days",
                           ge=1, le=3650)
    period_days: int = param(30, "Days of a period.", unit="days", ge=7, le=365)
    periods: int = param(6, "Periods of a swap.", unit="count", ge=1, le=120)
    strike: float = param(300.0, "Reported cases of a period per 100,000 persons above which the seller pays.",
                          unit="1/100,000", ge=0.0, le=100_000.0)
    exhaustion: float = param(20_000.0, "Cases at which the payout of a period reaches the notional.",
                              unit="1/100,000", gt=0.0, le=1_000_000.0)
    pool_hedge: float = param(1.0, "Share of its loss from reported cases that a pool hedges; 0: pools buy nothing.",
                              ge=0.0, le=3.0)
    loss_per_case: float = param(1_000.0, "What a pool expects a reported case among its members to cost it.",
                                 unit="USD", ge=0.0, le=1e6)
    region_hedge: float = param(1.0, "Share of its residents' own payments for reported cases that a regional fund "
                                "hedges; 0: there are no funds.", ge=0.0, le=3.0)
    own_loss_per_case: float = param(500.0, "What a regional fund expects a reported case to cost residents.",
                                     unit="USD", ge=0.0, le=1e6)
    relief: Literal["equal", "pro_rata"] = param(
        "equal", "What a fund does with a payout. equal: the same to each resident, as an index pays; pro_rata: to "
        "those who paid for care in the period, in proportion and at most what they paid.")
    most_load: float = param(1.0, "A hedger buys where the premium exceeds the expected payout by at most this many "
                             "standard deviations of the payout.", ge=0.0, le=10.0)

    sellers: int = param(2, "Investors that sell swaps, each in turn.", unit="count", ge=1, le=100)
    seller_capital: float = param(3.0, "Opening cash of all sellers, in multiples of the largest payout of one period "
                                  "of all swaps asked for.", ge=0.0, le=1000.0)
    risk_load: float = param(0.4, "lambda: a seller asks for the expected payout and lambda standard deviations of it.",
                             grade="L", source=CAT_BONDS, ge=0.0, le=10.0)
    seller_margin: float = param(0.10, "Initial margin of the seller, as a share of the notional.", ge=0.0, le=10.0)
    buyer_margin: float = param(1.0, "Initial margin of the buyer, in premiums of one period.", ge=0.0, le=100.0)

    pricing_paths: int = param(200, "Epidemics simulated for the price, by the model's own transmission on draws of "
                               "their own; the run's path is not among them.", unit="count", ge=20, le=5000)
    neighbours: int = param(20, "Simulated epidemics nearest to what was reported so far whose later payouts mark a "
                            "swap to market.", unit="count", ge=1, le=5000)
    outbreak_day: int = param(30, "Day of the first cases that the price is made with.", unit="days", ge=0, le=3650)
    outbreak_cases: int = param(3, "Number of those cases.", unit="persons", ge=1, le=1_000_000)
    outbreak_region: int = param(-1, "Region of those cases; -1: among all persons.", ge=-1, le=1000)
    outbreak_chance: float = param(1.0, "Chance that they come within the term, as the market sees it.", gt=0.0, le=1.0)

    committee: int = param(7, "Observers that report incidence; their upper median counts.", unit="count", ge=1, le=31)
    report_noise: float = param(0.05, "Standard deviation of the logarithm of an observer's error.", ge=0.0, le=2.0)
    report_lag_days: int = param(7, "Days from the end of a period to its report and settlement.", unit="days", ge=0,
                                 le=90)

    @model_validator(mode="after")
    def _strike_below_exhaustion(self) -> Self:
        if self.strike >= self.exhaustion:
            raise ValueError("strike must be below exhaustion")
        if self.neighbours > self.pricing_paths:
            raise ValueError("neighbours cannot exceed pricing_paths")
        return self


SECTION = OutbreakSwapSection
