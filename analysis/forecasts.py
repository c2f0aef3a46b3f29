"""How good forecasts were: the Brier score and calibration of the prices of prediction markets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.intervals import wilson


def brier(prices: ArrayLike, happened: ArrayLike) -> float:
    """Brier score of one forecast of a set of outcomes: sum over them of (price - happened)^2, 0 perfect, 2 worst.

    ``prices`` float[outcomes] (probabilities), ``happened`` 0 or 1 [outcomes]. After Brier 1950.

    Example
    -------
    >>> round(brier([0.7, 0.2, 0.1], [1, 0, 0]), 2)
    0.14
    """
    return float(((np.asarray(prices, dtype=float) - np.asarray(happened, dtype=float)) ** 2).sum())


def calibration(prices: ArrayLike, happened: ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Calibration of forecasts: of all outcomes with a price in a bin, the share that happened.

    ``prices`` float[n] in 0 .. 1, ``happened`` 0 or 1 [n], of any number of markets. A row for each bin that is not
    empty: ``forecast`` (mean price), ``share`` (of those that happened), ``low``, ``high`` (Wilson, 95 %), ``count``.

    Example
    -------
    >>> calibration([0.1, 0.12, 0.88, 0.9], [0, 0, 1, 1], bins=2)[["forecast", "share", "count"]].values.tolist()
    [[0.11, 0.0, 2.0], [0.89, 1.0, 2.0]]
    """
    price, seen = np.asarray(prices, dtype=float), np.asarray(happened, dtype=float)
    place = np.minimum((price * bins).astype(int), bins - 1)
    rows = []
    for number in range(bins):
        here = place == number
        count, hits = int(here.sum()), int(seen[here].sum())
        if count:
            low, high = wilson(hits, count)
            rows.append((float(price[here].mean()), hits / count, low, high, count))
    return pd.DataFrame(rows, columns=["forecast", "share", "low", "high", "count"])


def scores(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Brier score of each settled market: a row by (``day``, ``subject``, ``opened``), columns ``uniform`` (equal
    chances), ``halfway``, ``close`` (scores, 0 to 2), ``figure`` (measured, in the subject's unit) and ``outcomes``
    (number).

    ``forecasts`` are rows as in :attr:`analysis.load.Run.forecasts`.

    Example
    -------
    >>> scores(run.forecasts).columns.tolist()
    ['uniform', 'halfway', 'close', 'figure', 'outcomes']
    """
    rows = {}
    for key, market in forecasts.groupby(["day", "subject", "opened"], sort=True):
        happened, count = market["happened"].to_numpy(dtype="float64"), len(market)
        rows[key] = (brier(np.full(count, 1.0 / count), happened), brier(market["price_halfway"], happened),
                     brier(market["price_at_close"], happened), float(market["figure"].iloc[0]), count)
    index = pd.MultiIndex.from_tuples(rows, names=["day", "subject", "opened"]) if rows else None
    return pd.DataFrame(list(rows.values()), index=index,
                        columns=["uniform", "halfway", "close", "figure", "outcomes"])


def outcome_labels(thresholds: Sequence[float]) -> list[str]:
    """Names of the outcomes that ``thresholds`` (in the subject's unit, rising) part.

    Example
    -------
    >>> outcome_labels([0.02, 0.06])
    ['below 0.02', '0.02 to 0.06', '0.06 and more']
    """
    edges = [f"{value:g}" for value in thresholds]
    return [f"below {edges[0]}", *(f"{low} to {high}" for low, high in pairwise(edges)), f"{edges[-1]} and more"]
