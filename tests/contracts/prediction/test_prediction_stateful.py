"""Random programs against one prediction market and a benchmark.

Properties: the way to a position does not matter but for roundings in the maker's favour, nobody can take money out by
trading round in a circle, the sponsor loses at most its funding, and what fails leaves no trace.
With SALUS_LONG=1 at least 10,000 operations, else a few hundred.
"""

import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sim.contracts.prediction import lmsr
from sim.contracts.prediction.benchmark import Benchmark
from sim.contracts.prediction.maker import MarketMaker, MarketRefused
from sim.kernel.ledger import InsufficientFunds, Ledger

LONG = bool(os.environ.get("SALUS_LONG"))
WEALTH = 10**14
traders = st.integers(0, 2)
sizes = st.one_of(st.integers(-10, 10), st.integers(-10**7, 10**7), st.integers(-10**12, 10**12))
trades = st.lists(sizes, min_size=5, max_size=5)


class Aborted(Exception):
    """The rest of a transaction fails."""


class MakerMachine(RuleBasedStateMachine):
    @initialize(outcomes=st.integers(2, 5), funding=st.one_of(st.integers(1, 100), st.integers(1, 10**10)))
    def open(self, outcomes, funding):
        self.ledger = Ledger(institutions=16, people=0)
        self.usd = self.ledger.asset("USDs", span="institutions")
        self.sponsor = self.ledger.open_account("sponsor", "traders")
        self.accounts = [self.ledger.open_account(f"t{i}", "traders") for i in range(3)]
        for account in (self.sponsor, *self.accounts):
            self.ledger.mint(self.usd, account, WEALTH, "x")
        self.maker = MarketMaker(self.ledger, self.usd, "m", outcomes, self.sponsor, funding)
        self.benchmark = Benchmark(self.ledger, self.usd, "b", outcomes,
                                   self.ledger.open_account("benchmarks", "protocol"))
        self.count, self.trades = outcomes, 0

    def snapshot(self):
        maker = self.maker
        return (self.ledger.balances(self.usd).tolist(), maker.held(), list(maker.sold), dict(maker.shares),
                dict(maker.paid), maker.open, dict(self.benchmark.stakes))

    def attempt(self, call):
        before = self.snapshot()
        try:
            return call()
        except (MarketRefused, InsufficientFunds):
            assert self.snapshot() == before
            return None

    @rule(who=traders, trade=trades)
    def buy_and_sell(self, who, trade):
        trade = trade[:self.count]
        quoted = self.maker.quote(trade)
        cost = self.attempt(lambda: self.maker.trade(self.accounts[who], trade, WEALTH))
        if cost is not None:
            assert cost == quoted
            self.trades += 1

    @rule(trade=trades, way=trades)
    def any_way_costs_the_same(self, trade, way):
        """Directly, or through another position: never less, and at most two units more."""
        trade, way = trade[:self.count], way[:self.count]
        start, b = list(self.maker.sold), self.maker.b
        middle = [held + bought for held, bought in zip(start, way, strict=True)]
        rest = [bought - gone for bought, gone in zip(trade, way, strict=True)]
        direct = lmsr.cost(start, trade, b)
        assert 0 <= lmsr.cost(start, way, b) + lmsr.cost(middle, rest, b) - direct <= 2

    @rule(who=traders, trade=trades)
    def circle(self, who, trade):
        account = self.accounts[who]
        held = self.ledger.balance(self.usd, account)
        trade = [abs(amount) for amount in trade[:self.count]]
        if self.attempt(lambda: self.maker.trade(account, trade, WEALTH)) is not None:
            self.maker.trade(account, [-amount for amount in trade], 0)
            assert held - 2 <= self.ledger.balance(self.usd, account) <= held
            self.trades += 2

    @rule(who=traders, outcome=st.integers(0, 4), amount=st.integers(-1, 10**9))
    def stake(self, who, outcome, amount):
        self.attempt(lambda: self.benchmark.stake(self.accounts[who], outcome, amount))

    @rule(who=traders, trade=trades, outcome=st.integers(0, 1))
    def aborted_transaction(self, who, trade, outcome):
        before, account = self.snapshot(), self.accounts[who]
        trade = [abs(amount) for amount in trade[:self.count]]
        try:
            with self.ledger.atomic():
                self.attempt(lambda: self.maker.trade(account, trade, WEALTH))
                self.attempt(lambda: self.benchmark.stake(account, outcome, 5))
                self.maker.settle(outcome)
                self.maker.redeem(account)
                self.benchmark.settle(outcome)
                raise Aborted
        except Aborted:
            assert self.snapshot() == before
            assert self.maker.outcome is None
            assert self.benchmark.outcome is None

    @invariant()
    def maker_can_pay(self):
        if hasattr(self, "maker"):
            assert self.maker.check() is None
            assert abs(sum(self.maker.prices()) - 1.0) < 1e-12
            assert self.ledger.balance(self.usd, self.maker.account) == self.maker.held()
            assert self.ledger.check_supplies() is None

    def teardown(self):
        """Whatever has happened: every outcome would be paid in full, and costs the sponsor at most its funding."""
        if not hasattr(self, "maker"):
            return
        maker, staked = self.maker, self.benchmark.staked()
        for outcome in range(self.count):
            try:
                with self.ledger.atomic():
                    returned = maker.settle(outcome)
                    assert maker.funding - returned <= maker.funding
                    assert returned >= 0
                    for account in maker.holders():
                        maker.redeem(account)
                    assert maker.held() == 0
                    assert self.ledger.balance(self.usd, maker.account) == 0
                    stakes = dict(self.benchmark.stakes)
                    paid = self.benchmark.settle(outcome)
                    assert sum(paid.values()) == staked
                    assert all(paid[who] >= amount for (place, who), amount in stakes.items() if place == outcome)
                    raise Aborted
            except Aborted:
                assert maker.check() is None


TestMaker = MakerMachine.TestCase
TestMaker.settings = settings(max_examples=260 if LONG else 12, stateful_step_count=40, deadline=None,
                              derandomize=not LONG)


def test_a_trade_of_too_few_outcomes_is_refused():
    ledger = Ledger(institutions=8, people=0)
    usd = ledger.asset("USDs")
    sponsor = ledger.open_account("sponsor", "protocol")
    ledger.mint(usd, sponsor, 1000, "x")
    maker = MarketMaker(ledger, usd, "m", 3, sponsor, 1000)
    with pytest.raises(MarketRefused, match="3 outcomes"):
        maker.trade(sponsor, [1, 1], 100)
