"""Random calls under random options: what no combination of them may allow.

Property: nobody votes twice; votes are the rule's of the capped power; nothing is executed before its delay, or that
does not pass (a recount included, computed here a second time); locked tokens stay where they are, and a token that
votes lock counts once a proposal; conviction never falls while support stays, and an undone call leaves no trace.
"""

from __future__ import annotations

import copy
import os
from math import isqrt

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sim.contracts.governance.actions import PayFromTreasury
from sim.contracts.governance.conviction import Conviction
from sim.contracts.governance.deposits import VotingDeposits
from sim.contracts.governance.governor import Governor, GovernorError, ProposalState, Settings, Support
from sim.contracts.governance.timelock import Timelock
from sim.contracts.governance.vote_lock import VoteLock
from sim.contracts.governance.vote_rules import VOTE_RULES
from sim.contracts.governance.voting_power import FutureLookup, VotingPower, from_live, from_snapshot
from sim.kernel.ledger import Ledger, LedgerError

VOTERS = 4
GRACE = 5
LOCK_DAYS = 3
voters = st.integers(0, VOTERS - 1)
FOR, AGAINST = Support.FOR, Support.AGAINST
MODES = ((True, True, False), (True, False, True), (True, True, False), (True, False, False), (False, True, False),
         (False, False, True), (False, False, False))
"""(live, recount, locks); those under which power can be borrowed come more often."""


class Undo(Exception):
    """Ends a transaction that must leave no trace."""


class OptionsMachine(RuleBasedStateMachine):
    """Four voters with 100 GOV and 500 cash each; deposits vote one a unit."""

    @initialize(mode=st.sampled_from(MODES), cap=st.sampled_from([None, None, None, 30]),
                emergency=st.sampled_from([None, None, 51, 67]), late=st.sampled_from([0, 2]),
                wait=st.sampled_from([0, 2]),
                rule_name=st.sampled_from(["token_weighted"] * 4 + ["quadratic", "conviction"]))
    def build(self, mode: tuple[bool, bool, bool], cap: int | None, emergency: int | None, late: int, wait: int,
              rule_name: str) -> None:
        live, recount, locks = mode
        self.day, self.wait, self.live, self.rule_name = 0, wait, live, rule_name
        self.ledger = Ledger(institutions=12, people=1)
        self.gov, self.usd = self.ledger.asset("GOV"), self.ledger.asset("USDs")
        self.power = VotingPower(self.ledger, self.gov, lambda: np.full(1, -1, dtype=np.int16), 1 if locks else 2)
        self.accounts = [self.ledger.open_account(f"voter {i}", "traders") for i in range(VOTERS)]
        for account in self.accounts:
            self.power.register(account)
            self.ledger.mint(self.gov, account, 100, "genesis")
            self.ledger.mint(self.usd, account, 500, "endowment")
        self.locks = VoteLock(self.ledger, self.gov, self.power) if locks else None
        self.deposits = VotingDeposits(self.ledger, self.usd, self.power, 1_000_000)
        self.power.more.extend(source for source in (self.locks, self.deposits) if source is not None)
        conviction = Conviction(800_000, 300_000, 5_000, 100_000) if rule_name == "conviction" else None
        self.settings = Settings(0, 3, 0, 20, late_quorum_extension=late, cap_numerator=cap,
                                 emergency_numerator=emergency if rule_name == "token_weighted" else None,
                                 emergency_after=1, recount=recount, conviction=conviction)
        self.ran: list[int] = []
        self.governor = Governor(
            settings=lambda: self.settings, votes=self.power, timelock=Timelock(lambda: self.wait, GRACE),
            run=self.carry_out, rule=VOTE_RULES[rule_name], votes_from=from_live if live else from_snapshot,
            requested=lambda proposal: (proposal.requested(self.usd), 1000), on_rollback=self.ledger.on_rollback)
        self.voted: set[tuple[int, int]] = set()
        self.queued: dict[int, int] = {}
        self.tokens: dict[int, int] = {}
        self.power.checkpoint(-1)

    def carry_out(self, proposal: object) -> None:
        self.ledger.on_rollback(self.ran.pop)
        self.ran.append(proposal.number)  # type: ignore[attr-defined]

    def number(self, pick: int) -> int:
        return pick % len(self.governor)

    def fingerprint(self) -> tuple[object, ...]:
        """All state that a call could touch."""
        return (copy.deepcopy(list(self.governor)), [p.number for p in self.governor.open()],
                self.power.live().tolist(), self.ledger.balances(self.gov).tolist(),
                self.ledger.balances(self.usd).tolist(), list(self.ran),
                dict(self.locks.owners) if self.locks else None,
                {voter: amount for voter, amount in self.deposits.held.items() if amount})

    @rule(days=st.integers(1, 3))
    def pass_days(self, days: int) -> None:
        for _ in range(days):
            self.power.checkpoint(self.day)
            before = {p.number: (p.conviction, self.governor.recounted(p)[FOR]) for p in self.governor.open()}
            for proposal in self.governor.accrue(self.day):
                assert self.rule_name == "conviction"
                assert proposal.ballots
            for proposal in self.governor.open():
                held, stake = before[proposal.number]
                if proposal.conviction != held:
                    # towards stake / (1 - alpha) = 5 stake, never past it
                    assert min(held, 5 * stake) - 5 <= proposal.conviction <= max(held, 5 * stake)
            if self.locks is not None:
                self.locks.release(self.day + 1)
            self.governor.close_finished(self.day + 1)
            self.day += 1

    @rule(voter=voters, amount=st.sampled_from([1, 100, 250, 400]))
    def propose(self, voter: int, amount: int) -> None:
        self.governor.propose(voter, (PayFromTreasury(self.usd, self.accounts[voter], amount),), self.day)

    @rule(source=voters, buyer=voters, amount=st.integers(0, 150))
    def trade(self, source: int, buyer: int, amount: int) -> None:
        if self.ledger.balance(self.gov, self.accounts[source]) >= amount:
            self.ledger.transfer(self.gov, self.accounts[source], self.accounts[buyer], amount, "trade")

    @rule(voter=voters, to=voters)
    def delegate(self, voter: int, to: int) -> None:
        self.power.delegate(self.accounts[voter], to)

    @rule(voter=voters, amount=st.integers(0, 500))
    def deposit(self, voter: int, amount: int) -> None:
        if self.ledger.balance(self.usd, self.accounts[voter]) >= amount:
            self.deposits.deposit(voter, amount)

    @rule(voter=voters, amount=st.integers(0, 500))
    def withdraw(self, voter: int, amount: int) -> None:
        locked = self.deposits.locked_until.get(voter, -1) >= self.day
        if amount <= self.deposits.held.get(voter, 0) and not locked:
            self.deposits.withdraw(voter, amount, self.day)

    @precondition(lambda self: len(self.governor))
    @rule(pick=st.integers(0, 20), voter=voters, support=st.sampled_from([FOR, FOR, *Support]))
    def vote(self, pick: int, voter: int, support: Support) -> None:
        number, before = self.number(pick), self.fingerprint()
        proposal = self.governor[number]
        now = self.power.current(voter)
        try:
            with self.ledger.atomic():
                votes = self.governor.cast_vote(number, voter, support, self.day)
                if self.locks is not None:
                    until = max(self.day + LOCK_DAYS, self.governor.latest_deadline(number))
                    self.locks.lock(voter, until)
                    self.deposits.lock(voter, until)
        except (GovernorError, FutureLookup):
            assert self.fingerprint() == before
            return
        assert (number, voter) not in self.voted
        self.voted.add((number, voter))
        power = now if self.live else self.power.past(proposal.snapshot, self.day).of(voter)
        if self.settings.cap_numerator is not None:
            power = min(power, proposal.supply * self.settings.cap_numerator // 100)
        assert votes == (isqrt(power) if self.rule_name == "quadratic" else power)
        assert proposal.powers[voter] == power
        tokens = now - self.deposits.held.get(voter, 0)
        self.tokens[number] = self.tokens.get(number, 0) + tokens
        if self.locks is not None:
            assert self.tokens[number] <= 100 * VOTERS

    @rule(voter=voters, supports=st.lists(st.sampled_from([FOR, FOR, FOR, AGAINST]), min_size=VOTERS, max_size=VOTERS))
    def campaign(self, voter: int, supports: list[Support]) -> None:
        """A proposal that everybody votes on; random calls alone hardly ever get one passed."""
        number = len(self.governor)
        self.propose(voter, 100)
        self.pass_days(1)
        for other, support in enumerate(supports):
            self.vote(number, other, support)

    @rule(days=st.lists(st.integers(0, 2), min_size=VOTERS, max_size=VOTERS))
    def relay(self, days: list[int]) -> None:
        """Each votes and hands all that it then holds to the next, who votes too, perhaps some days later."""
        number = len(self.governor)
        self.propose(0, 100)
        self.pass_days(1)
        for voter, wait in enumerate(days):
            self.vote(number, voter, FOR)
            if wait:
                self.pass_days(wait)
            self.trade(voter, (voter + 1) % VOTERS, self.ledger.balance(self.gov, self.accounts[voter]))

    @rule(others=st.lists(st.integers(1, VOTERS - 1), min_size=1, max_size=3, unique=True))
    def borrowed(self, others: list[int]) -> None:
        """Voter 0 votes with everybody's tokens, gives them back, and the proposal goes its way."""
        number = len(self.governor)
        self.propose(0, 100)
        self.pass_days(1)
        for other in others:
            self.vote(number, other, AGAINST)
        for lender in range(1, VOTERS):
            self.trade(lender, 0, self.ledger.balance(self.gov, self.accounts[lender]))
        self.vote(number, 0, FOR)
        for lender in range(1, VOTERS):
            self.trade(0, lender, min(100, self.ledger.balance(self.gov, self.accounts[0])))
        self.commit(number)
        self.pass_days(5)
        self.queue(number)
        self.pass_days(self.wait or 1)
        self.execute(number)

    @precondition(lambda self: len(self.governor))
    @rule(pick=st.integers(0, 20))
    def commit(self, pick: int) -> None:
        number, before = self.number(pick), self.fingerprint()
        proposal = self.governor[number]
        votes = proposal.votes[FOR]
        try:
            with self.ledger.atomic():
                done = self.governor.emergency_commit(number, self.day)
        except GovernorError:
            assert self.fingerprint() == before
            return
        supply = self.power.current_supply() if self.live else proposal.supply
        assert votes * 100 >= self.settings.emergency_numerator * supply
        assert self.day > proposal.created
        assert done == (self.wait == 0)
        self.queued[number] = self.day

    @precondition(lambda self: len(self.governor))
    @rule(pick=st.integers(0, 20))
    def queue(self, pick: int) -> None:
        try:
            self.governor.queue(self.number(pick), self.day)
        except GovernorError:
            return
        self.queued[self.number(pick)] = self.day

    @rule()
    def execute_all(self) -> None:
        for number in range(len(self.governor)):
            self.execute(number)

    @precondition(lambda self: len(self.governor))
    @rule(pick=st.integers(0, 20))
    def execute(self, pick: int) -> None:
        number, before = self.number(pick), self.fingerprint()
        proposal = self.governor[number]
        supply_now = self.power.current_supply()
        votes_now = {voter: self.power.current(voter) for voter in proposal.ballots}
        try:
            assert self.governor.execute(number, self.day)
        except GovernorError:
            assert self.fingerprint() == before
            return
        assert self.queued[number] + self.wait <= self.day <= self.queued[number] + self.wait + GRACE
        if proposal.passed_on is None:
            assert proposal.votes[FOR] > proposal.votes[AGAINST]
        if self.settings.recount and self.rule_name == "token_weighted" and self.settings.cap_numerator is None:
            left = {side: sum(min(votes, votes_now[voter]) for voter, (support, votes) in proposal.ballots.items()
                              if support is side) for side in Support}
            if proposal.passed_on is None:
                assert left[FOR] > left[AGAINST]
            else:
                supply = supply_now if self.live else proposal.supply
                assert left[FOR] * 100 >= self.settings.emergency_numerator * supply

    @precondition(lambda self: len(self.governor))
    @rule(pick=st.integers(0, 20), voter=voters)
    def everything_undone(self, pick: int, voter: int) -> None:
        """All calls in one transaction that fails at the end."""
        before, number = self.fingerprint(), self.number(pick)
        calls = [lambda: self.governor.cast_vote(number, voter, FOR, self.day),
                 lambda: self.governor.emergency_commit(number, self.day),
                 lambda: self.governor.queue(number, self.day), lambda: self.governor.execute(number, self.day),
                 lambda: self.deposits.deposit(voter, 1), lambda: self.governor.veto(number, self.day)]
        if self.locks is not None:
            calls.append(lambda: self.locks.lock(voter, self.day))
        try:
            with self.ledger.atomic():
                for call in calls:
                    try:
                        with self.ledger.atomic():
                            call()
                    except (GovernorError, FutureLookup, LedgerError):
                        continue
                raise Undo
        except Undo:
            pass
        assert self.fingerprint() == before

    @invariant()
    def books_hold(self) -> None:
        assert self.ledger.check_supplies() is None
        assert self.deposits.deposits_are_held() is None
        assert self.power.live().sum() == self.power.current_supply()
        if self.locks is not None:
            assert self.locks.escrow_holds() is None

    @invariant()
    def each_is_executed_once(self) -> None:
        assert sorted(self.ran) == [p.number for p in self.governor
                                    if self.governor.state(p.number, self.day) is ProposalState.EXECUTED]

    @invariant()
    def tallies_are_sums_of_ballots(self) -> None:
        for proposal in self.governor:
            for support in Support:
                assert proposal.votes[support] == sum(v for s, v in proposal.ballots.values() if s is support)
            assert set(proposal.powers) == set(proposal.ballots)
            if not self.live:
                assert proposal.cast <= (proposal.supply or 0)


TestOptions = OptionsMachine.TestCase
TestOptions.settings = (
    settings(max_examples=300, stateful_step_count=50, deadline=None) if os.environ.get("SALUS_LONG")
    else settings(max_examples=60, stateful_step_count=25, deadline=None, derandomize=True))
