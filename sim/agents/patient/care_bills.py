"""What a patient pays at the point of care, and what is left for charity or nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.kernel.compiled import kernel


@kernel
def affordable(slots: np.ndarray, due: np.ndarray, cash: np.ndarray, floor: int) -> np.ndarray:
    """What each bill's patient can pay, int64[n]: rows in order, cash above ``floor``, several bills of one person
    drawing on the same cash."""
    paid = np.zeros(slots.size, dtype=np.int64)
    spent = np.zeros(cash.size, dtype=np.int64)
    for row in range(slots.size):
        slot = slots[row]
        room = cash[slot] - spent[slot] - floor
        if room > 0:
            paid[row] = min(due[row], room)
            spent[slot] += paid[row]
    return paid


@kernel
def public_share(
    slots: np.ndarray, costs: np.ndarray, coinsurance_bps: int, maximum: int, own_spent: np.ndarray
) -> np.ndarray:
    """The patient's part of each bill under public cover, int64[n]: coinsurance until the yearly maximum.
    ``own_spent`` int64[people] is advanced."""
    own = np.zeros(slots.size, dtype=np.int64)
    for row in range(slots.size):
        slot = slots[row]
        part = costs[row] * coinsurance_bps // 10_000
        room = max(maximum - own_spent[slot], 0)
        own[row] = min(part, room)
        own_spent[slot] += own[row]
    return own


@dataclass(slots=True)
class Bills:
    """Sums of the day, in base units."""

    cost: int = 0
    own: int = 0
    charity: int = 0
    unpaid: int = 0
