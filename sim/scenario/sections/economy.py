"""Schema of the outside economy that closes the money circuit."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class EconomySection(Section):
    """Employers, government and the rest of the world: wages, taxes, household spending, public purchases."""

    implementation: ClassVar[str] = "sim.world.economy:Economy"
    requires: ClassVar[tuple[str, ...]] = ("population",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("economy.household_cash", "Cash held by all patients", "USD"),
        Series("economy.firm_cash", "Cash held by employers", "USD"),
        Series("economy.government_cash", "Cash held by public payers", "USD"),
        Series("economy.unpaid_wages", "Wages and transfers due today that could not be paid", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("economy.household_cash_change", "Household cash at the end over cash at the start, less one"),
        Metric("economy.unpaid_wages", "Wages and transfers that could not be paid in the whole run", "USD", "low"),
    )

    pay_interval_days: int = param(30, "Days between two paydays of one person; paydays are spread over people.",
                                   unit="days", ge=1, le=365)
    tax_rate: float = param(0.28, "Share of every pay that goes to the government, which pays transfers, public cover "
                            "and charity care from it and spends what is left. Near the ratio of taxes and social "
                            "contributions to personal income in the US.",
                            ge=0.0, le=0.9)
    subsistence_share: float = param(0.5, "Least share of take-home pay that a household spends on other goods, as "
                                     "long as it has the cash.", ge=0.0, le=1.0)
    buffer_adjustment_per_year: float = param(
        0.5, "Share of the gap between cash and its target that a household closes in a year (buffer-stock saving).",
        unit="1/year", ge=0.0, le=12.0)
    income_growth_per_year: float = param(0.03, "Growth of all incomes, on each anniversary of the start.",
                                          unit="1/year", ge=-0.2, le=0.3)
    firm_cash_months: float = param(12.0, "Opening cash of employers, in months of the wages they pay.",
                                    unit="months", ge=0.0)
    government_cash_months: float = param(12.0, "Opening cash of the government, in months of its transfers; what it "
                                          "holds above this it spends on goods.", unit="months", ge=0.0)
    rest_of_world_cash: float = param(1e9, "Opening cash of the rest of the world.", unit="USD", ge=0.0, le=1e12)
    consumption_floor: float = param(2000.0, "Cash that a household keeps for necessities: care beyond it is charity "
                                     "care.", unit="USD", ge=0.0)


SECTION = EconomySection
