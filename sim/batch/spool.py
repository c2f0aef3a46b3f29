"""A finished run on its way into the store: one Parquet file with its daily series, and in its metadata the rest."""

from __future__ import annotations

import io
import json
import platform
import re
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.batch.atomic import write_bytes
from sim.batch.plan import PlannedRun
from sim.batch.runs import CheckInvariants, RunRecord, RunTask, attempt
from sim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping

DAILY_SCHEMA = pa.schema([("index", pa.int64()), ("day", pa.int32()), ("series", pa.string()), ("value", pa.float64())])
"""Tidy daily series; days on which a series was not recorded have no row."""

COMPRESSION: dict[str, Any] = {"compression": "zstd", "use_dictionary": ["series"]}
_KEY, _PLACE = b"salus.run", b"salus.place"


@dataclass(frozen=True, slots=True)
class SpoolTask:
    """A planned run, its configuration, and the spool that the worker writes to; None where it cannot reach it."""

    planned: PlannedRun
    scenario: Scenario
    spool: Path | None
    check_invariants: CheckInvariants = "end"


@dataclass(frozen=True, slots=True)
class Spooled:
    """What a worker tells of a run. ``payload`` is its spool file, empty where the worker wrote that itself."""

    index: int
    status: str
    metrics: dict[str, float]
    payload: bytes
    seconds: float
    host: str
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the store keeps of a run beside its daily series; the last three are empty where it reached its end."""

    index: int
    status: str
    config_hash: str
    metrics: dict[str, float] = field(default_factory=dict)
    stage: str = ""
    error: str = ""
    traceback: str = ""


def spool_run(task: SpoolTask) -> Spooled:
    """Run ``task`` and put it into the spool. What goes wrong in the run is in its outcome; OSError means that the
    spool cannot be written."""
    record, result = attempt(RunTask(task.planned, task.scenario, task.check_invariants))
    outcome = outcome_of(record, task.scenario.config_hash())
    payload = encode(task.planned, outcome, daily_table(task.planned.index, result.daily if result is not None else {}))
    if task.spool is not None:
        write_bytes(spool_file(task.spool, task.planned.index), payload)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Spooled(task.planned.index, outcome.status, outcome.metrics, b"" if task.spool is not None else payload,
                   record.seconds, platform.node(), peak)


def outcome_of(record: RunRecord, config_hash: str) -> Outcome:
    """The part of ``record`` that belongs to the result."""
    return Outcome(record.planned.index, "done" if record.status == "ok" else "failed", config_hash,
                   record.metrics, record.stage, record.error, without_places(record.details))


def without_places(trace: str) -> str:
    """A traceback in which files are named from their package, so that it is the same on every machine."""
    return re.sub(r'File "[^"]*?((?:sim|site-packages|python3\.\d+)/)', r'File "\1', trace)


def daily_table(index: int, daily: Mapping[str, np.ndarray]) -> pa.Table:
    """``daily`` as rows of :data:`DAILY_SCHEMA`, by series, then day."""
    days, names, values = [], [], []
    for name in sorted(daily):
        recorded = np.flatnonzero(~np.isnan(daily[name]))
        days.append(recorded.astype(np.int32))
        names.append(np.full(recorded.size, name, dtype=object))
        values.append(daily[name][recorded])
    if not days:
        return DAILY_SCHEMA.empty_table()
    rows = np.concatenate(days)
    return pa.table([pa.array(np.full(rows.size, index)), pa.array(rows), pa.array(np.concatenate(names), pa.string()),
                     pa.array(np.concatenate(values))], schema=DAILY_SCHEMA)


def spool_file(spool: Path, index: int) -> Path:
    """Where run ``index`` waits."""
    return spool / f"{index}.parquet"


def encode(planned: PlannedRun, outcome: Outcome, daily: pa.Table) -> bytes:
    """The spool file of a run. It also says which run that is, for those who read a batch before it is finished."""
    about = {_KEY: {name: getattr(outcome, name) for name in Outcome.__slots__},
             _PLACE: {name: getattr(planned, name) for name in PlannedRun.__slots__}}
    sink = io.BytesIO()
    pq.write_table(daily.replace_schema_metadata({key: json.dumps(plain).encode() for key, plain in about.items()}),
                   sink, **COMPRESSION)
    return sink.getvalue()


def read_outcome(file: Path) -> Outcome:
    """The outcome in a spool file."""
    return Outcome(**json.loads(pq.read_metadata(file).metadata[_KEY]))


def read_daily(file: Path) -> pa.Table:
    """The daily series in a spool file."""
    return pq.read_table(file).replace_schema_metadata(None)
