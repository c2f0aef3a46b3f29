"""The claim fraud ring: invented claims, filed as long as (1 - d) margin > d penalty.

Detection d is what committees do. The ring does not see it: it infers how accurate members are from how often their
votes agree, which is public, reckons with a committee of such members, and learns from its own claims.
"""

from __future__ import annotations

from typing import Any, cast

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.agents.adversary.false_claims import FalseClaims
from sim.agents.oracle_effort import majority_probability, match_probability
from sim.chain.mempool import Batch
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.fraud_ring import FraudRingSection

KIND = "claim_filing"
STEPS = 40
"""Halvings of the interval in which a member's accuracy is sought."""


def accuracy_of(coherence: float, seats: int, correlation: float) -> float:
    """Accuracy, one half or better, at which so large a share of votes is with the majority."""
    low, high = 0.5, 1.0
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        if float(match_probability(np.array([middle]), middle, seats, correlation)[0]) < coherence:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def enters(detection: float, gain: float, penalty: float, fee: float) -> bool:
    """Whether a false claim pays: (1 - d) gain > d penalty + fee, dollars."""
    return (1.0 - detection) * gain > detection * penalty + fee


class Ringleader(mesa.Agent):
    """The adversary; its plans live in :class:`FraudRing`."""


class FraudRing(Mechanism):
    """One ring."""

    section: FraudRingSection
    hooks = (
        Hook(Phase.ADVERSARIES, "act"),
        Hook(Phase.SETTLEMENT, "settle", after=("chain", "claims")),
    )

    def setup(self, market: Market) -> None:
        self.usd: int = market.ledger.asset_id("USDs")
        self.account: int = market.ledger.open_account("fraud_ring", "adversaries")
        self.recruiting = market.draws.decision("fraud_ring.members")
        self.sizing = market.draws.decision("fraud_ring.size")
        self.opening = int(self.section.cash * MICRO)
        market.endow(self.account, self.opening)
        self.penalties = self.penalties_unpaid = self.paid_before = 0
        self.occasions = self.entered = 0
        self.detection = float("nan")

    def start(self, market: Market) -> None:
        self.claims: Any = market.mechanism("claims")
        self.oracles: Any = market.mechanism("oracles")
        self.chain: Any = market.mechanism("chain")
        self.treasury = market.treasury_account()
        self.false = FalseClaims(market, self.recruiting, self.section.members, self.account, self.section.margin, 1)
        self.agent = Ringleader(cast(Any, market))

    def reckon(self) -> float:
        """Probability of a denial: of committees by the agreement of votes so far, and by the ring's own claims."""
        correlation = self.oracles.section.error_correlation
        coherence = self.oracles.run_total.coherence
        if np.isnan(coherence):
            return 1.0  # nothing was voted on yet: wait
        passes = 1.0
        for level in range(2 if self.claims.review_above and
                           self.section.claim_size * MICRO >= self.claims.review_above else 1):
            accuracy = accuracy_of(coherence, self.claims.seats(0), correlation)
            passes *= 1.0 - majority_probability(accuracy, self.claims.seats(level), correlation)
        decided = self.false.approved + self.false.denied
        weight = self.section.prior_weight
        return (weight * (1.0 - passes) + self.false.denied) / (weight + decided)

    def act(self, market: Market) -> None:
        """File claims where detection does not deter."""
        section, day = self.section, market.day
        if day < section.first_day or (day - section.first_day) % section.every_days:
            return
        self.occasions += 1
        self.detection = self.reckon()
        slots = self.false.willing(section.claims_per_wave)
        keys = market.people["key"][slots]
        sizes = self.sizing.lognormal(day, keys, np.log(section.claim_size), section.claim_log_sd)
        fee = self.chain.fee(KIND) / MICRO
        chosen = np.array([enters(self.detection, section.margin * size, section.penalty, fee)
                           for size in sizes.tolist()], dtype=np.bool_)
        if not chosen.any():
            return
        self.entered += 1
        slots, amounts = slots[chosen], np.rint(sizes[chosen] * MICRO).astype(np.int64)

        def call(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            self.false.note(self.false.file(slots[rows], amounts[rows]))

        self.chain.submit(Batch(KIND, slots + market.ledger.people_start, call, keys=keys[chosen], expires=day))

    def settle(self, market: Market) -> None:
        """Members hand over what pools paid; penalties are paid."""
        self.paid_before = self.false.paid
        denied, _ = self.false.follow()
        for _ in denied:
            due = int(self.section.penalty * MICRO)
            paid = min(due, market.ledger.balance(self.usd, self.account))
            market.ledger.transfer(self.usd, self.account, self.treasury, paid, "fraud_penalty")
            self.penalties += paid
            self.penalties_unpaid += due - paid

    def observe(self, market: Market) -> None:
        market.record.series("fraud_ring.believed_detection", self.detection)
        market.record.series("fraud_ring.false_paid", (self.false.paid - self.paid_before) / MICRO)

    def finish(self, market: Market) -> None:
        record, false = market.record, self.false
        decided = false.approved + false.denied
        paid = self.claims.totals.paid_amount
        record.metric("fraud_ring.filed", false.filed)
        record.metric("fraud_ring.decided", decided)
        record.metric("fraud_ring.detection", false.denied / decided if decided else float("nan"))
        record.metric("fraud_ring.believed_detection", self.detection)
        record.metric("fraud_ring.active_share", self.entered / self.occasions if self.occasions else float("nan"))
        record.metric("fraud_ring.pool_loss", false.paid / MICRO)
        record.metric("fraud_ring.loss_share", false.paid / paid if paid else float("nan"))
        record.metric("fraud_ring.penalties", self.penalties / MICRO)
        record.metric("fraud_ring.penalties_unpaid", self.penalties_unpaid / MICRO)
        record.metric("fraud_ring.profit",
                      (market.ledger.balance(self.usd, self.account) - self.opening) / MICRO)
