"""Loss triangles as an analyst reads them, against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import load_run, triangles
from analysis.load import FolderError, Run
from analysis.report import write_report

Folder = Callable[..., Path]
MICRO = 1_000_000

CELLS = [("EAST", 0, 0, 60, 100), ("EAST", 0, 1, 50, 50), ("EAST", 0, 2, 40, 30), ("EAST", 1, 0, 70, 110),
         ("EAST", 1, 1, 60, 55), ("EAST", 2, 0, 80, 120), ("WEST", 0, 0, 5, 10), ("WEST", 5, 0, 7, 9),
         ("WEST", 6, 0, 1, 1000)]
"""Institution, accident month, development month, paid, incurred in USD; month 6 is not whole in 200 days."""


def with_triangles(folder: Path, cells: list[tuple[str, int, int, int, int]] = CELLS) -> Run:
    names, *columns = zip(*cells, strict=True)
    paid, incurred = (pa.array([value * MICRO for value in column], pa.int64()) for column in columns[2:])
    pq.write_table(pa.table({"institution": pa.array(names), "accident_month": pa.array(columns[0], pa.int32()),
                             "development_month": pa.array(columns[1], pa.int32()), "paid": paid,
                             "incurred": incurred}), folder / "triangles.parquet")
    return load_run(folder)


def test_cumulative_amounts_stop_at_the_last_whole_month(write_folder: Folder) -> None:
    run = with_triangles(write_folder(days=95))
    table = triangles.cumulative(run, "incurred", pool="EAST")
    assert table.shape == (3, 3)
    assert table.iloc[0].tolist() == [100.0, 150.0, 180.0]
    assert table.iloc[1, :2].tolist() == [110.0, 165.0]
    assert np.isnan(table.iloc[1, 2])
    assert triangles.cumulative(run, "paid").iloc[0].tolist() == [65.0, 115.0, 155.0]


def test_ratios_and_ultimates_by_hand(write_folder: Folder) -> None:
    table = triangles.cumulative(with_triangles(write_folder(days=95)), "incurred", pool="EAST")
    assert triangles.link_ratios(table).iloc[0].tolist() == [1.5, 1.2]
    assert triangles.average_ratios(table).tolist() == [pytest.approx(1.5), pytest.approx(1.2)]
    ladder = triangles.chain_ladder(table)
    assert ladder["ultimate"].tolist() == pytest.approx([180.0, 198.0, 216.0])
    assert ladder["outstanding"].tolist() == pytest.approx([0.0, 33.0, 96.0])


def test_quarters_hold_what_their_months_do(write_folder: Folder) -> None:
    run = with_triangles(write_folder(days=200))
    quarterly = triangles.cumulative(run, "incurred", 3)
    assert quarterly.shape == (2, 2)
    assert quarterly.iloc[0].tolist() == [100 + 50 + 30 + 110 + 55 + 120 + 10, 475.0]
    assert quarterly.iloc[1, 0] == 9.0
    assert triangles.period_months(run) == 1


def test_reserves_are_compared_pool_by_pool(write_folder: Folder) -> None:
    run = with_triangles(write_folder(days=95))
    table = triangles.reserve_table(run, 1)
    assert list(table.index) == ["EAST", "WEST", "all pools"]
    held = run.by_institution("insurance.ibnr")
    assert held is not None
    assert table.at["EAST", "IBNR held"] == pytest.approx(held.loc[89, "EAST"])
    assert table.at["EAST", "IBNR by chain ladder"] == pytest.approx(129.0)
    assert table.at["EAST", "case reserves"] == pytest.approx(465 - 360)


def test_the_report_shows_the_triangle_and_does_without(write_folder: Folder) -> None:
    folder = write_folder(days=200)
    (folder / "triangles.parquet").unlink()
    assert "Development of claims" not in write_report(folder).read_text()
    with_triangles(folder)
    page = write_report(folder).read_text()
    assert "Loss triangle of all pools" in page
    assert "volume-weighted" in page
    assert "1.0000" in page


def test_a_damaged_triangle_is_named(write_folder: Folder) -> None:
    folder = write_folder()
    (folder / "triangles.parquet").write_bytes(b"no")
    with pytest.raises(FolderError, match=r"triangles\.parquet is damaged"):
        _ = load_run(folder).triangles
