"""Transmission: nobody is lost, nothing without a first case, regions, waning, permanent keys, the binomial day."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernel.columns import FOUNDING_DAY, person_keys
from sim.kernel.draws import Draws
from sim.scenario.sections.epidemic import Intervention, InterventionShock
from sim.world.epidemic.interventions import Interventions
from sim.world.epidemic.laboratory import run_epidemic
from sim.world.epidemic.transmission import Law, State, Transmission, uniform_mixing

LAW = Law(3.0, 3.0, 4.0)


def build(sizes: list[int], law: Law = LAW, seed: int = 1, mobility: float = 0.1) -> Transmission:
    region = np.repeat(np.arange(len(sizes)), sizes).astype(np.int16)
    return Transmission(law, person_keys(FOUNDING_DAY, region.size), region, uniform_mixing(np.array(sizes), mobility),
                        Draws(seed))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 80), min_size=1, max_size=4), st.floats(0.0, 12.0), st.floats(0.0, 1.0),
       st.sampled_from([0.0, 5.0, 40.0]), st.integers(0, 50), st.integers(0, 10_000))
def test_everybody_is_in_one_state_on_every_day(
    sizes: list[int], number: float, mobility: float, immunity: float, cases: int, seed: int
) -> None:
    transmission = build(sizes, Law(number, 2.0, 3.0, immunity), seed, mobility)
    started = transmission.seed(0, cases)
    assert started.size == min(cases, sum(sizes))
    infected = 0
    for day in range(60):
        changes = transmission.advance(day)
        infected += changes.exposed.size
        counted = np.zeros_like(transmission.counts)
        np.add.at(counted, (transmission.region, transmission.state), 1)
        assert np.array_equal(counted, transmission.counts)
        assert np.array_equal(transmission.counts.sum(axis=1), np.array(sizes))
        assert (transmission.change[transmission.state != State.SUSCEPTIBLE] > day).all()
    assert int(transmission.infections.sum()) == infected + started.size


def test_nothing_happens_without_a_first_case() -> None:
    transmission = build([500, 300])
    for day in range(30):
        assert all(part.size == 0 for part in (transmission.advance(day).exposed, transmission.advance(day).recovered))
    assert transmission.counts[:, State.SUSCEPTIBLE].sum() == 800
    assert math.isnan(transmission.reproduction_number)


def test_without_mobility_other_regions_stay_healthy_and_with_it_they_do_not() -> None:
    sizes = np.array([2000, 2000])
    isolated = run_epidemic(LAW, sizes, 20, 3, 300).counts[-1]
    assert isolated[0, State.SUSCEPTIBLE] < 500
    assert isolated[1, State.SUSCEPTIBLE] == 2000
    connected = run_epidemic(LAW, sizes, 20, 3, 300, mobility=0.1).counts[-1]
    assert connected[1, State.SUSCEPTIBLE] < 500


def test_fewer_contacts_infect_a_subset_of_the_same_persons() -> None:
    free, held = build([3000], seed=9), build([3000], seed=9)
    for transmission, level in ((free, 1.0), (held, 0.5)):
        transmission.seed(0, 10)
        for day in range(250):
            transmission.advance(day, np.array([level]))
    infected = [set(np.flatnonzero(one.state != State.SUSCEPTIBLE)) for one in (free, held)]
    assert infected[1] < infected[0]
    assert 200 < len(infected[1]) < 0.8 * len(infected[0])


def test_who_is_infected_follows_from_the_key_and_not_from_the_slot() -> None:
    keys = person_keys(FOUNDING_DAY, 1500)
    region = np.zeros(1500, dtype=np.int16)
    order = np.random.default_rng(4).permutation(1500)
    found = []
    for these in (np.arange(1500), order):
        transmission = Transmission(LAW, keys[these], region, np.ones((1, 1)), Draws(2))
        transmission.seed(0, 12)
        when = {}
        for day in range(80):
            when.update({int(key): day for key in keys[these][transmission.advance(day).exposed]})
        found.append(when)
    assert found[0] == found[1]
    assert len(found[0]) > 1000


def test_a_days_infections_are_binomial() -> None:
    size, cases, runs = 400, 40, 600
    counts = np.empty(runs)
    for run in range(runs):
        transmission = build([size], seed=run)
        transmission.seed(0, cases)
        counts[run] = transmission.advance(0).exposed.size
    chance = -math.expm1(-LAW.beta * cases / size)
    mean, variance = (size - cases) * chance, (size - cases) * chance * (1.0 - chance)
    assert abs(counts.mean() - mean) < 4.0 * math.sqrt(variance / runs)
    assert abs(counts.var(ddof=1) / variance - 1.0) < 4.0 * math.sqrt(2.0 / runs)


def test_periods_have_the_means_of_the_scheme() -> None:
    transmission = build([40_000], Law(0.0, 5.2, 5.0))
    slots = transmission.seed(0, 40_000)
    days = transmission.change[slots] + 1  # days on which they exert force
    mean = 1.0 / -math.expm1(-1.0 / 5.0)
    assert abs(days.mean() - mean) < 4.0 * days.std() / 200.0
    assert transmission.law.mean_infectious_days == pytest.approx(mean)
    assert transmission.law.beta == 0.0


def test_immunity_wanes_and_the_same_person_can_be_infected_again() -> None:
    for immunity in (0.0, 20.0):
        transmission = build([3000], Law(3.0, 3.0, 4.0, immunity))
        transmission.seed(0, 30)
        returned = sum(transmission.advance(day).susceptible.size for day in range(200))
        assert (returned > 0) == (immunity > 0)
        assert (int(transmission.infections.sum()) > 3000) == (immunity > 0)


def test_mixing_rows_sum_to_one_and_mean_contacts_leave_r0_alone() -> None:
    sizes = np.array([100, 250, 400, 17])
    mixing = uniform_mixing(sizes, 0.3)
    assert mixing.sum(axis=1) == pytest.approx(1.0)
    assert np.diag(mixing) == pytest.approx(0.7)
    # next generation: infections in row caused by a case of column, per unit of R0
    generation = sizes[:, None] * mixing / sizes[None, :]
    assert max(abs(np.linalg.eigvals(generation))) == pytest.approx(1.0)
    assert np.array_equal(uniform_mixing(np.array([5]), 0.3), np.ones((1, 1)))


def test_interventions_come_and_go_by_diagnoses_of_their_own_region() -> None:
    rule = Intervention(trigger_weekly_cases=50.0, release_weekly_cases=20.0, least_days=5, delay_days=2,
                        contact_reduction=0.6, fatigue_half_life_days=10.0)
    measures = Interventions([rule], 2, 40.0)
    seen = []
    for day, weekly in enumerate([10, 60, 60, 60, 10, 10, 10, 10, 10, 80, 80, 80]):
        measures.update(day, np.array([weekly, 0.0]))
        seen.append(measures.contacts[0])
        assert measures.contacts[1] == 1.0
    assert seen[:3] == [1.0, 1.0, 1.0]  # triggered on day 1, in force two days later
    assert seen[3] == pytest.approx(0.4)
    assert seen[4] == pytest.approx(1.0 - 0.6 * 0.5**0.1)
    assert seen[8] == 1.0  # after five days, weekly diagnoses being below the release
    assert seen[11] == pytest.approx(0.4)  # it comes again
    assert measures.days == 6


def test_an_imposed_measure_holds_for_its_days_and_travel_stays_at_home() -> None:
    measures = Interventions([], 3, 40.0)
    measures.impose(InterventionShock(regions=[1], travel_reduction=1.0, contact_reduction=0.2, days=4), 10, 4)
    normal = uniform_mixing(np.array([10, 10, 10]), 0.2)
    for day in range(10, 16):
        measures.update(day, np.zeros(3))
        expected = 0.8 if day < 14 else 1.0
        assert measures.contacts.tolist() == [1.0, pytest.approx(expected), 1.0]
        mixing = measures.mixing(normal)
        assert mixing.sum(axis=1) == pytest.approx(1.0)
        assert (mixing[1, 0] == 0.0 and mixing[0, 1] == 0.0) == (day < 14)
    with pytest.raises(ValueError, match="no region 7"):
        measures.impose(InterventionShock(regions=[7], days=1), 0, 1)
