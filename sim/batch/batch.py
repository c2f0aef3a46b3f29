"""Runs what is missing of a batch, wherever it was left, and writes its folder."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sim.batch.batch_plan import BatchPlan, Configurations
from sim.batch.engine import Engine
from sim.batch.monitor import Monitor
from sim.batch.plan import PlannedRun
from sim.batch.retry import forget_failed
from sim.batch.runs import CheckInvariants, RunRecord, lost
from sim.batch.spool import DAILY_SCHEMA, Spooled, SpoolTask, encode, outcome_of, spool_run
from sim.batch.store import BatchStore
from sim.scenario.dump import flow
from sim.scenario.errors import ScenarioError, clean


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How a batch ended: runs in all, failed ones, and whether its interval ended it before its last replication."""

    runs: int
    failed: int
    stopped_early: bool
    computed: int


@dataclass(frozen=True, slots=True)
class Step:
    """What is told after each run: runs done of all, failures, the running estimate as text, and memory at its peak."""

    done: int
    total: int
    failed: int
    estimate: str
    peak_bytes: int


def run_to_folder(
    plan: BatchPlan, folder: Path, engine: Engine, metric: str | None = None, shared_disk: bool = True,
    check_invariants: CheckInvariants = "end", progress: Callable[[Step], None] = lambda step: None,
    retry_failed: bool = False,
) -> BatchResult:
    """Compute the runs of ``plan`` that ``folder`` does not have yet, and finish the folder.

    Parameters
    ----------
    engine: where to compute.
    metric: whose estimate is followed; that of the plan's stop rule where there is one.
    shared_disk: whether workers can write to the folder.
    progress: called once at the start and then after each run.
    retry_failed: run again what failed before, as if it had never been run.

    Raises :class:`sim.run_folder.OutputRefused` where the folder holds something else, and OSError where it cannot be
    written; what is finished stays, and the same call goes on from there.
    """
    monitor = Monitor(plan, metric if plan.stop is None else plan.stop.metric)
    scenarios = Configurations(plan, folder / "scenarios")
    with BatchStore(folder, plan, monitor.take, lambda index: command(plan, index)) as store:
        if retry_failed:
            forget_failed(store)
        store.recover()
        store.log(time=time.time(), event="start", host=platform.node(), done=store.consumed + len(store.waiting))
        flying: dict[int, PlannedRun] = {}
        done = store.consumed + len(store.waiting)
        failed = computed = 0

        def tell(peak: int = 0) -> None:
            progress(Step(done, store.total, max(failed, monitor.failures), monitor.line(), peak))

        def tasks() -> Iterator[SpoolTask]:
            for position, index in enumerate(_possible(plan, store, scenarios)):
                planned = plan.run(index)
                flying[position] = planned
                yield SpoolTask(planned, scenarios.get(planned), store.spool.resolve() if shared_disk else None,
                                check_invariants)

        failed = monitor.failures
        tell()
        outcomes = engine.outcomes(spool_run, tasks())
        try:
            for position, outcome in outcomes:
                planned = flying.pop(position)
                if isinstance(outcome, OSError):
                    raise outcome
                if isinstance(outcome, BaseException):
                    given_up = outcome_of(lost(planned, outcome), scenarios.get(planned).config_hash())
                    payload = encode(planned, given_up, DAILY_SCHEMA.empty_table())
                    outcome = Spooled(planned.index, "failed", {}, payload, 0.0, "", 0)
                store.accept(planned.index, outcome.payload)
                done, computed = done + 1, computed + 1
                failed += outcome.status == "failed"
                store.log(time=time.time(), event="run", index=planned.index, status=outcome.status,
                          host=outcome.host, seconds=round(outcome.seconds, 4))
                tell(outcome.peak_bytes)
                if store.consumed >= store.total:
                    break
        finally:
            close = getattr(outcomes, "close", None)
            if close is not None:
                close()
        store.finish()
        store.log(time=time.time(), event="end", runs=store.total)
        return BatchResult(store.total, monitor.failures, store.total < plan.total, computed)


def _possible(plan: BatchPlan, store: BatchStore, scenarios: Configurations) -> Iterator[int]:
    """The missing runs whose configuration can be built; the others go to the store as failed."""
    for index in store.missing():
        planned = plan.run(index)
        try:
            scenarios.get(planned)
        except ScenarioError as error:
            record = RunRecord(planned, "failed", {}, "the scenario", f"ScenarioError: {clean(error, 500)}")
            store.accept(index, encode(planned, outcome_of(record, ""), DAILY_SCHEMA.empty_table()))
        else:
            yield index


def command(plan: BatchPlan, index: int, folder: str = "", program: str = "salus") -> str:
    """The command that repeats run ``index`` in the batch folder, or with that folder's path before it."""
    import shlex

    planned = plan.run(index)
    entry = next(one for one in plan.entries if one["name"] == planned.scenario)
    settings = [*plan.design.settings(planned.point).items(), *entry["settings"][planned.variant]]
    words = [f"{folder}scenarios/{planned.scenario}.yaml", "--seed", str(planned.seed)]
    for path, value in settings:
        words += ["--set", f"{path}={flow(value)}"]
    return f"{program} run {shlex.join(words)}"
