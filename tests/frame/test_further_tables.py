"""People by income decile and the network of claims: two files of a run, held against its metrics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.agents.patient.spending import capacity_to_pay
from sim.model import HealthMarket, run
from sim.recorder import RecorderError
from sim.scenario.load import load_scenario

SMALL = [("population.patients", "300"), ("horizon_days", "365"), ("oracles.operators", "12")]


def test_people_by_decile_add_up_to_the_metric(repository: Path, tmp_path: Path) -> None:
    scenario = load_scenario(repository / "scenarios" / "s3_reinsurance_spiral.yaml", SMALL)
    result = run(scenario, seed=3, out=tmp_path / "r")
    people = pd.read_parquet(tmp_path / "r" / "people.parquet")
    assert people["income_decile"].tolist() == list(range(1, 11))
    assert people["persons"].sum() == 300
    assert people["above_25"].sum() / 300 == pytest.approx(result.summary["patients.catastrophic_share"])
    assert (people["above_10"] >= people["above_25"]).all()
    assert people["income"].is_monotonic_increasing


def test_capacity_to_pay_leaves_subsistence() -> None:
    assert capacity_to_pay(np.array([10.0, 20.0, 100.0]), 0.5).tolist() == [5.0, 10.0, 90.0]


def test_rows_that_fit_no_table_are_refused(repository: Path) -> None:
    market = HealthMarket(load_scenario(repository / "scenarios" / "s3_reinsurance_spiral.yaml", SMALL), seed=1)
    with pytest.raises(RecorderError, match="no table"):
        market.record.row("unknown", 1)
    with pytest.raises(RecorderError, match="has 7 values"):
        market.record.row("exposures", 1)
