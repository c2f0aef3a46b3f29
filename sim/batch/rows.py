"""The rows of ``runs.parquet``: identity of the run, swept parameters, metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from sim.batch.batch_plan import BatchPlan
    from sim.batch.spool import Outcome


def runs_schema(plan: BatchPlan) -> pa.Schema:
    """Columns of ``runs.parquet``; metrics are NaN where a run does not define them."""
    swept = [(f"param.{path}", _type([point[k] for point in plan.design.points]))
             for k, path in enumerate(plan.design.parameters)]
    return pa.schema([
        ("index", pa.int64()), ("scenario", pa.string()), ("variant", pa.string()), ("point", pa.int64()),
        ("replication", pa.int64()), ("seed", pa.int64()), ("status", pa.string()), ("stage", pa.string()),
        ("config_hash", pa.string()), *swept, *((f"metric.{name}", pa.float64()) for name in plan.metrics)])


def rows_table(plan: BatchPlan, outcomes: Sequence[Outcome]) -> pa.Table:
    """One row an outcome."""
    schema = runs_schema(plan)
    planned = [plan.run(outcome.index) for outcome in outcomes]
    columns: dict[str, list[Any]] = {
        "index": [one.index for one in planned], "scenario": [one.scenario for one in planned],
        "variant": [one.variant for one in planned], "point": [one.point for one in planned],
        "replication": [one.replication for one in planned], "seed": [one.seed for one in planned],
        "status": [one.status for one in outcomes], "stage": [one.stage for one in outcomes],
        "config_hash": [one.config_hash for one in outcomes],
    }
    for k, path in enumerate(plan.design.parameters):
        values = [plan.design.points[one.point][k] for one in planned]
        as_text = schema.field(f"param.{path}").type == pa.string()
        columns[f"param.{path}"] = [str(value) for value in values] if as_text else values
    for name in plan.metrics:
        columns[f"metric.{name}"] = [one.metrics.get(name, math.nan) for one in outcomes]
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def _type(values: list[Any]) -> pa.DataType:
    """Whole numbers, numbers, yes or no; anything else as text."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds <= {int, float} else pa.string()
