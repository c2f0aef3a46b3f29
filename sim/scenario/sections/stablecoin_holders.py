"""Schema of those who hold, borrow, arbitrage and liquidate the health stablecoin."""

from typing import ClassVar

from sim.scenario.types import Metric, Model, Section, Series, ShockKind, param

UST = "Liu, Makarov & Schoar 2023, on the run on UST: the wealthy and informed left first and fastest"


class RedemptionWave(Model):
    """Arguments of the shock ``redemption_wave``."""

    share: float = param(0.05, "Share of the holders' coins whose owners leave on that day, for reasons of their own.",
                         ge=0.0, le=1.0)


class StablecoinHoldersSection(Section):
    """Holders who may run, arbitrageurs who keep the peg, borrowers and liquidators of troves."""

    implementation: ClassVar[str] = "sim.agents.stablecoin_holder:StablecoinHolders"
    requires: ClassVar[tuple[str, ...]] = ("stablecoin", "amm", "health_token")
    series: ClassVar[tuple[Series, ...]] = (
        Series("stablecoin_holders.exits", "Coins that holders gave up today", "coins"),
        Series("stablecoin_holders.run_exits", "Those given up for fear, without the scheduled wave", "coins"),
        Series("stablecoin_holders.held", "Coins that holders still have, stability deposits included", "coins"),
        Series("stablecoin_holders.arbitrage_profit", "Profit of arbitrageurs today, before gas", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("stablecoin_holders.run_share", "Share of all coins held at the start that left for fear", better="low"),
        Metric("stablecoin_holders.exit_price", "Mean cash per coin of those who left", "USD", "high"),
        Metric("stablecoin_holders.informed_exit_price", "Mean cash per coin of informed holders who left for fear",
               "USD"),
        Metric("stablecoin_holders.other_exit_price", "Mean cash per coin of other holders who left for fear", "USD"),
        Metric("stablecoin_holders.informed_lead_days", "Mean day on which other coins left for fear less that of "
               "informed ones", "days"),
        Metric("stablecoin_holders.run_concavity", "Area under the share of run exits so far, over the days from the "
               "first to the last of them: 0.5 is a steady flow, 1 all on the first day"),
        Metric("stablecoin_holders.arbitrage_profit", "Profit of arbitrageurs in the run, before gas", "USD"),
        Metric("stablecoin_holders.defended", "Coins that borrowers bought to repay their debt", "coins"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("redemption_wave", "Some holders give up their coins on one day.", RedemptionWave),
    )

    holders: int = param(200, "Number of holders.", unit="count", ge=1, le=3000)
    coins: float = param(1e7, "Coins that they hold together at the start.", unit="coins", gt=0.0, le=1e11)
    size_log_sd: float = param(1.5, "Standard deviation of the logarithm of a holder's coins.", ge=0.0, le=4.0)
    runs: bool = param(True, "Whether holders leave when they are afraid.")
    informed_share: float = param(0.3, "Share of holders, the largest, who watch the reserve and the cash in the "
                                  "share's pool; the others see the coin's price alone.", grade="L", source=UST, ge=0.0,
                                  le=1.0)
    attention_most: float = param(0.95, "Probability that the largest holder looks on a day.", grade="L", source=UST,
                                  unit="1/day", ge=0.0, le=1.0)
    attention_least: float = param(0.10, "That of the smallest; in between it falls evenly with the rank by size.",
                                   unit="1/day", ge=0.0, le=1.0)
    tolerance_median: float = param(0.20, "Median of the loss at which holders leave: below a dollar in the coin's "
                                    "price or, for the informed, of what all coins together could fetch.", gt=0.0,
                                    le=1.0)
    tolerance_log_sd: float = param(0.5, "Standard deviation of its logarithm over holders.", ge=0.0, le=3.0)
    reference_days: int = param(7, "Days over which the informed compare: they see the fall from the highest.",
                                unit="days", ge=1, le=365)
    arbitrageurs: int = param(2, "Number of arbitrageurs, who also liquidate troves.", unit="count", ge=0, le=50)
    arbitrage_cash: float = param(5e5, "Opening cash of each.", unit="USD", ge=0.0, le=1e10)
    arbitrage_orders_per_day: int = param(24, "Orders that an arbitrageur sends a day, each to its own part of it.",
                                          unit="1/day", ge=1, le=1000)
    troves: int = param(20, "Borrowers who opened a trove before the first day; holders have bought their coins.",
                        unit="count", ge=1, le=2000)
    trove_ratio_low: float = param(1.7, "Collateral ratio of the riskiest of them at the start.", gt=1.0, le=100.0)
    trove_ratio_high: float = param(3.0, "That of the safest; in between evenly.", gt=1.0, le=100.0)
    borrower_cash_share: float = param(0.2, "Cash that a borrower keeps, over its debt, to buy back coins that are "
                                       "cheap.", ge=0.0, le=10.0)
    borrower_orders_per_day: int = param(6, "Times a day at which a borrower looks at the coin's price.", unit="1/day",
                                         ge=1, le=1000)
    stability_share: float = param(0.3, "Share of holders' coins in the stability pool at the start.", ge=0.0, le=1.0)


SECTION = StablecoinHoldersSection
