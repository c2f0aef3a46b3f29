"""Schema of lending against collateral."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import MARKET_POOL, Governable, Metric, Model, Reference, Section, Series, param

AAVE = "Aave v2: markets/aave/reservesConfigs.ts and rateStrategies.ts; health, close factor in LendingPool.sol"
AAVE_3 = "Aave v3.3 LiquidationLogic.sol"


class LentMarketTerms(Model):
    """One asset that is supplied, borrowed, and borrowed against."""

    asset: str = param("USDs", "Symbol of the asset.")
    opening: float = param(0.0, "What the suppliers put in at the start: cash and health tokens as opening wealth, any "
                           "other asset from what the market makers' founders hold.", unit="tokens", ge=0.0, le=1e12)
    ltv: float = param(0.75, "Loan to value: what may be borrowed against it. 0: it is no collateral for loans.",
                       ge=0.0, lt=1.0, grade="M", source=AAVE)
    liquidation_threshold: float = param(0.8, "Part of its value that counts against the debt before liquidation.",
                                         ge=0.0, le=1.0, grade="M", source=AAVE)
    bonus: float = param(0.05, "What a liquidator is paid on top of the debt it repays.", ge=0.0, le=0.5, grade="M",
                         source=AAVE)
    optimal_utilisation: float = param(0.8, "Lent share at the kink of the rate.", gt=0.0, lt=1.0, grade="M",
                                       source=AAVE)
    base_rate: float = param(0.0, "Borrow rate when nothing is lent.", unit="1/year", ge=0.0, le=1.0, grade="M",
                             source=AAVE)
    slope_1: float = param(0.04, "Rise of the rate up to the kink.", unit="1/year", ge=0.0, le=2.0, grade="M",
                           source=AAVE)
    slope_2: float = param(0.75, "Further rise from the kink to full utilisation.", unit="1/year", ge=0.0, le=10.0,
                           grade="M", source=AAVE)
    price: Literal["dollar", "spot", "twap", "committee"] = param(
        "dollar", "Where the contract reads its price: one dollar, a pool's spot price, its time-weighted average, or "
        "the health token's posted index.")
    pool: str = param("HLT", "Market maker that spot and average prices are read from.")
    window_minutes: float = param(30.0, "Window of the average price.", unit="minutes", gt=0.0, le=525_600.0)
    max_age_days: int = param(3, "Oldest committee price that may be used.", unit="days", ge=0, le=365)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ltv > self.liquidation_threshold:
            raise ValueError("ltv is above liquidation_threshold: a loan could be liquidated at once")
        if self.liquidation_threshold * (1.0 + self.bonus) > 1.0:
            raise ValueError("liquidation_threshold x (1 + bonus) is above 1: every liquidation would leave bad debt")
        return self


class LendingSection(Section):
    """A pool that lends what suppliers deposit, against collateral (Aave)."""

    implementation: ClassVar[str] = "sim.contracts.credit.lending_market:Lending"
    series: ClassVar[tuple[Series, ...]] = (
        Series("lending.debt", "Debts of all borrowers at the contract's prices", "USD"),
        Series("lending.collateral", "Collateral of those in debt at the contract's prices", "USD"),
        Series("lending.utilisation", "Lent share of the first market"),
        Series("lending.borrow_rate", "Borrow rate of the first market", "1/year"),
        Series("lending.supply_rate", "What suppliers of the first market earn", "1/year"),
        Series("lending.unhealthy", "Borrowers whose health factor is below one at the end of the day", "count"),
        Series("lending.liquidations", "Liquidations today", "count"),
        Series("lending.bad_debt", "Debt recorded as lost so far", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("lending.bad_debt", "Debt recorded as lost: nothing stood behind it any more", "USD", "low"),
        Metric("lending.shortfall", "Debt at the end beyond its collateral at fair value (what the asset's issuer or "
               "market maker backs it with), not yet recorded as lost", "USD", "low"),
        Metric("lending.loss", "Bad debt recorded plus shortfall at the end, less nothing that anybody covered", "USD",
               "low"),
        Metric("lending.loss_to_suppliers", "Bad debt that neither the protocol's part of the interest nor the "
               "treasury covered", "USD", "low"),
        Metric("lending.liquidations", "Liquidations in the run", "count"),
        Metric("lending.liquidated", "Debt repaid by liquidators", "USD"),
        Metric("lending.peak_utilisation", "Highest lent share of the first market at a day's end"),
        Metric("lending.interest", "Interest accrued in the first market, in whole tokens", "tokens"),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("lending.close_factor", 0.05, 1.0, "Part of a debt that one liquidation may repay"),
        Governable("lending.reserve_factor", 0.0, 1.0, "Part of the interest that the protocol keeps"),
    )

    markets: tuple[LentMarketTerms, ...] = param(
        (LentMarketTerms(opening=2e6), LentMarketTerms(asset="HLT", price="twap")),
        "Assets of the pool; the first one feeds the market-wide series.", min_length=1)
    close_factor: float = param(0.5, "Part of a debt that one liquidation may repay.", gt=0.0, le=1.0, grade="M",
                                source=AAVE)
    full_close_health: float = param(0.95, "Health factor at and below which all of it may be repaid.", ge=0.0, le=1.0,
                                     grade="M", source=AAVE_3)
    full_close_below: float = param(2000.0, "Debts up to this may be repaid in full.", unit="USD", ge=0.0, le=1e9,
                                    grade="M", source=AAVE_3)
    reserve_factor: float = param(0.1, "Part of the interest that the protocol keeps against losses.", ge=0.0, le=1.0,
                                  grade="M", source=AAVE)
    bad_debt: Literal["suppliers", "treasury"] = param(
        "suppliers", "Who bears a loss after the protocol's part of the interest: all suppliers at once, or the "
        "treasury as far as its cash goes and suppliers for the rest.")
    liquidation: Literal["direct", "auction"] = param(
        "direct", "How collateral is sold: to whoever repays the debt, at a bonus, or by auction (section "
        "collateral_auctions).")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [terms.asset for terms in self.markets]
        if len(set(names)) < len(names):
            raise ValueError("an asset has two markets")
        return self

    def references(self) -> tuple[Reference, ...]:
        return tuple(Reference(("markets", number, "pool"), MARKET_POOL, market.pool)
                     for number, market in enumerate(self.markets) if market.price in ("spot", "twap"))


SECTION = LendingSection
