"""Schema of the briber of voters."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, param


class BriberySection(Section):
    """Somebody who proposes to pay himself out of the treasury and buys the votes for it, at a price per vote."""

    implementation: ClassVar[str] = "sim.agents.adversary.briber_votes:VoteBriber"
    requires: ClassVar[tuple[str, ...]] = ("governance", "delegates")
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("bribery.expected_profit", "What the briber expected when it decided to propose; not reported where it "
               "never saw a profit", "USD"),
        Metric("bribery.profit", "Its cash at the end less its cash at the start", "USD", "low"),
        Metric("bribery.victims_loss", "What the treasury paid to it", "USD", "low"),
        Metric("bribery.paid", "Bribes paid to voters", "USD"),
        Metric("bribery.bought_share", "Votes bought over the supply at the snapshot, of the vote it won or lost last"),
        Metric("bribery.attempts", "Proposals made", "count"),
    )

    wakes_on_day: int = param(30, "First day on which it looks for a profit.", unit="days", ge=0, le=36_500)
    stake: float = param(0.01, "Share of the community's tokens that it holds from the start, to be able to propose.",
                         ge=0.0, le=1.0)
    opening_cash: float = param(50_000.0, "Own cash, for bribes and gas.", unit="USD", ge=0.0, le=1e9)
    take: float = param(0.5, "Share of the treasury's cash that it proposes to pay itself.", gt=0.0, le=1.0)
    generosity: float = param(1.5, "Its offer over the price at which it expects voters to sell, because it does not "
                              "see what each of them thinks.", ge=1.0, le=100.0)
    least_profit: float = param(1000.0, "Least expected profit for which it acts.", unit="USD", ge=0.0, le=1e12)


SECTION = BriberySection
