"""Optimistic claims: paid after the window, disputed against a bond."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.claims.optimistic import Assertions
from sim.contracts.claims.payments import ClaimError
from sim.contracts.claims.table import Status
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger


def optimistic(claims_market, **section):
    return claims_market(mode="optimistic", challenge_days=2, bond_share=0.1, minimum_bond=10, **section)


def dispute(market, ids, disputer=0):
    wallets = np.array([market.wallets[disputer]] * len(ids))
    return market.claims.dispute(np.array(ids), wallets, market.day).tolist()


def test_undisputed_claims_are_paid_after_the_window(claims_market):
    market = optimistic(claims_market)
    market.run_day(file=[500 * MICRO])
    assert market.cash(market.people[0]) == 950 * MICRO
    for _ in range(2):
        market.run_day()
        assert market.table["status"].tolist() == [Status.FILED]
    market.run_day()
    assert market.table["status"].tolist() == [Status.PAID]
    assert market.cash(market.people[0]) == 1_500 * MICRO
    assert not market.claims.docket.rounds


@pytest.mark.parametrize(("valid", "asserter", "disputer"), [(True, 25 + 500, -50), (False, -50, 25)])
def test_the_winner_of_a_dispute_takes_one_and_a_half_bonds(claims_market, valid, asserter, disputer):
    market = optimistic(claims_market, reward_per_vote=0)
    market.run_day(file=[500 * MICRO])
    cash = market.cash(market.wallets[0])
    market.run_day(then=lambda: dispute(market, [0]))
    for _ in range(2):
        market.run_day(vote=lambda operator, claim, claimed: (claimed if valid else 0, valid))
    assert market.cash(market.people[0]) - 1_000 * MICRO == asserter * MICRO
    assert market.cash(market.wallets[0]) - cash == disputer * MICRO
    assert market.cash(market.treasury_account()) == 25 * MICRO


def test_a_claim_is_disputed_once_and_in_time(claims_market):
    market = optimistic(claims_market)
    market.run_day(file=[500 * MICRO, 500 * MICRO])
    results = []
    market.run_day(then=lambda: results.extend(dispute(market, [0, 0]) + dispute(market, [0], 1)))
    assert results == [True, False, False]
    market.run_day()
    market.run_day()
    assert dispute(market, [1]) == [False]


def test_who_cannot_pay_a_bond_goes_before_a_committee(claims_market):
    market = optimistic(claims_market)
    market.run_day(file=[50_000 * MICRO])
    market.run_day()
    assert market.claims.docket.rounds[0].ids.tolist() == [0]
    assert market.cash(market.people[0]) == 1_000 * MICRO


def test_disputes_need_the_optimistic_mode(claims_market):
    market = claims_market()
    market.run_day(file=[500 * MICRO])
    with pytest.raises(ClaimError, match="optimistic"):
        dispute(market, [0])


def test_a_rolled_back_dispute_is_forgotten(claims_market):
    market = optimistic(claims_market)
    market.run_day(file=[500 * MICRO])
    with suppress(RuntimeError), market.ledger.atomic():
        assert dispute(market, [0]) == [True]
        raise RuntimeError
    market.check()
    assert dispute(market, [0]) == [True]
    market.check()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 3), st.booleans()), max_size=40))
def test_bonds_are_covered_whatever_happens(steps):
    """Any order of opening, disputing, expiring and resolving: the account holds the open bonds, nothing is lost."""
    ledger = Ledger(institutions=20, people=0)
    usd = ledger.asset("USDs", span="all")
    store = ledger.open_account("store", "protocol")
    accounts = np.array([ledger.open_account(f"a{n}", "oracles") for n in range(4)])
    ledger.mint_batch(usd, accounts, np.full(4, 1_000), "endowment")
    assertions = Assertions(ledger, usd, store, 5_000)
    ids = disputed = day = 0
    for what, number, who, right in steps:
        one = np.array([number])
        if what == 0:
            assertions.open(np.arange(ids, ids + 2), accounts[[who, (who + 1) % 4]], np.array([number, 101]), day + 2)
            ids += 2
        elif what == 1:
            disputed += int(assertions.dispute(one, accounts[[who]])[0])
        elif what == 2:
            assertions.expire(day)
        else:
            assertions.resolve(one, np.array([right]))
        day += int(right)
        assert assertions.check() is None
    assert int(ledger.balances(usd).sum()) == 4_000


def test_filings_of_several_claims_that_are_undone_leave_no_bond_open():
    ledger = Ledger(institutions=8, people=0)
    usd = ledger.asset("USDs", issuer=None, span="all")
    wallets = np.array([ledger.open_account("a", "households"), ledger.open_account("b", "households")])
    for wallet in wallets.tolist():
        ledger.mint(usd, wallet, 100, "endowment")
    assertions = Assertions(ledger, usd, ledger.open_account("store", "protocol"), 5_000)

    def undone() -> None:
        with ledger.atomic():
            for first in (1, 3):
                assertions.open(np.array([first, first + 1]), wallets, np.array([10, 10]), 5)
            raise RuntimeError

    assertions.open(np.array([7, 8]), wallets, np.array([10, 10]), 5)
    with pytest.raises(RuntimeError):
        undone()
    assert assertions.unchallenged().tolist() == [7, 8]
    assert ledger.balance(usd, int(wallets[0])) == 90
