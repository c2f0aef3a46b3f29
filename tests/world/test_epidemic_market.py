"""The epidemic in a market: pairing, what it brings to care, cover and pay, and care that is put off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.kernel.columns import FOUNDING_DAY, person_keys
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.load import load_scenario
from sim.scenario.sections.epidemic import AgeBand, Deferral, EpidemicSection, EpidemicSeed, Intervention
from sim.world.care_process import Episodes
from sim.world.care_tables import Kind
from sim.world.epidemic.deferral import DeferredCare
from sim.world.epidemic.illness import Illness
from sim.world.epidemic.transmission import State

MARKET = """
name: small
question: A small market for tests.
horizon_days: 80
population: {patients: 600}
economy: {}
morbidity: {}
providers: {}
reference_price: {}
patients: {}
insurance: {pools: 1}
insurers: {}
liquidity_providers: {providers: 12}
claims: {mode: automatic}
"""
EPIDEMIC = "epidemic: {reproduction_number: 4}\n"
SEED = "shocks: [{day: 5, kind: epidemic_seed, region: 1, cases: 10}]\n"
HARMLESS = [("epidemic.diagnosed_share", "0"), ("epidemic.severity", "0")]


def market(folder: Path, text: str, *sets: tuple[str, str], days: int = 80, seed: int = 2) -> HealthMarket:
    file = folder / "small.yaml"
    file.write_text(text, encoding="utf-8")
    found = HealthMarket(load_scenario(file, list(sets)), seed=seed)
    for _ in range(days):
        found.step()
    found.invariants.require(found.day)
    return found


def others(market: HealthMarket) -> dict[str, Any]:
    """Every daily series that is not the epidemic's own, and every column of people but its two."""
    series = {name: row for name, row in market.record.daily.items() if not name.startswith("epidemic.")}
    columns = {name: market.people[name] for name in market.people.names if not name.startswith("infection")}
    return series | columns


def assert_equal(one: dict[str, Any], two: dict[str, Any]) -> None:
    assert one.keys() == two.keys()
    for name, values in one.items():
        assert np.array_equal(values, two[name], equal_nan=values.dtype.kind == "f"), name


def test_an_epidemic_without_cases_or_without_consequences_changes_nothing_else(tmp_path: Path) -> None:
    without = market(tmp_path, MARKET)
    assert "infection" not in without.people
    assert not any(name.startswith("epidemic.") for name in without.record.daily)
    assert_equal(others(without), others(market(tmp_path, MARKET + EPIDEMIC)))
    harmless = market(tmp_path, MARKET + EPIDEMIC + SEED, *HARMLESS)
    assert harmless.mechanism("epidemic").transmission.infections.sum() > 100
    assert_equal(others(without), others(harmless))


def test_without_transmission_only_the_first_cases_fall_ill(tmp_path: Path) -> None:
    found = market(tmp_path, MARKET + EPIDEMIC + SEED, ("epidemic.reproduction_number", "0"))
    epidemic = found.mechanism("epidemic")
    assert epidemic.transmission.infections.tolist() == [0, 10, 0, 0]
    assert (found.people["infection"] == State.RECOVERED).sum() == 10
    assert 0 < epidemic.report.diagnosed <= 10


def test_ordinary_illness_is_the_same_everywhere(tmp_path: Path) -> None:
    off = [("epidemic.deferral." + kind, "0") for kind in ("outpatient", "prescription", "inpatient", "intensive")]
    text = MARKET + EPIDEMIC
    well, ill = market(tmp_path, text, days=0), market(tmp_path, text + SEED, *off, days=0)
    infections = 0
    for _ in range(60):
        well.step()
        ill.step()
        today = ill.mechanism("morbidity").today
        ordinary = today.take(today.serial < 1 << 40)
        infections += len(today) - len(ordinary)
        for name in ("slot", "key", "kind", "cost", "serial"):
            assert np.array_equal(getattr(ordinary, name), getattr(well.mechanism("morbidity").today, name)), name
    assert infections > 50


def test_a_lump_sum_is_paid_once_for_each_insured_diagnosis(tmp_path: Path) -> None:
    plan = [("insurance.plan", "{form: lump_sum, benefit: 500, annual_limit: 500, triggers: [infection]}"),
            ("insurance.capital_regime", "nexus_cover"), ("insurers.benefits_per_year", "0.5"),
            ("epidemic.reproduction_number", "1.5")]
    found = market(tmp_path, MARKET + EPIDEMIC + SEED, *plan)
    epidemic, pool = found.mechanism("epidemic"), found.mechanism("insurance").pools[0]
    assert pool.defaulted_on is None
    assert epidemic.report.insured_diagnosed > 5
    assert pool.totals.approved + pool.reserves.outstanding == epidemic.report.insured_diagnosed * 500 * MICRO
    none = market(tmp_path, MARKET + EPIDEMIC, *plan)
    assert none.mechanism("insurance").pools[0].totals.approved == 0


def test_pay_for_lost_days_is_withheld_to_the_unit(tmp_path: Path) -> None:
    lockdown = ("epidemic.interventions", "[{start_day: 10, most_days: 20, job_loss_share: 0.3}]")
    without = market(tmp_path, MARKET, days=75)
    found = market(tmp_path, MARKET + EPIDEMIC, ("epidemic.deferral.outpatient", "0"), lockdown, days=75)
    epidemic, economy = found.mechanism("epidemic"), found.mechanism("economy")
    lost = epidemic.report.lost_income
    hit = economy.withheld > 0
    assert lost > 0
    assert hit.sum() == 0  # the last payday of everybody has come since

    def paid(one: HealthMarket) -> int:
        return sum(amount for _, kind, _, _, _, amount in one.record.flows if kind == "wage")

    assert paid(without) - paid(found) == lost
    working = found.people["employed"] & economy.paid_by_firms
    expected = 20 * 0.3 * (found.people["income"][working] // 365).sum()
    assert lost == pytest.approx(expected, rel=0.25)


def test_a_lockdown_puts_care_off_and_half_of_it_returns(tmp_path: Path) -> None:
    lockdown = ("epidemic.interventions", "[{start_day: 10, most_days: 15}]")
    quick = ("epidemic.deferral.return_days", "10")
    without = market(tmp_path, MARKET)
    found = market(tmp_path, MARKET + EPIDEMIC, lockdown, quick)
    care = found.mechanism("epidemic").deferred
    assert care.balance() is None
    assert care.deferred_episodes > 50
    assert care.lost_episodes / care.deferred_episodes == pytest.approx(0.5, abs=0.2)
    assert care.pending_episodes < 0.05 * care.deferred_episodes
    calm, held = (one.record.daily["morbidity.episodes"] for one in (without, found))
    assert held[:10].tolist() == calm[:10].tolist()
    assert held[10:25].sum() < 0.75 * calm[10:25].sum()
    assert (held[25:] >= calm[25:]).all()  # nothing is put off any more, and what was returns
    assert held[25:].sum() > calm[25:].sum()
    assert calm.sum() - held.sum() == care.lost_episodes + care.pending_episodes


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.floats(0.0, 1.0), st.floats(1.0, 20.0), st.lists(st.floats(0.0, 1.0), min_size=5,
                                                                           max_size=40), st.integers(0, 99))
def test_deferred_care_balances(count: int, lost: float, days: float, levels: list[float], seed: int) -> None:
    care = DeferredCare(Deferral(outpatient=0.7, inpatient=0.5, lost_share=lost, return_days=days), Draws(seed))
    keys = person_keys(FOUNDING_DAY, count)
    region = (np.arange(count) % 2).astype(np.int16)
    sought = planned = 0
    for day, level in enumerate(levels):
        slots = np.arange(count, dtype=np.int64)
        today = Episodes(slots, keys, (slots % 4).astype(np.int8), 1 + slots * 7, day * 64 + slots)
        both = np.array([level, 0.0])
        keep = care.put_off(day, today, region, both)
        assert keep[region == 1].all()
        planned += len(today)
        sought += int(keep.sum()) + len(care.due(day, region, both))
        assert care.balance() is None
        assert sought + care.lost_episodes + care.pending_episodes == planned


def test_what_returns_is_what_the_person_put_off() -> None:
    care = DeferredCare(Deferral(outpatient=1.0, lost_share=0.0, return_days=3.0), Draws(1))
    keys = person_keys(FOUNDING_DAY, 50)
    slots = np.arange(50, dtype=np.int64)
    today = Episodes(slots, keys, np.zeros(50, dtype=np.int8), 1 + slots, slots * 3)
    region = np.zeros(50, dtype=np.int16)
    assert not care.put_off(0, today, region, np.ones(1)).any()
    assert len(care.due(1, region, np.ones(1))) == 0  # the wave goes on: put off again
    back = Episodes.join([care.due(day, region, np.zeros(1)) for day in range(2, 80)])
    order = np.argsort(back.slot)
    for name in ("slot", "key", "kind", "cost", "serial"):
        assert np.array_equal(getattr(back, name)[order], getattr(today, name)), name


def test_fear_follows_diagnoses_and_an_intervention_outweighs_it() -> None:
    care = DeferredCare(Deferral(fear_weekly_cases=100.0), Draws(1))
    assert care.level(np.array([0.0, 100.0, 300.0]), np.zeros(3)).tolist() == [0.0, 0.5, 0.75]
    assert care.level(np.array([100.0]), np.array([0.9])).tolist() == [0.9]
    bold = DeferredCare(Deferral(fear_weekly_cases=0.0), Draws(1))
    assert bold.level(np.array([1e5]), np.zeros(1)).tolist() == [0.0]


def test_severity_is_nested_and_follows_age() -> None:
    count = 40_000
    section = EpidemicSection(diagnosed_share=0.3, ages=[
        AgeBand(from_age=0), AgeBand(from_age=50, hospitalised=0.5, intensive=0.25, relative_diagnosis=0.5)])
    age = np.where(np.arange(count) < count // 2, 20, 70).astype(np.int16)
    illness = Illness(section, person_keys(FOUNDING_DAY, count), age, Draws(3))
    illness.begin(0, np.arange(count))
    diagnosed = illness.diagnosed_on(section.diagnosis_delay_days)
    tests = illness.today(section.diagnosis_delay_days, diagnosed)
    stays = illness.today(section.stay_delay_days, np.zeros(0, dtype=np.int64))
    young = age[diagnosed] == 20
    assert abs(young.sum() / (count / 2) - 0.3) < 0.015
    assert set(stays.episodes.slot) == set(diagnosed[~young])  # who needs a hospital is diagnosed, and no other old one
    assert abs(len(stays.episodes) / (count / 2) - 0.5) < 0.015
    assert abs((stays.episodes.kind == Kind.INTENSIVE).mean() - 0.25) < 0.02
    assert (tests.episodes.kind == Kind.INFECTION).all()
    assert tests.episodes.cost.mean() / MICRO == pytest.approx(section.diagnosis_cost, rel=0.1)
    ward = stays.episodes.cost[stays.episodes.kind == Kind.INPATIENT]
    assert ward.mean() / MICRO == pytest.approx(section.ward_cost, rel=0.1)
    assert set(stays.days) == {section.work_days_lost_stay}
    both = np.concatenate([tests.episodes.serial, stays.episodes.serial])
    assert np.unique(both).size == 2  # one day's tests, one day's stays: no person has a number twice


@pytest.mark.parametrize(("model", "arguments"), [
    (Intervention, {}), (Intervention, {"start_day": 3, "trigger_weekly_cases": 5.0}), (EpidemicSeed, {"region": 1}),
    (EpidemicSection, {"ages": [AgeBand(from_age=5)]}),
    (EpidemicSection, {"ages": [AgeBand(from_age=0), AgeBand(from_age=40), AgeBand(from_age=20)]}),
    (EpidemicSection, {"mixing": [[0.5, 0.4], [0.5, 0.5]]}), (EpidemicSection, {"mixing": [[1.0], [1.0]]}),
])
def test_contradictions_are_refused(model: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**arguments)


def test_faults_that_only_the_world_shows_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 rows for 4 regions"):
        market(tmp_path, MARKET + EPIDEMIC, ("epidemic.mixing", "[[1.0]]"), days=0)
    with pytest.raises(ValueError, match="no region 9"):
        market(tmp_path, MARKET + EPIDEMIC + SEED.replace("region: 1", "region: 9"))
