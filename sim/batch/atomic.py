"""Files that appear whole or not at all: written beside their place, forced to the disk, renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

TEMPORARY = ".writing-"
"""How the names of unfinished files begin."""


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let ``write`` fill a new file, then put it in the place of ``path``; raises OSError and leaves nothing behind."""
    # The name is one's own: a worker that outlived its parent may be writing the same run.
    temporary = path.parent / f"{TEMPORARY}{path.name}-{uuid4().hex[:12]}"
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """``content`` as a file, atomically."""
    write_atomically(path, lambda file: file.write(content))


def write_json(path: Path, content: Any) -> None:
    """``content`` as indented JSON, atomically."""
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    write_bytes(path, text.encode())


def sync_folder(folder: Path) -> None:
    """Force the names in ``folder`` to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
