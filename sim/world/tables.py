"""Source tables: small CSV files that say what a country's population and its care look like.

A folder holds one file per table. Lines that begin with ``#`` are comments (the source stands there); the first other
line names the columns. Faults are reported as ``file:line: what is wrong``.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.scenario.library import shipped_folder

MAX_AGE = 120
_MAX_BYTES = 1_000_000

Floats = NDArray[np.float64]


class TableError(ValueError):
    """A source table that is missing or faulty; the message says which file and line."""


def locate_tables(tables: str = "us", beside: Path | None = None) -> Path:
    """The folder that ``tables`` names.

    Parameters
    ----------
    tables: a folder's path (absolute, or relative to ``beside``), else the name of a shipped folder such as "us".
    beside: folder of the scenario file that asks.

    Raises :class:`TableError` where there is no such folder.
    """
    shipped = shipped_folder() / "data"
    tried = [Path(tables)] if Path(tables).is_absolute() else [*([beside / tables] if beside else []), shipped / tables]
    for folder in tried:
        if folder.is_dir():
            return folder
    names = ", ".join(sorted(child.name for child in shipped.glob("*") if child.is_dir())) or "none"
    raise TableError(f"there is no folder of tables {tables!r}; shipped: {names}; "
                     "else give a path relative to the scenario file")


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV file: columns as text, and the line that each row stands on."""

    file: Path
    columns: dict[str, list[str]]
    lines: list[int]

    def fault(self, message: str, row: int | None = None) -> TableError:
        """An error that names this file and, where given, the line of ``row``."""
        where = str(self.file) if row is None else f"{self.file}:{self.lines[row]}"
        return TableError(f"{where}: {message}")

    def text(self, name: str) -> list[str]:
        """A column as text."""
        if name not in self.columns:
            raise self.fault(f"there is no column {name!r}; the columns are {', '.join(self.columns)}")
        return self.columns[name]

    def numbers(self, name: str, low: float = -math.inf, high: float = math.inf) -> Floats:
        """A column as float64[rows], each within ``low`` .. ``high``."""
        values = np.empty(len(self.lines))
        for row, text in enumerate(self.text(name)):
            try:
                value = float(text)
            except ValueError:
                raise self.fault(f"{name} is {text!r}, which is not a number", row) from None
            if not (math.isfinite(value) and low <= value <= high):
                raise self.fault(f"{name} is {text}; allowed: {low:g} to {high:g}", row)
            values[row] = value
        return values

    def increasing(self, name: str, low: float = -math.inf, high: float = math.inf) -> Floats:
        """A column of numbers, each above the one before."""
        values = self.numbers(name, low, high)
        for row in range(1, values.size):
            if values[row] <= values[row - 1]:
                raise self.fault(f"{name} is {values[row]:g} after {values[row - 1]:g}; it must increase", row)
        return values

    def keyed(self, name: str, expected: Sequence[str]) -> list[int]:
        """Row of each name in ``expected``; the column must hold just these, once each."""
        given = self.text(name)
        for row, text in enumerate(given):
            if text not in expected:
                raise self.fault(f"{name} is {text!r}; expected: {', '.join(expected)}", row)
            if text in given[:row]:
                raise self.fault(f"{name} {text!r} stands here a second time", row)
        missing = [text for text in expected if text not in given]
        if missing:
            raise self.fault(f"there is no row for {name} {', '.join(missing)}")
        return [given.index(text) for text in expected]

    def by_age(self, name: str, low: float = -math.inf, high: float = math.inf) -> Floats:
        """A column of a table of age bands as float64[MAX_AGE + 1]; ages outside the bands take the nearest band's.

        The bands ``age_from`` .. ``age_to`` must follow one another without gap or overlap.
        """
        first, last = self.bands()
        values = self.numbers(name, low, high)
        return values[np.clip(np.searchsorted(last, np.arange(MAX_AGE + 1)), 0, first.size - 1)]

    def bands(self) -> tuple[Floats, Floats]:
        """First and last age of each band."""
        first = self.numbers("age_from", 0, MAX_AGE)
        last = self.numbers("age_to", 0, MAX_AGE)
        for row in range(first.size):
            if last[row] < first[row] or first[row] % 1 or last[row] % 1:
                raise self.fault(f"the ages {first[row]:g} to {last[row]:g} are no band of whole years", row)
            if row and first[row] != last[row - 1] + 1:
                raise self.fault(f"the band begins at age {first[row]:g} but the one before ends at "
                                 f"{last[row - 1]:g}", row)
        return first, last


def read_table(folder: Path, name: str) -> Table:
    """The table ``name`` (without ``.csv``) in ``folder``; :class:`TableError` where it cannot be read."""
    file = folder / f"{name}.csv"
    if not file.is_file():
        raise TableError(f"{file}: this table is missing")
    if file.stat().st_size > _MAX_BYTES:
        raise TableError(f"{file}: larger than {_MAX_BYTES:,} bytes; a source table is small")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{file}: this is not UTF-8 text") from None
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), start=1)
                if line.strip() and not line.lstrip().startswith("#")]
    if len(numbered) < 2:
        raise TableError(f"{file}: the table has no rows")
    try:
        rows = [[cell.strip() for cell in cells] for cells in csv.reader([line for _, line in numbered], strict=True)]
    except csv.Error as error:
        raise TableError(f"{file}: not a CSV file: {error}") from None
    if len(rows) != len(numbered):
        raise TableError(f"{file}: a quoted value runs over several lines")
    names = rows[0]
    if len(set(names)) != len(names) or "" in names:
        raise TableError(f"{file}:{numbered[0][0]}: a column has no name, or two have the same")
    for (number, _), cells in zip(numbered[1:], rows[1:], strict=True):
        if len(cells) != len(names):
            raise TableError(f"{file}:{number}: {len(cells)} values for the {len(names)} columns {', '.join(names)}")
    return Table(file, {name: [cells[i] for cells in rows[1:]] for i, name in enumerate(names)},
                 [number for number, _ in numbered[1:]])
