"""Schema of selection between plans: what sponsors contribute, risk adjustment, and how the risks sort."""

from __future__ import annotations

from typing import ClassVar, Literal

from sim.scenario.types import Metric, Section, Series, param


class SelectionSection(Section):
    """Several plans side by side: the employer's contribution, transfers by risk, and statistics of who is where.

    The generous plan is the one with the highest actuarial value. A plan's institution is named "POOL1/generous".
    """

    implementation: ClassVar[str] = "sim.agents.selection:Selection"
    requires: ClassVar[tuple[str, ...]] = ("insurance", "insurers", "patients", "population", "morbidity")
    series: ClassVar[tuple[Series, ...]] = (
        Series("selection.members", "Insured persons in the plan", "persons", "institution"),
        Series("selection.enrolment_share", "Members of the plan over all insured persons", "1", "institution"),
        Series("selection.base_rate", "Annual premium at an age factor of 1; 0: closed", "USD/year", "institution"),
        Series("selection.earned_premium", "Premium of the plan earned today", "USD", "institution"),
        Series("selection.incurred", "Claims of the plan incurred today", "USD", "institution"),
        Series("selection.loss_ratio", "Incurred claims less transfers for risk over earned premium, last 365 days",
               "1", "institution"),
        Series("selection.transfers", "Received for the risk of members today; negative: paid", "USD", "institution"),
        Series("selection.expected_cost", "Mean expected annual cost of members at free care, given age, conditions "
               "and frailty; every thirty days", "USD/year", "institution"),
        Series("selection.care_cost", "Care received by members a member-year, last 365 days", "USD/year",
               "institution"),
        Series("selection.generous_share", "Members of the generous plan over all insured persons"),
        Series("selection.premium_gap", "Base rate of the generous plan less that of the others, means by members",
               "USD/year"),
        Series("selection.average_cost_gap", "Expected annual cost of a member of the generous plan less that of a "
               "member of the others; every thirty days", "USD/year"),
        Series("selection.realised_cost_gap", "Care received a member-year in the generous plan less that in the "
               "others, last 365 days", "USD/year"),
        Series("selection.switching", "Share of the insured who changed plan or pool at the last open enrolment"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("selection.generous_share_start", "Share of the insured in the generous plan on day 30"),
        Metric("selection.generous_share_end", "Share of the insured in the generous plan at the end"),
        Metric("selection.generous_share_kept", "The second over the first"),
        Metric("selection.plans_closed", "Plans closed by their insurers", "plans", "low"),
        Metric("selection.average_cost_gap_first", "Expected annual cost of members, generous less others, day 30",
               "USD/year"),
        Metric("selection.average_cost_gap_last", "The same at the last count at which both had members", "USD/year"),
        Metric("selection.relative_cost_last", "Expected annual cost of a member of the generous plan over that of a "
               "member of the others, at the same time"),
        Metric("selection.realised_cost_gap_last", "Care received a member-year in the last 365 days, generous less "
               "others, when both last had members", "USD/year"),
        Metric("selection.premium_gap_first", "Base rate of the generous plan less that of the others, day 30",
               "USD/year"),
        Metric("selection.premium_gap_last", "The same at the end of the run, or before the plan was closed",
               "USD/year"),
        Metric("selection.switching_rate", "Mean share who changed plan or pool at an open enrolment after the first"),
        Metric("selection.transfers", "Charged for risk adjustment in the whole run", "USD"),
        Metric("selection.welfare_loss_first", "Mean over the insured of certainty-equivalent loss plus expected "
               "claims in the plan held, less the same in the plan where it is least; day 30", "USD/year", "low"),
        Metric("selection.welfare_loss_last", "The same at the end", "USD/year", "low"),
    )

    contribution: Literal["share", "flat"] = param(
        "share", "What firms pay of the premium of the employed: a share of it (patients.employer_share), or, as a "
        "voucher, the same amount whatever plan is chosen: that share of the lowest premium offered.", grade="L",
        source="Cutler & Reber 1998: Harvard moved from the first to the second in 1995")
    risk_adjustment: Literal["none", "age", "diagnoses", "services"] = param(
        "none", "What transfers between plans look at: nothing (no transfers), ten-year age bands, these with the "
        "number of chronic conditions and the hospital stays of the year, or all that with the number of services "
        "(prescriptions and visits). A class's weight is what a plan's terms would pay for the care of all insured in "
        "it, in the same year (concurrent).", grade="L",
        source="45 CFR 153.320; Pope et al. 2014, Medicare & Medicaid Research Review 4(3)")
    settlement_days: int = param(30, "Days between settlements of the transfers; the last of a year settles the year.",
                                 unit="days", ge=1, le=365)


SECTION = SelectionSection
