"""Whole batches by the command line: killed, resumed, failing, refused."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.batch.conftest import Start, data

N = 60
TRAP = ("--set", "trap.divisor=7")


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


def test_a_batch_killed_at_random_points_ends_in_the_same_bytes(start: Start, toy: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert finished(start("batch", toy, "-n", N, "-j", 1, *TRAP, "--out", whole))[0] == 1
    chance = random.Random(4)
    kills = 0
    for attempt in range(40):
        process = start("batch", toy, "-n", N, "-j", 1 + attempt % 2, *TRAP, "--out", broken)
        if kills < 5:
            _wait_for_progress(process, broken, chance.randint(1, 25))
        else:
            process.wait(timeout=600)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            continue
        process.communicate()
        break
    assert kills >= 3
    assert data(broken) == data(whole)


def _wait_for_progress(process: subprocess.Popen[str], folder: Path, runs: int) -> None:
    """Until ``runs`` more were logged, or the process has ended."""
    log = folder / "log.jsonl"

    def logged() -> int:
        return log.read_bytes().count(b'"run"') if log.exists() else 0

    before = logged()
    while process.poll() is None and logged() - before < runs:
        time.sleep(0.002)


def test_one_process_and_two_write_the_same_bytes(start: Start, toy: Path, tmp_path: Path) -> None:
    for jobs in (1, 2):
        code, _, err = finished(start("batch", toy, "-n", 55, "-j", jobs, "--out", tmp_path / f"j{jobs}"))
        assert code == 0, err
    assert data(tmp_path / "j1") == data(tmp_path / "j2")


def test_failed_runs_are_recorded_and_the_printed_command_repeats_them(
    start: Start, toy: Path, tmp_path: Path, repository: Path
) -> None:
    folder = tmp_path / "a folder"
    code, out, _ = finished(start("batch", toy, "-n", 20, "-j", 2, *TRAP, "--out", folder))
    assert code == 1
    runs = pq.read_table(folder / "runs.parquet").to_pylist()
    failed = {row["index"] for row in runs if row["seed"] % 7 == 0}
    assert failed
    assert {row["index"] for row in runs if row["status"] == "failed"} == failed
    assert {int(file.stem) for file in (folder / "failed").iterdir()} == failed
    assert f"40 runs (40 now), {len(failed)} failed" in out
    one = json.loads((folder / "failed" / f"{max(failed)}.json").read_text(encoding="utf-8"))
    assert one["type"] == "ValueError"
    assert one["error"].endswith(f"trapped by seed {one['seed']}")
    assert str(repository) not in one["traceback"]
    commands = [line.split("again:")[1] for line in out.splitlines() if "again:" in line]
    for command in [commands[0], one["command"]]:
        words = shlex.split(command)
        words = words[words.index("run"):]
        if not Path(words[1]).is_absolute():
            words[1] = str(folder / words[1])
        code, _, err = finished(start(*words, "--out", tmp_path / "again"))
        assert code == 1
        assert f"trapped by seed {words[words.index('--seed') + 1]}" in err


def test_more_replications_add_to_a_batch_and_change_nothing(start: Start, toy: Path, tmp_path: Path) -> None:
    grown, fresh = tmp_path / "grown", tmp_path / "fresh"
    assert finished(start("batch", toy, "-n", 5, "-j", 1, *TRAP, "--out", grown))[0] in (0, 1)
    code, out, err = finished(start("batch", "-n", 52, "-j", 1, "--out", grown))
    assert "94 now" in out, err
    finished(start("batch", toy, "-n", 52, "-j", 1, *TRAP, "--out", fresh))
    assert data(grown) == data(fresh)
    code, _, err = finished(start("batch", toy, "-n", 3, *TRAP, "--out", grown))
    assert code == 2
    assert "52 replications" in err


def test_a_run_that_kills_its_worker_is_given_up_and_the_others_are_saved(
    start: Start, toy: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "deadly"
    code, out, err = finished(start("batch", toy, "-n", 8, "-j", 2, "--variant", "main", *TRAP, "--set",
                                    "trap.deadly=true", "--out", folder))
    rows = pq.read_table(folder / "runs.parquet").to_pylist()
    doomed = [row["seed"] % 7 == 0 for row in rows]
    assert [row["status"] == "failed" for row in rows] == doomed
    assert code == int(any(doomed)), out + err


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write to read-only folders")
def test_a_read_only_place_is_a_sentence(start: Start, toy: Path, tmp_path: Path) -> None:
    place = tmp_path / "closed"
    place.mkdir()
    place.chmod(0o555)
    code, _, err = finished(start("batch", toy, "-n", 1, "--out", place / "batch"))
    assert code == 2
    assert "Permission denied" in err
    assert "Traceback" not in err


def test_two_batches_do_not_share_a_folder(start: Start, toy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    slow = start("batch", toy, "-n", 3, "-j", 1, "--set", "trap.sleep=1", "--set", "trap.divisor=9223372036854775807",
                 "--out", folder)
    while not (folder / "log.jsonl").exists() and slow.poll() is None:
        time.sleep(0.01)
    code, _, err = finished(start("batch", "--out", folder))
    assert code == 2
    assert "another process is writing" in err
    assert finished(slow)[0] == 0


def test_interrupting_keeps_what_is_finished(start: Start, toy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "batch"
    process = start("batch", toy, "-n", 40, "-j", 2, "--set", "trap.sleep=0.05", "--out", folder)
    _wait_for_progress(process, folder, 3)
    process.send_signal(signal.SIGINT)
    code, _, err = finished(process)
    assert code == 130
    assert "the same command goes on" in err
    assert len(list((folder / "spool").glob("[0-9]*.parquet"))) >= 3
