"""Treaty arithmetic: worked examples by hand, and what holds for every sequence of losses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.insurance.treaties import (
    SHARE,
    UNLIMITED,
    Layer,
    cede_in_order,
    commission,
    layer_part,
    retained,
    share_lines,
)

money = st.integers(0, 10**12)
shares = st.integers(0, SHARE)


def cede(claims: list[int], layers: list[Layer], places: list[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    where = np.array(places if places is not None else [0] * len(claims), dtype=np.int64)
    used = np.zeros(max(where.max(initial=0), 0) + 1, dtype=np.int64)
    taken = np.zeros(len(layers), dtype=np.int64)
    parts = np.zeros((len(layers), len(claims)), dtype=np.int64)
    terms = np.array([[one.retention, one.limit, one.annual_limit, one.share] for one in layers], dtype=np.int64)
    cede_in_order(np.array(claims, dtype=np.int64), where, used, terms, taken, parts)
    return parts, taken


def test_layers_worked_by_hand() -> None:
    # losses of one event: 90, 120, 200, 1200; layer 1 is 50 xs 100, layer 2 is 100 xs 150 placed to half
    parts, taken = cede([90, 30, 80, 1000], [Layer(100, 50), Layer(150, 100, SHARE // 2)])
    assert parts.tolist() == [[0, 20, 30, 0], [0, 0, 25, 25]]
    assert taken.tolist() == [50, 100]


def test_a_quota_share_takes_its_share_of_every_dollar() -> None:
    parts, _ = cede([100, 1, 1, 1, 997], [Layer(0, UNLIMITED, 300_000, -1)])
    assert parts.tolist() == [[30, 0, 0, 0, 300]]  # 0.3 of 100, 101, 102, 103, 1100, floored: 30, 30, 30, 30, 330


def test_reinstatements_worked_by_hand() -> None:
    # 100 xs 50 with one reinstatement at 100 %: three events of 150, 110 and 200 cost 100, 60 and what is left, 40
    layer = Layer(50, 100, SHARE, 1, SHARE, 30)
    parts, taken = cede([150, 110, 200], [layer], [0, 1, 2])
    assert parts.tolist() == [[100, 60, 40]]
    assert taken.tolist() == [200]
    assert layer.annual_limit == 200
    assert [layer.reinstatement_premium(used) for used in (0, 1, 40, 100, 160, 200)] == [0, 1, 12, 30, 30, 30]
    half = Layer(50, 100, SHARE, 2, SHARE // 2, 30)
    assert [half.reinstatement_premium(used) for used in (100, 150, 200, 300)] == [15, 23, 30, 30]
    assert Layer(50, 100, SHARE, -1, SHARE, 30).reinstatement_premium(10**9) == 0


@given(st.lists(money, min_size=1, max_size=30), st.lists(st.tuples(money, st.integers(1, 10**12), shares), max_size=4))
def test_layers_partition_every_claim(claims: list[int], cuts: list[tuple[int, int, int]]) -> None:
    layers, edge = [], 0
    for gap, limit, share in cuts:
        layers.append(Layer(edge + gap, limit, share, 0))
        edge += gap + limit
    if not layers:
        return
    parts, taken = cede(claims, layers)
    assert (parts >= 0).all()
    assert (parts.sum(axis=0) <= np.array(claims)).all()
    total = sum(claims)
    for layer, row, used in zip(layers, parts, taken.tolist(), strict=True):
        assert used == min(max(total - layer.retention, 0), layer.limit)
        assert row.sum() == used * layer.share // SHARE


@given(st.lists(st.tuples(money, st.integers(0, 3)), min_size=1, max_size=20), st.integers(0, 10**12),
       st.integers(1, 10**12), shares, st.integers(-1, 3), st.randoms())
def test_the_total_depends_on_no_order(
    losses: list[tuple[int, int]], retention: int, limit: int, share: int, reinstatements: int, chance: object
) -> None:
    layer = Layer(retention, limit, share, reinstatements)
    first, taken = cede([one for one, _ in losses], [layer], [place for _, place in losses])
    shuffled = list(losses)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    second, again = cede([one for one, _ in shuffled], [layer], [place for _, place in shuffled])
    assert first.sum() == second.sum()
    assert taken.tolist() == again.tolist()
    assert taken[0] <= layer.annual_limit


@given(st.lists(money, min_size=1, max_size=20), st.data(), st.integers(0, 10**12), st.integers(1, 10**12), shares)
def test_larger_losses_cede_no_less(
    claims: list[int], data: st.DataObject, retention: int, limit: int, share: int
) -> None:
    layer = Layer(retention, limit, share, 1)
    row = data.draw(st.integers(0, len(claims) - 1))
    larger = list(claims)
    larger[row] += data.draw(money)
    less, more = cede(claims, [layer])[0].sum(), cede(larger, [layer])[0].sum()
    assert less <= more <= less + larger[row] - claims[row]


@given(money, money, st.integers(1, 10**12), shares)
def test_the_compiled_day_keeps_what_a_treaty_leaves(loss: int, retention: int, limit: int, share: int) -> None:
    part = layer_part(loss, retention, limit)
    assert part == min(max(loss - retention, 0), limit)
    assert retained(loss, retention, limit, share) == loss - part * share // SHARE
    assert retained(loss, retention, limit, share) == loss - cede([loss], [Layer(retention, limit, share)])[0].sum()


@given(st.integers(0, 10**15), st.lists(st.integers(1, SHARE), min_size=1, max_size=6))
def test_lines_share_an_amount_exactly(amount: int, parts: list[int]) -> None:
    shared = share_lines(amount, parts)
    assert sum(shared) == amount
    for own, share in zip(shared, parts, strict=True):
        assert abs(own - amount * share / sum(parts)) <= 1.0 + 1e-9 * amount


def test_commission_is_floored() -> None:
    assert commission(999, 155_000) == 154
    assert Layer(0, UNLIMITED, SHARE, 3).annual_limit == UNLIMITED


@pytest.mark.parametrize(("loss", "kept"), [(0, 0), (100, 100), (101, 100), (300, 100), (301, 101)])
def test_retained_loss_by_hand(loss: int, kept: int) -> None:
    assert retained(loss, 100, 200, SHARE) == kept
