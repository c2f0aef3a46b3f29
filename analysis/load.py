"""Loading of run folders as DataFrames.

Every failure is a :class:`FolderError` of one readable sentence that names the file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import yaml

MICRO = 1_000_000
"""Base units of an asset in one whole unit."""

FORMAT = 1
"""Newest layout of a run folder that this version reads."""


class FolderError(OSError):
    """The folder is not a run folder, or is damaged; the message is one sentence."""


@dataclass(frozen=True)
class Run:
    """A run folder. Tables are read on first use and kept.

    Example
    -------
    >>> run = load_run("runs/baseline")            # doctest: +SKIP
    >>> run.daily["insurance.total_capital"].iloc[-1]    # doctest: +SKIP
    """

    folder: Path

    def _mapping(self, name: str) -> dict[str, Any]:
        """The JSON or YAML file ``name``, which must hold a mapping."""
        path = self.folder / name
        try:
            text = path.read_text(encoding="utf-8")
            content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        except OSError as error:
            raise FolderError(f"{path} cannot be read: {error.strerror}") from error
        except (ValueError, yaml.YAMLError, RecursionError) as error:
            raise FolderError(f"{path} is damaged: it is not valid {path.suffix[1:].upper()}") from error
        if not isinstance(content, dict):
            raise FolderError(f"{path} is damaged: it should hold names with values")
        return cast(dict[str, Any], content)

    def _table(self, name: str, *needed: str) -> pd.DataFrame:
        """The table ``name``.parquet, which must have the columns ``needed``."""
        path = self.folder / f"{name}.parquet"
        try:
            table = pd.read_parquet(path)
        except FileNotFoundError as error:
            raise FolderError(f"{self.folder} is not a whole run folder: {path.name} is missing") from error
        except pa.ArrowInvalid as error:
            raise FolderError(f"{path} is damaged: it is not a Parquet file that can be read") from error
        except OSError as error:
            raise FolderError(f"{path} cannot be read: {error.strerror or 'input failed'}") from error
        missing = [column for column in needed if column not in table]
        if missing:
            raise FolderError(f"{path} is damaged: it has no column {missing[0]!r}")
        return table

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Name, seed, days, versions, commit, configuration hash."""
        return self._mapping("manifest.json")

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The figures of the run by name; units are those of the data dictionary."""
        found = self._mapping("summary.json").get("metrics")
        if not isinstance(found, dict):
            raise FolderError(f"{self.folder / 'summary.json'} is damaged: it has no 'metrics'")
        return {str(name): float(value) for name, value in found.items() if isinstance(value, (int, float))}

    @cached_property
    def expectations(self) -> list[dict[str, Any]]:
        """What the run says about each expectation: rows of ``statement``, ``met`` (None: open), ``value``,
        ``source``."""
        found = self._mapping("summary.json").get("expectations", [])
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    @cached_property
    def scenario(self) -> dict[str, Any]:
        """The scenario, fully resolved."""
        return self._mapping("scenario.yaml")

    @cached_property
    def scenario_text(self) -> str:
        """The scenario, fully resolved, as YAML text."""
        return (self.folder / "scenario.yaml").read_text(encoding="utf-8") if self.scenario else ""

    def setting(self, path: str, default: float) -> float:
        """The number at the dotted ``path`` of the scenario, or ``default`` where it has none."""
        place: Any = self.scenario
        for part in path.split("."):
            place = place.get(part) if isinstance(place, dict) else None
        return float(place) if isinstance(place, (int, float)) else default

    @cached_property
    def daily(self) -> pd.DataFrame:
        """Market series: index ``day``, one float column a series."""
        return self._table("daily", "day").set_index("day")

    @cached_property
    def days(self) -> int:
        """Days of the run."""
        return int(self.daily.index.max()) + 1 if len(self.daily) else 0

    @cached_property
    def institutions(self) -> pd.DataFrame:
        """Institution series: index (``institution``, ``day``), one float column a series."""
        return self._table("institutions", "institution", "day").set_index(["institution", "day"])

    @cached_property
    def flows(self) -> pd.DataFrame:
        """The transactions-flow matrix, long: day (-1 is the opening), kind, asset, from_sector, to_sector, and
        ``amount`` in base units (int64, millionths of the asset)."""
        return self._table("flows", "day", "kind", "asset", "from_sector", "to_sector", "amount")

    @cached_property
    def events(self) -> pd.DataFrame:
        """What happened: day, kind, subject, amount, details (dict)."""
        table = self._table("events", "day", "kind", "subject", "amount", "details")
        try:
            table["details"] = [json.loads(text) for text in table["details"]]
        except (TypeError, ValueError) as error:
            raise FolderError(f"{self.folder / 'events.parquet'} is damaged: its details are not JSON") from error
        return table

    @cached_property
    def triangles(self) -> pd.DataFrame:
        """Loss triangles, long: institution, accident_month, development_month, and ``paid`` and ``incurred`` in base
        units (int64); without a row where the run has no pools, or was written before there were triangles."""
        return self._optional("triangles", "institution", "accident_month", "development_month", "paid", "incurred")

    @cached_property
    def people(self) -> pd.DataFrame:
        """Own payments by ``year`` and ``income_decile``: persons, income and own_payments (base units), and counts of
        persons uninsured, above_10, above_25, above_40_of_capacity; without a row where there was no whole year."""
        return self._optional("people", "year", "income_decile", "persons", "income", "own_payments", "uninsured",
                              "above_10", "above_25", "above_40_of_capacity")

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """Claims between institutions, long: day, debtor, creditor, kind, and amount, debtor_equity, creditor_equity in
        base units; without a row where there were none."""
        return self._optional("exposures", "day", "debtor", "creditor", "kind", "amount", "debtor_equity",
                              "creditor_equity")

    @cached_property
    def forecasts(self) -> pd.DataFrame:
        """Forecasts of prediction markets, a row for each outcome of each settled market: day, subject, opened,
        outcome, price_halfway, price_at_close, happened and figure; without a row where there were none."""
        return self._optional("forecasts", "day", "subject", "opened", "outcome", "price_halfway", "price_at_close",
                              "happened", "figure")

    @cached_property
    def votes(self) -> pd.DataFrame:
        """Votes on proposals, long: day (of the proposal's end), proposal, voter, power (base units), support (for,
        against, abstain, empty: none), votes; without a row where there was no governance."""
        return self._optional("votes", "day", "proposal", "voter", "power", "support", "votes")

    def _optional(self, name: str, *needed: str) -> pd.DataFrame:
        """The table ``name``, or one without rows where the run did not write it."""
        if not (self.folder / f"{name}.parquet").is_file():
            return pd.DataFrame(columns=list(needed))
        return self._table(name, *needed)

    @cached_property
    def asked(self) -> set[str]:
        """Names of the series that were asked for so far: what a report has left to tell is the rest."""
        return set()

    def series(self, name: str) -> pd.Series[float] | None:
        """A market series over the days on which it was recorded, or None where the run has none."""
        self.asked.add(name)
        if name not in self.daily:
            return None
        found = self.daily[name].dropna()
        return found if len(found) else None

    def by_institution(self, name: str) -> pd.DataFrame | None:
        """Days x institutions (in natural order) of one series, or None where the run has none.

        NaN where nothing was recorded; the unit is that of the series.
        """
        self.asked.add(name)
        if name not in self.institutions:
            return None
        found = self.institutions[name].dropna()
        if found.empty:
            return None
        table = found.unstack("institution")
        return table.reindex(index=range(int(table.index.min()), int(table.index.max()) + 1),
                             columns=sorted(table.columns, key=natural))


def natural(name: object) -> tuple[list[int | str], str]:
    """Sorting key by which POOL2 comes before POOL10.

    >>> sorted(["POOL10", "POOL2"], key=natural)
    ['POOL2', 'POOL10']
    """
    parts = re.split(r"(\d+)", str(name), flags=re.ASCII)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], str(name)


def load_run(folder: str | Path) -> Run:
    """The run in ``folder``; raises :class:`FolderError` where there is none or where it is not readable.

    >>> load_run(run_folder).days
    200
    """
    path = Path(folder)
    if not path.is_dir():
        raise FolderError(f"{path} is not a folder")
    if not (path / "manifest.json").is_file():
        raise FolderError(f"{path} is not a run folder: it has no manifest.json")
    run = Run(path)
    if run.manifest.get("format_name") != "salus-run":
        raise FolderError(f"{path} is not a run folder: its manifest.json is of something else")
    layout = run.manifest.get("format")
    if not isinstance(layout, int) or layout > FORMAT:
        raise FolderError(f"{path} has layout {layout!r}, and this version reads layouts up to {FORMAT}")
    return run
