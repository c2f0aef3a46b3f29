"""Runs a scenario and its variants over its replications and judges what they were expected to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.batch.engine import Engine, InlineEngine
from sim.batch.judge import Figures, Verdict, judge
from sim.batch.plan import plan_runs
from sim.batch.runs import CheckInvariants, RunRecord, RunTask, lost, run_task

if TYPE_CHECKING:
    from sim.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdicts of a scenario, and the record of every run, in the order of the plan."""

    scenario: Scenario
    replications: int
    verdicts: list[Verdict]
    runs: list[RunRecord]

    @property
    def failed(self) -> list[RunRecord]:
        """Runs that did not reach their end."""
        return [record for record in self.runs if record.status == "failed"]

    @property
    def passed(self) -> bool:
        """Whether every run reached its end and every expectation is met."""
        return not self.failed and all(verdict.met for verdict in self.verdicts)


def run_batch(
    scenario: Scenario,
    replications: int | None = None,
    variants: list[str] | None = None,
    engine: Engine | None = None,
    check_invariants: CheckInvariants = "end",
    progress: Callable[[RunRecord], None] | None = None,
) -> list[RunRecord]:
    """Run ``scenario`` and its variants ("main" is the scenario itself) on the same seeds.

    Parameters
    ----------
    replications: seeds per configuration; the scenario's own number by default.
    variants: which configurations to run; all by default.
    engine: where to compute; one run after the other in this process by default.
    progress: called with each record as it comes in, in no particular order.

    Returns the records in the order of the plan, whatever the engine.
    """
    configurations = scenario.configurations()
    names = list(configurations) if variants is None else variants
    count = scenario.replications if replications is None else replications
    alone = {name: configurations[name].alone() for name in names}
    tasks = [RunTask(planned, alone[planned.variant], check_invariants)
             for planned in plan_runs(names, scenario.seed, count)]
    records: dict[int, RunRecord] = {}
    for position, outcome in (engine or InlineEngine()).outcomes(run_task, tasks):
        record = lost(tasks[position].planned, outcome) if isinstance(outcome, BaseException) else outcome
        records[position] = record
        if progress is not None:
            progress(record)
    return [records[position] for position in range(len(tasks))]


def needed_variants(scenario: Scenario) -> list[str]:
    """The configurations that some expectation looks at, "main" first; empty where nothing is expected."""
    configurations = scenario.configurations()
    needed = {name for name, one in configurations.items() if one.expect}
    needed |= {wish.against for one in configurations.values() for wish in one.expect if wish.against is not None}
    return [name for name in configurations if name in needed]


def check(
    scenario: Scenario,
    replications: int | None = None,
    engine: Engine | None = None,
    progress: Callable[[RunRecord], None] | None = None,
) -> CheckResult:
    """Run what the expectations of ``scenario`` need, in the form its ``check`` block gives it, and judge them."""
    small = scenario.check or scenario
    count = small.replications if replications is None else replications
    records = run_batch(small, count, needed_variants(small), engine, progress=progress)
    return CheckResult(small, count, verdicts_of(small, records), records)


def verdicts_of(scenario: Scenario, records: list[RunRecord]) -> list[Verdict]:
    """Each expectation of ``scenario`` and its variants, judged by ``records``."""
    figures: dict[str, list[dict[str, float] | None]] = {}
    for record in sorted(records, key=lambda record: record.planned.index):
        figures.setdefault(record.planned.variant, []).append(record.metrics if record.status == "ok" else None)
    verdicts = []
    for name, one in scenario.configurations().items():
        for wish in one.expect:
            others: Figures | None = figures[wish.against] if wish.against is not None else None
            verdicts.append(judge(name, wish, figures[name], others))
    return verdicts
