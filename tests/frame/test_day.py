"""The order of hooks inside a phase."""

import pytest

from sim.day import DayOrderError, order_phase
from sim.mechanism import Hook, Phase


def hook(call: str, *after: str) -> Hook:
    return Hook(Phase.CARE, call, after)


def test_ties_go_by_mechanism_name_and_own_hooks_keep_their_order() -> None:
    ordered = order_phase([("b", hook("z")), ("b", hook("a")), ("a", hook("x"))])
    assert [(name, h.call) for name, h in ordered] == [("a", "x"), ("b", "z"), ("b", "a")]


def test_after_wins_over_names_and_absent_mechanisms_are_not_waited_for() -> None:
    ordered = order_phase([("a", hook("x", "b", "nobody")), ("b", hook("y"))])
    assert [name for name, _ in ordered] == ["b", "a"]


def test_a_mechanism_is_finished_only_after_all_its_hooks() -> None:
    ordered = order_phase([("a", hook("x", "b")), ("b", hook("y")), ("b", hook("z"))])
    assert [h.call for _, h in ordered] == ["y", "z", "x"]


def test_a_circle_is_refused_by_name() -> None:
    with pytest.raises(DayOrderError, match="a, b"):
        order_phase([("a", hook("x", "b")), ("b", hook("y", "a"))])
