"""Committees are drawn by stake, without replacement, by permanent keys."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.oracle_committee.seats import NOBODY, draw_seats
from sim.kernel.draws import Draws

STREAM = Draws(3).decision("test.seats").stream


def keys(count, start=1):
    return np.arange(start, start + count, dtype=np.uint64)


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=12), st.integers(1, 9))
def test_nobody_sits_twice_or_without_stake(weights, size):
    weights = np.array(weights, dtype=np.int64)
    seats = draw_seats(STREAM, 4, keys(20), weights, size)
    eligible = int((weights > 0).sum())
    for row in seats:
        members = row[row != NOBODY]
        assert len(set(members.tolist())) == members.size == min(size, eligible)
        assert (weights[members] > 0).all()
        assert (row[members.size:] == NOBODY).all()


def test_probabilities_are_those_of_successive_draws():
    weights = np.array([5, 3, 2], dtype=np.int64)
    runs = 60_000
    seats = draw_seats(STREAM, 0, keys(runs), weights, 2)
    for first, second in itertools.permutations(range(3), 2):
        expected = weights[first] / 10 * weights[second] / (10 - weights[first])
        share = float(((seats[:, 0] == first) & (seats[:, 1] == second)).mean())
        assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / runs))


def test_stakes_of_very_different_size_are_drawn_exactly():
    weights = np.array([2**62, 1, 2**61], dtype=np.int64)
    seats = draw_seats(STREAM, 0, keys(5_000), weights, 2)
    assert (seats == 1).any(axis=1).mean() < 0.01
    assert float((seats[:, 0] == 0).mean()) == pytest.approx(2 / 3, abs=0.03)


def test_one_claim_more_moves_no_other_committee():
    weights = np.arange(1, 30, dtype=np.int64)
    few, many = draw_seats(STREAM, 2, keys(10), weights, 5), draw_seats(STREAM, 2, keys(11, start=0), weights, 5)
    assert (few == many[1:]).all()


def test_another_day_draws_another_committee():
    weights = np.ones(40, dtype=np.int64)
    assert (draw_seats(STREAM, 2, keys(10), weights, 5) != draw_seats(STREAM, 3, keys(10), weights, 5)).any()
