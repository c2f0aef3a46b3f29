"""Generated pages are current, and runs and batches have no file and no column that the data dictionary does not
know."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sim import cli, reference
from sim.model import run
from sim.run_folder import RUN_FILES
from sim.scenario.load import load_scenario
from sim.scenario.registry import section_types


@pytest.mark.parametrize("page", sorted(reference.PAGES))
def test_generated_pages_are_current(repository: Path, page: str) -> None:
    assert (repository / "docs" / page).read_text(encoding="utf-8") == reference.PAGES[page](), (
        "run `make docs` and commit the pages")


def test_every_column_of_a_run_is_in_the_dictionary(repository: Path, tmp_path: Path) -> None:
    settings = [("population.patients", "300"), ("horizon_days", "8"), ("liquidity_providers.providers", "20")]
    run(load_scenario(repository / "scenarios" / "baseline.yaml", settings), out=tmp_path / "r")
    declared = {(series.name, series.per) for section in section_types().values() for series in section.series}
    daily = pq.read_schema(tmp_path / "r" / "daily.parquet").names
    institutions = pq.read_schema(tmp_path / "r" / "institutions.parquet").names
    assert daily[0] == "day"
    assert {(name, "market") for name in daily[1:]} <= declared
    assert institutions[:2] == ["day", "institution"]
    assert {(name, "institution") for name in institutions[2:]} <= declared
    assert {path.name for path in (tmp_path / "r").iterdir()} <= RUN_FILES
    assert set(reference.FILES) == RUN_FILES - {"report.html"}
    metrics = {metric.name for section in section_types().values() for metric in section.metrics}
    assert json.loads((tmp_path / "r" / "summary.json").read_text(encoding="utf-8"))["metrics"].keys() <= metrics


def test_every_file_and_column_of_a_batch_is_in_the_dictionary(repository: Path, tmp_path: Path) -> None:
    toy, folder = tmp_path / "toy.yaml", tmp_path / "batch"
    toy.write_text("name: toy\nquestion: Does it run?\nhorizon_days: 3\npopulation: {patients: 40}\neconomy:\n",
                   encoding="utf-8")
    command = ["batch", str(toy), "-n", "1", "-j", "1", "--sweep", "economy.tax_rate=0.1,0.2"]
    assert cli.main([*command, "--sweep", "economy.pay_interval_days=14,30", "--out", str(folder)]) == 0
    known = [re.compile(re.sub(r"<\w+>", r"[^/]+", name).replace(".", r"\.")) for name in reference.BATCH_FILES]
    files = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    assert [file for file in files if not any(one.fullmatch(file) for one in known)] == []
    assert {"plan.json", "scenarios/toy.yaml", "runs.parquet", "daily/part-00000.parquet", "manifest.jsonl",
            "log.jsonl"} == set(files)
    metrics = {metric.name for section in section_types().values() for metric in section.metrics}
    series = {one.name for section in section_types().values() for one in section.series if one.per == "market"}
    content = reference.BATCH_FILES["runs.parquet"]
    for name in pq.read_schema(folder / "runs.parquet").names:
        prefix, _, rest = name.partition(".")
        assert f"`{name}`" in content or (prefix == "param" and rest.startswith("economy.")) or (
            prefix == "metric" and rest in metrics), name
    daily = pq.read_table(folder / "daily" / "part-00000.parquet")
    assert all(f"`{name}`" in reference.BATCH_FILES["daily/part-<p>.parquet"] for name in daily.column_names)
    assert set(daily["series"].to_pylist()) <= series
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        assert all(f"`{name}`" in reference.BATCH_FILES["manifest.jsonl"] for name in json.loads(line))
