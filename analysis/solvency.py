"""An actuary's tables of a run: own funds against requirements, loss ratios, reserves, who bore the claims."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from analysis.load import Run, natural

LAYERS = (("insurance.borne_claims", "earned premium"), ("insurance.borne_surplus", "surplus"),
          ("insurance.borne_junior", "junior tranche"), ("insurance.borne_senior", "senior capital"))
"""Series and name of each layer of the waterfall, in the order in which they bear a claim."""

STATES = ("active", "gated", "run-off", "closed")
"""Names of the values 0 to 3 of ``insurance.state``."""


def pooled(run: Run, name: str) -> pd.Series[float] | None:
    """Sum over pools of one institution series, by day; None where the run has none. The unit is the series'.

    >>> len(pooled(run, "insurance.capital"))
    200
    """
    table = run.by_institution(name)
    return None if table is None else table.sum(axis=1, min_count=1)


def own_funds(run: Run) -> pd.DataFrame | None:
    """Days x [senior, junior, scr, mcr] of all pools together, USD; senior + junior is the capital.

    ``junior`` is what stands before the senior shares: junior stakes, surplus and the margin in the claims fund. The
    MCR is read back from capital and ``insurance.mcr_ratio``, pool by pool.

    >>> own_funds(run).columns.tolist()
    ['senior', 'junior', 'scr', 'mcr']
    """
    senior, junior = pooled(run, "insurance.senior"), pooled(run, "insurance.junior")
    if senior is None or junior is None:
        return None
    table = pd.DataFrame({"senior": senior, "junior": junior})
    required = pooled(run, "insurance.required_capital")
    if required is not None:
        table["scr"] = required
    capital, ratio = run.by_institution("insurance.capital"), run.by_institution("insurance.mcr_ratio")
    if capital is not None and ratio is not None:
        table["mcr"] = (capital / ratio.where(ratio != 0)).sum(axis=1, min_count=1)
    return table


def rolling_ratio(part: pd.DataFrame, whole: pd.DataFrame, window: int) -> pd.DataFrame:
    """Sum of ``part`` over sum of ``whole`` in the ``window`` days up to each day; both days x pools, USD.

    NaN before the window is full and where the denominator is zero. With incurred claims and earned premium this is
    the loss ratio of the window.

    >>> rolling_ratio(pd.DataFrame({"A": [1.0, 2.0]}), pd.DataFrame({"A": [2.0, 2.0]}), 2)["A"].iloc[-1]
    np.float64(0.75)
    """
    below = whole.rolling(window, min_periods=window).sum()
    return part.rolling(window, min_periods=window).sum() / below.where(below > 0)


def reserves(run: Run) -> pd.DataFrame | None:
    """Days x [outstanding, ibnr, unearned] of all pools together, USD.

    >>> reserves(run).columns.tolist()
    ['outstanding', 'ibnr', 'unearned']
    """
    names = {"outstanding": "insurance.outstanding", "ibnr": "insurance.ibnr",
             "unearned": "insurance.unearned_premium"}
    columns = {column: pooled(run, name) for column, name in names.items()}
    found = {column: series for column, series in columns.items() if series is not None}
    return pd.DataFrame(found) if found else None


def borne_by_layer(run: Run, period: int = 30) -> pd.DataFrame | None:
    """Periods of ``period`` days (index: first day) x layers of the waterfall: claims borne in the period, USD.

    The rows sum to what the pools paid. A last period that is not whole is left out, unless it is the only one.

    >>> borne_by_layer(run).index.tolist()
    [0, 30, 60, 90, 120, 150]
    """
    columns = {label: pooled(run, name) for name, label in LAYERS}
    found = {label: series for label, series in columns.items() if series is not None}
    if not found:
        return None
    return by_period(pd.DataFrame(found), period)


def by_period(table: pd.DataFrame, period: int) -> pd.DataFrame:
    """Sums of the columns of ``table`` (index: days) over periods of ``period`` days, indexed by their first day.

    A last period that is not whole is left out, unless it is the only one.

    >>> by_period(pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]}), 2)["a"].tolist()
    [3.0, 7.0]
    """
    days = table.index.to_numpy()
    whole = (int(days.max()) + 1) // period
    kept = table[days < whole * period] if whole else table
    return kept.groupby(kept.index.to_numpy() // period * period).sum()


def quantity(name: str, run: Run, how: str) -> pd.Series[float] | None:
    """One figure a pool from the institution series ``name``: ``how`` is sum, last, min or a mean over the days.

    >>> quantity("insurance.members", run, "last").index.tolist()
    ['EAST', 'WEST']
    """
    table = run.by_institution(name)
    if table is None:
        return None
    if how == "last":
        return cast("pd.Series[float]", table.ffill().iloc[-1])
    return cast("pd.Series[float]", table.agg(how))


def pool_table(run: Run) -> pd.DataFrame | None:
    """One row a pool: members, earned premium, incurred claims (USD), incurred loss ratio, combined ratio, capital
    (USD), SCR ratio at the end, lowest MCR ratio, days gated, unpaid claims (USD), price of the senior and of the
    junior share (first price 1), and the state at the end. Columns that the run cannot give are absent.

    >>> pool_table(run).index.tolist()
    ['EAST', 'WEST']
    """
    wanted = (("members", "insurance.members", "last"), ("earned premium", "insurance.earned_premium", "sum"),
              ("incurred claims", "insurance.incurred", "sum"), ("loss ratio", "insurance.loss_ratio", "last"),
              ("combined ratio", "insurance.combined_ratio", "last"), ("capital", "insurance.capital", "last"),
              ("SCR ratio", "insurance.scr_ratio", "last"), ("lowest MCR %", "insurance.mcr_ratio", "min"),
              ("unpaid claims", "insurance.unpaid", "last"), ("senior share", "insurance.share_price", "last"),
              ("junior share", "insurance.junior_price", "last"))
    columns = {label: quantity(name, run, how) for label, name, how in wanted}
    table = pd.DataFrame({label: column for label, column in columns.items() if column is not None})
    if table.empty:
        return None
    table = table.loc[sorted(table.index, key=natural)]
    states = run.by_institution("insurance.state")
    if states is not None:
        table["days gated"] = (states == STATES.index("gated")).sum()
        last = states.ffill().iloc[-1]
        table["state"] = [STATES[int(last[pool])] if np.isfinite(last[pool]) else "" for pool in table.index]
    return table


def waterfall(run: Run) -> pd.DataFrame | None:
    """Layers of the waterfall, the first to bear a claim first, x [stands, bore]: USD at the end of the run before
    reserves, and claims borne over the run, all pools together. None where the run has no pools.

    What stands sums to capital and claim reserves; other assets, such as recoverables, are with the junior tranche.

    >>> waterfall(run).index.tolist()
    ['earned premium', 'surplus', 'junior tranche', 'senior capital']
    """
    def last(name: str) -> float:
        """All pools' value of the series at the end, 0 where there is none."""
        values = pooled(run, name)
        return 0.0 if values is None else float(values.iloc[-1])

    if pooled(run, "insurance.capital") is None:
        return None
    premium, surplus, senior = (last(f"insurance.{name}") for name in ("claims_fund", "surplus", "senior"))
    whole = last("insurance.capital") + last("insurance.outstanding") + last("insurance.ibnr")
    stands = (premium, surplus, whole - premium - surplus - senior, senior)
    borne = [pooled(run, name) for name, _ in LAYERS]
    return pd.DataFrame({"stands": stands, "bore": [0.0 if one is None else float(one.sum()) for one in borne]},
                        index=[label for _, label in LAYERS])
