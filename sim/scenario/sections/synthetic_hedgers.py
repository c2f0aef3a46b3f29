"""Schema of patients and insurers who hold the synthetic against the price of care."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class SyntheticHedgersSection(Section):
    """Patients who hold sMED against what they pay themselves, insurers against claims at premiums already fixed."""

    implementation: ClassVar[str] = "sim.agents.synthetic_hedger:SyntheticHedgers"
    requires: ClassVar[tuple[str, ...]] = ("synthetics", "amm", "reference_price")
    series: ClassVar[tuple[Series, ...]] = (
        Series("synthetic_hedgers.patients_held", "sMED that hedging patients hold", "tokens"),
        Series("synthetic_hedgers.pools_held", "sMED that insurers hold", "tokens"),
        Series("synthetic_hedgers.held", "sMED held as a hedge", "tokens", "institution"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("synthetic_hedgers.patients_effectiveness", "Patients: 1 less the mean squared monthly change of hedged "
               "expected own payments by the price of care, over that of unhedged ones", better="high"),
        Metric("synthetic_hedgers.pools_effectiveness", "Insurers: the same for expected claims until rates are filed "
               "anew", better="high"),
        Metric("synthetic_hedgers.basis_risk", "Standard deviation of the monthly change of the gap between the price "
               "of sMED in its pool and the index, over the index", better="low"),
        Metric("synthetic_hedgers.pools_gain", "Insurers' gain on sMED: sales and what is held, at the pool's "
               "price, less what was spent", "USD"),
        Metric("synthetic_hedgers.bought", "Spent on sMED by hedgers in the run", "USD"),
    )

    interval_days: int = param(30, "Days between two reviews of one hedger.", unit="days", ge=1, le=365)
    patients_share: float = param(0.01, "Share of patients who ever hedge; none where patients take no part.", ge=0.0,
                                  le=1.0)
    pools: list[str] = param([], "Names of the insurers that hedge; none named: all there are.")
    hedge_ratio: float = param(1.0, "Value of sMED wanted over the exposure to the price of care.", ge=0.0, le=5.0)
    rate_days: float = param(180.0, "Days of claims that an insurer hedges: the mean time until its rates are filed "
                             "anew. The exposure is premium earned over as long.", unit="days", ge=0.0, le=3650.0)
    wealth_share: float = param(0.10, "Largest share of cash that a patient puts into sMED, and of its layers' money "
                                "that an insurer does.", ge=0.0, le=1.0)
    band: float = param(0.10, "A hedge is adjusted when it is off its target by more than this share.", ge=0.0, le=1.0)
    slippage_limit: float = param(0.02, "Largest price impact of one order, and largest slippage that it accepts.",
                                  gt=0.0, le=0.9)


SECTION = SyntheticHedgersSection
