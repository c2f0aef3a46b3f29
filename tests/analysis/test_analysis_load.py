"""Run folders are read as they are, and what is wrong with one is said in one sentence that names the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import FolderError, load_run

Folder = Callable[..., Path]


def sentence(error: pytest.ExceptionInfo[FolderError]) -> str:
    """The message, which must be one line."""
    message = str(error.value)
    assert "\n" not in message
    assert len(message) > 20
    return message


def test_tables_have_their_index_and_units(write_folder: Folder) -> None:
    run = load_run(write_folder())
    assert run.days == 200
    assert list(run.institutions.index.names) == ["institution", "day"]
    assert run.flows["amount"].dtype == "int64"
    assert run.events["details"].iloc[0] == {"multiple": 6}
    prices = run.by_institution("insurance.share_price")
    assert prices is not None
    assert prices.shape == (200, 2)
    assert run.series("amm.twap") is None
    assert run.by_institution("amm.pool_price") is None
    assert run.setting("insurance.premium_shares.claims", 0.0) == 0.85
    assert run.setting("insurance.premium_shares.nothing", 0.5) == 0.5


@pytest.mark.parametrize("place", ["nowhere", "file", "empty", "foreign", "newer"])
def test_what_is_no_run_folder_is_refused(place: str, tmp_path: Path) -> None:
    target = tmp_path / place
    if place == "file":
        target.write_text("")
    elif place != "nowhere":
        target.mkdir()
    if place == "foreign":
        (target / "manifest.json").write_text('{"name": "something else"}')
    if place == "newer":
        (target / "manifest.json").write_text('{"format_name": "salus-run", "format": 99}')
    with pytest.raises(FolderError) as error:
        load_run(target)
    assert place in sentence(error)


@pytest.mark.parametrize(("name", "what"), [
    ("daily.parquet", "daily"), ("institutions.parquet", "institutions"), ("flows.parquet", "flows"),
    ("events.parquet", "events"), ("summary.json", "metrics"), ("scenario.yaml", "scenario")])
@pytest.mark.parametrize("damage", ["missing", "cut", "folder"])
def test_a_damaged_file_is_named(name: str, what: str, damage: str, write_folder: Folder) -> None:
    path = write_folder() / name
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[:len(content) // 2])
    elif damage == "folder":
        path.mkdir()
    with pytest.raises(FolderError) as error:
        getattr(load_run(path.parent), what)
    assert name in sentence(error)


def test_institutions_are_in_natural_order(write_folder: Folder) -> None:
    prices = load_run(write_folder(days=3, pools=("POOL10", "POOL2", "B", "POOL1"))).by_institution("insurance.paid")
    assert prices is not None
    assert list(prices.columns) == ["B", "POOL1", "POOL2", "POOL10"]


def test_a_table_without_its_columns_is_named(write_folder: Folder) -> None:
    folder = write_folder()
    pq.write_table(pa.table({"when": [1, 2]}), folder / "daily.parquet")
    with pytest.raises(FolderError, match="no column 'day'"):
        _ = load_run(folder).daily


@pytest.mark.parametrize("content", ["[]", "{}", '{"metrics": 3}', "3"])
def test_a_summary_without_metrics_is_refused(content: str, write_folder: Folder) -> None:
    folder = write_folder()
    (folder / "summary.json").write_text(content)
    with pytest.raises(FolderError, match=r"summary\.json is damaged"):
        _ = load_run(folder).metrics


def test_details_that_are_not_json_are_refused(write_folder: Folder) -> None:
    folder = write_folder()
    table = pq.read_table(folder / "events.parquet")
    broken = pa.array(["{"] * len(table))
    pq.write_table(table.set_column(table.column_names.index("details"), "details", broken), folder / "events.parquet")
    with pytest.raises(FolderError, match=r"events\.parquet is damaged"):
        _ = load_run(folder).events
