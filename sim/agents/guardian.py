"""The guardian: looks at the open proposals on some days, and strikes those that would pay one account too much.

Its rule is public and it has no other power. What it can miss: a proposal made and executed between two looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.chain.mempool import Batch
from sim.contracts.governance.actions import PayFromTreasury
from sim.contracts.governance.proposal import Proposal
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Mechanism, Phase
from sim.scenario.sections.guardian import GuardianSection

if TYPE_CHECKING:
    from sim.mechanism import Market

NAME = "guardian"


class Guardian(Mechanism):
    """One guardian with one account."""

    section: GuardianSection
    hooks = (Hook(Phase.GOVERNANCE, "look"),)

    def setup(self, market: Market) -> None:
        self.market = market
        self.governance = market.mechanism("governance")
        self.account = market.ledger.open_account(NAME, "traders")
        self.governance.register_guardian(self.account)
        market.endow(self.account, round(self.section.opening_cash * MICRO))
        self.key = agent_key(NAME)
        self._looks = market.draws.decision("guardian.look")
        self.looks = self.vetoes = 0

    def look(self, market: Market) -> None:
        """If it looks today, strike what its rule forbids."""
        if not self._looks.bernoulli(market.day, self.key, self.section.attention):
            return
        self.looks += 1
        for proposal in self.governance.governor.open():
            if self.forbidden(proposal):
                self._strike(proposal.number)

    def forbidden(self, proposal: Proposal) -> bool:
        """Whether the proposal would pay one account more than the rule allows."""
        paid: dict[int, int] = {}
        for action in proposal.actions:
            if isinstance(action, PayFromTreasury) and action.asset == self.governance.cash:
                paid[action.account] = paid.get(action.account, 0) + action.amount
        most = self.section.largest_payment * self.governance.treasury.balance()
        return max(paid.values(), default=0) > most

    def _strike(self, number: int) -> None:
        def run(rows: object, blocks: object) -> None:
            self.governance.veto(number, self.account)
            self.vetoes += 1

        self.market.mechanism("chain").submit(Batch(
            "veto", np.array([self.account]), run, ordered=True, keys=np.array([self.key], dtype=np.uint64),
            expires=self.market.day, tip_bps=50_000))

    def finish(self, market: Market) -> None:
        market.record.metric("guardian.vetoes", self.vetoes)
        market.record.metric("guardian.looks", self.looks)
