"""Schema of the prediction markets."""

from itertools import pairwise
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import Metric, Model, Section, Series, param

HANSON = "Hanson 2003, Combinatorial information market design; Gnosis LMSRMarketMaker.sol"


class MarketTerms(Model):
    """One question that is asked again and again."""

    subject: Literal["cost_growth", "spending", "incidence", "trials"] = param(
        "cost_growth", "What is forecast over the window: growth of the medical price index; claims per member over "
        "those of the window before; share of persons newly infected; announced discoveries of research.")
    thresholds: tuple[float, ...] = param(
        (0.02, 0.05, 0.10), "Rising borders between the outcomes: n borders make n + 1 outcomes.", min_length=1,
        max_length=15)
    first_day: int = param(0, "Day on which the first market opens.", unit="days", ge=0)
    interval_days: int = param(91, "Days between two openings.", unit="days", ge=1, le=3650)
    trading_days: int = param(30, "Days from opening to the last trade.", unit="days", ge=1, le=3650)
    window_days: int = param(91, "Days from opening to the report: what happens in them is forecast.", unit="days",
                             ge=2, le=3650)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if any(high <= low for low, high in pairwise(self.thresholds)):
            raise ValueError("thresholds must rise")
        if self.trading_days >= self.window_days:
            raise ValueError("trading_days must be less than window_days")
        return self


class PredictionMarketsSection(Section):
    """Markets that forecast costs, claims, incidence and trials, with a market maker whose loss is bounded (LMSR)."""

    implementation: ClassVar[str] = "sim.agents.prediction_market:PredictionMarkets"
    requires: ClassVar[tuple[str, ...]] = ("reference_price",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("prediction_markets.open", "Markets that are open for trade", "count"),
        Series("prediction_markets.volume", "Paid for shares today, less what sales brought, in absolute value", "USD"),
        Series("prediction_markets.cost_growth", "Growth of medical prices that the newest market on it expects",
               "1/year"),
        Series("prediction_markets.staked", "Money locked on benchmarks", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("prediction_markets.settled", "Markets that have been settled", "count"),
        Metric("prediction_markets.unfunded", "Markets that were not opened because the sponsor lacked the funding",
               "count", "low"),
        Metric("prediction_markets.brier", "Mean Brier score of the closing prices, sum of (price - happened)^2 over "
               "the outcomes: 0 perfect, 2 certain of what does not happen", better="low"),
        Metric("prediction_markets.brier_uniform", "The same score of a forecast that gives all outcomes the same "
               "chance"),
        Metric("prediction_markets.price_of_truth", "Mean closing price of what happened", better="high"),
        Metric("prediction_markets.funding", "Money that the sponsor put up", "USD"),
        Metric("prediction_markets.sponsor_loss", "Loss of the sponsor in settled markets; at most their funding",
               "USD", "low"),
        Metric("prediction_markets.informed_result", "Result of informed traders in settled markets", "USD"),
        Metric("prediction_markets.noise_result", "Result of noise traders in settled markets", "USD"),
        Metric("prediction_markets.manipulator_result", "Result of manipulators in settled markets: what the "
               "manipulation cost, where negative", "USD"),
        Metric("prediction_markets.stakes_right", "Share of the money staked on benchmarks that was on what happened",
               better="high"),
    )

    markets: tuple[MarketTerms, ...] = param((MarketTerms(),), "Questions that are asked.", min_length=1)
    funding: float = param(2_000.0, "The sponsor's money in one market: the most that it can lose, b ln n.",
                           unit="USD", grade="M", source=HANSON, gt=0.0, le=1e8)
    sponsor: Literal["foundation", "treasury"] = param(
        "foundation", "Who funds markets: a foundation with money of its own, or the protocol's treasury.")
    sponsor_cash: float = param(50_000.0, "What the foundation starts with.", unit="USD", ge=0.0, le=1e9)
    informed: int = param(4, "Informed traders: they know the changes in prices that are agreed, or the state of "
                          "research and of an epidemic, with an error of their own.", unit="count", ge=0, le=200)
    informed_cash: float = param(5_000.0, "What each starts with.", unit="USD", ge=0.0, le=1e8)
    signal_noise: float = param(0.5, "Error of an informed trader's estimate, in standard deviations of what it does "
                                "not know.", ge=0.0, le=10.0)
    noise_traders: int = param(4, "Noise traders: they buy some outcome at random.", unit="count", ge=0, le=200)
    noise_cash: float = param(5_000.0, "What each starts with.", unit="USD", ge=0.0, le=1e8)
    noise_trades_per_day: float = param(0.3, "Chance that a noise trader trades in a market on a day.", ge=0.0, le=1.0)
    noise_size: float = param(0.05, "Mean money of a noise trade over the market's funding.", ge=0.0, le=10.0)
    manipulators: int = param(0, "Manipulators: they buy one outcome up, whatever they believe.", unit="count", ge=0,
                              le=200)
    manipulator_cash: float = param(10_000.0, "What each starts with.", unit="USD", ge=0.0, le=1e8)
    manipulated_outcome: Literal["lowest", "highest"] = param("lowest", "The outcome that they buy.")
    manipulated_price: float = param(0.9, "They buy until its price is this.", gt=0.0, lt=1.0)
    stakers: int = param(3, "Associations that lock a stake on the outcome that they draw from the closing prices.",
                         unit="count", ge=0, le=200)
    stake: float = param(100.0, "Stake of each on one benchmark.", unit="USD", gt=0.0, le=1e6)
    committee: int = param(7, "Oracles who report the figure; their median settles.", unit="count", ge=1, le=31)
    report_error: float = param(0.001, "Standard deviation of one oracle's report, in the figure's own unit.", ge=0.0,
                                le=10.0)


SECTION = PredictionMarketsSection
