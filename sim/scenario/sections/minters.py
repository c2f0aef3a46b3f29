"""Schema of those who issue the synthetic and those who liquidate its issuers."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class MintersSection(Section):
    """Issuers of sMED with their cash for defence, and liquidators bounded by what they hold."""

    implementation: ClassVar[str] = "sim.agents.minter:Minters"
    requires: ClassVar[tuple[str, ...]] = ("synthetics", "amm", "health_token")
    series: ClassVar[tuple[Series, ...]] = (
        Series("minters.defended", "sMED that issuers burned today to raise their ratio", "tokens"),
        Series("minters.issued", "sMED that issuers issued and sold today", "tokens"),
        Series("minters.bought_back", "sMED that issuers bought below the index and burned today", "tokens"),
        Series("minters.liquidator_stock", "sMED that liquidators hold", "tokens"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("minters.defended", "sMED that issuers burned to raise their ratio", "tokens"),
        Metric("minters.issued", "sMED that issuers issued and sold in the run", "tokens"),
        Metric("minters.bought_back", "sMED that issuers bought below the index and burned in the run", "tokens"),
        Metric("minters.loss", "Collateral that issuers lost in liquidations beyond the debt repaid, at the contract's "
               "prices", "USD", "low"),
        Metric("minters.liquidator_profit", "Proceeds of liquidators over the index value of what they burned", "USD"),
        Metric("minters.refused_orders", "Orders of issuers and liquidators that were refused: no gain in the block",
               "count"),
    )

    minters: int = param(50, "Number of issuers.", unit="count", ge=1, le=2000)
    collateral: float = param(2e6, "Collateral of all issuers at the start, in equal parts.", unit="USD", gt=0.0,
                              le=1e11)
    ratio_low: float = param(1.5, "Collateral over debt of the riskiest issuer at the start.", gt=1.0, le=100.0)
    ratio_high: float = param(2.5, "That of the safest; in between evenly.", gt=1.0, le=100.0)
    kept_share: float = param(0.0, "Share of what they issued that issuers keep to repay with; the rest was sold "
                              "before the first day.", ge=0.0, le=1.0)
    cash_share: float = param(0.1, "Cash that an issuer keeps, over its debt, to buy sMED back with.", ge=0.0, le=10.0)
    defence_ratio: float = param(1.4, "Ratio below which an issuer defends its position.", gt=0.0, le=100.0)
    attention: float = param(0.5, "Probability that an issuer looks at its position on a day.", unit="1/day", ge=0.0,
                             le=1.0)
    issue_premium: float = param(0.03, "An issuer issues and sells where its pool pays more than the index by this "
                                 "share, and buys back and repays where it asks less by as much.", ge=0.0, le=10.0)
    liquidators: int = param(3, "Number of liquidators.", unit="count", ge=0, le=100)
    liquidator_share: float = param(0.5, "Share of what was sold that liquidators hold, in equal parts; long investors "
                                    "hold the rest.", ge=0.0, le=1.0)
    liquidator_cash: float = param(1e5, "Opening cash of each liquidator, to buy more sMED with.", unit="USD", ge=0.0,
                                   le=1e10)


SECTION = MintersSection
