"""The second committee of approvals, and the escrow that pays members for votes."""

import pytest

from sim.contracts.bribe_escrow import BribeError, BribeEscrow
from sim.contracts.claims.table import Status
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import InsufficientFunds

CLAIM = 100 * MICRO


def valid(operator, claim, claimed):
    return claimed, True


def invalid(operator, claim, claimed):
    return 0, False


def decided(market, vote):
    while market.table["status"][0] in (Status.FILED, Status.COMMITTED):
        market.run_day(vote=vote)
    return market


def test_large_approvals_go_to_a_second_committee(claims_market):
    market = claims_market(operators=30, review_above=50)
    market.run_day(file=[CLAIM, 10 * MICRO])
    for _ in range(2):
        market.run_day(vote=valid)
    assert market.table["status"].tolist() == [Status.FILED, Status.PAID]
    assert market.claims.reviewed == 1
    market.run_day(vote=invalid)
    assert market.claims.docket.rounds[0].seats.shape == (1, 11)
    market.run_day(vote=invalid)
    assert market.table["status"][0] == Status.DENIED
    assert market.insurer.outstanding.tolist() == [0, 0, 0]


def test_what_two_committees_approve_is_paid(claims_market):
    market = claims_market(operators=30, review_above=50)
    market.run_day(file=[CLAIM])
    for _ in range(4):
        market.run_day(vote=valid)
    assert market.table["status"].tolist() == [Status.PAID]


@pytest.fixture
def bribed(claims_market):
    """A market with a claim that waits for five members, and an escrow whose owner has 100 dollars."""
    def build(**section):
        market = claims_market(operators=9, maximum_appeals=0, slashed_to="fund", **section)
        owner = market.ledger.open_account("owner", "adversaries")
        market.ledger.mint(market.usd, owner, 100 * MICRO, "endowment")
        escrow = BribeEscrow(market.ledger, market.usd, market.claims, owner, "escrow", "adversaries")
        market.run_day(file=[CLAIM])
        return market, escrow, owner

    return build


def settle(market, escrow):
    paid = escrow.settle(market.claims.closed)
    assert escrow.check() is None
    escrow.release(market.claims.ended_today().tolist())
    assert escrow.check() is None
    return paid


def split(votes_valid):
    """The first ``votes_valid`` members asked find the claim valid."""
    asked = []

    def vote(operator, claim, claimed):
        asked.append(operator)
        return (claimed, True) if len(asked) <= votes_valid else (0, False)

    return vote


def test_a_contingent_promise_is_paid_to_the_losers_only(bribed):
    market, escrow, owner = bribed()
    escrow.offer(0, 24 * MICRO, (8 * MICRO,), contingent=True)
    assert (escrow.locked, market.cash(owner)) == (24 * MICRO, 76 * MICRO)
    market.run_day(vote=split(2))
    market.run_day()
    assert market.table["status"][0] == Status.DENIED
    assert settle(market, escrow) == 2 * 8 * MICRO
    assert (escrow.locked, market.cash(owner)) == (0, 84 * MICRO)


def test_a_contingent_promise_costs_nothing_when_it_succeeds(bribed):
    market, escrow, owner = bribed()
    escrow.offer(0, 24 * MICRO, (8 * MICRO,), contingent=True)
    market.run_day(vote=split(3))
    market.run_day()
    assert market.table["status"][0] == Status.PAID
    assert settle(market, escrow) == 0
    assert market.cash(owner) == 100 * MICRO


def test_a_plain_bribe_is_paid_as_far_as_the_deposit_reaches(bribed):
    market, escrow, owner = bribed()
    escrow.offer(0, 25 * MICRO, (8 * MICRO,), contingent=False)
    assert escrow.offers[0].terms(0, 5) == (8 * MICRO, 3)
    market.run_day(vote=split(4))
    market.run_day()
    assert settle(market, escrow) == 3 * 8 * MICRO
    assert market.cash(owner) == 76 * MICRO


def test_what_the_escrow_cannot_keep_it_does_not_promise(bribed):
    market, escrow, owner = bribed()
    with pytest.raises(BribeError, match="do not cover"):
        escrow.offer(0, 24 * MICRO - 1, (8 * MICRO,), contingent=True)
    with pytest.raises(BribeError, match="not before a committee"):
        escrow.offer(7, 24 * MICRO, (8 * MICRO,), contingent=True)
    with pytest.raises(BribeError, match="at least one base unit"):
        escrow.offer(0, 24 * MICRO, (), contingent=True)
    with pytest.raises(InsufficientFunds):
        escrow.offer(0, 101 * MICRO, (8 * MICRO,), contingent=True)
    escrow.offer(0, 24 * MICRO, (8 * MICRO,), contingent=True)
    with pytest.raises(BribeError, match="there is a promise"):
        escrow.offer(0, 24 * MICRO, (8 * MICRO,), contingent=True)
    assert market.cash(owner) == 76 * MICRO


def test_secret_ballots_leave_nothing_to_pay_for(bribed):
    _, escrow, _ = bribed(secret_ballots=True)
    with pytest.raises(BribeError, match="ballots are secret"):
        escrow.offer(0, 24 * MICRO, (8 * MICRO,), contingent=True)


def test_a_refused_transaction_takes_its_promise_back(bribed):
    market, escrow, owner = bribed()

    def twice():
        with market.ledger.atomic():
            escrow.offer(0, 24 * MICRO, (8 * MICRO,), contingent=True)
            escrow.offer(0, 24 * MICRO, (8 * MICRO,), contingent=True)

    with pytest.raises(BribeError, match="there is a promise"):
        twice()
    assert (escrow.offers, market.cash(owner), escrow.check()) == ({}, 100 * MICRO, None)


def test_larger_committees_are_promised_what_is_left(bribed):
    _, escrow, _ = bribed()
    escrow.offer(0, 24 * MICRO, (8 * MICRO, 9 * MICRO), contingent=True)
    assert escrow.offers[0].terms(1, 11) == (4 * MICRO, 11)
