"""Chronic onset: an ageing cohort stays on the prevalence table, and nobody recovers."""

from __future__ import annotations

import numpy as np
import pytest

from sim.kernel.columns import Columns
from sim.kernel.draws import Draws
from sim.scenario.sections.morbidity import MorbiditySection
from sim.scenario.sections.population import PopulationSection
from sim.world.morbidity import Morbidity
from sim.world.onset import onset_hazards
from sim.world.population import Population


def test_hazards_are_the_slope_over_those_still_free() -> None:
    hazards = onset_hazards(np.array([[0.1, 0.19, 0.19, 0.1]]))
    assert hazards[0] == pytest.approx([0.0, 0.1, 0.0, 0.0])


def test_ten_years_later_prevalence_is_that_of_the_later_ages() -> None:
    people, draws = Columns(30_000), Draws(11)
    population = Population(PopulationSection())
    population.build(people, draws)
    morbidity = Morbidity(MorbiditySection())
    morbidity.build(population, people, draws)
    age, before = people["age"].copy(), people["chronic"].copy()
    for year in range(1, 11):
        population.pass_year(people)
        morbidity.pass_year(year)
    assert (people["chronic"] & before == before).all()
    assert morbidity.onsets == int(np.bitwise_count(people["chronic"]).sum() - np.bitwise_count(before).sum())
    middle = (age >= 35) & (age <= 60)
    for name in ("hypertension", "diabetes", "arthritis", "cancer"):
        index = population.conditions.index(name)
        found = ((people["chronic"][middle] >> np.uint32(index)) & 1).mean()
        expected = population.tables.prevalence[index][people["age"][middle]].mean()
        assert found == pytest.approx(expected, abs=0.015), name
