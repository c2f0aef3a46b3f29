"""DebtRank, fire sales and cascades: closed cases and what must hold for any network."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contagion.cascade import Cascade, Failure, Lending, survival_function, threshold_cascade
from sim.contagion.clearing import clearing_vector
from sim.contagion.debtrank import debtrank
from sim.contagion.debts import BadDebts
from sim.contagion.fire_sale import exponential_impact, fire_sale, tipping_point

# DebtRank -------------------------------------------------------------------------------------------------------


def chain(count: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """0 owes 1, 1 owes 2, ...: each creditor lent ``share`` of its equity of 10."""
    return np.arange(count - 1), np.arange(1, count), np.full(count - 1, 10.0 * share), np.full(count, 10.0)


@pytest.mark.parametrize("form", ["linear", "single_hit"])
def test_distress_falls_geometrically_along_a_chain(form: str) -> None:
    found = debtrank(*chain(5, 0.5), [1, 0, 0, 0, 0], form=form)  # type: ignore[arg-type]
    assert found.distress == pytest.approx([1, 0.5, 0.25, 0.125, 0.0625], abs=1e-14)


def test_weights_default_to_what_is_borrowed_and_the_shock_itself_does_not_count() -> None:
    assert debtrank(*chain(3, 0.5), [1, 0, 0]).value == pytest.approx(0.25)  # 0 and 1 borrowed the same; 1 lost half
    assert debtrank(*chain(3, 0.5), [1, 0, 0], weights=[0, 0, 1]).value == pytest.approx(0.25)
    assert debtrank(*chain(3, 0.5), [0, 0, 0]).value == 0.0


def test_single_hit_never_exceeds_linear_and_more_equity_never_hurts() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        debtors = rng.integers(0, 12, 40)
        creditors = (debtors + rng.integers(1, 12, 40)) % 12
        lent, equity, shock = rng.random(40), 1.0 + rng.random(12), rng.random(12) * (rng.random(12) < 0.3)
        linear = debtrank(debtors, creditors, lent, equity, shock).distress
        single = debtrank(debtors, creditors, lent, equity, shock, form="single_hit").distress
        richer = debtrank(debtors, creditors, lent, 2.0 * equity, shock).distress
        assert (single <= linear + 1e-12).all()
        assert (richer <= linear + 1e-12).all()


def test_an_institution_without_equity_is_in_full_distress() -> None:
    assert debtrank([0], [1], [4.0], [0.0, 8.0], [0, 0]).distress == pytest.approx([1.0, 0.5])


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(BadDebts, match="no form"):
        debtrank([0], [1], [1.0], [1.0, 1.0], [1, 0], form="double")  # type: ignore[arg-type]


# Fire sales -----------------------------------------------------------------------------------------------------

SHEETS = ([5.0, 10.0, 20.0], [100.0, 80.0, 60.0], [97.5, 83.0, 73.0])


@pytest.mark.parametrize("depth", [1e-4, 5e-4, 7e-4])
def test_the_equilibrium_reproduces_itself_and_who_sells_meets_the_floor(depth: float) -> None:
    found = fire_sale(*SHEETS, 0.08, exponential_impact(depth))
    assert found.price == pytest.approx(math.exp(-depth * found.sold.sum()), abs=1e-12)
    assert np.array_equal(found.insolvent, found.equity < 0)
    for sold, held, equity in zip(found.sold, SHEETS[1], found.equity, strict=True):
        if 0.0 < sold < held:
            assert equity == pytest.approx(0.08 * found.price * (held - sold), rel=1e-9)
        elif sold == 0.0:
            assert equity >= 0.08 * found.price * held


def test_a_market_maker_s_own_curve_serves_as_impact() -> None:
    base, quote = 1000.0, 1000.0
    found = fire_sale(*SHEETS, 0.08, lambda sold: base * quote / (base + sold) ** 2)
    assert found.price == pytest.approx(base * quote / (base + found.sold.sum()) ** 2)


def test_the_tipping_point_lies_between_standing_and_falling() -> None:
    def falls(depth: float) -> bool:
        return fire_sale(*SHEETS, 0.08, exponential_impact(depth)).price < 0.95

    point = tipping_point(falls, 1e-4, 1e-3, 1e-8)
    assert not falls(point - 1e-7)
    assert falls(point + 1e-7)
    with pytest.raises(BadDebts, match="no tipping point"):
        tipping_point(falls, 1e-5, 1e-4, 1e-8)


def test_without_impact_or_need_nothing_falls() -> None:
    assert fire_sale(*SHEETS, 0.08, exponential_impact(0.0)).price == 1.0
    assert fire_sale([1e6] * 3, *SHEETS[1:], 0.08, exponential_impact(1.0)).sold.sum() == 0.0


# Cascades -------------------------------------------------------------------------------------------------------


def test_a_loss_that_equals_the_capital_fails() -> None:
    """Equity must stay above nothing: 20 % spread over five debtors is no less than a capital of 4 %."""
    for debtors, fails in ((5, True), (6, False)):
        count = debtors + 1
        found = threshold_cascade(np.arange(debtors), np.full(debtors, debtors), np.full(debtors, 0.2 / debtors),
                                  np.full(count, 0.04), [0])
        assert (found.size == 2) is fails


def test_rounds_are_the_distance_along_a_chain_and_stop_at_recovery() -> None:
    debtors, creditors, lent, capital = chain(6, 1.0)
    found = threshold_cascade(debtors, creditors, lent, capital, [1])
    assert found.round_of.tolist() == [-1, 0, 1, 2, 3, 4]
    assert threshold_cascade(debtors, creditors, lent, capital, [1], loss_given_default=0.5).size == 1
    assert found.lost.tolist() == [0, 0, 10, 10, 10, 10]


@given(st.integers(0, 2**32), st.floats(0.05, 1.0))
def test_the_kernel_equals_rounds_by_hand(seed: int, buffer: float) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 15))
    debtors = rng.integers(0, count, 3 * count)
    creditors = (debtors + rng.integers(1, count, 3 * count)) % count
    lent, capital = rng.random(3 * count), np.full(count, buffer)
    found = Lending(debtors, creditors, lent, count).fail([0], capital)
    failed, number = {0: 0}, 0
    while True:
        number += 1
        lost = np.bincount(creditors, lent * np.isin(debtors, list(failed)), minlength=count)
        fresh = [i for i in range(count) if i not in failed and lost[i] >= capital[i] * (1 - 1e-9)]
        if not fresh:
            break
        failed.update(dict.fromkeys(fresh, number))
    assert {int(i): int(found.round_of[i]) for i in np.flatnonzero(found.round_of >= 0)} == failed


def test_a_cascade_knows_size_depth_and_channels() -> None:
    first = Cascade.of([Failure(3, 0, "claims"), Failure(1, 1, "clearing"), Failure(1, 2, "run")])
    assert (first.size, first.spread, first.depth) == (2, 1, 1)
    later = first.joined(Cascade.of([Failure(5, 0, "fire_sale"), Failure(3, 0, "fire_sale")]))
    assert later.failures == (Failure(3, 0, "claims"), Failure(1, 1, "clearing"), Failure(5, 2, "fire_sale"))
    assert later.by_channel() == {"claims": 1, "clearing": 1, "fire_sale": 1}
    assert Cascade.of([]).depth == 0


def test_waves_of_clearing_are_rounds() -> None:
    found = clearing_vector([0, 1], [1, 2], [10, 10], [5, 0, 0])
    assert Cascade.of_clearing(found).failures == (Failure(0, 0, "shock"), Failure(1, 1, "clearing"))


def test_survival_function_counts_from_above() -> None:
    sizes, shares = survival_function([1, 1, 3, 10])
    assert sizes.tolist() == [1, 3, 10]
    assert shares.tolist() == [1.0, 0.5, 0.25]
