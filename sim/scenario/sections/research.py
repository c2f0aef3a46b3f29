"""Schema of researchers, their projects and the grants they apply for."""

from typing import ClassVar, Literal

from sim.scenario.types import Governable, Metric, Section, Series, param


class ResearchSection(Section):
    """Researchers who buy consented records, run studies on them, and win grants by vote."""

    implementation: ClassVar[str] = "sim.agents.researcher:Research"
    requires: ClassVar[tuple[str, ...]] = ("data_vault",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("research.cash", "Cash held by researchers", "USD"),
        Series("research.active_projects", "Projects that collect or analyse data", "count"),
        Series("research.grants_paid", "Grants paid today", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("research.projects", "Projects that were analysed", "count", "high"),
        Metric("research.abandoned", "Projects given up for want of data", "count", "low"),
        Metric("research.successes", "Projects that found a true effect", "count", "high"),
        Metric("research.false_positives", "Projects that announced an effect that is not there", "count", "low"),
        Metric("research.mean_power", "Mean power of the analysed projects", "1", "high"),
        Metric("research.records_bought", "Records bought", "count"),
        Metric("research.data_spending", "Paid for records", "USD"),
        Metric("research.grants_paid", "Grants paid", "USD"),
        Metric("research.grant_rounds_funded", "Quarterly rounds that a vote funded", "count"),
        Metric("research.hhi_grants", "Herfindahl-Hirschman index of grants over researchers", "1", "low"),
    )
    governable: ClassVar[tuple[Governable, ...]] = (
        Governable("research.grants_share", 0.0, 0.6, "Share of the treasury's cash offered in a grant round"),
    )

    researchers: int = param(40, "Research groups.", unit="groups", ge=1, le=64)
    payments: float = param(1.0, "Scale of all that research pays or is paid (records, grants, costs). At zero no "
                            "researcher acts, so that the rest of the world cannot tell whether research is there.",
                            ge=0.0, le=1.0)
    opening_cash: float = param(25_000.0, "Opening cash of a research group.", unit="USD", ge=0.0, le=1e9)
    result_value: float = param(1_000_000.0, "What a found effect is worth: royalties of three years, per condition. "
                                "The market for it reaches beyond the simulated population.", unit="USD", ge=0.0,
                                le=1e10)
    result_value_log_sd: float = param(0.5, "Log standard deviation of that value between researchers.", ge=0.0, le=3.0)
    prior: float = param(0.1, "Probability that a project studies an effect that exists.", ge=0.0, le=1.0)
    effect_size: float = param(0.5, "Standardised difference that a true effect makes.", unit="sd", grade="L",
                               source="Cohen 1988: 0.5 is a medium effect", gt=0.0, le=3.0)
    significance: float = param(0.05, "Two-sided level of the test.", grade="L", source="Convention since Fisher 1925",
                                gt=0.0, lt=0.5)
    target_power: float = param(0.9, "Power at which a project stops to collect.", gt=0.0, lt=1.0)
    least_power: float = param(0.3, "Least power with which a project is analysed; below it is given up.", ge=0.0,
                               lt=1.0)
    review_days: int = param(30, "Days between a researcher's decisions.", unit="days", ge=1, le=365)
    collection_days: int = param(270, "Days after which collecting ends.", unit="days", ge=1, le=3650)
    analysis_days: int = param(60, "Days of analysis.", unit="days", ge=0, le=3650)
    overhead_per_month: float = param(200.0, "Running cost of a project, paid to firms.", unit="USD/month", ge=0.0,
                                      le=1e6)
    analysis_cost: float = param(5_000.0, "Cost of an analysis, paid to firms.", unit="USD", ge=0.0, le=1e8)
    grant_round_days: int = param(91, "Days between grant rounds.", unit="days", ge=14, le=3650)
    application_days: int = param(14, "Days on which a round takes applications.", unit="days", ge=1, le=90)
    award_rule: Literal["score", "conviction"] = param(
        "score", "How a funded round is divided: by score alone, or only to applications with conviction behind them "
        "(governance.conviction_*).", grade="M", source="1Hive conviction-voting-app")
    grants_share: float = param(0.25, "Share of the treasury's cash offered in a grant round.", ge=0.0, le=1.0)


SECTION = ResearchSection
