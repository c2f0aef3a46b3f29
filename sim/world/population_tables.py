"""The source tables that say who there is: ages, regions, households, incomes, work, diagnoses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.world.tables import MAX_AGE, Floats, read_table

CHILD_BELOW = 18
PARENT_YEARS = 30
"""A child shares the household of somebody this much older."""
WORKS_FROM = 16
MAX_CONDITIONS = 32


@dataclass(frozen=True, slots=True)
class PopulationTables:
    """Shapes: ``[ages]`` is MAX_AGE + 1 single years of age; ``[regions]``, ``[conditions]`` as named."""

    age_share: Floats
    """[ages]: share of persons; sums to 1."""
    oldest: int
    regions: tuple[str, ...]
    region_share: Floats
    income_quantiles: Floats
    income_at_quantile: Floats
    """Household income at each of ``income_quantiles``, dollars."""
    income_by_age: Floats
    """[ages]: median household income relative to that of all households."""
    household_size: Floats
    """[ages]: mean persons in the household of somebody of that age."""
    balance_by_age: Floats
    """[ages]: median liquid wealth of a household, dollars."""
    employed: Floats
    """[ages]: share who work; of those too young to work, the share whose parent does."""
    conditions: tuple[str, ...]
    prevalence: Floats
    """[conditions, ages]: share of persons diagnosed."""
    rating: Floats
    """[ages]: premium rating factor, 1 at the curve's base age."""


def _householder(by_age: Floats) -> Floats:
    """``by_age`` of householders, as it is for persons of each age."""
    age = np.arange(MAX_AGE + 1)
    result: Floats = by_age[np.where(age < CHILD_BELOW, age + PARENT_YEARS, age)]
    return result


def load_population_tables(folder: Path) -> PopulationTables:
    """Read the tables in ``folder``; :class:`~sim.world.tables.TableError` where one is faulty."""
    ages = read_table(folder, "age_structure")
    first, last = ages.bands()
    people = ages.numbers("population", low=0.0)
    if not people.sum() > 0:
        raise ages.fault("nobody lives here: the column population is zero")
    age_share = np.zeros(MAX_AGE + 1)
    for low, high, count in zip(first.astype(int), last.astype(int), people, strict=True):
        age_share[low:high + 1] = count / (high + 1 - low) / people.sum()

    regions = read_table(folder, "regions")
    names = regions.text("region")
    regions.keyed("region", list(dict.fromkeys(names)))
    share = regions.numbers("share", low=0.0)
    if not share.sum() > 0:
        raise regions.fault("the shares of the regions sum to zero")

    income = read_table(folder, "household_income")
    quantile = income.increasing("quantile", low=1e-6, high=1.0 - 1e-6)
    amount = income.increasing("income", low=1e-6)
    if quantile.size < 2:
        raise income.fault("at least two quantiles are needed")

    homes = read_table(folder, "households")
    median = float(np.exp(np.interp(0.5, quantile, np.log(amount))))
    work = read_table(folder, "employment")
    employed = np.where(np.arange(MAX_AGE + 1) < WORKS_FROM, _householder(work.by_age("employed", 0.0, 1.0)),
                        work.by_age("employed", 0.0, 1.0))

    ill = read_table(folder, "condition_prevalence")
    knots = ill.increasing("age", 0, MAX_AGE)
    conditions = tuple(name for name in ill.columns if name != "age")
    if not 1 <= len(conditions) <= MAX_CONDITIONS:
        raise ill.fault(f"{len(conditions)} conditions; allowed: 1 to {MAX_CONDITIONS}")
    age = np.arange(MAX_AGE + 1.0)
    prevalence = np.array([np.interp(age, knots, ill.numbers(name, 0.0, 1.0)) for name in conditions])

    curve = read_table(folder, "age_curve")
    rating = np.interp(age, curve.increasing("age", 0, MAX_AGE), curve.numbers("factor", low=1e-6))
    return PopulationTables(
        age_share=age_share,
        oldest=int(last[-1]),
        regions=tuple(names),
        region_share=share / share.sum(),
        income_quantiles=quantile,
        income_at_quantile=amount,
        income_by_age=_householder(homes.by_age("median_income", low=1e-6)) / median,
        household_size=_householder(homes.by_age("persons", 1.0, 50.0)),
        balance_by_age=_householder(homes.by_age("median_balance", low=0.0)),
        employed=employed,
        conditions=conditions,
        prevalence=prevalence,
        rating=rating,
    )
