"""Several plans in one pool: options, books by plan, change of plan in mid-year, a closed plan, shared capacity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contracts.insurance.checks import CHECKS, members_are_counted
from sim.contracts.insurance.membership import NO_POOL, Membership
from sim.contracts.insurance.options import Options
from sim.contracts.insurance.policy import Terms, terms_table
from sim.contracts.insurance.premium import UnearnedPremium
from sim.kernel.columns import Columns
from sim.kernel.fixedpoint import MICRO

GENEROUS = Terms("indemnity", 0, 1000, 1000 * MICRO, 10**12)
LEAN = Terms("indemnity", 1000 * MICRO, 2000, 4000 * MICRO, 10**11)
RATES = (7_300 * MICRO, 3_650 * MICRO)
MONTHS = (600 * MICRO, 300 * MICRO)


def slots(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


class Town:
    """Four people of one age, one pool that writes two plans, a sponsor."""

    def __init__(self, desk: Any, capital: int = 10**13) -> None:
        self.pool, self.ledger, self.usd = desk.pool, desk.ledger, desk.usd
        self.people = Columns(4)
        self.people.add("age", np.int16, 30)
        self.people.add("region", np.int16, 0)
        self.members = Membership(self.people, desk.ledger, desk.usd, [desk.pool], np.array([1000]), 1.0)
        self.members.base_rates[:] = RATES
        self.sponsor = desk.payees[0]
        self.ledger.mint(self.usd, self.sponsor, 10**12, "endowment")
        for slot in range(4):
            self.ledger.mint(self.usd, self.ledger.person(slot), 10**12, "endowment")
        self.ledger.mint(self.usd, desk.owners[0], capital, "endowment")
        desk.pool.deposit(desk.owners[0], capital, "senior")

    def cash(self, slot: int) -> int:
        return self.ledger.balance(self.usd, self.ledger.person(slot))

    def enrol(self, who: list[int], options: list[int], day: int = 0) -> list[bool]:
        return self.members.enrol(slots(*who), np.array(options), day).tolist()

    def pay(self, who: list[int], own: list[int], sponsored: int = 0) -> None:
        count = len(who)
        paid = self.members.pay_premiums(slots(*who), np.array(own), np.full(count, self.sponsor),
                                         np.full(count, sponsored), np.full(count, 30))
        assert paid.all()

    def check(self) -> None:
        for name, check in CHECKS.items():
            assert check(self.pool) is None, f"{name}: {check(self.pool)}"
        assert members_are_counted([self.pool], self.people) is None, members_are_counted([self.pool], self.people)
        assert self.ledger.check_supplies() is None


@pytest.fixture
def town(make_desk: Callable[..., Any]) -> Town:
    """A pool with plenty of capital."""
    return Town(make_desk(plans=[GENEROUS, LEAN]))


def test_options_are_numbered_pool_by_pool() -> None:
    options = Options([[GENEROUS, LEAN], [LEAN], [GENEROUS, LEAN]])
    assert options.pool.tolist() == [0, 0, 1, 2, 2]
    assert options.plan.tolist() == [0, 1, 0, 0, 1]
    assert options.of(slots(0, 1, 2, -1), slots(1, 0, 1, 1)).tolist() == [1, 2, 4, -1]
    assert options.several
    assert not Options([[LEAN], [LEAN]]).several


def test_a_pool_with_fewer_plans_is_padded_with_terms_that_pay_nothing() -> None:
    table = terms_table([[GENEROUS, LEAN], [LEAN]])
    assert table.shape == (2, 2, 8)
    assert not table[1, 1].any()


def test_members_and_premium_stand_in_the_books_of_their_plan(town: Town) -> None:
    assert town.enrol([0, 1, 2], [0, 1, 1]) == [True, True, True]
    assert town.people["plan"].tolist()[:3] == [0, 1, 1]
    assert town.pool.books.members.tolist() == [1, 2]
    assert town.pool.books.monthly_premium.tolist() == [MONTHS[0], 2 * MONTHS[1]]
    assert town.pool.active_cover == 10**12 + 2 * 10**11
    town.pay([0, 1], list(MONTHS))
    town.pool.accrue(9)
    assert town.pool.unearned.earned.tolist() == [MONTHS[0] // 3, MONTHS[1] // 3]
    assert town.pool.unearned.by_plan().tolist() == [MONTHS[0] * 2 // 3, MONTHS[1] * 2 // 3]
    town.check()


def test_each_pays_for_care_by_the_terms_of_his_plan(town: Town) -> None:
    town.enrol([0, 1], [0, 1])
    own, pooled = town.members.split(slots(0, 1), np.array([2000 * MICRO, 2000 * MICRO]), None, 3)
    assert own.tolist() == [200 * MICRO, 1200 * MICRO]
    assert pooled.tolist() == [1800 * MICRO, 800 * MICRO]


def test_claims_stand_in_the_books_of_their_plan(town: Town) -> None:
    town.enrol([0, 1], [0, 1])
    plans = np.array([0, 1], dtype=np.int8)
    amounts = np.array([500 * MICRO, 70 * MICRO])
    town.pool.report(0, amounts, np.zeros(2, dtype=np.int64), plans)
    assert town.pool.books.outstanding.tolist() == amounts.tolist()
    town.pool.release(1, amounts[1:], np.zeros(1, dtype=np.int64), plans[1:])
    town.pool.settle(1, slots(7), amounts[1:], slots(town.sponsor), "claim", None, plans[1:])
    assert town.pool.books.approved.tolist() == [0, 70 * MICRO]
    assert town.pool.books.outstanding.tolist() == [500 * MICRO, 0]
    assert int(town.pool.incurred_by_plan().sum()) == 570 * MICRO + town.pool.reserves.ibnr
    town.check()


def test_a_change_of_plan_in_mid_year_gives_back_what_is_not_earned(town: Town) -> None:
    """Ten of thirty days earned: two thirds go back to each payer, and the new plan's premium starts today."""
    town.enrol([0, 1], [0, 1])
    town.pay([0], [400 * MICRO], 200 * MICRO)
    town.pool.accrue(9)
    sponsor = town.ledger.balance(town.usd, town.sponsor)
    town.members.split(slots(0), np.array([1000 * MICRO]), None, 9)
    assert town.enrol([0], [1], day=10) == [True]
    assert town.cash(0) == 10**12 - 400 * MICRO + (400 * MICRO - 400 * MICRO * 10 // 30)
    assert town.ledger.balance(town.usd, town.sponsor) == sponsor + (200 * MICRO - 200 * MICRO * 10 // 30)
    people = town.people
    assert (people["plan"][0], people["cover_from"][0], people["paid_to"][0], people["oop_spent"][0]) == (1, 10, 10, 0)
    assert town.pool.books.members.tolist() == [0, 2]
    assert town.pool.unearned.total == 0
    town.check()
    town.pay([0], [MONTHS[1]])
    assert town.pool.unearned.by_plan().tolist() == [0, MONTHS[1]]
    town.check()


def test_a_renewal_of_the_same_plan_moves_no_money(town: Town) -> None:
    town.enrol([0], [0])
    town.pay([0], [MONTHS[0]])
    before = town.cash(0)
    assert town.enrol([0], [0], day=5) == [True]
    assert (town.cash(0), town.people["cover_from"][0]) == (before, 0)
    town.check()


def test_a_closed_plan_takes_nobody_and_keeps_nobody(town: Town) -> None:
    town.enrol([0], [0])
    town.members.base_rates[0] = 0
    assert town.members.offered(slots(0, 1)).tolist() == [[False, False], [True, True]]
    assert town.enrol([0, 1], [0, 0]) == [False, False]
    assert town.people["pool"].tolist()[:2] == [0, NO_POOL], "who is refused keeps what he had"
    assert town.enrol([0], [1]) == [True]
    town.check()


def test_plans_share_the_capacity_of_their_pool(make_desk: Callable[..., Any]) -> None:
    """Fixed ratio 0.25: 7,300 a year needs 1,825 of capital, 3,650 needs 912.5; in row order 2,800 carry two."""
    town = Town(make_desk(plans=[GENEROUS, LEAN]), capital=2_800 * MICRO)
    assert town.enrol([2, 0, 3], [1, 0, 1]) == [True, True, False]
    assert town.enrol([2], [0]) == [True], "a member may change its plan"
    town.check()


class Undo(Exception):
    """Ends a transaction."""


def test_a_rolled_back_change_of_plan_leaves_no_trace(town: Town) -> None:
    town.enrol([0, 1], [0, 1])
    town.pay([0, 1], list(MONTHS))
    before = ({name: town.people[name].copy() for name in town.people.names}, town.pool.books.state(), town.cash(0))

    def transaction() -> None:
        with town.ledger.atomic():
            town.enrol([0], [1], day=3)
            town.pay([0], [MONTHS[1]])
            town.pool.report(3, slots(9), slots(3), np.array([1]))
            town.pool.transfer_risk(0, 0)
            raise Undo

    with pytest.raises(Undo):
        transaction()
    for name, column in before[0].items():
        assert (town.people[name] == column).all(), name
    for now, then in zip(town.pool.books.state(), before[1], strict=True):
        assert (now == then).all()
    assert town.cash(0) == before[2]
    town.check()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 20), st.integers(1, 30), st.integers(0, 2)), min_size=1,
                max_size=12), st.integers(0, 50))
def test_premium_by_plan_adds_up_to_the_unit(rows: list[tuple[int, int, int, int]], until: int) -> None:
    """Whatever is written for three plans, each earns what it would earn alone."""
    premiums, starts, days, plans = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    together = UnearnedPremium(plans=3)
    together.write(premiums, starts, days, plans)
    earned = together.accrue(until)
    assert earned == int(together.earned.sum())
    assert earned + together.total == int(premiums.sum())
    for plan in range(3):
        alone, mine = UnearnedPremium(), plans == plan
        alone.write(premiums[mine], starts[mine], days[mine])
        assert alone.accrue(until) == together.earned[plan]
        assert alone.total == together.by_plan()[plan]
    back = together.cancel(premiums, starts, days, plans)
    assert int(back.sum()) + earned == int(premiums.sum())
    assert together.total == 0
