"""Losses that travel: a circle of excess-of-loss covers turns until limits are exhausted, a proportional one fades."""

from __future__ import annotations

from typing import Any

import pytest

from sim.contracts.insurance.treaties import SHARE, Layer

NAMES = ("P0", "P1", "P2")


def ring(street: Any, *layers: Layer, **more: Any) -> None:
    for place, name in enumerate(NAMES):
        street.treaty(name, [NAMES[(place + 1) % 3]], *layers, basis="event", covers_inward=True, lag_days=5, **more)


def gross(street: Any) -> int:
    return sum(account.ceded for account in street.book.accounts.values())


def test_an_excess_of_loss_circle_turns_until_limits_are_exhausted(make_street: Any) -> None:
    street = make_street()
    ring(street, Layer(100, 1000))
    for pool in range(3):
        street.settle(pool, 0, [150])
    assert gross(street) == 150  # 50 each in the first cession
    street.book.run_rounds(0)
    assert gross(street) == 3000, "every limit is used up by a loss of 50 above each retention"
    assert len(street.book.today.rounds) == 20
    assert all(account.ceded == account.assumed for account in street.book.accounts.values())
    street.check()


def test_shares_below_one_let_the_circle_fade(make_street: Any) -> None:
    street = make_street()
    ring(street, Layer(100, 10**9, SHARE * 9 // 10))
    for pool in range(3):
        street.settle(pool, 0, [100_100])
    street.book.run_rounds(0)
    # 0.9 x 100,000 / (1 - 0.9) each, less what flooring loses in each round
    assert gross(street) == pytest.approx(3 * 900_000, abs=3 * 500)
    street.check()


def test_one_hit_must_fill_each_retention_first(make_street: Any) -> None:
    street = make_street()
    ring(street, Layer(100, 1000))
    street.settle(0, 0, [500])
    street.book.run_rounds(0)
    own = street.book.accounts
    # P0 cedes 400 of 500; P1 keeps 100 and cedes 300; P2 keeps 100 and cedes 200 back to P0, whose retention is
    # full: these 200 go round, twice in full and a third time until P0's limit of 1000 is used up
    assert [own[name].assumed for name in NAMES] == [200 + 600, 400 + 600, 300 + 600]
    street.check()


def test_a_quota_share_circle_is_a_geometric_series(make_street: Any) -> None:
    street = make_street()
    for place, name in enumerate(NAMES):
        street.quota(name, [NAMES[(place + 1) % 3]], 0.1, covers_inward=True, lag_days=5)
    street.settle(0, 0, [1_000_000])
    street.book.run_rounds(0)
    assert gross(street) == 111_111
    street.check()


def test_covers_for_own_claims_only_do_not_turn(make_street: Any) -> None:
    street = make_street()
    for place, name in enumerate(NAMES):
        street.treaty(name, [NAMES[(place + 1) % 3]], Layer(100, 1000), basis="event", covers_inward=False, lag_days=5)
    for pool in range(3):
        street.settle(pool, 0, [150])
    street.book.run_rounds(0)
    assert gross(street) == 150
    assert len(street.book.today.rounds) == 1
    street.check()


def test_the_result_depends_on_no_order_of_claims_or_pools(make_street: Any) -> None:
    totals = []
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        street = make_street()
        ring(street, Layer(100, 700, SHARE), Layer(900, 500, SHARE))
        for pool in order:
            street.settle(pool, 0, [130 + 40 * pool, 90])
        street.book.run_rounds(0)
        totals.append([(account.ceded, account.assumed) for account in street.book.accounts.values()])
        street.check()
    assert totals[0] == totals[1] == totals[2]


def test_rounds_that_do_not_fit_into_a_day_go_on_the_next(make_street: Any) -> None:
    street = make_street(most_rounds=4)
    ring(street, Layer(100, 1000))
    for pool in range(3):
        street.settle(pool, 0, [150])
    for day in range(6):
        street.book.run_rounds(day)
        street.check()
    assert gross(street) == 3000
