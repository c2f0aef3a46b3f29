"""Providing liquidity to a constant-product pool: impermanent loss, return of the position, depth.

Reserves x (base) and y (quote, USD) hold x y = k at price p = y / x, so x = root_k / sqrt(p) and y = root_k sqrt(p).
Loss against holding, without fees, when the price has moved by the factor r: 2 sqrt(r) / (1 + r) - 1 (Pintail 2019).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analysis.load import Run

MOVES = tuple(np.linspace(-0.1, 0.1, 41).tolist())
"""Relative moves of the price over which depth is drawn."""


def impermanent_loss(ratio: ArrayLike) -> NDArray[np.float64]:
    """Value of a position over holding, less one, without fees; ``ratio`` is price over opening price, any shape.

    >>> impermanent_loss([1.0, 4.0]).tolist()
    [0.0, -0.19999999999999996]
    """
    r = np.asarray(ratio, dtype=np.float64)
    result: NDArray[np.float64] = 2.0 * np.sqrt(r) / (1.0 + r) - 1.0
    return result


def lp_returns(run: Run) -> pd.DataFrame | None:
    """Days x [ratio, over_hold, impermanent_loss, fees] of the first pool: price over its first price, value of the
    opening position over holding less one (fees included), that loss without fees, and their difference. None where
    the run has no pool.

    >>> lp_returns(run).columns.tolist()
    ['ratio', 'over_hold', 'impermanent_loss', 'fees']
    """
    price, value = run.series("amm.price"), run.series("amm.lp_value_over_hold")
    if price is None or value is None:
        return None
    table = pd.DataFrame({"ratio": price / price.iloc[0], "over_hold": value})
    table["impermanent_loss"] = impermanent_loss(table["ratio"])
    table["fees"] = table["over_hold"] - table["impermanent_loss"]
    return table


def depth_curve(root_k: float, price: float, moves: Sequence[float] = MOVES) -> pd.DataFrame:
    """Cash that moves the price: columns ``move`` (relative, such as 0.02) and ``cash`` (USD, paid in to lift the
    price, taken out where negative), before fees. ``root_k`` is sqrt(x y), ``price`` in USD.

    >>> depth_curve(1000.0, 4.0, [0.0, 0.21])["cash"].round(6).tolist()
    [0.0, 200.0]
    """
    relative = np.asarray(moves, dtype=np.float64)
    return pd.DataFrame({"move": relative, "cash": root_k * np.sqrt(price) * (np.sqrt(1.0 + relative) - 1.0)})


def depth_curves(run: Run, days: Sequence[int]) -> dict[int, pd.DataFrame]:
    """:func:`depth_curve` of the first pool at the end of each of ``days`` on which it was recorded.

    >>> depth_curves(run, [0])
    {}
    """
    root_k, price = run.series("amm.root_k"), run.series("amm.price")
    if root_k is None or price is None:
        return {}
    return {day: depth_curve(float(root_k[day]), float(price[day])) for day in days
            if day in root_k.index and day in price.index}
