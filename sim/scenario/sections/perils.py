"""Schema of perils: correlated shocks to what care costs, by category."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from sim.scenario.types import Metric, Model, Section, Series, param

CareKind = Literal["outpatient", "prescription", "inpatient", "intensive"]
ISLE = "Heinrich, Sabuco and Farmer 2022, A simulation of the insurance industry (isle), J Econ Interact Coord 17"


class Peril(Model):
    """One category of events."""

    name: str = param("outbreak", "Name of the category.")
    channel: Literal["intensity", "price"] = param(
        "intensity", "intensity: more care is needed (an outbreak, a new therapy, a wave of utilisation); price: the "
        "same care costs more (a jump of drug prices, upcoding).")
    kinds: list[CareKind] = param(["outpatient", "prescription", "inpatient", "intensive"],
                                  "Kinds of care that it hits.")
    regional: bool = param(False, "Whether an event hits one region, each with equal chance, or all of them.")
    per_year: float = param(0.15, "Mean number of events, which arrive by a Poisson process.", unit="1/year", ge=0.0,
                            le=20.0)
    least_size: float = param(0.5, "Smallest relative rise of the cost of that care while an event lasts.", gt=0.0,
                              le=10.0)
    tail_index: float = param(1.5, "Exponent of the Pareto law of sizes.", gt=0.2, le=20.0, grade="L",
                              source=ISLE + ": damages follow a truncated power law")
    largest_size: float = param(6.0, "Size at which that law is capped.", gt=0.0, le=14.0)
    days: int = param(60, "How long an event lasts.", unit="days", ge=1, le=3650)

    @model_validator(mode="after")
    def _sizes_in_order(self) -> Self:
        if self.largest_size < self.least_size:
            raise ValueError("the largest size is below the smallest")
        if not self.kinds:
            raise ValueError("a peril must hit some kind of care")
        return self


FOUR = [
    Peril(name="outbreak", regional=True, kinds=["outpatient", "inpatient", "intensive"]),
    Peril(name="drug_price", channel="price", kinds=["prescription"], days=180),
    Peril(name="new_therapy", kinds=["prescription", "inpatient"], days=120),
    Peril(name="upcoding", channel="price", kinds=["outpatient", "inpatient"], days=120, largest_size=1.0,
          least_size=0.1),
]


class PerilsSection(Section):
    """Correlated shocks to the cost of care, with heavy-tailed sizes, by category."""

    implementation: ClassVar[str] = "sim.world.perils:Perils"
    requires: ClassVar[tuple[str, ...]] = ("population", "morbidity")
    series: ClassVar[tuple[Series, ...]] = (
        Series("perils.under_way", "Events under way", "count"),
        Series("perils.extra_cost", "What they add to the free-care cost of today's episodes", "USD"),
        Series("perils.averted", "Of what they would add, averted by insurers' programmes", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("perils.events", "Events that began", "count"),
        Metric("perils.largest_size", "Size of the largest event"),
        Metric("perils.extra_cost_share", "What events added, over the free-care cost of all care without it"),
    )

    categories: list[Peril] = param(FOUR, "The categories of events.")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [peril.name for peril in self.categories]
        if len(set(names)) != len(names):
            raise ValueError("two categories have the same name")
        if not names:
            raise ValueError("perils without a category do nothing; leave the section out")
        return self


SECTION = PerilsSection
