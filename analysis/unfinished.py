"""What is there of a batch that is still running, or was killed: the runs in its spool and in the parts built so far.

A run waits in ``spool/<index>.parquet`` until its part is built; the part's rows then wait in ``spool/rows-*.parquet``
for ``runs.parquet``. They are read in that order, so that a run which moves on meanwhile is found where it went.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_RUN, _PLACE = b"salus.run", b"salus.place"
_COLUMNS = ("index", "scenario", "variant", "point", "replication", "seed")


def is_finished(folder: Path) -> bool:
    """Whether a batch has nothing left to do; its spool goes last.

    Example
    -------
    >>> is_finished(Path("nowhere"))
    False
    """
    return (folder / "runs.parquet").is_file() and not (folder / "spool").is_dir()


def waiting(folder: Path) -> list[Path]:
    """The files of single runs in the spool.

    Example
    -------
    >>> waiting(Path("nowhere"))
    []
    """
    return sorted((folder / "spool").glob("[0-9]*.parquet"), key=lambda file: int(file.stem))


def planned_runs(plan: Mapping[str, Any]) -> int:
    """Runs of a whole batch, by its plan; a batch that its interval ends has fewer.

    Example
    -------
    >>> planned_runs({"configurations": [["toy", "main"]], "replications": 5, "sweep": {"points": [[1], [2]]}})
    10
    """
    return len(plan.get("configurations") or [0]) * len(_swept(plan).get("points") or [0]) * int(plan["replications"])


def rows_so_far(folder: Path, plan: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of ``runs.parquet`` for the runs that are finished, in index order; without a row where none is.

    One row per run, columns and units as in ``runs.parquet``.

    Example
    -------
    >>> rows_so_far(Path("nowhere"), {})
    Empty DataFrame
    Columns: []
    Index: []
    """
    single = [row for file in waiting(folder) if (row := _row(file, plan))]
    tables = [pd.DataFrame(single)] if single else []
    for file in [*sorted((folder / "spool").glob("rows-*.parquet")), folder / "runs.parquet"]:
        try:
            tables.append(pd.read_parquet(file))
        except FileNotFoundError:
            continue
    if not tables:
        return pd.DataFrame()
    tables.reverse()  # the columns in the order of the finished table, where there is one
    table = pd.concat([one for one in tables if len(one)], ignore_index=True)
    return table.drop_duplicates("index").sort_values("index", ignore_index=True)


def _swept(plan: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the plan says about its grid or sample: parameters and points."""
    found = plan.get("samples") or plan.get("sweep")
    return found if isinstance(found, Mapping) else {}


def _row(file: Path, plan: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a run in the spool; empty where its file has gone, or does not say which run it is."""
    try:
        about = pq.read_metadata(file).metadata or {}
    except (FileNotFoundError, pa.ArrowInvalid):
        return {}
    if _PLACE not in about or _RUN not in about:
        return {}
    place, run = json.loads(about[_PLACE]), json.loads(about[_RUN])
    row = {name: place[name] for name in _COLUMNS}
    row |= {"status": run["status"], "stage": run["stage"], "config_hash": run["config_hash"]}
    swept = _swept(plan)
    if swept:
        values = swept["points"][place["point"]]
        row |= {f"param.{name}": value for name, value in zip(swept["parameters"], values, strict=True)}
    return row | {f"metric.{name}": run["metrics"].get(name, float("nan")) for name in plan.get("metrics", ())}
