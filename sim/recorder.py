"""Observations of a run, in memory: daily series, series per institution, events, flows and metrics.

Series are declared by the sections of the mechanisms that take part, so that a name that nobody declared is refused
at once and a file never has a column that the data dictionary does not know.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger
    from sim.scenario.types import Section


TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "people": (("year", "int32"), ("income_decile", "int32"), ("persons", "int64"), ("income", "int64"),
               ("own_payments", "int64"), ("uninsured", "int64"), ("above_10", "int64"), ("above_25", "int64"),
               ("above_40_of_capacity", "int64")),
    "exposures": (("day", "int32"), ("debtor", "string"), ("creditor", "string"), ("kind", "string"),
                  ("amount", "int64"), ("debtor_equity", "int64"), ("creditor_equity", "int64")),
    "forecasts": (("day", "int32"), ("subject", "string"), ("opened", "int32"), ("outcome", "int32"),
                  ("price_halfway", "float64"), ("price_at_close", "float64"), ("happened", "int32"),
                  ("figure", "float64")),
    "votes": (("day", "int32"), ("proposal", "int32"), ("voter", "string"), ("power", "int64"), ("support", "string"),
              ("votes", "int64")),
}
"""Further tables of a run, each with its columns and their types: written where a mechanism added rows to them."""


class RecorderError(KeyError):
    """A series, metric or table that nobody declared."""


class Recorder:
    """Collects what mechanisms observe. Shapes: a series is float64[horizon_days], NaN where nothing was recorded."""

    def __init__(self, horizon_days: int, sections: Iterable[Section], ledger: Ledger) -> None:
        self.horizon_days = horizon_days
        self.day = -1
        self._ledger = ledger
        self.declared_series: dict[str, str] = {}
        self.declared_metrics: set[str] = set()
        for section in sections:
            self.declared_series.update({series.name: series.per for series in section.series})
            self.declared_metrics.update(metric.name for metric in section.metrics)
        self.daily: dict[str, np.ndarray] = {}
        self.institutions: dict[str, dict[str, np.ndarray]] = {}
        self._cells: dict[str, Any] = {}
        self._institution_cells: dict[tuple[str, str], Any] = {}
        """The same memory as the arrays: single values are written faster there."""
        self.metrics: dict[str, float] = {}
        self.events: list[tuple[int, str, str, float, str]] = []
        self.flows: list[tuple[int, str, str, str, str, int]] = []
        self.triangles: list[tuple[str, np.ndarray, np.ndarray]] = []
        self.tables: dict[str, list[tuple[Any, ...]]] = {}

    def _row(self) -> np.ndarray:
        return np.full(self.horizon_days, np.nan)

    def series(self, name: str, value: float) -> None:
        """Record today's value of a market-wide series."""
        cells = self._cells.get(name)
        if cells is None:
            if self.declared_series.get(name) != "market":
                raise RecorderError(f"no section declares the market series {name!r}")
            self.daily[name] = self._row()
            cells = self._cells[name] = memoryview(self.daily[name].data)
        cells[self.day] = value

    def institution(self, institution: str, name: str, value: float) -> None:
        """Record today's value of an institution's series."""
        cells = self._institution_cells.get((institution, name))
        if cells is None:
            if self.declared_series.get(name) != "institution":
                raise RecorderError(f"no section declares the institution series {name!r}")
            row = self.institutions.setdefault(institution, {})[name] = self._row()
            cells = self._institution_cells[institution, name] = memoryview(row.data)
        cells[self.day] = value

    def metric(self, name: str, value: float) -> None:
        """Record a figure of the whole run; a figure that is not finite is left out, as "not defined in this run"."""
        if name not in self.declared_metrics:
            raise RecorderError(f"no section declares the metric {name!r}")
        if math.isfinite(value):
            self.metrics[name] = float(value)

    def triangle(self, institution: str, paid: np.ndarray, incurred: np.ndarray) -> None:
        """Record an institution's loss triangle at the end of the run: base units int64[months, months] by accident
        month and development month."""
        self.triangles.append((institution, paid, incurred))

    def row(self, table: str, *values: Any) -> None:
        """Add a row to one of :data:`TABLES`, values in the order of its columns."""
        if table not in TABLES:
            raise RecorderError(f"there is no table {table!r}")
        if len(values) != len(TABLES[table]):
            raise RecorderError(f"a row of {table!r} has {len(TABLES[table])} values, not {len(values)}")
        self.tables.setdefault(table, []).append(values)

    def event(self, kind: str, subject: str = "", amount: float = 0.0, **details: Any) -> None:
        """Record an event of today; undone if the transaction it belongs to is rolled back."""
        mark = len(self.events)
        self.events.append((self.day, kind, subject, float(amount), json.dumps(details, sort_keys=True, default=float)))
        self._ledger.on_rollback(lambda: self.events.__delitem__(slice(mark, None)))

    def close_day(self) -> None:
        """Take the day's flow matrix from the ledger."""
        self.flows.extend(self._ledger.end_day(self.day))
