"""The laboratory: robust yet fragile, reproducible, and a folder with a picture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.load import FolderError
from analysis.plots.contagion import load_experiment, representative, write_picture
from sim import cli
from sim.batch.intervals import wilson
from sim.batch.laboratory import Point, run_experiment, write_experiment
from sim.contagion import window
from sim.contagion.laboratory import EXPERIMENTS, Laboratory, Outcome, Setting, clear_after, own_experiments
from sim.contagion.networks import Network, balance_sheets, ring
from sim.kernel.draws import Draws
from sim.run_folder import OutputRefused

DEBTS = "debtor,creditor,amount\n" + "".join(f"P{i},P{(i + step) % 9},{1 + i % 3}\n" for i in range(9)
                                            for step in (1, 2))


def shares(setting: Setting, runs: int = 60) -> list[float]:
    laboratory = Laboratory(11)
    return [laboratory.run(setting, number).share for number in range(runs)]


# What is known --------------------------------------------------------------------------------------------------


def test_the_window_opens_near_one_and_closes() -> None:
    low, high = window.window(0.2, 0.04) or (0.0, 0.0)
    assert low == pytest.approx(1.00373123)
    assert high == pytest.approx(7.47708018)
    assert window.window(0.2, 0.2 * 1.01) is None
    assert window.vulnerable_debtors(0.2, 0.04) == 5
    for outside in (low - 0.01, high + 0.01):
        assert window.frequency(outside, 0.2, 0.04) == window.extent(outside, 0.2, 0.04) == 0.0


def test_robust_yet_fragile() -> None:
    """Rare at either end, and near the upper end rarely but nearly everybody."""
    inside, beyond, before, late = (np.array(shares(Setting("", z, degree=z))) for z in (3.0, 11.0, 0.4, 7.5))
    assert (inside >= 0.05).mean() > 0.7
    assert max(beyond.max(), before.max()) < 0.05
    assert 0.02 < (late >= 0.05).mean() < 0.5
    assert late[late >= 0.05].min() > 0.95


def test_capital_lending_and_costs_move_it_as_they_should() -> None:
    base = Setting("", 0.0, degree=4.0, count=400)
    clearing = replace(base, spreads="clearing")
    assert max(shares(replace(base, capital=0.21))) == 1 / 400  # nobody can lose more than it lends
    assert np.mean(shares(replace(base, lent=0.1))) < np.mean(shares(base))
    costless, costly = (np.mean(shares(replace(clearing, alpha=keep, beta=keep), 20)) for keep in (1.0, 0.7))
    assert costless < 0.02 < 0.3 < costly


def test_the_largest_debtor_is_worse_than_a_random_one() -> None:
    hubs = Setting("", 0.0, topology="scale_free", degree=3.0, count=500)
    assert np.mean(shares(replace(hubs, trigger="most_owing"))) > np.mean(shares(hubs))


def test_clearing_keeps_depositors_first() -> None:
    """A ring: the failed one's deposits take all it has left, so that its creditor loses its whole claim."""
    network = balance_sheets(ring(5, 1, Draws(1).decision("links"), 0), 5, 0.2, 0.04)
    found = clear_after(network, 0, 1.0, 1.0)
    assert found.failed == 5
    assert found.depth == 4
    safe = Network(network.debtor, network.creditor, network.amount, network.outside, network.capital + 0.2)
    assert clear_after(safe, 0, 1.0, 1.0).failed == 1


# Runs and folders -----------------------------------------------------------------------------------------------


def test_runs_are_a_function_of_seed_and_number() -> None:
    setting = Setting("", 0.0, count=300)
    one, again, other = Laboratory(1), Laboratory(1), Laboratory(2)
    forwards = [one.run(setting, number) for number in range(20)]
    assert [again.run(setting, number) for number in reversed(range(20))] == forwards[::-1]
    assert [other.run(setting, number) for number in range(20)] != forwards


def test_a_point_reports_wilson_and_conditional_extent() -> None:
    outcomes = [Outcome(0, failed, 2, 100) for failed in (1, 1, 80, 90)]
    row = Point(Setting("s", 3.0), outcomes).row(True, True)
    assert (row["frequency_low"], row["frequency_high"]) == wilson(2, 4)
    assert row["extent"] == pytest.approx(0.85)
    assert row["share"] == pytest.approx(0.43)
    assert row["analytic_frequency"] == window.frequency(3.0, 0.2, 0.04)
    whole = Point(Setting("s", 3.0), outcomes).row(False, False)
    assert whole["frequency_low"] == whole["frequency_high"] == 0.5
    assert np.isnan(Point(Setting("s", 3.0), outcomes[:2]).row(False, True)["extent"])


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_every_experiment_writes_equal_bytes_twice(name: str, tmp_path: Path) -> None:
    chosen = EXPERIMENTS[name]
    small = replace(chosen, settings=tuple(replace(one, count=60) for one in chosen.settings[::9]))
    for folder in ("a", "b"):
        points = run_experiment(small, 5, runs=6)
        write_experiment(tmp_path / folder, small, points, 5, draw=write_picture)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["cascades.parquet", "manifest.json", "picture.png", "sizes.parquet", "summary.parquet"]
    for file in names:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
    manifest, summary, sizes = load_experiment(tmp_path / "a")
    assert manifest["experiment"] == name
    assert len(summary) == len(small.settings)
    assert len(pd.read_parquet(tmp_path / "a" / "cascades.parquet")) == 6 * len(small.settings)
    assert (sizes.groupby(["series", "x"])["at_least"].max() == 1.0).all()


def test_a_network_of_one_s_own_fails_each_institution_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "debts.csv").write_text(DEBTS, encoding="utf-8")
    arguments = ["laboratory", "capital", "--network", str(tmp_path / "debts.csv"), "--out", str(tmp_path / "out")]
    assert cli.main(arguments) == 0
    assert "picture.png" in capsys.readouterr().out
    table = pd.read_parquet(tmp_path / "out" / "institutions.parquet")
    assert sorted(table["institution"]) == [f"P{i}" for i in range(9)]
    assert ((table["debtrank"] >= table["debtrank_single_hit"] - 1e-12) & (table["threshold_failed"] >= 1)).all()
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["given_network"] is True
    cascades = pd.read_parquet(tmp_path / "out" / "cascades.parquet")
    assert cascades.groupby("x")["trigger"].apply(sorted).map(lambda found: found == list(range(9))).all()
    assert cli.main(arguments) == 0  # an earlier experiment of ours may be replaced


def test_more_capital_never_lengthens_a_cascade_on_a_given_network() -> None:
    links = ring(12, 2, Draws(1).decision("links"), 0)
    network = balance_sheets(links, 12)
    points = run_experiment(own_experiments(network)["capital"], 1, network=network)
    sizes = [sum(one.failed for one in point.outcomes) for point in points]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 144
    assert sizes[-1] == 12


# Command line and refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["nonsense"], "no experiment 'nonsense'"),
    (["capital", "--institutions", "x.csv"], "needs --network"),
    (["topology", "--network", "debts.csv"], "choose from capital, costs"),
    (["capital", "--network", "missing.csv"], "missing.csv"),
])
def test_bad_input_is_one_sentence(arguments: list[str], sentence: str, tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "debts.csv").write_text(DEBTS, encoding="utf-8")
    assert cli.main(["laboratory", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_without_a_name_the_experiments_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["laboratory"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(EXPERIMENTS)


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    small = replace(EXPERIMENTS["capital"], settings=(Setting("s", 0.1, count=20),))
    points = run_experiment(small, 1, runs=2)
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(OutputRefused, match="mine"):
        write_experiment(tmp_path, small, points, 1)
    assert (tmp_path / "mine.txt").read_text() == "keep"
    with pytest.raises(FolderError, match="not a whole folder"):
        load_experiment(tmp_path)


def test_sizes_are_shown_where_the_curve_turns() -> None:
    table = pd.DataFrame({"series": "s", "x": [1.0, 2.0, 3.0, 4.0, 5.0], "frequency": [0.0, 0.1, 0.9, 0.2, 0.0]})
    assert representative(table, "s") == [2.0, 3.0, 4.0, 5.0]
