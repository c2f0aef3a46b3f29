"""Random programs inside flash loans: a program that fails, or does not repay, leaves every byte as it was.

A program is a list of calls - swaps, deposits of liquidity, transfers, loans inside the loan, shares of the lenders'
pool - that may end in an exception. All ledger arrays, the day's flows and the contracts' own state are compared.
With SALUS_LONG=1 some 10,000 programs, else a few hundred.
"""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sim.chain.mempool import Refused
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.amm.interface import BlockClock
from sim.contracts.credit.flash_loan import RAY, FlashLoanPool
from sim.kernel.ledger import Ledger, LedgerError

LONG = bool(os.environ.get("SALUS_LONG"))
amounts = st.one_of(st.integers(1, 5000), st.integers(1, 10**9), st.integers(1, 2 * 10**12))
steps = st.lists(st.tuples(
    st.sampled_from(["buy", "sell", "join", "leave", "give", "borrow", "deposit", "withdraw", "fail"]), amounts),
    max_size=6)


class Failed(Exception):
    """The program's own failure."""


class FlashMachine(RuleBasedStateMachine):
    @initialize(premium=st.sampled_from([0, 5, 9, 200]))
    def open(self, premium):
        self.ledger = ledger = Ledger(institutions=16, people=0)
        self.hlt, self.usd = ledger.asset("HLT"), ledger.asset("USDs")
        self.lender, self.trader, self.friend = (ledger.open_account(n, "traders") for n in ("a", "b", "c"))
        for asset in (self.hlt, self.usd):
            ledger.mint(asset, self.lender, 10**14, "x")
            ledger.mint(asset, self.trader, 10**11, "x")
        self.clock = BlockClock()
        self.amm = ConstantProductPool(ledger, "P", self.hlt, self.usd, clock=self.clock)
        self.amm.add_liquidity(self.lender, 10**12, 10**12)
        self.flash = FlashLoanPool(ledger, lambda: premium)
        self.listed = (self.hlt, self.usd, self.amm.shares)
        for asset in self.listed:
            self.flash.list_asset(asset)
            self.flash.deposit(self.lender, asset, ledger.balance(asset, self.lender) // 2)
        self.index = [RAY] * 3

    def snapshot(self):
        ledger, flash = self.ledger, self.flash
        assets = range(len(ledger.assets))
        return ([ledger.balances(asset).tobytes() for asset in assets], [ledger.supply(asset) for asset in assets],
                bytes(memoryview(ledger._flows.array).cast("B")), self.amm.state, len(self.amm.history),
                flash.loans, dict(flash.lent), dict(flash.premiums), flash._open)

    def call(self, what, amount):
        ledger, flash, trader = self.ledger, self.flash, self.trader
        held = {asset: ledger.balance(asset, trader) for asset in self.listed}
        if what == "buy":
            self.amm.swap(trader, self.usd, min(amount, held[self.usd]))
        elif what == "sell":
            self.amm.swap(trader, self.hlt, min(amount, held[self.hlt]))
        elif what == "join":
            self.amm.add_liquidity(trader, min(amount, held[self.hlt]), min(amount, held[self.usd]))
        elif what == "leave":
            self.amm.remove_liquidity(trader, min(amount, held[self.amm.shares]))
        elif what == "give":
            ledger.transfer(self.usd, trader, self.friend, amount, "x")
        elif what == "borrow":
            flash.borrow(trader, self.hlt, amount, lambda: None)
        elif what == "deposit":
            flash.deposit(trader, self.usd, amount)
        elif what == "withdraw":
            flash.withdraw(self.lender, self.usd, amount)
        else:
            raise Failed

    @rule(asset=st.integers(0, 2), amount=amounts, second=st.none() | amounts, program=steps)
    def borrow(self, asset, amount, second, program):
        def run():
            for what, size in program:
                self.call(what, size)

        before = self.snapshot()
        loans = [(self.listed[asset], amount)] + ([] if second is None else [(self.usd, second)])
        try:
            fees = self.flash.borrow_many(self.trader, loans, run)
        except (Refused, LedgerError, Failed):
            assert self.snapshot() == before
        else:
            assert all(fee * 10_000 >= amount * self.flash._premium_bps() for fee, (_, amount)
                       in zip(fees, loans, strict=True))

    @rule(asset=st.integers(0, 2), amount=amounts)
    def lend(self, asset, amount):
        before = self.snapshot()
        try:
            self.flash.deposit(self.trader, self.listed[asset], amount)
        except (Refused, LedgerError):
            assert self.snapshot() == before

    @rule(asset=st.integers(0, 2), amount=amounts)
    def leave(self, asset, amount):
        before = self.snapshot()
        try:
            self.flash.withdraw(self.trader, self.listed[asset], amount)
        except (Refused, LedgerError):
            assert self.snapshot() == before

    @rule(seconds=st.integers(0, 10_000))
    def wait(self, seconds):
        self.clock.advance(self.clock.now + seconds)

    @invariant()
    def shares_never_lose_and_sums_are_exact(self):
        if not hasattr(self, "ledger"):
            return
        now = [self.flash.index_ray(asset) for asset in self.listed]
        assert all(after >= before for after, before in zip(now, self.index, strict=True))
        self.index = now
        assert self.ledger.check_supplies() is None
        assert self.ledger.check_flows() is None


TestFlashLoans = FlashMachine.TestCase
TestFlashLoans.settings = settings(max_examples=260 if LONG else 12, stateful_step_count=40, deadline=None,
                                   derandomize=not LONG)
