"""Power indices, concentration measures, quadratic rules and token schedules."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.governance import concentration, token
from sim.contracts.governance.power_index import banzhaf, shapley_shubik
from sim.contracts.governance.vote_rules import quadratic_funding, quadratic_votes, token_weighted
from sim.verification.governance import rows

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=7)


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.id} {row.statement}")
def test_truths(row):
    assert row.verdict, row


@given(weights.filter(lambda w: sum(w) > 0))
def test_power_indices_sum_to_one_and_follow_weight(game):
    quota = sum(game) // 2 + 1
    for index in (shapley_shubik(quota, game), banzhaf(quota, game)):
        assert sum(index) == 1
        ordered = [power for _, power in sorted(zip(game, index, strict=True))]
        assert ordered == sorted(ordered)


def test_a_dictator_has_all_power_and_a_dummy_none():
    assert shapley_shubik(60, (60, 39, 1)) == [1, 0, 0]
    assert banzhaf(100, (60, 39, 1)) == [Fraction(1, 3)] * 3
    assert banzhaf(200, (1, 1)) == [0, 0]
    with pytest.raises(ValueError, match="too many"):
        shapley_shubik(1, [1] * 21)


@given(weights)
def test_measures_stay_in_their_range(holdings):
    n, total = len(holdings), sum(holdings)
    assert -1e-12 <= concentration.gini(holdings) <= (n - 1) / n + 1e-12
    assert 0 <= concentration.nakamoto(holdings) <= n
    assert concentration.top_share(holdings, n) == pytest.approx(1.0 if total else 0.0)
    if total:
        assert 1 / n - 1e-12 <= concentration.herfindahl(holdings) <= 1 + 1e-12
        k = concentration.nakamoto(holdings)
        ordered = sorted(holdings, reverse=True)
        assert 2 * sum(ordered[:k]) > total >= 2 * sum(ordered[:k - 1])


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="negative"):
        concentration.gini([1, -1])


@given(st.integers(0, 10**30))
def test_quadratic_votes_never_exceed_the_exact_root(power):
    votes = quadratic_votes(power)
    assert votes * votes <= power < (votes + 1) ** 2
    assert token_weighted(power) == power


@given(st.lists(st.integers(0, 10**12), max_size=6))
def test_quadratic_funding_lies_between_sum_and_n_times_sum(contributions):
    total = quadratic_funding(contributions)
    assert sum(contributions) - 1 <= total <= len(contributions) * sum(contributions)


def test_genesis_sums_to_the_supply():
    parts = token.genesis(10**14 + 7, {"community": 4000, "treasury": 2500, "team": 2000, "rewards": 1500})
    assert sum(parts.values()) == 10**14 + 7
    assert parts["community"] == 4 * 10**13 + 2
    with pytest.raises(ValueError, match="not 10000"):
        token.genesis(100, {"community": 9999})


@pytest.mark.parametrize(("day", "released"), [(0, 0), (1, 0), (2, 1), (5, 3), (7, 4), (10, 6), (11, 7), (99, 7)])
def test_linear_vesting(day, released):
    assert token.vested(7, day, 11) == released


@pytest.mark.parametrize(("day", "released"), [
    (0, 0), (1, 50), (10, 500), (11, 525), (20, 750), (30, 875), (100, 1000), (-3, 0)])
def test_emission_halves(day, released):
    """1000 units that halve every 10 days: 500, 250, 125 ... (the last digit is floored in the account's favour)."""
    assert token.emitted(1000, day, 10) == pytest.approx(released, abs=1)


def test_emission_never_passes_its_total_nor_falls():
    released = [token.emitted(15 * 10**12, day, 730) for day in range(0, 20_000, 7)]
    assert released == sorted(released)
    assert released[-1] < 15 * 10**12
    assert token.emitted(15 * 10**12, 730, 730) == 75 * 10**11


@given(st.integers(1, 10), st.floats(0.3, 0.9), st.lists(st.floats(0.01, 100.0), min_size=12, max_size=60))
def test_concentrated_holdings(top, share, sizes):
    pot = 4 * 10**13
    holdings = token.concentrated_holdings(pot, top, share, np.array(sizes))
    assert holdings.sum() == pot
    assert holdings.min() >= 0
    assert np.all(np.diff(holdings[:top]) <= 0)
    assert concentration.top_share(holdings, top) >= share - 1e-6


def test_the_ten_largest_hold_their_share():
    sizes = np.exp(np.random.default_rng(1).normal(0.0, 1.5, 700))
    holdings = token.concentrated_holdings(4 * 10**13, 10, 0.52, sizes)
    assert concentration.top_share(holdings, 10) == pytest.approx(0.52, abs=1e-6)
