"""How long pools live: durations from runs, Kaplan and Meier's estimator with Greenwood's interval, numbers at risk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

from analysis.intervals import CONFIDENCE
from analysis.load import Run, natural
from analysis.solvency import STATES


def pool_lifetimes(runs: Iterable[Run], ends: Sequence[str] = ("run-off", "closed")) -> pd.DataFrame:
    """One row a pool and run: ``run`` (its place), ``institution``, ``duration`` (days until the first day in a state
    of ``ends``, or until the run's end) and ``observed`` (False: still alive at the end, censored).

    >>> pool_lifetimes([run])[["institution", "duration", "observed"]].values.tolist()
    [['EAST', 200, False], ['WEST', 200, False]]
    """
    codes = [STATES.index(name) for name in ends]
    rows: list[dict[str, object]] = []
    for place, run in enumerate(runs):
        states = run.by_institution("insurance.state")
        if states is None:
            continue
        for pool in sorted(states.columns, key=natural):
            known = states[pool].dropna()
            over = known[known.isin(codes)]
            rows.append({"run": place, "institution": pool, "observed": len(over) > 0,
                         "duration": int(over.index[0]) if len(over) else int(known.index.max()) + 1})
    return pd.DataFrame(rows, columns=["run", "institution", "duration", "observed"])


def kaplan_meier(durations: ArrayLike, observed: ArrayLike, confidence: float = CONFIDENCE) -> pd.DataFrame:
    """Survival function by day: index ``day`` (0, then each day of an event or a censoring), columns ``at_risk``,
    ``events``, ``censored``, ``survival`` and its interval ``low``, ``high``.

    ``durations`` [n] in days, ``observed`` [n] whether each ended in an event. S(t) = prod (1 - d_i / n_i); Greenwood's
    variance on the log(-log) scale, which keeps the interval in [0, 1]. Subjects are taken as independent.

    >>> kaplan_meier([1, 2, 2, 3], [True, True, False, True])["survival"].round(3).tolist()
    [1.0, 0.75, 0.5, 0.0]
    """
    times = np.asarray(durations, dtype=np.float64)
    ended = np.asarray(observed, dtype=bool)
    if times.size == 0 or times.size != ended.size:
        raise ValueError("durations and observed must be of one length, at least 1")
    days = np.unique(np.append(times, 0.0))
    events = np.array([(ended & (times == day)).sum() for day in days])
    censored = np.array([(~ended & (times == day)).sum() for day in days])
    at_risk = np.array([(times >= day).sum() for day in days])
    survival = np.cumprod(1.0 - events / at_risk)
    left = np.where(at_risk > events, at_risk - events, 1)
    greenwood = np.cumsum(np.where(at_risk > events, events / (at_risk * left), 0.0))
    low, high = survival.copy(), survival.copy()
    inside = (survival > 0.0) & (survival < 1.0)
    logs = np.log(survival[inside])
    half = float(ndtri((1.0 + confidence) / 2.0)) * np.sqrt(greenwood[inside]) / np.abs(logs)
    low[inside], high[inside] = (np.exp(logs * np.exp(sign * half)) for sign in (1.0, -1.0))
    low[survival == 0.0], high[survival == 0.0] = np.nan, np.nan
    return pd.DataFrame({"at_risk": at_risk, "events": events, "censored": censored, "survival": survival, "low": low,
                         "high": high}, index=pd.Index(days, name="day"))


def at_risk(table: pd.DataFrame, days: Sequence[float]) -> list[int]:
    """Subjects still at risk just before each of ``days``; ``table`` is that of :func:`kaplan_meier`.

    >>> at_risk(kaplan_meier([1, 2, 2, 3], [True, True, False, True]), [0, 2, 5])
    [4, 3, 0]
    """
    index = table.index.to_numpy()
    places = np.searchsorted(index, np.asarray(days, dtype=np.float64), side="left")
    counts = np.append(table["at_risk"].to_numpy(), 0)
    return [int(counts[place]) for place in places]
