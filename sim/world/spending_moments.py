"""Concentration and persistence of annual spending, and how they compare with the source tables' targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.world.tables import Floats

OLD = 65
EXPERIMENT_BELOW = 62
"""The RAND experiment enrolled nobody of this age or older."""


@dataclass(frozen=True, slots=True)
class Check:
    """One quantity held against its target."""

    quantity: str
    target: float
    tolerance: float
    simulated: float

    @property
    def holds(self) -> bool:
        """Whether the simulated value is within the tolerance."""
        return abs(self.simulated - self.target) <= self.tolerance


def top_share(spending: Floats, share: float) -> float:
    """Share of all spending by the ``share`` of persons who spend most; the person on the border counts in part."""
    ordered = np.sort(spending)[::-1]
    count = share * ordered.size
    whole = int(count)
    part = ordered[whole] * (count - whole) if whole < ordered.size else 0.0
    total = ordered.sum()
    return float((ordered[:whole].sum() + part) / total) if total > 0 else float("nan")


def ranks(values: Floats) -> Floats:
    """Ranks from 1, ties sharing their mean, float64[n]."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    result: Floats = (last - (count - 1) / 2.0)[place.reshape(values.shape)]
    return result


def rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's correlation, with mean ranks for ties."""
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


def retained(first: Floats, second: Floats, share: float, top: bool = True) -> float:
    """Of the ``share`` of persons at the top (or bottom) in the first year, the share who are there in the second."""
    sign = -1.0 if top else 1.0
    count = max(round(share * first.size), 1)
    then = np.argsort(sign * first, kind="stable")[:count]
    now = np.argsort(sign * second, kind="stable")[:count]
    return float(np.isin(then, now).mean())


def spending_moments(spending: Floats, age: NDArray[np.integer], used: NDArray[np.bool_]) -> dict[str, float]:
    """What ``spending_targets.csv`` names, and the rank correlation and retention of everybody.

    Parameters
    ----------
    spending: float64[n, years], dollars. What concerns one year is of the first, when ages are those of the tables;
        what concerns two is the mean over successive pairs.
    age: integer[n, years]. ``spearman`` is of persons below 62 in both years, as in the experiment it is compared with.
    used: bool[n, years, services], any use of ambulatory, dental, prescription, hospital care.
    """
    first = spending[:, 0]
    old = age[:, 0] >= OLD
    moments = {
        "mean": float(first.mean()),
        "median": float(np.median(first)),
        "zero_share": float((first == 0).mean()),
        **{f"top{percent}_share": top_share(first, percent / 100.0) for percent in (1, 5, 10, 50)},
        "ratio_65_to_younger": float(first[old].mean() / first[~old].mean()),
        **{f"{name}_any": float(used[:, 0, index].mean())
           for index, name in enumerate(("ambulatory", "dental", "prescription", "hospital"))},
    }
    moments["bottom50_share"] = 1.0 - moments["top50_share"]
    if spending.shape[1] > 1:
        pairs = [_persistence(spending[:, y], spending[:, y + 1], age[:, y + 1]) for y in range(spending.shape[1] - 1)]
        moments |= {name: float(np.mean([pair[name] for pair in pairs])) for name in pairs[0]}
    return moments


def _persistence(first: Floats, second: Floats, age: NDArray[np.integer]) -> dict[str, float]:
    """Moments of two successive years; ``age`` is that of the second."""
    inside = age < EXPERIMENT_BELOW
    return {
        "spearman": rank_correlation(first[inside], second[inside]),
        "spearman_all_ages": rank_correlation(first, second),
        "top1_retained": retained(first, second, 0.01),
        "top10_retained": retained(first, second, 0.10),
        "bottom50_retained": retained(first, second, 0.50, top=False),
    }


def compare(moments: dict[str, float], targets: dict[str, tuple[float, float]]) -> list[Check]:
    """One :class:`Check` per target that ``moments`` has, in the order of the targets."""
    return [Check(name, value, tolerance, moments[name])
            for name, (value, tolerance) in targets.items() if name in moments]
