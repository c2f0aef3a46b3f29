"""A disk that fills up or is read-only: a clear error, nothing lost; and what comes before the first worker."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sim import batch_command, cli
from sim.batch import atomic, engine, first_days, store
from tests.batch.conftest import data


def test_a_full_disk_is_a_sentence_and_loses_nothing(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["batch", str(toy), "-n", "52", "-j", "1", "--out", str(tmp_path / "full")]
    sync = os.fsync
    calls = 0
    for room in (9, 197, 15):  # among the runs; while the first part is built; while the last one is

        def fsync(handle: int, room: int = room) -> None:
            nonlocal calls
            calls += 1
            if calls > room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "the disk")
            sync(handle)

        calls = 0
        monkeypatch.setattr(atomic.os, "fsync", fsync)
        assert cli.main(command) == 2
        err = capsys.readouterr().err
        assert "No space left on device; finished runs are kept" in err
        assert "Traceback" not in err
        assert not list((tmp_path / "full").rglob(f"{atomic.TEMPORARY}*"))
    monkeypatch.setattr(atomic.os, "fsync", sync)
    assert cli.main(command) == 0
    assert cli.main([*command[:-1], str(tmp_path / "roomy")]) == 0
    assert data(tmp_path / "full") == data(tmp_path / "roomy")


def test_a_read_only_file_system_is_a_sentence_and_leaves_nothing(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def mkdtemp(prefix: str, dir: Path) -> str:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(dir / prefix))

    monkeypatch.setattr(store.tempfile, "mkdtemp", mkdtemp)
    assert cli.main(["batch", str(toy), "-n", "1", "-j", "1", "--out", str(tmp_path / "closed")]) == 2
    err = capsys.readouterr().err
    assert "Read-only file system" in err
    assert "Traceback" not in err
    assert not (tmp_path / "closed").exists()


def test_what_is_to_be_compiled_is_compiled_before_workers_start(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(batch_command, "say_if_compiling", lambda: True)
    monkeypatch.setattr(first_days, "compile_for", lambda scenarios: told.extend(one.name for one in scenarios))
    monkeypatch.setattr(engine, "local_pool", lambda workers: pytest.fail("workers first") if not told else None)
    monkeypatch.setattr(engine.PoolEngine, "outcomes", lambda self, function, tasks: (
        (k, function(task)) for k, task in enumerate(tasks)))
    assert cli.main(["batch", str(toy), "-n", "1", "-j", "2", "--out", str(tmp_path / "batch")]) == 0
    assert told == ["toy"]
