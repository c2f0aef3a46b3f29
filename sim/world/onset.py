"""Chronic conditions begin with age and persist: hazards that keep an ageing cohort on the prevalence table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.kernel.columns import Columns
from sim.kernel.draws import Decision
from sim.world.tables import Floats


def onset_hazards(prevalence: Floats) -> Floats:
    """Chance that somebody without a condition has it a year later, at the later age, float64[conditions, ages].

    h(a) = (p(a) - p(a - 1)) / (1 - p(a - 1)), zero where the prevalence falls with age.
    """
    before = np.roll(prevalence, 1, axis=1)
    before[:, 0] = prevalence[:, 0]
    result: Floats = np.clip((prevalence - before) / np.maximum(1.0 - before, 1e-12), 0.0, 1.0)
    return result


def begin_conditions(people: Columns, hazards: Floats, decision: Decision, day: int) -> NDArray[np.int64]:
    """Draw the year's onsets at everybody's present age and set their bits; returns onsets by condition."""
    age, keys, chronic = people["age"], people["key"], people["chronic"]
    onsets = np.zeros(hazards.shape[0], dtype=np.int64)
    for index, hazard in enumerate(hazards):
        bit = np.uint32(1) << np.uint32(index)
        free = np.flatnonzero((chronic & bit) == 0)
        struck = free[decision.bernoulli(day, keys[free], hazard[age[free]], index)]
        chronic[struck] |= bit
        onsets[index] = struck.size
    return onsets
