"""Networks from a file of debts: CSV with a header, one debt a row.

``debtor,creditor,amount`` are names and a number. What is known of the institutions themselves stands in rows of the
optional second file, ``institution,outside,capital``; without it each has total assets such that what it lends is a
given share of them, and capital in proportion, as in :func:`sim.contagion.networks.balance_sheets`.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from sim.contagion.debts import BadDebts, totals
from sim.contagion.networks import Network


def _rows(file: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """(line, row) of each row; raises :class:`BadDebts` where a column is missing."""
    with file.open(newline="", encoding="utf-8-sig") as stream:
        try:
            reader = csv.DictReader(stream, skipinitialspace=True)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise BadDebts(f"{file} has no column '{missing[0]}'; its first line should be {','.join(columns)}")
            return [(reader.line_num, row) for row in reader]
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadDebts(f"{file} is not a CSV file that can be read: {error}") from error


def _number(text: str | None, file: Path, line: int, what: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0.0:
        raise BadDebts(f"{file}:{line}: {what} '{text or ''}' is not a number of at least 0")
    return value


def _name(text: str | None, file: Path, line: int, what: str) -> str:
    name = (text or "").strip()
    if not name:
        raise BadDebts(f"{file}:{line}: the {what} has no name")
    return name


def read_network(debts: Path, institutions: Path | None = None, lent: float = 0.2, capital: float = 0.04) -> Network:
    """The network of the file ``debts``; ``lent`` and ``capital`` are shares of total assets, for institutions that
    the file ``institutions`` says nothing of. Raises :class:`BadDebts` naming file and line."""
    sheets: dict[str, tuple[float, float]] = {}
    if institutions is not None:
        for line, row in _rows(institutions, ("institution", "outside", "capital")):
            name = _name(row["institution"], institutions, line, "institution")
            if name in sheets:
                raise BadDebts(f"{institutions}:{line}: '{name}' stands there twice")
            sheets[name] = (_number(row["outside"], institutions, line, "outside"),
                            _number(row["capital"], institutions, line, "capital"))
    links: list[tuple[str, str, float]] = []
    for line, row in _rows(debts, ("debtor", "creditor", "amount")):
        debtor, creditor = (_name(row[what], debts, line, what) for what in ("debtor", "creditor"))
        if debtor == creditor:
            raise BadDebts(f"{debts}:{line}: '{debtor}' cannot owe itself")
        links.append((debtor, creditor, _number(row["amount"], debts, line, "amount")))
    names = sorted({*sheets, *(name for debtor, creditor, _ in links for name in (debtor, creditor))})
    if len(names) < 2:
        raise BadDebts(f"{debts} holds no debt between two institutions")
    place = {name: position for position, name in enumerate(names)}
    amount = np.array([amount for _, _, amount in links])
    debtors = np.array([place[debtor] for debtor, _, _ in links], dtype=np.int64)
    creditors = np.array([place[creditor] for _, creditor, _ in links], dtype=np.int64)
    claims = totals(creditors, amount, len(names))
    owed = totals(debtors, amount, len(names))
    size = np.maximum(claims / max(lent, 1e-9), owed / (1.0 - min(capital, 0.99)))  # total assets, where none are given
    outside, equity = size - claims, capital * size
    for name, (assets, own) in sheets.items():
        outside[place[name]], equity[place[name]] = assets, own
    return Network(debtors, creditors, amount, outside, equity, tuple(names))
