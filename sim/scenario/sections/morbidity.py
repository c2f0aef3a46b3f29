"""Schema of illness: how often care is needed, of what kind, and what it costs."""

from typing import Any, ClassVar

from sim.scenario.types import Metric, Model, Section, Series, ShockKind, param

_CALIBRATED = "Set jointly with the other shapes to spending_targets.csv (MEPS 2015-2018, RAND HIE)."

_ABOUT: dict[str, tuple[str, dict[str, Any]]] = {
    "episodes_per_year": ("Mean number of episodes per person and year at free care.",
                          {"unit": "1/year", "gt": 0.0, "le": 50.0}),
    "health_exponent": ("Exponent with which frequency follows age and chronic conditions.", {"ge": 0.0, "le": 3.0}),
    "frailty_exponent": ("Exponent with which frequency follows frailty, permanent and of the year.",
                         {"ge": 0.0, "le": 3.0}),
    "cost_exponent": ("Exponent with which the cost of an episode follows health and frailty.", {"ge": 0.0, "le": 2.0}),
    "cost_log_sd": ("Standard deviation of the logarithm of an episode's cost, in the lognormal body.",
                    {"gt": 0.0, "le": 4.0}),
    "tail_share": ("Share of episodes in the Pareto tail, which begins at that upper quantile of the body.",
                   {"gt": 0.0, "le": 0.5}),
    "tail_index": ("Exponent of the Pareto tail; above 2 the variance is finite. MEPS spending above the top 1 % "
                   "threshold has a mean of 1.77 times the threshold, an index of 2.3 (truth HLTH-01).",
                   {"gt": 1.0, "le": 10.0}),
}


def _shape(name: str, default: float) -> Any:
    description, rest = _ABOUT[name]
    return param(default, f"{description} {_CALIBRATED}", **rest)


class Ambulatory(Model):
    """Visits and outpatient treatment; home health and other care are counted here."""

    episodes_per_year: float = _shape("episodes_per_year", 3.86)
    health_exponent: float = _shape("health_exponent", 0.774)
    frailty_exponent: float = _shape("frailty_exponent", 0.813)
    cost_exponent: float = _shape("cost_exponent", 0.467)
    cost_log_sd: float = _shape("cost_log_sd", 1.567)
    tail_share: float = _shape("tail_share", 0.046)
    tail_index: float = _shape("tail_index", 2.684)


class Dental(Model):
    """Dental care."""

    episodes_per_year: float = _shape("episodes_per_year", 0.823)
    health_exponent: float = _shape("health_exponent", 0.517)
    frailty_exponent: float = _shape("frailty_exponent", 0.788)
    cost_exponent: float = _shape("cost_exponent", 0.0)
    cost_log_sd: float = _shape("cost_log_sd", 0.705)
    tail_share: float = _shape("tail_share", 0.02)
    tail_index: float = _shape("tail_index", 3.0)


class Prescription(Model):
    """Courses of prescribed medicines."""

    episodes_per_year: float = _shape("episodes_per_year", 2.721)
    health_exponent: float = _shape("health_exponent", 1.27)
    frailty_exponent: float = _shape("frailty_exponent", 0.7)
    cost_exponent: float = _shape("cost_exponent", 0.054)
    cost_log_sd: float = _shape("cost_log_sd", 0.777)
    tail_share: float = _shape("tail_share", 0.036)
    tail_index: float = _shape("tail_index", 2.35)


class Hospital(Model):
    """Hospital stays, on a ward or in intensive care."""

    episodes_per_year: float = _shape("episodes_per_year", 0.0751)
    health_exponent: float = _shape("health_exponent", 1.0)
    frailty_exponent: float = _shape("frailty_exponent", 0.694)
    cost_exponent: float = _shape("cost_exponent", 0.0)
    cost_log_sd: float = _shape("cost_log_sd", 0.894)
    tail_share: float = _shape("tail_share", 0.05)
    tail_index: float = _shape("tail_index", 2.05)
    intensive_share: float = param(0.269, "Share of stays with intensive care.", grade="M",
                                   source="HCUP Statistical Brief 185 (2011): 26.9 % of stays", ge=0.0, lt=1.0)
    intensive_relative_cost: float = param(
        2.46, "Mean cost of a stay with intensive care over one without.", grade="M",
        source="HCUP Statistical Brief 185 (2011): 26.9 % of stays, 47.5 % of charges", gt=0.0, le=50.0)


class CareSurge(Model):
    """Arguments of the shock ``care_surge``."""

    factor: float = param(2.0, "Care episodes over those that would arise anyway.", ge=0.0, le=16.0)
    days: int = param(30, "For how long.", unit="days", ge=1)
    region: int = param(-1, "Only this region; -1: all.", ge=-1)


class MorbiditySection(Section):
    """Care episodes by a Poisson process whose intensity follows age, chronic conditions, frailty and season."""

    implementation: ClassVar[str] = "sim.world.morbidity:Morbidity"
    requires: ClassVar[tuple[str, ...]] = ("population",)
    series: ClassVar[tuple[Series, ...]] = (
        Series("morbidity.episodes", "Episodes that begin today, before any decision to seek care", "count"),
        Series("morbidity.cost", "What they would cost at free care and reference prices", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("morbidity.episodes_per_person_year", "Episodes per person and year, before demand", "1/year"),
        Metric("morbidity.free_care_cost", "Cost per person and year at free care and reference prices", "USD/year"),
        Metric("morbidity.onsets", "Chronic conditions that began during the run", "count"),
    )
    shocks: ClassVar[tuple[ShockKind, ...]] = (
        ShockKind("care_surge", "More people need care, whatever the cause: a catastrophe of cost.", CareSurge),
    )

    reference_coinsurance: float = param(
        0.12, "Coinsurance at which spending equals the source tables: the average share that US patients paid "
        "themselves.", grade="M", source="MEPS 2016-2018: out of pocket 12-13 % of spending, recalled", ge=0.0, le=1.0)
    demand_slope: float = param(0.355, "Fall of demand at full coinsurance: m(c) = 1 - slope x c^exponent.", grade="L",
                                source="fitted to RAND HIE, truth HLTH-17 and HLTH-18 (arc elasticity -0.217)",
                                ge=0.0, lt=0.8)
    demand_exponent: float = param(0.6, "Curvature of demand in coinsurance: below 1 the first dollars matter most.",
                                   grade="L", source="fitted to RAND HIE, truth HLTH-17 and HLTH-18", gt=0.0, le=3.0)
    condition_effect: float = param(1.0, "Factor on the excess cost of each chronic condition; 0 makes them "
                                    f"harmless. Mean spending by age stays as in the tables. {_CALIBRATED}", ge=0.0,
                                    le=10.0)
    any_condition_excess: float = param(
        2.06, "Excess cost of having any chronic condition at all (regular visits and medicines), added to that of the "
        f"conditions. {_CALIBRATED}", ge=0.0, le=20.0)
    year_log_sd: float = param(0.757, "Standard deviation of the logarithm of a person's health in one year relative "
                               f"to the person's own mean. {_CALIBRATED}", ge=0.0, le=3.0)
    year_correlation: float = param(0.19, "Correlation of that deviation between successive years. "
                                    f"{_CALIBRATED}", ge=0.0, le=0.5)
    largest_episode: float = param(1e7, "Largest cost of one episode; it bounds what a Pareto tail can draw.",
                                   unit="USD", gt=0.0, le=1e9)
    ambulatory: Ambulatory = param(Ambulatory(), "Shape of ambulatory care.")
    dental: Dental = param(Dental(), "Shape of dental care.")
    prescription: Prescription = param(Prescription(), "Shape of prescribed medicines.")
    hospital: Hospital = param(Hospital(), "Shape of hospital stays.")


SECTION = MorbiditySection
