"""A real scheduler with two workers, each a process of its own; one of them is killed at work."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batch.conftest import Start, data

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")


@pytest.fixture
def cluster(plugged: dict[str, str], tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The scheduler's address, and its two workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quiet = {"cwd": tmp_path, "env": plugged | {"SALUS_TRAP_LOG": str(tmp_path / "set-ups")},
             "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    program = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    processes = [subprocess.Popen([*program, "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"], **quiet)]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny",
              "--no-dashboard"]
    processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
    try:
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def set_ups(place: Path, worker: subprocess.Popen[bytes] | None = None) -> int:
    """Runs that the cluster, or one of its workers, has begun."""
    log = place / "set-ups"
    pids = [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []
    return len(pids) if worker is None else pids.count(str(worker.pid))


def test_a_killed_worker_costs_only_its_running_tasks(
    start: Start, toy: Path, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, workers = cluster
    options = ("batch", toy, "-n", 20, "--set", "trap.divisor=7", "--set", "trap.sleep=0.2")
    by_dask, here = tmp_path / "dask", tmp_path / "here"
    process = start(*options, "--engine", "dask", "--scheduler", address, "--out", by_dask)
    # Until the one to be killed is in its third run, and there is another to take over.
    while process.poll() is None and not all(set_ups(tmp_path, worker) >= 3 for worker in workers):
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()
    workers[0].kill()
    assert workers[0].wait() == -signal.SIGKILL
    out, err = process.communicate()
    assert process.returncode == 1, out + err
    assert "40 runs (40 now)" in out
    # Lost is what it computed, and at most one result that it had not handed over yet.
    assert 40 <= set_ups(tmp_path) <= 42
    assert set_ups(tmp_path, workers[0]) < 20
    start(*options, "-j", 1, "--out", here).communicate()
    assert data(by_dask) == data(here)


def test_an_address_where_nobody_answers_is_a_sentence(toy: Path, tmp_path: Path) -> None:
    from sim.batch.dask_engine import ClusterError, DaskEngine

    with pytest.raises(ClusterError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        DaskEngine("tcp://127.0.0.1:9", wait_seconds=1)
