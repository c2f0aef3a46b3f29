"""Schema of the pandemic bond: classes, trigger, what is reported of an epidemic, who invests at what spread."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator

from sim.scenario.types import Metric, Model, Section, Series, param

PEF = "World Bank, Pandemic Emergency Financing Facility 2017-2021: fact sheet and press (PEF-01 to PEF-04)"
REPORTS = ("World Bank and press, April 2020: reports of 9 and 17 April on the data of 23 and 31 March; the first of a "
           "14-day reporting period and 3 days of calculation")
VERITY = "Verity et al. 2020, Lancet Infect Dis 20:669, table 1 (case fatality, adjusted) and onset to death, recalled"


class BondClassSection(Model):
    """One class of the bond and of the swaps beside it."""

    name: str = param("A", "Name of the class.", min_length=1, max_length=20, pattern="^[A-Za-z0-9_]+$")
    bonds: float = param(225e6, "Principal in trust.", unit="USD", ge=0.0, le=1e12)
    swaps: float = param(50e6, "Notional of swaps with the same trigger, which are not funded.", unit="USD", ge=0.0,
                         le=1e12)
    spread: float = param(0.065, "Coupon over the risk-free rate, which is 0 here.", unit="1/year", ge=0.0, le=1.0)
    deaths: int = param(2500, "Deaths at which it pays.", unit="persons", ge=1, le=10**9)
    share: float = param(0.1667, "Share of principal and notional that is paid.", ge=0.0, le=1.0)


class FatalityBand(Model):
    """Fatality of reported cases from an age on."""

    from_age: int = param(..., "First age of the band.", unit="years", ge=0, le=120)
    fatality: float = param(..., "Share of reported cases that die.", ge=0.0, le=1.0)


def _classes() -> list[BondClassSection]:
    return [BondClassSection(), BondClassSection(name="B", bonds=95e6, swaps=55e6, spread=0.111, deaths=250, share=1.0)]


def _bands() -> list[FatalityBand]:
    shares = (0.00003, 0.00015, 0.0006, 0.0015, 0.0030, 0.0125, 0.0399, 0.0861, 0.134)
    return [FatalityBand(from_age=10 * index, fatality=share) for index, share in enumerate(shares)]


class PandemicBondSection(Section):
    """A facility that insures residents against a pandemic by bonds and swaps with the trigger of the PEF."""

    implementation: ClassVar[str] = "sim.agents.derivatives.pandemic_bond:PandemicFacility"
    requires: ClassVar[tuple[str, ...]] = ("population", "epidemic", "economy")
    series: ClassVar[tuple[Series, ...]] = (
        Series("pandemic_bond.cases", "Reported cases since the event's start, in persons represented", "persons"),
        Series("pandemic_bond.deaths", "Reported deaths since the event's start, in persons represented", "persons"),
        Series("pandemic_bond.outstanding", "Principal in trust, all classes", "USD"),
        Series("pandemic_bond.paid_out", "Paid to the facility since the start", "USD"),
    )
    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("pandemic_bond.event_day", "Day on which the event started", "days"),
        Metric("pandemic_bond.any_triggered", "1 where a class was triggered, else 0"),
        Metric("pandemic_bond.any_trigger_before_wait", "1 where a class was triggered before the waiting period was "
               "over, else 0", "1", "low"),
        Metric("pandemic_bond.trigger_day_first", "Days from the event's start to the first trigger", "days", "low"),
        Metric("pandemic_bond.trigger_day_last", "Days from the event's start to the last class's trigger", "days",
               "low"),
        Metric("pandemic_bond.deaths", "Reported deaths at the end, of the persons represented", "persons", "low"),
        Metric("pandemic_bond.growth_failed", "Calculations that failed by the growth condition alone", "count"),
        Metric("pandemic_bond.issued", "Principal subscribed", "USD"),
        Metric("pandemic_bond.payout", "Paid to the facility, bonds and swaps", "USD"),
        Metric("pandemic_bond.payout_share", "The same over principal and notional issued"),
        Metric("pandemic_bond.swap_unpaid", "Owed by sellers of swaps and unpaid", "USD", "low"),
        Metric("pandemic_bond.coupon", "Coupons paid by the facility", "USD", "low"),
        Metric("pandemic_bond.coupon_unpaid", "Coupons that it could not pay", "USD", "low"),
        Metric("pandemic_bond.required_spread_highest", "Highest spread that investors ask of a class", "1/year"),
        Metric("pandemic_bond.loss", "Cost of care for the infection, at reference prices", "USD", "low"),
        Metric("pandemic_bond.loss_before_payout", "Share of that cost that had arisen when the first class paid", "1",
               "low"),
        Metric("pandemic_bond.payout_over_loss", "Payout over that cost", "1", "high"),
        Metric("pandemic_bond.any_loss_without_payout", "1 where the loss exceeds the expected one and nothing was "
               "paid, else 0 (basis risk)", "1", "low"),
        Metric("pandemic_bond.squared_deviation", "Square of the loss per person net of the payout, less its "
               "expectation given first cases; its mean over runs is the variance", "USD^2", "low"),
        Metric("pandemic_bond.squared_deviation_unhedged", "The same without the payout", "USD^2", "low"),
    )

    classes: list[BondClassSection] = param(_classes(), "The classes.", grade="M", source=PEF, min_length=1)
    size: float = param(1e-3, "Factor on all sums of the classes, so that they fit the population; 0: no bond.", ge=0.0,
                        le=1e6)
    persons_represented: int = param(1000, "People of the world for whom one person of the model stands, in counts of "
                                     "cases and deaths: each shares his infection and dies or not by himself.",
                                     unit="persons", ge=1, le=10**6)
    wait_days: int = param(84, "Days of reports before the first calculation, and the window in which cases must grow.",
                           unit="days", grade="M", source=PEF, ge=7, le=3650)
    check_days: int = param(8, "Days between calculations.", unit="days", grade="M", source=REPORTS, ge=1, le=365)
    lag_days: int = param(17, "Days from the last report used to the calculation's publication.", unit="days",
                          grade="M", source=REPORTS, ge=0, le=365)
    second_region_deaths: int = param(20, "Deaths that each of two regions must have.", unit="persons", grade="M",
                                      source=PEF, ge=0, le=10**9)
    least_cases: int = param(250, "Cases that the window must have.", unit="persons", grade="M",
                             source="Press, April 2020: rolling total of 250", ge=0, le=10**9)
    confirmation_ratio: float = param(0.20, "Least share of cases that are confirmed.", grade="M", source=PEF, ge=0.0,
                                      le=1.0)
    growth_quantile: float = param(1.533, "Standard errors by which growth must exceed 0: the 90 % quantile of "
                                   "Student's distribution with 4 degrees of freedom.", grade="L",
                                   source="Prospectus of 2017, recalled", ge=0.0, le=10.0)
    event_cases: int = param(1, "Reported cases, of the persons represented, that start an event.", unit="persons",
                             ge=1, le=10**9)
    confirmed_share: float = param(0.8, "Share of reported cases that are confirmed by a test.", ge=0.0, le=1.0)
    fatality: list[FatalityBand] = param(_bands(), "Fatality of reported cases by age.", grade="L", source=VERITY,
                                         min_length=1)
    death_delay_days: float = param(14.8, "Mean days from the report of a case to that of its death (gamma with a "
                                    "coefficient of variation of 0.45): onset to death less three days to diagnosis.",
                                    unit="days", grade="L", source=VERITY, gt=0.0, le=365.0)

    issue_day: int = param(1, "Day of issue.", unit="days", ge=0, le=3650)
    term_days: int = param(1095, "Days to maturity, or to the end of the run.", unit="days", ge=1, le=36500)
    coupon_days: int = param(30, "Days between coupons.", unit="days", ge=1, le=365)
    facility_years: float = param(2.0, "Opening cash of the facility, from donors, in years of its coupons.",
                                  unit="years", ge=0.0, le=100.0)
    swap_margin: float = param(0.05, "Initial margin of sellers of swaps, as a share of the notional.", ge=0.0, le=1.0)
    swap_capital: float = param(1.2, "Cash of sellers of swaps, as a multiple of the notional.", ge=0.0, le=100.0)
    risk_load: float = param(0.4, "Investors ask for the expected loss and this many standard deviations of it.",
                             grade="L", source="As in reinsurance here: about 4 times expected loss for cat bonds",
                             ge=0.0, le=10.0)
    outbreak_chance: float = param(0.04, "Chance a year of first cases, as investors see it.", unit="1/year", ge=0.0,
                                   le=1.0)
    outbreak_cases: int = param(5, "First cases of the epidemics that investors simulate.", unit="persons", ge=1,
                                le=10**6)
    loss_per_case: float = param(1_500.0, "What a reported case is expected to cost in care.", unit="USD", ge=0.0,
                                 le=1e7)
    pricing_paths: int = param(100, "Epidemics simulated by investors.", unit="count", ge=20, le=5000)
    pricing_days: int = param(300, "Days of each.", unit="days", ge=100, le=3650)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        starts = [band.from_age for band in self.fatality]
        if starts[0] != 0 or sorted(set(starts)) != starts:
            raise ValueError("the first age band must start at 0, and the others in rising order")
        if len({one.name for one in self.classes}) != len(self.classes):
            raise ValueError("two classes have the same name")
        return self


SECTION = PandemicBondSection
