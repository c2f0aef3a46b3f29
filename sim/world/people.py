"""What each person is like at the start, and how age changes it. Functions of permanent keys alone.

A person's attributes are draws by key, so one more person changes nobody else, and a newcomer is drawn by the same
functions.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import Decision
from sim.kernel.fixedpoint import MICRO
from sim.scenario.sections.population import PopulationSection
from sim.world.frailty import PermanentFrailty
from sim.world.population_tables import PopulationTables
from sim.world.tables import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Trait(IntEnum):
    """Serial number of the draw behind each attribute; conditions follow from CONDITION on."""

    AGE = 0
    REGION = 1
    SEX = 2
    INCOME = 3
    WEALTH = 4
    FRAILTY = 5
    PRIVACY = 6
    CHAIN = 7
    WORK = 8
    CONDITION = 32


class Person:
    """The draws of one population: its section, tables and source of randomness."""

    def __init__(self, section: PopulationSection, tables: PopulationTables, decision: Decision) -> None:
        self.section = section
        self.tables = tables
        self.decision = decision
        self.frailty_law = PermanentFrailty(section.frailty_log_sd)

    def _uniform(self, keys: NDArray[np.uint64], trait: int) -> Floats:
        result: Floats = self.decision.uniform(0, keys, trait)
        return result

    def _category(self, keys: NDArray[np.uint64], trait: Trait, shares: Floats) -> Ints:
        edges = np.cumsum(shares) / shares.sum()
        edges[-1] = 1.0
        return np.searchsorted(edges, self._uniform(keys, trait), side="right").astype(np.int64)

    def age(self, keys: NDArray[np.uint64]) -> Ints:
        """int64[n], years, by the age structure."""
        return np.minimum(self._category(keys, Trait.AGE, self.tables.age_share), self.tables.oldest)

    def region(self, keys: NDArray[np.uint64]) -> Ints:
        """int64[n], index of the region."""
        return self._category(keys, Trait.REGION, self.tables.region_share)

    def female(self, keys: NDArray[np.uint64]) -> Bools:
        """bool[n]."""
        result: Bools = self.decision.bernoulli(0, keys, 0.5, Trait.SEX)
        return result

    def home_chain(self, keys: NDArray[np.uint64]) -> Ints:
        """int64[n], index of the chain that keeps the identity."""
        return self._category(keys, Trait.CHAIN, np.asarray(self.section.home_chain_shares, dtype=np.float64))

    def household_income(self, keys: NDArray[np.uint64], age: Ints) -> Floats:
        """float64[n], dollars a year: the quantile of all households, moved by the median of the person's age."""
        tables = self.tables
        log_income = np.interp(self._uniform(keys, Trait.INCOME), tables.income_quantiles,
                               np.log(tables.income_at_quantile))
        result: Floats = np.exp(log_income) * tables.income_by_age[age]
        return result

    def income(self, household: Floats, age: Ints) -> Ints:
        """int64[n], base units a year: an equal share of the household's income, at least one dollar."""
        return np.maximum(np.rint(household / self.tables.household_size[age]), 1.0).astype(np.int64) * MICRO

    def poor(self, household: Floats, age: Ints) -> Bools:
        """bool[n]: household income below the multiple of the poverty line that gives public cover."""
        line = (self.section.poverty_line_first_person
                + self.section.poverty_line_each_more * (self.tables.household_size[age] - 1.0))
        return np.asarray(household < self.section.public_cover_poverty_ratio * line)

    def wealth(self, keys: NDArray[np.uint64], household: Floats, age: Ints) -> Ints:
        """int64[n], base units: a share of the household's liquid wealth, lognormal around a median by age that
        grows with income at the given elasticity."""
        tables, section = self.tables, self.section
        median = float(np.exp(np.interp(0.5, tables.income_quantiles, np.log(tables.income_at_quantile))))
        relative = household / (median * tables.income_by_age[age])
        centre = tables.balance_by_age[age] / tables.household_size[age] * relative**section.wealth_income_elasticity
        noise = np.exp(section.wealth_log_sd * self.decision.normal(0, keys, Trait.WEALTH))
        return np.rint(centre * noise * MICRO).astype(np.int64)

    def risk_aversion(self, income: Ints) -> Floats:
        """float64[n], per dollar: constant relative aversion over income, within bounds."""
        section = self.section
        low, high = sorted((section.risk_aversion_least, section.risk_aversion_most))
        result: Floats = np.clip(section.risk_aversion_times_income * MICRO / income, low, high)
        return result

    def privacy_cost(self, keys: NDArray[np.uint64]) -> Ints:
        """int64[n], base units."""
        section = self.section
        drawn = self.decision.lognormal(0, keys, np.log(section.privacy_cost_median), section.privacy_cost_log_sd,
                                        Trait.PRIVACY)
        return np.rint(np.minimum(drawn, 1e9) * MICRO).astype(np.int64)

    def frailty(self, keys: NDArray[np.uint64]) -> Floats:
        """float64[n]: permanent frailty, with mean 1."""
        return self.frailty_law.value(self.decision.normal(0, keys, Trait.FRAILTY))

    def conditions(self, keys: NDArray[np.uint64], age: Ints) -> NDArray[np.uint32]:
        """uint32[n]: one bit per chronic condition, by its prevalence at that age."""
        bits = np.zeros(keys.size, dtype=np.uint32)
        for index, prevalence in enumerate(self.tables.prevalence):
            has = self.decision.bernoulli(0, keys, prevalence[age], Trait.CONDITION + index)
            bits |= has.astype(np.uint32) << np.uint32(index)
        return bits

    def employed(self, keys: NDArray[np.uint64], age: Ints) -> Bools:
        """bool[n]: whether the person, or the parent of one too young, works; the same draw at every age, so that a
        person leaves work once, where the share who work falls."""
        return np.asarray(self._uniform(keys, Trait.WORK) < self.tables.employed[age])
