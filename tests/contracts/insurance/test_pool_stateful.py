"""A pool under random programs: capital in and out, premium, days, claims, treaties, failures inside transactions.

Properties: it never pays what it has not; no unit is lost; parts by layer and the unpaid rest add up to the claims; a
deposit or redemption never moves the share price by more than a unit; no withdrawal completes below gate x MCR.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sim.contracts.insurance.pool_state import PoolError, PoolState
from sim.contracts.insurance.vault import VaultError
from sim.kernel.ledger import LedgerError

_spec = importlib.util.spec_from_file_location("insurance_desk", Path(__file__).with_name("conftest.py"))
assert _spec is not None
assert _spec.loader is not None
_desk: Any = importlib.util.module_from_spec(_spec)
__import__("sys").modules["insurance_desk"] = _desk
_spec.loader.exec_module(_desk)

LONG = bool(os.environ.get("SALUS_LONG"))
GATE, COOLDOWN = 1.0, 3
owners = st.integers(0, 3)
small = st.integers(0, 10**9)
claim = st.one_of(small, st.integers(0, 10**10))


class Undo(Exception):
    """Ends a transaction."""


class PoolMachine(RuleBasedStateMachine):
    """One pool, four owners, three payees."""

    @initialize(offset=st.integers(0, 3), capital=st.sampled_from(("fixed_ratio", "lognormal_var", "nexus_cover")))
    def begin(self, offset: int, capital: str) -> None:
        self.desk = _desk.build(capital=capital, offset=offset, lag=2.0, tail=5)
        self.pool = self.desk.pool
        self.day = 0
        self.claims = 0
        self.reported: list[int] = []
        self.received = 0
        for owner in self.desk.owners:
            self.desk.fund(owner, 10**11)
            self.pool.deposit(owner, 10**9)
        self.pool.count_members(3, 10**9, 10**10)

    def price(self, vault: Any) -> tuple[int, int]:
        return vault.value() + 1, vault.supply + 10**vault.offset

    def unmoved(self, before: tuple[int, int], after: tuple[int, int]) -> None:
        """The price never falls for those who stay; what it rises by is worth less than a unit and a share."""
        assert after[0] * before[1] >= before[0] * after[1], "a deposit or redemption took value from those who stay"
        rise = after[0] * before[1] - before[0] * after[1]
        assert rise <= before[0] + before[1], (before, after)

    def paid_out(self) -> int:
        return sum(self.desk.ledger.balance(self.desk.usd, payee) for payee in self.desk.payees)

    @rule(who=owners, amount=small, tranche=st.sampled_from(("senior", "junior")))
    def deposit(self, who: int, amount: int, tranche: str) -> None:
        vault = self.pool.senior if tranche == "senior" else self.pool.junior
        other = self.pool.junior if tranche == "senior" else self.pool.senior
        before, others = self.price(vault), self.price(other)
        open_for_capital = self.pool.state in (PoolState.ACTIVE, PoolState.GATED)
        covered = self.pool.first_loss() >= 0
        try:
            self.pool.deposit(self.desk.owners[who], amount, tranche)
        except (VaultError, PoolError, LedgerError):
            assert not open_for_capital or self.price(vault) == before
            return
        assert open_for_capital
        if covered:  # else the money goes to reserves that nothing covered
            self.unmoved(before, self.price(vault))
            if tranche == "senior":
                assert self.price(other) == others

    @rule(who=owners, share=st.floats(0.0, 1.0))
    def request(self, who: int, share: float) -> None:
        owner = self.desk.owners[who]
        shares = int(self.desk.ledger.balance(self.pool.senior.share, owner) * share)
        if shares:
            self.pool.request_withdrawal(owner, shares, self.day)

    @rule()
    def serve(self) -> None:
        before, minimum = self.price(self.pool.senior), self.pool.mcr()
        was_open = self.pool.state in (PoolState.ACTIVE, PoolState.GATED)
        served = self.pool.serve_withdrawals(self.day, COOLDOWN, GATE)
        if served:
            assert self.pool.state is not PoolState.RUN_OFF
            if was_open:
                assert self.pool.capital >= minimum, "the gate let too much out"
            after = self.price(self.pool.senior)
            assert after[0] * before[1] >= before[0] * after[1]

    @rule(who=owners)
    def leave_for_good(self, who: int) -> None:
        """Ask for everything, wait, and be served as far as the gate allows."""
        self.request(who, 1.0)
        self.pass_days(COOLDOWN)
        self.serve()

    @rule(amount=small, late=st.integers(-5, 20), days=st.integers(1, 40))
    def premium(self, amount: int, late: int, days: int) -> None:
        self.desk.premium(amount, self.day - late, days)

    @rule(count=st.integers(-3, 5))
    def members(self, count: int) -> None:
        count = max(count, -self.pool.members)
        self.pool.count_members(count, count * 10**7, count * 10**9)

    @rule(amount=small, lag=st.integers(0, 50))
    def report(self, amount: int, lag: int) -> None:
        self.pool.report(self.day, np.array([amount]), np.array([max(self.day - lag, 0)]))
        self.reported.append(amount)

    @precondition(lambda self: self.reported)
    @rule(approved=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4))
    def decide(self, approved: list[float]) -> None:
        amounts = []
        for share in approved[:len(self.reported)]:
            amount = self.reported.pop()
            self.pool.release(self.day, np.array([amount]), np.array([self.day]))
            amounts.append(int(amount * share))
        self.settle(amounts)

    @rule(amounts=st.lists(claim, max_size=4))
    def settle(self, amounts: list[int]) -> None:
        pool, a = self.pool, self.pool.accounts
        pool.accrue(self.day)
        held = sum(pool.cash(account) for account in (a.claims, a.surplus, a.junior, a.senior))
        owed, before, unearned = pool.unpaid.total + sum(amounts), self.paid_out(), pool.cash(a.unearned)
        paid = self.desk.settle(self.day, self.claims, amounts)
        self.claims += len(amounts)
        got = self.paid_out() - before
        assert got == min(held, owed), "it pays all it owes or all it has"
        assert pool.cash(a.unearned) == unearned
        assert all(0 <= part <= amount for part, amount in zip(paid, amounts, strict=True))
        assert pool.unpaid.total == owed - got
        if owed > got:
            assert pool.state in (PoolState.RUN_OFF, PoolState.CLOSED)

    @rule(days=st.integers(1, 8))
    def pass_days(self, days: int) -> None:
        self.day += days
        self.pool.accrue(self.day)
        self.pool.watch_gate(GATE)
        self.pool.close_if_done(self.day)

    @rule()
    def profit(self) -> None:
        capital = self.pool.capital
        self.pool.release_profit()
        assert self.pool.capital == capital

    @rule(share=st.floats(0.0, 1.0))
    def dividend(self, share: float) -> None:
        amount = int(self.pool.cash(self.pool.accounts.surplus) * share)
        senior = self.pool.senior_value()
        try:
            self.pool.pay_dividend(amount)
        except PoolError:
            return
        assert self.pool.capital >= self.pool.scr()
        assert self.pool.senior_value() == senior or self.pool.first_loss() < 0

    @precondition(lambda self: self.day > 3)
    @rule()
    def wind_down(self) -> None:
        self.pool.enter_run_off(self.day, cut_cover=False)

    @rule(amounts=st.lists(small, max_size=3), who=owners)
    def fail_inside_a_transaction(self, amounts: list[int], who: int) -> None:
        pool, desk = self.pool, self.desk
        before = (str(pool.totals), pool.unearned.total, pool.reserves.outstanding, pool.unpaid.total, pool.state,
                  list(pool.queue), pool.senior_value(), pool.junior_value(), pool.capital, pool.run_off_since)
        try:
            with desk.ledger.atomic():
                desk.settle(self.day, self.claims, amounts)
                desk.premium(12345, self.day)
                shares = desk.ledger.balance(pool.senior.share, desk.owners[who])
                if shares:
                    pool.request_withdrawal(desk.owners[who], shares, self.day)
                pool.serve_withdrawals(self.day + 100, COOLDOWN, 0.0)
                raise Undo
        except Undo:
            pass
        after = (str(pool.totals), pool.unearned.total, pool.reserves.outstanding, pool.unpaid.total, pool.state,
                 list(pool.queue), pool.senior_value(), pool.junior_value(), pool.capital, pool.run_off_since)
        assert after == before

    @invariant()
    def laws_hold(self) -> None:
        if hasattr(self, "desk"):
            self.desk.check()


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = settings(
    max_examples=250 if LONG else 12, stateful_step_count=100 if LONG else 30, deadline=None, derandomize=not LONG)
