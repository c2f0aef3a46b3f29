"""Frailty: mean 1, the stated moments, and the stated correlation between years."""

from __future__ import annotations

import numpy as np
import pytest

from sim.kernel.columns import person_keys
from sim.kernel.draws import Draws
from sim.world.frailty import PermanentFrailty, YearDeviation

KEYS = person_keys(-1, 200_000)


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5])
def test_moments_are_those_of_the_draws(power: float) -> None:
    draws = Draws(8)
    frailty = PermanentFrailty(0.7)
    values = frailty.value(draws.decision("frailty").normal(0, KEYS))
    assert (values**power).mean() == pytest.approx(frailty.moment(power), rel=0.02)
    year = YearDeviation(0.6, 0.3)
    deviations = np.exp(year.log_value(draws.decision("year"), 3, KEYS))
    assert (deviations**power).mean() == pytest.approx(year.moment(power), rel=0.02)


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.45])
def test_successive_years_are_correlated_as_stated(correlation: float) -> None:
    year, decision = YearDeviation(0.8, correlation), Draws(8).decision("year")
    logs = [year.log_value(decision, y, KEYS) for y in (0, 1, 2)]
    assert np.corrcoef(logs[0], logs[1])[0, 1] == pytest.approx(correlation, abs=0.01)
    assert np.corrcoef(logs[0], logs[2])[0, 1] == pytest.approx(0.0, abs=0.01)


def test_without_spread_every_year_is_the_same() -> None:
    assert (YearDeviation(0.0, 0.3).log_value(Draws(8).decision("year"), 1, KEYS[:5]) == 0.0).all()
