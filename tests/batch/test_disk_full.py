"""A disk that fills up: a clear error, nothing lost, and the same command goes on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sim import cli
from sim.batch import atomic
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
