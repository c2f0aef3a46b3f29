"""Care episodes: pairing by key, agreement with the expected cost, and intensities that can be raised or lowered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.kernel.columns import Columns
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.scenario.sections.morbidity import MorbiditySection
from sim.scenario.sections.population import PopulationSection
from sim.world.care_process import CareProcess, Episodes
from sim.world.care_tables import Kind
from sim.world.morbidity import Morbidity
from sim.world.population import Population


def build(n: int, seed: int = 3, **section: Any) -> tuple[Morbidity, Columns]:
    people, draws = Columns(n), Draws(seed)
    population = Population(PopulationSection())
    population.build(people, draws)
    morbidity = Morbidity(MorbiditySection(**section))
    morbidity.build(population, people, draws)
    return morbidity, people


def days_of(morbidity: Morbidity, first: int, last: int) -> Episodes:
    """Run the mechanism's hook over these days and put the episodes together."""
    found = []
    for day in range(first, last):
        morbidity.onset(SimpleNamespace(day=day))  # type: ignore[arg-type]
        found.append(morbidity.today)
    return Episodes.join(found)


def same(a: Episodes, b: Episodes) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("slot", "key", "kind", "cost", "serial"))


def test_one_more_person_leaves_the_others_episodes() -> None:
    few, _ = build(300)
    many, _ = build(340)
    for day in range(0, 365, 30):
        few.onset(SimpleNamespace(day=0))  # type: ignore[arg-type]
        many.onset(SimpleNamespace(day=0))  # type: ignore[arg-type]
        a, b = few.process.episodes(day, day + 1), many.process.episodes(day, day + 1)
        assert same(a, b.take(b.slot < 300))


def test_episodes_belong_to_the_key_whatever_the_slot() -> None:
    morbidity, people = build(300)
    morbidity.pass_year(0)
    everybody = morbidity.process.episodes(0, 365)
    other = CareProcess(morbidity.model, Draws(3))
    backwards = np.arange(300)[::-1][::2]
    other.start_year(0, *(people[name][backwards] for name in ("key", "age", "chronic", "frailty")))
    some = other.episodes(0, 365)
    assert len(some) > 300
    by_key = {(key, serial): (kind, cost) for key, serial, kind, cost in
              zip(everybody.key.tolist(), everybody.serial.tolist(), everybody.kind.tolist(), everybody.cost.tolist(),
                  strict=True)}
    for key, serial, kind, cost in zip(some.key.tolist(), some.serial.tolist(), some.kind.tolist(), some.cost.tolist(),
                                       strict=True):
        assert by_key[key, serial] == (kind, cost)


def test_days_and_whole_years_agree() -> None:
    morbidity, _ = build(200)
    by_day = days_of(morbidity, 0, 365)
    assert len(by_day) > 500
    assert same(by_day, morbidity.process.episodes(0, 365))


def test_serials_are_unique_for_a_person() -> None:
    morbidity, _ = build(400)
    found = Episodes.join([days_of(morbidity, 0, 365), days_of(morbidity, 365, 730)])
    assert np.unique(np.stack([found.slot, found.serial]), axis=1).shape[1] == len(found)


def test_costs_are_positive_and_bounded() -> None:
    morbidity, _ = build(2_000, largest_episode=5_000.0)
    found = days_of(morbidity, 0, 365)
    assert found.cost.min() > 0
    assert found.cost.max() == 5_000 * MICRO
    assert set(np.unique(found.kind)) <= {int(kind) for kind in Kind}
    checks = dict(morbidity.invariants())
    assert checks["episodes_are_real"]() is None


def test_expected_cost_is_the_mean_of_what_happens() -> None:
    n = 40_000
    morbidity, people = build(n, seed=5)
    slots = np.arange(n)
    expected = morbidity.expected_annual_cost(slots)
    morbidity.pass_year(0)
    found = morbidity.process.episodes(0, 365)
    spent = np.bincount(found.slot, found.cost / MICRO, n)
    for group in (slots >= 0, people["age"] >= 65, people["chronic"] == 0, people["frailty"] > 2.0):
        error = spent[group].std() / np.sqrt(group.sum())
        assert abs(spent[group].mean() - expected[group].mean()) < 4.0 * error
    assert np.corrcoef(np.log(expected), np.log1p(spent))[0, 1] > 0.4


def test_expected_cost_follows_the_age_profile_of_the_tables() -> None:
    morbidity, people = build(60_000)
    expected = morbidity.expected_annual_cost(np.arange(people.size))
    target = morbidity.model.care.age_target
    for low, high in ((0, 18), (19, 34), (35, 54), (55, 64), (65, 94)):
        ages = (people["age"] >= low) & (people["age"] <= high)
        found = expected[ages].mean() / expected.mean()
        assert found == pytest.approx(target[people["age"][ages]].mean(), rel=0.06)


def test_multiplier_of_one_leaves_every_draw() -> None:
    plain, _ = build(500)
    touched, _ = build(500)
    touched.intensity_multiplier[:] = 1.0
    assert same(days_of(plain, 0, 60), days_of(touched, 0, 60))


def test_intensities_scale_the_number_of_episodes_by_region_and_kind() -> None:
    plain, people = build(6_000)
    varied, _ = build(6_000)
    varied.intensity_multiplier[0, Kind.OUTPATIENT] = 0.5
    varied.intensity_multiplier[1, Kind.OUTPATIENT] = 2.5
    before, after = days_of(plain, 0, 120), days_of(varied, 0, 120)
    for region, factor in ((0, 0.5), (1, 2.5), (2, 1.0)):
        for kind in (Kind.OUTPATIENT, Kind.PRESCRIPTION):
            base = int(((people["region"][before.slot] == region) & (before.kind == kind)).sum())
            now = int(((people["region"][after.slot] == region) & (after.kind == kind)).sum())
            wanted = factor if kind == Kind.OUTPATIENT else 1.0
            assert now / base == pytest.approx(wanted, rel=4.0 / np.sqrt(base * min(factor, 1.0))), (region, kind)
    untouched = people["region"][before.slot] >= 2
    still = people["region"][after.slot] >= 2
    assert same(before.take(untouched), after.take(still))


def test_a_lowered_intensity_only_removes() -> None:
    plain, _ = build(500)
    lowered, _ = build(500)
    lowered.intensity_multiplier[:] = 0.7
    before = set(days_of(plain, 0, 60).serial.tolist())
    assert set(days_of(lowered, 0, 60).serial.tolist()) < before


def test_an_intensity_outside_its_range_is_refused() -> None:
    morbidity, _ = build(10)
    morbidity.intensity_multiplier[0, 0] = 17.0
    with pytest.raises(ValueError, match="between 0 and 16"):
        days_of(morbidity, 0, 1)


def test_relief_lowers_the_cost_of_those_who_have_the_condition() -> None:
    morbidity, people = build(5_000)
    slots = np.arange(people.size)
    before = morbidity.expected_annual_cost(slots)
    morbidity.relieve("diabetes", 0.5)
    after = morbidity.expected_annual_cost(slots)
    has = (people["chronic"] >> np.uint32(morbidity.population.conditions.index("diabetes"))) & 1 == 1
    assert (after[has] < before[has]).all()
    assert np.array_equal(after[~has], before[~has])
    with pytest.raises(ValueError, match="no condition 'gout'"):
        morbidity.relieve("gout", 0.5)


def test_cost_nodes_are_a_distribution_with_mean_one() -> None:
    morbidity, _ = build(10)
    nodes, weights = morbidity.cost_nodes()
    assert weights.sum() == pytest.approx(1.0)
    assert nodes @ weights == pytest.approx(1.0)
    assert (np.diff(nodes) > 0).all()
    assert nodes[-1] > 10.0
    other, _ = build(20, seed=99)
    assert np.array_equal(other.cost_nodes()[0], nodes)


def test_care_is_seasonal() -> None:
    morbidity, _ = build(30_000)
    morbidity.pass_year(0)
    season = morbidity.model.care.season_days[0]
    winter, summer = (0, 59), (181, 243)
    found = [len(morbidity.process.episodes(*days)) / (days[1] - days[0]) for days in (winter, summer)]
    expected = [(season[days[1]] - season[days[0]]) / (days[1] - days[0]) for days in (winter, summer)]
    assert found[0] / found[1] == pytest.approx(expected[0] / expected[1], rel=0.04)
