"""Tails: loss exceedance with intervals, mean excess, quantiles against a fitted tail, sizes of cascades.

All functions take one figure a run (or a year, or an event), independent of each other, NaN left out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import bdtri, ndtri

from analysis.intervals import CONFIDENCE


def _known(values: ArrayLike) -> NDArray[np.float64]:
    """Finite values, sorted upwards."""
    data = np.asarray(values, dtype=np.float64)
    result: NDArray[np.float64] = np.sort(data[np.isfinite(data)])
    return result


def exceedance(losses: ArrayLike, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Share of runs whose loss is at least ``loss``: one row for each distinct loss, upwards; columns ``loss`` (unit of
    ``losses`` [n]), ``probability`` and its interval ``low``, ``high`` (Clopper and Pearson, point by point).

    >>> exceedance([1.0, 2.0, 2.0, 4.0])[["loss", "probability"]].values.tolist()
    [[1.0, 1.0], [2.0, 0.75], [4.0, 0.25]]
    """
    data = _known(losses)
    n = data.size
    loss, first = np.unique(data, return_index=True)
    hits = n - first
    tail = (1.0 - confidence) / 2.0
    with np.errstate(invalid="ignore"):
        low = bdtri(hits - 1, n, 1.0 - tail)
        high = np.where(hits < n, bdtri(np.minimum(hits, n - 1), n, tail), 1.0)
    return pd.DataFrame({"loss": loss, "probability": hits / n if n else hits.astype(float), "low": low, "high": high})


def value_at_risk(losses: ArrayLike, share: float) -> tuple[float, float]:
    """(value at risk, tail value at risk) of ``losses`` [n] at ``share``, such as 0.99; unit of the losses.

    The tail value is the mean of the worst n (1 - share), the border counted in part.

    >>> value_at_risk([1.0, 2.0, 3.0, 4.0], 0.5)
    (3.0, 3.5)
    """
    data = _known(losses)[::-1]
    worst = data.size * (1.0 - share)
    whole = int(np.floor(worst + 1e-9))
    part = worst - whole if worst - whole > 1e-9 else 0.0
    border = data[min(whole, data.size - 1)]
    total = float(data[:whole].sum()) + part * float(border)
    return float(data[max(int(np.ceil(worst - 1e-9)) - 1, 0)]), total / worst


def mean_excess(losses: ArrayLike, confidence: float = CONFIDENCE, least: int = 10) -> pd.DataFrame:
    """Mean excess over thresholds: columns ``threshold``, ``excess`` (mean of loss - threshold over those above),
    ``low``, ``high`` (normal interval), ``n``; unit of ``losses`` [n]. Thresholds with fewer than ``least`` losses
    above are left out. Rising lines tell a heavier tail than exponential, and are straight for a generalized Pareto.

    >>> mean_excess(range(20), least=10)["excess"].iloc[0]
    np.float64(10.0)
    """
    data = _known(losses)
    thresholds = np.unique(data)[:-1]
    rows = []
    z = float(ndtri((1.0 + confidence) / 2.0))
    for threshold in thresholds:
        above = data[np.searchsorted(data, threshold, side="right"):] - threshold
        if above.size < least:
            break
        half = z * float(above.std(ddof=1)) / np.sqrt(above.size)
        rows.append((float(threshold), float(above.mean()), float(above.mean()) - half, float(above.mean()) + half,
                     above.size))
    return pd.DataFrame(rows, columns=["threshold", "excess", "low", "high", "n"])


def fit_pareto(excesses: ArrayLike) -> tuple[float, float]:
    """(shape xi, scale) of a generalized Pareto distribution by maximum likelihood from ``excesses`` [n] > 0; the scale
    has their unit, and xi > 0 is a power-law tail.

    >>> u = (np.arange(1, 2001) - 0.5) / 2000
    >>> [round(value, 1) for value in fit_pareto(((1 - u) ** -0.3 - 1) / 0.3)]
    [0.3, 1.0]
    """
    data = _known(excesses)
    unit = float(data.mean())
    scaled = data / unit

    def minus_log_likelihood(point: NDArray[np.float64]) -> float:
        """Of (xi, log scale)."""
        xi, scale = float(point[0]), float(np.exp(point[1]))
        if abs(xi) < 1e-9:
            return scaled.size * float(point[1]) + float(scaled.sum()) / scale
        inside = 1.0 + xi * scaled / scale
        if inside.min() <= 0.0:
            return float("inf")
        return scaled.size * float(point[1]) + (1.0 + 1.0 / xi) * float(np.log(inside).sum())

    best = minimize(minus_log_likelihood, np.array([0.1, 0.0]), method="Nelder-Mead",
                    options={"xatol": 1e-6, "fatol": 1e-8, "maxiter": 2000})
    return float(best.x[0]), float(np.exp(best.x[1])) * unit


def tail_quantiles(losses: ArrayLike, share: float = 0.2, confidence: float = CONFIDENCE) -> tuple[pd.DataFrame, float]:
    """(table, xi): the largest ``share`` of ``losses`` [n] against a generalized Pareto tail fitted to them.

    Columns ``fitted`` and ``seen`` quantiles, and a point-by-point band ``low``, ``high`` of what order statistics of
    the fitted tail would be (beta quantiles; the fit's own error is not in it). Unit of the losses.

    >>> tail_quantiles(np.random.default_rng(1).exponential(size=1000))[0].shape
    (199, 4)
    """
    data = _known(losses)
    count = int(data.size * share)
    if count < 10:
        raise ValueError(f"{count} losses in the tail are too few; at least 10 are needed")
    threshold = data[-count]
    above = data[data > threshold]
    xi, scale = fit_pareto(above - threshold)
    n = above.size

    def inverse(p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Quantile of the fitted tail."""
        grown = -np.log1p(-p) if abs(xi) < 1e-9 else ((1.0 - p) ** -xi - 1.0) / xi
        result: NDArray[np.float64] = threshold + scale * grown
        return result

    from scipy.special import betaincinv

    ranks = np.arange(1, n + 1, dtype=np.float64)
    tail = (1.0 - confidence) / 2.0
    band = [inverse(betaincinv(ranks, n + 1 - ranks, q)) for q in (tail, 1.0 - tail)]
    table = pd.DataFrame({"fitted": inverse((ranks - 0.5) / n), "seen": above, "low": band[0], "high": band[1]})
    return table, xi


def cascade_sizes(sizes: ArrayLike, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Share of runs with a cascade of at least ``size`` institutions, columns ``size``, ``probability``, ``low``,
    ``high``; ``sizes`` [runs], 0 where nothing failed. Runs without failures count in the share.

    >>> cascade_sizes([0, 0, 1, 3])[["size", "probability"]].values.tolist()
    [[1.0, 0.5], [3.0, 0.25]]
    """
    table = exceedance(sizes, confidence).rename(columns={"loss": "size"})
    return table[table["size"] > 0].reset_index(drop=True)
