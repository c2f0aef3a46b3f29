"""Schema of keepers, who start collateral auctions and bid in them."""

from typing import ClassVar

from sim.scenario.types import Metric, Section, param

WHITERABBIT = "Whiterabbit, Black Thursday for MakerDAO, 14 March 2020"


class KeepersSection(Section):
    """Keepers: some run a script with a limit on gas, some pay what a block asks and bid as little as they can."""

    implementation: ClassVar[str] = "sim.agents.keeper:Keepers"
    requires: ClassVar[tuple[str, ...]] = ("collateral_auctions", "amm")
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("keepers.calls", "Calls that a block included", "count"),
        Metric("keepers.dropped", "Calls that no block included at their fee", "count", "low"),
        Metric("keepers.profit", "Wealth gained by all keepers, tokens at fair value, gas paid", "USD"),
        Metric("keepers.adaptive_profit", "The part of those that pay what a block asks", "USD"),
    )

    scripted: int = param(4, "Keepers with the common script: they bid what a lot is worth to them, and pay for gas up "
                          "to a limit set in quiet days.", unit="count", ge=0, le=100)
    adaptive: int = param(1, "Keepers that pay whatever gas costs and open with the least bid. On 12 March 2020 four "
                          "addresses won what went at zero.", unit="count", ge=0, le=100)
    cash: float = param(3e5, "Opening cash of each.", unit="USD", ge=0.0, le=1e10)
    margin: float = param(0.05, "Part of what a lot would fetch that they keep as profit.", ge=0.0, le=0.9)
    fee_multiple: float = param(2.0, "Limit of the script: so many times the usual fee, the mean of the last 30 days. "
                                "Fees double within quiet days, so a lower limit would fail in them too; the scripts "
                                "of March 2020 had no rule for dear days.", ge=1.0, le=1000.0)
    fee_floor: float = param(1.0, "No script is set below this limit.", unit="USD", ge=0.0, le=1e4)
    calls_per_lot: float = param(3.0, "Calls a day that a keeper sends for each lot it expects, spread over the day, "
                                 "and at least one for each stretch in which a bid may be answered.",
                                 unit="1/day", gt=0.0, le=50.0, grade="A",
                                 source="calls that find nothing to do revert and cost gas; " + WHITERABBIT)


SECTION = KeepersSection
