"""Schema of patients' hedging with health tokens."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class HedgingSection(Section):
    """Patients who buy health tokens against their future out-of-pocket spending."""

    implementation: ClassVar[str] = "sim.agents.patient.hedging:Hedging"
    requires: ClassVar[tuple[str, ...]] = ("patients", "amm", "health_token", "reference_price")
    series: ClassVar[tuple[Series, ...]] = (
        Series("hedging.bought", "Spent on health tokens by hedging patients today", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("hedging.bought", "Spent on health tokens by hedging patients in the whole run", "USD"),
        Metric("hedging.buyers", "Purchases by hedging patients", "count"),
    )

    interval_days: int = param(30, "Days between two reviews of one patient's hedge.", unit="days", ge=1, le=365)
    wealth_share: float = param(0.10, "Largest share of cash that a patient puts into health tokens.", ge=0.0, le=1.0)
    reviewers_share: float = param(0.01, "Share of patients who ever consider a hedge.", ge=0.0, le=1.0)
    cost_price_beta: float = param(1.0, "Prior of the slope of own out-of-pocket spending on the medical price index, "
                                   "each measured relative to its mean.", ge=0.0, le=10.0)
    slippage_limit: float = param(0.02, "Largest slippage that a hedger accepts.", ge=0.0, le=1.0)


SECTION = HedgingSection
