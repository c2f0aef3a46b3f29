"""Rates, compounding, and Aave's own cases through the contracts."""

import json

import pytest

from sim.contracts.credit.interest import RAY, YEAR_SECONDS, KinkedRate, growth, ray_pow, supply_rate, utilisation
from sim.verification.credit import answer, data, rows

CURVE = KinkedRate.of(0.8, 0.01, 0.04, 0.75)


@pytest.mark.parametrize("case", data()["vectors"], ids=lambda case: case["id"])
def test_aave(case):
    assert answer(case) == case["expected"], json.dumps(case)


def test_the_rate_bends_at_the_optimal_utilisation():
    assert CURVE.borrow_rate(0) == RAY // 100
    assert CURVE.borrow_rate(8 * RAY // 10) == 5 * RAY // 100
    assert CURVE.borrow_rate(RAY) == 80 * RAY // 100
    assert CURVE.borrow_rate(9 * RAY // 10) == pytest.approx((0.05 + 0.375) * RAY, rel=1e-12)


def test_nothing_lent_earns_nothing():
    assert utilisation(100, 0) == 0
    assert supply_rate(RAY, 0, 1000) == 0


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 31, 1000])
def test_powers_are_exact_to_a_few_rays(n):
    x = RAY + RAY // 1000
    assert abs(ray_pow(x, n) - (x**n // RAY ** max(n - 1, 0) if n else RAY)) <= 3 * n + 1


def test_a_year_in_one_step_or_two():
    rate, half = RAY // 3, YEAR_SECONDS // 2
    one = growth(rate, 2 * half)
    two = growth(rate, half) ** 2 // RAY
    assert abs(one - two) <= 10**10  # 10^-17 of it: far below a base unit of any debt here


def test_all_truths_of_the_topic_hold():
    assert [row.id for row in rows() if not row.verdict] == []
