"""Schema of the guardian who may strike proposals."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, param


class GuardianSection(Section):
    """Somebody trusted who strikes proposals that would pay out too much, if it looks in time."""

    implementation: ClassVar[str] = "sim.agents.guardian:Guardian"
    requires: ClassVar[tuple[str, ...]] = ("governance",)
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("guardian.vetoes", "Proposals that it struck", "count"),
        Metric("guardian.looks", "Days on which it looked at the open proposals", "count"),
    )

    attention: float = param(0.5, "Probability that it looks at the open proposals on a day.", unit="1/day", ge=0.0,
                             le=1.0)
    largest_payment: float = param(0.2, "Share of the treasury's cash above which it does not let a payment to one "
                                   "account pass.", ge=0.0, le=1.0)
    opening_cash: float = param(1000.0, "Opening cash, for gas.", unit="USD", ge=0.0, le=1e7)


SECTION = GuardianSection
