"""Schema of epidemics: transmission, what an infection does to a person, interventions, care that is put off."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator

from sim.scenario.types import Metric, Model, Section, Series, ShockKind, param

VERITY = "Verity et al. 2020, Lancet Infectious Diseases 20:669, table 3 (share of all infections)"
FERGUSON = "Ferguson et al. 2020 (Imperial College report 9), table 1 and text"
MEHROTRA = "Mehrotra et al. 2020 (Commonwealth Fund): outpatient visits -60 % in early April 2020, -30 % in mid-May, " \
    "-10 % at the end of June"

QUARTER_DAYS = 91
QUARTERS = 8
"""Quarters of which loss ratios are reported."""


class AgeBand(Model):
    """Severity from an age on, up to the next band."""

    from_age: int = param(0, "First year of age.", unit="years", ge=0, le=120)
    hospitalised: float = param(0.0, "Share of infections that need a hospital.", ge=0.0, le=1.0)
    intensive: float = param(0.0, "Share of those stays that are intensive care.", ge=0.0, le=1.0)
    relative_diagnosis: float = param(1.0, "Share diagnosed relative to `diagnosed_share`.", ge=0.0, le=10.0)


def _bands() -> list[AgeBand]:
    hospital = (0.0, 0.0004, 0.0104, 0.0343, 0.0425, 0.0816, 0.118, 0.166, 0.184)
    intensive = (0.05, 0.05, 0.05, 0.05, 0.063, 0.122, 0.274, 0.432, 0.709)
    return [AgeBand(from_age=10 * index, hospitalised=stay, intensive=dear)
            for index, (stay, dear) in enumerate(zip(hospital, intensive, strict=True))]


class Measure(Model):
    """An intervention against contacts, and what it brings with it."""

    regions: list[int] = param([], "Regions that take it, by index; none named: all.")
    contact_reduction: float = param(0.0, "Share of contacts that cease on its first day.", ge=0.0, le=1.0)
    travel_reduction: float = param(0.0, "Share of contacts in other regions that are made at home instead.", ge=0.0,
                                    le=1.0)
    fatigue_half_life_days: float = param(0.0, "Days in which the effect on contacts and travel falls to a half; 0: it "
                                          "does not tire.", unit="days", ge=0.0, le=3650.0)
    defers_care: bool = param(True, "Whether elective care is put off in its days.")
    job_loss_share: float = param(0.0, "Share of the employed who lose their pay while it is in force.", ge=0.0, le=1.0)


class Intervention(Measure):
    """A measure with the rule by which it comes and goes, in each region by that region's own diagnoses."""

    start_day: int | None = param(None, "Day on which it starts; null: when diagnoses reach the trigger.", unit="days",
                                  ge=0, le=36500)
    trigger_weekly_cases: float | None = param(
        None, "Diagnoses of the last seven days per 100,000 persons at which it starts, each time anew.",
        unit="1/100,000", gt=0.0, le=100_000.0)
    release_weekly_cases: float = param(0.0, "It ends when weekly diagnoses are below this; 0: only by its days.",
                                        unit="1/100,000", ge=0.0, le=100_000.0)
    least_days: int = param(14, "Days for which it stays in force whatever diagnoses do.", unit="days", ge=1, le=3650)
    most_days: int = param(0, "Days after which it ends in any case; 0: none.", unit="days", ge=0, le=36500)
    delay_days: int = param(0, "Days from the trigger to the first day in force.", unit="days", ge=0, le=365)

    @model_validator(mode="after")
    def _starts_somehow(self) -> Self:
        if (self.start_day is None) == (self.trigger_weekly_cases is None):
            raise ValueError("an intervention needs a start_day or a trigger_weekly_cases, and not both")
        return self


class Deferral(Model):
    """Elective care that is put off: how much of which kind, and what becomes of it."""

    outpatient: float = param(0.60, "Share of outpatient care put off on the first day of an intervention.", ge=0.0,
                              le=1.0, grade="M", source=MEHROTRA)
    prescription: float = param(0.10, "The same of prescribed medicines.", ge=0.0, le=1.0)
    inpatient: float = param(0.40, "The same of hospital stays on a ward.", ge=0.0, le=1.0, grade="L",
                             source="Birkmeyer et al. 2020 (Health Affairs 39:2010), recalled: admissions for other "
                             "causes fell by about 40 % at the trough of April 2020")
    intensive: float = param(0.05, "The same of intensive care.", ge=0.0, le=1.0)
    half_life_days: float = param(40.0, "Days in which the share put off falls to a half while an intervention lasts.",
                                  unit="days", gt=0.0, le=3650.0, grade="M", source=MEHROTRA)
    fear_weekly_cases: float = param(
        2500.0, "Diagnoses of the last seven days per 100,000 at which people put off half as much as on the first day "
        "of an intervention, without being told to; 0: they never do. In the winter of 2020 outpatient visits were a "
        "tenth below normal at about 450.", unit="1/100,000", ge=0.0, le=100_000.0)
    lost_share: float = param(0.5, "Share of what is put off that is never made up for.", ge=0.0, le=1.0)
    return_days: float = param(60.0, "Mean days until the rest returns; it is put off again where it falls into an "
                               "intervention.", unit="days", ge=1.0, le=3650.0)


class EpidemicSeed(Model):
    """Arguments of the shock ``epidemic_seed``."""

    region: int = param(-1, "Region of the first cases; -1: of all regions.", ge=-1)
    cases: int = param(0, "Persons who become infectious on that day.", unit="persons", ge=0, le=5_000_000)
    share: float = param(0.0, "The same as a share of the persons there, added to the former.", ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.cases == 0 and self.share == 0.0:
            raise ValueError("a seed needs cases or a share above 0")
        return self


class InterventionShock(Measure):
    """Arguments of the shock ``intervention``."""

    days: int = param(30, "Days in force.", unit="days", ge=1, le=36500)


class EpidemicSection(Section):
    """A stochastic SEIR epidemic by chain binomial in each region, and what it does to people, care and pay."""

    implementation: ClassVar[str] = "sim.world.epidemic.mechanism:Epidemic"
    requires: ClassVar[tuple[str, ...]] = ("population", "morbidity")
    series: ClassVar[tuple[Series, ...]] = (
        Series("epidemic.infections", "Persons infected today, first cases included", "persons"),
        Series("epidemic.diagnoses", "Infections diagnosed today", "persons"),
        Series("epidemic.stays", "Hospital stays for the infection that begin today", "count"),
        Series("epidemic.prevalence", "Share of persons who are infectious at the end of the day"),
        Series("epidemic.susceptible", "Share of persons who are susceptible at the end of the day"),
        Series("epidemic.reproduction_number", "Infections that an infectious person of today causes at today's "
               "contacts and susceptibility (effective reproduction number)"),
        Series("epidemic.contacts", "Contacts relative to normal, mean over persons"),
        Series("epidemic.deferred", "Care put off today, at reference prices", "USD"),
        Series("epidemic.returned", "Care put off before that is sought today, at reference prices", "USD"),
        Series("epidemic.pending", "Care put off that will return, at reference prices", "USD"),
        Series("epidemic.lost_income", "Pay lost today to illness and to interventions", "USD"),
        Series("epidemic.region_prevalence", "Share of a region's persons who are infectious", "1", "institution"),
        Series("epidemic.region_attack_rate", "Infections since the start over the region's persons", "1",
               "institution"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("epidemic.attack_rate", "Infections over persons; above 1 where many are infected again", "1", "low"),
        Metric("epidemic.final_size", "Share of persons infected at least once", "1", "low"),
        Metric("epidemic.attack_rate_highest_quarter", "Highest share of persons infected in one quarter of 91 days",
               "1", "low"),
        Metric("epidemic.peak_day", "Day with the highest prevalence", "days"),
        Metric("epidemic.peak_prevalence", "Highest share of persons who are infectious at once", "1", "low"),
        Metric("epidemic.reproduction_number_first", "Reproduction number of the first day with an infectious person"),
        Metric("epidemic.intervention_days", "Days with an intervention in any region", "days", "low"),
        Metric("epidemic.diagnosed", "Infections diagnosed over persons"),
        Metric("epidemic.insured_diagnosed", "Diagnoses of the insured over persons insured on the first day of the "
               "epidemic"),
        Metric("epidemic.stays", "Hospital stays for the infection, intensive care included", "count", "low"),
        Metric("epidemic.intensive_stays", "Of these with intensive care", "count", "low"),
        Metric("epidemic.care_cost", "Cost of care for the infection at reference prices", "USD", "low"),
        Metric("epidemic.deferred", "Care put off, at reference prices", "USD"),
        Metric("epidemic.returned", "Of this, care sought later", "USD"),
        Metric("epidemic.lost", "Of this, care never sought", "USD"),
        Metric("epidemic.pending", "Of this, care that had not returned by the end", "USD"),
        Metric("epidemic.lost_income", "Pay lost to illness and to interventions", "USD", "low"),
        *(Metric(f"epidemic.loss_ratio_q{quarter}", f"Incurred loss ratio of all pools in the days "
                 f"{(quarter - 1) * QUARTER_DAYS} to {quarter * QUARTER_DAYS - 1} of the run, so that two runs can be "
                 "compared quarter by quarter", "1", "low") for quarter in range(1, QUARTERS + 1)),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("epidemic_seed", "Persons become infectious.", EpidemicSeed),
        ShockKind("intervention", "Contacts are restricted from today.", InterventionShock),
    )

    reproduction_number: float = param(
        2.5, "R0: persons whom one case infects among susceptibles without interventions. Each day of infectiousness "
        "exerts the force beta / N with beta = R0 (1 - exp(-1 / infectious_days)), so that the final size z of a "
        "closed region solves z = 1 - exp(-R0 z).", grade="L", ge=0.0, le=30.0,
        source="Published estimates for SARS-CoV-2 in 2020: 2.2 to 3")
    latent_days: float = param(5.2, "Mean of the exponential latent period whose days, rounded up, a person waits "
                               "between infection and infectiousness.", unit="days", grade="M", gt=0.0, le=365.0,
                               source="Incubation periods of 4.8 to 5.6 days, PMC7386904, appendix table 5")
    infectious_days: float = param(5.0, "Mean of the exponential infectious period, likewise rounded up to days.",
                                   unit="days", grade="M", gt=0.0, le=365.0,
                                   source="Serial intervals of 4.0 to 7.5 days, PMC7386904, appendix table 5")
    immunity_days: float = param(0.0, "Mean days of immunity, exponential; 0: for ever.", unit="days", ge=0.0,
                                 le=36500.0)
    mobility: float = param(0.05, "Share of a person's contacts that are with persons of other regions, in proportion "
                            "to their number. Used where `mixing` is empty.", ge=0.0, le=1.0)
    mixing: list[list[float]] = param([], "Contacts of a region's persons (row) with each region's (column), as "
                                      "shares; rows sum to 1.")
    interventions: list[Intervention] = param([], "Measures by schedule or by observed diagnoses.")

    diagnosed_share: float = param(0.4, "Share of infections that are diagnosed; who needs a hospital always is.",
                                   ge=0.0, le=1.0)
    severity: float = param(1.0, "Factor on the share of infections that need a hospital.", ge=0.0, le=10.0)
    ages: list[AgeBand] = param(
        _bands(), "Severity by age.", grade="L", min_length=1,
        source=f"{VERITY}; intensive care: {FERGUSON}")
    diagnosis_delay_days: int = param(3, "Days from the begin of infectiousness to the diagnosis.", unit="days", ge=0,
                                      le=60)
    stay_delay_days: int = param(5, "Days from the begin of infectiousness to the hospital.", unit="days", ge=0, le=60,
                                 grade="L", source=FERGUSON)
    diagnosis_cost: float = param(300.0, "Mean cost of test and visits of a diagnosed case.", unit="USD", ge=0.0,
                                  le=1e6)
    ward_cost: float = param(
        15_000.0, "Mean cost of a stay on a ward: with a quarter of stays in intensive care at 2.46 times the cost "
        "(HCUP brief 185) the mean of all stays is 20,500.", unit="USD", grade="M", ge=0.0, le=1e7,
        source="Peterson-KFF: 20,000 USD a stay; Medicare 24,033 (PMC8499762)")
    intensive_cost: float = param(37_000.0, "Mean cost of a stay with intensive care.", unit="USD", grade="M", ge=0.0,
                                  le=1e7, source="HCUP Statistical Brief 185: 2.46 times a ward's")
    cost_log_sd: float = param(0.9, "Standard deviation of the logarithm of these costs.", ge=0.0, le=4.0)

    work_days_lost: int = param(10, "Days of work that a diagnosed person loses at home (isolation).", unit="days",
                                ge=0, le=365)
    work_days_lost_stay: int = param(20, "Days of work that a hospital stay costs.", unit="days", ge=0, le=365)
    sick_pay_share: float = param(0.75, "Share of the pay for days of illness that employers go on paying.", ge=0.0,
                                  le=1.0, grade="M",
                                  source="US BLS, National Compensation Survey 2020: 75 % of private workers have paid "
                                  "sick leave")
    deferral: Deferral = param(Deferral(), "Elective care that is put off.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        starts = [band.from_age for band in self.ages]
        if starts[0] != 0 or sorted(set(starts)) != starts:
            raise ValueError("the first age band must start at 0, and the others in rising order")
        for row in self.mixing:
            if len(row) != len(self.mixing) or min(row) < 0.0 or abs(sum(row) - 1.0) > 1e-9:
                raise ValueError("mixing is a square matrix of shares whose rows sum to 1")
        return self


SECTION = EpidemicSection
