"""Compilation: the options are safe, the cache folder sees every source, light modules stay light."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.kernel import cache, compiled
from sim.kernel.draws import mix64

ROOT = cache.PACKAGE.parent


def in_a_new_process(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_options_of_every_kernel() -> None:
    options = mix64.targetoptions  # type: ignore[attr-defined]
    assert options["nogil"]
    assert not options["fastmath"]
    assert not options["parallel"]
    assert options["error_model"] == "numpy"


def test_light_modules_import_no_numba() -> None:
    code = "import sys, sim.kernel.fixedpoint, sim.kernel.cache, sim.kernel.journal; print('numba' in sys.modules)"
    assert in_a_new_process(code) == "False"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    root = tmp_path / "sim"
    (root / "kernel").mkdir(parents=True)
    (root / "amm").mkdir()
    (root / "kernel" / "helper.py").write_text("X = 1\n")
    (root / "amm" / "swap.py").write_text("from sim.kernel.compiled import kernel\n")
    (root / "amm" / "plain.py").write_text("Y = 1\n")
    return root


@pytest.mark.parametrize(
    ("file", "changes"), [("kernel/helper.py", True), ("amm/swap.py", True), ("amm/plain.py", False)]
)
def test_digest_follows_the_sources_that_reach_compiled_code(package: Path, file: str, changes: bool) -> None:
    before = cache.digest(package)
    assert cache.digest(package) == before
    (package / file).write_text((package / file).read_text() + "Z = 2\n")
    assert (cache.digest(package) != before) is changes


def test_folder_is_in_the_user_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    old, other = tmp_path / "salus" / "kernels-0", tmp_path / "salus" / "mine"
    for folder in (old, other):
        folder.mkdir(parents=True)
        os.utime(folder, (0, 0))
    chosen = cache.folder()
    assert chosen == tmp_path / "salus" / f"kernels-{cache.digest()}"
    assert chosen.is_dir()
    assert not old.exists()
    assert other.exists()
    assert cache.is_cold()
    (chosen / "x.nbi").touch()
    assert not cache.is_cold()


def test_a_worker_takes_its_parents_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parents = tmp_path / f"kernels-{cache.digest()}"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(parents))
    assert cache.folder() == parents
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels-of-other-sources"))
    assert cache.folder() != tmp_path / "kernels-of-other-sources"


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code = (
        "import os\nfrom sim.kernel import cache\nfolder = cache.folder()\n"
        "os.makedirs(folder)\nprint(folder.parent)"
    )
    folder = in_a_new_process(code, XDG_CACHE_HOME=str(tmp_path / "file"), NUMBA_CACHE_DIR="")
    assert "salus-" in folder
    assert not Path(folder).exists()


def test_numba_uses_the_folder() -> None:
    code = "import sim.kernel.compiled, numba, os; print(numba.config.CACHE_DIR == os.environ['NUMBA_CACHE_DIR'])"
    assert in_a_new_process(code) == "True"
    assert in_a_new_process("import numba; " + code) == "True"
    assert compiled.numba.config.CACHE_DIR
