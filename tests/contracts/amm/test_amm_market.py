"""The pools of a market: opening, the treasury's part, shocks, invariants and reports."""

from contextlib import suppress
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from sim.contracts.amm.interface import DAY_SECONDS, PoolError
from sim.contracts.amm.market import Amm, UnknownPool
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger
from sim.scenario.sections.amm import AmmSection, PoolTerms


class Issuer:
    """A mechanism that issues the base asset."""

    opening_price = 2.0

    def __init__(self, ledger, symbol):
        self.ledger = ledger
        self.asset = ledger.asset(symbol)

    def endow_tokens(self, account, amount):
        self.ledger.mint(self.asset, account, amount, "endowment")

    def within_band(self, price):
        return price


class Market:
    """The least that the mechanism needs."""

    def __init__(self, *pools, gov=False, held=0):
        self.ledger = Ledger(institutions=64, people=3)
        self.usd = self.ledger.asset("USDs")
        self.day = -1
        self.mechanisms = {"health_token": Issuer(self.ledger, "HLT"), "reference_price": SimpleNamespace(
            hlt_external=2.1), "chain": SimpleNamespace(blocks_per_day=24)}
        self.values = {}
        self.record = SimpleNamespace(
            series=self.values.__setitem__, metric=self.values.__setitem__,
            institution=lambda who, name, value: self.values.__setitem__((who, name), value))
        if gov:
            gov = self.ledger.asset("GOV")
        self.amm = Amm(AmmSection(pools=pools) if pools else AmmSection())
        self.amm.setup(self)
        self.amm.start(self)
        if held:
            self.ledger.mint(gov, self.amm.founder, held, "genesis")
        self.trader = self.ledger.open_account("trader", "traders")
        for asset in (self.usd, self.mechanisms["health_token"].asset):
            self.ledger.mint(asset, self.trader, 10**13, "x")

    def mechanism(self, name):
        return self.mechanisms[name]

    find = mechanism

    def treasury_account(self):
        return self.ledger.open_account("treasury", "protocol")

    def endow(self, account, amount):
        self.ledger.mint(self.usd, account, amount, "endowment")

    def next_day(self, swaps=0):
        self.day += 1
        self.amm.open_day(self)
        pool = self.amm.pool("HLT")
        for _ in range(swaps):
            pool.swap(self.trader, pool.quote, 10_000 * MICRO)
            pool.swap(self.trader, pool.base, 5_000 * MICRO)
        self.amm.pay_treasury(self)
        self.amm.observe(self)


def broken(market):
    return [message for _, check in market.amm.invariants() if (message := check())]


def test_opens_at_the_issuers_price_with_the_founders_liquidity():
    market = Market()
    pool = market.amm.pool("HLT")
    assert pool.reserves() == (10**12, 2 * 10**12)
    assert pool.spot() == 2.0
    assert list(market.amm.pools) == ["HLT"]  # no governance, no GOV pool
    assert market.ledger.balance(pool.shares, market.amm.founder) > 0
    with pytest.raises(UnknownPool, match="HLT"):
        market.amm.pool("nothing")


def test_a_governance_pool_opens_on_day_0_from_what_the_founders_hold():
    market = Market(gov=True, held=10**11)
    market.next_day()
    assert market.amm.pool("GOV").reserves() == (10**11, 5 * 10**10)
    market.next_day()
    rich = Market(gov=True, held=10**15)
    rich.next_day()
    assert rich.amm.pool("GOV").reserves() == (10**12, 5 * 10**11)  # no more than the opening value
    poor = Market(gov=True)
    poor.next_day()
    assert list(poor.amm.pools) == ["HLT"]
    strict = Market(PoolTerms(name="GOV", base="GOV", issuer="", opening_price=1.0), gov=True)
    with pytest.raises(PoolError):
        strict.next_day()


def test_the_treasury_is_paid_a_sixth_of_the_fees_in_cash():
    market = Market()
    for _ in range(30):
        market.next_day(swaps=20)
    treasury = market.ledger.balance(market.usd, market.ledger.account("treasury"))
    fees = sum(book.fees for book in market.amm.books.values())
    assert fees == pytest.approx(30 * 20 * 20_000 * 0.003, rel=0.01)
    assert treasury == market.amm.treasury_fees
    assert treasury / MICRO == pytest.approx(fees / 6, rel=0.01)
    assert broken(market) == []
    market.amm.finish(market)
    assert market.values["amm.lp_yield"] == pytest.approx(fees * 5 / 6 / (30 * 4e6) * 365, rel=0.01)


def test_without_a_protocol_part_the_treasury_gets_nothing():
    market = Market(PoolTerms(protocol_part=0))
    for _ in range(30):
        market.next_day(swaps=5)
    assert market.ledger.balance(market.usd, market.ledger.account("treasury")) == 0


def test_fees_make_holding_shares_better_than_holding_assets_at_an_unmoved_price():
    market = Market()
    market.next_day(swaps=50)
    assert market.values["amm.lp_value_over_hold"] > 0
    assert market.values["amm.volume"] == pytest.approx(50 * 20_000, rel=0.01)
    assert market.values["amm.price_gap"] == pytest.approx(2.0 / 2.1 - 1.0, abs=0.01)
    market.next_day()
    assert market.values["amm.volume"] == 0.0
    assert market.values["amm.fees"] == 0.0


def test_the_clock_runs_through_blocks_and_days():
    market = Market()
    market.next_day()
    market.next_day()
    market.amm.at_block(0)
    assert market.amm.clock.now == 2 * DAY_SECONDS  # observing closed the day; the clock does not go back
    market.day += 1
    market.amm.at_block(6)
    assert market.amm.clock.now == 2 * DAY_SECONDS + DAY_SECONDS // 4


def test_the_clock_goes_back_with_a_call_that_is_refused():
    market = Market()
    market.day = 0
    market.amm.open_day(market)
    market.amm.at_block(3)
    with suppress(PoolError), market.ledger.atomic():
        market.amm.at_block(20)
        raise PoolError("slippage")
    assert market.amm.clock.now == 3 * DAY_SECONDS // 24
    with market.ledger.atomic():
        market.amm.at_block(5)
    assert market.amm.clock.now == 5 * DAY_SECONDS // 24


def test_founders_leave_in_a_shock():
    market = Market()
    market.next_day()
    pool = market.amm.pool("HLT")
    market.amm.withdraw_founders("HLT", 0.5)
    assert pool.reserves()[0] == pytest.approx(5e11, rel=1e-6)
    market.amm.withdraw_founders("HLT", 1.0)
    market.next_day()
    assert pool.reserves()[0] < 1000
    assert broken(market) == []


def test_invariants_see_what_is_broken():
    market = Market()
    market.next_day(swaps=2)
    pool = market.amm.pool("HLT")
    assert broken(market) == []
    state = pool.state
    pool.state = state._replace(base=state.base - 10**6)
    assert "has fallen" in broken(market)[0]
    pool.state = state._replace(base=state.base + 1)
    assert "more than its account holds" in broken(market)[0]
    pool.state = state
    market.ledger.transfer(pool.shares, pool.locked, market.trader, 1, "x")
    assert "locked" in broken(market)[0]


def test_every_declared_series_and_metric_is_recorded():
    market = Market()
    market.next_day(swaps=3)
    market.amm.finish(market)
    seen = {key if isinstance(key, str) else key[1] for key in market.values}
    assert seen == {item.name for item in (*AmmSection.series, *AmmSection.metrics)}


def test_sections_refuse_what_cannot_open():
    with pytest.raises(ValidationError, match="opening_price"):
        PoolTerms(issuer="")
    with pytest.raises(ValidationError, match="different assets"):
        PoolTerms(base="USDs")
    with pytest.raises(ValidationError, match="same name"):
        AmmSection(pools=(PoolTerms(), PoolTerms()))
