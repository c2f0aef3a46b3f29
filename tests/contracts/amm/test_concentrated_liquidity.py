"""A v3 swap step: rounding for the pool, agreement with the constant product between two prices."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.amm.concentrated_liquidity import Q96, swap_step

PRICES = st.integers(1 << 80, 1 << 112)
LIQUIDITY = st.integers(10**6, 10**30)
AMOUNTS = st.integers(-(10**30), 10**30)
FEES = st.integers(0, 100_000)


@given(PRICES, PRICES, LIQUIDITY, AMOUNTS, FEES)
def test_a_step_never_passes_its_target_nor_its_amount(
    price: int, target: int, liquidity: int, remaining: int, fee: int
) -> None:
    step = swap_step(price, target, liquidity, remaining, fee)
    assert min(price, target) <= step.sqrt_price <= max(price, target)
    assert step.amount_in >= 0
    assert step.amount_out >= 0
    assert step.fee >= 0
    if remaining >= 0:
        assert step.amount_in + step.fee <= remaining
    else:
        assert step.amount_out <= -remaining


@given(PRICES, PRICES, LIQUIDITY, st.integers(1, 10**30))
def test_no_free_round_trip(price: int, target: int, liquidity: int, amount: int) -> None:
    there = swap_step(price, target, liquidity, amount, 0)
    back = swap_step(there.sqrt_price, price, liquidity, there.amount_out, 0)
    assert back.amount_out <= there.amount_in


def test_it_is_the_constant_product_curve() -> None:
    liquidity, price = 10**24, Q96
    step = swap_step(price, price // 2, liquidity, 10**22, 3000)
    net = 10**22 * 0.997
    assert step.amount_out == pytest.approx(10**24 * net / (10**24 + net), rel=1e-12)
    assert math.isclose(step.fee, 10**22 * 0.003, rel_tol=1e-12)


def test_without_liquidity_nothing_trades() -> None:
    with pytest.raises(ValueError, match="positive"):
        swap_step(Q96, Q96 // 2, 0, 1, 0)
