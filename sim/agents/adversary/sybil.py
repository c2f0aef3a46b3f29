"""The sybil: splits the whale's stake over identities when a rule counts many small stakes for more than one large one.

Under quadratic votes n equal parts of P tokens cast n sqrt(P / n) = sqrt(n P) votes, so identities pay as long as the
grants that the added votes win are worth more than what an identity costs. Douceur (2002): only a cost of identity, or
a check of it, stands against this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.chain.mempool import Batch
from sim.contracts.governance.vote_rules import quadratic_votes
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Mechanism, Phase
from sim.scenario.sections.sybil import SybilSection

if TYPE_CHECKING:
    from sim.mechanism import Market


class Sybil(Mechanism):
    """The whale's other names: accounts and voters' numbers that are empty until it pays to fill them."""

    section: SybilSection
    hooks = (Hook(Phase.ADVERSARIES, "act"),)

    def setup(self, market: Market) -> None:
        self.market, self.ledger = market, market.ledger
        self.governance, self.whale = market.mechanism("governance"), market.mechanism("whale")
        self.names: list[tuple[int, int]] = []
        for index in range(1, self.section.most_identities):
            account = market.ledger.open_account(f"sybil-{index}", "traders")
            self.names.append((account, self.governance.register_voter(account, paid=False)))
        self.cost = round(self.section.identity_cost * MICRO)
        self.identities = 1
        self.paid = 0
        self.vote_gain = 1.0

    def act(self, market: Market) -> None:
        """On the day on which the whale wakes: decide how many identities pay, buy them and split the stake."""
        if market.day != self.whale.section.wakes_on_day:
            return
        stake = self.ledger.balance(self.governance.gov, self.whale.account)
        best = max(range(1, len(self.names) + 2), key=lambda count: (self.value(count, stake), -count))
        cash = self.ledger.balance(self.governance.cash, self.whale.account)
        if self.cost:
            best = min(best, 1 + cash // (2 * self.cost))
        if best == 1:
            return
        market.mechanism("chain").submit(Batch(
            "delegate", np.array([self.whale.account]), lambda rows, blocks: self._split(best, stake // best),
            ordered=True, keys=np.array([self.whale.key], dtype=np.uint64)))

    def _split(self, count: int, part: int) -> None:
        """In a block: pay for the identities and give each its part of the stake."""
        ledger, whale = self.ledger, self.whale
        seller = ledger.account("rest_of_world") if ledger.has_account("rest_of_world") else None
        paid = self.cost * (count - 1) if seller is not None else 0
        if seller is not None:
            ledger.transfer(self.governance.cash, whale.account, seller, paid, "identities")
        for account, _ in self.names[:count - 1]:
            ledger.transfer(self.governance.gov, whale.account, account, part, "split")
        whale.voters += [voter for _, voter in self.names[:count - 1]]
        self.identities, self.paid = count, paid
        self.vote_gain = count * quadratic_votes(part) / max(quadratic_votes(part * count), 1)

    def value(self, count: int, stake: int) -> float:
        """Dollars expected of ``count`` identities over the rounds counted, less their cost."""
        power = self.governance.power.live()
        counted = self.whale.counted
        own = count * counted(stake // count)
        others = sum(counted(int(held)) for voter, held in enumerate(power) if voter not in self.whale.voters)
        share = own / (own + others) if own + others else 0.0
        _, profit = self.whale.worth(share)
        return self.section.rounds_counted * profit / MICRO - (count - 1) * self.section.identity_cost

    def finish(self, market: Market) -> None:
        market.record.metric("sybil.identities", self.identities)
        market.record.metric("sybil.cost", self.paid / MICRO)
        market.record.metric("sybil.vote_gain", self.vote_gain)
