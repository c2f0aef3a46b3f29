"""From section and tables to rates and costs: the calibrated law of care.

A person's health index is H = t(age) C(conditions), apart from frailty F (permanent) and Y (of the year). For service k

    episodes a year  ~ Poisson(rate_k H^g_k (F Y)^b_k),     mean cost = scale_k (H F Y)^d_k,

so expected spending is the sum over k of weight_k H^(g_k + d_k) F^(b_k + d_k). t(age) is solved for each year of age so
that expected spending follows the tables' age profile whatever the conditions' prevalence; rates and scales so that
frequencies, the services' shares and the overall mean come out at the reference coinsurance.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.scenario.sections.morbidity import MorbiditySection
from sim.world.care_kernels import expected_costs
from sim.world.care_tables import CareTables, Kind, Service
from sim.world.demand import Demand
from sim.world.frailty import PermanentFrailty, YearDeviation
from sim.world.population_tables import PopulationTables
from sim.world.severity import Severity
from sim.world.tables import Floats

_STEPS = 200
_CLOSE = 1e-12

KIND_OF_SERVICE = np.array([Kind.OUTPATIENT, Kind.OUTPATIENT, Kind.PRESCRIPTION, Kind.INPATIENT], dtype=np.int8)


class CareModel:
    """Arrays that the kernels read. ``[services]`` is :class:`~sim.world.care_tables.Service`."""

    def __init__(
        self, section: MorbiditySection, care: CareTables, people: PopulationTables, frailty: PermanentFrailty
    ) -> None:
        self.section = section
        self.care = care
        self.frailty = frailty
        self.year = YearDeviation(section.year_log_sd, section.year_correlation)
        self.demand = Demand(section.demand_slope, section.demand_exponent, care.response)
        self.relief = np.ones(len(people.conditions))
        shapes = (section.ambulatory, section.dental, section.prescription, section.hospital)
        frequency = np.array([shape.episodes_per_year for shape in shapes])
        health = np.array([shape.health_exponent for shape in shapes])
        by_frailty = np.array([shape.frailty_exponent for shape in shapes])
        by_cost = np.array([shape.cost_exponent for shape in shapes])
        severity = [Severity(shape.cost_log_sd, shape.tail_share, shape.tail_index) for shape in shapes]

        ward = section.hospital.intensive_share
        dear = section.hospital.intensive_relative_cost
        mean_stay = 1.0 - ward + ward * dear
        self.stay = np.array([ward, 1.0 / mean_stay, dear / mean_stay])
        intensive_spending = ward * dear / mean_stay

        self.condition_log = self._condition_log()
        mask_share = _mask_shares(people.prevalence)
        self.health_exponent = health + by_cost
        self.frailty_exponent = by_frailty + by_cost
        reached = self._sought_at_reference(intensive_spending)
        weight = care.spending_share * care.mean_spending / reached
        self.log_age, mean_power = self._solve_ages(care.age_target, people.age_share, mask_share, weight)
        moment = np.array([self.frailty.moment(q) for q in self.frailty_exponent])
        self.weight = weight / (mean_power * moment)
        """[services]: expected free-care cost of a person with H = F = 1, dollars a year."""

        rate = frequency / np.array([
            self._mean_power(people.age_share, mask_share, g) * self.frailty.moment(b) * self.year.moment(b)
            for g, b in zip(health, by_frailty, strict=True)])
        year_moment = np.array([self.year.moment(q) for q in self.frailty_exponent])
        scale = self.weight / (rate * year_moment)
        self.shape = np.stack([rate, health, by_frailty], axis=1)
        """float64[services, 3]: rate, health exponent, frailty exponent of frequency."""
        self.cost = np.array([
            [scale[k] / law.mean, by_cost[k], law.log_sd, law.tail_share, law.tail_index, law.tail_start]
            for k, law in enumerate(severity)])
        """float64[services, 6], as :func:`~sim.world.care_kernels.price_episodes` reads it."""

    def spending_by_kind(self) -> Floats:
        """Share of all spending by kind of episode, float64[kinds], as published."""
        shares = np.bincount(KIND_OF_SERVICE, self.care.spending_share, len(Kind)).astype(np.float64)
        intensive = float(self.stay[0] * self.stay[2])
        shares[Kind.INTENSIVE] = shares[Kind.INPATIENT] * intensive
        shares[Kind.INPATIENT] *= 1.0 - intensive
        return shares

    def _condition_log(self) -> Floats:
        """log C of each set of conditions, float64[2^conditions]: relative costs add up, and having any adds more."""
        excess = self.care.condition_excess * self.relief * self.section.condition_effect
        masks = np.arange(1 << excess.size)
        has = (masks[:, None] >> np.arange(excess.size)) & 1
        any_excess = self.section.any_condition_excess * (has * self.relief).max(axis=1, initial=0.0)
        result: Floats = np.log(1.0 + has @ excess + any_excess)
        return result

    def _sought_at_reference(self, intensive_spending: float) -> Floats:
        """Share of each service's free-care spending that is sought at the reference coinsurance, [services]."""
        by_kind = self.demand.sought(np.arange(len(Kind)), self.section.reference_coinsurance)
        reached = by_kind[KIND_OF_SERVICE]
        reached[Service.HOSPITAL] = ((1.0 - intensive_spending) * by_kind[Kind.INPATIENT]
                                     + intensive_spending * by_kind[Kind.INTENSIVE])
        return reached

    def _solve_ages(
        self, target: Floats, age_share: Floats, mask_share: Floats, weight: Floats
    ) -> tuple[Floats, Floats]:
        """log t(age), and the population's mean of H^e for each service's exponent e.

        Newton steps in logarithms for all ages at once; the mean over the population enters the equation, so it is
        renewed at each step.
        """
        exponents = self.health_exponent
        condition_power = np.array([np.exp(e * self.condition_log) @ mask_share for e in exponents])
        log_age = np.log(target / (np.exp(self.condition_log) @ mask_share))
        share = weight / weight.sum()
        for _ in range(_STEPS):
            power = np.exp(exponents[:, None] * log_age) * condition_power
            mean = power @ age_share
            relative = (share / mean)[:, None] * power
            total = relative.sum(axis=0)
            step = (np.log(target) - np.log(total)) * total / np.maximum((exponents[:, None] * relative).sum(axis=0),
                                                                         0.05 * total)
            log_age = log_age + step
            if np.abs(step).max() < _CLOSE:
                break
        power = np.exp(exponents[:, None] * log_age) * condition_power
        return log_age, power @ age_share

    def _mean_power(self, age_share: Floats, mask_share: Floats, exponent: float) -> float:
        """The population's mean of H^exponent."""
        by_age = np.exp(exponent * self.log_age) * (np.exp(exponent * self.condition_log) @ mask_share)
        return float(by_age @ age_share)

    def relieve(self, condition: int, factor: float) -> None:
        """Multiply the excess cost of a condition by ``factor`` (a better treatment); it counts from the next year's
        care on. ValueError for a factor that is negative or not finite."""
        if not (math.isfinite(factor) and factor >= 0.0):
            raise ValueError(f"a condition's excess cost cannot be multiplied by {factor}")
        self.relief[condition] *= factor
        self.condition_log = self._condition_log()

    def log_health(self, age: NDArray[np.integer], chronic: NDArray[np.uint32]) -> Floats:
        """log H, float64[n]."""
        result: Floats = self.log_age[age] + self.condition_log[chronic]
        return result

    def expected_cost(self, log_health: Floats, frailty: Floats) -> Floats:
        """Expected cost of a year at free care, dollars, float64[n]; the year's deviation is averaged out."""
        result: Floats = expected_costs(log_health, np.log(frailty), self.weight, self.health_exponent,
                                        self.frailty_exponent)
        return result


def _mask_shares(prevalence: Floats) -> Floats:
    """Share of persons of each age with each set of conditions, float64[2^conditions, ages]; conditions are
    independent given age."""
    result = np.ones((1, prevalence.shape[1]))
    for share in prevalence:
        result = np.concatenate([result * (1.0 - share), result * share])
    return result
