"""Schema of the flash-loan governor."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, param


class FlashGovernorSection(Section):
    """Somebody who proposes to pay himself the treasury and carries it with votes borrowed for one transaction."""

    implementation: ClassVar[str] = "sim.agents.adversary.flash_governor:FlashGovernor"
    requires: ClassVar[tuple[str, ...]] = ("governance", "flash_loans")
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("flash_governor.expected_profit", "What the attacker expected when it decided to propose; not reported "
               "where it never saw a profit", "USD"),
        Metric("flash_governor.profit", "Its cash at the end less its cash at the start", "USD", "low"),
        Metric("flash_governor.victims_loss", "What the treasury paid to it", "USD", "low"),
        Metric("flash_governor.borrowed", "Largest loan, in units of the asset borrowed", "tokens"),
        Metric("flash_governor.strikes", "Transactions with borrowed votes that went through", "count"),
        Metric("flash_governor.refused", "Transactions of the attacker that were refused or never included", "count"),
    )

    wakes_on_day: int = param(30, "First day on which it looks for a profit.", unit="days", ge=0, le=36_500)
    stake: float = param(0.01, "Share of the community's tokens that it holds from the start, to be able to propose.",
                         ge=0.0, le=1.0)
    opening_cash: float = param(500_000.0, "Own cash, for gas and for the premium of a loan that is repaid before the "
                                "treasury pays.", unit="USD", ge=0.0, le=1e9)
    take: float = param(0.995, "Share of the treasury's cash that it proposes to pay itself; the rest is left so that "
                        "a small expense in between does not make the payment fail.", gt=0.0, le=1.0)
    least_profit: float = param(1000.0, "Least expected profit for which it acts.", unit="USD", ge=0.0, le=1e12)
    tries_anyway: bool = param(False, "Whether it tries even where it expects the rules to stop it, so that a scenario "
                               "tests the rules and not its caution.")


SECTION = FlashGovernorSection
