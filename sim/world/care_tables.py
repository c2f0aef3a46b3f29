"""The source tables that say what care costs: level, ages, services, conditions, seasons, response to price."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np

from sim.world.population_tables import PopulationTables
from sim.world.tables import MAX_AGE, Floats, Table, TableError, read_table


class Kind(IntEnum):
    """Kinds of episode, as others see them."""

    OUTPATIENT = 0
    PRESCRIPTION = 1
    INPATIENT = 2
    INTENSIVE = 3
    INFECTION = 4
    """Test and visits by which an epidemic infection is diagnosed; only an epidemic brings it."""


class Service(IntEnum):
    """Services, each with its own frequency and cost; a hospital stay is of kind inpatient or intensive."""

    AMBULATORY = 0
    DENTAL = 1
    PRESCRIPTION = 2
    HOSPITAL = 3


SERVICES = tuple(service.name.lower() for service in Service)
KINDS = tuple(kind.name.lower() for kind in Kind if kind is not Kind.INFECTION)
"""Kinds of ordinary care, of which the tables speak."""
YEAR_DAYS = 365
MAX_COSTED_CONDITIONS = 12
_PASSES = 200


@dataclass(frozen=True, slots=True)
class CareTables:
    """Shapes: ``[ages]`` is MAX_AGE + 1 single years of age, ``[services]`` and ``[kinds]`` the enumerations."""

    mean_spending: float
    """Mean annual spending per person at the reference coinsurance, dollars."""
    age_target: Floats
    """[ages]: mean spending of an age relative to all; its mean over the population is 1."""
    spending_share: Floats
    """[services]: share of all spending at the reference coinsurance."""
    condition_excess: Floats
    """[conditions]: what each condition adds to expected cost, in multiples of a healthy person's."""
    response: Floats
    """[kinds]: response to price relative to that of all spending."""
    season_days: Floats
    """[services, YEAR_DAYS + 1]: cumulative share of a year's episodes before each day."""
    targets: dict[str, tuple[float, float]]
    """Quantity -> (value, tolerance), for validation."""


def load_care_tables(folder: Path, people: PopulationTables) -> CareTables:
    """Read the tables in ``folder``; :class:`~sim.world.tables.TableError` where one is faulty."""
    services = read_table(folder, "services")
    rows = services.keyed("service", SERVICES)
    share = services.numbers("spending_share", 0.0, 1.0)[rows]
    if abs(share.sum() - 1.0) > 1e-3:
        raise services.fault(f"the spending shares sum to {share.sum():.4f}, not to 1")

    costs = read_table(folder, "conditions")
    if len(people.conditions) > MAX_COSTED_CONDITIONS:
        raise costs.fault(f"{len(people.conditions)} conditions; at most {MAX_COSTED_CONDITIONS} can be costed")
    excess = costs.numbers("excess_cost", 0.0, 100.0)[costs.keyed("condition", people.conditions)]

    demand = read_table(folder, "demand")
    response = demand.numbers("response", 0.0, 5.0)[demand.keyed("kind", KINDS)]
    targets = load_targets(folder)
    if "mean" not in targets:
        raise TableError(f"{folder / 'spending_targets.csv'}: there is no row for the quantity mean")
    return CareTables(
        mean_spending=targets["mean"][0],
        age_target=age_target(people, read_table(folder, "age_spending")),
        spending_share=share / share.sum(),
        condition_excess=excess,
        response=np.append(response, 0.0),  # a diagnosis does not depend on its price: an epidemic says its share
        season_days=_seasons(read_table(folder, "season")),
        targets=targets,
    )


def load_targets(folder: Path) -> dict[str, tuple[float, float]]:
    """Quantity -> (value, absolute tolerance) of what the world must reproduce."""
    table = read_table(folder, "spending_targets")
    values, tolerances = table.numbers("value"), table.numbers("tolerance", low=0.0)
    return {name: (float(value), float(tolerance))
            for name, value, tolerance in zip(table.text("quantity"), values, tolerances, strict=True)}


def age_target(people: PopulationTables, bands: Table) -> Floats:
    """Mean spending by single age relative to all, float64[ages].

    The rating curve gives the shape within a band; a factor that is linear in age between the bands' middles is found
    by iteration so that each band has its mean.
    """
    first, last = bands.bands()
    wanted = bands.numbers("relative_spending", low=1e-6)
    age = np.arange(MAX_AGE + 1.0)
    weight = people.age_share
    inside = [(age >= low) & (age <= high) for low, high in zip(first, last, strict=True)]
    inside = [where if weight[where].sum() > 0 else None for where in inside]
    factor = np.ones(wanted.size)
    middle = (first + last) / 2.0
    target = people.rating
    for _ in range(_PASSES):
        target = people.rating * np.interp(age, middle, factor)
        for band, where in enumerate(inside):
            if where is not None:
                factor[band] *= wanted[band] * weight[where].sum() / (target[where] * weight[where]).sum()
    result: Floats = target / (target * weight).sum()
    return result


def _seasons(table: Table) -> Floats:
    """Cumulative share of a year's episodes before each day, float64[services, YEAR_DAYS + 1]."""
    days = table.numbers("days", 1, 31)
    if days.sum() != YEAR_DAYS:
        raise table.fault(f"the months have {days.sum():g} days, not {YEAR_DAYS}")
    result = np.zeros((len(SERVICES), YEAR_DAYS + 1))
    for index, name in enumerate(SERVICES):
        daily = np.repeat(table.numbers(name, low=0.0), days.astype(int))
        if not daily.sum() > 0:
            raise table.fault(f"the season of {name} is zero in every month")
        result[index, 1:] = np.cumsum(daily) / daily.sum()
        result[index, -1] = 1.0
    return result
