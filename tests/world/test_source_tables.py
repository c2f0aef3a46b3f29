"""The source tables: what is shipped can be read, and each fault is one readable sentence with its line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sim.world.care_tables import load_care_tables
from sim.world.population_tables import load_population_tables
from sim.world.tables import TableError, locate_tables, read_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped tables that a test may spoil."""
    copy = tmp_path / "own"
    shutil.copytree(locate_tables("us"), copy)
    return copy


def load(folder: Path) -> None:
    load_care_tables(folder, load_population_tables(folder))


def test_every_shipped_table_states_its_source() -> None:
    files = sorted(locate_tables("us").glob("*.csv"))
    assert len(files) >= 13
    for file in files:
        assert "# source:" in file.read_text(encoding="utf-8"), file.name


def test_shares_sum_to_one_and_the_age_target_has_mean_one() -> None:
    folder = locate_tables("us")
    people = load_population_tables(folder)
    care = load_care_tables(folder, people)
    assert people.age_share.sum() == pytest.approx(1.0)
    assert people.region_share.sum() == pytest.approx(1.0)
    assert care.spending_share.sum() == pytest.approx(1.0)
    assert care.age_target @ people.age_share == pytest.approx(1.0)


def test_the_age_target_has_the_mean_of_each_band() -> None:
    folder = locate_tables("us")
    people = load_population_tables(folder)
    bands = read_table(folder, "age_spending")
    first, last = bands.bands()
    wanted = bands.numbers("relative_spending")
    means = []
    for low, high in zip(first.astype(int), last.astype(int), strict=True):
        weight = people.age_share[low:high + 1]
        means.append(load_care_tables(folder, people).age_target[low:high + 1] @ weight / weight.sum())
    ratio = np.array(means) / wanted
    assert ratio == pytest.approx(np.full(ratio.size, ratio[0]), rel=1e-6)


def test_the_rating_curve_is_three_to_one() -> None:
    people = load_population_tables(locate_tables("us"))
    assert people.rating[64] / people.rating[21] == pytest.approx(3.0)
    assert people.rating[90] == pytest.approx(3.0)
    assert people.rating[40] == pytest.approx(1.278)


def test_a_folder_beside_the_scenario_wins(folder: Path) -> None:
    assert locate_tables("own", beside=folder.parent) == folder
    assert locate_tables(str(folder)) == folder
    with pytest.raises(TableError, match="no folder of tables 'atlantis'; shipped: us"):
        locate_tables("atlantis", beside=folder.parent)


SPOILT = [
    ("age_structure", "5,9,20.2", "6,9,20.2", r"age_structure.csv:6: the band begins at age 6 but .* ends at 4"),
    ("age_structure", "5,9,20.2", "5,9,many", r"age_structure.csv:6: population is 'many', which is not a number"),
    ("age_structure", "5,9,20.2", "5,9,-3", r"age_structure.csv:6: population is -3; allowed: 0 to inf"),
    ("age_structure", "5,9,20.2", "5,9", r"age_structure.csv:6: 2 values for the 3 columns"),
    ("age_structure", "age_to,population", "age_to,people", r"age_structure.csv: there is no column 'population'"),
    ("services", "dental,", "dentistry,", r"services.csv:6: service is 'dentistry'; expected: ambulatory, dental"),
    ("services", "0.059952", "0.459952", r"services.csv: the spending shares sum to 1.4"),
    ("season", "2,28,", "2,29,", r"season.csv: the months have 366 days"),
    ("household_income", "0.20,25600", "0.20,14000", r"household_income.csv:8: income is 14000 after 14629"),
    ("conditions", "diabetes,", "hypertension,", r"conditions.csv:7: condition 'hypertension' stands here a second"),
    ("demand", "intensive,0.43", "", r"demand.csv: there is no row for kind intensive"),
    ("spending_targets", "\nmean,", "\naverage,", r"there is no row for the quantity mean"),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), SPOILT)
def test_each_fault_is_reported_with_its_line(folder: Path, name: str, old: str, new: str, message: str) -> None:
    file = folder / f"{name}.csv"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(TableError, match=message):
        load(folder)


def test_missing_empty_and_binary_files_are_refused(folder: Path) -> None:
    (folder / "regions.csv").write_bytes(b"\xff\xfe\x00regions")
    with pytest.raises(TableError, match="not UTF-8"):
        load(folder)
    (folder / "regions.csv").write_text("# only a comment\nregion,share\n", encoding="utf-8")
    with pytest.raises(TableError, match="no rows"):
        load(folder)
    (folder / "regions.csv").write_text('region,share\n"a\nb",1\n', encoding="utf-8")
    with pytest.raises(TableError, match=r"regions\.csv"):
        load(folder)
    (folder / "regions.csv").unlink()
    with pytest.raises(TableError, match=r"regions\.csv: this table is missing"):
        load(folder)
