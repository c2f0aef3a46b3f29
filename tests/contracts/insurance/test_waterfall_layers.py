"""Waterfall: order of the layers, parts that add up to the unit, pro-rata shortfall, a contractual layer in front."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.insurance.waterfall import Layer, MoneyLayer, run_waterfall, sharing_order
from sim.kernel.ledger import Ledger

NAMES = ("claims", "surplus", "junior", "senior")


def layers(*balances: int) -> list[Layer]:
    ledger = Ledger(institutions=16, people=0)
    usd = ledger.asset("USDs")
    made: list[Layer] = []
    for name, balance in zip(NAMES, balances, strict=False):
        account = ledger.open_account(name, "insurers")
        ledger.mint(usd, account, balance, "endowment")
        made.append(MoneyLayer(name, ledger, usd, account))
    return made


def run(claims: list[int], *balances: int) -> tuple[list[list[int]], list[int]]:
    amounts = np.array(claims, dtype=np.int64)
    result = run_waterfall(layers(*balances), amounts, sharing_order(np.arange(len(claims))))
    assert result.by_layer == tuple(result.parts.sum(axis=1).tolist())
    assert result.unpaid_total == int(result.unpaid.sum())
    return result.parts.tolist(), result.unpaid.tolist()


def test_layers_bear_in_order() -> None:
    assert run([100], 30, 20, 40, 500) == ([[30], [20], [40], [10]], [0])
    assert run([10], 30, 20, 40, 500) == ([[10], [0], [0], [0]], [0])
    assert run([100], 30, 20, 40, 5) == ([[30], [20], [40], [5]], [5])
    assert run([], 30, 20, 40, 5) == ([[], [], [], []], [])


def test_equal_priority_shares_a_shortfall_pro_rata() -> None:
    parts, unpaid = run([1000, 3000], 800, 0, 0, 1200)
    assert parts[0] == [200, 600]
    assert parts[3] == [300, 900]
    assert unpaid == [500, 1500]


class QuotaShare:
    """A treaty in front of the pool's own money: it bears a third of each claim, floored."""

    name = "reinsurance"

    def __init__(self, account: int) -> None:
        self.account = account

    def bear(self, remaining: np.ndarray, order: np.ndarray) -> np.ndarray:
        third: np.ndarray = remaining // 3
        return third


def test_a_contractual_layer_slots_in_at_the_front() -> None:
    own = layers(50, 0, 0, 0)
    result = run_waterfall([QuotaShare(99), *own], np.array([100, 11]), sharing_order(np.arange(2)))
    assert result.layers[0] == "reinsurance"
    assert result.parts[0].tolist() == [33, 3]
    assert result.parts[1].sum() == 50
    assert result.unpaid.sum() == 111 - 36 - 50


class Greedy(QuotaShare):
    def bear(self, remaining: np.ndarray, order: np.ndarray) -> np.ndarray:
        more: np.ndarray = remaining + 1
        return more


def test_a_layer_that_bears_too_much_is_caught() -> None:
    with pytest.raises(AssertionError, match="bears more"):
        run_waterfall([Greedy(1)], np.array([5]), sharing_order(np.arange(1)))


amounts = st.integers(0, 10**12)


@given(st.lists(amounts, max_size=10), st.tuples(amounts, amounts, amounts, amounts))
def test_parts_and_rest_add_up_to_each_claim(claims: list[int], balances: tuple[int, int, int, int]) -> None:
    parts, unpaid = run(claims, *balances)
    for column, claim in enumerate(claims):
        assert sum(row[column] for row in parts) + unpaid[column] == claim
    left = sum(claims)
    for row, balance in zip(parts, balances, strict=True):
        assert sum(row) == min(balance, left), "each layer gives all it has before the next is asked"
        left -= sum(row)
    total, short = sum(claims), sum(unpaid)
    for claim, rest in zip(claims, unpaid, strict=True):
        exact = claim * short / total if total else 0
        assert abs(rest - exact) <= 4 + 1e-9 * exact, "within one unit per layer of its exact share"


def test_no_two_claims_have_one_place_in_the_order() -> None:
    order = sharing_order(np.arange(10_000))
    assert np.unique(order).size == 10_000
    assert order.dtype == np.uint64
