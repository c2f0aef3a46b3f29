"""Loss triangles of the pools: cumulative by accident and development period, link ratios, chain ladder.

A month is 30 days, as in the simulation; long runs are shown by quarters of three months. Only whole periods count:
what happened in a period that the run did not finish is left out of triangles and ratios.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.load import MICRO, Run, natural

MONTH_DAYS = 30
MONTHLY_UP_TO = 15
"""Runs of more whole months are shown by quarters."""


def period_months(run: Run) -> int:
    """Months in a period of the run's triangles: 1, or 3 where the run is long.

    >>> period_months(run)
    1
    """
    return 1 if run.days // MONTH_DAYS <= MONTHLY_UP_TO else 3


def cumulative(run: Run, what: str, period: int = 1, pool: str | None = None) -> pd.DataFrame:
    """Cumulative ``what`` ("paid" or "incurred") in USD: accident periods x development periods, NaN beyond the last
    whole period of the run. All pools together where no ``pool`` is named; empty where there is nothing to show.

    >>> cumulative(run, "paid", pool="EAST").iloc[0, 0]
    np.float64(700.0)
    """
    rows = run.triangles
    if pool is not None:
        rows = rows[rows["institution"] == pool]
    periods = run.days // (MONTH_DAYS * period)
    if rows.empty or periods == 0:
        return pd.DataFrame()
    accident = rows["accident_month"].to_numpy(dtype="int64")
    calendar = (accident + rows["development_month"].to_numpy(dtype="int64")) // period
    accident //= period
    whole = calendar < periods
    table = np.zeros((periods, periods))
    np.add.at(table, (accident[whole], (calendar - accident)[whole]), rows[what].to_numpy(dtype="float64")[whole])
    table = np.cumsum(table, axis=1) / MICRO
    table[np.add.outer(np.arange(periods), np.arange(periods)) >= periods] = np.nan
    return pd.DataFrame(table)


def link_ratios(triangle: pd.DataFrame) -> pd.DataFrame:
    """Ratios of successive columns by accident period; NaN where either is unknown or the first is 0.

    >>> link_ratios(pd.DataFrame([[1.0, 2.0], [1.0, np.nan]])).iloc[0, 0]
    np.float64(2.0)
    """
    values = triangle.to_numpy(dtype="float64")
    before = values[:, :-1]
    ratios = values[:, 1:] / np.where(before > 0.0, before, np.nan)
    return pd.DataFrame(ratios, index=triangle.index)


def average_ratios(triangle: pd.DataFrame) -> pd.Series[float]:
    """Volume-weighted link ratio of each development period, sum of the later over sum of the earlier column over the
    rows that know both; 1 where they are 0.

    >>> average_ratios(pd.DataFrame([[1.0, 2.0], [1.0, np.nan]])).tolist()
    [2.0]
    """
    values = triangle.to_numpy(dtype="float64")
    found = []
    for d in range(values.shape[1] - 1):
        both = np.isfinite(values[:, d + 1])
        before, after = values[both, d].sum(), values[both, d + 1].sum()
        found.append(after / before if before > 0.0 and after > 0.0 else 1.0)
    return pd.Series(found, dtype="float64")


def chain_ladder(triangle: pd.DataFrame) -> pd.DataFrame:
    """By accident period: ``latest`` known amount, ``factor`` to ultimate, ``ultimate`` and what is still to come,
    ``outstanding`` (USD). No tail beyond the last development period.

    One row an accident period, in the unit of ``triangle``.

    >>> chain_ladder(pd.DataFrame([[1.0, 2.0], [1.0, np.nan]]))["ultimate"].tolist()
    [2.0, 2.0]
    """
    ratios = average_ratios(triangle).to_numpy()
    factors = np.append(np.cumprod(ratios[::-1])[::-1], 1.0)
    size = len(triangle)
    ages = size - 1 - np.arange(size)
    latest = triangle.to_numpy(dtype="float64")[np.arange(size), ages]
    ultimate = latest * factors[ages]
    return pd.DataFrame({"latest": latest, "factor": factors[ages], "ultimate": ultimate,
                         "outstanding": ultimate - latest}, index=triangle.index)


def held(run: Run, pool: str | None, name: str, period: int) -> float | None:
    """The reserve series ``name`` (USD) at the end of the last whole period, of one pool or of all; None where it was
    not recorded.

    >>> held(run, "EAST", "insurance.members", 1) is None
    False
    """
    table = run.by_institution(name)
    day = run.days // (MONTH_DAYS * period) * MONTH_DAYS * period - 1
    if table is None or day not in table.index:
        return None
    values = table.loc[day].to_dict()
    return float(sum(values.values()) if pool is None else values.get(pool, np.nan))


def reserve_table(run: Run, period: int) -> pd.DataFrame:
    """One row a pool, and "all pools": USD paid, reported and not paid (case reserves and debts), chain-ladder ultimate
    of incurred claims, IBNR by it and as held, and the ultimate of paid claims. At the end of the last whole period.

    >>> reserve_table(run, 1).index.tolist()
    ['EAST', 'WEST', 'all pools']
    """
    pools = sorted(run.triangles["institution"].unique(), key=natural)
    rows = {}
    for pool in [*pools, None]:
        paid, incurred = cumulative(run, "paid", period, pool), cumulative(run, "incurred", period, pool)
        if incurred.empty:
            continue
        by_incurred, by_paid = chain_ladder(incurred), chain_ladder(paid)
        rows[pool or "all pools"] = {
            "paid": by_paid["latest"].sum(), "case reserves": by_incurred["latest"].sum() - by_paid["latest"].sum(),
            "ultimate (incurred)": by_incurred["ultimate"].sum(), "ultimate (paid)": by_paid["ultimate"].sum(),
            "IBNR by chain ladder": by_incurred["outstanding"].sum(),
            "IBNR held": held(run, pool, "insurance.ibnr", period)}
    return pd.DataFrame.from_dict(rows, orient="index")
