"""Schema of liquidators."""

from typing import ClassVar, Literal

from sim.scenario.types import Metric, Section, Series, param


class LiquidatorsSection(Section):
    """Liquidators: repay debts out of health, take the collateral at a bonus, and sell it in the market maker."""

    implementation: ClassVar[str] = "sim.agents.liquidator:Liquidators"
    requires: ClassVar[tuple[str, ...]] = ("amm", "lending")
    series: ClassVar[tuple[Series, ...]] = (
        Series("liquidators.cash", "Cash of all liquidators at the end of the day", "USD"),
        Series("liquidators.refused", "Liquidations that reverted today: another was quicker, or it would not pay any "
               "more", "count"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("liquidators.profit", "Cash gained over the run, gas paid, tokens kept at fair value", "USD"),
        Metric("liquidators.done", "Liquidations that they carried out", "count"),
        Metric("liquidators.refused", "Liquidations that reverted", "count", "low"),
        Metric("liquidators.dropped", "Liquidations that no block included at their fee", "count", "low"),
    )

    number: int = param(3, "Number of liquidators.", unit="count", ge=0, le=200)
    cash: float = param(2e5, "Opening cash of each.", unit="USD", ge=0.0, le=1e10)
    funding: Literal["own", "flash_loan"] = param("own", "Whether they repay with their own cash or with a flash loan "
                                                  "repaid from the sale.")
    fee_multiple: float = param(10.0, "Most that they pay for gas, over the fee quoted when they decide.", ge=1.0,
                                le=1000.0)
    least_profit: float = param(1.0, "They act where the sale of the collateral brings at least this above debt and "
                                "gas.", unit="USD", ge=0.0, le=1e9)


SECTION = LiquidatorsSection
