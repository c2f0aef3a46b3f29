"""Schema of the health stablecoin: over-collateralised by troves, or minted and redeemed against cash and a share."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import MARKET_POOL, Governable, Metric, Reference, Section, Series, param

LIQUITY = "Liquity: TroveManager, LiquityBase and StabilityPool contracts"
IRON = "IRON, June 2021: 75 % in cash, average price of the share over ten minutes"


class StablecoinSection(Section):
    """hUSD, a coin meant to be worth a dollar, in one of two forms."""

    implementation: ClassVar[str] = "sim.contracts.credit.stablecoin:Stablecoin"
    requires: ClassVar[tuple[str, ...]] = ("health_token", "amm")
    series: ClassVar[tuple[Series, ...]] = (
        Series("stablecoin.price", "Price of the coin in its pool at the end of the day", "USD"),
        Series("stablecoin.supply", "Coins outstanding", "coins"),
        Series("stablecoin.backing", "Over-collateralised: value of all collateral per coin. Algorithmic: cash in the "
               "reserve per coin", "USD"),
        Series("stablecoin.redeemed", "Coins redeemed today", "coins"),
        Series("stablecoin.share_price", "Price of the share in its pool at the end of the day (algorithmic form)",
               "USD"),
        Series("stablecoin.share_supply", "Shares outstanding (algorithmic form)", "shares"),
        Series("stablecoin.base_rate", "Base rate at the end of the day, without the floor (over-collateralised form)"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("stablecoin.price_end", "Mean closing price of the coin over the last five days", "USD", "high"),
        Metric("stablecoin.depeg_max", "Largest distance of a closing price below one dollar", "USD", "low"),
        Metric("stablecoin.collapsed", "1 where the price ends below 0.50, else 0", better="low"),
        Metric("stablecoin.in_between", "1 where the price ends from 0.50 to 0.95, in neither basin, else 0"),
        Metric("stablecoin.redeemed", "Coins redeemed in the run", "coins"),
        Metric("stablecoin.bad_debt", "Over-collateralised: coins beyond the value of all collateral, at the end. "
               "Algorithmic: coins beyond the cash in the reserve and in the share's pool", "USD", "low"),
        Metric("stablecoin.liquidated", "Debt of troves that were liquidated in the run", "coins", "low"),
        Metric("stablecoin.redistributed", "Part of it that the stability pool could not bear", "coins", "low"),
        Metric("stablecoin.share_price_fall", "Fall of the share's price over the run, as a share of its opening price",
               better="low"),
        Metric("stablecoin.share_dilution", "Shares outstanding at the end over those at the start", better="low"),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("stablecoin.fee_floor", 0.0, 0.05, "Least fee on borrowing and redeeming stablecoins"),
    )

    form: Literal["over_collateralised", "algorithmic"] = param(
        "over_collateralised", "Troves of health tokens with liquidation and redemption, or cash and a share token.")
    coin_pool: str = param("hUSD", "Pool of the market maker in which the coin trades against dollars.")
    collateral_pool: str = param("HLT", "Pool that prices the collateral and in which it is sold.")
    collateral_price: Literal["spot", "twap", "committee"] = param(
        "twap", "Where troves read the price of their collateral: the pool's ratio now, its average over a window, or "
        "the index that the oracle committee posts.")
    window_days: float = param(0.25, "Window of that average.", unit="days", gt=0.0, le=30.0)
    minimum_ratio: float = param(1.10, "Collateral ratio below which a trove is liquidated.", grade="M",
                                 source=LIQUITY, gt=1.0, le=10.0)
    critical_ratio: float = param(1.50, "Ratio of all troves together below which recovery mode begins.", grade="M",
                                  source=LIQUITY, gt=1.0, le=10.0)
    liquidation_reserve: float = param(200.0, "Coins that each trove sets aside for its liquidator.", unit="coins",
                                       grade="M", source=LIQUITY, ge=0.0, le=1e6)
    least_debt: float = param(1800.0, "Least debt of a trove beside that reserve.", unit="coins", grade="M",
                              source=LIQUITY, ge=0.0, le=1e9)
    fee_floor: float = param(0.005, "Least fee on borrowing and redeeming.", grade="M", source=LIQUITY, ge=0.0, le=0.5)
    fee_cap: float = param(0.05, "Largest such fee. Liquity caps borrowing here and redemptions at all they draw.",
                           grade="M", source=LIQUITY, ge=0.0, le=1.0)
    fee_half_life_hours: float = param(12.0, "Time in which the base rate decays by half.", unit="hours", grade="M",
                                       source=LIQUITY, gt=0.0, le=10_000.0)
    fee_beta: int = param(2, "A redemption adds its share of the supply over this to the base rate.", grade="M",
                          source=LIQUITY, ge=1, le=1000)
    founders_ratio: float = param(2.5, "Collateral ratio of the founders' trove, whose coins open the coin's pool.",
                                  gt=1.0, le=100.0)
    cash_ratio: float = param(0.75, "Algorithmic form: cash behind each coin; the rest of a redemption is paid in new "
                              "shares.", unit="USD", grade="M", source=IRON, ge=0.0, le=1.0)
    share_pool: str = param("hSHR", "Pool of the market maker in which the share trades against dollars.")
    share_price: Literal["spot", "twap"] = param("twap", "Price at which shares are minted and burned.", grade="M",
                                                 source=IRON)
    share_window_days: float = param(0.007, "Window of that average: ten minutes.", unit="days", grade="M",
                                     source=IRON, gt=0.0, le=30.0)
    mint_fee_bps: int = param(0, "Fee on minting and redeeming in the algorithmic form.", unit="bps", ge=0, le=1000)
    opening_shares: float = param(4e6, "Shares that the founders hold on the first day, for their pool.",
                                  unit="shares", gt=0.0, le=1e10)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.critical_ratio < self.minimum_ratio:
            raise ValueError("critical_ratio must not be below minimum_ratio")
        if self.founders_ratio < self.critical_ratio:
            raise ValueError("founders_ratio must not be below critical_ratio")
        if self.fee_floor > self.fee_cap:
            raise ValueError("fee_floor must not be above fee_cap")
        return self

    def references(self) -> tuple[Reference, ...]:
        named = {"coin_pool": self.coin_pool}
        if self.form == "algorithmic":
            named["share_pool"] = self.share_pool
        else:
            named["collateral_pool"] = self.collateral_pool
        return tuple(Reference((field,), MARKET_POOL, name) for field, name in named.items())


SECTION = StablecoinSection
