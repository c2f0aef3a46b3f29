"""The distribution of a year's cost relative to a person's own mean, in a few nodes.

A patient who weighs plans needs the spread of the year's cost, not only its mean. It is taken once from a reference
population of fixed seed (so it is a property of the model, not of a run): persons are ranked by cost over own expected
cost, and each quantile class is represented by its mean. The tail has classes of its own, since that is what insurance
is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.kernel.columns import Columns
from sim.kernel.draws import Draws
from sim.world.care_process import CareProcess
from sim.world.care_tables import YEAR_DAYS
from sim.world.tables import Floats

if TYPE_CHECKING:
    from sim.world.care_model import CareModel
    from sim.world.population import Population

REFERENCE_PERSONS = 20_000
REFERENCE_SEED = 0
NODE_WEIGHTS = np.array([0.2, 0.2, 0.2, 0.2, 0.1, 0.06, 0.03, 0.01])


def cost_nodes(model: CareModel, population: Population) -> tuple[Floats, Floats]:
    """(multipliers, weights), float64[K] each: increasing multipliers whose weighted mean is 1."""
    people = Columns(REFERENCE_PERSONS)
    draws = Draws(REFERENCE_SEED)
    reference = type(population)(population.section)
    reference.build(people, draws, tables=(population.tables_folder, population.tables))
    process = CareProcess(model, draws)
    process.start_year(0, people["key"], people["age"], people["chronic"], people["frailty"])
    found = process.episodes(0, YEAR_DAYS)
    spent = np.bincount(found.slot, weights=found.cost, minlength=REFERENCE_PERSONS) / 1e6
    expected = model.expected_cost(model.log_health(people["age"], people["chronic"]), people["frailty"])
    ratio = np.sort(spent / expected)
    edges = np.rint(np.cumsum(NODE_WEIGHTS) * REFERENCE_PERSONS).astype(np.int64)
    nodes = np.array([part.mean() for part in np.split(ratio, edges[:-1])])
    return nodes / (nodes @ NODE_WEIGHTS), NODE_WEIGHTS.copy()
