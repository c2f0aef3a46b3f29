"""The two forms of exact arithmetic agree bit for bit, and the compiled one refuses what it cannot hold."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import MAX_INT64, isqrt, mul_div, mul_div_up, share_pot, sqrt_product

LONG = bool(os.environ.get("SALUS_LONG"))
VECTORS = 1_000_000 if LONG else 50_000
EDGES = [0, 1, 2, 3, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 3_037_000_499, 3_037_000_500, 2**53 + 1, 2**62, MAX_INT64]


@kernel
def in_kernel(a: int, b: int, d: int) -> tuple[int, int]:
    return mul_div(a, b, d), mul_div_up(a, b, d)


@kernel
def roots_in_kernel(a: int, b: int) -> tuple[int, int]:
    return isqrt(a), sqrt_product(a, b)


@kernel
def many(a: Any, b: Any, d: Any, out: Any) -> None:
    for i in range(a.size):
        out[0, i] = mul_div(a[i], b[i], d[i])
        out[1, i] = mul_div_up(a[i], b[i], d[i])
        out[2, i] = isqrt(a[i])
        out[3, i] = sqrt_product(a[i], b[i])


def of_all_sizes(rng: np.random.Generator, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Whole numbers whose lengths in bits are equally likely."""
    return rng.integers(0, 2**63, n) >> rng.integers(0, 63, n)


def test_batch_of_random_vectors_is_equal() -> None:
    rng = np.random.default_rng(12)
    a, b, d = (of_all_sizes(rng, VECTORS) for _ in range(3))
    exact = a.astype(object) * b.astype(object)
    d = np.maximum(d, 1)
    fits = np.array([product // divisor < MAX_INT64 for product, divisor in zip(exact, d.tolist(), strict=True)])
    assert 0.5 < fits.mean() < 1
    d[~fits] = MAX_INT64
    out = np.empty((4, VECTORS), dtype=np.int64)
    many(a, b, d, out)
    for i, (x, y, z) in enumerate(zip(a.tolist(), b.tolist(), d.tolist(), strict=True)):
        wanted = [x * y // z, -(-x * y // z), math.isqrt(x), math.isqrt(x * y)]
        assert out[:, i].tolist() == wanted, f"a={x} b={y} d={z}: {out[:, i].tolist()}, expected {wanted}"


def test_division_where_the_first_guess_of_a_digit_is_furthest_off() -> None:
    # A divisor whose upper half is least and lower half largest makes the guess of a digit two too high.
    rng = np.random.default_rng(4)
    tried = 0
    for shift in range(1, 32):
        divisor = (2**31 << 32 | 2**32 - 1) >> shift
        for a, quotient in rng.integers([2**61, 0], 2**63, (50, 2)).tolist():
            b = quotient * divisor // a
            if b <= MAX_INT64:
                tried += 1
                assert in_kernel(a, b, divisor) == (mul_div(a, b, divisor), mul_div_up(a, b, divisor)), (a, b, divisor)
    assert tried > 1000


@given(
    st.integers(0, MAX_INT64) | st.sampled_from(EDGES),
    st.integers(0, MAX_INT64) | st.sampled_from(EDGES),
    st.integers(1, MAX_INT64) | st.sampled_from(EDGES[1:]),
)
@settings(max_examples=2000 if LONG else 300, deadline=None)
def test_forms_agree_or_overflow(a: int, b: int, d: int) -> None:
    wanted = mul_div(a, b, d), mul_div_up(a, b, d)
    assert wanted == (a * b // d, (a * b + d - 1) // d)
    if wanted[1] > MAX_INT64:
        with pytest.raises(OverflowError):
            in_kernel(a, b, d)
    else:
        assert in_kernel(a, b, d) == wanted
    assert roots_in_kernel(a, b) == (isqrt(a), sqrt_product(a, b)) == (math.isqrt(a), math.isqrt(a * b))


@pytest.mark.parametrize("root", [1, 2, 3, 2**16, 2**31, 3_037_000_498, 3_037_000_499])
def test_square_roots_around_squares(root: int) -> None:
    for n in (root * root - 1, root * root, min(root * root + 2 * root, MAX_INT64)):
        assert roots_in_kernel(n, n) == (math.isqrt(n), n)


@pytest.mark.parametrize("root", [2**32 - 1, 2**32, 2**53 + 1, 2**62 - 1, 2**63 - 2])
def test_root_of_a_product_just_below_a_square(root: int) -> None:
    assert roots_in_kernel(root - 1, root + 1)[1] == root - 1
    assert roots_in_kernel(root, root)[1] == root


@pytest.mark.parametrize("form", [in_kernel, lambda a, b, d: (mul_div(a, b, d), mul_div_up(a, b, d))])
@pytest.mark.parametrize("arguments", [(-1, 1, 1), (1, -1, 1), (1, 1, 0), (1, 1, -1)])
def test_outside_the_domain(form: Any, arguments: tuple[int, int, int]) -> None:
    with pytest.raises(OverflowError):
        form(*arguments)


def test_quotient_of_exactly_63_bits() -> None:
    assert in_kernel(MAX_INT64, MAX_INT64, MAX_INT64) == (MAX_INT64, MAX_INT64)
    with pytest.raises(OverflowError):
        in_kernel(2**62, 2, 1)
    third = (2**64 - 1) // 3  # 3 * third / 2 = 2**63 - 1/2: the floor fits in 63 bits, the ceiling does not
    assert mul_div(3, third, 2) == MAX_INT64
    with pytest.raises(OverflowError):
        in_kernel(3, third, 2)


def test_interpreter_form_has_no_limit_and_no_wrapping() -> None:
    assert mul_div(10**40, 10**40, 10**30) == 10**50
    assert mul_div(np.int64(2**62), np.int64(2**62), np.int64(2**62)) == 2**62
    with pytest.raises(TypeError):
        mul_div(1.5, 2, 3)  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        isqrt(-1)
    with pytest.raises(OverflowError):
        sqrt_product(-1, 1)


# Exact sharing


@given(
    st.integers(0, MAX_INT64) | st.integers(0, 1000),
    st.lists(st.integers(0, 50) | st.integers(0, 2**58), max_size=20),
    st.randoms(use_true_random=False),
)
@settings(max_examples=1000 if LONG else 150, deadline=None)
def test_sharing_is_exact_and_fair(pot: int, claims: list[int], random: Any) -> None:
    order = np.array([random.getrandbits(64) for _ in claims], dtype=np.uint64)
    shares = share_pot(pot, np.array(claims, dtype=np.int64), order).tolist()
    total = sum(claims)
    assert sum(shares) == min(pot, total)
    for share, claim in zip(shares, claims, strict=True):
        assert 0 <= share <= claim
        if pot < total:
            assert abs(share * total - pot * claim) < total  # within one unit of the exact share


def test_sharing_by_prefix_sums_in_hashed_order() -> None:
    # In the order 2, 0, 1 a pot of 7 reaches floor(7 * 3/9) = 2, floor(7 * 6/9) = 4 and 7. 10 is too much.
    claims, order = np.array([3, 3, 3]), np.array([5, 9, 1], dtype=np.uint64)
    assert share_pot(10, claims, order).tolist() == [3, 3, 3]
    assert share_pot(7, claims, order).tolist() == [2, 3, 2]
    assert share_pot(0, claims, order).tolist() == [0, 0, 0]
    assert share_pot(MAX_INT64 - 1, np.array([MAX_INT64]), order[:1]).tolist() == [MAX_INT64 - 1]


def test_sharing_does_not_write_to_its_input() -> None:
    claims = np.array([4, 5])
    shares = share_pot(100, claims, np.array([1, 2], dtype=np.uint64))
    shares[0] = 0
    assert claims.tolist() == [4, 5]


@pytest.mark.parametrize("pot", [-1, 2**63])
def test_sharing_refuses_a_pot_out_of_range(pot: int) -> None:
    with pytest.raises(OverflowError):
        share_pot(pot, np.array([1]), np.array([1], dtype=np.uint64))


@pytest.mark.parametrize("claims", [[-1, 5], [MAX_INT64, 1]])
def test_sharing_refuses_bad_claims(claims: list[int]) -> None:
    with pytest.raises(OverflowError):
        share_pot(1, np.array(claims), np.array([1, 2], dtype=np.uint64))


def test_sharing_refuses_other_lengths() -> None:
    with pytest.raises(ValueError):
        share_pot(1, np.array([1, 2]), np.array([1], dtype=np.uint64))
