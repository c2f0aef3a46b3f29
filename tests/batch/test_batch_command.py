"""Whole batches by the command line: killed, resumed, failing, refused."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.batch.conftest import Start, data, wait_for_progress

N, KILLS = 60, 5
TRAP = ("--set", "trap.divisor=7")


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_batch_killed_five_times_ends_in_the_same_bytes(start: Start, toy: Path, tmp_path: Path, jobs: int) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert finished(start("batch", toy, "-n", N, "-j", 1, *TRAP, "--out", whole))[0] == 1
    chance = random.Random(4)
    for _ in range(KILLS):  # at most 16 of the 120 runs for each, and what was in flight
        process = start("batch", toy, "-n", N, "-j", jobs, *TRAP, "--out", broken)
        wait_for_progress(process, broken, chance.randint(1, 16))
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.communicate()
        assert not (broken / "runs.parquet").exists()
    code, out, err = finished(start("batch", toy, "-n", N, "-j", jobs, *TRAP, "--out", broken))
    assert code == 1, out + err
    now = int(out.split("(")[1].split(" now")[0])
    assert 0 < now < 2 * N - KILLS
    assert data(broken) == data(whole)


def test_one_process_and_two_write_the_same_bytes(start: Start, toy: Path, tmp_path: Path) -> None:
    for jobs in (1, 2):
        code, _, err = finished(start("batch", toy, "-n", 55, "-j", jobs, "--out", tmp_path / f"j{jobs}"))
        assert code == 0, err
    assert data(tmp_path / "j1") == data(tmp_path / "j2")


def test_failed_runs_are_recorded_and_the_printed_command_repeats_them(
    start: Start, toy: Path, tmp_path: Path, repository: Path, plugged: dict[str, str]
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
    assert len([line for line in out.splitlines() if "again:" in line]) == min(5, len(failed))
    printed = next(line for line in out.splitlines() if "again:" in line).split("again:")[1].strip()
    # As typed into a shell, where "python run_sim.py" or "salus" is what was installed.
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, call in (("python", sys.executable), ("salus", f"{sys.executable} {repository}/run_sim.py")):
        (bin_folder / name).write_text(f'#!/bin/sh\nexec {call} "$@"\n')
        (bin_folder / name).chmod(0o755)
    shell = {**plugged, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    for command, place in ((printed.replace("run_sim.py", f"{repository}/run_sim.py"), tmp_path),
                           (one["command"], folder)):
        seed = shlex.split(command)[shlex.split(command).index("--seed") + 1]
        again = subprocess.run(command, shell=True, cwd=place, env=shell, capture_output=True, text=True)
        assert again.returncode == 1, again.stderr
        assert f"trapped by seed {seed}" in again.stderr


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


@pytest.mark.parametrize(("whole", "replications"), [(True, 60), (False, 55)], ids=["finished", "killed"])
def test_retrying_what_failed_ends_as_if_it_had_never_failed(
    start: Start, toy: Path, tmp_path: Path, whole: bool, replications: int
) -> None:
    mended, fresh = tmp_path / "mended", tmp_path / "fresh"
    process = start("batch", toy, "-n", replications, "-j", 2, *TRAP, "--out", mended)
    if not whole:
        wait_for_progress(process, mended, 103)  # one part is built, a few runs wait
        process.send_signal(signal.SIGKILL)
    process.communicate()
    code, out, err = finished(start("batch", "--out", mended, "--retry-failed", SALUS_TRAP_DISARMED="1"))
    assert code == 0, out + err
    assert f"{2 * replications} runs" in out
    assert not whole or 0 < int(out.split("(")[1].split(" now")[0]) < replications
    assert finished(start("batch", toy, "-n", replications, "-j", 1, *TRAP, "--out", fresh, SALUS_TRAP_DISARMED="1")
                    )[0] == 0
    assert data(mended) == data(fresh)


@pytest.mark.slow
def test_kernels_are_compiled_once_before_workers_start(start: Start, toy: Path, tmp_path: Path) -> None:
    cold = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "NUMBA_CACHE_DIR": "",
            "SALUS_TRAP_LOG": str(tmp_path / "set-ups")}
    code, _, err = finished(start("batch", toy, "-n", 2, "-j", 2, "--set", "trap.divisor=9223372036854775807", **cold))
    assert code == 0, err
    assert err.count("Compiling the kernels") == 1
    pids = [line.split()[0] for line in (tmp_path / "set-ups").read_text(encoding="utf-8").splitlines()]
    assert len(pids) == 5
    assert pids[0] not in pids[1:]
    _, _, err = finished(start("batch", toy, "-n", 1, "-j", 2, "--out", tmp_path / "again", **cold))
    assert "Compiling" not in err


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
    wait_for_progress(process, folder, 3)
    process.send_signal(signal.SIGINT)
    code, _, err = finished(process)
    assert code == 130
    assert "the same command goes on" in err
    assert len(list((folder / "spool").glob("[0-9]*.parquet"))) >= 3
