"""Expectations as they are written: what is refused, and what a comparison means."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.scenario.errors import ScenarioError
from sim.scenario.expectations import Expectation, one_run, runs_needed
from sim.scenario.load import load_scenario
from sim.scenario.registry import Registry


def wish(**fields: Any) -> Expectation:
    return Expectation(**{"metric": "village.dry", **fields})


@pytest.mark.parametrize(("line", "expected"), [
    ("{metric: village.dri, op: '<', value: 1}",
     "expect.0.metric: no section of this scenario reports a metric 'village.dri'; did you mean 'village.dry'?"),
    ("{metric: fishing.catch, op: '<', value: 1}",
     "expect.0.metric: the metric 'fishing.catch' belongs to the section 'fishing', which does not take part here"),
    ("{metric: village.dry, op: '=', value: 1}",
     "expect.0.op: '=' is not allowed; expected: one of '>=', '<=', '==', '<', '>', 'between'"),
    ("{metric: village.dry, op: '<'}",
     "expect.0.value: 'value' is missing; expected: number or list of 2 (number, number)"),
    ("{metric: village.dry, op: between, value: 1}",
     "expect.0.value: the comparison 'between' needs a list of two numbers, such as [0.8, 0.9]"),
    ("{metric: village.dry, op: between, value: [2, 1]}",
     "expect.0.value: the first number of a 'between' must not be above the second"),
    ("{metric: village.dry, op: '<', value: [1, 2]}",
     "expect.0.value: the comparison '<' needs one number, not a list"),
    ("{metric: village.dry, op: '<', value: 1, in_share_of_runs: 1.2}",
     "expect.0.in_share_of_runs: 1.2 is too large; allowed: number above 0 and at most 1, or null"),
    ("{metric: village.dry, op: '<', value: 1, in_share_of_runs: 0.9, upper_share: 0.1}",
     "expect.0.upper_share: give either in_share_of_runs or upper_share, not both"),
    ("{metric: village.dry, op: '<', value: 1, against: hihg}",
     "expect.0.against: there is no other variant 'hihg'; did you mean 'high'?"),
    ("{metric: village.dry, op: '<', value: 1, against: main}",
     "expect.0.against: there is no other variant 'main'; valid: high"),
    ("{metric: village.dry, op: '<', value: 1, share: 0.9}",
     "expect.0.share: unknown key 'share'; valid: against, in_share_of_runs, metric, note, op, source, tolerance, "
     "upper_share, value"),
    ("village.dry > 3", "expect.0: 'village.dry > 3' is not allowed; expected: a mapping"),
])
def test_faulty_expectations(write: Callable[..., Path], registry: Registry, line: str, expected: str) -> None:
    path = write(f"village:\nvariants: {{high: {{set: {{village.dike: 9}}}}}}\nexpect:\n  - {line}\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, registry=registry)
    assert [str(problem).partition("case.yaml:4: ")[2] for problem in caught.value.problems] == [expected]


def test_expectations_are_a_list(write: Callable[..., Path], registry: Registry) -> None:
    with pytest.raises(ScenarioError, match="expectations are a list"):
        load_scenario(write("village:\nexpect: {metric: village.dry}\n"), registry=registry)


@pytest.mark.parametrize(("fields", "inside", "outside"), [
    ({"op": ">=", "value": 2}, [2, 3], [1.999, math.nan]),
    ({"op": ">", "value": 2}, [2.001], [2, 1]),
    ({"op": "<=", "value": 2}, [2, -9], [2.001]),
    ({"op": "<", "value": 2}, [1.999], [2]),
    ({"op": "==", "value": 2}, [2], [2.001]),
    ({"op": "==", "value": 0.85, "tolerance": 0.03}, [0.82, 0.88], [0.819, 0.881, math.nan]),
    ({"op": ">=", "value": 2, "tolerance": 0.5}, [1.5], [1.49]),
    ({"op": "between", "value": (1, 2)}, [1, 2], [0.999, 2.001]),
])
def test_what_a_comparison_accepts(fields: dict[str, Any], inside: list[float], outside: list[float]) -> None:
    expectation = wish(**fields)
    assert all(expectation.holds(figure) for figure in inside)
    assert not any(expectation.holds(figure) for figure in outside)


def test_an_expectation_reads_as_a_line() -> None:
    assert wish(op="==", value=0.85, tolerance=0.03).text() == "village.dry == 0.85 +- 0.03 on average"
    assert wish(op=">=", value=1, upper_share=0.05).text() == "village.dry >= 1 in at most 5% of runs"
    assert wish(op=">", value=0, against="low", in_share_of_runs=0.9).text() == (
        "village.dry - village.dry of low > 0 in 90% of runs")


def test_one_run_says_nothing_about_shares_and_differences() -> None:
    wishes = [wish(op="<", value=1, source="table"), wish(op="<", value=1, in_share_of_runs=0.9),
              wish(op="<", value=1, against="low"), wish(metric="village.lost", op="<", value=1)]
    rows = one_run(wishes, {"village.dry": 2.0})
    assert [row["met"] for row in rows] == [False, None, None, None]
    assert [row["value"] for row in rows] == [2.0, 2.0, None, None]
    assert rows[0]["source"] == "table"


@pytest.mark.parametrize(("fields", "runs"), [
    ({"in_share_of_runs": 0.95}, 35), ({"in_share_of_runs": 1.0}, 73), ({"in_share_of_runs": 0.04}, 1),
    ({"upper_share": 0.05}, 73), ({}, 1), ({"against": "low"}, 2)])
def test_fewest_runs_that_can_meet_an_expectation(fields: dict[str, Any], runs: int) -> None:
    from sim.batch.intervals import wilson

    expectation = wish(op=">", value=0, **fields)
    assert runs_needed(expectation) == runs
    if "in_share_of_runs" in fields and runs > 1:
        share = fields["in_share_of_runs"] - 0.05
        assert wilson(runs, runs)[0] >= share - 1e-12 > wilson(runs - 1, runs - 1)[0] - 1e-12
    if "upper_share" in fields:
        assert wilson(0, runs)[1] <= fields["upper_share"] < wilson(0, runs - 1)[1]
