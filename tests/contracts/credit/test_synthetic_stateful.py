"""Random programs against one debt pool with two synthetics.

Properties: collateral leaves a position below the issuance ratio only by liquidation; shares sum; no round trip of
issue and repayment, nor of exchanges, gains; every debt stands behind a synthetic; what is refused leaves no trace, and
nothing but the declared refusals is raised. With SALUS_LONG=1 at least 10,000 operations, else a few hundred.
"""

import os
from types import SimpleNamespace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sim.chain.mempool import Refused
from sim.contracts.credit.synthetic import DebtPool, Rules
from sim.kernel.fixedpoint import MICRO, mul_div
from sim.kernel.ledger import Ledger, LedgerError

LONG = bool(os.environ.get("SALUS_LONG"))
amounts = st.one_of(st.integers(1, 5000), st.integers(1, 10**9), st.integers(1, 10**12))
who = st.integers(0, 3)
which = st.integers(0, 1)
prices = st.integers(MICRO // 50, 20 * MICRO)
RICH = 10**13


class SetPrice:
    name = "set"

    def __init__(self):
        self.micro = MICRO

    def value(self, amount):
        return mul_div(amount, self.micro, MICRO)


class DebtPoolMachine(RuleBasedStateMachine):
    @initialize(issuance=st.sampled_from([1_500_000, 3_000_000]), penalty=st.sampled_from([0, 100_000, 300_000]),
                delay=st.integers(0, 2), fee=st.sampled_from([0, 30]))
    def open(self, issuance, penalty, delay, fee):
        self.ledger = Ledger(institutions=16, people=0)
        self.collateral = self.ledger.asset("HLT")
        self.accounts = [self.ledger.open_account(f"a{i}", "traders") for i in range(4)]
        for account in self.accounts:
            self.ledger.mint(self.collateral, account, RICH, "x")
        self.day = SimpleNamespace(day=0)
        self.pool = DebtPool(self.ledger, "S", self.collateral,
                             Rules(issuance, issuance * 4 // 5, penalty, penalty // 2, delay, fee), self.day)
        self.pool.price = SetPrice()
        self.synthetics = [self.ledger.asset("sMED"), self.ledger.asset("sUSD")]
        for asset in self.synthetics:
            self.pool.list_synthetic(asset, SetPrice())

    def snapshot(self):
        return ([self.ledger.balances(asset).tolist() for asset in (self.collateral, *self.synthetics)],
                sorted(self.pool.positions.items()), self.pool.shares, self.pool.totals)

    def call(self, function):
        """The result, or None where it was refused; then nothing has changed."""
        before = self.snapshot()
        try:
            return function() or True
        except (Refused, LedgerError):
            assert self.snapshot() == before
            return None

    def kept_ratio(self, account):
        """Unless it owes nothing, the position is at or above the issuance ratio."""
        ratio = self.pool.ratio(account) if account in self.pool.positions else None
        return ratio is None or ratio >= self.pool.rules.issuance

    @rule(i=who, amount=amounts)
    def deposit(self, i, amount):
        self.call(lambda: self.pool.deposit(self.accounts[i], amount))

    @rule(i=who, part=st.integers(1, 1000))
    def withdraw(self, i, part):
        account = self.accounts[i]
        held = self.pool.positions[account].collateral if account in self.pool.positions else 10
        if self.call(lambda: self.pool.withdraw(account, held * part // 1000)):
            assert self.kept_ratio(account)

    @rule(i=who, k=which, amount=amounts)
    def mint(self, i, k, amount):
        if self.call(lambda: self.pool.mint(self.accounts[i], self.synthetics[k], amount)):
            assert self.kept_ratio(self.accounts[i])

    @rule(i=who, k=which, amount=amounts)
    def burn(self, i, k, amount):
        self.call(lambda: self.pool.burn(self.accounts[i], self.synthetics[k], amount))

    @rule(i=who, k=which, amount=amounts)
    def mint_and_burn(self, i, k, amount):
        """What was issued does not repay more than it, and what repays it all is no less than was issued."""
        account, asset = self.accounts[i], self.synthetics[k]
        before = self.pool.debt(account)
        if self.call(lambda: self.pool.mint(account, asset, amount)):
            self.call(lambda: self.pool.burn(account, asset, amount))
            assert self.pool.debt(account) >= before

    @rule(i=who, k=which, amount=amounts)
    def exchange_there_and_back(self, i, k, amount):
        account, (there, back) = self.accounts[i], (self.synthetics[k], self.synthetics[1 - k])
        held = self.ledger.balance(there, account)
        bought = self.call(lambda: self.pool.exchange(account, there, amount, back))
        if bought is not None and self.call(lambda: self.pool.exchange(account, back, bought, there)):
            assert self.ledger.balance(there, account) <= held

    @rule(i=who, k=which, share=st.integers(1, 1000))
    def give(self, i, k, share):
        """Synthetics change hands, so that liquidators have some."""
        asset, account = self.synthetics[k], self.accounts[i]
        held = self.ledger.balance(asset, account)
        self.ledger.transfer(asset, account, self.accounts[(i + 1) % 4], held * share // 1000, "x")

    @rule(i=who)
    def flag(self, i):
        self.call(lambda: self.pool.flag(self.accounts[i]))

    @rule(i=who, j=who, k=which, amount=amounts)
    def liquidate(self, i, j, k, amount):
        pool, account, asset = self.pool, self.accounts[j], self.synthetics[k]
        if account not in pool.positions:
            return
        collateral, weak = pool.positions[account].collateral, pool.below_liquidation(account)
        done = self.call(lambda: pool.liquidate(self.accounts[i], account, asset, amount))
        if done is not None:
            burned, seized = done
            assert weak
            assert seized <= collateral
            worth = pool.value(asset, burned) * (MICRO + pool.rules.penalty)
            assert pool.collateral_value(seized) * MICRO <= worth

    @rule(i=who)
    def liquidate_self(self, i):
        self.call(lambda: self.pool.liquidate_self(self.accounts[i]))

    @rule(i=who, k=which)
    def abort(self, i, k):
        """A transaction that fails at its end has not happened."""
        before = self.snapshot()
        try:
            with self.ledger.atomic():
                self.pool.deposit(self.accounts[i], 10**6)
                self.pool.mint(self.accounts[i], self.synthetics[k], 10**5)
                raise Refused("the rest fails")
        except (Refused, LedgerError):
            assert self.snapshot() == before

    @rule(price=prices)
    def move_collateral(self, price):
        self.pool.price.micro = price

    @rule(price=prices, k=which)
    def move_synthetic(self, price, k):
        self.pool.prices[self.synthetics[k]].micro = price

    @rule(days=st.integers(1, 3))
    def wait(self, days):
        self.day.day += days

    @invariant()
    def adds_up(self):
        if not hasattr(self, "pool"):
            return
        assert self.pool.check() is None
        assert self.ledger.check_supplies() is None
        assert self.ledger.supply(self.collateral) == 4 * RICH
        owed = sum(self.pool.debt(account) for account in self.pool.positions)
        if self.pool.shares:
            assert owed >= self.pool.total_debt()


DebtPoolMachine.TestCase.settings = settings(max_examples=100 if LONG else 12, stateful_step_count=100 if LONG else 40,
                                             deadline=None)
TestDebtPool = DebtPoolMachine.TestCase
