"""Random calls to a lending pool with moving prices and time.

Properties: nobody borrows or withdraws beyond health; interest is the same within a unit however often somebody looks;
a share never loses value except by recorded bad debt; a liquidation never leaves the pool worse by rounding (the seized
value is at most what was repaid and the bonus); sums are exact; what is refused leaves no trace.
With SALUS_LONG=1 some 10,000 calls, else a few hundred.
"""

import os
from fractions import Fraction

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sim.chain.mempool import Refused
from sim.contracts.credit.interest import RAY, WAD, KinkedRate
from sim.contracts.credit.lending import PRICE_UNIT, CollateralTerms, LendingPool, LentMarket
from sim.contracts.credit.lending_reserve import Reserve
from sim.kernel.fixedpoint import BPS
from sim.kernel.ledger import Ledger, LedgerError

LONG = bool(os.environ.get("SALUS_LONG"))
amounts = st.one_of(st.integers(1, 5000), st.integers(1, 10**9), st.integers(1, 10**12))
people = st.integers(0, 2)


class Price:
    """A price that the test sets, quote per base as a fraction."""

    name = "test"

    def __init__(self):
        self.ratio = Fraction(1)

    def price(self):
        return float(self.ratio)

    def value(self, amount):
        return amount * self.ratio.numerator // self.ratio.denominator


class LendingMachine(RuleBasedStateMachine):
    @initialize(bonus=st.sampled_from([0, 500, 1500]), factor=st.sampled_from([0, 1000, 10_000]))
    def open(self, bonus, factor):
        self.ledger = ledger = Ledger(institutions=16, people=0)
        self.assets = ledger.asset("USDs"), ledger.asset("HLT")
        self.accounts = [ledger.open_account(name, "traders") for name in ("a", "b", "c")]
        for asset in self.assets:
            for account in self.accounts:
                ledger.mint(asset, account, 10**13, "x")
        self.time, self.price, self.bonus = 0, Price(), bonus
        self.pool = LendingPool(ledger, close_factor_bps=lambda: 5000)
        for asset, source in zip(self.assets, (None, self.price), strict=True):
            curve = KinkedRate.of(0.8, 0.01, 0.04, 0.75)
            reserve = Reserve(ledger, asset, curve, lambda: self.time, lambda: factor)
            self.pool.list_market(LentMarket(reserve, CollateralTerms(7500, 8000, bonus), source))
        self.reserves = [self.pool.market(asset).reserve for asset in self.assets]
        self.losses, self.worth = [0, 0], [Fraction(0)] * 2

    def snapshot(self):
        assets = range(len(self.ledger.assets))
        return ([self.ledger.balances(asset).tobytes() for asset in assets],
                self.ledger._flows.array.tobytes().rstrip(b"\0"), [reserve.state for reserve in self.reserves])

    def attempt(self, call):
        """What ``call`` returns, or None where it is refused, without a trace."""
        before = self.snapshot()
        try:
            return call()
        except (Refused, LedgerError):
            assert self.snapshot() == before
            return None

    @rule(who=people, hlt=st.booleans(), amount=amounts)
    def supply(self, who, hlt, amount):
        self.attempt(lambda: self.pool.supply(self.accounts[who], self.assets[hlt], amount))

    @rule(who=people, hlt=st.booleans(), amount=amounts, part=st.integers(0, 100))
    def withdraw(self, who, hlt, amount, part):
        account, asset = self.accounts[who], self.assets[hlt]
        amount = self.reserves[hlt].supplied_by(account) * part // 100 if part else amount

        def call():
            self.pool.withdraw(account, asset, amount)
            assert self.pool.health(account) >= WAD
        self.attempt(call)

    @rule(who=people, hlt=st.booleans(), part=st.integers(1, 120))
    def borrow(self, who, hlt, part):
        account = self.accounts[who]
        position = self.pool.position(account)
        room = max(0, position.limit - position.debt) * PRICE_UNIT // max(self.pool.market(self.assets[hlt]).price(), 1)
        before = self.ledger.balance(self.assets[hlt], account)

        def call():
            self.pool.borrow(account, self.assets[hlt], room * part // 100)
            after = self.pool.position(account)
            assert after.debt <= after.limit
            assert self.ledger.balance(self.assets[hlt], account) - before <= room
        self.attempt(call)

    @rule(who=people, payer=people, hlt=st.booleans(), amount=amounts)
    def repay(self, who, payer, hlt, amount):
        owed = self.reserves[hlt].debt_of(self.accounts[who])
        paid = self.attempt(lambda: self.pool.repay(self.accounts[payer], self.accounts[who], self.assets[hlt], amount))
        if paid is not None:
            assert paid <= owed
            assert self.reserves[hlt].debt_of(self.accounts[who]) >= owed - paid

    @rule(who=people, liquidator=people, seize_hlt=st.booleans(), amount=amounts)
    def liquidate(self, who, liquidator, seize_hlt, amount):
        account = self.accounts[who]
        healthy = self.pool.health(account) >= WAD
        collateral, debt = self.assets[seize_hlt], self.assets[not seize_hlt]
        owed = self.reserves[not seize_hlt].debt_of(account)
        whole = self.pool.health(account) <= self.pool.full_close_health
        prices = self.pool.market(collateral).price(), self.pool.market(debt).price()
        done = self.attempt(lambda: self.pool.liquidate(self.accounts[liquidator], account, collateral, debt, amount))
        if done is None:
            return
        assert not healthy
        assert done.repaid <= (owed if whole else owed // 2)
        assert done.seized * prices[0] * BPS <= done.repaid * prices[1] * (BPS + self.bonus)
        if done.lost:
            assert all(reserve.supplied_by(account) == 0 for reserve in self.reserves)

    @rule(who=people, liquidator=people, lender=people, amount=st.integers(10**3, 10**11),
          fall=st.fractions(Fraction(1, 4), Fraction(99, 100), max_denominator=500), part=st.integers(1, 120))
    def distress(self, who, liquidator, lender, amount, fall, part):
        """Pledge, borrow all that goes, and see the price fall; somebody repays a part."""
        account = self.accounts[who]
        self.attempt(lambda: self.pool.supply(self.accounts[lender], self.assets[0], 10**12))
        self.attempt(lambda: self.pool.supply(account, self.assets[1], amount))
        self.borrow(who, False, 100)
        self.price.ratio *= fall
        owed = self.reserves[0].debt_of(account)
        self.liquidate(who, liquidator, True, max(1, owed * part // 100))

    @rule(price=st.fractions(Fraction(1, 20), 20, max_denominator=1000))
    def move_price(self, price):
        self.price.ratio = price

    @rule(seconds=st.integers(0, 30 * 86_400), looks=st.integers(1, 30))
    def pass_time(self, seconds, looks):
        """Accruing at every look gives the same debts as looking once at the end, within a unit."""
        end = self.time + seconds
        start = self.time
        before = [reserve.state for reserve in self.reserves]
        self.time = end
        once = [[reserve.debt_of(account) for account in self.accounts] for reserve in self.reserves]
        parts = [reserve.protocol_part() for reserve in self.reserves]
        for look in range(1, looks + 1):
            self.time = start + seconds * look // looks
            for reserve in self.reserves:
                reserve.accrue()
        for i, reserve in enumerate(self.reserves):
            assert all(abs(reserve.debt_of(account) - owed) <= 1
                       for account, owed in zip(self.accounts, once[i], strict=True))
            assert abs(reserve.protocol_part() - parts[i]) <= 1
            assert reserve.state.borrow_index >= before[i].borrow_index

    @invariant()
    def shares_lose_by_bad_debt_only(self):
        if not hasattr(self, "reserves"):
            return
        for i, reserve in enumerate(self.reserves):
            supply, behind = self.ledger.supply(reserve.shares), reserve.total_assets()
            worth = Fraction(behind, supply) if supply else Fraction(0)
            if reserve.state.bad_debt == self.losses[i] and supply and self.worth[i]:
                # The floored sum of debts may fall by a unit when two roundings meet.
                assert worth >= self.worth[i] - Fraction(2, supply)
            self.losses[i], self.worth[i] = reserve.state.bad_debt, worth
            assert behind >= 0

    @invariant()
    def sums_are_exact(self):
        if not hasattr(self, "reserves"):
            return
        assert self.ledger.check_supplies() is None
        for reserve in self.reserves:
            owed = sum(reserve.debt_of(account) for account in self.accounts)
            assert 0 <= owed - reserve.total_debt() <= len(self.accounts)
            assert reserve.state.borrow_index >= RAY


TestLending = LendingMachine.TestCase
TestLending.settings = settings(max_examples=260 if LONG else 15, stateful_step_count=40, deadline=None,
                                derandomize=not LONG)
