"""Loading of batch folders: the plan, one row a run, and daily series, read in part however many runs there are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from analysis.load import FolderError

FORMAT = 1
"""Newest layout of a batch folder that this version reads."""

KEYS = ("index", "scenario", "variant", "point", "replication", "seed", "status")
"""Columns of ``runs.parquet`` that say which run a row is of."""

METRIC, PARAMETER = "metric.", "param."
"""Prefixes of the columns that hold figures and swept parameters."""

DONE = "done"
"""Status of a run that reached its end."""


@dataclass(frozen=True)
class Batch:
    """A batch folder. Tables are read on first use and kept; daily series are read anew for each call.

    Example
    -------
    >>> batch = load_batch("runs/s1_gas_spike-batch")            # doctest: +SKIP
    >>> batch.metrics("main")["insurance.premium_earned"].mean()    # doctest: +SKIP
    """

    folder: Path

    @cached_property
    def plan(self) -> dict[str, Any]:
        """``plan.json``: scenarios, variants, replications, design and its points."""
        return read_json(self.folder / "plan.json")

    @cached_property
    def name(self) -> str:
        """The names of its scenarios, for people."""
        names = [str(one.get("name")) for one in self.scenarios]
        return " and ".join(dict.fromkeys(names)) or self.folder.name

    @cached_property
    def scenarios(self) -> list[dict[str, Any]]:
        """What the plan says about each scenario."""
        found = self.plan.get("scenarios")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @cached_property
    def design(self) -> str:
        """How its points were chosen: "replications", "grid", "lhs", "sobol" or "morris"."""
        return str(self.plan.get("design", "replications"))

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run in index order: :data:`KEYS`, swept parameters (``param.<path>``), figures (``metric.<name>``,
        float, NaN where not defined; units are those of the data dictionary)."""
        path = self.folder / "runs.parquet"
        try:
            table = pd.read_parquet(path)
        except FileNotFoundError as error:
            raise FolderError(f"{self.folder} has no finished runs: {path.name} is missing; "
                              "run the same batch command again to finish it") from error
        except (pa.ArrowInvalid, OSError) as error:
            raise FolderError(f"{path} is damaged: it is not a Parquet file that can be read") from error
        missing = [column for column in KEYS if column not in table]
        if missing:
            raise FolderError(f"{path} is damaged: it has no column {missing[0]!r}")
        return table.sort_values("index", ignore_index=True)

    @cached_property
    def parameters(self) -> list[str]:
        """Dotted paths of the swept parameters, in the order of the columns."""
        return [name.removeprefix(PARAMETER) for name in map(str, self.runs) if name.startswith(PARAMETER)]

    @cached_property
    def figures(self) -> list[str]:
        """Names of the metrics, sorted."""
        return sorted(name.removeprefix(METRIC) for name in map(str, self.runs) if name.startswith(METRIC))

    @cached_property
    def configurations(self) -> list[tuple[str, str, int]]:
        """(scenario, variant, point) of everything that was run, in order of first appearance."""
        found = self.runs[["scenario", "variant", "point"]].drop_duplicates()
        return [(str(s), str(v), int(p)) for s, v, p in found.itertuples(index=False)]

    @cached_property
    def failed(self) -> pd.DataFrame:
        """The runs that did not reach their end: rows of :attr:`runs`."""
        return self.runs[self.runs["status"] != DONE]

    def failure(self, index: int) -> dict[str, Any]:
        """What is known of why run ``index`` failed; empty where nothing is."""
        path = self.folder / "failed" / f"{index}.json"
        return read_json(path) if path.is_file() else {}

    def select(self, variant: str | None = None, scenario: str | None = None, point: int | None = None) -> pd.DataFrame:
        """Rows of :attr:`runs` of one configuration, those that failed included; None leaves a key open."""
        rows = self.runs
        for key, value in (("variant", variant), ("scenario", scenario), ("point", point)):
            if value is not None:
                rows = rows[rows[key] == value]
        return rows

    def metrics(self, variant: str | None = None, scenario: str | None = None,
                point: int | None = None) -> pd.DataFrame:
        """Runs x metric names of the finished runs of one configuration: index (``replication``, ``seed``)."""
        rows = self.select(variant, scenario, point)
        rows = rows[rows["status"] == DONE].set_index(["replication", "seed"])
        table = rows[[METRIC + name for name in self.figures]]
        return table.rename(columns=lambda column: column.removeprefix(METRIC))

    @cached_property
    def _daily(self) -> ds.Dataset | None:
        """The parts of the daily series; None where there are none."""
        parts = sorted((self.folder / "daily").glob("part-*.parquet"))
        return ds.dataset([str(part) for part in parts], format="parquet") if parts else None

    @cached_property
    def series(self) -> list[str]:
        """Names of the daily series of its first run, sorted; empty where no daily series were kept."""
        if self._daily is None or self.runs.empty:
            return []
        done = self.runs.loc[self.runs["status"] == DONE, "index"]
        if done.empty:
            return []
        found = self._daily.to_table(columns=["series"], filter=ds.field("index") == int(done.iloc[0]))
        return sorted(set(found["series"].to_pylist()))

    def daily(self, name: str, indices: Iterable[int]) -> pd.DataFrame:
        """Days x runs (columns: run ``index``) of the market series ``name``; only the runs asked for are kept.

        The unit is that of the series; without a row where it was not recorded.
        """
        if self._daily is None:
            return pd.DataFrame()
        wanted = pa.array(sorted(indices), pa.int64())
        try:
            found = self._daily.to_table(columns=["index", "day", "value"], filter=(
                (ds.field("series") == name) & ds.field("index").isin(wanted)))
        except (pa.ArrowInvalid, OSError) as error:
            raise FolderError(f"{self.folder / 'daily'} is damaged: {str(error).splitlines()[0]}") from error
        return found.to_pandas().pivot(index="day", columns="index", values="value").astype("float64")


def load_batch(folder: str | Path) -> Batch:
    """The batch in ``folder``; raises :class:`FolderError` where there is none or where it is of a newer layout.

    >>> load_batch(batch_folder).figures[:2]
    ['claims.delay_p50', 'insurance.any_default']
    """
    path = Path(folder)
    if not is_batch(path):
        raise FolderError(f"{path} is not a batch folder: it has no plan.json")
    batch = Batch(path)
    layout = batch.plan.get("format")
    if not isinstance(layout, int) or layout > FORMAT:
        raise FolderError(f"{path} has layout {layout!r}, and this version reads layouts up to {FORMAT}")
    return batch


def is_batch(folder: str | Path) -> bool:
    """Whether ``folder`` has the plan of a batch.

    >>> is_batch(batch_folder), is_batch(run_folder)
    (True, False)
    """
    return (Path(folder) / "plan.json").is_file()


def read_json(path: Path) -> dict[str, Any]:
    """The JSON file ``path``, which must hold a mapping.

    Returns name -> value, units as the file's writer states them.

    >>> read_json(batch_folder / "plan.json")["design"]
    'replications'
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FolderError(f"{path} is damaged: it is not valid JSON") from error
    if not isinstance(content, dict):
        raise FolderError(f"{path} is damaged: it should hold names with values")
    return cast(dict[str, Any], content)
