"""Mechanism "lapses": a default that is seen lowers trust in every pool, and who trusts too little ends its cover.

A patient knows its own trust, and that a pool has defaulted once that is public, the day after. The hazard of a lapse
is

    h (level - trust)   below the level, 0 above it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Batch
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.lapses import LapsesSection

MONTH_DAYS = 30


class LostTrust(Mechanism):
    """Lapses by lost trust. ``lost_premium`` int64[pools] is what lapsed members would have paid so far, base units."""

    section: LapsesSection
    hooks = (Hook(Phase.PATIENTS, "lapse", after=("patients",)),)

    def setup(self, market: Market) -> None:
        self.insurance: Any = market.mechanism("insurance")
        pools = len(self.insurance.pools)
        self._leave = market.draws.decision("lapses.leave")
        self.lost_premium: NDArray[np.int64] = np.zeros(pools, dtype=np.int64)
        self._lapsed_monthly: NDArray[np.int64] = np.zeros(pools, dtype=np.int64)
        self.today: NDArray[np.int64] = np.zeros(pools, dtype=np.int64)
        self.lapsed = 0

    def start(self, market: Market) -> None:
        self.patients: Any = market.mechanism("patients")
        self.chain: Any = market.mechanism("chain")

    def lapse(self, market: Market) -> None:
        """See yesterday's defaults; end the cover of those who have lost too much trust."""
        people, section = market.people, self.section
        self.today[:] = 0
        self.lost_premium += self._lapsed_monthly // MONTH_DAYS
        self._see_defaults(market)
        slots = np.flatnonzero((people["pool"] >= 0) & (people["trust"] < section.level))
        if not section.acting or slots.size == 0:
            return
        chance = -np.expm1(-section.hazard * (section.level - people["trust"][slots]))
        slots = slots[self._leave.bernoulli(market.day, people["key"][slots], chance)]
        if slots.size == 0:
            return

        def execute(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            who = slots[rows]
            who = who[people["pool"][who] >= 0]
            pools, monthly = people["pool"][who].astype(np.int64), people["monthly_due"][who]
            before = self.today.copy(), self._lapsed_monthly.copy()
            market.ledger.on_rollback(lambda: self._restore(*before))
            np.add.at(self.today, pools, 1)
            np.add.at(self._lapsed_monthly, pools, monthly)
            self.insurance.lapse(who)

        self.chain.submit(Batch("enrol", slots + market.ledger.people_start, execute, keys=people["key"][slots],
                                expires=market.day + 1))

    def _restore(self, today: NDArray[np.int64], monthly: NDArray[np.int64]) -> None:
        self.today, self._lapsed_monthly = today, monthly

    def _see_defaults(self, market: Market) -> None:
        """Members of the other pools lose part of the trust that its own members lost yesterday."""
        people = market.people
        lost = self.section.spillover * self.patients.section.trust_loss_on_default
        for index, pool in enumerate(self.insurance.pools):
            if pool.defaulted_on is not None and pool.defaulted_on == market.day - 1:
                others = np.flatnonzero((people["pool"] >= 0) & (people["pool"] != index))
                people["trust"][others] = np.maximum(people["trust"][others] - lost, 0.0)

    def observe(self, market: Market) -> None:
        record, people = market.record, market.people
        self.lapsed += int(self.today.sum())
        record.series("lapses.lapsed", int(self.today.sum()))
        for index, pool in enumerate(self.insurance.pools):
            record.institution(pool.name, "lapses.pool_lapsed", int(self.today[index]))
        insured = people["pool"] >= 0
        if insured.any():
            record.series("lapses.distrusting", float((people["trust"][insured] < self.section.level).mean()))

    def finish(self, market: Market) -> None:
        market.record.metric("lapses.lapsed", self.lapsed)
        market.record.metric("lapses.lost_premium", int(self.lost_premium.sum()) / MICRO)
