"""Schema of the sybil: a whale under many names."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, param


class SybilSection(Section):
    """Splits the whale's tokens over made-up identities where the square root of many parts is more than of one."""

    implementation: ClassVar[str] = "sim.agents.adversary.sybil:Sybil"
    requires: ClassVar[tuple[str, ...]] = ("whale",)
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("sybil.identities", "Identities that the whale votes with, itself included", "count", "low"),
        Metric("sybil.cost", "Paid for identities", "USD"),
        Metric("sybil.vote_gain", "Votes of all identities over the votes of the undivided stake, by the rule alone"),
    )

    most_identities: int = param(50, "Identities that it could have at most, itself included.", unit="identities",
                                 ge=1, le=500)
    identity_cost: float = param(50.0, "What an identity that passes for a person costs.", unit="USD", ge=0.0, le=1e6)
    rounds_counted: int = param(2, "Grant rounds whose takings it weighs against the cost.", unit="rounds", ge=1, le=40)


SECTION = SybilSection
