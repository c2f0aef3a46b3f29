"""Prices and beliefs: RULES' formula, layers of a lognormal cost, what a capital regime sees of a treaty."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.agents.reinsurance_pricing import Belief, CostLaw, Outlook, ceded_year, next_hardness, outlook, price
from sim.contracts.insurance.capital import NOTHING_CEDED, Book, CapitalParameters, regime
from sim.contracts.insurance.treaties import SHARE, UNLIMITED, Layer
from sim.kernel.fixedpoint import MICRO

LAW = CostLaw.of(6719.0, 1100.0, 0.133)
BELIEF = Belief(1000, 5_000_000.0, LAW, 3.93846, 0.05, 0.02, 0.15)


def test_price_is_expected_loss_plus_lambda_standard_deviations_of_a_total_loss() -> None:
    view = Outlook(2.0, 10.0, 90.0, 1000.0)
    assert price(view, "standard_deviation", 0.4, 0.08, 1.0) == pytest.approx(2 + 400 * math.sqrt(0.002 * 0.998))
    assert price(view, "cost_of_capital", 0.4, 0.08, 1.0) == pytest.approx(2 + 0.08 * 88)
    assert price(view, "cost_of_capital", 0.4, 0.08, 2.0) == pytest.approx(2 + 0.16 * 88)
    unlimited = Outlook(2.0, 10.0, 90.0, math.inf)
    assert price(unlimited, "standard_deviation", 0.4, 0.08, 1.0) == pytest.approx(6.0)


def test_multiples_of_the_expected_loss_are_those_seen_in_markets() -> None:
    at = {share: price(Outlook(share, 0.0, 0.0, 1.0), "standard_deviation", 0.4, 0.0, 1.0) / share
          for share in (0.002, 0.018)}
    assert at[0.018] == pytest.approx(4.0, abs=0.1)
    assert 8 < at[0.002] < 16


def test_the_published_cost_law_is_met() -> None:
    draws = np.random.default_rng(1).random(400_000)
    from sim.kernel.draws import unit_normal

    inside = (draws - LAW.zero) / (1.0 - LAW.zero)
    costs = np.array([math.exp(LAW.mu + LAW.sigma * unit_normal(u)) if u > 0.0 else 0.0 for u in inside])
    assert np.median(costs) == pytest.approx(1100.0 / 6719.0, rel=0.02)
    for retention, limit in ((0.5, 2.0), (5.0, 20.0)):
        taken = np.minimum(np.maximum(costs - retention, 0.0), limit)
        mean, square = LAW.layer(retention, limit)
        assert mean == pytest.approx(taken.mean(), rel=0.04)
        assert square == pytest.approx((taken**2).mean(), rel=0.06)


def test_the_whole_year_is_expected_to_cost_what_is_expected() -> None:
    everything = outlook(Layer(0, UNLIMITED, SHARE, -1), "year", 30, BELIEF)
    assert everything.mean == pytest.approx(5_000_000 * (1 + 0.02 * 0.15), rel=1e-3)
    one = outlook(Layer(0, 10**15, SHARE, -1), "event", 73, BELIEF)
    assert one.mean == pytest.approx(everything.mean, rel=1e-3)


@given(st.floats(0.8, 2.0), st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_higher_layers_are_expected_to_take_less(retention: float, limit: float, more: float) -> None:
    unit = BELIEF.expected * MICRO
    low = outlook(Layer(round(retention * unit), round(limit * unit)), "year", 30, BELIEF)
    high = outlook(Layer(round((retention + more) * unit), round(limit * unit)), "year", 30, BELIEF)
    assert high.mean <= low.mean
    assert 0.0 <= low.mean <= low.quantile <= low.limit * (1 + 1e-9)


def test_capital_falls_with_what_is_ceded() -> None:
    lognormal = regime("lognormal_var", CapitalParameters())
    plain = Book(1000, round(5_880_000 * MICRO), 5_000_000 * MICRO, 0, 0)
    gross = lognormal.desired(plain)
    unit = BELIEF.expected * MICRO
    quota = ceded_year((Layer(0, UNLIMITED, SHARE // 4, -1),), "year", BELIEF, NOTHING_CEDED)
    assert lognormal.desired(Book(*_fields(plain), quota)) == pytest.approx(0.75 * gross, rel=1e-9)
    stop = ceded_year((Layer(round(1.1 * unit), round(0.2 * unit)),), "year", BELIEF, NOTHING_CEDED)
    relief = gross - lognormal.desired(Book(*_fields(plain), stop))
    assert 0.15 * unit < relief <= 0.2 * unit
    risk = ceded_year((Layer(100_000 * MICRO, UNLIMITED, SHARE, -1),), "risk", BELIEF, NOTHING_CEDED)
    assert 0.0 < risk.share < 0.2
    assert risk.cv_factor < 1.0
    assert lognormal.desired(Book(*_fields(plain), risk)) < gross
    event = ceded_year((Layer(round(0.2 * unit), round(unit)),), "event", BELIEF, NOTHING_CEDED)
    assert event == NOTHING_CEDED
    fixed = regime("fixed_ratio", CapitalParameters())
    assert fixed.desired(Book(*_fields(plain), quota)) == pytest.approx(0.75 * fixed.desired(plain))


def _fields(book: Book) -> tuple[int, int, int, int, int]:
    return book.members, book.annual_premium, book.expected_claims, book.claim_reserves, book.active_cover


def test_the_price_cycle() -> None:
    assert next_hardness(1.0, 0.5, 1.0, 0.4) == pytest.approx(1.5)
    assert next_hardness(1.5, -3.0, 1.0, 0.4) == pytest.approx(1.3)


@pytest.mark.parametrize("name", ["standard_formula", "own_model", "fixed_ratio", "lognormal_var"])
def test_every_regime_nets_what_is_ceded(name: str) -> None:
    held = regime(name, CapitalParameters())
    plain = Book(1000, round(5_880_000 * MICRO), 5_000_000 * MICRO, 0, 0)
    gross, unit = held.desired(plain), BELIEF.expected * MICRO
    quota = ceded_year((Layer(0, UNLIMITED, SHARE // 4, -1),), "year", BELIEF, NOTHING_CEDED)
    assert held.desired(Book(*_fields(plain), quota)) == pytest.approx(0.75 * gross, rel=1e-6)
    stop = ceded_year((Layer(round(1.1 * unit), round(0.1 * unit)),), "year", BELIEF, NOTHING_CEDED)
    risk = ceded_year((Layer(100_000 * MICRO, UNLIMITED, SHARE, -1),), "risk", BELIEF, NOTHING_CEDED)
    if name in ("own_model", "lognormal_var"):
        assert gross - 0.1 * unit <= held.desired(Book(*_fields(plain), stop)) < gross
    assert held.desired(Book(*_fields(plain), risk)) < gross
