"""One run of a batch: what is sent to a worker, and what comes back."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from sim.batch.plan import PlannedRun
from sim.scenario.errors import clean
from sim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from sim.model import RunResult

CheckInvariants = Literal["every", "end", "off"]


@dataclass(frozen=True, slots=True)
class RunTask:
    """A planned run with the configuration that it runs."""

    planned: PlannedRun
    scenario: Scenario
    check_invariants: CheckInvariants = "end"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run left behind: its metrics, or where and why it failed. ``seconds`` is no part of the result."""

    planned: PlannedRun
    status: Literal["ok", "failed"]
    metrics: dict[str, float] = field(default_factory=dict)
    stage: str = ""
    error: str = ""
    details: str = ""
    seconds: float = 0.0


def run_task(task: RunTask) -> RunRecord:
    """Run one task. A run that fails is a result, with the stage at which it failed; it does not stop the others."""
    return attempt(task)[0]


def attempt(task: RunTask) -> tuple[RunRecord, RunResult | None]:
    """:func:`run_task`, with what the run left where it reached its end."""
    started = perf_counter()
    days_done = -1

    def count(done: int, total: int) -> None:
        nonlocal days_done
        days_done = done

    try:
        from sim.model import run

        result = run(task.scenario, seed=task.planned.seed, out=None, check_invariants=task.check_invariants,
                     progress=count)
    except Exception as error:  # noqa: BLE001  any fault of a mechanism is this run's failure, not the batch's
        last = days_done >= task.scenario.horizon_days
        stage = "set-up" if days_done < 0 else "the end" if last else f"day {days_done}"
        return RunRecord(task.planned, "failed", {}, stage, f"{type(error).__name__}: {clean(error, 500)}",
                         traceback.format_exc(), perf_counter() - started), None
    return RunRecord(task.planned, "ok", dict(result.summary), seconds=perf_counter() - started), result


def lost(planned: PlannedRun, error: BaseException) -> RunRecord:
    """The record of a run whose worker gave no answer."""
    return RunRecord(planned, "failed", {}, "unknown stage", f"{type(error).__name__}: {clean(error, 500)}")
