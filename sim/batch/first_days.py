"""Compiles the kernels of scenarios once, before several workers would each do so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.batch.engine import local_pool

if TYPE_CHECKING:
    from sim.scenario.scenario import Scenario

DAYS = 35
"""Long enough for what happens once a month."""


def compile_for(scenarios: Sequence[Scenario]) -> None:
    """Run the first days of ``scenarios`` in one process of their own and forget them; the compiled code stays in the
    cache on disk. What goes wrong there is not told: the runs will meet it again and record it."""
    with local_pool(1) as pool:
        for scenario in scenarios:
            error = pool.submit(first_days, scenario).exception()
            if error is not None:
                return


def first_days(scenario: Scenario) -> None:
    """The first :data:`DAYS` days of a run."""
    from sim.model import HealthMarket

    market = HealthMarket(scenario, seed=scenario.seed)
    for _ in range(min(DAYS, scenario.horizon_days)):
        market.step()
