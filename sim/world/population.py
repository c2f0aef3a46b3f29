"""The population mechanism: columns that describe each person, and the passing of years."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim.kernel.columns import Columns
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.population import PopulationSection
from sim.world.people import Person
from sim.world.population_tables import PopulationTables, load_population_tables
from sim.world.tables import Floats, locate_tables

YEAR_DAYS = 365


class Population(Mechanism):
    """Who there is.

    Columns: ``age`` (years), ``region`` (index), ``female``, ``income`` (base units a year: an equal share of the
    household's), ``chronic`` (bit per condition), ``frailty`` (mean 1), ``risk_aversion`` (per dollar),
    ``privacy_cost`` (base units), ``home_chain``, ``public_cover``, ``employed``. ``initial_wealth`` int64[people] is
    what each person holds at the start, in base units of cash.
    """

    section: PopulationSection
    hooks = (Hook(Phase.CARE, "grow_older"),)

    def setup(self, market: Market) -> None:
        scenario = getattr(market, "scenario", None)
        file = getattr(scenario, "file", "")
        self.build(market.people, market.draws, Path(file).parent if file else None)

    def build(
        self, people: Columns, draws: Draws, beside: Path | None = None,
        tables: tuple[Path, PopulationTables] | None = None,
    ) -> None:
        """Draw everybody's attributes.

        ``beside``: folder that a relative path of the tables starts from; ``tables``: their folder and content where
        they have been read already.
        """
        if tables is None:
            folder = locate_tables(self.section.tables, beside)
            tables = folder, load_population_tables(folder)
        self.tables_folder, self.tables = tables
        self.conditions: tuple[str, ...] = self.tables.conditions
        self.regions: tuple[str, ...] = self.tables.regions
        self.person = Person(self.section, self.tables, draws.decision("population.person"))
        person, keys = self.person, people["key"]
        age = person.age(keys)
        household = person.household_income(keys, age)
        income = person.income(household, age)
        people.add("age", np.int16, age)
        people.add("region", np.int16, person.region(keys))
        people.add("female", np.bool_, person.female(keys))
        people.add("income", np.int64, income)
        people.add("chronic", np.uint32, person.conditions(keys, age))
        people.add("frailty", np.float64, person.frailty(keys))
        people.add("risk_aversion", np.float64, person.risk_aversion(income))
        people.add("privacy_cost", np.int64, person.privacy_cost(keys))
        people.add("home_chain", np.int8, person.home_chain(keys))
        people.add("public_cover", np.bool_, (age >= self.section.public_cover_age) | person.poor(household, age))
        people.add("employed", np.bool_, person.employed(keys, age))
        self.initial_wealth = person.wealth(keys, household, age)

    def rating_factor(self, ages: np.ndarray) -> Floats:
        """Premium rating factor of each age (CMS age curve), float64[n]."""
        factors: Floats = self.tables.rating[ages]
        return factors

    def grow_older(self, market: Market) -> None:
        """On each anniversary of the start everybody is a year older: work ends or begins, public cover begins."""
        if self.section.ageing and market.day and market.day % YEAR_DAYS == 0:
            self.pass_year(market.people)

    def pass_year(self, people: Columns) -> None:
        """Make everybody a year older, up to the oldest age of the tables."""
        age = np.minimum(people["age"].astype(np.int64) + 1, self.tables.oldest)
        people["age"][:] = age
        people["employed"][:] = self.person.employed(people["key"], age)
        people["public_cover"][age >= self.section.public_cover_age] = True

    def observe(self, market: Market) -> None:
        if market.day % YEAR_DAYS == 0:
            market.record.series("population.mean_age", float(market.people["age"].mean()))
            market.record.series("population.public_cover", float(market.people["public_cover"].mean()))

    def finish(self, market: Market) -> None:
        people, record = market.people, market.record
        record.metric("population.mean_age", float(people["age"].mean()))
        record.metric("population.mean_income", float(people["income"].mean()) / MICRO)
        record.metric("population.public_cover", float(people["public_cover"].mean()))
        record.metric("population.chronic_share", float((people["chronic"] != 0).mean()))
