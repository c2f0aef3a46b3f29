"""Generated pages are current, and the files of a run have no column that the data dictionary does not know."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sim import reference
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
