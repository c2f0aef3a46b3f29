"""Uniswap's own numbers, on integers of any size."""

import pytest

from sim.verification import amm_vectors

CASES = amm_vectors.data()["vectors"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_vector(case):
    got = amm_vectors.answer(case)
    assert got == case["expected"], f"{case['rule']} {case['inputs']}: expected {case['expected']}, got {got}"


def test_every_rule_is_asked():
    assert {case["rule"] for case in CASES} == set(amm_vectors.RULES)
