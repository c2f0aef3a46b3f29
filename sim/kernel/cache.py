"""Where compiled code is kept, and whether there is any yet. This module does not import numba.

numba's cache looks only at the file that holds a function, so an edit of a helper elsewhere would go unseen. The cache
therefore lives in a folder named by a hash of every source file that can reach compiled code and of the versions of
what compiles it.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
KEPT_DAYS = 30
"""Folders of other sources that nobody wrote to for so long are removed."""


def sources(package: Path = PACKAGE) -> list[Path]:
    """The kernel package, and every other file that imports the compiler."""
    files = sorted(package.rglob("*.py"))
    return [file for file in files if file.parent == package / "kernel" or b"sim.kernel.compiled" in file.read_bytes()]


def digest(package: Path = PACKAGE) -> str:
    """A hash of the sources, of Python and of the compiler's versions."""
    state = hashlib.blake2b(f"python={sys.version};".encode(), digest_size=8)
    for name in ("numba", "llvmlite", "numpy"):
        state.update(f"{name}={metadata.version(name)};".encode())
    for file in sources(package):
        state.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    return state.hexdigest()


def folder() -> Path:
    """``<user cache>/salus/kernels-<digest>``; a folder that ends with this process where that cannot be written.

    A worker finds the folder of its parent in ``NUMBA_CACHE_DIR``.
    """
    name = f"kernels-{digest()}"
    inherited = os.environ.get("NUMBA_CACHE_DIR")
    if inherited and Path(inherited).name == name:
        return Path(inherited)
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "salus"
        if not (root / name).is_dir():
            (root / name).mkdir(parents=True)
            _remove_old(root)
        with tempfile.TemporaryFile(dir=root / name):
            return root / name
    except (OSError, RuntimeError):  # no home, or one that cannot be written
        temporary = tempfile.mkdtemp(prefix="salus-")
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        return Path(temporary) / name


def _remove_old(root: Path) -> None:
    limit = time.time() - KEPT_DAYS * 86_400
    for old in root.glob("kernels-*"):
        if old.stat().st_mtime < limit:
            shutil.rmtree(old, ignore_errors=True)


def is_cold() -> bool:
    """Whether nothing is compiled yet from these sources. Ask before importing a kernel, to say so."""
    return not any(folder().rglob("*.nbi"))
