"""Random programs against one pool on the ledger, for each curve.

Properties: no round trip of swaps, nor of joining and leaving, returns more than was put in; the invariant of the
reserves behind one share never falls; sums equal supplies; what fails leaves no trace.
With SALUS_LONG=1 at least 10,000 operations, else a few hundred.
"""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sim.contracts.amm.constant_product import MINIMUM_LIQUIDITY
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.amm.interface import BlockClock, PoolError
from sim.contracts.amm.market import PoolBook
from sim.contracts.amm.stableswap_pool import StableSwapPool
from sim.contracts.amm.weighted_pool import WeightedPool
from sim.kernel.ledger import InsufficientFunds, Ledger

LONG = bool(os.environ.get("SALUS_LONG"))
amounts = st.one_of(st.integers(1, 5000), st.integers(1, 10**9), st.integers(1, 10**13))
traders = st.integers(0, 2)
REFUSED = (PoolError, InsufficientFunds)


class Aborted(Exception):
    """The rest of a transaction fails."""


class PoolMachine(RuleBasedStateMachine):
    def create(self, shape, *arguments, **terms):
        return ConstantProductPool(*arguments, **terms)

    @initialize(base=st.integers(2000, 10**12), quote=st.integers(2000, 10**12),
                fee=st.sampled_from([0, 5, 30, 100]), taxed=st.booleans(), shape=st.integers(0, 4))
    def open(self, base, quote, fee, taxed, shape):
        self.ledger = Ledger(institutions=16, people=0)
        self.assets = self.ledger.asset("HLT"), self.ledger.asset("USDs")
        self.accounts = [self.ledger.open_account(f"t{i}", "traders") for i in range(3)]
        treasury = self.ledger.open_account("treasury", "protocol")
        for account in self.accounts:
            for asset in self.assets:
                self.ledger.mint(asset, account, 10**14, "x")
        self.clock = BlockClock()
        self.pool = self.create(shape, self.ledger, "P", *self.assets, fee_bps=fee, clock=self.clock,
                                treasury=treasury if taxed else None)
        self.pool.add_liquidity(self.accounts[0], base, quote)
        self.book = PoolBook(self.pool)

    def snapshot(self):
        return ([self.ledger.balances(asset).tolist() for asset in range(3)], self.pool.state,
                len(self.pool.history), [self.ledger.supply(asset) for asset in range(3)])

    def refused_without_trace(self, call):
        before = self.snapshot()
        try:
            return call()
        except REFUSED:
            assert self.snapshot() == before
            return None

    @rule(who=traders, base_in=st.booleans(), amount=amounts)
    def swap(self, who, base_in, amount):
        asset = self.assets[0 if base_in else 1]
        self.refused_without_trace(lambda: self.pool.swap(self.accounts[who], asset, amount))

    @rule(who=traders, base_out=st.booleans(), amount=amounts)
    def swap_for(self, who, base_out, amount):
        asset = self.assets[0 if base_out else 1]
        self.refused_without_trace(lambda: self.pool.swap_for(self.accounts[who], asset, amount, 10**14))

    @rule(who=traders, base_in=st.booleans(), amount=amounts)
    def round_trip(self, who, base_in, amount):
        """There and back gives no more than was put in."""
        account = self.accounts[who]
        there, back = self.assets if base_in else self.assets[::-1]
        held = self.ledger.balance(there, account)
        other = self.ledger.balance(back, account)
        bought = self.refused_without_trace(lambda: self.pool.swap(account, there, amount))
        if bought is not None:
            self.refused_without_trace(lambda: self.pool.swap(account, back, bought))
            if self.ledger.balance(back, account) == other:
                assert self.ledger.balance(there, account) <= held

    @rule(who=traders, amount=amounts, other=amounts)
    def deposit_and_leave(self, who, amount, other):
        """Joining and leaving at once returns no more of either asset."""
        account = self.accounts[who]
        held = [self.ledger.balance(asset, account) for asset in self.assets]
        joined = self.refused_without_trace(lambda: self.pool.add_liquidity(account, amount, other))
        if joined is not None:
            left = self.refused_without_trace(lambda: self.pool.remove_liquidity(account, joined[2]))
            if left is not None:
                now = [self.ledger.balance(asset, account) for asset in self.assets]
                assert all(after <= before for after, before in zip(now, held, strict=True))

    @rule(who=traders, amount=amounts, other=amounts)
    def add(self, who, amount, other):
        self.refused_without_trace(lambda: self.pool.add_liquidity(self.accounts[who], amount, other))

    @rule(who=traders, share=st.integers(1, 100))
    def remove(self, who, share):
        shares = self.ledger.balance(self.pool.shares, self.accounts[who]) * share // 100
        self.refused_without_trace(lambda: self.pool.remove_liquidity(self.accounts[who], shares))

    @rule(who=traders, base_out=st.booleans(), amount=amounts, repaid=st.integers(0, 1100))
    def flash(self, who, base_out, amount, repaid):
        account, asset = self.accounts[who], self.assets[0 if base_out else 1]

        def repay():
            self.ledger.transfer(asset, account, self.pool.account, amount * repaid // 1000, "swap")

        outs = (amount, 0) if base_out else (0, amount)
        self.refused_without_trace(lambda: self.pool.flash_swap(account, *outs, repay))

    @rule(who=traders, amount=amounts, other=amounts, base_in=st.booleans())
    def aborted_transaction(self, who, amount, other, base_in):
        """Swap, join, leave, pay the protocol - and then fail: nothing has happened."""
        before, account = self.snapshot(), self.accounts[who]
        calls = (
            lambda: self.pool.swap(account, self.assets[0 if base_in else 1], amount),
            lambda: self.pool.add_liquidity(account, amount, other),
            lambda: self.pool.remove_liquidity(account, self.ledger.balance(self.pool.shares, account) // 2),
            self.pool.collect_fee,
        )
        try:
            with self.ledger.atomic():
                for call in calls:
                    self.refused_without_trace(call)
                raise Aborted
        except Aborted:
            assert self.snapshot() == before

    @rule(seconds=st.integers(0, 100_000))
    def wait(self, seconds):
        self.clock.advance(self.clock.now + seconds)

    @rule(who=traders, amount=st.integers(1, 10**6), base=st.booleans())
    def give(self, who, amount, base):
        if self.ledger.balance(self.assets[not base], self.accounts[who]) >= amount:
            self.ledger.transfer(self.assets[not base], self.accounts[who], self.pool.account, amount, "gift")
            self.pool.sync()

    @precondition(lambda self: self.pool.treasury is not None)
    @rule()
    def pay_protocol(self):
        self.pool.collect_fee()

    @invariant()
    def backing_never_falls(self):
        if hasattr(self, "pool"):
            assert self.book.check_product() is None

    @invariant()
    def sums_are_exact(self):
        if not hasattr(self, "pool"):
            return
        assert self.ledger.check_supplies() is None
        held = tuple(self.ledger.balance(asset, self.pool.account) for asset in self.assets)
        assert held == self.pool.reserves()
        assert self.ledger.balance(self.pool.shares, self.pool.locked) == MINIMUM_LIQUIDITY


class WeightedMachine(PoolMachine):
    def create(self, shape, *arguments, **terms):
        return WeightedPool(*arguments, weight_base=(50, 80, 20, 63, 98)[shape], **terms)


class StableSwapMachine(PoolMachine):
    def create(self, shape, *arguments, **terms):
        return StableSwapPool(*arguments, amplification=(1, 20, 100, 2000, 100)[shape],
                              rate=(10**6, 10**6, 2_130_000, 999_999, 17)[shape], **terms)


PROGRAMS = settings(max_examples=260 if LONG else 12, stateful_step_count=40, deadline=None, derandomize=not LONG)
TestConstantProduct, TestWeighted, TestStableSwap = (
    machine.TestCase for machine in (PoolMachine, WeightedMachine, StableSwapMachine))
for case in (TestConstantProduct, TestWeighted, TestStableSwap):
    case.settings = PROGRAMS
del case
