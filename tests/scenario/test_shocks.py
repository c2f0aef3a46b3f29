"""Scheduled events: order, arguments, faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.scenario.errors import ScenarioError
from sim.scenario.load import load_scenario
from sim.scenario.registry import Registry


def test_shocks_come_by_day_with_their_arguments(write: Callable[..., Path], registry: Registry) -> None:
    path = write("village:\nfishing:\nshocks:\n  - {day: 9, kind: flood, height: 3}\n  - {day: 2, kind: storm}\n"
                 "  - {day: 2, kind: flood}\n")
    scenario = load_scenario(path, registry=registry)
    assert [(shock.day, shock.kind, shock.section, dict(shock.arguments)) for shock in scenario.shocks] == [
        (2, "storm", "fishing", {}), (2, "flood", "village", {"height": 1.0}), (9, "flood", "village", {"height": 3.0})]


@pytest.mark.parametrize(("line", "expected"), [
    ("{day: 1, kind: flod}", "shocks.0.kind: unknown shock 'flod'; did you mean 'flood'?"),
    ("{day: 1, kind: storm}",
     "shocks.0.kind: the shock 'storm' belongs to the section 'fishing', which does not take part here"),
    ("{day: 30, kind: flood}",
     "shocks.0.day: 30 is not a day of the run; allowed: whole number from 0 to 29 (days)"),
    ("{day: -1, kind: flood}", "shocks.0.day: -1 is not a day of the run; allowed: whole number from 0 to 29 (days)"),
    ("{day: true, kind: flood}",
     "shocks.0.day: true is not a day of the run; allowed: whole number from 0 to 29 (days)"),
    ("{day: 1.0, kind: flood}", "shocks.0.day: 1.0 is not a day of the run; allowed: whole number from 0 to 29 (days)"),
    ("{kind: flood}", "shocks.0: 'day' is missing: the day on which the shock strikes"),
    ("{day: 1}", "shocks.0: 'kind' is missing: the kind of shock"),
    ("{day: 1, kind: flood, height: 11}",
     "shocks.0.height: 11 is too large; allowed: number above 0 and at most 10 (m)"),
    ("{day: 1, kind: flood, hieght: 1}", "shocks.0.hieght: unknown key 'hieght'; did you mean 'height'?"),
    ("{day: 1, kind: [flood]}", "shocks.0.kind: the kind of a shock is a name, not a list of 1"),
    ("flood", "shocks.0: a shock is a mapping {day, kind, ...}, not 'flood'"),
])
def test_faulty_shocks(write: Callable[..., Path], registry: Registry, line: str, expected: str) -> None:
    path = write(f"village:\nhorizon_days: 30\nshocks:\n  - {line}\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, registry=registry)
    assert [str(problem).partition("case.yaml:4: ")[2] for problem in caught.value.problems] == [expected]


def test_a_shock_after_a_shortened_horizon_is_a_fault_of_the_check_form(
    write: Callable[..., Path], registry: Registry
) -> None:
    path = write("village:\ncheck: {set: {horizon_days: 10}}\nshocks: [{day: 20, kind: flood}]\n")
    with pytest.raises(ScenarioError, match=r"case.yaml:3: shocks.0.day: 20 .* 0 to 9 \(days\) \(under check\)"):
        load_scenario(path, registry=registry)
