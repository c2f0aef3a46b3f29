"""Batches and checks, with a stand-in for the model."""

from __future__ import annotations

import dataclasses
import random
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from sim.batch.check import check, needed_variants, run_batch
from sim.batch.engine import WorkerLost
from sim.batch.plan import run_seed
from sim.scenario.expectations import Expectation
from sim.scenario.scenario import Scenario

SEEN: list[tuple[str, int]] = []


def scenario(expect: list[dict[str, Any]] | None = None, **changes: Any) -> Scenario:
    wishes = tuple(Expectation(**wish) for wish in expect or [])
    plain = Scenario(name="toy", stage=1, question="", sources=(), horizon_days=10, replications=4, seed=3, shocks=(),
                     expect=wishes, all_sections={})
    return dataclasses.replace(plain, **changes)


def with_variants(one: Scenario, **expectations: list[dict[str, Any]]) -> Scenario:
    variants = {name: dataclasses.replace(one, variant=name, expect=tuple(Expectation(**wish) for wish in wishes))
                for name, wishes in expectations.items()}
    return dataclasses.replace(one, variants=variants)


@pytest.fixture(autouse=True)
def toy_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A model whose metric is a random figure of the seed, one higher in the variant "high"."""

    def run(one: Scenario, seed: int, out: None, check_invariants: str, progress: Any) -> SimpleNamespace:
        assert one.variants == {}
        assert one.check is None
        SEEN.append((one.variant, seed))
        figure = random.Random(seed).gauss(0.0, 5.0) + (one.variant == "high")
        if one.variant == "broken":
            progress(7, one.horizon_days)
            raise ValueError("a pool paid\ntwice")
        return SimpleNamespace(summary={"m": figure, "seed": float(seed % 1000)})

    module = ModuleType("sim.model")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sim.model", module)
    SEEN.clear()
    yield
    SEEN.clear()


def test_variants_run_on_the_same_seeds() -> None:
    records = run_batch(with_variants(scenario(), high=[]), replications=3)
    seeds = [run_seed(3, replication) for replication in range(3)]
    expected = [(name, seed) for seed in seeds for name in ("main", "high")]
    assert expected == SEEN
    assert [record.planned.index for record in records] == list(range(6))
    for low, high in zip(records[::2], records[1::2], strict=True):
        assert high.metrics["m"] - low.metrics["m"] == pytest.approx(1.0)


def test_more_replications_repeat_the_earlier_ones() -> None:
    few, more = run_batch(scenario(), 2), run_batch(scenario(), 5)
    assert [record.metrics for record in more[:2]] == [record.metrics for record in few]


def test_a_failed_run_is_a_record_with_its_stage_and_stops_nothing() -> None:
    one = with_variants(scenario([{"metric": "m", "op": ">", "value": -99}]),
                        broken=[{"metric": "m", "op": ">", "value": -99}])
    result = check(one, 2)
    assert [record.status for record in result.runs] == ["ok", "failed"] * 2
    assert {(record.stage, record.error) for record in result.failed} == {("day 7", "ValueError: a pool paid twice")}
    assert "Traceback" in result.failed[0].details
    assert [verdict.status for verdict in result.verdicts] == ["met", "not met"]
    assert not result.passed


def test_only_configurations_that_an_expectation_looks_at_are_run() -> None:
    one = with_variants(scenario(), high=[{"metric": "m", "op": ">", "value": 0, "against": "main"}], other=[])
    assert needed_variants(one) == ["main", "high"]
    assert needed_variants(scenario()) == []
    result = check(one, 6)
    assert {name for name, _ in SEEN} == {"main", "high"}
    assert result.passed
    assert result.verdicts[0].figure == pytest.approx(1.0)


def test_the_check_form_of_a_scenario_is_what_is_checked() -> None:
    small = scenario([{"metric": "m", "op": ">", "value": 99}], replications=2)
    assert check(scenario(check=small)).replications == 2
    assert len(SEEN) == 2


def test_a_lost_worker_is_a_failed_run() -> None:
    class Losing:
        def outcomes(self, function: Any, tasks: Any) -> Iterator[tuple[int, Any]]:
            yield 1, WorkerLost("the worker process died")
            yield 0, function(tasks[0])

    seen = []
    records = run_batch(scenario(), 2, engine=Losing(), progress=seen.append)  # type: ignore[arg-type]
    assert [record.status for record in records] == ["ok", "failed"]
    assert records[1].error == "WorkerLost: the worker process died"
    assert len(seen) == 2
