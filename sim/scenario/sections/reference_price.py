"""Schema of the prices of the outside world: medical care, the chain's gas coin, the health token elsewhere."""

from __future__ import annotations

from typing import ClassVar, Literal

from sim.scenario.types import Metric, Model, Section, Series, ShockKind, param


class PriceJump(Model):
    """Arguments of the shock ``price_jump``."""

    which: Literal["gas_coin", "hlt_external", "medical_index"] = param(
        "gas_coin", "The price that jumps. The health token's external price reverts to its fundamental afterwards.")
    size: float = param(-0.5, "Relative change on the day: -0.5 halves the price.", gt=-1, le=100, grade="M",
                        source="ether on 12 March 2020: about -50 % in a day and a half")


class CostInflation(Model):
    """Arguments of the shock ``cost_inflation``."""

    size: float = param(0.1, "Lasting relative rise of the medical price index, on top of its trend.", gt=-1, le=10)
    days: int = param(365, "Days over which the rise comes, evenly in logs.", unit="days", ge=1)


class ReferencePriceSection(Section):
    """Price processes that no agent in the market moves."""

    implementation: ClassVar[str] = "sim.world.reference_price:ReferencePrice"

    medical_index: float = param(1.0, "Medical price index on day 0: dollars of care that one health token buys.",
                                 unit="USD/HLT", gt=0, le=1_000_000)
    medical_growth_per_year: float = param(
        0.035, "Mean yearly growth of medical prices.", unit="1/year", ge=-0.5, le=2, grade="M",
        source="BLS, CPI-U medical care, December to December: 2.8, 3.4, 3.7, 4.2 % in 1997-2000 (The Economics Daily, "
               "29 May 2001)")
    medical_trend_sd: float = param(
        0.01, "Stationary deviation of the yearly growth rate, which wanders slowly: years of high and low trend.",
        unit="1/year", ge=0, le=1)
    medical_trend_half_life_days: float = param(365.0, "Half-life of the growth rate's deviations.", unit="days", gt=0)
    medical_volatility_per_year: float = param(
        0.01, "Volatility of the index around its trend (geometric Brownian motion).", unit="1/sqrt(year)", ge=0, le=2)

    gas_coin_usd: float = param(3000.0, "Price of the coin that gas is paid in, on day 0.", unit="USD", gt=0,
                                le=1_000_000)
    gas_coin_growth_per_year: float = param(0.0, "Its expected yearly growth in logs of the mean.", unit="1/year",
                                            ge=-2, le=2)
    gas_coin_volatility_per_year: float = param(
        0.7, "Its volatility between jumps; ether's realised volatility has mostly been 0.5 to 1.", unit="1/sqrt(year)",
        ge=0, le=3)
    gas_coin_jumps_per_year: float = param(4.0, "Mean number of jumps of its price.", unit="1/year", ge=0, le=100)
    gas_coin_jump_mean: float = param(-0.05, "Mean log size of a jump.", ge=-1, le=1)
    gas_coin_jump_sd: float = param(0.10, "Deviation of the log size of a jump.", ge=0, le=1)

    hlt_premium_sd: float = param(
        0.05, "Stationary deviation of the log premium of the health token's external price over its fundamental "
        "(Ornstein-Uhlenbeck).", ge=0, le=2)
    hlt_premium_half_life_days: float = param(10.0, "Half-life of that premium.", unit="days", gt=0)

    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("reference_price.medical_growth_per_year", "Realised yearly growth of the medical price index.",
               "1/year", "none"),
        Metric("reference_price.gas_coin_change", "Relative change of the gas coin's price over the run.", "1", "none"),
    )
    series: ClassVar[tuple[Series, ...]] = (
        Series("reference_price.medical_index", "Medical price index: dollars of care per health token.", "USD/HLT"),
        Series("reference_price.gas_coin_usd", "Price of the coin that gas is paid in.", "USD"),
        Series("reference_price.hlt_external", "Price of the health token on the external venue.", "USD/HLT"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("price_jump", "A reference price jumps.", PriceJump),
        ShockKind("cost_inflation", "Medical prices rise faster than their trend for a time.", CostInflation),
    )


SECTION = ReferencePriceSection
