"""Cessions, recoveries and premiums between pools and reinsurers, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.contracts.insurance.pool_state import PoolState
from sim.contracts.insurance.treaties import SHARE, Layer
from sim.contracts.reinsurance.parties import RECOVERY, Standing


def test_with_no_lag_the_reinsurer_pays_at_settlement(make_street: Any) -> None:
    street = make_street()
    street.quota("P0", ["R0", "R1"], 0.4)
    assert street.settle(0, 1, [1000, 500]) == [1000, 500]
    assert street.pools[0].pool.totals.by_layer == {"reinsurance": 600, "junior": 900}
    assert [seller.free_cash() for seller in street.reinsurers] == [999_700, 999_700]
    street.check()


def test_with_a_lag_the_pool_pays_first_and_holds_a_claim(make_street: Any) -> None:
    street = make_street()
    street.quota("P0", ["R0"], 0.4, lag_days=30)
    pool = street.pools[0].pool
    street.settle(0, 1, [1000])
    assert pool.totals.by_layer == {"junior": 1000}
    assert pool.admitted_assets() == 400
    assert pool.capital == 1_000_000 - 600
    assert not street.book.due_lines(30)
    due = street.book.due_lines(31)
    assert [amount for _, amount in due] == [400]
    assert street.book.collect(due, RECOVERY) == [400]
    assert pool.admitted_assets() == 0
    assert pool.capital == 1_000_000 - 600
    with pytest.raises(AssertionError, match="more than it owes"):
        street.book.collect(due, RECOVERY)


def test_what_is_recovered_once_is_not_due_again(make_street: Any) -> None:
    street = make_street()
    street.quota("P0", ["R0"], 0.5, lag_days=5)
    street.settle(0, 0, [100])
    street.settle(0, 3, [60])
    assert [amount for _, amount in street.book.due_lines(5)] == [50]
    street.book.collect(street.book.due_lines(5), RECOVERY)
    assert street.book.due_lines(5) == []
    assert [amount for _, amount in street.book.due_lines(8)] == [30]
    line = street.book.inward["R0"][0]
    with pytest.raises(AssertionError, match="more than it owes"):
        line.pay(31)


def test_per_risk_cover_adds_up_the_claims_of_one_person(make_street: Any) -> None:
    street = make_street()
    street.treaty("P0", ["R0"], Layer(100, 200), basis="risk")
    street.settle(0, 0, [80] + [0] * 7 + [80])  # claims 0 and 8 are those of person 0
    assert street.book.accounts["P0"].ceded == 60
    street.settle(0, 9, [0] * 7 + [1000])  # claim 16 is theirs too
    assert street.book.accounts["P0"].ceded == 200
    street.settle(0, 10, [90])
    assert street.book.accounts["P0"].ceded == 200
    street.check()


def test_events_are_windows_of_care_and_late_claims_belong_to_theirs(make_street: Any) -> None:
    street = make_street()
    street.treaty("P0", ["R0"], Layer(100, 50, SHARE, 1), basis="event", event_days=30)
    street.settle(0, 40, [90, 90, 90], [10, 35, 29])
    assert street.book.accounts["P0"].ceded == 50  # 180 in the first window, 90 in the second
    street.settle(0, 50, [20], [59])
    assert street.book.accounts["P0"].ceded == 60
    street.settle(0, 400, [500, 500], [364, 365])  # the second is outside the term
    assert street.book.accounts["P0"].ceded == 100  # the limit was reinstated once
    street.check()


def test_a_reinsurer_that_cannot_pay_shares_what_it_has_and_fails(make_street: Any) -> None:
    street = make_street(capital=1000)
    street.quota("P0", ["R0"], 0.9, lag_days=1)
    street.quota("P1", ["R0"], 0.9, lag_days=1)
    street.settle(0, 0, [1000])
    street.settle(1, 0, [1000])
    due = street.book.due_lines(1)
    paid = street.book.collect(due, RECOVERY)
    assert paid == [500, 500]
    failed = street.book.fail(due, paid, 1)
    assert [(party.name, amount) for party, amount in failed] == [("R0", 800)]
    assert street.reinsurers[0].standing is Standing.DEFAULTED
    assert street.book.overdue(2) == 800
    assert street.book.write_off(367, 365) == 800
    assert street.book.overdue(400) == 0
    street.check()


def test_a_seller_pool_pays_policyholders_first(make_street: Any) -> None:
    street = make_street(capital=1000)
    street.quota("P0", ["P1"], 0.5, lag_days=0)
    street.pools[1].pool.report(0, np.array([900]), np.array([0]))
    street.settle(0, 0, [600])
    assert street.book.accounts["P1"].paid == 100  # the rest of its money stands against its own claims
    due = street.book.due_lines(0)
    street.book.fail(due, street.book.collect(due, RECOVERY), 0)
    assert street.pools[1].pool.state is PoolState.RUN_OFF
    street.check()


def test_premiums_accrue_with_the_term_and_with_reinstatements(make_street: Any) -> None:
    street = make_street()
    treaty = street.treaty("P0", ["R0"], Layer(100, 1000, SHARE, 1, SHARE, 365), basis="event")
    assert street.book.pay_premiums(0) == 1
    assert street.book.pay_premiums(0) == 0
    assert street.book.pay_premiums(9) == 9
    street.settle(0, 9, [600])  # half of the limit is used and reinstated
    assert treaty.premium_until(9) == (10 + 183, 0)
    assert street.book.pay_premiums(9) == 183
    street.check()


def test_a_quota_share_costs_its_share_of_earned_premium_less_commission(make_street: Any) -> None:
    street = make_street()
    pool = street.pools[0].pool
    street.quota("P0", ["R0"], 0.25, commission=200_000)
    street.fund(pool.accounts.unearned, 3000)
    pool.write_premium(np.array([3000]), np.array([0]), np.array([30]))
    pool.accrue(0)
    assert street.book.pay_premiums(0) == 20  # a quarter of 100, less a fifth
    street.check()


def test_clearing_may_settle_a_circle_of_debts_without_money(make_street: Any) -> None:
    street = make_street(pools=2, reinsurers=0, capital=1000)
    street.quota("P0", ["P1"], 0.5, lag_days=1)
    street.quota("P1", ["P0"], 0.5, lag_days=1)
    street.settle(0, 0, [1000])
    street.settle(1, 0, [1000])  # nothing is left of their money
    due = street.book.due_lines(1)
    street.book.execute(due, [amount for _, amount in due], RECOVERY)
    assert street.book.due_lines(1) == []
    street.check()


def test_with_claims_unpaid_nothing_is_free_whatever_may_be_recovered(make_street: Any) -> None:
    street = make_street(capital=100)
    street.quota("P1", ["R0"], 0.9, lag_days=30)
    assert street.settle(1, 0, [1000]) == [100]
    pool = street.pools[1].pool
    street.fund(pool.accounts.unearned, 60)
    pool.write_premium(np.array([60]), np.array([0]), np.array([1]))
    pool.accrue(1)
    assert street.pools[1].cash_at_hand() > 0
    assert pool.admitted_assets() == pool.unpaid.total == 900
    assert street.pools[1].free_cash() == 0


def test_a_debt_of_the_broke_is_asked_for_once_and_again_when_there_is_money(make_street: Any) -> None:
    street = make_street(capital=1000)
    street.quota("P0", ["R0"], 0.9, lag_days=1)
    street.settle(0, 0, [1000])
    street.ledger.transfer(street.usd, street.reinsurers[0].account, street.payee, 1000, "loss")
    due = street.book.due_lines(1)
    street.book.fail(due, street.book.collect(due, RECOVERY), 1)
    assert street.book.due_lines(2) == []
    assert street.book.overdue(2) == 900
    street.fund(street.reinsurers[0].account, 300)
    assert street.book.collect(street.book.due_lines(3), RECOVERY) == [300]
    assert street.book.overdue(3) == 600
    street.check()
