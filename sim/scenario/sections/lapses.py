"""Schema of patients' lapse by lost trust."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class LapsesSection(Section):
    """Patients end their cover within the year when they no longer trust their pool."""

    implementation: ClassVar[str] = "sim.agents.patient.lost_trust:LostTrust"
    requires: ClassVar[tuple[str, ...]] = ("patients", "insurance")
    series: ClassVar[tuple[Series, ...]] = (
        Series("lapses.lapsed", "Covers that ended today for lost trust", "persons"),
        Series("lapses.pool_lapsed", "Covers that ended today for lost trust", "persons", "institution"),
        Series("lapses.distrusting", "Share of the insured whose trust is below the level"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("lapses.lapsed", "Covers ended for lost trust in the run", "persons", "low"),
        Metric("lapses.lost_premium", "Premium that they would have paid until the end of the run", "USD", "low"),
    )

    level: float = param(0.5, "Trust in the pool below which a patient thinks of leaving within the year.", ge=0.0,
                         le=1.0)
    hazard: float = param(0.10, "Hazard of a lapse per unit of trust below the level.", unit="1/day", ge=0.0, le=10.0)
    spillover: float = param(
        0.5, "Part of the trust lost on a default of the own pool that members of all other pools lose when they see "
        "it. A default of one insurer is news about all that sell the same promise.", ge=0.0, le=1.0)
    acting: bool = param(True, "Whether lost trust ends cover. Off: trust falls as it does, and nobody lapses for it.")


SECTION = LapsesSection
