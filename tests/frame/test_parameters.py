"""Governable parameters stay inside their bounds."""

import pytest

from sim.parameters import ParameterError, Parameters


@pytest.fixture
def parameters() -> Parameters:
    registry = Parameters()
    registry.register("pool.fee", 0.1, 0.0, 0.5)
    registry.register("committee.size", 5, 3, 21, integer=True)
    return registry


def test_change_returns_the_old_value_and_keeps_the_initial_one(parameters: Parameters) -> None:
    assert parameters.change("pool.fee", 0.2) == 0.1
    assert parameters["pool.fee"] == 0.2
    assert parameters.get("pool.fee").initial == 0.1


@pytest.mark.parametrize(("path", "value"), [("pool.fee", 0.51), ("pool.fee", -0.01), ("committee.size", 5.5),
                                             ("nobody", 1.0)])
def test_refused_changes_leave_everything_as_it_was(parameters: Parameters, path: str, value: float) -> None:
    before = [entry.value for entry in parameters]
    with pytest.raises(ParameterError):
        parameters.change(path, value)
    assert [entry.value for entry in parameters] == before


def test_registering_twice_is_refused(parameters: Parameters) -> None:
    with pytest.raises(ParameterError, match="twice"):
        parameters.register("pool.fee", 0.1, 0.0, 1.0)


def test_bounds_widen_to_the_scenario_value() -> None:
    registry = Parameters()
    registry.register("x", 2.0, 0.0, 1.0)
    assert registry.change("x", 1.5) == 2.0
