"""How expectations are judged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sim.batch.judge import Verdict, judge
from sim.scenario.expectations import Expectation


def runs_of(values: list[float | None]) -> list[dict[str, float] | None]:
    return [None if value is None else {"m": value} for value in values]


def judged(values: list[float | None], others: list[float | None] | None = None, **fields: Any) -> Verdict:
    expectation = Expectation(metric="m", **fields)
    return judge("main", expectation, runs_of(values), None if others is None else runs_of(others))


@pytest.mark.parametrize(("hits", "runs", "status"), [
    (200, 200, "met"), (190, 200, "met"), (189, 200, "met"), (188, 200, "not met"), (180, 200, "not met"),
    (34, 34, "too few runs"), (35, 35, "met"), (20, 20, "too few runs"), (18, 20, "not met"),
])
def test_a_share_is_judged_by_the_wilson_lower_bound_less_the_allowance(hits: int, runs: int, status: str) -> None:
    verdict = judged([1.0] * hits + [0.0] * (runs - hits), op=">", value=0.5, in_share_of_runs=0.95)
    assert verdict.status == status
    assert verdict.figure == hits / runs
    assert ("takes at least 35 runs" in verdict.sentence) == (runs < 35)


@pytest.mark.parametrize(("events", "runs", "status"), [
    (0, 73, "met"), (0, 72, "too few runs"), (1, 73, "not met"), (4, 200, "not met"), (3, 200, "met"),
    (2, 20, "not met"),
])
def test_a_rare_outcome_is_judged_by_the_wilson_upper_bound(events: int, runs: int, status: str) -> None:
    verdict = judged([1.0] * events + [0.0] * (runs - events), op=">=", value=1, upper_share=0.05)
    assert verdict.status == status


def test_a_mean_is_judged_as_it_stands_and_its_interval_reported() -> None:
    verdict = judged([0.80, 0.84, 0.88, 0.92], op="==", value=0.85, tolerance=0.03)
    assert verdict.status == "met"
    assert verdict.figure == pytest.approx(0.86)
    assert verdict.low < 0.82
    assert verdict.high > 0.88  # wider than the band: reported, not judged
    assert judged([0.80, 0.84, 0.88, 0.92], op="==", value=0.85, tolerance=0.009).status == "not met"


def test_the_mean_of_a_yes_or_no_is_a_probability_with_its_count_and_wilson_interval() -> None:
    verdict = judged([1.0, 0.0, 0.0, 0.0], op="<=", value=0.3)
    assert (verdict.status, verdict.figure) == ("met", 0.25)
    assert (verdict.low, verdict.high) == pytest.approx((0.0456, 0.6994), abs=1e-4)
    assert "1 of 4 runs: 25.0%" in verdict.sentence
    assert "4.6% to 69.9%" in verdict.sentence
    assert "95 % interval 0 to 0" in judged([0.0] * 10, op="==", value=0).sentence, "an amount that is nothing"
    ruin = judge("main", Expectation(metric="insurance.any_default", op="<=", value=0.1),
                 [{"insurance.any_default": 0.0}] * 10)
    assert ruin.high == pytest.approx(0.2775, abs=1e-4), "no ruin in ten runs does not mean that there is none"


def test_exact_equality_of_equal_figures_is_not_lost_in_summation() -> None:
    assert judged([0.1] * 11, op="==", value=0.1).status == "met"
    assert judged([0.0] * 10 + [1e-9], op="==", value=0).status == "not met"


@pytest.mark.parametrize(("shift", "op", "status"), [
    (0.5, ">", "met"), (0.5, "<", "not met"), (-0.5, "<", "met"), (0.0, ">", "not met"), (0.0, "<", "not met")])
def test_a_paired_difference_is_judged_by_its_interval(shift: float, op: str, status: str) -> None:
    rng = np.random.default_rng(4)
    common = rng.normal(0, 100, 30)  # seeds differ widely: only pairs can show the effect
    noise = rng.normal(0, 0.2, 30)
    verdict = judged(list(common + shift + noise), list(common), op=op, value=0, against="low")
    assert verdict.status == status
    assert verdict.figure == pytest.approx(shift, abs=0.12)
    assert "mean difference from low" in verdict.sentence


def test_a_paired_equality_needs_the_whole_interval_inside_the_band() -> None:
    values: list[float | None] = [1.0, 1.2, 0.8, 1.1]
    assert judged(values, [1.0] * 4, op="==", value=0, tolerance=0.5, against="low").status == "met"
    assert judged(values, [1.0] * 4, op="==", value=0, tolerance=0.1, against="low").status == "not met"
    assert judged(values, list(values), op="==", value=0, against="low").status == "met"


def test_a_share_of_paired_differences() -> None:
    low: list[float | None] = [float(k) for k in range(100)]
    high: list[float | None] = [float(k) + 1 for k in range(100)]
    assert judged(high, low, op=">", value=0, against="low", in_share_of_runs=0.95).status == "met"
    assert judged(low, high, op=">", value=0, against="low", in_share_of_runs=0.95).status == "not met"


def test_one_pair_is_too_few() -> None:
    assert judged([2.0], [1.0], op=">", value=0, against="low").status == "too few runs"


def test_failed_and_undefined_runs_count_against_shares_and_are_left_out_of_means() -> None:
    values: list[float | None] = [1.0] * 60 + [None] * 10 + [math.nan] * 10
    share = judged(values, op=">", value=0, in_share_of_runs=0.95)
    assert (share.status, share.figure) == ("not met", 0.75)
    assert "not defined in 20" in share.sentence
    rare = judged([0.0] * 190 + [None] * 10, op=">", value=0, upper_share=0.05)
    assert (rare.status, rare.figure) == ("not met", 0.05)
    average = judged(values, op="==", value=1)
    assert average.status == "met"
    assert "60 runs of 80" in average.sentence
    assert judged([None, None], op="==", value=1).status == "not met"


def test_figures_to_compare_with_belong_to_an_expectation_that_asks_for_them() -> None:
    with pytest.raises(ValueError, match="exactly where"):
        judged([1.0], op=">", value=0, against="low")
