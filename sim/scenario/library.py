"""The scenarios that are shipped, and what each is about, without validating any of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sim.scenario.errors import ScenarioError, clean
from sim.scenario.yaml_guard import read_file

_MAX_BASES = 16


@dataclass(frozen=True, slots=True)
class Listed:
    """One scenario file; ``fault`` says why it cannot be read, empty where it can. All text is safe to print."""

    file: Path
    name: str
    stage: str
    question: str
    fault: str = ""


def shipped_folder() -> Path:
    """The folder of shipped scenarios: beside the package in a repository, else where the installation put them."""
    beside = Path(__file__).resolve().parents[2] / "scenarios"
    return beside if beside.is_dir() else Path(sys.prefix) / "share" / "salus-sim" / "scenarios"


def find_scenario(given: str) -> Path:
    """The file that ``given`` names: a path, or the bare name of a shipped scenario where there is no such path."""
    path = Path(given)
    if not path.suffix and path.name == given and not path.exists():
        shipped = shipped_folder() / f"{given}.yaml"
        if shipped.is_file():
            return shipped
    return path


def list_scenarios(folders: Iterable[Path]) -> list[Listed]:
    """The scenarios in ``folders``, by file name; files whose names start with '_' are bases for others."""
    files = sorted(file for folder in folders for file in folder.glob("*.yaml") if not file.name.startswith("_"))
    return [_read(file) for file in files]


def _read(file: Path) -> Listed:
    facts: dict[str, str] = {}
    path = file
    for _ in range(_MAX_BASES):
        try:
            root, _ = read_file(path)
        except ScenarioError as error:
            fault = "" if facts else str(error.problems[0])
            return Listed(file, facts.get("name", clean(file.stem, 80)), facts.get("stage", "-"),
                          facts.get("question", ""), fault)
        for key in ("name", "stage", "question"):
            inherits = path != file and key == "name"
            if key in root.entries and key not in facts and not inherits:
                facts[key] = clean(root.entries[key].plain(), 80 if key == "name" else 300)
        base = root.entries.get("extends")
        if {"stage", "question"} <= facts.keys() or base is None or not isinstance(base.value, str):
            break
        path = path.parent / base.value
    return Listed(file, facts.get("name", clean(file.stem, 80)), facts.get("stage", "3"), facts.get("question", ""))
