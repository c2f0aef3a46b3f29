"""Schema of patients' decisions."""

from typing import ClassVar

from sim.scenario.types import Metric, Model, Section, Series, ShockKind, param


class InertiaRemoved(Model):
    """Arguments of the shock ``inertia_removed``."""

    left: float = param(0.0, "Loss of utility from switching plans from then on, as money.", unit="USD", ge=0.0,
                        le=50_000.0)


class PatientsSection(Section):
    """How patients choose cover, seek care, pay, claim and share their records."""

    implementation: ClassVar[str] = "sim.agents.patient.patients:Patients"
    requires: ClassVar[tuple[str, ...]] = ("population", "morbidity", "providers", "economy")
    series: ClassVar[tuple[Series, ...]] = (
        Series("patients.care_cost", "Cost of the care received today", "USD"),
        Series("patients.own_payments", "Paid by patients for care today, in cash or health tokens", "USD"),
        Series("patients.charity_care", "Care of today that patients could not pay and charity paid", "USD"),
        Series("patients.insured", "Share of those not publicly covered who hold cover from a pool"),
        Series("patients.uninsured", "Share of all patients without any cover"),
        Series("patients.trust", "Mean trust of insured patients in their pool"),
        Series("patients.lapses", "Covers that lapsed today for want of payment", "count"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("patients.mean_annual_spending", "Mean spending on care per person and year", "USD"),
        Metric("patients.median_annual_spending", "Median spending on care of a person in the first year", "USD"),
        Metric("patients.zero_share", "Share of persons without any spending on care in the first year"),
        Metric("patients.top1_share", "Share of the first year's spending on the top 1 % of persons"),
        Metric("patients.top5_share", "Share of the first year's spending on the top 5 % of persons"),
        Metric("patients.top10_share", "Share of the first year's spending on the top 10 % of persons"),
        Metric("patients.top50_share", "Share of the first year's spending on the upper half of persons"),
        Metric("patients.uninsured_rate", "Mean share of all patients without any cover", "1", "low"),
        Metric("patients.uninsured_rate_poorest_fifth", "The same among the poorest fifth by income", "1", "low"),
        Metric("patients.uninsured_rate_richest_fifth", "The same among the richest fifth by income", "1", "low"),
        *(Metric(f"patients.uninsured_decile_{d}", f"Share without cover at the end, income decile {d}", better="low")
          for d in range(1, 11)),
        Metric("patients.catastrophic_share", "Person-years with own payments for care above 25 % of income",
               better="low"),
        Metric("patients.charity_care", "Care that charity paid in the whole run", "USD", "low"),
        Metric("patients.unpaid_care", "Care that nobody paid in the whole run", "USD", "low"),
        Metric("patients.lapses", "Covers lapsed for want of payment in the whole run", "count", "low"),
    )

    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("inertia_removed", "From this day on switching plans costs patients less, or nothing.",
                  InertiaRemoved),
    )

    open_enrolment_every_days: int = param(365, "Days between open enrolments; contracts run from one to the next.",
                                           unit="days", ge=30, le=3650)
    inertia: float = param(2000.0, "Loss of utility from switching plans, as money.", unit="USD", grade="L",
                           source="Handel 2013, recalled: about 2,000 dollars", ge=0.0, le=50_000.0)
    choice_scale: float = param(300.0, "Scale of the logit noise between cover and none.", unit="USD", gt=0.0,
                                le=10_000.0)
    pool_scale: float = param(100.0, "Scale of the further noise between pools.", unit="USD", ge=0.0, le=10_000.0)
    plan_scale: float = param(100.0, "Scale of the further noise between the plans of one pool.", unit="USD", ge=0.0,
                              le=10_000.0)
    taste_persistence: float = param(
        0.0, "Share of the variance of these three noises that is a person's own for ever; the rest is drawn at each "
        "enrolment. Their law in any one year does not depend on it. At 0 whoever need not stay re-sorts at random "
        "each year; panel choice models with random coefficients find most of taste lasting.", ge=0.0, le=1.0)
    trust_value: float = param(500.0, "Worth of full trust in a pool (phi).", unit="USD/year", ge=0.0, le=50_000.0)
    perception_log_sd: float = param(0.3, "Log standard deviation of a patient's estimate of own expected cost.",
                                     ge=0.0, le=2.0)
    affordability_cap: float = param(0.095, "Share of income beyond which the government pays the premium of those "
                                     "without an employer's contribution.", grade="M",
                                     source="US affordability threshold of the employer mandate, near 9.5 %",
                                     ge=0.0, le=1.0)
    employer_share: float = param(0.78, "Share of the premium of the employed that firms pay.", grade="M",
                                  source="Employer health benefit surveys: workers pay about 17-27 % of premiums",
                                  ge=0.0, le=1.0)
    uninsured_price_share: float = param(
        0.35, "Share of the price of care that decides the demand of those without cover: the rest is in the end not "
        "collected from them.", grade="L", ge=0.0, le=1.0,
        source="Hadley, Holahan, Coughlin & Miller 2008, recalled: the uninsured paid 583 of 1,686 USD themselves")
    public_coinsurance: float = param(0.10, "Coinsurance under public cover.", ge=0.0, le=1.0)
    public_out_of_pocket_max: float = param(2000.0, "Yearly out-of-pocket maximum under public cover.",
                                            unit="USD/year", ge=0.0)
    garnishable_share: float = param(
        0.25, "Share of pay that can be collected for medical debt; debts are limited to this share of a year's "
        "income, beyond it care is charity. It bounds the loss that an uninsured patient expects.", grade="M",
        source="US Consumer Credit Protection Act, 15 USC 1673: 25 % of disposable earnings", ge=0.0, le=1.0)
    grace_days: int = param(30, "Days after a missed premium until cover lapses.", unit="days", ge=0, le=365)
    claim_fee_tolerance: float = param(0.25, "A claim is filed only while its fee is at most this share of its value.",
                                       ge=0.0, le=1.0)
    claim_patience_days: int = param(90, "Days after which an unfiled claim is given up.", unit="days", ge=1, le=3650)
    trust_memory: float = param(0.98, "Weight of old trust when an experience is added.", ge=0.0, le=1.0)
    trust_loss_on_default: float = param(0.3, "Trust lost on seeing a pool default.", ge=0.0, le=1.0)
    slow_payment_days: float = param(30.0, "Days from filing to payment at which an experience counts half.",
                                     unit="days", gt=0.0)
    appeal_success_belief: float = param(0.5, "Chance that patients give an appeal of a denied claim.", ge=0.0, le=1.0)
    token_payments: bool = param(True, "Whether patients spend health tokens they hold on care, at the index.")
    consent_interval_days: int = param(90, "Days between two reviews of consent to share records.", unit="days", ge=1,
                                       le=3650)
    consent_term_days: int = param(365, "Days for which consent is given.", unit="days", ge=1, le=3650)


SECTION = PatientsSection
