"""Writes a run's folder: it appears whole or not at all.

``scenario.yaml`` (resolved), ``manifest.json`` (versions, seed, configuration hash), ``daily.parquet``,
``institutions.parquet``, ``flows.parquet``, ``events.parquet``, ``summary.json``; ``triangles.parquet``,
``people.parquet``, ``exposures.parquet`` and ``votes.parquet`` where there is something to put there; and
``log.jsonl``, the only file that may differ between two equal runs, because it holds times and the host.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import sim
from sim.recorder import TABLES
from sim.run_folder import FORMAT_NAME, OutputRefused, check_run_folder

if TYPE_CHECKING:
    from sim.model import HealthMarket, RunResult

FORMAT = 1
"""Version of the folder's layout."""


class OutputError(OSError):
    """The folder cannot be written."""


def commit() -> str | None:
    """The source's commit, where it runs from a repository."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, timeout=10,
                              check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    import mesa
    import numba
    import pydantic

    return {"salus": sim.__version__, "python": platform.python_version(), "numpy": np.__version__,
            "numba": numba.__version__, "mesa": mesa.__version__, "pyarrow": pa.__version__,
            "pydantic": pydantic.VERSION}


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


def daily_table(market: HealthMarket) -> pa.Table:
    """One row a day, one column a series; NaN becomes null."""
    columns: dict[str, pa.Array] = {"day": pa.array(np.arange(market.horizon_days, dtype=np.int32))}
    for name in sorted(market.record.daily):
        columns[name] = pa.array(market.record.daily[name], from_pandas=True)
    return pa.table(columns)


def institutions_table(market: HealthMarket) -> pa.Table:
    """One row per day and institution, one column a series."""
    tables = market.record.institutions
    names = sorted({name for table in tables.values() for name in table})
    days = market.horizon_days
    empty = np.full(days, np.nan)
    who = sorted(tables)
    columns: dict[str, pa.Array] = {
        "day": pa.array(np.tile(np.arange(days, dtype=np.int32), len(who))),
        "institution": pa.array(np.repeat(np.array(who, dtype=object), days), type=pa.string()),
    }
    for name in names:
        values = [tables[institution].get(name, empty) for institution in who]
        columns[name] = pa.array(np.concatenate(values) if values else empty[:0], from_pandas=True)
    return pa.table(columns)


def flows_table(market: HealthMarket) -> pa.Table:
    """The transactions-flow matrix, long: day, kind, asset, from_sector, to_sector, amount in base units."""
    rows = market.record.flows
    names = ("day", "kind", "asset", "from_sector", "to_sector", "amount")
    types = (pa.int32(), pa.string(), pa.string(), pa.string(), pa.string(), pa.int64())
    return pa.table({name: pa.array([row[i] for row in rows], type=kind)
                     for i, (name, kind) in enumerate(zip(names, types, strict=True))})


def events_table(market: HealthMarket) -> pa.Table:
    """What happened: day, kind, subject, amount, details (JSON)."""
    rows = market.record.events
    names = ("day", "kind", "subject", "amount", "details")
    types = (pa.int32(), pa.string(), pa.string(), pa.float64(), pa.string())
    return pa.table({name: pa.array([row[i] for row in rows], type=kind)
                     for i, (name, kind) in enumerate(zip(names, types, strict=True))})


def triangles_table(market: HealthMarket) -> pa.Table:
    """The loss triangles, long; cells without any amount are left out."""
    rows: list[tuple[str, int, int, int, int]] = []
    for institution, paid, incurred in market.record.triangles:
        accident, development = np.nonzero((paid != 0) | (incurred != 0))
        rows += [(institution, int(a), int(d), int(paid[a, d]), int(incurred[a, d]))
                 for a, d in zip(accident, development, strict=True)]
    names = ("institution", "accident_month", "development_month", "paid", "incurred")
    types = (pa.string(), pa.int32(), pa.int32(), pa.int64(), pa.int64())
    return pa.table({name: pa.array([row[i] for row in rows], type=kind)
                     for i, (name, kind) in enumerate(zip(names, types, strict=True))})


def further_table(market: HealthMarket, name: str) -> pa.Table:
    """A table of :data:`sim.recorder.TABLES`, rows as they were recorded."""
    rows = market.record.tables[name]
    return pa.table({column: pa.array([row[i] for row in rows], type=pa.type_for_alias(kind))
                     for i, (column, kind) in enumerate(TABLES[name])})


def summary(market: HealthMarket, result: RunResult) -> dict[str, Any]:
    """Metrics of the run, and each expectation that one run can be held against."""
    return {"name": market.scenario.name, "seed": result.seed, "days": result.days, "metrics": result.summary,
            "expectations": result.expectations}


def manifest(market: HealthMarket, result: RunResult) -> dict[str, Any]:
    """What reproduces the run."""
    return {"format_name": FORMAT_NAME, "format": FORMAT, "name": market.scenario.name, "seed": result.seed,
            "days": result.days, "config_hash": market.scenario.config_hash(), "versions": versions(),
            "commit": commit()}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_run(market: HealthMarket, result: RunResult, folder: Path, replace: bool = False) -> Path:
    """Write every file beside the target, then rename; raises :class:`OutputError` or :class:`OutputRefused`."""
    check_run_folder(folder)
    if folder.exists() and any(folder.iterdir()) and not replace:
        raise OutputRefused(f"{folder} holds an earlier run; choose another --out or remove it")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"cannot write beside {folder}: {error.strerror}") from error
    try:
        (temporary / "scenario.yaml").write_text(market.scenario.to_yaml(), encoding="utf-8")
        tables = {"daily": daily_table, "institutions": institutions_table, "flows": flows_table,
                  "events": events_table}
        if market.record.triangles:
            tables["triangles"] = triangles_table
        for name, build in tables.items():
            pq.write_table(build(market), temporary / f"{name}.parquet", compression="zstd")
        for name in market.record.tables:
            pq.write_table(further_table(market, name), temporary / f"{name}.parquet", compression="zstd")
        _write_json(temporary / "summary.json", summary(market, result))
        log = {"host": platform.node(), "machine": platform.machine(), "seconds": result.seconds,
               "hook_seconds": result.hook_seconds}
        (temporary / "log.jsonl").write_text(json.dumps(log, sort_keys=True) + "\n", encoding="utf-8")
        _write_json(temporary / "manifest.json", manifest(market, result))
        for path in temporary.iterdir():
            _sync(path)
        temporary.chmod(0o755)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
            folder.rename(old / folder.name)
            temporary.rename(folder)
            shutil.rmtree(old)
        else:
            temporary.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder
