"""Schema of the adversary who moves a price that a lending pool believes."""

from typing import ClassVar, Literal

from sim.scenario.types import MARKET_POOL, Metric, Reference, Section, param


class PriceManipulatorSection(Section):
    """Buys a token until the lending pool overvalues it, borrows against it, and leaves the collateral behind."""

    implementation: ClassVar[str] = "sim.agents.adversary.price_manipulator:PriceManipulator"
    requires: ClassVar[tuple[str, ...]] = ("amm", "lending")
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("price_manipulator.attacks", "Attacks that ended with a loan against the inflated collateral",
               "count", "low"),
        Metric("price_manipulator.failed_attacks", "Attacks begun that ended otherwise: the price had fallen, or a "
               "call was refused", "count"),
        Metric("price_manipulator.estimate", "What the adversary expected of its best plan on its first day, all its "
               "limits counted", "USD", "low"),
        Metric("price_manipulator.attack_cost", "Loss in moving the price (outlay less the fair value of what it buys) "
               "of the cheapest plan that breaks even if the pool had any amount to lend; not defined where none does",
               "USD", "high"),
        Metric("price_manipulator.outlay_to_break_even", "Cash that this plan has to put into the market maker", "USD",
               "high"),
        Metric("price_manipulator.profit", "Its wealth at the end less its wealth at the start, tokens at fair value, "
               "gas and premiums paid", "USD", "low"),
        Metric("price_manipulator.victims_loss", "Its debt less the fair value of its collateral when it borrowed: "
               "what the suppliers of the pool have lost", "USD", "low"),
    )

    means: Literal["own_capital", "flash_loan"] = param(
        "own_capital", "Whether it holds the price with its own cash over blocks, or does all in one call with a loan "
        "(section flash_loans).")
    capital: float = param(1e7, "Its own cash.", unit="USD", ge=0.0, le=1e12, grade="M",
                           source="Mango Markets, 11 October 2022: two accounts of 5 million dollars each")
    wakes_on_day: int = param(10, "First day on which it looks; it looks every day until it has acted.", unit="days",
                              ge=1, le=36_500)
    start_minute: int = param(720, "Minute of the day at which it buys.", unit="minutes", ge=0, le=1439)
    hold_minutes: float = param(40.0, "Time between its purchase and its loan, with its own capital.", unit="minutes",
                                ge=0.0, le=700.0, grade="M", source="Mango Markets, 11 October 2022: about 40 minutes")
    interference_per_hour: float = param(
        0.15, "Its belief how often somebody trades the price back while it waits (Poisson).", unit="1/hour", ge=0.0,
        le=100.0)
    least_profit: float = param(1000.0, "It acts when it expects more than this.", unit="USD", ge=0.0)
    asset: str = param("HLT", "Token whose price it moves and which it pledges.")
    pool: str = param("HLT", "Market maker in which it buys.")

    def references(self) -> tuple[Reference, ...]:
        return (Reference(("pool",), MARKET_POOL, self.pool),)


SECTION = PriceManipulatorSection
