"""Finding sections, and the consistency of those that are shipped."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import ClassVar

import pytest

from sim.scenario.errors import RegistryError
from sim.scenario.fields import fields_of
from sim.scenario.registry import DEFAULT, Registry, faults, section_types
from sim.scenario.types import Governable, Metric, Model, Section, ShockKind, param


def test_shipped_sections_are_consistent() -> None:
    assert faults(section_types()) == []


def test_shipped_parameters_are_documented() -> None:
    for name, section in section_types().items():
        for row in fields_of(section):
            assert row.description, f"{name}.{row.path}"
            assert row.grade in ("M", "L", "A")
            assert row.grade == "A" or row.source, f"{name}.{row.path} is graded {row.grade} without a source"


def test_shipped_sections_import_nothing_heavy(repository: Path) -> None:
    code = ("import sys; from sim.scenario.registry import section_types; section_types();"
            "print([m for m in ('numpy', 'mesa', 'numba', 'pandas', 'scipy', 'pyarrow') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    assert done.stdout.strip() == "[]"


def test_looking_up_one_section_imports_no_other(repository: Path) -> None:
    code = ("import sys; from sim.scenario.registry import DEFAULT; DEFAULT.get('economy');"
            "print(sorted(m for m in sys.modules if m.startswith('sim.scenario.sections.')))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    assert done.stdout.strip() == "['sim.scenario.sections.economy']"


def test_unknown_sections_are_none() -> None:
    assert DEFAULT.get("no_such_section") is None
    assert "economy" in DEFAULT.names()


def test_plug_ins_are_found_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry_points(group: str) -> list[EntryPoint]:
        return [EntryPoint("harbour", "sim.scenario.sections.economy", group),
                EntryPoint("broken", "no.such.module:X", group), EntryPoint("other", "pathlib:Path", group)]

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    registry = Registry()
    assert "harbour" in registry.names()
    assert registry.get("harbour") is registry.get("economy")
    with pytest.raises(RegistryError, match="'broken' cannot be imported"):
        registry.get("broken")
    with pytest.raises(RegistryError, match="does not define SECTION"):
        registry.get("other")


def test_a_plug_in_cannot_take_a_shipped_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [EntryPoint("economy", "x:Y", group)])
    with pytest.raises(RegistryError, match="'economy' has the name of a built-in one"):
        Registry().names()


def test_every_kind_of_inconsistency_is_named() -> None:
    class DayArguments(Model):
        day: int = param(1, "A day.")

    class Bad(Section):
        implementation: ClassVar[str] = "nowhere"
        requires: ClassVar[tuple[str, ...]] = ("absent",)
        metrics: ClassVar[tuple[Metric, ...]] = (Metric("bad.x", "X"),)
        shocks: ClassVar[tuple[ShockKind, ...]] = (ShockKind("s", "S.", DayArguments),)
        governable: ClassVar[tuple[Governable, ...]] = (
            Governable("bad.rate", 0.0, 1.0, "Rate"), Governable("bad.none", 0.0, 1.0, "None"))
        rate: float = param(2.0, "")

    class Twin(Section):
        implementation: ClassVar[str] = "a:B"
        metrics: ClassVar[tuple[Metric, ...]] = (Metric("bad.x", "X again"),)
        limits: tuple[int, ...] = param([1, 2], "A list where a tuple is declared.")

    assert faults({"bad": Bad, "twin": Twin}) == [
        "metric 'bad.x' is declared twice (bad, twin)",
        "bad: implementation must read 'package.module:Class', not 'nowhere'",
        "bad: requires 'absent', which is no section",
        "bad.rate: has no description",
        "bad: the shock 's' may not have an argument called 'day'",
        "bad: bad.rate starts at 2.0, outside its bounds of change",
        "bad: governable 'bad.none' is not the path of one of its parameters",
        "twin: the defaults do not satisfy the schema (limits)",
    ]
