"""Policy terms: tables of worked costs, and properties against a second, slow statement of the rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.insurance.policy import Terms, apply_terms, lump_sum, terms_table
from sim.kernel.fixedpoint import MICRO

PLAN = Terms("indemnity", 250 * MICRO, 2000, 2000 * MICRO, 1_000_000 * MICRO)
INPATIENT = 2


class Person:
    """Columns of one to a few people."""

    def __init__(self, people: int = 1, pool: int = 0, cover_from: int = 0) -> None:
        self.pool = np.full(people, pool, dtype=np.int16)
        self.plan = np.zeros(people, dtype=np.int8)
        self.cover_from = np.full(people, cover_from, dtype=np.int32)
        self.met, self.spent, self.used = (np.zeros(people, dtype=np.int64) for _ in range(3))

    def split(self, terms: Terms, costs: list[int], slots: list[int] | None = None, kind: int = -1,
              day: int = 0) -> tuple[list[int], list[int]]:
        where = np.zeros(len(costs), dtype=np.int64) if slots is None else np.array(slots, dtype=np.int64)
        own, paid = apply_terms(where, np.array(costs, dtype=np.int64), np.full(len(costs), kind, dtype=np.int8), day,
                                self.pool, self.plan, self.cover_from, self.met, self.spent, self.used,
                                terms_table([[terms]]))
        return own.tolist(), paid.tolist()


CASES = [
    # costs in dollars one after the other, patient's shares in dollars
    ([100], [100]),
    ([100, 150, 100], [100, 150, 20]),
    ([250, 1000], [250, 200]),
    ([9000], [2000]),                    # 250 + 20 % of 8750 = 2000: just the maximum
    ([20_000, 500], [2000, 0]),
    ([0, 300], [0, 260]),
    ([1_002_000, 100], [2000, 100]),     # the limit of 1 M is used up: the rest is the insured's
    ([1_002_500], [2500]),
]


@pytest.mark.parametrize(("costs", "own"), CASES)
def test_worked_costs(costs: list[int], own: list[int]) -> None:
    got, paid = Person().split(PLAN, [cost * MICRO for cost in costs])
    assert [amount / MICRO for amount in got] == own, costs
    assert [a + b for a, b in zip(got, paid, strict=True)] == [cost * MICRO for cost in costs]


def test_coinsurance_is_rounded_up_in_the_pools_favour() -> None:
    terms = Terms("indemnity", 0, 2000, 10**12, 10**12)
    assert Person().split(terms, [1, 4, 5, 6]) == ([1, 1, 1, 2], [0, 3, 4, 4])


def test_no_cover_and_cover_that_has_not_begun() -> None:
    assert Person(pool=-1).split(PLAN, [10**9]) == ([10**9], [0])
    assert Person(cover_from=5).split(PLAN, [10**9], day=4) == ([10**9], [0])


def test_persons_accumulate_apart() -> None:
    two = Person(people=2)
    own, _ = two.split(PLAN, [250 * MICRO] * 3, slots=[0, 1, 0])
    assert own == [250 * MICRO, 250 * MICRO, 50 * MICRO]
    assert two.met.tolist() == [250 * MICRO] * 2


def test_lump_sum_pays_once_and_after_waiting() -> None:
    terms = lump_sum(1000 * MICRO, 1500 * MICRO, waiting_days=30, triggers=1 << INPATIENT)
    person = Person(cover_from=10)
    cost = 70_000 * MICRO
    assert person.split(terms, [cost], kind=INPATIENT, day=39) == ([cost], [0])
    assert person.split(terms, [cost], kind=0, day=40) == ([cost], [0])
    assert person.split(terms, [cost], day=40) == ([cost], [0])
    assert person.split(terms, [cost] * 3, kind=INPATIENT, day=40) == ([cost] * 3, [1000 * MICRO, 500 * MICRO, 0])
    assert terms.pays_patient
    assert terms.sum_assured == 1500 * MICRO


def second_statement(terms: Terms, costs: list[int]) -> list[int]:
    """The pool's payments, from cumulative sums: what it owes for all so far, less what it paid before."""
    paid: list[int] = []
    met = spent = 0
    for cost in costs:
        under = max(min(cost, terms.deductible - met), 0)
        share, rest = divmod((cost - under) * terms.coinsurance_bps, 10_000)
        own = under + share + (rest > 0)
        own = own if spent + own <= terms.out_of_pocket_max else max(terms.out_of_pocket_max - spent, 0)
        paid.append(min(cost - own, terms.annual_limit - sum(paid)))
        met, spent = met + under, spent + own
    return paid


amounts = st.integers(0, 10**8)


@given(st.lists(st.integers(0, 10**9), max_size=12), amounts, st.integers(0, 10_000), amounts, st.integers(0, 10**10))
def test_against_the_second_statement(costs: list[int], deductible: int, bps: int, maximum: int, limit: int) -> None:
    terms = Terms("indemnity", deductible, bps, maximum, limit)
    person = Person()
    own, paid = person.split(terms, costs)
    assert paid == second_statement(terms, costs)
    assert [a + b for a, b in zip(own, paid, strict=True)] == costs
    assert person.spent[0] <= maximum
    assert sum(paid) <= limit
    assert person.met[0] <= deductible
    assert person.used[0] == sum(paid)
    again = Person()
    halves = [again.split(terms, part)[1] for part in (costs[: len(costs) // 2], costs[len(costs) // 2:])]
    assert halves[0] + halves[1] == paid, "rows of one call equal rows of two calls"
