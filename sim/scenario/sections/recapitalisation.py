"""Schema of rescue: new capital for governance tokens, and takeover of failed pools."""

from typing import ClassVar

from sim.scenario.types import Governable, Metric, Section, Series, param


class RecapitalisationSection(Section):
    """Pools short of capital sell newly minted governance tokens; the books of failed ones go to others."""

    implementation: ClassVar[str] = "sim.agents.recapitalisation:Recapitalisation"
    requires: ClassVar[tuple[str, ...]] = ("insurance", "insurers")
    series: ClassVar[tuple[Series, ...]] = (
        Series("recapitalisation.raised", "Raised today for governance tokens", "USD"),
        Series("recapitalisation.issued", "Governance tokens minted for it today", "GOV"),
        Series("recapitalisation.moved", "Persons whose contracts another pool took over today", "persons"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("recapitalisation.issues", "Issues of governance tokens", "count"),
        Metric("recapitalisation.raised", "Raised for governance tokens", "USD"),
        Metric("recapitalisation.missing", "Wanted and not raised, summed over the attempts", "USD", "low"),
        Metric("recapitalisation.dilution", "Governance tokens issued over the first supply", "1", "low"),
        Metric("recapitalisation.mean_discount", "Price of the issues below the price before, mean by proceeds", "1",
               "low"),
        Metric("recapitalisation.takeovers", "Books taken over", "count"),
        Metric("recapitalisation.members_moved", "Persons whose contracts were taken over", "persons"),
        Metric("recapitalisation.deficits", "Reserves taken over less the money that came with them", "USD", "low"),
        Metric("recapitalisation.run_offs", "Failed pools that nobody took over", "pools", "low"),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("recapitalisation.issue_cap", 0.0, 0.5, "Governance tokens that may be issued in a year to "
                   "recapitalise pools, over the first supply"),
    )

    issues: bool = param(True, "Whether pools sell governance tokens; without the section governance they cannot.")
    trigger_scr_ratio: float = param(1.0, "SCR ratio below which a pool asks for capital.", ge=0.0, le=20.0)
    target_scr_ratio: float = param(1.3, "SCR ratio to which it asks.", ge=0.0, le=20.0)
    interval_days: int = param(14, "Days between two issues for the same pool.", unit="days", ge=1, le=365)
    issue_cap: float = param(0.10, "Governance tokens that may be issued in a year, over the first supply.", ge=0.0,
                             le=0.5)
    discount: float = param(0.10, "Discount of an issue to the price of the day, before dilution.", grade="L",
                            source="Seasoned equity offerings of distressed banks, recalled: 5 to 20 % below market",
                            ge=0.0, le=0.95)
    budget_share: float = param(0.20, "Part of its cash that a liquidity provider offers in one issue.", ge=0.0, le=1.0)
    takeovers: bool = param(True, "Whether pools take over the books of failed ones and of those in run-off.")
    takeover_scr_ratio: float = param(1.1, "SCR ratio that the acquirer must keep with the whole book.", ge=0.0,
                                      le=20.0)


SECTION = RecapitalisationSection
