"""The plan of a batch: scenarios x variants x design points x replications, complete in itself.

Runs are numbered replication by replication, so that adding replications appends runs and moves none. Replication k has
the same seed everywhere. The plan carries its scenarios, so it can be resumed after their files were edited or lost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sim.batch.design import Design, DesignError, Grid, Sample, make_design
from sim.batch.plan import PlannedRun, run_seed
from sim.scenario.dump import flow, to_yaml
from sim.scenario.expectations import MAIN
from sim.scenario.load import Scenario, load_scenario, read_chain
from sim.scenario.overrides import lay_overrides
from sim.scenario.registry import metrics_of
from sim.scenario.scenario import plain_data

FORMAT = 1
FORMAT_NAME = "salus-batch"


@dataclass(frozen=True, slots=True)
class StopRule:
    """Stop after the first whole replication at which the 95 % interval of the mean of ``metric`` is no wider than
    ``half_width`` to either side, in every configuration."""

    metric: str
    half_width: float


@dataclass(frozen=True)
class BatchPlan:
    """What to run. ``entries`` are the scenarios as plan.json has them; ``sources`` their YAML, merged with what they
    extend and what was set, but with no default filled in, so that swept values mean what they would in the file."""

    entries: list[dict[str, Any]]
    sources: dict[str, str]
    configurations: list[tuple[str, str]]
    design: Design
    replications: int
    master_seed: int
    metrics: list[str]
    stop: StopRule | None = None

    @property
    def width(self) -> int:
        """Runs of one replication."""
        return len(self.configurations) * len(self.design.points)

    @property
    def total(self) -> int:
        """Runs in all."""
        return self.width * self.replications

    def run(self, index: int) -> PlannedRun:
        """Run ``index``."""
        replication, place = divmod(index, self.width)
        configuration, point = divmod(place, len(self.design.points))
        scenario, variant = self.configurations[configuration]
        return PlannedRun(index, variant, replication, run_seed(self.master_seed, replication), scenario, point)

    def to_json(self) -> dict[str, Any]:
        """The content of plan.json."""
        kind = "samples" if self.design.details else "sweep"
        swept = {"parameters": self.design.parameters, "points": self.design.points, **self.design.details}
        return {
            "format": FORMAT, "format_name": FORMAT_NAME, "scenarios": self.entries,
            "variants": list(dict.fromkeys(variant for _, variant in self.configurations)),
            "configurations": [list(one) for one in self.configurations],
            "replications": self.replications, "master_seed": self.master_seed,
            "design": self.design.kind, kind: swept, "metrics": self.metrics,
            "stop": None if self.stop is None else {"metric": self.stop.metric, "half_width": self.stop.half_width},
        }

    def difference(self, other: BatchPlan) -> str:
        """The first entry of plan.json, but for the replications, in which ``other`` differs; "" where none does."""
        mine, theirs = (json.loads(json.dumps({**plan.to_json(), "sources": plan.sources})) for plan in (self, other))
        return next((key for key in mine if key != "replications" and mine[key] != theirs.get(key)), "")

    def with_replications(self, replications: int) -> BatchPlan:
        """The same plan with another number of replications."""
        return replace(self, replications=replications)


@dataclass
class Configurations:
    """The scenarios of a plan's configurations, read when they are needed from files in ``folder``; a few are kept."""

    plan: BatchPlan
    folder: Path
    keep: int = 64
    _read: dict[tuple[str, int], dict[str, Scenario]] = field(default_factory=dict)

    def get(self, planned: PlannedRun) -> Scenario:
        """The configuration of a run; :class:`ScenarioError` where its design point is impossible."""
        key = planned.scenario, planned.point
        if key not in self._read:
            if len(self._read) >= self.keep:
                del self._read[next(iter(self._read))]
            settings = [(path, flow(value)) for path, value in self.plan.design.settings(planned.point).items()]
            found = load_scenario(self.folder / f"{planned.scenario}.yaml", settings)
            self._read[key] = {name: one.alone() for name, one in found.configurations().items()}
        return self._read[key][planned.variant]


def plan_batch(
    files: Sequence[Path], settings: list[tuple[str, str]], replications: int | None = None, seed: int | None = None,
    sweep: Grid | Sample | None = None, variants: list[str] | None = None, stop: StopRule | None = None,
) -> BatchPlan:
    """The plan of a batch over scenario ``files``; numbers that are not given are those of the first file.

    Raises :class:`ScenarioError` for what is wrong with a file at the values it will be run with, and
    :class:`DesignError` for what is wrong with the plan.
    """
    scenarios = [load_scenario(file, settings, seed) for file in files]
    if not scenarios:
        raise DesignError("a batch needs at least one scenario file")
    names = [one.name for one in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise DesignError(f"two of the scenarios are called '{name}'; give one of the files another 'name'")
    swept = {} if sweep is None else sweep.values if isinstance(sweep, Grid) else sweep.bounds
    for scenario, file in zip(scenarios, files, strict=True):
        _check_sweep(scenario, file, settings, sweep, variants)
    first = scenarios[0]
    whole = frozenset(path for path in swept if all(_is_whole(one, path) for one in scenarios))
    configurations = [(one.name, name) for one in scenarios for name in one.configurations()
                      if variants is None or name in variants]
    for name in variants or ():
        if name not in {variant for _, variant in configurations}:
            raise DesignError(f"no scenario has a variant '{name}'")
    metrics = sorted({name for one in scenarios for variant in one.configurations().values()
                      for name in metrics_of(variant.sections)})
    if stop is not None and stop.metric not in metrics:
        raise DesignError(f"no section of the scenarios reports a metric '{stop.metric}'")
    return BatchPlan(
        [_entry(one, file) for one, file in zip(scenarios, files, strict=True)],
        {one.name: _source(file, settings, seed, one.name) for one, file in zip(scenarios, files, strict=True)},
        configurations, make_design(sweep, first.seed, whole),
        first.replications if replications is None else replications, first.seed, metrics, stop)


def read_plan(text: str, sources: dict[str, str]) -> BatchPlan:
    """The plan in the text of plan.json; KeyError, TypeError or ValueError where it is none of ours."""
    plain = json.loads(text)
    if plain["format_name"] != FORMAT_NAME or plain["format"] != FORMAT:
        raise ValueError("not the plan of a batch")
    swept = dict(plain.get("samples") or plain["sweep"])
    design = Design(plain["design"], swept.pop("parameters"), swept.pop("points"), swept)
    stop = None if plain["stop"] is None else StopRule(**plain["stop"])
    return BatchPlan(plain["scenarios"], sources, [(s, v) for s, v in plain["configurations"]], design,
                     plain["replications"], plain["master_seed"], plain["metrics"], stop)


def _entry(scenario: Scenario, file: Path) -> dict[str, Any]:
    one = scenario.configurations()
    return {"name": scenario.name, "file": file.name, "config_hash": scenario.config_hash(),
            "question": scenario.question, "variants": list(one),
            "settings": {name: [[path, plain_data(value)] for path, value in variant.changes]
                         for name, variant in one.items()},
            "resolved": {name: {**variant.resolved(), "variants": {}} if name == MAIN else variant.resolved()
                         for name, variant in one.items()}}


def _source(file: Path, settings: list[tuple[str, str]], seed: int | None, name: str) -> str:
    root, _ = read_chain(file, file.name)
    root, _, _ = lay_overrides(root, settings)
    plain = {**root.plain(), "name": name}
    plain.pop("extends", None)
    if seed is not None:
        plain["seed"] = seed
    return to_yaml(plain)


def _is_whole(scenario: Scenario, path: str) -> bool:
    value: Any = scenario.resolved()
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return isinstance(value, int) and not isinstance(value, bool)


def _check_sweep(
    scenario: Scenario, file: Path, settings: list[tuple[str, str]], sweep: Grid | Sample | None,
    variants: list[str] | None,
) -> None:
    """Every value of a grid, or both ends of a sample, one parameter at a time: the corners may still be at fault,
    and then fail as runs."""
    if sweep is None:
        return
    ends = sweep.values if isinstance(sweep, Grid) else sweep.bounds
    for path, values in ends.items():
        for name, one in scenario.variants.items():
            touched = any(changed == path or changed.startswith(f"{path}.") for changed, _ in one.changes)
            if touched and (variants is None or name in variants):
                raise DesignError(f"the variant '{name}' of {scenario.name} sets {path} itself, so it cannot "
                                  "be swept; leave the variant out with --variant")
        for value in values:
            shown = int(value) if isinstance(sweep, Sample) and _is_whole(scenario, path) else value
            load_scenario(file, [*settings, (path, flow(shown))])
