"""What is refused at filing, and that a rolled-back filing leaves no trace."""

from contextlib import suppress

import numpy as np
import pytest

from sim.kernel.fixedpoint import MICRO


def test_duplicates_of_an_episode_are_refused(claims_market):
    market = claims_market()
    market.day = 5
    assert market.file([10, 20, 30], keys=[1, 2, 1]).tolist() == [0, 1, -1]
    assert market.file([10, 20], keys=[2, 3]).tolist() == [-1, 2]
    assert market.claims.totals.refused == 2
    assert market.insurer.outstanding.tolist() == [60 - 30 + 20, 0, 0]
    market.check()


def test_two_episodes_of_one_day_have_serials(claims_market):
    market = claims_market()
    market.day = 0
    person = np.array([8, 8, 8], dtype=np.uint64)
    ids = market.claims.file(np.zeros(3), np.zeros(3), person, market.people[:3], np.array([5, 6, 7]), np.zeros(3), 0,
                             np.array([0, 1, 1]))
    assert ids.tolist() == [0, 1, -1]


@pytest.mark.parametrize(("change", "why"), [
    ({"amounts": [0]}, "nothing asked"), ({"amounts": [-5]}, "negative"), ({"pool": -1}, "no pool"),
    ({"incurred": 101}, "in the future"), ({"incurred": 9}, "too long ago")])
def test_bad_claims_are_refused(claims_market, change, why):
    market = claims_market(filing_limit_days=90)
    market.day = 100
    assert market.file(**{"amounts": [10], **change}).tolist() == [-1], why
    assert len(market.table) == 0
    assert market.file([10], incurred=10).tolist() == [0]


def test_a_rolled_back_filing_leaves_no_trace(claims_market):
    market = claims_market()
    market.run_day(file=[100])
    with suppress(RuntimeError), market.ledger.atomic():
        market.file([7, 8], keys=[50, 51])
        raise RuntimeError
    assert len(market.table) == 1
    assert market.claims.totals.filed == 1
    assert market.insurer.outstanding.tolist() == [100, 0, 0]
    market.check()
    assert market.file([7], keys=[50]).tolist() == [1]
    market.run_day()
    assert sum(round_.ids.size for round_ in market.claims.docket.rounds) == 2


def test_rolled_back_votes_are_forgotten(claims_market):
    market = claims_market(operators=3, committee_size=3)
    market.run_day(file=[100])
    market.day += 1
    market.claims.open_rounds(market)
    docket, everybody = market.claims.docket, np.ones(3, dtype=np.bool_)
    round_ = docket.rounds[0]
    with suppress(RuntimeError), market.ledger.atomic():
        assert docket.commit(round_, everybody, np.full((1, 3), 9, dtype=np.uint64)) == 3
        raise RuntimeError
    assert not round_.commitments.any()


def test_claims_given_up_are_counted(claims_market):
    market = claims_market()
    market.claims.note_unfiled(np.array([5 * MICRO, 6 * MICRO]), np.array([0, 1]))
    market.run_day()
    market.claims.finish(market)
    assert market.record.metrics["claims.unfiled"] == 2
