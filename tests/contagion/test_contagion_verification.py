"""The truths of contagion hold, and a row can fail."""

from __future__ import annotations

import pytest

from sim.verification import contagion


@pytest.mark.parametrize("group", ["clearing_vectors", "bankruptcy_costs", "distress", "fire_sales"])
def test_closed_cases_hold(group: str) -> None:
    found = list(getattr(contagion, group)())
    assert found
    assert [row for row in found if not row.verdict] == []


def test_reconstruction_holds() -> None:
    assert contagion.reconstruction().verdict


def test_small_simulations_hold_inside_the_window() -> None:
    found = list(contagion.inside_the_window(runs=200, count=1500))
    assert [row for row in found if not row.verdict] == []


def test_a_wrong_figure_fails() -> None:
    assert not contagion._near("X", "", [1.0, 2.0], [1.0, 2.1], 0.01, "").verdict
