"""Filing claims, giving them up, appealing denials, and learning from how they ended.

A claim waits while its fee exceeds a share of its value (a small claim is priced out first when fees rise) and is given
up when patience ends; its cost then falls on the patient. A denied claim is appealed when the expected gain exceeds the
fee; when it is finally denied the provider bills the patient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sim.chain.mempool import Batch
from sim.kernel.compiled import kernel
from sim.mechanism import Market
from sim.scenario.sections.patients import PatientsSection

Charge = Callable[[Market, np.ndarray, np.ndarray, np.ndarray], None]


@kernel
def blend(trust: np.ndarray, slots: np.ndarray, experience: np.ndarray, memory: float) -> None:
    """Move the ``trust`` float64[people] of each of ``slots`` int64[n] towards its experience, row after row."""
    for row in range(slots.size):
        trust[slots[row]] = memory * trust[slots[row]] + (1.0 - memory) * experience[row]


class Claiming:
    """The patients' side of the claims process."""

    def __init__(self, section: PatientsSection, market: Market, charge: Charge) -> None:
        self.section = section
        self.charge = charge
        self.claims: Any = market.mechanism("claims")
        self.chain: Any = market.mechanism("chain")
        self.records: Any = market.mechanism("providers").records

    def file(self, market: Market, slots: np.ndarray, keys: np.ndarray, serials: np.ndarray, payees: np.ndarray,
             amounts: np.ndarray) -> None:
        """Submit claims for today's care, one transaction each, willing to pay a share of the claim as fee."""
        if slots.size == 0:
            return
        day = market.day
        pools = market.people["pool"][slots].astype(np.int64)
        plans = market.people["plan"][slots]
        incurred = np.full(slots.size, day, dtype=np.int64)

        def execute(which: np.ndarray, blocks: np.ndarray) -> None:
            ids = self.claims.file(pools[which], slots[which], keys[which], payees[which], amounts[which],
                                   incurred[which], market.day, serials[which], plans[which])
            filed = ids >= 0
            self.records.add(ids[filed], amounts[which][filed])

        def dropped(which: np.ndarray) -> None:
            self.claims.note_unfiled(amounts[which], incurred[which])
            billed = which[payees[which] != slots[which] + market.ledger.people_start]
            self.charge(market, slots[billed], amounts[billed], payees[billed])

        fee = np.floor(amounts * self.section.claim_fee_tolerance).astype(np.int64)
        self.chain.submit(Batch("claim_filing", slots + market.ledger.people_start, execute, max_fee=fee, keys=keys,
                                expires=day + self.section.claim_patience_days, dropped=dropped))

    def appeal(self, market: Market) -> None:
        """Appeal yesterday's denials where the expected gain exceeds the fee."""
        ids = self.claims.appealable(market.day)
        if ids.size == 0:
            return
        table = self.claims.table
        worth = table["claimed"][ids] * self.section.appeal_success_belief
        fees = np.array([self.claims.appeal_fee(int(level)) for level in table["level"][ids]])
        ids = ids[worth > fees + self.chain.fee("appeal")]
        if ids.size == 0:
            return
        payers = table["slot"][ids].astype(np.int64) + market.ledger.people_start

        def execute(which: np.ndarray, blocks: np.ndarray) -> None:
            self.claims.appeal(ids[which], payers[which], market.day)

        self.chain.submit(Batch("appeal", payers, execute, keys=table["key"][ids], expires=market.day + 1))

    def learn(self, market: Market) -> None:
        """Trust moves with each claim that ended today; what stays denied is billed to the patient."""
        ended = self.claims.ended_today()
        if ended.size == 0:
            return
        table, people, day = self.claims.table, market.people, market.day
        slots = table["slot"][ended].astype(np.int64)
        paid_share = table["paid"][ended] / np.maximum(table["claimed"][ended], 1)
        delay = day - table["filed"][ended]
        speed = 1.0 / (1.0 + delay / self.section.slow_payment_days)
        trust = people["trust"]
        member = people["pool"][slots] == table["pool"][ended]
        blend(trust, slots[member], (paid_share * speed)[member], self.section.trust_memory)
        rest = table["claimed"][ended] - np.maximum(table["paid"][ended], table["approved"][ended])
        payees = table["payee"][ended].astype(np.int64)
        owed = (rest > 0) & (payees != slots + market.ledger.people_start)
        if owed.any():
            self.charge(market, slots[owed], rest[owed], payees[owed])
