"""The health token's reserve: who mints and redeems at what price, and that it can always pay."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.health_token import HealthToken, NoIndex, PrimaryMarketClosed
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import InsufficientFunds, Ledger
from sim.parameters import Parameters
from sim.scenario.sections.health_token import HealthTokenSection

DOLLARS = 10**6 * MICRO


class Outside:
    """An outside world with an index, a venue, and an ear for the token's value."""

    def __init__(self, index):
        self.medical_index = index
        self.told = None

    def set_fundamental(self, value):
        self.told = value


class Market:
    """The least that the mechanism needs."""

    def __init__(self, index=1.0, **fields):
        self.ledger = Ledger(institutions=32, people=5)
        self.usd = self.ledger.asset("USDs")
        self.parameters = Parameters()
        self.day = -1
        self.outside = Outside(index) if index else None
        self.provider = self.ledger.open_account("clinic", "providers")
        self.clinic_2 = self.ledger.open_account("clinic 2", "providers")
        self.trader = self.ledger.open_account("trader", "traders")
        self.token = HealthToken(HealthTokenSection(venue_tokens=0.0, **fields))
        self.token.setup(self)
        self.token.start(self)
        for account in (self.provider, self.trader, *self.ledger.person(np.arange(5)).tolist()):
            self.ledger.mint(self.usd, account, DOLLARS, "x")

    def find(self, name):
        return self.outside if name == "reference_price" else None

    def endow(self, account, amount):
        self.ledger.mint(self.usd, account, amount, "endowment")

    def held(self, account):
        return self.ledger.balance(self.token.asset, account)

    def cash(self, account):
        return self.ledger.balance(self.usd, account)

    def reserve(self):
        return self.cash(self.token.reserve)


def test_minting_costs_the_index_and_rounds_for_the_reserve():
    market = Market(index=1.5)
    assert market.token.mint(market.trader, 10) == 6
    assert market.reserve() == 10
    assert market.token.issue_cost(6) == 9
    assert market.token.mint_quote(market.token.issue_cost(7)) >= 7


def test_endowed_tokens_are_backed_at_the_target():
    market = Market()
    market.token.endow_tokens(market.trader, 1000 * MICRO)
    assert market.reserve() == 1100 * MICRO
    assert market.token.reserve_ratio == pytest.approx(1.1)
    assert market.token.fundamental == pytest.approx(0.98)


def test_only_providers_and_authorised_participants_redeem():
    market = Market()
    market.token.mint(market.trader, 1000)
    with pytest.raises(PrimaryMarketClosed):
        market.token.redeem(market.trader, 10)
    market.token.authorise(market.trader)
    assert market.token.redeem(market.trader, 100) == 98
    market.ledger.transfer(market.token.asset, market.trader, market.provider, 500, "x")
    assert market.token.redeem(market.provider, 500) == 490
    assert market.token.redeemed == 600


def test_a_closed_primary_market_still_pays_providers():
    market = Market(primary_market_open=False)
    market.token.endow_tokens(market.trader, 1000)
    market.token.authorise(market.trader)
    with pytest.raises(PrimaryMarketClosed):
        market.token.redeem(market.trader, 10)
    with pytest.raises(PrimaryMarketClosed):
        market.token.mint(market.trader, 10)
    market.ledger.transfer(market.token.asset, market.trader, market.provider, 100, "x")
    assert market.token.redeem(market.provider, 100) == 98
    assert market.token.within_band(3.0) == 3.0


def test_prices_are_held_to_the_band_while_the_primary_market_is_open():
    market = Market(index=2.0)
    assert market.token.within_band(3.0) == 2.0
    assert market.token.within_band(1.0) == pytest.approx(1.96)
    assert market.token.within_band(1.98) == 1.98


def test_redemption_below_a_full_reserve_is_cut_for_all_alike():
    market = Market()
    market.token.endow_tokens(market.provider, 1000 * MICRO)
    market.token.post_index(1.25)
    market.token.post_index(1.5)
    assert market.token.reserve_ratio == pytest.approx(1.1 / 1.5)
    assert market.token.redeem(market.provider, 100 * MICRO) == int(110 * MICRO * 0.98)
    assert market.token.reserve_ratio >= 1.1 / 1.5  # the fee stays with those who wait


def test_patients_pay_providers_who_cash_out_together():
    market = Market()
    people = market.ledger.person(np.arange(3))
    market.token.mint_many(people, np.array([100, 200, 300]))
    paid = market.token.pay_provider(np.arange(3), np.array([market.provider, market.clinic_2, market.provider]),
                                     np.array([100, 201, 250]))
    assert paid.tolist() == [True, False, True]
    assert market.held(market.provider) == 350
    assert market.token.care_paid == 350
    before = market.cash(market.provider)
    market.token.cash_out(market)
    assert market.cash(market.provider) - before == 343
    assert market.held(market.provider) == 0
    market.token.cash_out(market)  # nothing left to do
    assert market.token.redeemed == 350


def test_minting_for_many_skips_those_without_cash():
    market = Market(index=2.0)
    accounts = np.array([market.trader, market.clinic_2, market.provider])
    assert market.token.mint_many(accounts, np.array([9, 9, 11])).tolist() == [4, 0, 5]
    assert market.reserve() == 20


def test_a_failed_transaction_leaves_no_trace():
    market = Market()
    market.token.mint(market.trader, 1000)
    market.token.authorise(market.trader)
    before = market.reserve(), market.token.minted, market.token.index, market.held(market.trader)

    def attempt():
        with market.ledger.atomic():
            market.token.mint(market.trader, 500)
            market.token.redeem(market.trader, 700)
            market.token.post_index(1.1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        attempt()
    assert (market.reserve(), market.token.minted, market.token.index, market.held(market.trader)) == before
    assert market.token.redeemed == 0
    with pytest.raises(InsufficientFunds):
        market.token.redeem(market.trader, 10**9)
    assert market.token.redeemed == 0


def test_a_posting_moves_the_index_by_one_step_at_most():
    market = Market(index_max_step=0.1)
    market.day = 3
    assert market.token.post_index(5.0) == 1_100_000
    assert market.token.post_index(0.1) == 990_000
    assert market.token.posted_day == 3
    for value in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="not a price"):
            market.token.post_index(value)


def test_without_a_committee_the_outside_index_is_read_and_the_venue_told():
    market = Market()
    market.outside.medical_index = 1.05
    market.token.read_index(market)
    assert market.token.index == 1_050_000
    assert market.outside.told == pytest.approx(1.05 * 0.98)
    market.token.appoint_committee()
    market.outside.medical_index = 1.2
    market.token.read_index(market)
    assert market.token.index == 1_050_000


def test_without_any_index_nothing_is_minted():
    market = Market(index=None)
    with pytest.raises(NoIndex):
        market.token.mint(market.trader, 100)
    market.token.post_index(2.0)
    assert market.token.mint(market.trader, 100) == 50


def test_the_fee_is_governable():
    market = Market()
    market.token.mint(market.trader, 1000)
    market.token.authorise(market.trader)
    market.parameters.change("health_token.redemption_fee", 0.05)
    assert market.token.redeem(market.trader, 100) == 95


operations = st.lists(st.tuples(st.sampled_from(["mint", "redeem", "care", "index"]), st.integers(0, 4),
                                st.integers(0, 10**7)), max_size=40)


@given(operations)
def test_the_reserve_can_always_pay_and_waiting_never_loses(program):
    market = Market()
    token, ledger = market.token, market.ledger
    for account in ledger.person(np.arange(5)).tolist():
        token.authorise(account)
    for what, who, amount in program:
        account = ledger.person(who)
        supply, reserve = ledger.supply(token.asset), market.reserve()
        if what == "mint":
            token.mint(account, amount)
        elif what == "redeem":
            held = market.held(account)
            token.redeem(account, min(held, amount))
            # what stands behind one token that stays: not below the index, or not less than before
            left, now = ledger.supply(token.asset), market.reserve()
            assert now * MICRO >= left * token.index or now * supply >= reserve * left
        elif what == "care":
            token.pay_provider(np.array([who]), np.array([market.provider]), np.array([amount]))
            token.cash_out(market)
        else:
            token.post_index(0.5 + amount / 10**7)
        assert token.check_reserve() is None
        assert ledger.check_supplies() is None


def test_reports():
    market = Market()
    market.token.mint(market.trader, 5 * MICRO)
    seen = {}
    market.record = SimpleNamespace(series=seen.__setitem__, metric=seen.__setitem__)
    market.token.observe(market)
    assert seen["health_token.minted"] == 5.0
    market.token.observe(market)
    assert seen["health_token.minted"] == 0.0
    market.token.finish(market)
    assert seen["health_token.reserve_ratio_min"] == 1.0
    declared = {item.name for item in (*HealthTokenSection.series, *HealthTokenSection.metrics)}
    assert set(seen) == declared
