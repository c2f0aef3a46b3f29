"""Schema of morbidity-trend forwards: what pools hedge of the trend of medical cost, and at what agreed trend."""

from __future__ import annotations

from typing import ClassVar

from sim.scenario.types import Metric, Section, Series, param


class MorbidityForwardSection(Section):
    """Pools hedge the trend of claims per member with investors, by margined forwards on what all pools report."""

    implementation: ClassVar[str] = "sim.agents.derivatives.morbidity_forward:TrendForwards"
    requires: ClassVar[tuple[str, ...]] = ("population", "insurance")
    series: ClassVar[tuple[Series, ...]] = (
        Series("morbidity_forward.deviation", "Claims per member and day since the base period over the agreed trend, "
               "less 1"),
        Series("morbidity_forward.margin", "Margin posted, both sides", "USD"),
        Series("morbidity_forward.value", "Marked value of all forwards to pools", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("morbidity_forward.notional", "Notional of all forwards", "USD"),
        Metric("morbidity_forward.deviation", "Deviation from the agreed trend at the settlement, within the limit"),
        Metric("morbidity_forward.payment", "Paid to pools at the settlement; negative: by pools", "USD"),
        Metric("morbidity_forward.unpaid", "Owed by either side and unpaid at the end", "USD", "low"),
        Metric("morbidity_forward.defaults", "Sides that did not meet a call or a payment", "count", "low"),
        Metric("morbidity_forward.refused", "Forwards that a side could not enter", "count", "low"),
        Metric("morbidity_forward.squared_deviation", "Square of pools' claims of the term less those at the agreed "
               "trend, net of the forwards' payments, over the latter; its mean over runs is the variance", "1", "low"),
        Metric("morbidity_forward.squared_deviation_unhedged", "The same without the payments", "1", "low"),
    )

    base_start: int = param(30, "First day of the base period; before it claims of new contracts are still on their "
                            "way.", unit="days", ge=0, le=3650)
    base_days: int = param(90, "Days of the base period; forwards are entered on the day after.", unit="days", ge=7,
                           le=3650)
    term_days: int = param(180, "Days of a forward.", unit="days", ge=7, le=3650)
    trend: float = param(0.06, "Expected trend of medical cost per member.", unit="1/year", grade="L", ge=-0.2, le=0.5,
                         source="US private insurers' trend of 5 to 8 % a year in the 2010s and 2020s, recalled")
    load: float = param(0.02, "What the seller adds to the expected trend: the agreed one is the sum.", unit="1/year",
                        ge=0.0, le=0.5)
    limit: float = param(0.5, "Largest deviation that is paid for, up or down.", ge=0.0, le=1.0)
    hedge: float = param(1.0, "Notional as a share of a pool's claims of the term as agreed; 0: none.", ge=0.0,
                         le=3.0)
    margin: float = param(0.05, "Initial margin of either side, as a share of the notional.", ge=0.0, le=1.0)
    sellers: int = param(1, "Investors that sell forwards, each in turn.", unit="count", ge=1, le=100)
    seller_capital: float = param(1_000.0, "Opening cash of all sellers, per person of the population.", unit="USD",
                                  ge=0.0, le=1e6)


SECTION = MorbidityForwardSection
