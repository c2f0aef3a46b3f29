"""Consent, the order of sale, the exact split, and that nobody is sold to the same buyer twice."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chain.mempool import Refused
from sim.contracts.research.data_vault import ANY_CONDITION, HIGHEST_PRICE, DataVault, split_price
from sim.kernel.columns import Columns
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger, LedgerError
from sim.parameters import Parameters
from sim.scenario.sections.data_vault import DataVaultSection

PEOPLE = 8
DIABETES, ASTHMA = 0, 3


class Clinic:
    """Eight people: all have asthma (bit 3), the even ones diabetes (bit 0) too; two buyers with 10,000 dollars."""

    def __init__(self, **section: float) -> None:
        self.ledger = Ledger(institutions=16, people=PEOPLE)
        self.usd = self.ledger.asset("USDs")
        self.people = Columns(PEOPLE)
        self.people.add("chronic", np.uint32, np.where(np.arange(PEOPLE) % 2 == 0, 9, 8))
        self.people.add("privacy_cost", np.int64, 20 * MICRO)
        safe = self.ledger.open_account("treasury", "protocol")
        self.firms = self.ledger.open_account("firms", "firms")
        self.parameters = Parameters()
        self.market = SimpleNamespace(ledger=self.ledger, people=self.people, parameters=self.parameters, day=0,
                                      find=lambda name: None, treasury_account=lambda: safe)
        self.vault = DataVault(DataVaultSection(**section))
        self.vault.setup(self.market)
        self.safe = safe
        self.people["records"][:] = 1
        self.accounts = [self.ledger.open_account(f"buyer {i}", "researchers") for i in range(2)]
        self.buyers = [self.vault.register_buyer(account) for account in self.accounts]
        for account in self.accounts:
            self.ledger.mint(self.usd, account, 10_000 * MICRO, "endowment")

    def consent(self, prices: list[int], until: int = 100) -> None:
        self.vault.consent(np.arange(len(prices)), np.array(prices, dtype=np.int64), until)

    def cash(self, account: int) -> int:
        return self.ledger.balance(self.usd, account)


@pytest.fixture
def clinic():
    return Clinic()


PRICES = [50, 10, 40, 20, 30, 60, 70, 80]


def in_dollars(prices: list[int]) -> list[int]:
    return [price * MICRO for price in prices]


def test_cheapest_records_of_the_condition_first(clinic):
    clinic.consent(in_dollars(PRICES))
    sale = clinic.vault.buy(clinic.buyers[0], 2, 100 * MICRO, DIABETES)
    assert sale.slots.tolist() == [4, 2]
    assert sale.total == 70 * MICRO
    assert sale.valid_until == 365
    assert clinic.vault.on_offer(clinic.buyers[0], ANY_CONDITION).tolist() == [1, 3, 0, 5, 6, 7]


def test_the_split_is_exact(clinic):
    prices = [1, 19, 999_999, 1_000_003, 7 * MICRO + 11]
    clinic.consent(prices)
    sale = clinic.vault.buy(clinic.buyers[0], 9, HIGHEST_PRICE, ASTHMA)
    patients = [clinic.cash(clinic.ledger.person(slot)) for slot in range(5)]
    assert patients == [price * 9 // 10 for price in prices]
    assert clinic.cash(clinic.safe) == sum(price // 20 for price in prices)
    assert sum(patients) + clinic.cash(clinic.safe) + clinic.cash(clinic.vault.account) == sum(prices) == sale.total
    assert clinic.cash(clinic.accounts[0]) == 10_000 * MICRO - sum(prices)
    assert clinic.people["data_income"].tolist() == [*patients, 0, 0, 0]
    assert clinic.ledger.check_supplies() is None


@given(st.lists(st.integers(0, HIGHEST_PRICE), max_size=20), st.integers(0, 5000), st.integers(0, 5000))
def test_parts_sum_to_the_price(prices, vault_bps, treasury_bps):
    prices = np.array(prices, dtype=np.int64)
    patient, vault, treasury = split_price(prices, vault_bps, treasury_bps)
    assert (patient + vault + treasury == prices).all()
    assert all((part >= 0).all() for part in (patient, vault, treasury))
    exact = prices.astype(object) * (10_000 - vault_bps - treasury_bps)
    assert (patient.astype(object) * 10_000 <= exact).all()
    assert (vault.astype(object) * 10_000 - prices.astype(object) * vault_bps < 20_000).all()


def test_nothing_is_sold_twice_to_one_buyer_within_validity(clinic):
    first, second = clinic.buyers
    clinic.consent(in_dollars(PRICES), until=1000)
    assert clinic.vault.buy(first, 99, HIGHEST_PRICE, ASTHMA).slots.size == PEOPLE
    with pytest.raises(Refused, match="no record on offer"):
        clinic.vault.buy(first, 1, HIGHEST_PRICE, ASTHMA)
    clinic.market.day = 100
    assert clinic.vault.buy(second, 99, HIGHEST_PRICE, DIABETES).slots.size == 4
    clinic.market.day = 365
    with pytest.raises(Refused, match="no record on offer"):
        clinic.vault.buy(first, 1, HIGHEST_PRICE, ASTHMA)
    clinic.market.day = 366
    # the odd ones are free again; the even ones are held until the second buyer's validity ends
    assert sorted(clinic.vault.buy(first, 99, HIGHEST_PRICE, ASTHMA).slots.tolist()) == [1, 3, 5, 7]
    clinic.market.day = 466
    assert sorted(clinic.vault.buy(first, 99, HIGHEST_PRICE, ASTHMA).slots.tolist()) == [0, 2, 4, 6]


def test_renewed_consent_does_not_sell_again(clinic):
    clinic.consent(in_dollars(PRICES))
    clinic.vault.buy(clinic.buyers[0], 99, HIGHEST_PRICE, ASTHMA)
    clinic.vault.withdraw(np.arange(PEOPLE))
    clinic.market.day = 1
    clinic.consent([0] * PEOPLE)
    assert clinic.vault.on_offer(clinic.buyers[0], ASTHMA).size == 0
    assert clinic.vault.on_offer(clinic.buyers[1], ASTHMA).size == PEOPLE


def test_consent_ends_by_expiry_withdrawal_and_scope(clinic):
    clinic.consent(in_dollars(PRICES), until=5)
    clinic.market.day = 5
    assert clinic.vault.on_offer(0, ASTHMA).size == PEOPLE
    clinic.vault.withdraw(np.array([0]))
    assert 0 not in clinic.vault.on_offer(0, ASTHMA)
    clinic.market.day = 6
    assert clinic.vault.on_offer(0, ASTHMA).size == 0
    clinic.vault.consent(np.array([2]), np.array([1]), 9, scope=1 << DIABETES)
    assert clinic.vault.on_offer(0, DIABETES).tolist() == [2]
    assert clinic.vault.on_offer(0, ASTHMA).size == 0


def test_without_a_record_there_is_nothing_to_sell(clinic):
    clinic.consent(in_dollars(PRICES))
    clinic.people["records"][:] = 0
    assert clinic.vault.on_offer(0, ASTHMA).size == 0
    clinic.market.find = lambda name: SimpleNamespace(today=SimpleNamespace(slot=np.array([1, 1, 6])))
    clinic.vault.keep_records(clinic.market)
    assert clinic.people["records"].tolist() == [0, 1, 0, 0, 0, 0, 1, 0]
    assert clinic.vault.on_offer(0, ASTHMA).tolist() == [1, 6]


def test_a_buyer_buys_what_its_cash_pays_for(clinic):
    clinic.consent(in_dollars([6000, 5000, 4000, 3000]))
    assert clinic.vault.buy(clinic.buyers[0], 9, HIGHEST_PRICE, ASTHMA).slots.tolist() == [3, 2]
    assert clinic.cash(clinic.accounts[0]) == 3000 * MICRO


@pytest.mark.parametrize("call", [
    lambda v: v.buy(7, 1, HIGHEST_PRICE, ASTHMA),
    lambda v: v.buy(0, 0, HIGHEST_PRICE, ASTHMA),
    lambda v: v.buy(0, 5, 9 * MICRO, ASTHMA),
    lambda v: v.buy(0, 5, HIGHEST_PRICE, 17),
    lambda v: v.consent(np.array([0]), np.array([-1]), 9),
    lambda v: v.consent(np.array([0]), np.array([HIGHEST_PRICE + 1]), 9),
    lambda v: v.consent(np.array([0]), np.array([1]), -1),
])
def test_refusals_leave_no_trace(clinic, call):
    clinic.consent(in_dollars(PRICES))
    before = [clinic.people[name].copy() for name in clinic.people.names]
    with pytest.raises(Refused):
        call(clinic.vault)
    assert all((old == clinic.people[name]).all() for old, name in zip(before, clinic.people.names, strict=True))
    assert clinic.cash(clinic.accounts[0]) == 10_000 * MICRO


def test_a_failed_transaction_undoes_sale_and_consent(clinic):
    clinic.consent(in_dollars(PRICES))
    before = {name: clinic.people[name].copy() for name in clinic.people.names}
    balances = clinic.ledger.balances(clinic.usd).copy()

    def failing() -> None:
        with clinic.ledger.atomic():
            clinic.vault.buy(0, 3, HIGHEST_PRICE, ASTHMA)
            clinic.consent([5] * PEOPLE, until=7)
            clinic.vault.withdraw(np.array([1]))
            raise LedgerError("no")

    with pytest.raises(LedgerError):
        failing()
    assert all((old == clinic.people[name]).all() for name, old in before.items())
    assert (balances == clinic.ledger.balances(clinic.usd)).all()
    assert (clinic.vault.sales_today, clinic.vault.revenue_today) == (0, 0)
    assert all(check() is None for _, check in clinic.vault.invariants())


def test_reservation_price_covers_privacy_fear_margin_and_fees(clinic):
    """(20 + 10) x 1.1 is 33 dollars; of 36.666667 the patient gets nine tenths."""
    slots = np.array([0, 3])
    assert clinic.vault.reservation_price(slots).tolist() == [36_666_667] * 2
    clinic.people["breach_fear"][3] = 0
    assert clinic.vault.reservation_price(slots).tolist() == [36_666_667, 24_444_445]


def test_posted_price_is_the_best_live_bid(clinic):
    vault = clinic.vault
    assert vault.posted_price == 0
    vault.post_bid(0, DIABETES, 30, 5)
    clinic.market.day = 1
    vault.post_bid(1, ASTHMA, 20, 5)
    assert (vault.posted_price, vault.best_bid(ASTHMA), vault.best_bid(7)) == (30, 20, 0)
    clinic.market.day = 61
    assert vault.posted_price == 20
    vault.withdraw_bid(1)
    assert vault.posted_price == 0


def test_the_vault_spends_its_income(clinic):
    clinic.consent(in_dollars(PRICES))
    clinic.vault.buy(0, 9, HIGHEST_PRICE, ASTHMA)
    clinic.market.day = 30
    clinic.vault.pay_running_costs(clinic.market)
    assert clinic.cash(clinic.vault.account) == 0
    assert clinic.cash(clinic.firms) == sum(in_dollars(PRICES)) // 20


def test_room_for_sixty_four_buyers(clinic):
    for account in range(62):
        clinic.vault.register_buyer(account)
    clinic.consent(in_dollars(PRICES))
    clinic.vault._buyers[63] = clinic.accounts[0]
    clinic.vault.buy(63, 1, HIGHEST_PRICE, ASTHMA)
    assert clinic.people["data_buyers"][1] == np.uint64(1) << np.uint64(63)
    assert clinic.vault.on_offer(63, ASTHMA).size == PEOPLE - 1
    with pytest.raises(ValueError, match="64 buyers"):
        clinic.vault.register_buyer(99)


@given(st.lists(st.integers(0, 5), min_size=PEOPLE, max_size=PEOPLE), st.integers(0, PEOPLE + 2))
def test_a_limit_gives_the_first_of_the_whole_list(prices, limit):
    clinic = Clinic()
    clinic.consent(prices)
    whole = clinic.vault.on_offer(0, ASTHMA)
    for _ in range(2):                                     # the second call starts from the cut of the first
        assert clinic.vault.on_offer(0, ASTHMA, limit=limit).tolist() == whole[:limit].tolist()
    clinic.vault._cuts[ASTHMA] = 2                         # a cut that may have become too low
    assert clinic.vault.on_offer(0, ASTHMA, limit=limit).tolist() == whole[:limit].tolist()
    assert clinic.vault.on_offer(0, ASTHMA, 3, limit).tolist() == clinic.vault.on_offer(0, ASTHMA, 3)[:limit].tolist()
