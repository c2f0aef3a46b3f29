"""Puts a batch back to where its failed runs were never run.

Parts are built in order, so the first one with a failed run and all after it are taken apart; what went well goes back
into the spool. A kill on the way leaves a batch in which some of the failed runs are still there.
"""

from __future__ import annotations

from sim.batch.spool import read_outcome
from sim.batch.store import RUNS_PER_PART, BatchStore


def forget_failed(store: BatchStore) -> None:
    """Drop the failed runs of ``store``, which has not recovered yet, so that they are missing."""
    parts = -(-store.plan.total // RUNS_PER_PART)
    built = [part for part in range(parts) if store.part_file(part).is_file()]
    broken = [part for part in built if "failed" in store.rows(part, ["status"])["status"].to_pylist()]
    again = [part for part in built if part >= broken[0]] if broken else []
    for part in again:
        store.explode(part)
    for file in store.spool.glob("[0-9]*.parquet"):
        if read_outcome(file).status == "failed":
            file.unlink()
    if not again:
        return
    for part in built:
        if part not in again:
            store.keep_rows(part)
    for part in reversed(again):
        store.part_file(part).unlink()
        store.rows_file(part).unlink(missing_ok=True)
    for name in ("runs.parquet", "manifest.jsonl"):
        (store.folder / name).unlink(missing_ok=True)
