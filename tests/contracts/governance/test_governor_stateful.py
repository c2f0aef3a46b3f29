"""Random calls by random voters: what a governor must never do, whatever the order.

Property: parameters and treasury are what the executed proposals made them, each executed once, after it passed and
waited; nobody's vote counts twice, nor more than it weighed at the snapshot; a call that is refused or rolled back
leaves no trace.
"""

from __future__ import annotations

import copy
import os

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sim.contracts.governance.actions import ChangeParameter, Executor, PayFromTreasury
from sim.contracts.governance.governance import REFUSALS
from sim.contracts.governance.governor import Governor, GovernorError, ProposalState, Settings, Support
from sim.contracts.governance.timelock import Timelock
from sim.contracts.governance.treasury import Treasury
from sim.contracts.governance.voting_power import FutureLookup, VotingPower
from sim.kernel.ledger import Ledger, LedgerError
from sim.parameters import Parameters

VOTERS = 4
PEOPLE = 5
GRACE = 4
voters = st.integers(0, VOTERS - 1)


class Undo(Exception):
    """Ends a transaction that must leave no trace."""


class GovernorMachine(RuleBasedStateMachine):
    """Four voters, five people, one parameter with bounds 0 .. 10, a treasury of 1,000."""

    def __init__(self) -> None:
        super().__init__()
        self.day = 0
        self.ledger = Ledger(institutions=12, people=PEOPLE)
        self.gov, self.usd = self.ledger.asset("GOV"), self.ledger.asset("USDs")
        self.column = np.full(PEOPLE, -1, dtype=np.int16)
        self.power = VotingPower(self.ledger, self.gov, lambda: self.column)
        self.accounts = [self.ledger.open_account(f"voter {i}", "traders") for i in range(VOTERS)]
        for account in self.accounts:
            self.power.register(account)
            self.ledger.mint(self.gov, account, 100, "genesis")
        for slot in range(PEOPLE):
            self.ledger.mint(self.gov, self.ledger.person(slot), 10, "genesis")
        safe = self.ledger.open_account("treasury", "protocol")
        self.ledger.mint(self.usd, safe, 1000, "endowment")
        self.treasury = Treasury(self.ledger, safe, self.usd)
        self.treasury.reconcile()
        self.parameters = Parameters()
        self.parameters.register("pool.gate", 5.0, 0.0, 10.0)
        self.executor = Executor(self.ledger, self.parameters, self.treasury)
        self.settings = Settings(1, 2, 10, 20)
        self.wait = 2
        self.governor = Governor(
            settings=lambda: self.settings, votes=self.power, timelock=Timelock(lambda: self.wait, GRACE),
            run=lambda proposal: self.executor.run(proposal.actions, f"proposal {proposal.number}"),
            refusals=REFUSALS, on_rollback=self.ledger.on_rollback)
        self.gate, self.cash = 5.0, 1000
        self.cast: dict[tuple[int, int], int] = {}
        self.queued: dict[int, int] = {}
        self.done: set[int] = set()
        self.power.checkpoint(-1)

    def number(self, pick: int) -> int:
        return pick % len(self.governor)

    def fingerprint(self) -> tuple[object, ...]:
        """All state that a call could touch."""
        return (copy.deepcopy(list(self.governor)), [p.number for p in self.governor.open()], self.column.tolist(),
                self.power.live().tolist(), self.parameters["pool.gate"], self.ledger.balances(self.usd).tolist(),
                self.ledger.balances(self.gov).tolist(), dict(self.treasury.spent), self.treasury.total_income)

    @rule(days=st.integers(1, 3))
    def pass_days(self, days: int) -> None:
        for _ in range(days):
            self.power.checkpoint(self.day)
            self.governor.close_finished(self.day + 1)
            self.day += 1

    @rule(voter=voters, value=st.sampled_from([1.0, 4.0, 9.0, 11.0]), amount=st.sampled_from([0, 50, 100, 700]),
          supports=st.lists(st.sampled_from([Support.FOR, Support.FOR, *Support]), min_size=VOTERS, max_size=VOTERS))
    def campaign(self, voter: int, value: float, amount: int, supports: list[Support]) -> None:
        """A proposal that everybody votes on; random calls alone would hardly ever get one passed."""
        count = len(self.governor)
        self.propose(voter, value, amount)
        if len(self.governor) > count:
            self.pass_days(2)
            for other, support in enumerate(supports):
                self.everything_undone(count, other, support)
                self.vote(count, other, support)
            self.vote(count, voter, Support.FOR)
            self.pass_days(2)

    @rule(days=st.integers(0, 3))
    def keep(self, days: int) -> None:
        """Somebody calls queue on everything, and execute some days later."""
        for number in range(len(self.governor)):
            self.queue(number)
        self.pass_days(days)
        for number in range(len(self.governor)):
            self.everything_undone(number, 0, Support.FOR)
            self.execute(number)

    @rule(source=voters, buyer=voters, amount=st.integers(0, 120))
    def trade(self, source: int, buyer: int, amount: int) -> None:
        if self.ledger.balance(self.gov, self.accounts[source]) >= amount:
            self.ledger.transfer(self.gov, self.accounts[source], self.accounts[buyer], amount, "trade")

    @rule(slot=st.integers(0, PEOPLE - 1), voter=st.integers(-1, VOTERS - 1))
    def delegate_person(self, slot: int, voter: int) -> None:
        self.power.delegate_people(np.array([slot]), np.array([voter], dtype=np.int16))

    @rule(voter=voters, to=st.integers(-1, VOTERS - 1))
    def delegate(self, voter: int, to: int) -> None:
        self.power.delegate(self.accounts[voter], to)

    @rule(voter=voters, value=st.sampled_from([1.0, 4.0, 9.0, 11.0]), amount=st.sampled_from([0, 50, 100, 700]))
    def propose(self, voter: int, value: float, amount: int) -> None:
        power = self.power.before(self.day).of(voter)
        try:
            self.governor.propose(voter, (PayFromTreasury(self.usd, self.accounts[voter], amount),
                                          ChangeParameter("pool.gate", value)), self.day)
        except GovernorError:
            assert power < 45
        else:
            assert power >= 45

    @precondition(lambda self: len(self.governor))
    @rule(pick=st.integers(0, 50), voter=voters, support=st.sampled_from(Support))
    def vote(self, pick: int, voter: int, support: Support) -> None:
        number = self.number(pick)
        before = self.fingerprint()
        try:
            votes = self.governor.cast_vote(number, voter, support, self.day)
        except (GovernorError, FutureLookup):
            assert self.fingerprint() == before
            return
        proposal = self.governor[number]
        assert (number, voter) not in self.cast
        assert proposal.snapshot < self.day <= proposal.deadline
        assert votes == self.power.past(proposal.snapshot, self.day).of(voter)
        self.cast[number, voter] = votes

    @precondition(lambda self: len(self.governor))
    @rule(pick=st.integers(0, 50))
    def queue(self, pick: int) -> None:
        number = self.number(pick)
        try:
            self.governor.queue(number, self.day)
        except GovernorError:
            return
        assert number not in self.queued
        assert self.day > self.governor[number].deadline
        self.queued[number] = self.day

    @precondition(lambda self: len(self.governor))
    @rule(pick=st.integers(0, 50))
    def execute(self, pick: int) -> None:
        number = self.number(pick)
        before = self.fingerprint()[4:]
        try:
            done = self.governor.execute(number, self.day)
        except GovernorError:
            assert self.fingerprint()[4:] == before
            return
        pay, change = self.governor[number].actions
        possible = change.value <= 10.0 and pay.amount <= self.cash
        assert done == possible
        if not done:
            assert self.fingerprint()[4:] == before
            return
        proposal = self.governor[number]
        assert number not in self.done
        assert self.queued[number] + self.wait <= self.day <= self.queued[number] + self.wait + GRACE
        assert proposal.votes[Support.FOR] > proposal.votes[Support.AGAINST]
        assert 5 * (proposal.votes[Support.FOR] + proposal.votes[Support.ABSTAIN]) >= self.ledger.supply(self.gov)
        self.done.add(number)
        self.gate, self.cash = change.value, self.cash - pay.amount

    @precondition(lambda self: len(self.governor))
    @rule(pick=st.integers(0, 50), voter=voters)
    def cancel(self, pick: int, voter: int) -> None:
        number = self.number(pick)
        try:
            self.governor.cancel(number, voter, self.day)
        except GovernorError:
            return
        assert self.governor[number].proposer == voter
        assert self.day <= self.governor[number].snapshot

    @rule(pick=st.integers(0, 50), voter=voters, support=st.sampled_from(Support))
    def everything_undone(self, pick: int, voter: int, support: Support) -> None:
        """All calls in one transaction that fails at the end."""
        before = self.fingerprint()
        number = pick % max(len(self.governor), 1)
        calls = [lambda: self.governor.propose(voter, (ChangeParameter("pool.gate", 2.0),), self.day),
                 lambda: self.governor.cast_vote(number, voter, support, self.day),
                 lambda: self.governor.queue(number, self.day),
                 lambda: self.governor.execute(number, self.day),
                 lambda: self.governor.cancel(number, voter, self.day),
                 lambda: self.power.delegate(self.accounts[voter], -1),
                 lambda: self.power.delegate_people(np.array([0]), np.array([voter], dtype=np.int16))]
        try:
            with self.ledger.atomic():
                for call in calls:
                    try:
                        call()
                    except (GovernorError, FutureLookup, LedgerError):
                        continue
                raise Undo
        except Undo:
            pass
        assert self.fingerprint() == before

    @invariant()
    def tallies_are_sums_of_ballots(self) -> None:
        for proposal in self.governor:
            for support in Support:
                assert proposal.votes[support] == sum(v for s, v in proposal.ballots.values() if s is support)
            assert sum(proposal.votes.values()) <= self.ledger.supply(self.gov)
            assert {voter: votes for voter, (_, votes) in proposal.ballots.items()} == {
                voter: votes for (number, voter), votes in self.cast.items() if number == proposal.number}

    @invariant()
    def the_world_is_what_was_executed(self) -> None:
        assert self.parameters["pool.gate"] == self.gate
        assert self.treasury.balance() == self.cash
        executed = {p.number for p in self.governor
                    if self.governor.state(p.number, self.day) is ProposalState.EXECUTED}
        assert executed == self.done

    @invariant()
    def ledger_holds(self) -> None:
        assert self.ledger.check_supplies() is None


TestGovernor = GovernorMachine.TestCase
TestGovernor.settings = (
    settings(max_examples=200, stateful_step_count=50, deadline=None) if os.environ.get("SALUS_LONG")
    else settings(max_examples=40, stateful_step_count=30, deadline=None, derandomize=True))
