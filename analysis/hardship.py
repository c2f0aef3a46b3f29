"""Who is without cover and who pays more for care than the budget bears, by income decile.

Thresholds: own payments above 10 % and 25 % of income (indicator 3.8.2 of the Sustainable Development Goals), and above
40 % of capacity to pay, income less subsistence (Xu 2005, WHO discussion paper 2).
"""

from __future__ import annotations

import pandas as pd

from analysis.intervals import wilson
from analysis.load import MICRO, Run

MEASURES = {"uninsured": "without any cover", "above_10": "> 10 %", "above_25": "> 25 % of income",
            "above_40_of_capacity": "> 40 % of capacity"}
"""Columns of counts in :attr:`analysis.load.Run.people`, and what is counted."""


def by_decile(run: Run, year: int | None = None) -> pd.DataFrame:
    """Deciles (index 1, the poorest, to 10) x measures of ``year`` (default: all years together).

    Columns: ``persons`` (person-years), ``income`` and ``own_payments`` (USD a person-year), ``burden`` (own payments
    over income), and for each of :data:`MEASURES` its share with a 95 % Wilson interval ``_low``, ``_high``, which
    takes person-years as independent. Without rows where the run has no whole year.

    >>> by_decile(run).loc[1, ["persons", "above_25"]].tolist()
    [400.0, 0.1]
    """
    rows = run.people if year is None else run.people[run.people["year"] == year]
    sums = rows.drop(columns="year").groupby("income_decile").sum()
    table = pd.DataFrame({"persons": sums["persons"]})
    for column in ("income", "own_payments"):
        table[column] = sums[column] / MICRO / sums["persons"]
    table["burden"] = table["own_payments"] / table["income"].where(table["income"] > 0)
    for column in MEASURES:
        table[column] = sums[column] / sums["persons"]
        edges = [wilson(int(hits), int(n)) for hits, n in zip(sums[column], sums["persons"], strict=True)]
        table[f"{column}_low"], table[f"{column}_high"] = [e[0] for e in edges], [e[1] for e in edges]
    return table
