"""Annual spending of a population on its own, without a market: for calibration and validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.kernel.columns import Columns
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.scenario.sections.morbidity import MorbiditySection
from sim.scenario.sections.population import PopulationSection
from sim.world.care_process import service_of
from sim.world.care_tables import SERVICES, YEAR_DAYS
from sim.world.morbidity import Morbidity
from sim.world.population import Population
from sim.world.spending_moments import Check, compare, spending_moments
from sim.world.tables import Floats


@dataclass(frozen=True, slots=True)
class Spending:
    """``by_service`` float64[n, years, services] dollars, ``episodes`` int64 of the same shape, ``age`` int64[n, years]
    and ``chronic`` uint32[n, years] in that year; ``targets`` of the tables that were read."""

    by_service: Floats
    episodes: NDArray[np.int64]
    age: NDArray[np.int64]
    chronic: NDArray[np.uint32]
    targets: dict[str, tuple[float, float]]

    @property
    def total(self) -> Floats:
        """Spending of each person and year, float64[n, years]."""
        result: Floats = self.by_service.sum(axis=2)
        return result

    def moments(self) -> dict[str, float]:
        """Concentration, persistence and use."""
        return spending_moments(self.total, self.age, self.episodes > 0)

    def checks(self) -> list[Check]:
        """The moments held against the tables' targets."""
        return compare(self.moments(), self.targets)


def simulate_spending(
    n: int,
    years: int,
    coinsurance: float | None = None,
    seed: int = 0,
    population: PopulationSection | None = None,
    morbidity: MorbiditySection | None = None,
) -> Spending:
    """Care of ``n`` persons over ``years`` years, all facing the same coinsurance, at reference prices.

    ``coinsurance`` is the morbidity section's reference by default; ``n`` wins over ``population.patients``.
    """
    people, draws = Columns(n), Draws(seed)
    world = Population(population or PopulationSection())
    world.build(people, draws)
    care = Morbidity(morbidity or MorbiditySection())
    care.build(world, people, draws)
    sought = draws.decision("spending.sought")
    share = care.section.reference_coinsurance if coinsurance is None else coinsurance

    shape = (n, years, len(SERVICES))
    by_service, episodes = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    age, chronic = np.zeros((n, years), dtype=np.int64), np.zeros((n, years), dtype=np.uint32)
    for year in range(years):
        if year and world.section.ageing:
            world.pass_year(people)
        care.pass_year(year)
        age[:, year], chronic[:, year] = people["age"], people["chronic"]
        found = care.process.episodes(0, YEAR_DAYS)
        found = found.take(sought.bernoulli(year, found.key, care.sought_probability(found.kind, share), found.serial))
        place = found.slot * len(SERVICES) + service_of(found.serial)
        size = n * len(SERVICES)
        by_service[:, year] = np.bincount(place, found.cost / MICRO, size).reshape(n, -1)
        episodes[:, year] = np.bincount(place, minlength=size).reshape(n, -1)
    return Spending(by_service, episodes, age, chronic, care.model.care.targets)


def annual_spending(
    n: int,
    years: int,
    coinsurance: float | None = None,
    seed: int = 0,
    population: PopulationSection | None = None,
    morbidity: MorbiditySection | None = None,
) -> Floats:
    """Spending in dollars, float64[n, years]; the arguments are those of :func:`simulate_spending`."""
    return simulate_spending(n, years, coinsurance, seed, population, morbidity).total
