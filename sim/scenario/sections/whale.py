"""Schema of the whale who captures research grants."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, param


class WhaleSection(Section):
    """A large holder who applies for grants in the name of an empty laboratory and votes them to itself."""

    implementation: ClassVar[str] = "sim.agents.adversary.whale:Whale"
    requires: ClassVar[tuple[str, ...]] = ("governance", "research")
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("whale.profit", "Grants that its laboratory received, less what the holder lost as an owner of the "
               "treasury, its gas and its identities", "USD", "low"),
        Metric("whale.victims_loss", "Grants that its laboratory received: they bought no data and no study", "USD",
               "low"),
        Metric("whale.grant_share", "Its laboratory's part of all grants paid", "1", "low"),
        Metric("whale.vote_share", "Its part of the votes that could be cast, after rule and cap, at its last "
               "application"),
        Metric("whale.applications", "Applications made", "count"),
        Metric("whale.bought", "GOV bought in the market", "GOV"),
    )

    stake: float = param(0.3, "Share of the community's tokens that it holds from the start.", grade="M",
                         source="Holdings in large DAOs: the largest holder owns some 10 to 40 % of what circulates",
                         ge=0.0, le=1.0)
    wakes_on_day: int = param(30, "First day on which it looks for a profit.", unit="days", ge=0, le=36_500)
    opening_cash: float = param(10_000.0, "Own cash, for gas, identities and purchases of GOV.", unit="USD", ge=0.0,
                                le=1e9)
    others_focus: float = param(0.3, "Part of their points that it expects the others to give to any one application.",
                                ge=0.0, le=1.0)
    buys_in: str = param("", "Pool in which it buys GOV for its cash once that pays; empty: it holds what it has.")
    least_profit: float = param(100.0, "Least expected profit for which it applies.", unit="USD", ge=0.0, le=1e9)


SECTION = WhaleSection
