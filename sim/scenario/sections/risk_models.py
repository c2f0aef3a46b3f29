"""Schema of risk models: what insurers believe about perils, each model blind to another category."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param

ISLE = "Heinrich, Sabuco and Farmer 2022, A simulation of the insurance industry (isle), J Econ Interact Coord 17"


class RiskModelsSection(Section):
    """Imperfect models of the perils, by which insurers price, size capital and manage care."""

    implementation: ClassVar[str] = "sim.agents.risk_models:RiskModels"
    requires: ClassVar[tuple[str, ...]] = ("perils", "insurance", "insurers")
    series: ClassVar[tuple[Series, ...]] = (
        Series("risk_models.load", "Share of expected claims that the insurer adds for perils", "1", "institution"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("risk_models.default_rate", "Share of pools that defaulted", "1", "low"),
        Metric("risk_models.joint_defaults", "Most pools that defaulted within 90 days", "pools", "low"),
        Metric("risk_models.joint_pairs", "Pairs of pools that defaulted within 90 days of each other", "pairs", "low"),
    )

    models_in_use: int = param(1, "Number of models among the insurers, which take turns; 1 is a monoculture. Model m "
                               "is blind to category m.", unit="models", ge=1, le=50, grade="L",
                               source=ISLE + ": one to four models")
    first_model: int = param(0, "The model of the first insurer.", ge=0, le=50)
    blindness: float = param(0.9, "Share of the size of events of its blind category that a model does not see.",
                             ge=0.0, le=1.0, grade="L", source=ISLE + ": models underestimate one category by a factor")
    protection: float = param(
        0.7, "Share of what an event adds for an insurer's members that is averted where its model sees the category: "
        "who sees a risk limits his exposure to it (price agreements, prior authorisation, prevention). In isle the "
        "insurer limits what it writes in the category. No programme runs against what nobody sees.", ge=0.0, le=1.0)


SECTION = RiskModelsSection
