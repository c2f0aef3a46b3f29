"""How good forecasts were: the Brier score and calibration of the prices of prediction markets."""

from __future__ import annotations

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
