"""The command ``sensitivity`` on a scenario: sample, run, indices; and reading a batch that is not finished."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.batch import load_batch
from analysis.load import FolderError
from sim import cli
from tests.batch.conftest import Start, wait_for_progress

VARY = ["--vary", "economy.tax_rate=0.1:0.5", "--vary", "population.patients=30:60"]


def test_one_command_samples_runs_and_tells(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "morris"
    command = ["sensitivity", str(toy), *VARY, "--size", "3", "-j", "1", "--metric", "economy.unpaid_wages", "--metric",
               "population.mean_age", "--out", str(out)]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert "9 runs (9 now), 0 failed" in said
    assert "economy.unpaid_wages (USD): morris, 3 of 3 trajectories" in said
    assert "population.mean_age (years): morris, 3 of 3 trajectories" in said
    assert "population.patients moves population.mean_age most" in said
    assert (out / "sensitivity.html").is_file()
    assert json.loads((out / "plan.json").read_text(encoding="utf-8"))["variants"] == ["main"]
    assert cli.main(command) == 0
    assert "9 runs (0 now)" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "sentence"), [
    ([], "say what to vary"),
    (["--vary", "economy.tax_rate=0.5:0.1"], "the first must be below the second"),
    ([*VARY, "--method", "sobol", "--size", "6"], "power of two"),
    ([*VARY, "--metric", "nobody.knows"], "no section of the scenario reports a metric 'nobody.knows'"),
    ([*VARY, "--variant", "nobody"], "no scenario has a variant 'nobody'"),
    ([*VARY, "--engine", "dask"], "needs --scheduler"),
])
def test_what_cannot_be_sampled_is_a_sentence(
    toy: Path, tmp_path: Path, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sensitivity", str(toy), *words, "--out", str(tmp_path / "out")]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out" / "runs.parquet").exists()


def test_a_sampled_batch_is_not_sampled_again(toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "batch"
    assert cli.main(["batch", str(toy), "-n", "1", "-j", "1", "--out", str(out)]) == 0
    assert cli.main(["sensitivity", str(out), *VARY]) == 2
    assert "--vary needs a scenario" in capsys.readouterr().err
    assert cli.main(["sensitivity", str(tmp_path), *VARY]) == 2
    assert "is not a batch folder" in capsys.readouterr().err


def test_a_batch_that_was_killed_can_be_read(start: Start, toy: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    options = ("batch", toy, "-n", 60, "-j", 1, "--sweep", "economy.tax_rate=0.1,0.2", "--variant", "main")
    start(*options, "--out", whole).communicate()
    process = start(*options, "--out", part)
    wait_for_progress(process, part, 104)  # one part is built, a few runs wait for the next
    process.kill()
    process.communicate()
    finished, killed = load_batch(whole), load_batch(part)
    done = len(killed.runs)
    assert finished.note == ""
    assert killed.note == f"not finished: {done} of 120 runs"
    assert 103 <= done < 120
    pd.testing.assert_frame_equal(killed.runs, finished.runs.iloc[:done])
    assert killed.series == finished.series
    name = killed.series[0]
    pd.testing.assert_frame_equal(killed.daily(name, range(done)), finished.daily(name, range(done)))
    start(*options, "--out", part).communicate()
    assert load_batch(part).note == ""
    shutil.rmtree(part / "daily")
    (part / "runs.parquet").unlink()
    with pytest.raises(FolderError, match="has no finished runs"):
        _ = load_batch(part).runs
