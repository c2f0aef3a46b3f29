"""Schema of pools' investments: what they hold beside cash, how it is valued, when it is sold."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import Metric, Section, Series, param

GREENWOOD = ("Greenwood, Landier & Thesmar 2015, recalled: banks sell in proportion to their target shares to return "
             "to target leverage")


class InvestmentsSection(Section):
    """Pools hold part of their own funds in health tokens, market-maker shares and senior shares of other pools."""

    implementation: ClassVar[str] = "sim.agents.pool_investor:Investments"
    requires: ClassVar[tuple[str, ...]] = ("insurance", "insurers", "health_token", "amm")
    series: ClassVar[tuple[Series, ...]] = (
        Series("investments.cash", "Investment money for gas or on its way", "USD", "institution"),
        Series("investments.health_token", "Value of health tokens held", "USD", "institution"),
        Series("investments.liquidity_shares", "Value of market-maker shares held", "USD", "institution"),
        Series("investments.pool_shares", "Value of senior shares of other pools held", "USD", "institution"),
        Series("investments.sold", "Brought in today by sales of tokens and market-maker shares", "USD", "institution"),
        Series("investments.share", "Investments over own funds", "1", "institution"),
        Series("investments.value", "Value of all pools' investments", "USD"),
        Series("investments.fire_sales", "Sold today under stress, all pools", "USD"),
        Series("investments.mark_losses", "Value lost today by a change of market prices, all pools; negative: gained",
               "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("investments.fire_sales", "Sold under stress in the run", "USD", "low"),
        Metric("investments.fire_sale_losses", "Value before less proceeds of all sales in the run", "USD", "low"),
        Metric("investments.mark_losses", "Value lost by changes of market prices in the run", "USD", "low"),
        Metric("investments.highest_mark_loss_30d", "Largest loss of value in 30 days by market prices alone, over the "
               "value of all investments before", "1", "low"),
        Metric("investments.pools_that_sold", "Pools that sold under stress", "pools", "low"),
        Metric("investments.failed_orders", "Orders that were refused or not included", "count", "low"),
        Metric("investments.overlap", "Mean over pairs of pools of the cosine of their holdings by class and issuer"),
    )

    pools: list[str] = param([], "Names of the pools that invest; none named: all.")
    health_token_share: float = param(0.20, "Target share of own funds in health tokens.", ge=0.0, le=0.9)
    liquidity_share: float = param(0.0, "Target share of own funds in shares of the market maker.", ge=0.0, le=0.9)
    pool_shares_share: float = param(0.0, "Target share of own funds in senior shares of the other pools, in equal "
                                     "parts.", ge=0.0, le=0.9)
    market: str = param("HLT", "Pool of the market maker in which tokens are bought and sold.")
    first_purchase: Literal["issuer", "market"] = param(
        "issuer", "Where the first portfolio is bought: from the token's issuer at the index, as far as the primary "
        "market is open, or in the market maker. Later purchases take the cheaper.")
    valuation: Literal["spot", "twap", "liquidation"] = param(
        "spot", "Price at which holdings count: the market maker's spot price, its average over a window, or what "
        "selling everything would bring now.")
    window_days: float = param(1.0, "Window of the average price.", unit="days", gt=0.0, le=365.0)
    rebalancing_days: int = param(30, "Days between two returns to the target shares.", unit="days", ge=1, le=3650)
    band: float = param(0.05, "Part of own funds by which a holding may miss its target before it is traded.", ge=0.0,
                        le=1.0)
    slippage_limit: float = param(0.05, "Largest discount to the spot price at which a pool buys or sells at ease: "
                                  "bounds its order of a day, and the fall of price that the order still accepts.",
                                  gt=0.0, le=0.9)
    fire_sales: bool = param(True, "Whether pools sell under stress: below the selling ratio, when cash is short, and "
                             "in run-off. Off: they keep what they hold, and a shortage of cash stays one.")
    selling_scr_ratio: float = param(1.2, "SCR ratio below which a pool cuts its targets.", grade="L", source=GREENWOOD,
                                     ge=0.0, le=20.0)
    exit_scr_ratio: float = param(0.8, "SCR ratio at which its targets are zero; in between they fall linearly.",
                                  ge=0.0, le=20.0)
    stress_slippage_limit: float = param(0.50, "The limit for sales under stress.", gt=0.0, lt=1.0)
    cash_buffer: float = param(0.25, "Cash is short where it does not cover claims filed and unpaid and the "
                               "withdrawals that fall due, times one plus this.", ge=0.0, le=10.0)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        total = self.health_token_share + self.liquidity_share + self.pool_shares_share
        if total > 0.95:
            raise ValueError(f"the target shares sum to {total:g}; at most 0.95 of own funds can be invested")
        if self.exit_scr_ratio > self.selling_scr_ratio:
            raise ValueError("exit_scr_ratio must not be above selling_scr_ratio")
        return self


SECTION = InvestmentsSection
