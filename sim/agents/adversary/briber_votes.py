"""The briber of voters: proposes to pay itself from the treasury and offers cash for each vote in favour.

A voter sells iff the bribe exceeds what it would lose times its own weight in the outcome. That product is small for
everybody but the largest, so a majority costs far less than what it can take: the loss is common, the bribe is private
(Dal Bo 2007 shows it for committees; vote markets on chains made it a business). It reads powers off the ledger and
counts each voter's loss by the public part of it, the share of the tokens that it votes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.chain.mempool import Batch
from sim.contracts.governance.actions import PayFromTreasury
from sim.contracts.governance.governor import ProposalState, Support
from sim.contracts.governance.vote_market import PRICE_UNIT
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Mechanism, Phase
from sim.scenario.sections.bribery import BriberySection

if TYPE_CHECKING:
    from sim.mechanism import Market

NAME = "vote-briber"


class VoteBriber(Mechanism):
    """One briber with one account, one voter's number and at most one proposal at a time."""

    section: BriberySection
    hooks = (Hook(Phase.ADVERSARIES, "act"),)

    def setup(self, market: Market) -> None:
        self.market, self.ledger = market, market.ledger
        self.governance = market.mechanism("governance")
        self.votes = self.governance.open_vote_market()
        self.account = market.ledger.open_account(NAME, "traders")
        self.voter: int = self.governance.register_voter(self.account, paid=False)
        self.governance.reserve_stake(self.account, self.section.stake)
        self.governance.book.watched = True
        self.opening = round(self.section.opening_cash * MICRO)
        market.endow(self.account, self.opening)
        self.key = agent_key(NAME)
        self.number: int | None = None
        self.voted = False
        self.expected: int | None = None
        self.paid = self.attempts = 0
        self.bought_share = 0.0

    # The estimate ---------------------------------------------------------------------------------------------

    def offer(self) -> tuple[int, int, int]:
        """(price of a vote in the market's unit, cash to put up, expected profit), base units; price 0: not for sale.

        Buys from those who sell cheapest until its votes have the quorum and outweigh all the others that can vote.
        """
        power = self.governance.power.live()
        supply, total = self.governance.power.current_supply(), int(power.sum())
        prize = self.prize()
        quorum = self.market.parameters["governance.quorum"] * supply
        delegates = self.market.mechanism("delegates").section
        trouble = round(delegates.attention_cost * MICRO) + self.market.mechanism("chain").fee("vote")
        sellers = []
        for voter, held in enumerate(power.tolist()):
            if voter != self.voter and held > 0:
                loss = prize * held // supply * held // total
                sellers.append((-(-(loss + trouble) * PRICE_UNIT // held), held))
        won, price = int(power[self.voter]), 0
        for asked, held in sorted(sellers):
            if won >= quorum and 2 * won > total:
                break
            won, price = won + held, int(asked * self.section.generosity)
        # all who would sell at that price may come, so all of them must be paid
        cost = sum(price * held // PRICE_UNIT for asked, held in sellers if asked <= price)
        gas = sum(self.market.mechanism("chain").fee(kind) for kind in ("propose", "vote", "queue", "execute"))
        return price, cost, prize - cost - gas

    def prize(self) -> int:
        """Base units of cash that a proposal made now would ask for."""
        return int(self.section.take * self.governance.treasury.balance())

    # The day --------------------------------------------------------------------------------------------------

    def act(self, market: Market) -> None:
        """Propose with an offer when it pays; vote; take back what the offer did not spend."""
        if market.day < self.section.wakes_on_day:
            return
        if self.number is None:
            self._propose()
            return
        proposal = self.governance.governor[self.number]
        state = self.governance.governor.state(self.number, market.day)
        if state is ProposalState.ACTIVE and not self.voted:
            self.voted = True
            self._submit("vote", lambda: self.governance.vote(proposal.number, self.voter, Support.FOR))
        elif state.final:
            offer = self.votes.offers[proposal.number]
            self.paid += sum(offer.paid.values())
            sold = sum(proposal.powers[voter] for voter in offer.paid)
            self.bought_share = sold / proposal.supply if proposal.supply else 0.0
            self._submit("queue", lambda: self.votes.refund(proposal.number))
            self.number, self.voted = None, False

    def _propose(self) -> None:
        price, budget, profit = self.offer()
        cash = self.ledger.balance(self.governance.cash, self.account)
        if price == 0 or budget > cash * 9 // 10 or profit <= self.section.least_profit * MICRO:
            return
        if self.expected is None:
            self.expected = profit
        action = PayFromTreasury(self.governance.cash, self.account, self.prize(), "bought")
        self._submit("propose", lambda: self._open(action, price, budget))

    def _open(self, action: PayFromTreasury, price: int, budget: int) -> None:
        """In a block: propose, and put the money for the votes beside it."""
        number = self.governance.propose(self.voter, (action,), "payment for services")
        self.votes.post(number, self.account, Support.FOR, price, budget)
        self.number = number
        self.attempts += 1

    def _submit(self, kind: str, call: Any) -> None:
        self.market.mechanism("chain").submit(Batch(
            kind, np.array([self.account]), lambda rows, blocks: call(), ordered=True,
            keys=np.array([self.key], dtype=np.uint64), expires=self.market.day))

    # What is seen ---------------------------------------------------------------------------------------------

    def finish(self, market: Market) -> None:
        metric, cash = market.record.metric, self.ledger.balance(self.governance.cash, self.account)
        metric("bribery.expected_profit", float("nan") if self.expected is None else self.expected / MICRO)
        metric("bribery.profit", (cash - self.opening) / MICRO)
        metric("bribery.victims_loss", self.governance.treasury.spent.get("bought", 0) / MICRO)
        metric("bribery.paid", self.paid / MICRO)
        metric("bribery.bought_share", self.bought_share)
        metric("bribery.attempts", self.attempts)
