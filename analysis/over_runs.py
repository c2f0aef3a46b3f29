"""Tables over the runs of a batch: quantiles of paths for fan charts, and maps of a figure over two parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.batch import METRIC, PARAMETER
from analysis.intervals import interval

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of a fan."""


def fan(paths: pd.DataFrame, shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """Quantiles over runs by day: days x ``shares``, in the unit of ``paths`` (days x runs, as
    :meth:`analysis.batch.Batch.daily` gives them); days that no run has are left out.

    >>> fan(pd.DataFrame({0: [1.0, 2.0], 1: [3.0, 4.0]}), [0.5])[0.5].tolist()
    [2.0, 3.0]
    """
    known = paths.dropna(how="all")
    values = np.nanquantile(known.to_numpy(dtype="float64"), shares, axis=1).T
    return pd.DataFrame(values, index=known.index, columns=list(shares))


def phase_table(runs: pd.DataFrame, x: str, y: str, metric: str) -> pd.DataFrame:
    """Mean of ``metric`` at each pair of values of the swept parameters ``x`` and ``y`` (dotted paths), one row a pair:
    ``x``, ``y``, ``mean``, ``low``, ``high`` (95 %: Wilson for what is 0 or 1, else Student), ``n``.

    ``runs`` is :attr:`analysis.batch.Batch.runs`; runs that failed or do not define the metric are left out.

    >>> runs = pd.DataFrame({"status": "done", "param.a": [0, 0, 1], "param.b": [1, 1, 1], "metric.m": [1.0, 3.0, 5.0]})
    >>> phase_table(runs, "a", "b", "m")[["x", "y", "mean", "n"]].values.tolist()
    [[0.0, 1.0, 2.0, 2.0], [1.0, 1.0, 5.0, 1.0]]
    """
    columns = [PARAMETER + x, PARAMETER + y, METRIC + metric]
    done = runs.loc[runs["status"] == "done", columns].dropna()
    rows = []
    for (first, second), part in done.groupby(columns[:2]):
        values = part[columns[2]].to_numpy(dtype="float64")
        rows.append((first, second, float(values.mean()), *interval(values), values.size))
    return pd.DataFrame(rows, columns=["x", "y", "mean", "low", "high", "n"])


def ends_table(runs: pd.DataFrame, parameters: Sequence[str], metric: str, share: float = 0.25) -> pd.DataFrame:
    """Mean of ``metric`` at both ends of each of ``parameters`` (dotted paths), whatever the others were: parameters x
    [``low``, ``high``, their 95 % intervals ``low_from``, ``low_to``, ``high_from``, ``high_to``, ``n`` of the smaller
    end], in the metric's unit. An end is the least or greatest value, and of values drawn at random the ``share`` of
    finished runs nearest to it.

    Rows are parameters; columns are those six and ``n``.

    >>> runs = pd.DataFrame({"status": "done", "param.a": [0, 0, 1, 1], "metric.m": [1.0, 2.0, 5.0, 6.0]})
    >>> ends_table(runs, ["a"], "m")[["low", "high", "n"]].values.tolist()
    [[1.5, 5.5, 2.0]]
    """
    done = runs[runs["status"] == "done"].dropna(subset=[METRIC + metric])
    rows = {}
    for path in parameters:
        values = done[PARAMETER + path]
        ends = (values <= values.quantile(share), values >= values.quantile(1.0 - share)) \
            if values.nunique() > len(values) * share else (values == values.min(), values == values.max())
        low, high = (done.loc[end, METRIC + metric].to_numpy(dtype="float64") for end in ends)
        if low.size and high.size:
            rows[path] = (float(low.mean()), float(high.mean()), *interval(low), *interval(high),
                          min(low.size, high.size))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high", "low_from", "low_to", "high_from",
                                                                 "high_to", "n"])
