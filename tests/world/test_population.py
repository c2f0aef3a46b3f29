"""Who there is: the tables' shares and means, and pairing by key."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sim.kernel.columns import Columns
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.scenario.sections.population import PopulationSection
from sim.world.population import Population
from sim.world.tables import locate_tables

N = 20_000
COLUMNS = ("age", "region", "female", "income", "chronic", "frailty", "risk_aversion", "privacy_cost", "home_chain",
           "public_cover", "employed")


def build(n: int = N, seed: int = 1, **section: object) -> tuple[Population, Columns]:
    people = Columns(n)
    population = Population(PopulationSection(**section))
    population.build(people, Draws(seed))
    return population, people


@pytest.fixture(scope="module")
def world() -> tuple[Population, Columns]:
    return build()


def test_ages_and_regions_follow_the_tables(world: tuple[Population, Columns]) -> None:
    population, people = world
    for low, high in ((0, 17), (18, 64), (65, 94)):
        share = population.tables.age_share[low:high + 1].sum()
        found = ((people["age"] >= low) & (people["age"] <= high)).mean()
        assert found == pytest.approx(share, abs=4.0 * np.sqrt(share * (1 - share) / N))
    found = np.bincount(people["region"]) / N
    assert found == pytest.approx(population.tables.region_share, abs=0.015)


def test_income_per_person_matches_the_census(world: tuple[Population, Columns]) -> None:
    # Money income per person in 2018 was 36,080 dollars (Census P60-266): not an input of the model.
    assert world[1]["income"].mean() / MICRO == pytest.approx(36_080, rel=0.05)


def test_public_cover_is_for_the_old_and_the_poor(world: tuple[Population, Columns]) -> None:
    people = world[1]
    assert people["public_cover"][people["age"] >= 65].all()
    young = people["age"] < 65
    assert 0.15 < people["public_cover"][young].mean() < 0.25
    covered = people["income"][young & people["public_cover"]]
    assert covered.max() < np.median(people["income"][young])


def test_risk_aversion_is_two_over_income_within_bounds(world: tuple[Population, Columns]) -> None:
    people = world[1]
    expected = np.clip(2.0 / (people["income"] / MICRO), 1e-5, 4e-4)
    assert people["risk_aversion"] == pytest.approx(expected)
    assert people["risk_aversion"].min() == 1e-5
    assert people["risk_aversion"].max() == 4e-4


def test_conditions_follow_age(world: tuple[Population, Columns]) -> None:
    population, people = world
    for index, name in enumerate(population.conditions):
        has = ((people["chronic"] >> np.uint32(index)) & 1) == 1
        expected = population.tables.prevalence[index][people["age"]].mean()
        assert has.mean() == pytest.approx(expected, abs=4.0 * np.sqrt(expected / N)), name
    assert people["frailty"].mean() == pytest.approx(1.0, abs=0.05)


def test_one_more_person_changes_nobody_else() -> None:
    few, many = build(500)[1], build(501)[1]
    for name in COLUMNS:
        assert np.array_equal(few[name], many[name][:500]), name
    assert np.array_equal(build(500)[0].initial_wealth, build(501)[0].initial_wealth[:500])


def test_seeds_differ_and_repeat() -> None:
    assert np.array_equal(build(200)[1]["income"], build(200)[1]["income"])
    assert not np.array_equal(build(200)[1]["income"], build(200, seed=2)[1]["income"])


def test_a_year_passes() -> None:
    population, people = build(5_000)
    age = people["age"].copy()
    worked, covered = people["employed"].copy(), people["public_cover"].copy()
    population.pass_year(people)
    assert np.array_equal(people["age"], np.minimum(age + 1, 94))
    assert people["public_cover"][people["age"] >= 65].all()
    assert (people["public_cover"] >= covered).all()
    older = age >= 55
    assert (people["employed"][older] <= worked[older]).all()


def test_own_tables_are_found_beside_the_scenario_and_read(tmp_path: Path) -> None:
    shutil.copytree(locate_tables("us"), tmp_path / "two_lands")
    (tmp_path / "two_lands" / "regions.csv").write_text("region,share\nnorth,3\nsouth,1\n", encoding="utf-8")
    people = Columns(4_000)
    market = SimpleNamespace(scenario=SimpleNamespace(file=str(tmp_path / "mine.yaml")), people=people, draws=Draws(1))
    population = Population(PopulationSection(tables="two_lands"))
    population.setup(market)  # type: ignore[arg-type]
    assert population.regions == ("north", "south")
    assert (people["region"] == 0).mean() == pytest.approx(0.75, abs=0.03)
