"""What the market believes of an epidemic: paths of the model's own transmission on draws of their own.

The paths know the law of transmission, the size of regions and how they mix, the share diagnosed, and when first cases
may come; not the run's draws. Interventions and immunity that wanes are left out. They are the same for each run of a
scenario, so one process makes them once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sim.kernel.columns import FOUNDING_DAY, person_keys
from sim.kernel.draws import Draws, run_seed
from sim.world.epidemic.transmission import Law, Transmission

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
SEED = 271_828


@dataclass(frozen=True, slots=True)
class Belief:
    """What the paths are made with. ``mixing`` are rows of contact shares, ``chance`` that first cases come at all."""

    law: Law
    sizes: tuple[int, ...]
    mixing: tuple[tuple[float, ...], ...]
    diagnosed_share: float
    diagnosis_delay: int
    day: int
    cases: int
    region: int
    chance: float
    days: int
    paths: int


@lru_cache(maxsize=8)
def case_paths(belief: Belief) -> Ints:
    """int64[paths, days, regions]: diagnoses by day. Nobody falls ill in the share of paths without first cases."""
    sizes = np.array(belief.sizes, dtype=np.int64)
    region = np.repeat(np.arange(sizes.size), sizes).astype(np.int16)
    keys = person_keys(FOUNDING_DAY, region.size)
    found: Ints = np.zeros((belief.paths, belief.days + belief.diagnosis_delay + 1, sizes.size), dtype=np.int64)
    for path in range(round(belief.paths * belief.chance)):
        draws = Draws(run_seed(SEED, path))
        diagnosed = draws.decision("derivatives.priced_diagnosis")
        transmission = Transmission(belief.law, keys, region, np.array(belief.mixing), draws)
        slots = transmission.seed(belief.day, belief.cases, belief.region)
        for day in range(belief.day, belief.days):
            if day > belief.day:
                slots = np.zeros(0, dtype=np.int64)
            changes = transmission.advance(day)
            for start, infectious in ((day, slots), (day + 1, changes.infectious)):
                seen = infectious[diagnosed.bernoulli(start, keys[infectious], belief.diagnosed_share)]
                when = start + belief.diagnosis_delay
                if seen.size and when < found.shape[1]:
                    found[path, when] += np.bincount(region[seen], minlength=sizes.size)
            if not transmission.alive:
                break
    return found[:, :belief.days]


def nearest(paths: Ints, seen: Ints, neighbours: int) -> Ints:
    """int64[regions, neighbours]: paths most like ``seen`` int64[days, regions] in a region's cases of the last week
    and since the start, on the scale of logarithms; ties in the order of the paths."""
    days = len(seen)
    if days == 0:
        return np.tile(np.arange(neighbours), (paths.shape[2], 1))
    week = max(days - 7, 0)
    distance: Floats = np.zeros((paths.shape[0], paths.shape[2]))
    for first in (0, week):
        theirs, own = paths[:, first:days].sum(axis=1), seen[first:].sum(axis=0)
        distance += np.abs(np.log1p(theirs) - np.log1p(own)[None, :])
    order: Ints = np.argsort(distance, axis=0, kind="stable")[:neighbours].T
    return order


def loaded_price(payouts: Floats, risk_load: float) -> tuple[float, float, float]:
    """(price, mean, standard deviation) of total payouts float64[paths]: mean + lambda x standard deviation."""
    mean, deviation = float(payouts.mean()), float(payouts.std())
    return mean + risk_load * deviation, mean, deviation
