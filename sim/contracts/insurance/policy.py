"""Policy terms: how a cost of care is split between the insured and the pool.

Holds the terms of every plan and applies them to costs in row order, advancing each person's accumulators of the
contract year. Two forms answer through one interface:

indemnity   the insured pays the deductible, then coinsurance, until the out-of-pocket maximum; the pool pays the rest
            up to the annual limit; what is beyond the limit is the insured's again.
lump_sum    the insured pays all care himself; on a diagnosis of a triggering kind, after the waiting period, the pool
            owes him a fixed benefit, up to the annual limit.

What can never be: the pool's part of an indemnity exceeds the cost, patient and pool parts do not add up to it, the
insured pays more than the out-of-pocket maximum below the limit, or the pool pays more than the limit in one year.
Rounding: coinsurance is rounded up, in the pool's favour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import BPS, mul_div_up

Form = Literal["indemnity", "lump_sum"]

INDEMNITY, LUMP_SUM = 0, 1
_FORM, _DEDUCTIBLE, _COINSURANCE, _MAXIMUM, _LIMIT, _BENEFIT, _WAITING, _TRIGGERS = range(8)
FIELDS = 8


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of one plan; money in base units (1e-6 dollar), coinsurance in basis points of the cost.

    ``triggers`` is a bit mask of care kinds (bit k: kind k) on which a lump sum falls due; ``waiting_days`` run from
    the start of cover. Use :func:`lump_sum` for that form, so that the other fields say what the insured pays for care.
    """

    form: Form = "indemnity"
    deductible: int = 0
    coinsurance_bps: int = 0
    out_of_pocket_max: int = 0
    annual_limit: int = 0
    benefit: int = 0
    waiting_days: int = 0
    triggers: int = 0

    def row(self) -> list[int]:
        """The terms as the compiled rule reads them."""
        form = LUMP_SUM if self.pays_patient else INDEMNITY
        return [form, self.deductible, self.coinsurance_bps, self.out_of_pocket_max, self.annual_limit, self.benefit,
                self.waiting_days, self.triggers]

    @property
    def pays_patient(self) -> bool:
        """Whether the pool's payment goes to the insured (a lump sum) and not to the provider of care."""
        return self.form == "lump_sum"

    @property
    def sum_assured(self) -> int:
        """The most that one cover can cost the pool in a contract year: its weight in the active cover."""
        return self.annual_limit


def lump_sum(benefit: int, annual_limit: int, waiting_days: int, triggers: int) -> Terms:
    """Terms that pay ``benefit`` on a diagnosis, up to ``annual_limit`` a year; all care is the insured's own cost."""
    return Terms("lump_sum", 0, BPS, annual_limit, annual_limit, benefit, waiting_days, triggers)


def terms_table(plans: list[list[Terms]]) -> NDArray[np.int64]:
    """int64[pools, plans, FIELDS] of the terms of each pool's plans; zeros where a pool has fewer than another."""
    table = np.zeros((len(plans), max(len(row) for row in plans), FIELDS), dtype=np.int64)
    for pool, row in enumerate(plans):
        table[pool, :len(row)] = [terms.row() for terms in row]
    return table


def apply_terms(
    slots: NDArray[np.int64],
    costs: NDArray[np.int64],
    kinds: NDArray[np.int8],
    day: int,
    pool: NDArray[np.int16],
    plan: NDArray[np.int8],
    cover_from: NDArray[np.int32],
    deductible_met: NDArray[np.int64],
    oop_spent: NDArray[np.int64],
    limit_used: NDArray[np.int64],
    terms: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(patient's share, pool's share), each int64[n] base units, of n costs taken in row order.

    ``slots``, ``costs``, ``kinds`` are one row per cost (kind < 0: no diagnosis); the next arrays are columns over all
    people, of which ``deductible_met``, ``oop_spent`` and ``limit_used`` are advanced; ``terms`` is
    :func:`terms_table`. Who holds no cover, or not yet, pays all. A lump sum leaves the patient's share at the cost.
    """
    patient = costs.copy()
    insured = np.zeros(costs.size, dtype=np.int64)
    fill_parts(slots, costs, kinds, day, pool, plan, cover_from, deductible_met, oop_spent, limit_used, terms, patient,
               insured)
    return patient, insured


@kernel
def fill_parts(
    slots: NDArray[np.int64],
    costs: NDArray[np.int64],
    kinds: NDArray[np.int8],
    day: int,
    pool: NDArray[np.int16],
    plan: NDArray[np.int8],
    cover_from: NDArray[np.int32],
    deductible_met: NDArray[np.int64],
    oop_spent: NDArray[np.int64],
    limit_used: NDArray[np.int64],
    terms: NDArray[np.int64],
    patient: NDArray[np.int64],
    insured: NDArray[np.int64],
) -> None:
    """The loop of :func:`apply_terms`; ``patient`` are the costs before, ``insured`` zeros."""
    for i in range(slots.size):
        s = slots[i]
        if pool[s] < 0 or day < cover_from[s]:
            continue
        t = terms[pool[s], plan[s]]
        room = max(t[_LIMIT] - limit_used[s], 0)
        if t[_FORM] == LUMP_SUM:
            triggered = kinds[i] >= 0 and (t[_TRIGGERS] >> np.int64(kinds[i])) & 1 == 1
            if triggered and day - cover_from[s] >= t[_WAITING]:
                insured[i] = min(t[_BENEFIT], room)
                limit_used[s] += insured[i]
            continue
        deductible = min(costs[i], max(t[_DEDUCTIBLE] - deductible_met[s], 0))
        coinsurance = mul_div_up(costs[i] - deductible, t[_COINSURANCE], BPS)
        own = min(deductible + coinsurance, max(t[_MAXIMUM] - oop_spent[s], 0))
        paid = min(costs[i] - own, room)
        insured[i] = paid
        patient[i] = costs[i] - paid
        deductible_met[s] += deductible
        oop_spent[s] += own
        limit_used[s] += paid
