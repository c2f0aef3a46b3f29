"""Random programs against troves, and against mint and redeem.

Properties: the supply is the debt; collateral leaves a trove below the minimum only by liquidation or redemption, and a
redemption never pays more than face value; minting and redeeming at once never gains; the reserve behind a coin never
falls by a redemption; what is refused leaves no trace, and nothing but the declared refusals is raised.
With SALUS_LONG=1 at least 10,000 operations, else a few hundred.
"""

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sim.chain.mempool import Refused
from sim.contracts.credit.redemption import UNIT, BaseRate
from sim.contracts.credit.stablecoin_algorithmic import MintRedeem
from sim.contracts.credit.stablecoin_troves import Rules, Troves
from sim.kernel.fixedpoint import MICRO, mul_div
from sim.kernel.ledger import Ledger, LedgerError

LONG = bool(os.environ.get("SALUS_LONG"))
amounts = st.one_of(st.integers(1, 5000), st.integers(1, 10**10), st.integers(10**9, 10**12))
who = st.integers(0, 3)
RICH = 10**13
REFUSED = (Refused, LedgerError)


class SetPrice:
    name = "set"

    def __init__(self):
        self.micro = MICRO

    def value(self, amount):
        return mul_div(amount, self.micro, MICRO)


class Machine(RuleBasedStateMachine):
    def call(self, function):
        """The result, or None where it was refused; then nothing has changed."""
        before = self.snapshot()
        try:
            return function() or True
        except REFUSED:
            assert self.snapshot() == before
            return None


class TroveMachine(Machine):
    @initialize(reserve=st.sampled_from([0, 200 * MICRO]), least=st.sampled_from([0, 1800 * MICRO]))
    def open_market(self, reserve, least):
        self.ledger = Ledger(institutions=16, people=0)
        self.collateral, self.coin = self.ledger.asset("HLT"), self.ledger.asset("hUSD")
        self.accounts = [self.ledger.open_account(f"a{i}", "traders") for i in range(4)]
        self.treasury = self.ledger.open_account("treasury", "protocol")
        for account in self.accounts:
            self.ledger.mint(self.collateral, account, RICH, "x")
        self.time = 0
        rate = BaseRate(self.ledger, UNIT // 200, UNIT // 20, 2)
        self.troves = Troves(self.ledger, "S", self.coin, self.collateral,
                             Rules(1_100_000, 1_500_000, reserve, least), rate, lambda: self.time, self.treasury)
        self.troves.price = SetPrice()

    def snapshot(self):
        troves, pool = self.troves, self.troves.stability
        return ([self.ledger.balances(asset).tolist() for asset in (self.collateral, self.coin)],
                sorted(troves.troves.items()), sorted(troves.surplus.items()), troves.totals,
                sorted(pool.gains.items()), sorted(pool.deposits.items()), pool.total, pool.offset_debt,
                troves.base_rate.rate, troves.base_rate.time)

    def safe(self, account):
        """At or above the minimum ratio."""
        return self.troves.ratio_of(account) >= self.troves.rules.minimum

    @rule(i=who, debt=amounts, ratio=st.integers(900_000, 5_000_000))
    def open(self, i, debt, ratio):
        account, micro = self.accounts[i], self.troves.price.micro
        collateral = (debt + self.troves.rules.reserve) * ratio // micro
        if self.call(lambda: self.troves.open(account, collateral, debt)):
            assert self.safe(account)
            assert not self.troves.in_recovery() or self.troves.ratio_of(account) >= self.troves.rules.critical

    @rule(i=who, amount=amounts)
    def borrow(self, i, amount):
        if self.call(lambda: self.troves.borrow(self.accounts[i], amount)):
            assert self.safe(self.accounts[i])

    @rule(i=who, amount=amounts)
    def withdraw(self, i, amount):
        if self.call(lambda: self.troves.withdraw_collateral(self.accounts[i], amount)):
            assert self.safe(self.accounts[i])
            assert not self.troves.in_recovery()

    @rule(i=who, amount=amounts)
    def add_and_repay(self, i, amount):
        self.call(lambda: self.troves.add_collateral(self.accounts[i], amount))
        self.call(lambda: self.troves.repay(self.accounts[i], amount))

    @rule(i=who)
    def close(self, i):
        self.call(lambda: self.troves.close(self.accounts[i]))
        self.call(lambda: self.troves.claim_surplus(self.accounts[i]))

    @rule(i=who, amount=amounts)
    def deposit(self, i, amount):
        held = self.ledger.balance(self.coin, self.accounts[i])
        self.call(lambda: self.troves.stability.deposit(self.accounts[i], min(amount, held)))

    @rule(i=who, amount=amounts)
    def leave_stability(self, i, amount):
        self.call(lambda: self.troves.stability.withdraw(self.accounts[i], amount))
        self.call(lambda: self.troves.stability.claim(self.accounts[i]))

    @rule(i=who, j=who)
    def liquidate(self, i, j):
        account = self.accounts[j]
        risky = account in self.troves.troves and (not self.safe(account) or self.troves.in_recovery())
        if self.call(lambda: self.troves.liquidate(self.accounts[i], account)):
            assert risky
            assert account not in self.troves.troves

    @rule(i=who, amount=amounts)
    def redeem(self, i, amount):
        done = self.call(lambda: self.troves.redeem(self.accounts[i], amount))
        if done is not None:
            coins, collateral = done
            assert self.troves.value(collateral) <= coins <= amount

    @rule(i=who, j=who, share=st.integers(1, 1000))
    def give(self, i, j, share):
        held = self.ledger.balance(self.coin, self.accounts[i])
        self.ledger.transfer(self.coin, self.accounts[i], self.accounts[j], held * share // 1000, "x")

    @rule(micro=st.integers(MICRO // 20, 10 * MICRO))
    def move(self, micro):
        self.troves.price.micro = micro

    @rule(seconds=st.integers(1, 200_000))
    def wait(self, seconds):
        self.time += seconds

    @rule(i=who)
    def abort(self, i):
        before = self.snapshot()
        try:
            with self.ledger.atomic():
                self.troves.add_collateral(self.accounts[i], 10**6)
                self.troves.redeem(self.accounts[i], 10**8)
                raise Refused("the rest fails")
        except REFUSED:
            assert self.snapshot() == before

    @invariant()
    def adds_up(self):
        if hasattr(self, "troves"):
            assert self.troves.check() is None
            assert self.ledger.check_supplies() is None
            assert self.ledger.supply(self.collateral) == 4 * RICH


class MintRedeemMachine(Machine):
    @initialize(ratio=st.integers(0, MICRO), fee=st.sampled_from([0, 30]))
    def open_market(self, ratio, fee):
        self.ledger = Ledger(institutions=16, people=0)
        self.coin, self.share, self.cash = (self.ledger.asset(name) for name in ("hUSD", "hSHR", "USDs"))
        self.accounts = [self.ledger.open_account(f"a{i}", "traders") for i in range(4)]
        self.ledger.open_account("S.reserve", "protocol")
        for account in self.accounts:
            self.ledger.mint(self.share, account, RICH, "x")
            self.ledger.mint(self.cash, account, RICH, "x")
        self.contract = MintRedeem(self.ledger, "S", self.coin, self.share, self.cash, ratio, fee)
        self.contract.price = SetPrice()

    def snapshot(self):
        return ([self.ledger.balances(asset).tolist() for asset in (self.coin, self.share, self.cash)],
                self.contract.redeemed, self.contract.shares_minted)

    @rule(i=who, amount=amounts)
    def mint(self, i, amount):
        self.call(lambda: self.contract.mint(self.accounts[i], amount))

    @rule(i=who, amount=amounts)
    def redeem(self, i, amount):
        reserve, supply = self.ledger.balance(self.cash, self.contract.reserve), self.ledger.supply(self.coin)
        done = self.call(lambda: self.contract.redeem(self.accounts[i], amount))
        if done is not None:
            left = self.ledger.balance(self.cash, self.contract.reserve)
            assert left * supply >= reserve * self.ledger.supply(self.coin)

    @rule(i=who, amount=amounts)
    def round_trip(self, i, amount):
        """Minting and redeeming at one price gives back no more than was paid, in total value and in cash."""
        account, price = self.accounts[i], self.contract.price
        cash, shares = (self.ledger.balance(asset, account) for asset in (self.cash, self.share))
        if self.call(lambda: self.contract.mint(account, amount)):
            self.call(lambda: self.contract.redeem(account, amount))
            after = self.ledger.balance(self.cash, account), self.ledger.balance(self.share, account)
            assert (after[0] - cash) * MICRO + (after[1] - shares) * price.micro <= 0

    @rule(micro=st.integers(1, 10 * MICRO))
    def move(self, micro):
        self.contract.price.micro = micro

    @invariant()
    def adds_up(self):
        if hasattr(self, "contract"):
            assert self.ledger.check_supplies() is None
            assert self.ledger.supply(self.cash) == 4 * RICH


for machine in (TroveMachine, MintRedeemMachine):
    machine.TestCase.settings = settings(max_examples=100 if LONG else 12, stateful_step_count=100 if LONG else 40,
                                         deadline=None)
TestTroves = TroveMachine.TestCase
TestMintRedeem = MintRedeemMachine.TestCase
