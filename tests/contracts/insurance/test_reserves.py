"""Reserves: case reserve from the day of report, IBNR by Little's law, own lag experience, triangles."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contracts.insurance.reserves import LossTriangle, ReserveError, Reserves


def array(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_case_reserve_rises_at_report_and_falls_at_decision() -> None:
    reserves = Reserves(2.0, 100.0)
    reserves.report(5, array(100, 50), array(5, 3))
    assert reserves.outstanding == 150
    reserves.release(9, array(100), array(5))
    assert reserves.outstanding == 50
    with pytest.raises(ReserveError):
        reserves.release(9, array(51), array(3))
    assert reserves.outstanding == 50


def test_unreported_claims_are_rate_times_lag() -> None:
    reserves = Reserves(6.0, 100.0)
    for _ in range(400):
        reserves.expect(1000)
    assert reserves.ibnr == pytest.approx(6000, rel=1e-6)
    for _ in range(400):
        reserves.expect(0)
    assert reserves.ibnr == 0
    reserves.expect(1000)
    reserves.forget_unreported()
    assert reserves.ibnr == 0


def test_no_lag_means_nothing_unreported() -> None:
    reserves = Reserves(0.0, 10.0)
    reserves.expect(10**9)
    assert reserves.ibnr == 0


def test_the_pool_learns_its_own_lag() -> None:
    reserves = Reserves(2.0, 10.0)
    reserves.report(20, np.full(90, 1, dtype=np.int64), np.full(90, 10, dtype=np.int64))
    assert reserves.lag_days == pytest.approx((20.0 + 900.0) / 100.0)


def test_triangle_by_accident_and_development_month() -> None:
    triangle = LossTriangle(2)
    triangle.add_incurred(35, array(100, 10, 1), array(2, 29, 31))
    triangle.add_paid(100, array(7, 5), array(2, 99))
    triangle.add_incurred(100, array(-10), array(29))
    assert triangle.incurred[0, 1] == 110
    assert triangle.incurred[1, 0] == 1
    assert triangle.incurred[0, 3] == -10
    assert triangle.paid[0, 3] == 7
    assert triangle.paid[3, 0] == 5
    assert int(triangle.incurred.sum()) == 101
    copy = triangle.copy()
    triangle.add_paid(100, array(1), array(2))
    assert copy.paid[0, 3] == 7


def test_state_can_be_restored() -> None:
    reserves = Reserves(3.0, 10.0)
    reserves.expect(500)
    kept = reserves.state()
    reserves.report(4, array(9), array(1))
    reserves.expect(500)
    reserves.restore(kept)
    assert (reserves.outstanding, reserves.lag_days) == (0, 3.0)
    assert reserves.triangle.incurred.sum() == 0
    assert reserves.ibnr == 375
