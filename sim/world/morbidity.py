"""The morbidity mechanism: who needs which care today."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.kernel.columns import Columns
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.morbidity import MorbiditySection
from sim.world.care_kernels import MAX_LAYERS
from sim.world.care_model import CareModel
from sim.world.care_process import CareProcess, Episodes
from sim.world.care_tables import YEAR_DAYS, Kind, load_care_tables
from sim.world.cost_nodes import cost_nodes
from sim.world.onset import begin_conditions, onset_hazards
from sim.world.population import Population
from sim.world.tables import Floats


class Morbidity(Mechanism):
    """Care episodes by day, as :class:`~sim.world.care_process.Episodes` in ``today``.

    ``intensity_multiplier`` float64[regions, kinds] raises or lowers today's intensities; it is the product of what
    mechanisms have set by name (:meth:`set_multiplier`: an epidemic, deferred care, medicines that fail). 1 everywhere
    leaves every draw as it is. A factor below 1 thins the episodes; one above 1 adds independent realisations, so a
    Poisson process stays one.
    """

    section: MorbiditySection
    hooks = (Hook(Phase.CARE, "onset", after=("population",)),)

    def setup(self, market: Market) -> None:
        self.build(market.mechanism("population"), market.people, market.draws)

    def build(self, population: Population, people: Columns, draws: Draws) -> None:
        """Calibrate to the population's tables."""
        self.population = population
        self.people = people
        care = load_care_tables(population.tables_folder, population.tables)
        self.model = CareModel(self.section, care, population.tables, population.person.frailty_law)
        self.process = CareProcess(self.model, draws)
        self._hazards = onset_hazards(population.tables.prevalence)
        self._onset_draw = draws.decision("morbidity.onset")
        self._keep_draw = draws.decision("morbidity.intensity")
        self.intensity_multiplier = np.ones((len(population.regions), len(Kind)))
        self._multipliers: dict[str, NDArray[np.float64]] = {}
        self.today = Episodes.none()
        self.onsets = 0
        self._episodes = 0
        self._cost = 0
        self._nodes: tuple[Floats, Floats] | None = None

    # The day

    def onset(self, market: Market) -> None:
        """Set ``today``; on the first day of a year plan the year, after chronic conditions have begun."""
        year, day = divmod(market.day, YEAR_DAYS)
        if day == 0:
            self.pass_year(year)
        self.today = self._episodes_of(market.day, day)
        self._episodes += len(self.today)
        self._cost += int(self.today.cost.sum())

    def pass_year(self, year: int) -> None:
        """Let conditions begin (not before the first year, where the tables' prevalence holds) and plan the year."""
        people = self.people
        if year > 0 and self.population.section.ageing:
            self.onsets += int(begin_conditions(people, self._hazards, self._onset_draw, year * YEAR_DAYS).sum())
        self.process.start_year(year, people["key"], people["age"], people["chronic"], people["frailty"])

    def _episodes_of(self, market_day: int, day: int) -> Episodes:
        base = self.process.episodes(day, day + 1)
        multiplier = self.intensity_multiplier
        if (multiplier == 1.0).all():
            return base
        highest = float(multiplier.max())
        if not (multiplier.min() >= 0.0 and highest <= MAX_LAYERS):
            raise ValueError(f"intensity multipliers must lie between 0 and {MAX_LAYERS}")
        layers = [base, *(self.process.episodes(day, day + 1, layer) for layer in range(1, int(np.ceil(highest))))]
        region = self.people["region"]
        kept = []
        for layer, found in enumerate(layers):
            share = np.clip(multiplier[region[found.slot], found.kind] - layer, 0.0, 1.0)
            kept.append(found.take(self._keep_draw.bernoulli(market_day, found.key, share, found.serial)))
        return Episodes.join(kept)

    # What other mechanisms of the world change

    def set_multiplier(self, cause: str, multiplier: NDArray[np.float64] | None) -> None:
        """From the next episodes on, intensities are multiplied by ``multiplier`` float64[regions, kinds] for
        ``cause``; None ends it. Factors of several causes multiply."""
        if multiplier is None:
            self._multipliers.pop(cause, None)
        else:
            self._multipliers[cause] = multiplier
        product = np.ones_like(self.intensity_multiplier)
        for name in sorted(self._multipliers):
            product *= self._multipliers[name]
        self.intensity_multiplier = product

    def add(self, episodes: Episodes) -> None:
        """Add care that arises from another cause today; in phase CARE, after this mechanism."""
        if len(episodes):
            self.today = Episodes.join([self.today, episodes])
            self._episodes += len(episodes)
            self._cost += int(episodes.cost.sum())

    # What others may know

    def demand(self, coinsurance: ArrayLike) -> Floats:
        """m(c): all care sought at coinsurance ``c`` relative to free care, float64 of the same shape."""
        return self.model.demand.relative(coinsurance)

    def sought_probability(self, kinds: NDArray[np.integer], coinsurance: ArrayLike) -> Floats:
        """Probability that an episode of each kind is sought at the coinsurance its patient faces, float64[n]."""
        return self.model.demand.sought(kinds, coinsurance)

    def expected_annual_cost(self, slots: NDArray[np.int64]) -> Floats:
        """Expected cost of a year's care at free care and reference prices, dollars, float64[n], given age, conditions
        and permanent frailty."""
        people = self.people
        log_health = self.model.log_health(people["age"][slots], people["chronic"][slots])
        return self.model.expected_cost(log_health, people["frailty"][slots])

    def cost_nodes(self) -> tuple[Floats, Floats]:
        """Distribution of a year's cost relative to the person's own mean: (multipliers, weights), float64[K] each."""
        if self._nodes is None:
            self._nodes = cost_nodes(self.model, self.population)
        return self._nodes

    def relieve(self, condition: str, factor: float) -> None:
        """Multiply the excess cost of the named chronic condition by ``factor``, from the next year's care on."""
        if condition not in self.population.conditions:
            raise ValueError(f"no condition {condition!r}; there are {', '.join(self.population.conditions)}")
        self.model.relieve(self.population.conditions.index(condition), factor)

    # Observations

    def observe(self, market: Market) -> None:
        market.record.series("morbidity.episodes", len(self.today))
        market.record.series("morbidity.cost", float(self.today.cost.sum()) / MICRO)

    def finish(self, market: Market) -> None:
        person_years = self.people.size * (market.day + 1) / YEAR_DAYS
        market.record.metric("morbidity.episodes_per_person_year", self._episodes / person_years)
        market.record.metric("morbidity.free_care_cost", self._cost / MICRO / person_years)
        market.record.metric("morbidity.onsets", self.onsets)

    def invariants(self) -> list[tuple[str, Any]]:
        """Costs are positive and every episode belongs to somebody."""

        def episodes_are_real() -> str | None:
            today = self.today
            if len(today) == 0:
                return None
            if today.cost.min() <= 0:
                return "an episode costs nothing"
            if today.slot.min() < 0 or today.slot.max() >= self.people.size:
                return "an episode belongs to nobody"
            return None

        return [("episodes_are_real", episodes_are_real)]
