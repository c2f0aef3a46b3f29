"""Perils: absent they leave no trace; arrivals are the same whatever insurers do; protection averts its share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.model import HealthMarket, run
from sim.scenario.load import load_scenario
from sim.scenario.sections.perils import Peril
from sim.world.perils import Event, pareto_size

TEXT = """
name: perils
question: What do events do to care?
stage: 3
horizon_days: 40
population: {{patients: 600}}
economy: {{}}
morbidity: {{}}
providers: {{}}
reference_price: {{}}
patients: {{}}
insurance: {{pools: 2, capital_regime: own_model, plan: {{annual_limit: 20000}}}}
insurers: {{}}
liquidity_providers: {{providers: 0}}
{more}
"""
OFTEN = "perils: {categories: [{name: a, per_year: 20.0, days: 9}, {name: b, channel: price, per_year: 20.0, days: 9}]}"


def scenario(folder: Path, more: str = "") -> Any:
    file = folder / "perils.yaml"
    file.write_text(TEXT.format(more=more), encoding="utf-8")
    return load_scenario(file)


def market(folder: Path, more: str) -> Any:
    return HealthMarket(scenario(folder, more), 3)


def test_sizes_follow_the_capped_pareto_law() -> None:
    peril = Peril(least_size=0.5, tail_index=1.5, largest_size=6.0)
    u = (np.arange(100_000) + 0.5) / 100_000
    sizes = np.array([pareto_size(peril, float(x)) for x in u])
    assert sizes.min() == pytest.approx(0.5, rel=1e-4)
    assert sizes.max() == 6.0
    assert (sizes > 1.0).mean() == pytest.approx(0.5**1.5, abs=1e-4)


def test_perils_that_never_happen_change_nothing(tmp_path: Path) -> None:
    none = run(scenario(tmp_path), seed=3).summary
    never = run(scenario(tmp_path, "perils: {categories: [{per_year: 0.0}]}"), seed=3).summary
    assert {name: value for name, value in never.items() if not name.startswith("perils.")} == none
    assert never["perils.events"] == 0


def test_events_do_not_depend_on_what_insurers_do(tmp_path: Path) -> None:
    alone, guarded = market(tmp_path, OFTEN), market(tmp_path, OFTEN + "\nrisk_models: {models_in_use: 2}")
    for _ in range(40):
        alone.step()
        guarded.step()
        assert alone.mechanism("perils").events == guarded.mechanism("perils").events
    assert len(alone.mechanism("perils").events) > 3
    alone.invariants.require(39)
    guarded.invariants.require(39)


def under_an_event(folder: Path, channel: str, share: float | None) -> tuple[int, int]:
    """(number, cost) of episodes of thirty days under an event of size 1, of which ``share`` is averted."""
    made = market(folder, f"perils: {{categories: [{{per_year: 0.0, channel: {channel}}}]}}")
    perils, morbidity = made.mechanism("perils"), made.mechanism("morbidity")
    if share is not None:
        perils.protection = lambda category, slots: np.full(slots.size, share)
        perils.under_way = [Event(0, 1.0, -1, 0, 39)]
        morbidity.set_multiplier("perils", perils.multiplier("intensity"))
    number = cost = 0
    for _ in range(30):
        made.step()
        number += len(morbidity.today)
        cost += int(morbidity.today.cost.sum())
    return number, cost


def test_an_event_doubles_care_while_it_lasts_and_protection_averts_its_share(tmp_path: Path) -> None:
    calm, cost = under_an_event(tmp_path, "price", None)
    assert under_an_event(tmp_path, "intensity", 0.0)[0] == pytest.approx(2 * calm, abs=5 * (2 * calm) ** 0.5)
    assert under_an_event(tmp_path, "intensity", 0.8)[0] == pytest.approx(1.2 * calm, abs=5 * (2 * calm) ** 0.5)
    assert under_an_event(tmp_path, "price", 0.0) == (calm, pytest.approx(2.0 * cost, rel=1e-6))
    assert under_an_event(tmp_path, "price", 0.8) == (calm, pytest.approx(1.2 * cost, rel=1e-6))


def test_a_regional_event_stays_in_its_region(tmp_path: Path) -> None:
    made = market(tmp_path, "perils: {categories: [{per_year: 0.0, kinds: [inpatient]}]}")
    perils = made.mechanism("perils")
    perils.under_way = [Event(0, 2.0, 1, 0, 9), Event(0, 1.0, -1, 0, 9)]
    table = perils.multiplier("intensity")
    assert table[1].tolist() == [1.0, 1.0, 6.0, 1.0, 1.0]
    assert table[0].tolist() == [1.0, 1.0, 2.0, 1.0, 1.0]
