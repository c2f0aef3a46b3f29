"""Schema of providers of care: clinics and hospitals."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class ProvidersSection(Section):
    """Clinics and hospitals in each region: they treat, are paid, and pay wages and suppliers."""

    implementation: ClassVar[str] = "sim.world.providers:Providers"
    requires: ClassVar[tuple[str, ...]] = ("population", "morbidity", "economy")
    series: ClassVar[tuple[Series, ...]] = (
        Series("providers.cash", "Cash of all providers", "USD"),
        Series("providers.days_of_cash", "Days of usual costs that all providers' cash would pay", "days"),
        Series("providers.arrears", "Costs due that providers have not paid", "USD"),
        Series("providers.own_cash", "Cash of one provider, on the days when costs fall due", "USD", "institution"),
        Series("providers.own_days_of_cash", "Days of usual costs that a provider's cash would pay, on those days",
               "days", "institution"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("providers.mean_days_of_cash", "Mean over days of the days of cash of all providers together", "days",
               "high"),
        Metric("providers.least_days_of_cash", "Lowest days of cash of all providers together", "days", "high"),
        Metric("providers.short_of_cash", "Share of providers that could not pay their costs in full at least once",
               "1", "low"),
        Metric("providers.revenue_per_patient", "Received by providers per person and year", "USD/year"),
    )

    clinics_per_region: int = param(6, "Clinics in each region; a person always goes to the same one.",
                                    unit="providers", ge=1, le=200)
    hospitals_per_region: int = param(2, "Hospitals in each region; a person always goes to the same one.",
                                      unit="providers", ge=1, le=100)
    opening_cash_days: float = param(60.0, "Opening cash, in days of expected costs.", unit="days", ge=0.0, le=1000.0)
    cash_target_days: float = param(60.0, "Cash that a provider keeps, in days of usual costs; what it holds above "
                                    "this it pays out to its owners.", unit="days", ge=0.0, le=1000.0)
    cost_share: float = param(0.97, "Costs (wages, supplies) as a share of usual revenue; they fall due whether or not "
                              "patients and pools have paid.", ge=0.0, le=1.0)
    cost_memory_months: float = param(6.0, "Months over which usual revenue is averaged.", unit="months", ge=1.0,
                                      le=120.0)
    pay_interval_days: int = param(30, "Days between two payments of costs.", unit="days", ge=1, le=365)


SECTION = ProvidersSection
