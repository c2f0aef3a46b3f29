"""Schema of insurers: rate filing, capital management, administration."""

from typing import ClassVar, Literal

from sim.scenario.types import Metric, Section, Series, param


class InsurersSection(Section):
    """Insurers, one for each pool: they file rates, sponsor the junior tranche and manage capital."""

    implementation: ClassVar[str] = "sim.agents.insurer:Insurers"
    requires: ClassVar[tuple[str, ...]] = ("insurance", "population", "economy", "reference_price")
    series: ClassVar[tuple[Series, ...]] = (
        Series("insurers.dividends", "Dividends that insurers drew from their pools today", "USD"),
        Series("insurers.writing", "Share of pools that take new members"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("insurers.rate_change", "Mean change of base rates a year, over pools that filed", "1/year"),
        Metric("insurers.days_not_writing", "Pool-days on which an insurer took no new members", "days", "low"),
        Metric("insurers.mean_credibility", "Mean weight of own experience in the filings made"),
    )

    margin: float = param(
        0.03, "Margin of the rate over claims and expenses. It pays a part of the premium's shares of administration, "
        "oracles and treasury; the rest of them is the rate's expense.", ge=0.0, lt=0.5)
    capital_charge: float = param(0.10, "Return that the rate earns on the target capital of a member.",
                                  unit="1/year", ge=0.0, le=1.0)
    rate_change_limit: float = param(0.20, "Largest change of a rate from one year to the next; 5: full repricing.",
                                     gt=0.0, le=5.0)
    repricing: Literal["per_plan", "pooled"] = param(
        "per_plan", "Where a pool writes several plans: each is rated on its own experience, or the experience of all "
        "moves all rates alike, so that they differ by their terms alone.")
    close_plan_below: float = param(0.0, "Share of the pool's members below which a plan is closed with the next "
                                    "filing; 0: never.", ge=0.0, lt=1.0)
    filing_lead_days: int = param(30, "Days from filing to the start of the new rates.", unit="days", ge=1, le=180)
    contract_year_days: int = param(365, "Days from one start of new rates to the next; the same as the patients' open "
                                    "enrolment.", unit="days", ge=30, le=3650)
    member_cv: float = param(3.93846, "Standard deviation over mean of a member's annual cost (within pools).", gt=0.0,
                             le=100.0, grade="M", source="MEPS 2018: mean, median and zero share of spending")
    between_pool_sd: float = param(0.10, "Standard deviation of true mean cost between pools, over the mean: with the "
                                   "former it sets the credibility constant k = (3.94 / 0.10)^2, about 1,550 "
                                   "member-years.", gt=0.0, le=5.0)
    trend_per_year: float = param(0.045, "Growth of cost per member that an insurer expects before it has seen any.",
                                  unit="1/year", ge=-0.2, le=0.5)
    trend_weight: float = param(0.5, "Weight of the medical price index's growth over the last year in the expected "
                                "trend.", ge=0.0, le=1.0)
    forecast_weight: float = param(0.0, "Weight, in the expected trend, of the growth of medical prices that "
                                   "prediction markets expect, where one asks for it; 0: the insurer does not look.",
                                   ge=0.0, le=1.0)
    benefits_per_year: float = param(0.08, "Lump sums that an insurer expects to pay for a member-year.", unit="1/year",
                                     ge=0.0, le=100.0)
    target_scr_ratio: float = param(1.5, "Capital over SCR that the insurer aims at.", ge=0.0, le=20.0)
    dividend_scr_ratio: float = param(2.0, "Surplus above this SCR ratio is paid out.", ge=1.0, le=50.0)
    writing_scr_ratio: float = param(1.0, "No new business below this SCR ratio.", ge=0.0, le=20.0)
    review_interval_days: int = param(30, "Days between decisions on dividends, new stake and administration.",
                                      unit="days", ge=1, le=365)
    junior_share: float = param(0.20, "Part of the opening capital that the insurer stakes as junior tranche.", ge=0.0,
                                le=1.0)
    expected_take_up: float = param(
        0.80, "Share of persons without public cover whom insurers expect to insure when they make their first rate "
        "and raise the opening capital.", gt=0.0, le=1.0, grade="M",
        source="US employer health benefit surveys: 75-80 % of those who are offered cover take it")
    selection_load: float = param(
        0.22, "Cost of those who buy over the mean cost of all who could, at equal age, less one, as the first rate "
        "expects it.", ge=-0.5, le=2.0, grade="L",
        source="Blue Cross Blue Shield Association 2016, recalled: new members of the US individual market cost 19 % "
        "(2014) and 22 % (2015) more than those of employers' groups")


SECTION = InsurersSection
