"""Random programs on margined contracts and a bond.

Properties: sums equal supplies; owed = paid + unpaid, and nobody receives more than it was owed; margin is only what
sides posted; a closed contract holds none; what is refused or rolled back leaves no trace.
With SALUS_LONG=1 at least 10,000 operations, else a few hundred.
"""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sim.contracts.derivatives.margin import MarginedContract, MarginError, Side, Standing
from sim.contracts.derivatives.pandemic_bond import BondClass, PandemicBond
from sim.contracts.derivatives.parties import CashParty
from sim.kernel.ledger import Ledger

LONG = bool(os.environ.get("SALUS_LONG"))
amounts = st.one_of(st.integers(0, 2000), st.integers(0, 10**9))
sides = st.sampled_from(list(Side))


class Aborted(Exception):
    """The rest of a transaction fails."""


class MarginMachine(RuleBasedStateMachine):
    @initialize(cash=st.tuples(amounts, amounts), initial=st.tuples(st.integers(0, 500), st.integers(0, 500)))
    def open(self, cash, initial):
        self.ledger = Ledger(institutions=32, people=0)
        self.usd = self.ledger.asset("USDs")
        self.parties = [CashParty(self.ledger, self.usd, name, "investors") for name in ("LONG", "SHORT", "OTHER")]
        self.world = self.ledger.open_account("world", "rest_of_world")
        for party, amount in zip(self.parties, cash, strict=False):
            self.ledger.mint(self.usd, party.account, amount, "x")
        self.ledger.mint(self.usd, self.world, 10**12, "x")
        self.put = [cash[0], cash[1]]
        self.contract = MarginedContract(self.ledger, self.usd, "C", self.parties[0], self.parties[1], initial)
        self.day = 0
        before = self.snapshot()
        try:
            self.contract.enter()
        except MarginError:
            assert min(c - i for c, i in zip(cash, initial, strict=True)) < 0
            assert self.snapshot() == before

    def snapshot(self):
        c = self.contract
        return (self.ledger.balances(self.usd).tolist(), c.standing, c.value, c.defaulter, c.closed_on,
                [(a.owed, a.paid, a.unpaid) for a in c.accounts], [p.failed_on for p in self.parties])

    @precondition(lambda self: self.contract.open)
    @rule(value=st.one_of(st.integers(-3000, 3000), st.integers(-10**9, 10**9)))
    def mark(self, value):
        self.day += 1
        failed = self.contract.mark(value, self.day)
        if failed is None:
            for side in Side:
                assert self.contract.posted(side) == self.contract.required(side)
        else:
            assert self.contract.standing is Standing.DEFAULTED

    @precondition(lambda self: self.contract.open)
    @rule(side=sides, amount=amounts, left=st.integers(-3000, 3000))
    def settle(self, side, amount, left):
        other = self.parties[side.other]
        held = other.free_cash() + self.contract.posted(side.other)
        had = self.parties[side].free_cash() + self.contract.posted(side)
        paid = self.contract.settle(side, amount, "settlement", self.day, left)
        assert paid == min(amount, had)
        if self.contract.open:
            assert other.free_cash() + self.contract.posted(side.other) == held + paid
        else:
            assert paid < amount
            assert self.contract.defaulter is side

    @precondition(lambda self: self.contract.open)
    @rule()
    def expire(self):
        self.contract.expire(self.day)

    @rule(side=sides, most=st.one_of(st.none(), amounts))
    def pay_late(self, side, most):
        unpaid, cash = self.contract.accounts[side].unpaid, self.parties[side].free_cash()
        paid = self.contract.pay_late(side, most)
        assert paid == max(min(unpaid, cash, unpaid if most is None else most), 0)

    @rule(side=sides, amount=amounts)
    def bring(self, side, amount):
        self.ledger.transfer(self.usd, self.world, self.parties[side].account, amount, "x")
        self.put[side] += amount

    @rule(side=sides, share=st.integers(0, 100))
    def withdraw(self, side, share):
        amount = self.parties[side].free_cash() * share // 100
        self.ledger.transfer(self.usd, self.parties[side].account, self.world, amount, "x")
        self.put[side] -= amount

    @precondition(lambda self: self.contract.open)
    @rule(value=st.integers(-10**6, 10**6), side=sides, amount=amounts)
    def aborted_transaction(self, value, side, amount):
        before = self.snapshot()
        try:
            with self.ledger.atomic():
                self.contract.mark(value, self.day)
                if self.contract.open:
                    self.contract.settle(side, amount, "settlement", self.day)
                if self.contract.open:
                    self.contract.expire(self.day)
                raise Aborted
        except Aborted:
            assert self.snapshot() == before

    @rule()
    def refused(self):
        if self.contract.open:
            return
        before = self.snapshot()
        for call in (lambda: self.contract.mark(1, 0), lambda: self.contract.settle(Side.LONG, 1, "x", 0),
                     lambda: self.contract.expire(0), lambda: self.contract.close_out(Side.LONG, 0)):
            try:
                call()
            except MarginError:
                assert self.snapshot() == before
            else:
                raise AssertionError("a contract that is not open took a call")

    @invariant()
    def sums(self):
        if not hasattr(self, "contract"):
            return
        assert self.ledger.check_supplies() is None
        c = self.contract
        for account in c.accounts:
            assert account.owed == account.paid + account.unpaid
            assert min(account.owed, account.paid, account.unpaid) >= 0
        net = c.accounts[Side.SHORT].paid - c.accounts[Side.LONG].paid
        for side, sign in ((Side.LONG, 1), (Side.SHORT, -1)):
            has = self.parties[side].free_cash() + c.posted(side)
            assert has == self.put[side] + sign * net  # it received what the other paid, and nothing else
        if not c.open:
            assert not any(c.posted(side) for side in Side)


class BondMachine(RuleBasedStateMachine):
    @initialize(bonds=st.integers(1, 10**9), swaps=st.integers(0, 10**9), share=st.integers(0, 10_000),
                cash=amounts, seller=amounts)
    def open(self, bonds, swaps, share, cash, seller):
        self.ledger = Ledger(institutions=32, people=0)
        self.usd = self.ledger.asset("USDs")
        self.investor, self.sponsor, self.seller = (
            CashParty(self.ledger, self.usd, name, "investors") for name in ("I", "S", "W"))
        self.world = self.ledger.open_account("world", "rest_of_world")
        for party, amount in ((self.investor, bonds), (self.sponsor, cash), (self.seller, seller)):
            self.ledger.mint(self.usd, party.account, amount, "x")
        swap = MarginedContract(self.ledger, self.usd, "W1", self.sponsor, self.seller, (0, min(swaps // 10, seller)))
        self.bond = PandemicBond(self.ledger, self.usd, BondClass("A", bonds, swaps, 650, 1, share), self.investor,
                                 self.sponsor, swap)
        self.bond.issue()
        self.redeemed = 0

    @rule(days=st.integers(1, 365))
    def coupon(self, days):
        if not self.bond.matured:
            cash = self.sponsor.free_cash()
            assert self.bond.pay_coupon(days, 1) <= cash

    @rule()
    def trigger(self):
        if self.bond.triggered_on is None and not self.bond.matured:
            before = self.sponsor.free_cash()
            received = self.bond.trigger(5)
            assert self.sponsor.free_cash() >= before + received
            assert self.bond.paid_out == self.bond.terms.payout()[0]
            assert self.bond.swap_paid <= self.bond.terms.payout()[1]
        else:
            try:
                self.bond.trigger(6)
            except MarginError:
                return
            raise AssertionError("triggered twice")

    @rule()
    def mature(self):
        if not self.bond.matured:
            self.redeemed = self.bond.mature(9)

    @rule()
    def aborted(self):
        if self.bond.matured or self.bond.triggered_on is not None:
            return
        before = self.ledger.balances(self.usd).tolist(), self.bond.outstanding, self.bond.coupon_owed
        try:
            with self.ledger.atomic():
                self.bond.pay_coupon(30, 1)
                self.bond.trigger(2)
                self.bond.mature(3)
                raise Aborted
        except Aborted:
            assert before == (self.ledger.balances(self.usd).tolist(), self.bond.outstanding, self.bond.coupon_owed)
            assert self.bond.triggered_on is None
            assert not self.bond.matured

    @invariant()
    def principal_is_accounted_for(self):
        if hasattr(self, "bond"):
            assert self.ledger.check_supplies() is None
            assert self.bond.check_trust() is None
            assert self.bond.terms.bonds == self.bond.outstanding + self.bond.paid_out + self.redeemed


TestMargin = MarginMachine.TestCase
TestBond = BondMachine.TestCase
TestMargin.settings = TestBond.settings = settings(max_examples=260 if LONG else 25, stateful_step_count=40,
                                                   deadline=None, derandomize=not LONG)
