"""The whale: a large holder that applies for grants through an empty laboratory and gives it all its points.

It reads the rules, the votes and the budget off the ledger, asks for all of a round where its votes outweigh what any
other application can expect, and for its proportional part (or what conviction lets it carry) where they do not. As a
holder it owns part of the treasury that it takes from, and counts that.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.chain.mempool import Batch
from sim.contracts.governance.actions import FundProgramme
from sim.contracts.governance.conviction import SCALE
from sim.contracts.governance.governor import Proposal, ProposalState, Support
from sim.contracts.governance.vote_rules import VOTE_RULES
from sim.contracts.research.grants import Application, Round, RoundState
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import BPS, MICRO
from sim.mechanism import Hook, Mechanism, Phase
from sim.scenario.sections.whale import WhaleSection

if TYPE_CHECKING:
    from sim.mechanism import Market

NAME = "capturing-whale"
CLAIMED_VALUE = 1.0
"""Dollars that it says its result is worth; it does not need the votes of those who read applications."""


class Whale(Mechanism):
    """One holder with a laboratory that does nothing. ``voters`` are the numbers it votes with (see the sybil)."""

    section: WhaleSection
    hooks = (Hook(Phase.ADVERSARIES, "act", after=("sybil",)),)

    def setup(self, market: Market) -> None:
        self.market, self.ledger = market, market.ledger
        self.governance = market.mechanism("governance")
        self.research = market.mechanism("research")
        self.account = market.ledger.open_account(NAME, "traders")
        self.laboratory = market.ledger.open_account("empty-laboratory", "researchers")
        self.applicant: int = self.research.admit_applicant("empty-laboratory")
        self.voters: list[int] = [self.governance.register_voter(self.account, paid=False)]
        self.governance.reserve_stake(self.account, self.section.stake)
        self.governance.book.watched = True
        self.opening = round(self.section.opening_cash * MICRO)
        market.endow(self.account, self.opening)
        self.key = agent_key(NAME)
        self.applied: set[int] = set()
        self.voted: set[int] = set()
        self.vote_share = 0.0
        self.applications = self.bought = self.paid_for_votes = 0

    # The estimate ---------------------------------------------------------------------------------------------

    def counted(self, power: int) -> int:
        """Votes that ``power`` gives one voter under the rule and the cap in force."""
        cap = self.market.parameters["governance.vote_cap"]
        supply = self.governance.power.current_supply()
        return VOTE_RULES[self.governance.section.vote_rule](min(power, int(cap * supply)) if cap < 1.0 else power)

    def share_of_votes(self) -> float:
        """Its part of all votes that could be cast today."""
        power = self.governance.power.live()
        own = set(self.voters)
        votes = [self.counted(int(held)) for held in power]
        total = sum(votes)
        return sum(votes[voter] for voter in own) / total if total else 0.0

    def budget(self) -> int:
        """Base units of cash that the coming round is likely to have."""
        return int(self.market.parameters["research.grants_share"] * self.governance.treasury.balance())

    def worth(self, share: float) -> tuple[int, int]:
        """(what to ask for, expected profit) with this share of the votes, base units.

        Its chance to come before all others goes from 0 to 1 as its votes go from half of what it expects the best of
        the others to have to one and a half times that. A part in proportion to its votes it counts as safe.
        """
        budget = self.budget()
        ratio = share / max((1.0 - share) * self.section.others_focus, 1e-9)
        chance = min(max(ratio - 0.5, 0.0), 1.0)
        ask, expected = (budget, chance * budget) if chance > share else (int(share * budget), share * budget)
        if self.research.section.award_rule == "conviction" and self._carried(share) < ask:
            ask = self._carried(share)
            expected = min(float(ask), expected)
        power = self.governance.power.live()
        owned = sum(int(power[voter]) for voter in self.voters) / self.governance.power.current_supply()
        return ask, int(expected * (1.0 - owned))

    def _carried(self, share: float) -> int:
        """Largest request whose threshold its conviction reaches over the days from vote to execution."""
        section, terms = self.governance.section, self.governance.conviction
        days = section.voting_period_days + int(self.market.parameters["governance.timelock_days"])
        alpha = Fraction(terms.decay, SCALE)
        grown = float(1 - alpha**days) * share
        room = terms.most / SCALE - (terms.weight / SCALE / grown) ** 0.5 if grown > 0.0 else 0.0
        return max(int(room * self.governance.treasury.balance()), 0)

    # The day --------------------------------------------------------------------------------------------------

    def act(self, market: Market) -> None:
        """Apply while a round is open, then vote on its funding and rank its own application first."""
        if market.day < self.section.wakes_on_day:
            return
        rounds = self.research.grants.rounds
        current: Round | None = rounds[-1] if rounds else None
        if current is None:
            return
        if current.state is RoundState.OPEN and current.number not in self.applied:
            self._apply(current)
        for proposal in self.governance.governor.open():
            state = self.governance.governor.state(proposal.number, market.day)
            if state is ProposalState.ACTIVE and proposal.number not in self.voted and self._funds(proposal, current):
                self._vote(proposal, current)

    def _apply(self, current: Round) -> None:
        self.vote_share = self.share_of_votes()
        ask, profit = self.worth(self.vote_share)
        chain = self.market.mechanism("chain")
        gas = chain.fee("grant_application") + len(self.voters) * chain.fee("vote")
        if profit - gas <= self.section.least_profit * MICRO:
            return
        self.applied.add(current.number)
        self._buy(profit)
        application = Application(self.applicant, self.laboratory, 0, ask, CLAIMED_VALUE)
        self._submit("grant_application", [self.account], lambda row, block: self._enter(application), current.closes)

    def _enter(self, application: Application) -> None:
        self.research.grants.apply(application, self.market.day)
        self.applications += 1

    def _buy(self, profit: int) -> None:
        """Spend cash on GOV, as long as it costs less than a round is expected to bring."""
        amm = self.market.find("amm")
        if not self.section.buys_in or amm is None or self.section.buys_in not in amm.pools:
            return
        pool = amm.pool(self.section.buys_in)
        spend = min(self.ledger.balance(self.governance.cash, self.account) // 2, profit)
        if spend > 0:
            self._submit("swap", [self.account], lambda row, block: self._swap(amm, pool, spend, block),
                         self.market.day)

    def _swap(self, amm: Any, pool: Any, spend: int, block: int) -> None:
        """In a block: buy GOV for ``spend``."""
        amm.at_block(block)
        self.bought += pool.swap(self.account, self.governance.cash, spend, 0)
        self.paid_for_votes += spend

    def _funds(self, proposal: Proposal, current: Round) -> bool:
        return any(isinstance(action, FundProgramme) and action.reference == current.number
                   for action in proposal.actions)

    def _vote(self, proposal: Proposal, current: Round) -> None:
        own = next((index for index, other in enumerate(current.applications)
                    if other.applicant == self.applicant), None)
        if own is None:
            return
        self.voted.add(proposal.number)
        voters = list(self.voters)

        def call(row: int, block: int) -> None:
            votes = self.governance.vote(proposal.number, voters[row], Support.FOR)
            self.research.grants.rank(current.number, voters[row], votes, {own: BPS})

        accounts = [self.governance.power.voters[voter] for voter in voters]
        self._submit("vote", accounts, call, proposal.deadline)

    def _submit(self, kind: str, senders: list[int], call: Callable[[int, int], None], expires: int) -> None:
        def run(rows: Any, blocks: Any) -> None:
            for row, block in zip(rows, blocks, strict=True):
                call(int(row), int(block))

        self.market.mechanism("chain").submit(Batch(
            kind, np.array(senders), run, ordered=True, expires=expires, payer=self.account, singly=True,
            keys=np.full(len(senders), self.key, dtype=np.uint64)))

    # What is seen ---------------------------------------------------------------------------------------------

    def finish(self, market: Market) -> None:
        metric, cash = market.record.metric, self.governance.cash
        taken = self.research.counts.grants.get(self.applicant, 0)
        paid = self.research.grants.paid
        power = self.governance.power.live()
        owned = sum(int(power[voter]) for voter in self.voters) / self.governance.power.current_supply()
        # Tokens that it bought stand at their cost.
        spent = self.opening - self.ledger.balance(cash, self.account) - self.paid_for_votes
        metric("whale.profit", (taken * (1.0 - owned) - spent) / MICRO)
        metric("whale.victims_loss", taken / MICRO)
        metric("whale.grant_share", taken / paid if paid else float("nan"))
        metric("whale.vote_share", self.vote_share)
        metric("whale.applications", self.applications)
        metric("whale.bought", self.bought / MICRO)
