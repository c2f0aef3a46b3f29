"""Schema of the automated market makers."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import MARKET_POOL, Metric, Model, Section, Series, ShockKind, param

UNISWAP = "Uniswap v2 whitepaper and UniswapV2Pair.sol"


BALANCER = "Balancer v2, WeightedMath.sol and the 80/20 pools of governance tokens"
CURVE = "Curve, SwapTemplateBase.vy; its pools of dollar tokens run at 50 to 2,000"


class PoolTerms(Model):
    """One pool, its curve and how it opens."""

    name: str = param("HLT", "Name of the pool; its liquidity token is '<name>-LP'.", pattern=r"^[A-Za-z0-9_-]{1,20}$")
    base: str = param("HLT", "Symbol of the asset that is priced.")
    quote: str = param("USDs", "Symbol of the asset that prices are stated in.")
    curve: Literal["constant_product", "weighted", "stableswap"] = param(
        "constant_product", "How trades are priced: x y = k (Uniswap v2), weighted reserves (Balancer), or almost flat "
        "around the opening price (Curve's StableSwap).")
    weight_base: float = param(0.5, "Weighted pool: share of its value that stands in base, in whole per cents.",
                               grade="M", source=BALANCER, ge=0.01, le=0.99)
    amplification: int = param(100, "StableSwap pool: A; the higher, the flatter.", grade="M", source=CURVE, ge=1,
                               le=1_000_000)
    fee_bps: int = param(30, "Fee on the input of a swap (of a StableSwap pool: on its output).",
                         unit="bps", grade="M", source=UNISWAP, ge=0, le=1000)
    protocol_part: int = param(6, "The treasury receives one part in this many of the fee: 6 gives 5 of 30 bps. "
                               "0 leaves the whole fee to the providers.", grade="M", source=UNISWAP, ge=0, le=1000)
    opening_value: float = param(2e6, "Opening reserve of the quote asset, matched by base of equal value; founders "
                                 "hold the shares.", unit="USD", gt=0.0, le=1e9)
    opening_price: float | None = param(None, "Opening price of the base asset. Empty: the value that its issuer "
                                        "gives it (the health token's index).", unit="USD", gt=0.0, le=1e6)
    issuer: str = param("health_token", "Section of the mechanism that issues the base asset and endows the founders. "
                        "Empty: on day 0 the founders deposit what they hold of it, at most the opening value.")
    holders: Literal["institutions", "all"] = param("institutions", "Who may hold the liquidity token.")
    optional: bool = param(False, "Leave the pool out where its base asset does not exist or the founders hold none, "
                           "instead of refusing.")

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if not self.issuer and self.opening_price is None:
            raise ValueError("opening_price is needed where no issuer gives one")
        if self.base == self.quote:
            raise ValueError("base and quote must be different assets")
        if abs(self.weight_base * 100 - round(self.weight_base * 100)) > 1e-9:
            raise ValueError("weight_base must be a whole per cent")
        return self


class LiquidityWithdrawal(Model):
    """Arguments of the shock ``liquidity_withdrawal``."""

    pool: str = param("HLT", "Pool that the founders leave.")
    share: float = param(0.5, "Share of their liquidity that they take out.", gt=0.0, le=1.0)


class AmmSection(Section):
    """Pools - constant product, weighted, StableSwap - in which health and governance tokens trade."""

    implementation: ClassVar[str] = "sim.contracts.amm.market:Amm"
    requires: ClassVar[tuple[str, ...]] = ("health_token",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("amm.price", "Spot price in the first pool at the end of the day", "USD"),
        Series("amm.twap", "Average price of the first pool over the TWAP window", "USD"),
        Series("amm.depth", "Cash that lifts the first pool's price by 2 per cent", "USD"),
        Series("amm.volume", "Value swapped today in all pools", "USD"),
        Series("amm.fees", "Fees taken today in all pools", "USD"),
        Series("amm.root_k", "Size of the first pool: square root of the product of its reserves (on other curves, "
               "what stands in its place)", "tokens"),
        Series("amm.lp_value_over_hold", "Value of the opening position in the first pool, fees included, over the "
               "value of having held the assets, less one (impermanent loss net of fees)"),
        Series("amm.price_gap", "Spot price in the first pool over the external price (held to the band of issue and "
               "redemption while that is open), less one"),
        Series("amm.pool_price", "Spot price at the end of the day", "USD", "institution"),
        Series("amm.pool_depth", "Cash that lifts the price by 2 per cent", "USD", "institution"),
        Series("amm.pool_volume", "Value swapped today", "USD", "institution"),
        Series("amm.pool_lp_value_over_hold", "Value of the opening position over holding, less one", "1",
               "institution"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("amm.price_end", "Spot price in the first pool at the end of the run", "USD"),
        Metric("amm.volume", "Value swapped in the run, all pools", "USD"),
        Metric("amm.fees", "Fees taken in the run, all pools", "USD", "high"),
        Metric("amm.treasury_fees", "Swap fees paid out to the treasury in cash", "USD"),
        Metric("amm.lp_value_over_hold", "Opening position in the first pool at the end, over holding, less one",
               better="high"),
        Metric("amm.lp_yield", "Fees left to the providers of the first pool per year over the mean value of its "
               "reserves, without any emissions", "1/year", "high"),
        Metric("amm.price_gap", "Mean absolute gap between the first pool's price and the external price",
               better="low"),
        Metric("amm.depth_min", "Least depth of the first pool at 2 per cent in the run", "USD", "high"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("liquidity_withdrawal", "Founding liquidity providers leave a pool.", LiquidityWithdrawal),
    )

    pools: tuple[PoolTerms, ...] = param(
        (PoolTerms(),
         PoolTerms(name="GOV", base="GOV", issuer="", opening_value=5e5, opening_price=0.5, optional=True)),
        "Pools of the market; the first one feeds the market-wide series.", min_length=1)
    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [pool.name for pool in self.pools]
        if len(set(names)) < len(names):
            raise ValueError("two pools have the same name")
        return self

    def named_things(self) -> Mapping[str, tuple[str, ...]]:
        return {MARKET_POOL: tuple(pool.name for pool in self.pools)}

    twap_window_days: float = param(1.0, "Window of the reported average price.", unit="days", gt=0.0, le=365.0)
    fee_interval_days: int = param(30, "Days between two collections of the protocol's part of the fees, which is "
                                   "sold for cash and paid to the treasury.", unit="days", ge=1, le=365)


SECTION = AmmSection
