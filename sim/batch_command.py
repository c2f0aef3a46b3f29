"""What the command ``batch`` does: make a plan from flags or a plan file, run what is missing, say how it went."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.asked import UsageError, program, say_if_compiling
from sim.batch.batch_plan import BatchPlan, StopRule, plan_batch
from sim.batch.design import METHODS, DesignError, Grid, Sample, checked_bounds, parse_grid, parse_sample

if TYPE_CHECKING:
    from sim.batch.engine import Engine
    from sim.batch.memory import MemoryGuard

PLAN_KEYS = ("scenarios", "replications", "seed", "set", "variants", "sweep", "sample", "stop_when", "half_width")


def batch_command(options: argparse.Namespace) -> int:
    """``batch``"""
    try:
        plan, folder = planned(options)
        return run_batch(plan, folder, options)
    except DesignError as error:
        raise UsageError(str(error)) from error


def run_batch(plan: BatchPlan, folder: Path, options: argparse.Namespace) -> int:
    """Run what is missing of ``plan`` in ``folder``, on the engine that ``options`` name; the exit code."""
    compiling = say_if_compiling()
    from sim.batch.batch import Step, command, run_to_folder
    from sim.batch.memory import MemoryGuard
    from sim.progress import Progress

    guard = MemoryGuard(_patients(plan))
    engine = _engine(options, guard)
    if compiling and options.engine == "local":
        _compile(plan, engine)
    with Progress(folder.name, plan.total, "runs", rates=True) as bar:

        def tell(step: Step) -> None:
            guard.saw(step.peak_bytes)
            bar.total = step.total
            bar.note = ", ".join(filter(None, [f"{step.failed:,} failed" if step.failed else "", step.estimate]))
            bar.to(step.done)

        try:
            result = run_to_folder(plan, folder, engine, _metric(plan, options.metric), options.engine == "local",
                                   progress=tell, retry_failed=options.retry_failed)
        except KeyboardInterrupt:
            print(f"Interrupted; finished runs are kept, and the same command goes on: {folder}", file=sys.stderr)
            return 130
        except OSError as error:
            kept = f"finished runs are kept in {folder}, and the same command goes on"
            raise type(error)(error.errno, f"{error.strerror or error}; {kept}", str(error.filename or folder)
                              ) if error.errno else OSError(f"{error}; {kept}") from error
    print(f"{result.runs:,} runs ({result.computed:,} now), {result.failed:,} failed"
          + (f"; ended by its interval before replication {plan.replications:,}" if result.stopped_early else ""))
    if bar.note:
        print(bar.note)
    for file in sorted((folder / "failed").glob("*.json"), key=lambda one: int(one.stem))[:5]:
        print(f"  run {file.stem} failed: {_error(file)}")
        print(f"    again: {command(plan, int(file.stem), f'{folder}/', program())}")
    print(f"results: {folder}")
    return 1 if result.failed else 0


def planned(options: argparse.Namespace) -> tuple[BatchPlan, Path]:
    """The plan and its folder, from the files and flags, the plan file, or what the folder holds already."""
    from sim.batch.store import stored_plan
    from sim.scenario.library import find_scenario
    from sim.scenario.overrides import split_setting

    given = _read_plan_file(options.plan) if options.plan is not None else {}
    files = [find_scenario(file) for file in options.files]
    if not files:
        base = options.plan.parent if options.plan is not None else Path()
        files = [base / file if (base / file).is_file() else find_scenario(file) for file in given.get("scenarios", [])]
    if not files:
        if options.out is None or not (options.out / "plan.json").is_file():
            raise DesignError("name a scenario file, a --plan, or the --out folder of a batch to go on with")
        stored = stored_plan(options.out)
        return stored.with_replications(options.replications or stored.replications), options.out
    settings = [(path, _yaml(value)) for path, value in given.get("set", {}).items()]
    settings += [split_setting(text) for text in options.settings]
    metric = options.stop_when or given.get("stop_when")
    width = options.half_width if options.half_width is not None else given.get("half_width")
    if (metric is None) != (width is None):
        raise DesignError("--stop-when and --half-width belong together")
    plan = plan_batch(
        files, settings, options.replications or given.get("replications"),
        options.seed if options.seed is not None else given.get("seed"), _sweep(options, given),
        options.variants or given.get("variants"), None if metric is None else StopRule(metric, float(width or 0.0)))
    name = "-".join(entry["name"] for entry in plan.entries)[:80]
    return plan, options.out if options.out is not None else Path("runs") / f"{name}-batch"


def _sweep(options: argparse.Namespace, given: dict[str, Any]) -> Grid | Sample | None:
    if options.sweep and options.sample:
        raise DesignError("--sweep and --sample exclude each other")
    if options.sample:
        return parse_sample(options.sample)
    if options.sweep:
        return parse_grid(options.sweep)
    if "sweep" in given:
        return Grid({path: values if isinstance(values, list) else [values] for path, values in given["sweep"].items()})
    if "sample" in given:
        one = given["sample"]
        if one.get("method") not in METHODS or not isinstance(one.get("count"), int) or one["count"] < 1:
            raise DesignError("the sample of a plan file needs a method (lhs, sobol, morris) and a count")
        return Sample(one["method"], one["count"],
                      {path: checked_bounds(path, ends) for path, ends in one.get("parameters", {}).items()})
    return None


def _read_plan_file(file: Path) -> dict[str, Any]:
    """The plan file's entries, of the right kinds."""
    from sim.scenario.errors import nearest
    from sim.scenario.yaml_guard import read_file

    root, problems = read_file(file)
    if problems:
        from sim.scenario.errors import ScenarioError

        raise ScenarioError(problems)
    found = dict(root.plain())
    kinds: dict[str, type | tuple[type, ...]] = {
        "scenarios": list, "replications": int, "seed": int, "set": dict, "variants": list, "sweep": dict,
        "sample": dict, "stop_when": str, "half_width": (int, float)}
    for key, value in found.items():
        if key not in kinds:
            raise DesignError(f"{file}: there is no entry '{key}' in a plan; {nearest(key, PLAN_KEYS)}")
        if not isinstance(value, kinds[key]):
            raise DesignError(f"{file}: the entry '{key}' is of the wrong kind")
    if found.get("replications", 1) < 1:
        raise DesignError(f"{file}: replications must be at least 1")
    return found


def _yaml(value: Any) -> str:
    from sim.scenario.dump import flow

    return flow(value)


def _engine(options: argparse.Namespace, guard: MemoryGuard) -> Engine:
    if options.engine == "dask":
        if options.scheduler is None:
            raise DesignError("--engine dask needs --scheduler, such as tcp://127.0.0.1:8786")
        from sim.batch.dask_engine import DaskEngine

        return DaskEngine(options.scheduler)
    if options.scheduler is not None:
        raise DesignError("--scheduler needs --engine dask")
    from sim.batch.engine import local_engine

    return local_engine(options.jobs, guard.allowed)


def _compile(plan: BatchPlan, engine: Engine) -> None:
    """Leave nothing to compile to the workers of ``engine``, each of which would do it for itself."""
    import tempfile
    from contextlib import suppress

    from sim.batch.batch_plan import Configurations
    from sim.batch.engine import InlineEngine
    from sim.batch.first_days import compile_for
    from sim.scenario.errors import ScenarioError

    if isinstance(engine, InlineEngine):
        return
    with tempfile.TemporaryDirectory() as place:
        for name, text in plan.sources.items():
            (Path(place) / f"{name}.yaml").write_text(text, encoding="utf-8")
        scenarios = Configurations(plan, Path(place))
        first = {plan.run(index).scenario: plan.run(index) for index in reversed(range(plan.width))}
        with suppress(ScenarioError):  # an impossible design point, which is told as a failed run
            compile_for([scenarios.get(one) for one in first.values()])


def _patients(plan: BatchPlan) -> int:
    """The largest population that the plan runs."""
    found = [variant.get("population", {}).get("patients", 0)
             for entry in plan.entries for variant in entry["resolved"].values()]
    if "population.patients" in plan.design.parameters:
        column = plan.design.parameters.index("population.patients")
        found += [point[column] for point in plan.design.points]
    return max(found)


def _metric(plan: BatchPlan, asked: str | None) -> str | None:
    """Whose estimate is shown: the one asked for, or that of the first expectation."""
    if asked is not None:
        if asked not in plan.metrics:
            raise DesignError(f"no section of the scenarios reports a metric '{asked}'")
        return asked
    wishes = plan.entries[0]["resolved"][plan.entries[0]["variants"][0]].get("expect", [])
    return wishes[0]["metric"] if wishes else None


def _error(file: Path) -> str:
    import json

    return str(json.loads(file.read_text(encoding="utf-8"))["error"])
