"""The base fee rule against EIP-1559, computed here from the formula of its specification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chain.blocks import next_base_fee as compiled
from sim.chain.fee_market import next_base_fee, transaction_fee


def specification(parent_base_fee: int, parent_gas_used: int, parent_gas_limit: int) -> int:
    """EIP-1559 ``expected_base_fee_per_gas``, with its own constants and order of divisions."""
    target = parent_gas_limit // 2
    if parent_gas_used == target:
        return parent_base_fee
    if parent_gas_used > target:
        product = parent_base_fee * (parent_gas_used - target)
        return parent_base_fee + max(product // target // 8, 1)
    product = parent_base_fee * (target - parent_gas_used)
    return parent_base_fee - product // target // 8


# (base fee, gas used, next base fee) at a limit of 30M, worked by hand from the formula.
WORKED = [
    (1_000_000_000, 15_000_000, 1_000_000_000),
    (1_000_000_000, 30_000_000, 1_125_000_000),
    (1_000_000_000, 0, 875_000_000),
    (1_000_000_000, 22_500_000, 1_062_500_000),
    (1_000_000_000, 15_000_001, 1_000_000_008),
    (1_000_000_000, 14_999_999, 999_999_992),
    (20_000_000_000, 16_234_567, 20_205_761_166),
    (7, 0, 7),
    (8, 0, 7),
    (1, 30_000_000, 2),
    (7, 15_000_001, 8),
    (100, 14_999_999, 100),
]


@pytest.mark.parametrize(("base_fee", "used", "expected"), WORKED)
def test_worked_values(base_fee: int, used: int, expected: int) -> None:
    assert specification(base_fee, used, 30_000_000) == expected
    assert next_base_fee(base_fee, used, 15_000_000, 8) == expected
    assert compiled(base_fee, used, 15_000_000, 8) == expected


@given(st.integers(1, 10**15), st.integers(0, 30_000_000))
def test_equals_the_specification(base_fee: int, used: int) -> None:
    expected = specification(base_fee, used, 30_000_000)
    assert next_base_fee(base_fee, used, 15_000_000, 8) == expected
    assert compiled(base_fee, used, 15_000_000, 8) == expected


@given(st.integers(1, 10**13), st.integers(10**6, 10**9), st.integers(2, 250), st.floats(0, 6))
def test_forms_agree_for_any_chain(base_fee: int, target: int, denominator: int, fullness: float) -> None:
    used = int(target * fullness)
    after = next_base_fee(base_fee, used, target, denominator)
    assert compiled(base_fee, used, target, denominator) == after
    assert after >= 1
    assert after - base_fee <= max(1, base_fee * max(used - target, 0) // (target * denominator))
    assert (base_fee - after) * denominator <= base_fee


def test_full_blocks_double_the_base_fee_in_six_blocks_and_never_move_it_faster() -> None:
    base_fee = 10**9
    for _ in range(6):
        base_fee = compiled(base_fee, 30_000_000, 15_000_000, 8)
    assert base_fee == 2_027_286_528  # 1.125 ** 6 = 2.0273, floored at each block


def test_beyond_63_bits_the_compiled_form_refuses() -> None:
    with pytest.raises(OverflowError):
        compiled(2**62, 2**62, 1, 8)


@pytest.mark.parametrize(
    ("gas", "gas_price", "data_wei", "coin_micro", "expected"),
    [
        (150_000, 20 * 10**9, 0, 3_000_000_000, 9_000_000),    # 0.003 coins at $3,000
        (21_000, 1, 0, 3_000_000_000, 1),                      # rounded up, against the sender
        (21_000, 1, 1, 3_000_000_000, 2),                      # the data on its own as well
        (150_000, 11_000_000, 750_000_000_000, 3_000_000_000, 4_950 + 2_250),
    ],
)
def test_transaction_fee(gas: int, gas_price: int, data_wei: int, coin_micro: int, expected: int) -> None:
    assert transaction_fee(gas, gas_price, data_wei, coin_micro) == expected
