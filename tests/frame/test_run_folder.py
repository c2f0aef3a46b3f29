"""Which folders a run may be written to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.run_folder import RUN_FILES, OutputRefused, check_run_folder

MANIFEST = json.dumps({"format_name": "salus-run"})


def test_new_empty_and_own_folders_are_fine(tmp_path: Path) -> None:
    check_run_folder(tmp_path / "new")
    check_run_folder(tmp_path)
    (tmp_path / "manifest.json").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "report.html").write_text("", encoding="utf-8")
    check_run_folder(tmp_path)


@pytest.mark.parametrize(("files", "words"), [
    ({"notes.txt": "mine"}, "holds files that no run wrote"),
    ({"manifest.json": "{}"}, "holds files that no run wrote"),
    ({"manifest.json": "not json"}, "holds files that no run wrote"),
    ({"manifest.json": "[]"}, "holds files that no run wrote"),
    ({"manifest.json": MANIFEST, "notes.txt": "mine"}, "also holds 'notes.txt'"),
])
def test_foreign_files_are_left_alone(tmp_path: Path, files: dict[str, str], words: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(OutputRefused, match=words):
        check_run_folder(tmp_path)


def test_files_and_dead_links_are_no_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputRefused, match="is not a folder"):
        check_run_folder(tmp_path / "file")
    with pytest.raises(OutputRefused, match="a link to nowhere"):
        check_run_folder(tmp_path / "link")


def test_the_files_are_those_that_the_reference_describes() -> None:
    from sim.reference import FILES

    described = FILES.keys() | {"report.html"}
    assert described == RUN_FILES
