"""Taste for cover: its law in one year, what lasts of it, and whose draw it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.agents.patient.cover import Cover
from sim.agents.patient.taste import Taste
from sim.kernel.draws import Draws
from sim.scenario.sections.patients import PatientsSection

KEYS = np.arange(1, 200_001, dtype=np.uint64)
SPREAD = np.pi / np.sqrt(6.0)
SHARES = (0.0, 0.2, 0.5, 0.9, 0.999, 1.0)


def taste(persistence: float, seed: int = 5) -> Taste:
    return Taste(Draws(seed), persistence)


@pytest.mark.parametrize("persistence", SHARES)
def test_in_one_year_taste_is_standard_gumbel_whatever_lasts(persistence: float) -> None:
    """Mean, deviation, and the whole distribution: Kolmogorov's distance at the 0.1 % level is 1.95 / sqrt(n)."""
    noise = np.sort(taste(persistence).draw(730, KEYS, 3))
    assert noise.mean() == pytest.approx(np.euler_gamma, abs=4.0 * SPREAD / np.sqrt(noise.size))
    assert noise.std() == pytest.approx(SPREAD, rel=0.02)
    steps = np.arange(noise.size + 1) / noise.size
    law = np.exp(-np.exp(-noise))
    assert max(np.abs(law - steps[:-1]).max(), np.abs(law - steps[1:]).max()) < 1.95 / np.sqrt(noise.size)


@pytest.mark.parametrize("persistence", SHARES)
def test_two_years_correlate_by_what_lasts(persistence: float) -> None:
    drawn = taste(persistence)
    first, second, later = (drawn.draw(day, KEYS, 3) for day in (0, 365, 3650))
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(persistence, abs=0.02)
    assert np.corrcoef(first, later)[0, 1] == pytest.approx(persistence, abs=0.02), "it does not fade"


def test_what_lasts_has_its_share_of_mean_and_variance() -> None:
    lasting = taste(0.64).lasting(KEYS, 3)
    assert lasting.var() == pytest.approx(0.64 * SPREAD**2, rel=0.03)
    assert lasting.mean() == pytest.approx(0.4 * np.euler_gamma, abs=0.01)


def test_the_choice_of_one_year_is_a_logit() -> None:
    """Of two options with 1 to spare one is taken with probability e / (1 + e), and of those who took it most stay."""
    drawn = taste(0.9)
    takes = [drawn.draw(day, KEYS, 3) + 1.0 > drawn.draw(day, KEYS, 4) for day in (0, 365)]
    assert takes[0].mean() == pytest.approx(np.e / (1.0 + np.e), abs=0.005)
    assert takes[1][takes[0]].mean() > 0.9


def test_options_are_independent() -> None:
    drawn = taste(0.9)
    assert abs(np.corrcoef(drawn.draw(0, KEYS, 3), drawn.draw(0, KEYS, 3 + (1 << 32)))[0, 1]) < 0.01


def test_without_persistence_only_the_year_counts() -> None:
    """The noise of scenarios that do not name the parameter, to the bit."""
    expected = -np.log(-np.log(Draws(5).decision("patients.plan_taste").uniform(365, KEYS, 7)))
    np.testing.assert_array_equal(taste(0.0).draw(365, KEYS, 7), expected)


def test_a_draw_is_the_persons_and_the_options() -> None:
    """Who else is there, and in which order, changes nobody's taste; at full persistence neither does the year."""
    drawn, few = taste(0.6), KEYS[[7, 3, 100]]
    np.testing.assert_array_equal(drawn.draw(365, few, 9), drawn.draw(365, KEYS, 9)[[7, 3, 100]])
    lasting = taste(1.0)
    np.testing.assert_array_equal(lasting.draw(0, few, 9), lasting.draw(365, few, 9))


@pytest.mark.parametrize("persistence", [0.0, 0.9])
def test_a_new_plan_or_pool_changes_nobodys_taste_for_the_others(persistence: float) -> None:
    def tastes(*plans: int) -> np.ndarray:
        cover: Any = object.__new__(Cover)
        cover.section, cover.taste = PatientsSection(), taste(persistence)
        cover.insurance = SimpleNamespace(pools=[SimpleNamespace(permanent_id=k, plans=range(count))
                                                 for k, count in enumerate(plans)])
        drawn: np.ndarray = cover.tastes(365, KEYS[:1000])
        return drawn

    before = tastes(2, 2)
    np.testing.assert_array_equal(tastes(3, 2)[[0, 1, 2, 4, 5]], before)
    np.testing.assert_array_equal(tastes(2, 2, 4)[:5], before)
