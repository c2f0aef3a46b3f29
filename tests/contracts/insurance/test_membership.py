"""Membership: joining, paying, leaving, capacity; both payers or neither; refunds to the unit to who paid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.contracts.insurance.checks import members_are_counted
from sim.contracts.insurance.membership import NO_POOL, Membership
from sim.contracts.insurance.policy import Terms
from sim.contracts.insurance.pool_state import PoolError
from sim.kernel.columns import Columns
from sim.kernel.fixedpoint import MICRO

TERMS = Terms("indemnity", 250 * MICRO, 2000, 2000 * MICRO, 10**12)
RATE = 3_650 * MICRO
MONTH = 300 * MICRO


def slots(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


class Town:
    """Four people, one pool, two sponsors."""

    def __init__(self, desk: Any, ages: tuple[int, ...] = (21, 21, 21, 21)) -> None:
        self.desk, self.pool, self.ledger, self.usd = desk, desk.pool, desk.ledger, desk.usd
        self.people = Columns(4)
        self.people.add("age", np.int16, np.array(ages))
        self.people.add("region", np.int16, np.array([0, 0, 1, 1]))
        self.members = Membership(self.people, desk.ledger, desk.usd, [desk.pool],
                                  np.array([500] * 21 + [1000] + [3000] * 50), 1.0)
        self.members.base_rates[0] = RATE
        self.sponsor = desk.payees[0]
        self.ledger.mint(self.usd, self.sponsor, 10**12, "endowment")
        for slot in range(4):
            self.ledger.mint(self.usd, self.ledger.person(slot), 10**12, "endowment")
        self.ledger.mint(self.usd, desk.owners[0], 10**13, "endowment")
        desk.pool.deposit(desk.owners[0], 10**13, "junior")

    def cash(self, slot: int) -> int:
        return self.ledger.balance(self.usd, self.ledger.person(slot))

    def enrol(self, *who: int, day: int = 0) -> list[bool]:
        return self.members.enrol(slots(*who), np.zeros(len(who), dtype=np.int64), day).tolist()

    def pay(self, who: list[int], own: int, sponsored: int = 0, days: int | None = None) -> list[bool]:
        count = len(who)
        return self.members.pay_premiums(
            slots(*who), np.full(count, own), np.full(count, self.sponsor), np.full(count, sponsored),
            None if days is None else np.full(count, days)).tolist()

    def check(self) -> None:
        self.desk.check()
        assert members_are_counted([self.pool], self.people) is None, members_are_counted([self.pool], self.people)


@pytest.fixture
def town(make_desk: Callable[..., Any]) -> Town:
    """A pool with plenty of capital."""
    return Town(make_desk(terms=TERMS))


def test_price_by_age_is_rounded_up(town: Town) -> None:
    town.people["age"][:] = [0, 21, 64, 120]
    town.members.base_rates[0] = 1001
    assert town.members.rates(slots(0, 1, 2, 3))[0].tolist() == [501, 1001, 3003, 3003]


def test_joining_fixes_the_price_and_resets_the_year(town: Town) -> None:
    assert town.enrol(0, 1) == [True, True]
    people = town.people
    assert people["pool"].tolist() == [0, 0, NO_POOL, NO_POOL]
    assert people["monthly_due"].tolist() == [MONTH, MONTH, 0, 0]
    assert (town.pool.members, town.pool.monthly_premium, town.pool.active_cover) == (2, 2 * MONTH, 2 * 10**12)
    town.members.split(slots(0), np.array([1000 * MICRO]), None, 3)
    assert people["oop_spent"][0] == 400 * MICRO
    town.members.base_rates[0] = 2 * RATE
    assert town.enrol(0, day=365) == [True]
    assert people["oop_spent"][0] == people["deductible_met"][0] == people["limit_used"][0] == 0
    assert people["cover_from"][0] == 0, "a renewal is no new cover"
    assert (town.pool.members, town.pool.monthly_premium) == (2, 3 * MONTH)
    town.check()


def test_a_month_is_paid_by_both_or_by_neither(town: Town) -> None:
    town.enrol(0, 1, 2)
    town.ledger.transfer(town.usd, town.sponsor, town.desk.treasury, 10**12 - 150 * MICRO, "drain")
    town.ledger.transfer(town.usd, town.ledger.person(0), town.desk.treasury, 10**12, "drain")
    assert town.pay([0, 1, 2, 3], 200 * MICRO, 100 * MICRO) == [False, True, False, False]
    assert town.cash(1) == 10**12 - 200 * MICRO
    assert town.cash(2) == 10**12, "the sponsor had only one part left, so the person keeps his"
    assert town.people["paid_to"].tolist() == [0, 30, 0, 0]
    assert town.pool.unearned.total == MONTH
    town.check()


def test_a_payment_below_the_price_is_refused(town: Town) -> None:
    town.enrol(0)
    with pytest.raises(PoolError, match="do not pay"):
        town.pay([0], MONTH - 5, days=30)
    with pytest.raises(PoolError, match="twice"):
        town.pay([0, 0], MONTH)
    assert town.pay([0], MONTH - 4, days=30) == [True]
    town.check()


def test_the_days_to_the_first_payday(town: Town) -> None:
    """A payment without days buys what the amount buys: 7 of 30 days."""
    town.enrol(0, 1)
    assert town.pay([0], MONTH * 7 // 30) == [True]
    assert town.pay([1], MONTH * 7 // 30 - 1, days=7) == [True]
    assert town.people["paid_to"].tolist()[:2] == [7, 7]
    town.check()


def test_leaving_gives_back_what_is_not_earned_to_who_paid(town: Town) -> None:
    town.enrol(0, 1)
    town.pay([0, 1], 200 * MICRO, 100 * MICRO)
    town.pool.accrue(9)
    sponsor = town.ledger.balance(town.usd, town.sponsor)
    assert town.members.leave(slots(0)) == 200 * MICRO + 1, "each payer's earned part is floored"
    assert town.cash(0) == 10**12 - 200 * MICRO + 200 * MICRO * 20 // 30 + 1
    assert town.ledger.balance(town.usd, town.sponsor) == sponsor + 100 * MICRO * 20 // 30 + 1
    assert town.people["pool"].tolist() == [NO_POOL, 0, NO_POOL, NO_POOL]
    assert town.pool.unearned.total == 200 * MICRO + 1
    assert town.members.leave(slots(0)) == 0
    town.check()
    town.pool.accrue(29)
    assert town.pool.unearned.total == 0
    town.check()


def test_a_premium_paid_early_is_given_back_whole(town: Town) -> None:
    """Paid twice on the first day: the first month goes on, and nothing of the second is lost."""
    town.enrol(0)
    assert town.pay([0], MONTH) == [True]
    town.pool.accrue(4)
    assert town.pay([0], MONTH) == [True]
    assert town.people["paid_to"][0] == 60
    assert town.pay([0], MONTH) == [False], "more than a month ahead"
    town.pool.accrue(9)
    town.members.leave(slots(0))
    assert town.cash(0) == 10**12 - 2 * MONTH + MONTH * 50 // 30
    town.check()


def test_a_premium_paid_late_covers_the_days_of_grace(town: Town) -> None:
    town.enrol(0)
    town.pool.accrue(19)
    assert town.pay([0], MONTH) == [True]
    assert town.people["paid_to"][0] == 30
    assert town.pool.accrue(20) == MONTH * 21 // 30
    town.check()


def test_capacity_ends_with_the_capital(make_desk: Callable[..., Any]) -> None:
    """Fixed ratio 0.25: an annual premium of 3,650 needs 912.5 of capital a member."""
    desk = make_desk(terms=TERMS)
    desk.fund(desk.owners[1], 2000 * MICRO)
    desk.pool.deposit(desk.owners[1], 2000 * MICRO, "senior")
    town = Town.__new__(Town)
    town.desk, town.pool, town.ledger, town.usd = desk, desk.pool, desk.ledger, desk.usd
    town.people = Columns(4)
    town.people.add("age", np.int16, 21)
    town.people.add("region", np.int16, 0)
    town.members = Membership(town.people, desk.ledger, desk.usd, [desk.pool], np.array([1000]), 1.0)
    town.members.base_rates[0] = RATE
    assert town.enrol(3, 1, 0) == [True, True, False]
    assert town.people["pool"].tolist() == [NO_POOL, 0, NO_POOL, 0]
    desk.pool.report(0, np.array([1500 * MICRO]), np.array([0]))
    assert town.enrol(1, 2) == [True, False], "a renewal needs no new capital"
    town.check()


def test_who_is_offered_what(town: Town) -> None:
    town.enrol(0)
    town.pool.region = 1
    assert town.members.offered(slots(0, 1, 2)).tolist() == [[True, False, True]]
    town.pool.set_writing(False)
    assert town.members.offered(slots(0, 1, 2)).tolist() == [[True, False, False]]
    town.pool.enter_run_off(0, cut_cover=False)
    assert not town.members.offered(slots(0, 1, 2)).any()


def test_the_coinsurance_of_the_next_dollar(town: Town) -> None:
    town.enrol(0, 1, 2)
    people = town.people
    people["deductible_met"][1:3] = 250 * MICRO
    people["oop_spent"][2] = 2000 * MICRO
    assert town.members.marginal_coinsurance(slots(0, 1, 2, 3)).tolist() == [1.0, 0.2, 0.0, 1.0]
    people["limit_used"][2] = 10**12
    assert town.members.marginal_coinsurance(slots(2)).tolist() == [1.0]


class Undo(Exception):
    """Ends a transaction."""


def test_a_rolled_back_transaction_leaves_no_trace(town: Town) -> None:
    town.enrol(0)
    town.pay([0], MONTH)
    people = town.people
    before = {name: people[name].copy() for name in people.names}

    def transaction() -> None:
        with town.ledger.atomic():
            town.enrol(1, 2)
            town.pay([1, 2], 100 * MICRO, 200 * MICRO)
            town.members.split(slots(0), np.array([1000 * MICRO]), None, 3)
            town.members.leave(slots(0))
            raise Undo

    with pytest.raises(Undo):
        transaction()
    for name, column in before.items():
        assert (people[name] == column).all(), name
    town.check()
