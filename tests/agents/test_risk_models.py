"""Risk models: blind spots, equal marginals by design, protection, joint defaults counted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.agents.risk_models import RiskModels, believe, yearly_size
from sim.contracts.insurance.severity import scaled
from sim.scenario.sections.perils import Peril
from sim.scenario.sections.risk_models import RiskModelsSection

ALIKE = [Peril(name=name, per_year=0.4, least_size=2.0, largest_size=8.0) for name in "abcd"]


def beliefs(blindness: float) -> list[Any]:
    """One for each blind category."""
    left = [[1.0 - blindness if c == blind else 0.1 for c in range(4)] for blind in range(4)]
    rates = np.full(4, 0.4)
    return [believe([scaled(yearly_size(peril, 2, 1.0), kept) for peril, kept in zip(ALIKE, row, strict=True)], rates)
            for row in left]


def test_categories_that_are_alike_make_models_equally_bad() -> None:
    found = beliefs(0.9)
    assert [belief.load for belief in found] == pytest.approx([found[0].load] * 4, rel=1e-6)
    assert [belief.quantile for belief in found] == pytest.approx([found[0].quantile] * 4, rel=1e-2)


def test_who_does_not_see_a_peril_believes_in_less() -> None:
    assert beliefs(0.9)[0].load < beliefs(0.0)[0].load
    assert beliefs(0.9)[0].quantile < beliefs(0.0)[0].quantile


def test_the_believed_load_is_rate_times_size() -> None:
    peril = Peril(per_year=0.5, least_size=1.0, tail_index=1.5, largest_size=5.0, days=73)
    mean = 1.0 + (1.0 - 5.0**-0.5) / 0.5
    load = believe([yearly_size(peril, 4, 0.5)], np.array([0.5])).load
    assert load == pytest.approx(0.5 * 0.2 * 0.5 * mean, rel=1e-3)
    assert believe([yearly_size(peril, 4, 0.5)], np.zeros(1)).load == 0.0


def test_regional_events_reach_a_pool_in_part() -> None:
    wide, local = (yearly_size(Peril(regional=regional), 5, 1.0).mean for regional in (False, True))
    assert local == pytest.approx(wide / 5.0)


class Recorded:
    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}

    def metric(self, name: str, value: float) -> None:
        self.metrics[name] = value


@pytest.mark.parametrize(("days", "pairs", "most"), [
    ((None, None, None, None), 0, 0), ((5, None, None, None), 0, 1), ((5, 95, None, None), 1, 2),
    ((5, 96, None, None), 0, 1), ((10, 20, 30, 40), 6, 4), ((0, 80, 160, 400), 2, 2)])
def test_defaults_within_ninety_days_are_joint(days: tuple[int | None, ...], pairs: int, most: int) -> None:
    mechanism = RiskModels(RiskModelsSection())
    mechanism.insurance = SimpleNamespace(pools=[SimpleNamespace(defaulted_on=day) for day in days])
    record = Recorded()
    mechanism.finish(SimpleNamespace(record=record))  # type: ignore[arg-type]
    assert record.metrics["risk_models.joint_pairs"] == pairs
    assert record.metrics["risk_models.joint_defaults"] == most
    assert record.metrics["risk_models.default_rate"] == pytest.approx(sum(day is not None for day in days) / 4)


def test_nobody_is_protected_from_his_insurers_blind_spot() -> None:
    mechanism = RiskModels(RiskModelsSection(models_in_use=2, protection=0.7))
    mechanism.models = np.array([0, 1, 0])
    mechanism._protects = np.full((4, 2), 0.7)
    mechanism._protects[np.arange(3), mechanism.models] = 0.0
    mechanism._protects[3] = 0.0
    mechanism.people = {"pool": np.array([0, 1, 2, -1], dtype=np.int16)}  # type: ignore[assignment]
    slots = np.arange(4)
    assert mechanism.protection(0, slots).tolist() == [0.0, 0.7, 0.0, 0.0]
    assert mechanism.protection(1, slots).tolist() == [0.7, 0.0, 0.7, 0.0]
