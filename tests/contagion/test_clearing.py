"""Clearing: closed cases, and for random networks what makes a vector the greatest clearing vector."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from sim.contagion.clearing import Clearing, clear, clearing_vector
from sim.contagion.debts import BadDebts
from sim.kernel.fixedpoint import MICRO, share_pot

Market = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Debtors, creditors, amounts, cash, seniority."""


@st.composite
def markets(draw: Any, largest: int = 8, most: int = 10**13, classes: int = 3) -> Market:
    """A random network; small amounts are as frequent as large ones, so that rounding matters."""
    count = draw(st.integers(2, largest))
    scale = draw(st.sampled_from([3, 40, 10**6, most]))
    rows = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(1, count - 1), st.integers(0, scale),
                                   st.integers(0, classes - 1)), max_size=4 * count))
    debtors = np.array([i for i, _, _, _ in rows], dtype=np.int64)
    creditors = np.array([(i + step) % count for i, step, _, _ in rows], dtype=np.int64)
    amounts = np.array([amount for _, _, amount, _ in rows], dtype=np.int64)
    seniority = np.array([rank for _, _, _, rank in rows], dtype=np.int64)
    cash = np.array(draw(st.lists(st.integers(0, 2 * scale), min_size=count, max_size=count)), dtype=np.int64)
    return debtors, creditors, amounts, cash, seniority


SHARES = st.sampled_from([(1.0, 1.0), (0.7, 0.7), (0.5, 0.9), (0.0, 1.0), (1.0, 0.0), (0.123456, 0.999999)])


def floored(market: Market, alpha: float, beta: float, received: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Payments by debt, rounded down where a debtor ``failed``, given what all receive: the integer map in Python."""
    debtors, _, amounts, cash, seniority = market
    paid = [int(amount) for amount in amounts]
    for i in np.flatnonzero(failed):
        left = int(cash[i]) * round(alpha * MICRO) // MICRO + int(received[i]) * round(beta * MICRO) // MICRO
        for rank in sorted(set(seniority[debtors == i].tolist())):
            rows = np.flatnonzero((debtors == i) & (seniority == rank))
            owed = sum(int(amounts[e]) for e in rows)
            part = min(left, owed)
            left -= part
            for e in rows:
                paid[e] = int(amounts[e]) * part // owed if owed else 0
    return np.array(paid, dtype=np.int64)


def totals(at: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    out = np.zeros(count, dtype=values.dtype)
    np.add.at(out, at, values)
    return out


def from_above(market: Market, alpha: float, beta: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(payments rounded down, receipts, failed) by the plain iteration from full payment, no guess in between."""
    debtors, creditors, amounts, cash, _ = market
    owed, received = totals(debtors, amounts, cash.size), totals(creditors, amounts, cash.size)
    failed = np.zeros(cash.size, dtype=bool)
    while True:
        failed |= cash + received < owed
        paid = floored(market, alpha, beta, received, failed)
        following = np.minimum(received, totals(creditors, paid, cash.size))
        if (following == received).all() and not (~failed & (cash + received < owed)).any():
            return paid, received, failed
        received = following


# What is there, priority, proportionality -----------------------------------------------------------------------


@given(markets(), SHARES)
def test_nobody_pays_more_than_it_has_and_estates_are_paid_out_to_the_unit(
    market: Market, shares: tuple[float, float],
) -> None:
    debtors, creditors, amounts, cash, seniority = market
    found = clear(*market[:4], seniority, *shares)
    assert (found.paid >= 0).all()
    assert (found.paid <= amounts).all()
    paid_by = totals(debtors, found.paid, cash.size)
    assert np.array_equal(paid_by, found.payment)
    assert np.array_equal(totals(creditors, found.paid, cash.size), found.received)
    assert np.array_equal(paid_by == found.owed, ~found.defaulted) or (found.owed[found.defaulted] > 0).all()
    _, counted, failed = from_above(market, *shares)
    assert np.array_equal(found.defaulted, failed)
    for i in range(cash.size):
        if failed[i]:
            alpha, beta = (round(share * MICRO) for share in shares)
            estate = int(cash[i]) * alpha // MICRO + int(counted[i]) * beta // MICRO
            assert paid_by[i] == estate
        else:
            assert paid_by[i] == found.owed[i]
    dust = found.received - counted
    assert (dust >= 0).all()
    assert (dust <= np.bincount(creditors, minlength=cash.size)).all()
    assert (found.equity(cash)[failed] == dust[failed]).all()
    assert (found.equity(cash) >= 0).all()


@given(markets(), SHARES)
def test_senior_debts_are_paid_first_and_a_class_is_paid_pro_rata_to_the_unit(
    market: Market, shares: tuple[float, float],
) -> None:
    debtors, _, amounts, cash, seniority = market
    found = clear(*market[:4], seniority, *shares)
    for i in range(cash.size):
        exhausted = False
        for rank in sorted(set(seniority[debtors == i].tolist())):
            rows = (debtors == i) & (seniority == rank)
            owed, paid = int(amounts[rows].sum()), int(found.paid[rows].sum())
            assert paid == 0 or not exhausted
            exhausted = exhausted or paid < owed
            for amount, got in zip(amounts[rows].tolist(), found.paid[rows].tolist(), strict=True):
                assert abs(got * owed - amount * paid) < max(owed, 1)


@given(markets(classes=1), st.randoms(use_true_random=False))
def test_dust_falls_by_the_rule_of_share_pot(market: Market, random: Any) -> None:
    debtors, _, amounts, _, _ = market
    order = np.array([random.getrandbits(64) for _ in amounts], dtype=np.uint64)
    found = clear(*market[:4], order=order)
    for i in np.flatnonzero(found.defaulted):
        rows = debtors == i
        assert np.array_equal(found.paid[rows], share_pot(int(found.payment[i]), amounts[rows], order[rows]))


@given(markets(), SHARES)
def test_equity_is_conserved_up_to_bankruptcy_costs(market: Market, shares: tuple[float, float]) -> None:
    found = clear(*market[:4], market[4], *shares)
    assert int(found.equity(market[3]).sum()) + int(found.cost.sum()) == int(market[3].sum())
    assert (found.cost >= 0).all()
    assert (found.cost[~found.defaulted] == 0).all()
    if shares == (1.0, 1.0):
        assert not found.cost.any()


# Greatest -------------------------------------------------------------------------------------------------------


@given(markets(), SHARES)
def test_it_is_the_fixed_point_that_the_plain_iteration_from_above_ends_in(
    market: Market, shares: tuple[float, float],
) -> None:
    paid, _, failed = from_above(market, *shares)
    found = clear(*market[:4], market[4], *shares)
    assert np.array_equal(found.defaulted, failed)
    assert (found.paid >= paid).all()
    assert (found.paid <= paid + 1).all()


@given(markets(largest=3, most=40), SHARES)
def test_no_greater_fixed_point_exists(market: Market, shares: tuple[float, float]) -> None:
    """Every vector of receipts of a tiny market is tried: none that reproduces itself exceeds the one found."""
    debtors, creditors, amounts, cash, seniority = market
    small = (debtors, creditors, np.minimum(amounts, 3), np.minimum(cash, 3), seniority)
    owed, due = totals(debtors, small[2], cash.size), totals(creditors, small[2], cash.size)
    greatest = np.full(cash.size, -1)
    for receipts in itertools.islice(itertools.product(*(range(int(most) + 1) for most in due)), 4000):
        received = np.array(receipts, dtype=np.int64)
        paid = floored(small, *shares, received, small[3] + received < owed)
        if np.array_equal(totals(creditors, paid, cash.size), received):
            greatest = np.maximum(greatest, received)
    assert (from_above(small, *shares)[1] >= greatest).all()
    found = clear(*small[:4], seniority, *shares)
    assert (found.received >= greatest).all()


@given(markets(classes=1))
def test_a_linear_programme_finds_no_greater_vector(market: Market) -> None:
    """Eisenberg & Noe 2001, lemma 4: without costs the greatest vector maximises the sum of what is paid."""
    debtors, creditors, amounts, cash, _ = market
    unit = 1.0 / max(1, int(amounts.max(initial=1)))
    found = clearing_vector(debtors, creditors, amounts * unit, cash * unit)
    owed = totals(debtors, amounts * unit, cash.size)
    shares = np.zeros((cash.size, cash.size))
    np.add.at(shares, (creditors, debtors), amounts * unit / np.where(owed > 0, owed, 1.0)[debtors])
    best = linprog(-np.ones(cash.size), A_ub=np.eye(cash.size) - shares, b_ub=cash * unit,
                   bounds=[(0.0, float(most)) for most in owed], method="highs")
    assert best.success
    assert found.payment.sum() == pytest.approx(-best.fun, abs=1e-6)


# Floats and units -----------------------------------------------------------------------------------------------


@given(markets(most=10**15))
def test_units_stay_within_what_rounding_can_do_to_floats(market: Market) -> None:
    """Each rounding takes less than a unit out of the system; what it can do to payments is bounded by the multiplier
    (I - M')^-1 of the failed."""
    debtors, creditors, amounts, cash, _ = market
    exact, units = clearing_vector(*market[:4]), clear(*market[:4])
    if not np.array_equal(exact.defaulted, units.defaulted):
        return  # somebody was solvent to within a unit
    failed = np.flatnonzero(units.defaulted)
    shares = np.zeros((cash.size, cash.size))
    np.add.at(shares, (creditors, debtors), amounts / np.maximum(units.owed, 1)[debtors])
    multiplier = np.linalg.inv(np.eye(failed.size) - shares[np.ix_(failed, failed)]).sum(axis=1).max(initial=1.0)
    off = np.abs(exact.payment - units.payment).max()
    assert off <= multiplier * (np.bincount(creditors, minlength=cash.size).max(initial=1) + 1) + 1e-9 * amounts.sum()


@given(markets(), SHARES, st.randoms(use_true_random=False))
def test_order_of_institutions_and_debts_does_not_matter(
    market: Market, shares: tuple[float, float], random: Any,
) -> None:
    debtors, creditors, amounts, cash, seniority = market
    order = np.array(random.sample(range(10**6), amounts.size), dtype=np.uint64)  # ties would go by position
    name = np.array(random.sample(range(cash.size), cash.size))
    rows = np.array(random.sample(range(amounts.size), amounts.size), dtype=np.int64)
    moved_cash = np.empty_like(cash)
    moved_cash[name] = cash
    found = clear(*market[:4], seniority, *shares, order=order)
    moved = clear(name[debtors][rows], name[creditors][rows], amounts[rows], moved_cash, seniority[rows], *shares,
                  order=order[rows])
    assert np.array_equal(moved.paid, found.paid[rows])
    for values in ("wave", "payment", "received", "cost"):
        assert np.array_equal(getattr(moved, values)[name], getattr(found, values))


# Closed cases ---------------------------------------------------------------------------------------------------


def in_edges(matrix: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    debtors, creditors = np.nonzero(matrix)
    return debtors, creditors, np.array(matrix)[debtors, creditors]


def test_second_round_failures_are_told_from_first() -> None:
    edges = in_edges([[0, 6, 4, 5], [5, 0, 3, 4], [2, 4, 0, 6], [0, 0, 0, 0]])
    found = clearing_vector(*edges, [4, 2, 5, 0])
    assert found.waves == [[0], [1, 2]]
    assert found.payment == pytest.approx([75 / 8, 9, 39 / 4, 0], abs=1e-12)


@pytest.mark.parametrize("seniority", [None, [0, 0, 0, 0, 1]])
def test_a_circle_that_leaks_a_millionth_is_solved_and_not_walked(seniority: list[int] | None) -> None:
    """Three institutions owe each other nearly all: plain iteration needs some ten million steps."""
    million = 10**6
    debtors, creditors = np.array([0, 1, 2, 2, 0]), np.array([1, 2, 0, 3, 3])
    amounts = np.array([million, million, million, 1, 5])
    found = clearing_vector(debtors, creditors, amounts, [0.0, 0.0, 0.0, 0.0], seniority)
    assert found.payment == pytest.approx([0, 0, 0, 0], abs=1e-6)
    cash = [0, 0, Fraction(1, 2), 0]
    found = clearing_vector(debtors, creditors, amounts, [float(money) for money in cash], seniority)
    # half a unit of outside money must leave the circle: by 2, 1 in million and 1, and by 0, 5 in million and 5
    if seniority is None:
        x = Fraction(1, 2) / (1 - Fraction(million, million + 1) * Fraction(million, million + 5))
        assert found.payment[2] == pytest.approx(float(x), rel=1e-9)
    else:
        assert found.payment[2] == pytest.approx(float(Fraction(million + 1, 2)), rel=1e-9)


def test_multiplicity_is_resolved_upwards() -> None:
    """Two that owe each other the same and have nothing: paying nothing clears too, paying all is greatest."""
    found = clear([0, 1], [1, 0], [100, 100], [0, 0], alpha=0.5, beta=0.5)
    assert found.paid.tolist() == [100, 100]
    assert not found.defaulted.any()


def test_rounding_alone_fails_nobody_who_is_paid_in_full() -> None:
    found = clear([0, 0, 0, 1], [1, 2, 3, 0], [1, 1, 1, 1], [2, 0, 0, 0])
    assert found.waves == []


def test_a_single_unit_that_is_lacking_fails() -> None:
    """Too little for floats to see; and a unit that rounding keeps: two estates owe 1 half a unit each."""
    found = clear([0, 1], [1, 2], [2**60, 2**60], [2**60 - 1, 0, 0])
    assert found.waves == [[0], [1]]
    assert found.payment.tolist() == [2**60 - 1, 2**60 - 1, 0]
    found = clear([0, 0, 3, 3, 1], [1, 2, 1, 2, 4], [1] * 5, [1, 0, 0, 1, 0])
    assert found.waves == [[0, 3], [1]]
    assert clearing_vector([0, 0, 3, 3, 1], [1, 2, 1, 2, 4], [1] * 5, [1, 0, 0, 1, 0]).waves == [[0, 3]]


def test_large_amounts_do_not_overflow() -> None:
    most = 2**61
    found = clear([0, 1], [1, 2], [most, most], [most - 12345, 0, 0], alpha=0.999999)
    assert found.payment[0] == (most - 12345) * 999_999 // MICRO
    assert found.waves == [[0], [1]]
    with pytest.raises(BadDebts, match="64 bits"):
        clear([0, 1], [1, 2], [2**62, 2**62], [0, 0, 0])


@pytest.mark.parametrize(("arguments", "sentence"), [
    (([0], [1], [1], [1]), "between 0 and 0"),
    (([0], [0], [1], [1, 1]), "owe itself"),
    (([0], [1], [-1], [1, 1]), "must not be negative"),
    (([0], [1], [0.5], [1, 1]), "whole base units"),
    (([0], [1, 0], [1], [1, 1]), "1 debtors but 2 creditors"),
    (([0], [1], [1], [1, 1], [0, 1]), "seniority"),
    (([0], [1], [1], [1, 1], None, 1.5), "alpha must lie"),
])
def test_what_is_no_market_is_refused(arguments: Any, sentence: str) -> None:
    with pytest.raises(BadDebts, match=sentence):
        clear(*arguments)


def test_nothing_owed_clears() -> None:
    found: Clearing = clear([], [], [], [5, 0])
    assert found.waves == []
    assert found.equity([5, 0]).tolist() == [5, 0]
