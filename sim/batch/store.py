"""The folder of a batch: what is done, what waits in the spool, and how parts are built from it.

Workers put finished runs into ``spool/``; the parent alone builds, in index order, ``daily/part-p`` from runs 100 p to
100 p + 99 and ``spool/rows-p`` with their rows of ``runs.parquet``. A part counts once both files are there and say
that they hold all its runs; only then do its spool files go. So a kill at any moment costs what was being computed and
nothing else, and memory holds one run at a time.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sim.batch.atomic import TEMPORARY, sync_folder, write_atomically, write_bytes, write_json
from sim.batch.batch_plan import BatchPlan, read_plan
from sim.batch.rows import rows_table, runs_schema
from sim.batch.spool import COMPRESSION, DAILY_SCHEMA, Outcome, encode, read_daily, read_outcome, spool_file
from sim.run_folder import OutputRefused

RUNS_PER_PART = 100
_COUNT = b"salus.runs"


class BatchStore:
    """The open, locked folder of a batch; use as a context manager.

    The ``consumed`` runs, those before the first that is missing, have been given to ``consume`` in index order: by
    :meth:`recover` those of an earlier session, by :meth:`accept` those that come in. Where ``consume`` returns True,
    the batch ends with the run it was given.
    """

    def __init__(
        self, folder: Path, plan: BatchPlan, consume: Callable[[Outcome], bool] = lambda outcome: False,
        command: Callable[[int], str] = lambda index: "",
    ) -> None:
        self.folder, self.plan = folder, plan
        self.total = plan.total
        self.consumed = 0
        self.waiting: set[int] = set()
        self._consume, self._command = consume, command
        self._built = 0
        self._lock: int | None = None

    # Opening ---------------------------------------------------------------------------------------------------------

    def __enter__(self) -> BatchStore:
        self._create()
        self._lock = os.open(self.folder, os.O_RDONLY)
        try:
            _lock(self._lock, self.folder)
            self._adopt()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _create(self) -> None:
        """Make the folder with its plan, whole or not at all, unless it is there."""
        folder = self.folder
        if folder.is_symlink() and not folder.exists():
            raise OutputRefused(f"{folder} is a link to nowhere; choose another --out")
        if folder.exists() and not folder.is_dir():
            raise OutputRefused(f"{folder} exists and is not a folder; choose another --out")
        if folder.exists() and any(folder.iterdir()):
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for name in ("scenarios", "daily", "failed", "spool"):
                (temporary / name).mkdir()
            for name, text in self.plan.sources.items():
                write_bytes(temporary / "scenarios" / f"{name}.yaml", text.encode())
            write_json(temporary / "plan.json", self.plan.to_json())
            temporary.chmod(0o755)
            temporary.rename(folder)
            sync_folder(folder.parent)
        except OSError:
            if not (folder.is_dir() and any(folder.iterdir())):  # else another batch was quicker; its plan decides
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _adopt(self) -> None:
        """Hold the folder's plan against ours, and take note of a larger number of replications."""
        stored = stored_plan(self.folder)
        different = stored.difference(self.plan)
        if different:
            raise OutputRefused(f"{self.folder} holds another batch: its {different} differs; choose another --out")
        for name in ("daily", "failed", "spool"):
            (self.folder / name).mkdir(exist_ok=True)
        if stored.replications > self.plan.replications:
            raise OutputRefused(f"{self.folder} holds a batch of {stored.replications} replications; ask for as many "
                                "or more, or choose another --out")
        if stored.replications < self.plan.replications:
            write_json(self.folder / "plan.json", self.plan.to_json())

    # What is done ----------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Take up what an earlier session left."""
        for stale in [*self.spool.glob(f"{TEMPORARY}*"), *self.folder.glob(f"{TEMPORARY}*"),
                      *(self.folder / "daily").glob(f"{TEMPORARY}*"), *(self.folder / "failed").glob(f"{TEMPORARY}*")]:
            stale.unlink(missing_ok=True)
        part = 0
        while part * RUNS_PER_PART < self.total and self.is_built(part):
            for row in self.rows(part, ["index", "status", *self._metric_columns()]).to_pylist():
                self.consumed += 1
                if self._take(_row_outcome(row)):
                    break
            part += 1
        self._built = part
        if part * RUNS_PER_PART < self.total:
            self.explode(part)
        for file in self.spool.glob("[0-9]*.parquet"):
            index = int(file.stem)
            if index >= part * RUNS_PER_PART:
                self.waiting.add(index)
            else:
                file.unlink()
        self._advance()

    @property
    def spool(self) -> Path:
        """Where finished runs wait."""
        return self.folder / "spool"

    def missing(self) -> Iterator[int]:
        """Indices of the runs that are still to be computed, in order; stops where the batch ends early."""
        for index in range(self.consumed, self.plan.total):
            if index >= self.total:
                return
            if index not in self.waiting and index >= self.consumed:
                yield index

    def accept(self, index: int, payload: bytes = b"") -> None:
        """Note that run ``index`` is in the spool, or put its ``payload`` there; build what is whole."""
        if payload:
            write_bytes(spool_file(self.spool, index), payload)
        self.waiting.add(index)
        self._advance()

    def _advance(self) -> None:
        while self.consumed < self.total and self.consumed in self.waiting:
            outcome = read_outcome(spool_file(self.spool, self.consumed))
            self.consumed += 1
            self._take(outcome)
            if self.consumed % RUNS_PER_PART == 0 and self.consumed < self.total:
                self._build(self._built)

    def _take(self, outcome: Outcome) -> bool:
        ended = self._consume(outcome)
        if ended:
            self.total = self.consumed
        return ended

    # Parts -----------------------------------------------------------------------------------------------------------

    def _size(self, part: int) -> int:
        return min(RUNS_PER_PART, self.total - part * RUNS_PER_PART)

    def part_file(self, part: int) -> Path:
        """The daily series of a part."""
        return self.folder / "daily" / f"part-{part:05d}.parquet"

    def rows_file(self, part: int) -> Path:
        """The rows of a part until ``runs.parquet`` is written."""
        return self.spool / f"rows-{part:05d}.parquet"

    def _metric_columns(self) -> list[str]:
        return [f"metric.{name}" for name in self.plan.metrics]

    def held(self, part: int) -> int:
        """Runs that a part file says it holds; 0 where there is none."""
        file = self.part_file(part)
        return int((pq.read_schema(file).metadata or {}).get(_COUNT, 0)) if file.is_file() else 0

    def is_built(self, part: int) -> bool:
        """Whether a part holds all its runs."""
        held = self.held(part)
        return held == self._size(part) and self.rows(part, ["index"]).num_rows == held

    def rows(self, part: int, columns: list[str] | None = None) -> pa.Table:
        """The rows of a part, from the spool or from the finished file; empty where they are in neither."""
        if self.rows_file(part).is_file():
            return pq.read_table(self.rows_file(part), columns=columns)
        runs = self.folder / "runs.parquet"
        if runs.is_file():
            with pq.ParquetFile(runs) as file:
                if part < file.num_row_groups:
                    return file.read_row_group(part, columns=columns)
        return runs_schema(self.plan).empty_table()

    def keep_rows(self, part: int) -> None:
        """Keep the rows of a part where they outlive ``runs.parquet``."""
        if not self.rows_file(part).is_file():
            rows = self.rows(part)
            write_atomically(self.rows_file(part), lambda file: pq.write_table(rows, file, compression="zstd"))

    def explode(self, part: int) -> None:
        """Put the runs of a part that is not full, has become larger, or is to be built anew, back into the spool."""
        rows, held = self.rows(part), self.held(part)
        if not held or rows.num_rows < held:
            return
        daily = pq.read_table(self.part_file(part)).replace_schema_metadata(None)
        for row in rows.to_pylist()[:held]:
            index = row["index"]
            target = spool_file(self.spool, index)
            if not target.exists():
                payload = encode(self.plan.run(index), self._with_fault(_row_outcome(row)),
                                 daily.filter(pc.equal(daily["index"], index)))
                write_bytes(target, payload)

    def _with_fault(self, outcome: Outcome) -> Outcome:
        if outcome.status == "done":
            return outcome
        fault = json.loads((self.folder / "failed" / f"{outcome.index}.json").read_text(encoding="utf-8"))
        return Outcome(outcome.index, outcome.status, outcome.config_hash, {}, fault["stage"], fault["error"],
                       fault["traceback"])

    def _build(self, part: int) -> None:
        """Build a part from the spool, mark it done, and clear its runs from the spool."""
        indices = range(part * RUNS_PER_PART, part * RUNS_PER_PART + self._size(part))
        files = [spool_file(self.spool, index) for index in indices]
        outcomes = [read_outcome(file) for file in files]
        for outcome in outcomes:
            fault = self.folder / "failed" / f"{outcome.index}.json"
            if outcome.status == "failed":
                write_json(fault, self._fault(outcome))
            else:
                fault.unlink(missing_ok=True)  # of an earlier attempt
        write_atomically(self.rows_file(part), lambda file: pq.write_table(
            rows_table(self.plan, outcomes), file, compression="zstd"))

        def daily(file: Any) -> None:
            schema = DAILY_SCHEMA.with_metadata({_COUNT: str(len(files)).encode()})
            with pq.ParquetWriter(file, schema, **COMPRESSION) as writer:
                for spooled in files:
                    table = read_daily(spooled)
                    if table.num_rows:
                        writer.write_table(table, row_group_size=table.num_rows)

        write_atomically(self.part_file(part), daily)
        self._built = part + 1
        for index, file in zip(indices, files, strict=True):
            file.unlink(missing_ok=True)
            self.waiting.discard(index)

    def _fault(self, outcome: Outcome) -> dict[str, Any]:
        planned = self.plan.run(outcome.index)
        return {"index": outcome.index, "scenario": planned.scenario, "variant": planned.variant,
                "point": planned.point, "replication": planned.replication, "seed": planned.seed,
                "stage": outcome.stage, "type": outcome.error.partition(":")[0], "error": outcome.error,
                "traceback": outcome.traceback, "command": self._command(outcome.index),
                "where": "in the batch folder"}

    # The end ---------------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Write ``runs.parquet`` and ``manifest.jsonl`` once every run is in; the spool goes."""
        if self.consumed < self.total:
            raise RuntimeError(f"{self.total - self.consumed} runs are missing")
        if self._built * RUNS_PER_PART < self.total:
            self._build(self._built)
        parts = range(self._built)

        def runs(file: Any) -> None:
            with pq.ParquetWriter(file, runs_schema(self.plan), compression="zstd") as writer:
                for part in parts:
                    writer.write_table(self.rows(part), row_group_size=RUNS_PER_PART)

        def manifest(file: Any) -> None:
            keys = ["index", "scenario", "variant", "point", "replication", "seed", "status", "stage", "config_hash"]
            for part in parts:
                for row in self.rows(part, keys).to_pylist():
                    file.write((json.dumps({key: row[key] for key in keys}, ensure_ascii=False) + "\n").encode())

        write_atomically(self.folder / "manifest.jsonl", manifest)
        write_atomically(self.folder / "runs.parquet", runs)
        shutil.rmtree(self.spool, ignore_errors=True)
        for name in ("failed", "daily"):
            sync_folder(self.folder / name)

    def log(self, **entry: Any) -> None:
        """Append a line to ``log.jsonl``, which is no part of the result."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, sort_keys=True) + "\n")


def stored_plan(folder: Path) -> BatchPlan:
    """The plan of the batch in ``folder``; :class:`OutputRefused` where there is none."""
    try:
        sources = {file.stem: file.read_text(encoding="utf-8") for file in (folder / "scenarios").glob("*.yaml")}
        return read_plan((folder / "plan.json").read_text(encoding="utf-8"), sources)
    except (KeyError, TypeError, ValueError, FileNotFoundError, NotADirectoryError):
        raise OutputRefused(f"{folder} holds files that no batch wrote; choose another --out") from None


def _row_outcome(row: dict[str, Any]) -> Outcome:
    metrics = {key.removeprefix("metric."): value for key, value in row.items()
               if key.startswith("metric.") and value is not None and value == value}
    return Outcome(row["index"], row["status"], row.get("config_hash", ""), metrics, row.get("stage", ""))


def _lock(handle: int, folder: Path) -> None:
    """Hold ``folder`` until this process ends, however it ends."""
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputRefused(f"another process is writing {folder}; wait for it, or choose another --out") from None
