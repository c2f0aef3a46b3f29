"""Grids and samples, and the plans that are made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.batch.batch_plan import BatchPlan, StopRule, plan_batch, read_plan
from sim.batch.design import DesignError, Grid, Sample, make_design, parse_grid, parse_sample
from sim.batch.monitor import LEAST_REPLICATIONS, Moments, Monitor
from sim.batch.plan import run_seed
from sim.batch.spool import Outcome
from sim.scenario.errors import ScenarioError

BOUNDS = {"a.x": (0.0, 1.0), "a.n": (1.0, 4.0)}


def test_a_grid_has_every_combination() -> None:
    design = make_design(parse_grid(["a.x=1,2", "b.y=yes,[1,2],no"]), 1)
    assert design.parameters == ["a.x", "b.y"]
    assert design.points == [[x, y] for x in (1, 2) for y in ("yes", [1, 2], "no")]


@pytest.mark.parametrize(("method", "count", "points"), [("lhs", 12, 12), ("sobol", 8, 8 * 4), ("morris", 5, 5 * 3)])
def test_samples_stay_within_bounds_and_depend_on_the_seed_alone(method: str, count: int, points: int) -> None:
    sample = Sample(method, count, BOUNDS)  # type: ignore[arg-type]
    design = make_design(sample, 7, frozenset({"a.n"}))
    assert len(design.points) == points
    assert all(0 <= x <= 1 and n in (1, 2, 3, 4) and isinstance(n, int) for x, n in design.points)
    assert make_design(sample, 7, frozenset({"a.n"})) == design
    assert make_design(sample, 8, frozenset({"a.n"})).points != design.points
    if method == "lhs":  # one point in each of the twelve strata, three for each whole number
        assert sorted(int(x * 12) for x, _ in design.points) == list(range(12))
        assert sorted(n for _, n in design.points) == sorted([1, 2, 3, 4] * 3)


@pytest.mark.parametrize("wrong", ["a.x", "=1", "a.x="])
def test_a_wrong_sweep_is_a_sentence(wrong: str) -> None:
    with pytest.raises(DesignError, match="write it as"):
        parse_grid([wrong])


@pytest.mark.parametrize("wrong", [["lhs"], ["halton:4", "a=1:2"], ["lhs:4"], ["lhs:4", "a=2:1"], ["lhs:4", "a=1"],
                                   ["lhs:0", "a=1:2"], ["lhs:4", "a=1:2", "a=1:2"]])
def test_a_wrong_sample_is_a_sentence(wrong: list[str]) -> None:
    with pytest.raises(DesignError):
        parse_sample(wrong)
    with pytest.raises(DesignError, match="power of two"):
        make_design(Sample("sobol", 6, BOUNDS), 1)


def plan(toy: Path, replications: int = 3, **changes: object) -> BatchPlan:
    return plan_batch([toy], [], replications, **changes)  # type: ignore[arg-type]


def test_replication_k_is_the_same_world_everywhere_and_keeps_its_index(toy: Path) -> None:
    sweep = Grid({"population.patients": [40, 50]})
    few, more = plan(toy, 2, sweep=sweep), plan(toy, 5, sweep=sweep)
    assert [few.run(i) for i in range(few.total)] == [more.run(i) for i in range(few.total)]
    runs = [more.run(i) for i in range(more.total)]
    assert [one.index for one in runs] == list(range(20))
    assert len({(one.variant, one.point, one.replication) for one in runs}) == 20
    assert all(one.seed == run_seed(1, one.replication) for one in runs)


def test_a_plan_survives_its_file(toy: Path) -> None:
    import json

    one = plan(toy, sweep=Sample("lhs", 3, {"population.patients": (40, 50)}), stop=StopRule("population.mean_age", 2))
    again = read_plan(json.dumps(one.to_json()), one.sources)
    assert again == one
    assert one.difference(again) == ""
    assert one.difference(plan(toy)) == "design"
    assert one.difference(one.with_replications(9)) == ""


@pytest.mark.parametrize("sweep", [Grid({"economy.tax_rate": [0.1]}), Grid({"population.patients": [10, -1]}),
                                   Sample("lhs", 2, {"population.patents": (1, 2)})])
def test_an_impossible_sweep_is_refused_before_anything_runs(toy: Path, sweep: Grid | Sample) -> None:
    with pytest.raises((DesignError, ScenarioError)):
        plan(toy, sweep=sweep)


def test_the_batch_ends_at_the_first_whole_replication_that_is_narrow_enough(toy: Path) -> None:
    one = plan(toy, 100, stop=StopRule("population.mean_age", 0.5))
    monitor = Monitor(one, "population.mean_age")
    ends = [monitor.take(Outcome(i, "done", "", {"population.mean_age": 30 + i // 2 % 2})) for i in range(60)]
    first = ends.index(True)
    assert first % 2 == 1
    assert first // 2 + 1 >= LEAST_REPLICATIONS
    moments = Moments()
    for value in (1.0, 2.0, 4.0):
        moments.add(value)
    assert moments.mean == pytest.approx(7 / 3)
    assert moments.half_width() == pytest.approx(4.302653 * (7 / 9) ** 0.5, rel=1e-6)
