"""Which folders a result may be written to: a new one, an empty one, or one that holds nothing but an earlier run."""

from __future__ import annotations

import json
from pathlib import Path

RUN_FILES = frozenset({
    "scenario.yaml", "manifest.json", "log.jsonl", "summary.json", "daily.parquet", "institutions.parquet",
    "flows.parquet", "events.parquet", "triangles.parquet", "people.parquet", "exposures.parquet",
    "forecasts.parquet", "votes.parquet", "report.html",
})
"""Every file that a run or its report puts into a run folder."""


FORMAT_NAME = "salus-run"
"""Marks a manifest as ours."""


class OutputRefused(ValueError):
    """The folder holds something that no run wrote; the message is a sentence."""


def check_run_folder(folder: Path) -> None:
    """Refuse ``folder`` unless writing a run there destroys nothing but an earlier run of ours."""
    if folder.is_symlink() and not folder.exists():
        raise OutputRefused(f"{folder} is a link to nowhere; choose another --out")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputRefused(f"{folder} exists and is not a folder; choose another --out")
    names = sorted(entry.name for entry in folder.iterdir())
    if not names:
        return
    foreign = [name for name in names if name not in RUN_FILES]
    if not wrote(folder):
        raise OutputRefused(f"{folder} holds files that no run wrote ('{names[0]}', ...); choose another --out")
    if foreign:
        raise OutputRefused(f"{folder} also holds '{foreign[0]}', which no run wrote; move it, or choose another --out")


def wrote(folder: Path) -> bool:
    """Whether ``folder`` has the manifest of a run of ours."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("format_name") == FORMAT_NAME
