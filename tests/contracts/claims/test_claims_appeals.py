"""Appeals: to 2 k + 1 seats, against a fee, within the window."""

from contextlib import suppress

import numpy as np

from sim.contracts.claims.table import Status
from sim.kernel.fixedpoint import MICRO


def denied(claims_market, **section):
    """A market in which claim 0 (for 100 USD) was just denied."""
    market = claims_market(operators=30, reward_per_vote=2, **section)
    market.run_day(file=[100 * MICRO])
    while market.table["decided"][0] < 0:
        market.run_day(vote=lambda operator, claim, claimed: (0, False))
    assert market.table["status"].tolist() == [Status.DENIED]
    return market


def appeal(market):
    return market.claims.appeal(np.array([0]), market.people[:1], market.day).tolist()


def test_a_won_appeal_is_paid(claims_market):
    market = denied(claims_market)
    assert market.insurer.outstanding.tolist() == [0, 0, 0]
    assert market.claims.appealable(market.day + 1).tolist() == [0]
    before, accepted = market.cash(market.people[0]), []
    market.run_day(then=lambda: accepted.extend(appeal(market)))
    assert accepted == [True]
    assert before - market.cash(market.people[0]) == 11 * 2 * MICRO
    assert market.insurer.outstanding.tolist() == [100 * MICRO, 0, 0]
    market.run_day()
    assert market.claims.docket.rounds[0].seats.shape == (1, 11)
    market.run_day()
    assert market.table["status"].tolist() == [Status.PAID]
    assert (market.claims.totals.appeals, market.claims.totals.overturned) == (1, 1)
    assert (market.claims.totals.approved, market.claims.totals.denied) == (1, 0)
    assert market.insurer.outstanding.tolist() == [0, 0, 0]


def test_a_lost_last_appeal_ends_the_claim(claims_market):
    market = denied(claims_market, maximum_appeals=1)
    assert market.claims.ended_today().size == 0
    market.run_day(then=lambda: appeal(market))
    for _ in range(2):
        market.run_day(vote=lambda operator, claim, claimed: (0, False))
    assert market.claims.ended_today().tolist() == [0]
    assert market.claims.appealable(market.day + 1).size == 0
    assert appeal(market) == [False]
    assert market.claims.totals.overturned == 0


def test_a_denial_ends_when_its_window_closes(claims_market):
    market = denied(claims_market, appeal_days=3)
    ended = []
    for _ in range(5):
        market.run_day()
        ended.append(market.claims.ended_today().tolist())
    assert ended == [[], [], [0], [], []]
    assert appeal(market) == [False]


def test_an_appealed_denial_does_not_end_with_the_window(claims_market):
    market = denied(claims_market, appeal_days=1, draw_days=5)
    market.run_day(then=lambda: appeal(market))
    assert market.claims.ended_today().size == 0
    for _ in range(3):
        market.run_day()
        assert market.claims.ended_today().size == 0


def test_only_denials_can_be_appealed_and_only_by_those_who_can_pay(claims_market):
    market = denied(claims_market)
    person = int(market.people[0])
    market.ledger.transfer(market.usd, person, market.claims.fees, market.cash(person), "spent")
    assert appeal(market) == [False]
    assert market.claims.appeal(np.array([0]), market.people[1:2], market.day).tolist() == [True]
    assert market.claims.appeal(np.array([0]), market.people[1:2], market.day).tolist() == [False]


def test_a_rolled_back_appeal_leaves_no_trace(claims_market):
    market = denied(claims_market)
    with suppress(RuntimeError), market.ledger.atomic():
        assert appeal(market) == [True]
        raise RuntimeError
    assert market.table["status"].tolist() == [Status.DENIED]
    assert market.table["level"].tolist() == [0]
    assert market.claims.totals.appeals == 0
    assert market.cash(market.people[0]) == 1_000 * MICRO
    market.check()
