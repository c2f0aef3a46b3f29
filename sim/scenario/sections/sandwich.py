"""Schema of the sandwich trader."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class SandwichSection(Section):
    """A trader who reads the queue, buys before a purchase and sells after it (or the other way round)."""

    implementation: ClassVar[str] = "sim.agents.adversary.sandwich:Sandwich"
    requires: ClassVar[tuple[str, ...]] = ("amm", "health_token", "traders")
    series: ClassVar[tuple[Series, ...]] = (
        Series("sandwich.attacks", "Orders that were put between two of its own today", "count"),
        Series("sandwich.victims_loss", "What these orders fetched less than they would have alone, today", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("sandwich.attacks", "Orders that were put between two of its own", "count", "low"),
        Metric("sandwich.attempts", "Pairs of orders that it sent", "count"),
        Metric("sandwich.profit", "Its profit after gas, tokens at the pool's last price", "USD", "low"),
        Metric("sandwich.victims_loss", "What its victims' orders fetched less than they would have alone", "USD",
               "low"),
        Metric("sandwich.loss_share", "Victims' loss over the value of their orders", better="low"),
    )

    inventory_share: float = param(0.2, "Opening holdings in each asset, over the pool's reserves: the largest order "
                                   "that it can put in front.", gt=0.0, le=10.0)
    front_tip_bps: int = param(30_000, "Tip of the order in front, in basis points of the suggested one.", unit="bps",
                               ge=10_001, le=10_000_000)
    victims_per_day: int = param(10, "Most orders that it attacks in a day, the most profitable first.", ge=1, le=1000)
    markup: float = param(1.0, "It acts where the profit in sight exceeds the gas of both orders by this factor.",
                          ge=1.0, le=1000.0)


SECTION = SandwichSection
