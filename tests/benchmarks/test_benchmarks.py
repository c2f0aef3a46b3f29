"""Small runs of the benchmarks: they work and compare like with like. Nothing here looks at a clock."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

from benchmarks import _plain_model, million, plain_mesa, startup
from benchmarks.__main__ import names
from sim.contracts.insurance.policy import Terms, apply_terms, terms_table
from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket

PEOPLE, DAYS = 400, 45


@pytest.fixture(scope="module")
def market() -> HealthMarket:
    """The columns' market after its first day."""
    result = plain_mesa.core_market(PEOPLE, DAYS + 1)
    result.step()
    return result


def money(model: _plain_model.PlainMarket) -> int:
    """All money of the plain model, in base units."""
    sectors = [model.firms, model.government, model.fees, *model.agents_by_type[_plain_model.Provider], *model.patients]
    return sum(sector.cash for sector in sectors) + sum(sum(pool.unearned) + sum(pool.layers) for pool in model.pools)


def test_each_module_has_a_main() -> None:
    for name in names():
        assert callable(importlib.import_module(f"benchmarks.{name}").main)
    assert {"plain_mesa", "million", "startup"} <= set(names())


def test_plain_model_starts_where_the_columns_stand(market: HealthMarket) -> None:
    model = _plain_model.PlainMarket(market, 1)
    people = market.people
    assert [patient.cash for patient in model.patients] == market.ledger.person_balances(market.usd).tolist()
    assert sum(patient.pool is not None for patient in model.patients) == int((people["pool"] >= 0).sum()) > PEOPLE // 4
    pools = market.mechanism("insurance").pools
    assert [sum(pool.layers) for pool in model.pools] == [pool.capital + pool.claim_reserves() for pool in pools]
    assert [sum(pool.unearned) for pool in model.pools] == [pool.cash(pool.accounts.unearned) for pool in pools]


@pytest.mark.parametrize("lean", [False, True])
def test_plain_model_keeps_its_money_to_the_unit(market: HealthMarket, lean: bool) -> None:
    model = _plain_model.PlainMarket(market, 3, lean)
    before = money(model)
    meter = plain_mesa.Meter(model, PEOPLE)
    meter.run(DAYS)
    assert money(model) == before
    assert model.care > 0
    assert all(pool.earned > 0 for pool in model.pools)
    assert plain_mesa.plain_figures(meter)[0] == pytest.approx(model.care / MICRO / PEOPLE * 365 / DAYS)


def test_both_forms_split_a_bill_alike(market: HealthMarket) -> None:
    model = _plain_model.PlainMarket(market, 1)
    patient = next(one for one in model.patients if one.pool is not None)
    pool = patient.pool
    assert pool is not None
    pool.deductible, pool.coinsurance, pool.maximum, pool.limit = 100, 2_000, 150, 1_000
    bills = [60, 143, 1_001, 1_000]
    met, own, used = (np.zeros(1, dtype=np.int64) for _ in range(3))
    terms = terms_table([[Terms("indemnity", 100, 2_000, 150, 1_000)]])
    columns, _ = apply_terms(np.zeros(4, dtype=np.int64), np.array(bills), np.zeros(4, dtype=np.int8), 1,
                             np.zeros(1, dtype=np.int16), np.zeros(1, dtype=np.int8), np.zeros(1, dtype=np.int32),
                             met, own, used, terms)
    assert [patient.split(bill, pool) for bill in bills] == columns.tolist() == [60, 61, 83, 1_000]


def test_columns_are_measured_over_the_days_that_pass(market: HealthMarket) -> None:
    sums, meter = plain_mesa.ColumnSums(market), plain_mesa.Meter(market, PEOPLE)
    before = int(market.people["spent_this_year"].sum())
    meter.run(5)
    care = int(market.people["spent_this_year"].sum()) - before
    assert market.day == meter.days == 5
    assert sums.figures(meter)[0] == pytest.approx(care / MICRO / PEOPLE * 365 / 5)


def test_different_work_is_refused() -> None:
    plain_mesa.require_same_work({"columns": (6_000.0, 0.9), "plain": (4_000.0, 0.7)})
    with pytest.raises(AssertionError, match="plain differs in loss ratio"):
        plain_mesa.require_same_work({"columns": (6_000.0, 0.9), "plain": (6_000.0, 0.3)})


def test_the_million_reports_every_phase_that_took_time() -> None:
    measured = million.measure(300, 3)
    text = million.report(300, 3, measured)
    assert all(words in text for words in ("300 patients, 3 days", "peak memory"))
    slowest = max(measured.result.hook_seconds, key=lambda name: measured.result.hook_seconds[name])
    assert slowest in text


def test_startup_measures_each_command() -> None:
    commands = {"one": ["-c", "pass"], "other": ["-c", "import sys"]}
    best = startup.seconds(commands, 1)
    assert best.keys() == commands.keys()
    assert all(math.isfinite(spent) for spent in best.values())
