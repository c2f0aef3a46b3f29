"""Loss triangles of a run: their sums are what was paid and incurred; without pools there is no file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sim.kernel.fixedpoint import MICRO
from sim.model import run
from sim.scenario.load import load_scenario

SMALL = [("population.patients", "500"), ("horizon_days", "75"), ("oracles.operators", "12")]


@pytest.mark.parametrize("method", ["geometric", "chain_ladder", "bornhuetter_ferguson"])
def test_triangles_sum_to_what_was_paid_and_incurred(repository: Path, tmp_path: Path, method: str) -> None:
    settings = [*SMALL, ("insurance.pools", "2"), ("insurance.reserving", method)]
    scenario = load_scenario(repository / "scenarios" / "s1_gas_spike.yaml", settings)
    run(scenario, seed=3, out=tmp_path / "r", check_invariants="every")
    cells = pd.read_parquet(tmp_path / "r" / "triangles.parquet").groupby("institution")
    series = pd.read_parquet(tmp_path / "r" / "institutions.parquet").groupby("institution")
    assert len(cells) == 2
    for name, mine in cells:
        daily = series.get_group(name)
        assert mine["paid"].sum() / MICRO == pytest.approx(daily["insurance.paid"].sum(), abs=1e-3)
        known = daily["insurance.incurred"].sum() - daily["insurance.ibnr"].iloc[-1]
        assert mine["incurred"].sum() / MICRO == pytest.approx(known, abs=1e-3)
        assert (mine["accident_month"] + mine["development_month"]).max() <= 74 // 30
    assert ("insurance.run_off_actual" in pd.read_parquet(tmp_path / "r" / "institutions.parquet")) == (
        method != "geometric")


def test_without_pools_there_are_no_triangles(repository: Path, tmp_path: Path) -> None:
    file = tmp_path / "alone.yaml"
    file.write_text("{name: alone, stage: 3, question: Is there a file?, horizon_days: 3, population: {patients: 50}}")
    run(load_scenario(file), seed=3, out=tmp_path / "r")
    assert not (tmp_path / "r" / "triangles.parquet").exists()
