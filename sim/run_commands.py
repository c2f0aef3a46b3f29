"""The commands that run the model: ``run``, ``check``, ``verify``, ``dashboard``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sim.asked import FAILED, FINE, UsageError, load, program, quoted, say_if_compiling

if TYPE_CHECKING:
    from sim.batch.check import CheckResult
    from sim.scenario.scenario import Scenario


def run_command(options: argparse.Namespace) -> int:
    """``run``"""
    from sim.run_folder import check_run_folder

    scenario = load(options.file, options).alone()
    out = options.out if options.out is not None else Path("runs") / f"{scenario.name}-seed{scenario.seed}"
    check_run_folder(out)
    say_if_compiling()  # before anything is imported that compiles
    from sim.model import run
    from sim.progress import Progress

    with Progress(scenario.name, scenario.horizon_days, "days") as bar:
        result = run(scenario, seed=scenario.seed, out=out, check_invariants=options.check_invariants,
                     progress=lambda done, total: bar.to(done), replace=True)
    for line in key_figures(scenario, result.summary):
        print(line)
    print(f"results: {out}")
    print(f"a page about them: {program()} report {quoted(out)}")
    return FINE


def check_command(options: argparse.Namespace) -> int:
    """``check``"""
    compiling = say_if_compiling()
    from sim.batch.check import check, needed_variants
    from sim.batch.engine import InlineEngine, local_engine
    from sim.progress import Progress

    scenarios = [load(file, options) for file in options.files]
    engine = local_engine(options.jobs)
    if compiling and not isinstance(engine, InlineEngine):
        from sim.batch.first_days import compile_for

        compile_for([(one.check or one).alone() for one in scenarios])
    passed = True
    for scenario in scenarios:
        names = needed_variants(scenario)
        if not names:
            print(f"{scenario.name}: states no expectations")
            continue
        count = options.replications or (scenario.check or scenario).replications
        with Progress(scenario.name, len(names) * count, "runs") as bar:
            result = check(scenario, count, engine, lambda record: bar.advance())
        _print_check(result, getattr(options, "debug", False))
        passed = passed and result.passed
    return FINE if passed else FAILED


def verify_command(options: argparse.Namespace) -> int:
    """``verify``"""
    say_if_compiling()
    from sim.verification import TOPICS, run_all, write

    for topic in options.topics:
        if topic not in TOPICS:
            raise UsageError(f"there is no topic '{topic}'; choose from {', '.join(TOPICS)}")
    found = []
    for topic, row in run_all(tuple(options.topics), progress=lambda title: print(title, flush=True)):
        found.append((topic, row))
        print(f"  {'holds' if row.verdict else 'FAILS'}  {row.id:<10} {row.statement}: {row.simulated}, "
              f"truth {row.expected} ({row.tolerance})", flush=True)
    good = sum(row.verdict for _, row in found)
    print(f"{good} of {len(found)} truths hold")
    if options.write is not None:
        write(found, options.write)
        print(f"table: {options.write}")
    return FINE if good == len(found) else FAILED


def dashboard_command(options: argparse.Namespace) -> int:
    """``dashboard``"""
    if not 0 <= options.port <= 65_535:
        raise UsageError(f"{options.port} is not a port; allowed: 0 to 65535")
    say_if_compiling()
    from sim.dashboard.server import serve

    serve(options.file, options.port, not options.no_browser)
    return FINE


def key_figures(scenario: Scenario, summary: dict[str, float], most: int = 12) -> list[str]:
    """The metrics that the scenario's expectations name, then those that are good or bad, one line each."""
    from sim.scenario.registry import metrics_of

    declared = metrics_of(scenario.sections)
    names = list(dict.fromkeys(wish.metric for wish in scenario.expect))
    names += [name for name in sorted(declared) if declared[name].better != "none" and name not in names]
    rows = [(name, summary[name], declared[name].unit) for name in names if name in summary][:most]
    width = max((len(name) for name, _, _ in rows), default=0)
    return [f"{name:<{width}}  {value:>14,.6g}  {unit if unit != '1' else ''}".rstrip() for name, value, unit in rows]


def _print_check(result: CheckResult, debug: bool) -> None:
    from sim.scenario.errors import clean

    scenario = result.scenario
    met = sum(verdict.met for verdict in result.verdicts)
    print(f"{scenario.name}: {met} of {len(result.verdicts)} expectations met, {result.replications} seeds, "
          f"{len(result.runs)} runs")
    for verdict in result.verdicts:
        print(f"  {verdict.status:<12}  {verdict.variant}: {verdict.expectation.text()}")
        print(f"  {'':<12}  {verdict.sentence}")
        if not verdict.met and verdict.expectation.note:
            print(f"  {'':<12}  note: {clean(verdict.expectation.note, 1000)}")
    for record in result.failed[:5]:
        planned = record.planned
        what = f"{planned.variant}, replication {planned.replication}, at {record.stage}"
        print(f"  run failed    {what}: {record.error}")
        print(f"  {'':<12}  again: {_rerun(scenario, planned.variant, planned.seed)}")
        if debug and record.details:
            print(record.details, file=sys.stderr)
    if len(result.failed) > 5:
        print(f"  run failed    {len(result.failed) - 5} more")


def _rerun(scenario: Scenario, variant: str, seed: int) -> str:
    """The command that repeats one run of a batch."""
    from sim.scenario.dump import flow

    one = scenario.configurations()[variant]
    settings = "".join(f" --set {quoted(f'{path}={flow(value)}')}" for path, value in one.settings)
    return f"{program()} run {quoted(one.file)} --seed {seed}{settings}"
