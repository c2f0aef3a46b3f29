"""Schema of the synthetic medical-cost asset."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import MARKET_POOL, Metric, Model, Reference, Section, Series, ShockKind, param

SYNTHETIX = "Synthetix: Issuer, SynthetixDebtShare and Liquidator contracts, with its default ratios 300 % and 150 %"


class CollateralSale(Model):
    """Arguments of the shock ``collateral_sale``."""

    fall: float = param(0.25, "Fall of the spot price that the sale brings about, as a share of the price before.",
                        gt=0.0, lt=1.0)


class SyntheticsSection(Section):
    """sMED pays the medical price index; issuers stand behind it with collateral and share one pool's debt."""

    implementation: ClassVar[str] = "sim.contracts.credit.synthetics:Synthetics"
    requires: ClassVar[tuple[str, ...]] = ("health_token", "amm", "reference_price")
    series: ClassVar[tuple[Series, ...]] = (
        Series("synthetics.supply", "sMED outstanding", "tokens"),
        Series("synthetics.debt", "Value of all synthetics at their oracle prices: what issuers owe", "USD"),
        Series("synthetics.collateral", "Value of all collateral at the price source", "USD"),
        Series("synthetics.ratio", "Collateral over debt, all positions together"),
        Series("synthetics.price", "Price of sMED in its pool at the end of the day", "USD"),
        Series("synthetics.collateral_price", "Spot price of the collateral in its pool at the end of the day", "USD"),
        Series("synthetics.liquidations", "Liquidations executed today", "count"),
        Series("synthetics.unbacked", "Debt of positions beyond the value of their own collateral", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("synthetics.liquidations", "Liquidations in the run", "count", "low"),
        Metric("synthetics.seized", "Collateral taken in liquidations, in tokens", "tokens", "low"),
        Metric("synthetics.liquidated_share", "Collateral taken in liquidations over all collateral at the start",
               better="low"),
        Metric("synthetics.bad_debt", "Debt struck off because its collateral was gone, and debt beyond the value of "
               "its collateral at the end", "USD", "low"),
        Metric("synthetics.bad_debt_share", "That debt over all debt at the start", better="low"),
        Metric("synthetics.collateral_fall", "Largest fall of the collateral's closing spot price below that of the "
               "first day, as a share of it", better="low"),
        Metric("synthetics.peg_gap", "Mean absolute gap between the price of sMED in its pool and the index, over the "
               "index", better="low"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("collateral_sale", "The external venue sells collateral in its pool until the price has fallen by a "
                  "given share.", CollateralSale),
    )

    collateral: Literal["HLT", "USDs"] = param("HLT", "Asset that issuers deposit.")
    pool: str = param("sMED", "Pool of the market maker in which sMED trades.")
    collateral_pool: str = param("HLT", "Pool that prices collateral other than dollars and in which it is sold.")
    collateral_price: Literal["spot", "twap", "committee"] = param(
        "twap", "Where the contract reads the price of collateral: the pool's ratio now, its average over a window, or "
        "the index that the oracle committee posts.")
    window_days: float = param(0.25, "Window of that average.", unit="days", gt=0.0, le=30.0)
    max_age_days: int = param(3, "A posted index older than this stops issuing, burning and liquidation.", unit="days",
                              ge=0, le=365)
    issuance_ratio: float = param(1.5, "Least collateral over debt at which sMED is issued or collateral withdrawn.",
                                  gt=1.0, le=100.0)
    liquidation_ratio: float = param(1.2, "Ratio below which a position can be flagged and then liquidated.", gt=1.0,
                                     le=100.0)
    liquidation_delay_days: int = param(1, "Days between a flag and the first liquidation.", unit="days", grade="M",
                                        source=SYNTHETIX + "; 24 hours", ge=0, le=365)
    liquidation_penalty: float = param(0.10, "Collateral beyond the debt repaid that a liquidator gets.", grade="M",
                                       source=SYNTHETIX + "; 10 % in its first form, 30 % later", ge=0.0, le=1.0)
    own_penalty: float = param(0.067, "The same where issuers liquidate themselves; Synthetix's 20 % beside 30 %.",
                               ge=0.0, le=1.0)
    dollar_synthetic: bool = param(False, "Whether sUSD, worth a dollar, is listed too and exchanged at the oracle's "
                                   "prices.")
    exchange_fee_bps: int = param(30, "Fee on such exchanges, kept by the debt pool.", unit="bps", ge=0, le=1000)
    founders_ratio: float = param(2.5, "Collateral ratio of the founders' position, which opens the pool of sMED.",
                                  gt=1.0, le=100.0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.liquidation_ratio > self.issuance_ratio:
            raise ValueError("liquidation_ratio must not be above issuance_ratio")
        if self.founders_ratio < self.issuance_ratio:
            raise ValueError("founders_ratio must not be below issuance_ratio")
        return self

    def references(self) -> tuple[Reference, ...]:
        return (Reference(("pool",), MARKET_POOL, self.pool),)


SECTION = SyntheticsSection
