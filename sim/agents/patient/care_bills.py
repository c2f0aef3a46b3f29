"""What a patient pays at the point of care, and what is left for charity or nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.kernel.compiled import kernel
from sim.kernel.draws import draw_bits, hits


def affordable(
    slots: np.ndarray, due: np.ndarray, cash: np.ndarray, floor: int, spent: np.ndarray
) -> np.ndarray:
    """What each bill's patient can pay, int64[n]: rows in order, cash above ``floor``, several bills of one person
    drawing on the same cash. ``spent`` int64[people] is room to work in: zeros, and left so."""
    paid = np.zeros(slots.size, dtype=np.int64)
    fill_affordable(slots, due, cash, floor, spent, paid)
    return paid


@kernel
def fill_affordable(
    slots: np.ndarray, due: np.ndarray, cash: np.ndarray, floor: int, spent: np.ndarray, paid: np.ndarray
) -> None:
    """The loop of :func:`affordable`; ``paid`` are zeros before."""
    for row in range(slots.size):
        slot = slots[row]
        room = cash[slot] - spent[slot] - floor
        if room > 0:
            paid[row] = min(due[row], room)
            spent[slot] += paid[row]
    for row in range(slots.size):
        spent[slots[row]] = 0


def bill_needs(
    slots: np.ndarray, keys: np.ndarray, kinds: np.ndarray, needs: np.ndarray, serials: np.ndarray, day: int,
    stream: np.uint64, chance: np.ndarray, price_level: float, pool: np.ndarray, plan: np.ndarray, first: np.ndarray,
    public: np.ndarray, coinsurance_bps: int, maximum: int, public_spent: np.ndarray, spent: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which of n needs are taken to a provider, and the bills: (rows, costs, own parts), each int64[m].

    ``slots`` .. ``serials`` are columns of n needs. ``chance`` float64[kinds, 2 + options] is the probability that a
    need is met by what the patient has: no cover, public cover, each plan of each pool; a pool's plans begin at
    ``first`` int64[pools]. Under public cover the own part is coinsurance
    until the yearly ``maximum``, of which ``public_spent`` int64[people] is used; otherwise it is the whole cost here.
    ``public_spent`` and ``spent`` int64[people], all care of the year, are advanced.
    """
    bills = np.empty((3, slots.size), dtype=np.int64)
    met = fill_bills(slots, keys, kinds, needs, serials, day, stream, chance, price_level, pool, plan, first,
                     public, coinsurance_bps, maximum, public_spent, spent, bills[0], bills[1], bills[2])
    return bills[0, :met], bills[1, :met], bills[2, :met]


@kernel
def fill_bills(
    slots: np.ndarray, keys: np.ndarray, kinds: np.ndarray, needs: np.ndarray, serials: np.ndarray, day: int,
    stream: np.uint64, chance: np.ndarray, price_level: float, pool: np.ndarray, plan: np.ndarray, first: np.ndarray,
    public: np.ndarray, coinsurance_bps: int, maximum: int, public_spent: np.ndarray, spent: np.ndarray,
    rows: np.ndarray, costs: np.ndarray, own: np.ndarray,
) -> int:
    """The loop of :func:`bill_needs`; the last three arrays are written. Returns how many needs were met."""
    met = 0
    for row in range(slots.size):
        slot = slots[row]
        cover = 2 + first[pool[slot]] + plan[slot] if pool[slot] >= 0 else int(public[slot])
        if not hits(draw_bits(stream, day, keys[row], serials[row]), chance[kinds[row], cover]):
            continue
        cost = int(np.rint(needs[row] * price_level))
        part = cost
        if public[slot]:
            part = min(cost * coinsurance_bps // 10_000, max(maximum - public_spent[slot], 0))
            public_spent[slot] += part
        spent[slot] += cost
        rows[met], costs[met], own[met] = row, cost, part
        met += 1
    return met


@kernel
def add_rows(column: np.ndarray, slots: np.ndarray, amounts: np.ndarray) -> int:
    """Add each amount int64[n] to its slot of ``column`` int64[people]; returns their sum."""
    total = 0
    for row in range(slots.size):
        column[slots[row]] += amounts[row]
        total += amounts[row]
    return total


@dataclass(slots=True)
class Bills:
    """Sums of the day, in base units."""

    cost: int = 0
    own: int = 0
    charity: int = 0
    unpaid: int = 0
