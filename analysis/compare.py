"""Two configurations on the same seeds: paired differences, their intervals, and what pairing was worth.

Run k of A and run k of B live in the same world: every random draw has a name, so only what the change touches differs.
The difference within a pair is then free of what both runs share, and its interval is narrow. Where the two worlds have
drifted apart the pair shares nothing and pairing does not help; :func:`sentence` says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from analysis.intervals import (
    CONFIDENCE,
    Floats,
    Interval,
    bootstrap,
    is_indicator,
    paired_shares,
    student,
    unpaired_shares,
    welch,
)
from analysis.load import FolderError
from analysis.page import number

COLUMNS = ("pairs", "mean_a", "mean_b", "difference", "low", "high", "unpaired_low", "unpaired_high", "narrowing",
           "variance_reduction", "correlation")
"""Columns of :func:`compare`; all but the first are float64."""

Row = Mapping[str, float]
"""One row of :func:`compare`: column -> value."""

ROUNDING = 1e-12
"""Relative difference up to which two figures are one figure that was summed in another order."""

HELPS, HELPS_WELL = 1.05, 3.0
"""How many times wider than the paired interval the unpaired one must be for pairing to help, and to help well."""


def pair(a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The runs of ``a`` and ``b`` (index: ``replication``, ``seed``; columns: figures) that have a partner.

    Both results have the same rows in the same order, and the figures that both sides report. Raises
    :class:`FolderError` where no run has a partner.

    Rows of both results are in one order; figures keep their units.

    Example
    -------
    >>> index = pd.MultiIndex.from_tuples([(0, 11), (1, 12)], names=["replication", "seed"])
    >>> a = pd.DataFrame({"m": [1.0, 2.0]}, index)
    >>> [side.shape for side in pair(a, a.iloc[1:])]
    [(1, 1), (1, 1)]
    """
    shared = a.index.intersection(b.index).sort_values()
    if shared.empty:
        raise FolderError("the two sides share no seed, so there is nothing to pair: run both with the same seed "
                          "(a batch gives replication k the same seed in every variant)")
    figures = [name for name in a.columns if name in b.columns]
    return a.loc[shared, figures], b.loc[shared, figures]


def compare(a: pd.DataFrame, b: pd.DataFrame, method: str = "student", confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Paired differences B less A of every figure.

    Parameters
    ----------
    a, b: pairs x figures, rows in the same order, as :func:`pair` gives them.
    method: interval of the mean difference, "student" or "bootstrap" (BCa). Figures that are 0 or 1 in every run have
        Bonett and Price's, and Newcombe's unpaired one, under either.

    Returns figures x :data:`COLUMNS`, in the unit of each figure. ``narrowing`` is the width of the unpaired interval
    over that of the paired one, on the same runs; ``variance_reduction`` is 1 - var(B - A) / (var A + var B). NaN
    where not defined, and intervals are infinite for a single pair. Pairs with a NaN on either side are left out.

    Example
    -------
    >>> rng = np.random.default_rng(1)
    >>> world = rng.normal(100, 10, 50)
    >>> table = compare(pd.DataFrame({"cost": world}), pd.DataFrame({"cost": world + rng.normal(5, 1, 50)}))
    >>> bool(table.loc["cost", "low"] < 5 < table.loc["cost", "high"]), bool(table.loc["cost", "narrowing"] > 3)
    (True, True)
    """
    if method not in ("student", "bootstrap"):
        raise ValueError(f"no interval is called {method!r}; there are 'student' and 'bootstrap'")
    rows = {}
    for name in a.columns:
        x, y = a[name].to_numpy(dtype="float64"), b[name].to_numpy(dtype="float64")
        known = np.isfinite(x) & np.isfinite(y)
        if known.any():
            rows[name] = _row(str(name), x[known], y[known], method, confidence)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS), dtype="float64")
    table["pairs"] = table["pairs"].astype("int64")
    return table.rename_axis("figure")


def _row(name: str, x: Floats, y: Floats, method: str, confidence: float) -> list[float]:
    """One row of :func:`compare`."""
    y = np.where(np.abs(y - x) <= ROUNDING * np.maximum(np.abs(x), np.abs(y)), x, y)
    between = y - x
    (low, high), (low_apart, high_apart) = _intervals(name, x, y, method, confidence)
    narrowing = reduction = correlation = math.nan
    if len(x) > 1:
        alone = float(np.var(x, ddof=1) + np.var(y, ddof=1))
        if high > low:
            narrowing = (high_apart - low_apart) / (high - low)
        elif high_apart > low_apart:
            narrowing = math.inf
        if alone > 0:
            reduction = 1.0 - float(np.var(between, ddof=1)) / alone
        if np.ptp(x) > 0 and np.ptp(y) > 0:
            correlation = float(np.corrcoef(x, y)[0, 1])
    return [len(x), float(x.mean()), float(y.mean()), float(between.mean()), low, high, low_apart, high_apart,
            narrowing, reduction, correlation]


def _intervals(name: str, x: Floats, y: Floats, method: str, confidence: float) -> tuple[Interval, Interval]:
    """Paired and unpaired interval of mean(y) - mean(x)."""
    if is_indicator(np.concatenate([x, y]), name):
        return paired_shares(x, y, confidence), unpaired_shares(x, y, confidence)
    paired = bootstrap(y - x, confidence=confidence) if method == "bootstrap" else student(y - x, confidence)
    return paired, welch(x, y, confidence)


def rows_of(table: pd.DataFrame) -> dict[str, Row]:
    """The rows of :func:`compare`'s result by figure.

    Example
    -------
    >>> rows_of(pd.DataFrame({"low": [1.0]}, index=["cost"]))
    {'cost': {'low': 1.0}}
    """
    return cast(dict[str, Row], table.to_dict("index"))


def differs(row: Row) -> bool | None:
    """Whether the paired interval lies wholly on one side of nought; None where a single pair cannot tell.

    ``row`` is one of :func:`compare`, in the figure's unit.

    >>> differs({"low": 1.0, "high": 2.0}), differs({"low": -1.0, "high": 2.0})
    (True, False)
    """
    low, high = float(row["low"]), float(row["high"])
    return None if not math.isfinite(low) or not math.isfinite(high) else low > 0 or high < 0


def sentence(name: str, row: Row, unit: str = "", confidence: float = CONFIDENCE) -> str:
    """What a row of :func:`compare` says, in words: difference, interval, pairs, and what pairing was worth.

    Example
    -------
    >>> a = pd.DataFrame({"cost": [1.0, 2.0, 3.0]})
    >>> sentence("cost", rows_of(compare(a, a + 2.0))["cost"], "USD")
    'cost: 2 USD in each of 3 pairs.'
    """
    told = f" {unit}" if unit not in ("", "1") else ""
    pairs = int(row["pairs"])
    if pairs == 1:
        return f"{name}: {number(row['difference'])}{told} in the one pair there is, so no interval."
    if row["low"] == row["high"]:
        return f"{name}: {number(row['difference'])}{told} in each of {pairs} pairs."
    text = (f"{name}: {number(row['difference'])}{told}, {confidence:.0%} interval {number(row['low'])} to "
            f"{number(row['high'])}, {pairs} pairs")
    return f"{text}; {worth(row)}."


def worth(row: Row) -> str:
    """What pairing was worth for a row of :func:`compare`, in words; where it did not help, it says so.

    Example
    -------
    >>> worth({"narrowing": 0.98, "variance_reduction": -0.03})
    'pairing does not help here: the unpaired interval is 0.98 times as wide'
    """
    times, reduction = float(row["narrowing"]), float(row["variance_reduction"])
    if math.isnan(times):
        return "neither side varies between runs"
    if math.isinf(times):
        return "every pair differs by the same"
    if times < HELPS:
        return f"pairing does not help here: the unpaired interval is {times:.2f} times as wide"
    share = f"{100 * reduction:.3g}" if reduction < 0.9995 else "over 99.9"
    removed = f", pairing removes {share} % of the variance" if reduction > 0 else ""
    little = f"pairing helps, but less than {HELPS_WELL:g} times: " if times < HELPS_WELL else ""
    size = f"{times:,.0f}" if times >= 100 else f"{times:.3g}"
    return f"{little}the unpaired interval is {size} times as wide{removed}"


def verdict_on_pairing(table: pd.DataFrame) -> str:
    """How many figures of :func:`compare` pairing helped with, in one sentence.

    Example
    -------
    >>> times = [4.0, 1.5, 0.9, math.nan]
    >>> verdict_on_pairing(pd.DataFrame({"narrowing": times, "low": [1.0] * 4, "high": [2.0] * 4}))
    'Pairing narrows the interval at least 3 times for 1 of 3 figures that vary, less for 1, and does not help for 1.'
    """
    untouched = (table["low"] == 0) & (table["high"] == 0)
    times = table["narrowing"][~untouched].dropna()
    if times.empty:
        return "No figure varies between pairs, or there are too few of them, so what pairing is worth cannot be told."
    same = f" The other {int(untouched.sum())} are equal in every pair." if untouched.any() else ""
    well, poorly = int((times >= HELPS_WELL).sum()), int((times < HELPS).sum())
    return (f"Pairing narrows the interval at least {HELPS_WELL:g} times for {well} of {len(times)} figures that vary, "
            f"less for {len(times) - well - poorly}, and does not help for {poorly}.{same}")


def daily_difference(a: pd.DataFrame, b: pd.DataFrame, window: int = 1,
                     confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Day by day paired difference B less A, with Student's interval for each day by itself.

    Parameters
    ----------
    a, b: days x pairs of one series, with the same columns.
    window: days of a running mean that is taken first.

    Returns days x [``mean_a``, ``mean_b``, ``difference``, ``low``, ``high``, ``pairs``] in the unit of the series; the
    edges are NaN where a day has fewer than two pairs.

    Example
    -------
    >>> days = pd.DataFrame({0: [1.0, 2.0], 1: [3.0, 3.0]})
    >>> daily_difference(days, days + 1.0)["difference"].tolist()
    [1.0, 1.0]
    """
    shared = a.columns.intersection(b.columns)
    x, y = (side[shared].astype("float64") for side in (a, b))
    x, y = x.align(y, join="inner", axis=0)
    between = y - x
    if window > 1:
        between, x, y = (side.rolling(window, min_periods=window).mean() for side in (between, x, y))
    x, y = x.where(between.notna()), y.where(between.notna())
    pairs = between.notna().sum(axis=1)
    quantile = stdtrit(np.maximum(pairs - 1, 1), (1 + confidence) / 2)
    half = (quantile * between.std(axis=1, ddof=1) / np.sqrt(pairs)).where(pairs > 1)
    centre = between.mean(axis=1)
    return pd.DataFrame({"mean_a": x.mean(axis=1), "mean_b": y.mean(axis=1), "difference": centre,
                         "low": centre - half, "high": centre + half, "pairs": pairs})
