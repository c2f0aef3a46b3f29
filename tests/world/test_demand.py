"""Demand by price: the RAND curve and its elasticity."""

from __future__ import annotations

import numpy as np
import pytest

from sim.scenario.sections.morbidity import MorbiditySection
from sim.world.care_model import CareModel
from sim.world.care_tables import KINDS, Kind, load_care_tables
from sim.world.demand import Demand
from sim.world.frailty import PermanentFrailty
from sim.world.population_tables import load_population_tables
from sim.world.tables import locate_tables


@pytest.fixture(scope="module")
def demand() -> Demand:
    folder = locate_tables("us")
    people = load_population_tables(folder)
    return CareModel(MorbiditySection(), load_care_tables(folder, people), people, PermanentFrailty(1.0)).demand


def test_the_curve_meets_the_experiment(demand: Demand) -> None:
    assert float(demand.relative(0.0)) == 1.0
    assert float(demand.relative(0.25)) == pytest.approx(0.845, abs=0.001)
    assert float(demand.relative(0.95)) == pytest.approx(0.656, abs=0.001)


def test_the_arc_elasticity_is_minus_a_fifth(demand: Demand) -> None:
    q1, q2 = float(demand.relative(0.25)), float(demand.relative(0.95))
    elasticity = ((q2 - q1) / (q1 + q2)) / ((0.95 - 0.25) / (0.25 + 0.95))
    assert elasticity == pytest.approx(-0.21748, abs=0.01)


def test_hospital_stays_respond_less(demand: Demand) -> None:
    kinds = np.array(list(Kind))
    sought = demand.sought(kinds, 0.95)
    assert sought[Kind.OUTPATIENT] < sought[Kind.INPATIENT] < sought[Kind.INTENSIVE] < 1.0
    assert (demand.sought(kinds, 0.0) == 1.0).all()
    # Admissions in the experiment: 0.0976 at 95 % against 0.1280 free (truth HLTH-17).
    stays = 0.731 * sought[Kind.INPATIENT] + 0.269 * sought[Kind.INTENSIVE]
    assert stays == pytest.approx(0.0976 / 0.1280, abs=0.02)


def test_responses_have_mean_one_over_spending() -> None:
    folder = locate_tables("us")
    care = load_care_tables(folder, load_population_tables(folder))
    ambulatory, dental, prescription, hospital = care.spending_share
    weights = [ambulatory + dental, prescription, 0.525 * hospital, 0.475 * hospital]
    ordinary = care.response[:len(KINDS)]  # a diagnosis in an epidemic is no demand for care
    assert ordinary @ np.array(weights) == pytest.approx(1.0, abs=0.01)
