"""Two toy sections and a writer of scenario files, so that reading is tested apart from the shipped mechanisms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from pydantic import model_validator

from sim.scenario.registry import Registry
from sim.scenario.types import Governable, Metric, Model, Section, Series, ShockKind, param


class FloodArguments(Model):
    height: float = param(1.0, "Height of the flood.", unit="m", gt=0.0, le=10.0)


class Well(Model):
    depth: int = param(10, "Depth of the well.", unit="m", ge=1, le=100)


class VillageSection(Section):
    """A village."""

    implementation: ClassVar[str] = "toy:Village"
    metrics: ClassVar[tuple[Metric, ...]] = (Metric("village.dry", "Share of dry houses"),
                                             Metric("village.lost", "Houses lost", "count", "low"))
    series: ClassVar[tuple[Series, ...]] = (Series("village.level", "Water level", "m"),)
    shocks: ClassVar[tuple[ShockKind, ...]] = (ShockKind("flood", "The river rises.", FloodArguments),)
    governable: ClassVar[tuple[Governable, ...]] = (Governable("village.dike", 0.0, 9.0, "Height of the dike"),)

    people: int = param(100, "Inhabitants.", unit="persons", ge=1, le=5_000)
    dike: float = param(2.5, "Height of the dike.", unit="m", grade="M", source="the mayor", ge=0.0, lt=20.0)
    rule: Literal["majority", "mayor"] = param("majority", "Who decides.")
    flag: bool = param(False, "Whether there is a flag.")
    motto: str = param("", "The motto.")
    levels: tuple[float, ...] = param((1.0, 2.0), "Alarm levels.", unit="m")
    wells: list[Well] = param([], "The wells.", max_length=3)
    taxes: dict[str, float] = param({}, "Tax by trade.")
    ceiling: float | None = param(None, "Highest tax.", ge=0.0)

    @model_validator(mode="after")
    def _mayor_needs_flag(self) -> VillageSection:
        if self.rule == "mayor" and not self.flag:
            raise ValueError("a mayor needs a flag: set flag to true")
        return self


class FishingSection(Section):
    """The fishing fleet."""

    implementation: ClassVar[str] = "toy:Fishing"
    requires: ClassVar[tuple[str, ...]] = ("village",)
    metrics: ClassVar[tuple[Metric, ...]] = (Metric("fishing.catch", "Fish caught", "t", "high"),)
    shocks: ClassVar[tuple[ShockKind, ...]] = (ShockKind("storm", "Boats stay in harbour.", Model),)

    boats: int = param(3, "Boats.", ge=0)


@pytest.fixture
def registry() -> Registry:
    """A registry of the toy sections and nothing else."""
    return Registry({"village": VillageSection, "fishing": FishingSection}, builtin=False)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of the given name and text into a temporary folder."""

    def write_file(text: str, name: str = "case.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file
