"""The flash-loan governor: proposes to pay itself the treasury, and borrows the votes for the moment of voting.

As in Beanstalk (17 April 2022): propose with a small stake, wait out the delay, then in one transaction borrow, turn
the loan into votes, vote, commit, execute, take the votes back and repay. Where a timelock stands between commit and
execution the loan goes back first; the votes stay counted unless the governor recounts them or has locked them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.chain.mempool import Batch, Refused
from sim.contracts.governance.actions import PayFromTreasury
from sim.contracts.governance.governor import ProposalState, Support
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Mechanism, Phase
from sim.scenario.sections.flash_governor import FlashGovernorSection

if TYPE_CHECKING:
    from sim.mechanism import Market

NAME = "flash-governor"
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """How the votes would be had: the asset to borrow, how much, through a deposit or as GOV itself."""

    asset: int
    amount: int
    deposit: bool
    profit: int


class FlashGovernor(Mechanism):
    """One attacker with one account, one voter's number and at most one proposal."""

    section: FlashGovernorSection
    hooks = (Hook(Phase.ADVERSARIES, "act"),)

    def setup(self, market: Market) -> None:
        section = self.section
        self.market, self.ledger = market, market.ledger
        self.governance = market.mechanism("governance")
        self.loans = market.mechanism("flash_loans")
        self.account = market.ledger.open_account(NAME, "traders")
        self.voter: int = self.governance.register_voter(self.account, paid=False)
        self.governance.reserve_stake(self.account, section.stake)
        self.governance.book.watched = True
        self.key = agent_key(NAME)
        self.opening = round(section.opening_cash * MICRO)
        market.endow(self.account, self.opening)
        self.number: int | None = None
        self.waiting = False
        self.expected: int | None = None
        self.borrowed = self.strikes = self.refused = 0

    # The estimate ---------------------------------------------------------------------------------------------

    def prize(self) -> int:
        """Base units of cash that a proposal made now would ask for."""
        return int(self.section.take * self.governance.treasury.balance())

    def plan(self) -> Plan | None:
        """The cheapest loan that carries a vote on its own, as the contracts stand now; None where no loan does."""
        governance, section = self.governance, self.governance.section
        share = round(section.emergency_share * MICRO) or MICRO // 2 + 1
        supply, own = governance.power.current_supply(), governance.power.current(self.voter)
        plans = []
        missing = max(-(-share * supply // MICRO) - own, 1)
        if missing <= self.loans.available(governance.gov):
            plans.append(self._plan(governance.gov, missing, False))
        if governance.deposits is not None:
            # a deposit adds to all votes as well, so x must satisfy own + x >= share (supply + x)
            votes = max(-((own * MICRO - share * supply) // (MICRO - share)), 1)
            cash = governance.deposits.cash_for(votes) + MICRO
            if cash <= self.loans.available(governance.cash):
                plans.append(self._plan(governance.cash, cash, True))
        return max(plans, key=lambda plan: plan.profit, default=None)

    def _plan(self, asset: int, amount: int, deposit: bool) -> Plan:
        chain, premium = self.market.mechanism("chain"), self.loans.premium(amount)
        if asset != self.governance.cash:
            premium = round(premium * self.governance.fair_value())
        gas = sum(chain.fee(kind) for kind in ("propose", "flash_loan", "queue", "execute"))
        return Plan(asset, amount, deposit, self.prize() - premium - gas)

    def stopped(self) -> bool:
        """Whether the rules, which anybody can read, would not count borrowed votes."""
        section = self.governance.section
        at_once = section.emergency_share > 0.0 and self.market.parameters["governance.timelock_days"] == 0
        return (section.votes_from != "live_balance" or section.vote_rule != "token_weighted"
                or section.vote_lock_days > 0 or self.market.parameters["governance.vote_cap"] < 0.5
                or (section.recount_at_execution and not at_once))

    # The day --------------------------------------------------------------------------------------------------

    def act(self, market: Market) -> None:
        """Propose once it pays; strike when the vote can be carried; queue and execute what is then due."""
        day, governor = market.day, self.governance.governor
        if day < self.section.wakes_on_day or self.waiting or self.refused >= MOST_ATTEMPTS:
            return
        if self.number is None:
            self._propose()
            return
        proposal, state = governor[self.number], governor.state(self.number, day)
        emergency = self.governance.section.emergency_share > 0.0
        if state is ProposalState.ACTIVE and self.voter not in proposal.ballots:
            due = proposal.created + self.governance.section.emergency_after_days if emergency else proposal.deadline
            if day >= due:
                self._strike(emergency)
        elif state is ProposalState.SUCCEEDED:
            self._submit("queue", lambda: self.governance.queue(self.number))
        elif state is ProposalState.QUEUED and proposal.eta is not None and day >= proposal.eta:
            self._submit("execute", lambda: self.governance.execute(self.number))

    def _propose(self) -> None:
        plan = self.plan()
        profitable = plan is not None and plan.profit > self.section.least_profit * MICRO and not self.stopped()
        if profitable and plan is not None and self.expected is None:
            self.expected = plan.profit
        amount = self.prize()
        if amount > 0 and (profitable or self.section.tries_anyway):
            action = PayFromTreasury(self.governance.cash, self.account, amount, "drained")
            self._submit("propose", lambda: setattr(self, "number", self.governance.propose(
                self.voter, (action,), "payment for services")))

    def _strike(self, emergency: bool) -> None:
        plan = self.plan()
        if plan is not None:
            self._submit("flash_loan", lambda: self._attack(plan, emergency))

    def _attack(self, plan: Plan, emergency: bool) -> None:
        """In a block, all or nothing: borrow, vote, commit, take the votes back, repay."""
        governance, number, before = self.governance, self.number, (self.borrowed, self.strikes)

        def program() -> None:
            if plan.deposit:
                governance.deposits.deposit(self.voter, plan.amount)
            governance.vote(number, self.voter, Support.FOR)
            if emergency:
                governance.emergency_commit(number)
                if governance.governor[number].failure:
                    raise Refused("the treasury did not pay")
            if plan.deposit:
                governance.deposits.withdraw(self.voter, plan.amount, self.market.day)

        self.loans.borrow(self.account, plan.asset, plan.amount, program)
        self.ledger.on_rollback(lambda: self._restore(before))
        self.borrowed, self.strikes = max(self.borrowed, plan.amount), self.strikes + 1

    def _restore(self, before: tuple[int, int]) -> None:
        self.borrowed, self.strikes = before

    def _submit(self, kind: str, call: Any) -> None:
        self.waiting = True

        def run(rows: Any, blocks: Any) -> None:
            call()
            self.waiting = False

        self.market.mechanism("chain").submit(Batch(
            kind, np.array([self.account]), run, ordered=True, keys=np.array([self.key], dtype=np.uint64),
            expires=self.market.day, dropped=self._failed, reverted=self._failed, tip_bps=20_000))

    def _failed(self, rows: Any) -> None:
        self.waiting = False
        self.refused += 1

    # What is seen ---------------------------------------------------------------------------------------------

    def finish(self, market: Market) -> None:
        metric, cash = market.record.metric, self.ledger.balance(self.governance.cash, self.account)
        metric("flash_governor.expected_profit", float("nan") if self.expected is None else self.expected / MICRO)
        metric("flash_governor.profit", (cash - self.opening) / MICRO)
        metric("flash_governor.victims_loss", self.governance.treasury.spent.get("drained", 0) / MICRO)
        metric("flash_governor.borrowed", self.borrowed / MICRO)
        metric("flash_governor.strikes", self.strikes)
        metric("flash_governor.refused", self.refused)
