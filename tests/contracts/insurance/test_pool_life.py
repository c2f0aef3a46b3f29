"""A pool's life: premium in, claims out, capital in and out, gate, default, run-off, closing, rollback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.contracts.insurance.pool_state import PoolError, PoolState
from sim.contracts.insurance.premium import PremiumShares
from sim.contracts.insurance.vault import VaultError
from sim.kernel.fixedpoint import MICRO

ALL_TO_CLAIMS = PremiumShares.of(1.0, 0.0, 0.0, 0.0, 0.0)
NOBODY = np.zeros(0, dtype=np.int64)


@pytest.fixture
def capitalised(make_desk: Callable[..., Any]) -> Any:
    """A pool with 200 dollars of junior and 800 of senior capital."""
    desk = make_desk()
    for owner in desk.owners:
        desk.fund(owner, 1000 * MICRO)
    desk.pool.deposit(desk.owners[0], 200 * MICRO, "junior")
    desk.pool.deposit(desk.owners[1], 500 * MICRO)
    desk.pool.deposit(desk.owners[2], 300 * MICRO)
    return desk


def test_one_dollar_of_premium_from_payment_to_its_shares(capitalised: Any) -> None:
    desk, pool = capitalised, capitalised.pool
    desk.premium(3000 * MICRO, 0)
    assert pool.accrue(0) == 100 * MICRO
    cash = {name: pool.cash(getattr(pool.accounts, name)) / MICRO
            for name in ("unearned", "claims", "expenses", "junior", "senior", "surplus")}
    assert cash == {"unearned": 2900.0, "claims": 85.0, "expenses": 7.0, "junior": 200.8, "senior": 803.2,
                    "surplus": 0.0}
    assert desk.ledger.balance(desk.usd, desk.oracles) == 2 * MICRO
    assert desk.ledger.balance(desk.usd, desk.treasury) == 2 * MICRO
    assert pool.accrue(0) == 0
    desk.check()


def test_a_reported_claim_lowers_the_share_price_the_same_day(capitalised: Any) -> None:
    pool = capitalised.pool
    pool.report(0, np.array([300 * MICRO]), np.array([0]))
    assert pool.junior_value() == 0
    assert pool.senior_value() == 700 * MICRO
    assert pool.senior.share_price() == pytest.approx(700 / 800)
    assert pool.capital == 700 * MICRO
    pool.release(0, np.array([300 * MICRO]), np.array([0]))
    assert pool.senior.share_price() == pytest.approx(1.0)


def test_claims_never_touch_unearned_premium(capitalised: Any) -> None:
    desk, pool = capitalised, capitalised.pool
    desk.premium(3000 * MICRO, 0)
    paid = desk.settle(0, 0, [4000 * MICRO])
    assert sum(paid) == (85 + 4 + 1000) * MICRO
    assert pool.cash(pool.accounts.unearned) == 2900 * MICRO
    assert pool.unpaid.total == 4000 * MICRO - sum(paid)
    assert pool.totals.by_layer == {"claims": 85 * MICRO, "junior": 200_800_000, "senior": 803_200_000}
    desk.check()


def test_a_shortfall_is_shared_to_the_unit_and_is_a_default(capitalised: Any) -> None:
    desk, pool = capitalised, capitalised.pool
    paid = desk.settle(3, 0, [1000 * MICRO, 500 * MICRO, 1])
    assert sum(paid) == 1000 * MICRO
    assert paid[0] == pytest.approx(2 * paid[1], abs=2)
    assert pool.state is PoolState.RUN_OFF
    assert pool.defaulted_on == 3
    assert not pool.offers
    assert pool.cover_cut
    with pytest.raises(PoolError, match="takes no capital"):
        pool.deposit(desk.owners[3], MICRO)
    desk.check()


def test_run_off_pays_old_and_new_claims_alike_as_money_comes(capitalised: Any) -> None:
    desk, pool = capitalised, capitalised.pool
    desk.premium(30_000 * MICRO, 1)  # earns 1000 a day, 890 of it for claims and capital, from day 1
    desk.settle(0, 0, [2000 * MICRO])
    assert pool.unpaid.total == 1000 * MICRO
    fresh = desk.settle(1, 1, [780 * MICRO])
    assert fresh == [pytest.approx(390 * MICRO, abs=1)], "half of everything due is there"
    assert pool.unpaid.total == pytest.approx(890 * MICRO, abs=2)
    pool.settle(2, NOBODY, NOBODY, NOBODY)
    assert pool.unpaid.total == 0
    assert pool.state is PoolState.RUN_OFF
    desk.check()


def test_requests_wait_for_their_cooldown_and_keep_their_order(capitalised: Any) -> None:
    desk, pool = capitalised, capitalised.pool
    second, third = desk.owners[1], desk.owners[2]
    pool.request_withdrawal(third, desk.ledger.balance(pool.senior.share, third), 0)
    pool.request_withdrawal(second, 1000, 1)
    assert pool.serve_withdrawals(6, 7, 1.0) == []
    assert [owner for owner, _, _ in pool.serve_withdrawals(7, 7, 1.0)] == [third]
    assert desk.ledger.balance(desk.usd, third) == 1000 * MICRO
    assert [owner for owner, _, _ in pool.serve_withdrawals(8, 7, 1.0)] == [second]
    desk.check()


def test_the_gate_cuts_a_withdrawal_at_the_minimum_capital(capitalised: Any) -> None:
    """Fixed ratio 0.25 of premium; MCR 0.45 of that: 12,000 a month make an SCR of 36,500 and an MCR of 16,425."""
    desk, pool = capitalised, capitalised.pool
    pool.count_members(10, 12_000 * MICRO // 50, 0)
    mcr = pool.mcr()
    assert mcr == pytest.approx(328.5 * MICRO)
    owner = desk.owners[1]
    shares = desk.ledger.balance(pool.senior.share, owner)
    pool.request_withdrawal(owner, shares, 0)
    pool.request_withdrawal(desk.owners[2], 1000, 0)
    pool.report(1, np.array([400 * MICRO]), np.array([1]))
    [(_, burned, assets)] = pool.serve_withdrawals(20, 7, 1.0)
    assert burned < shares
    assert pool.capital == pytest.approx(mcr, abs=2)
    assert pool.capital >= mcr
    assert assets == pytest.approx((600 - 328.5) * MICRO, abs=2)
    assert [request.owner for request in pool.queue] == [owner, desk.owners[2]], "the rest keeps its place"
    pool.report(21, np.array([50 * MICRO]), np.array([21]))
    pool.watch_gate(1.0)
    assert pool.state is PoolState.GATED
    assert pool.serve_withdrawals(30, 7, 1.0) == []
    desk.fund(desk.owners[3], 10**9)
    pool.deposit(desk.owners[3], 60 * MICRO)
    pool.watch_gate(1.0)
    assert pool.state is PoolState.GATED, "at the very limit it stays shut"
    pool.deposit(desk.owners[3], 20 * MICRO)
    pool.watch_gate(1.0)
    assert pool.state is PoolState.ACTIVE
    assert pool.serve_withdrawals(30, 7, 0.0) != [], "without a gate the run completes"
    desk.check()


def test_nobody_leaves_a_pool_in_run_off_until_it_is_closed(capitalised: Any) -> None:
    desk, pool = capitalised, capitalised.pool
    owner = desk.owners[2]
    pool.request_withdrawal(owner, desk.ledger.balance(pool.senior.share, owner), 0)
    pool.enter_run_off(1, cut_cover=False)
    assert pool.serve_withdrawals(100, 0, 1.0) == []
    with pytest.raises(PoolError, match="staked"):
        pool.redeem_junior(desk.owners[0], 1)
    assert not pool.close_if_done(5)
    pool.report(5, np.array([MICRO]), np.array([5]))
    assert not pool.close_if_done(11), "a claim is open"
    pool.release(11, np.array([MICRO]), np.array([5]))
    assert pool.close_if_done(11)
    assert pool.state is PoolState.CLOSED
    assert len(pool.serve_withdrawals(11, 30, 1.0)) == 1
    junior = desk.ledger.balance(pool.junior.share, desk.owners[0])
    assert pool.redeem_junior(desk.owners[0], junior) == 200 * MICRO
    desk.check()


def test_what_is_left_of_a_closed_pool_is_the_juniors(capitalised: Any) -> None:
    desk, pool = capitalised, capitalised.pool
    desk.premium(3000 * MICRO, 0)
    pool.accrue(0)
    assert pool.release_profit() == 85 * MICRO
    desk.premium(3000 * MICRO, 1)
    pool.accrue(40)
    pool.enter_run_off(40, cut_cover=True)
    pool.settle(50, NOBODY, NOBODY, NOBODY)
    assert pool.close_if_done(50)
    assert pool.cash(pool.accounts.claims) == pool.cash(pool.accounts.surplus) == 0
    assert pool.cash(pool.accounts.junior) == pool.junior_value()
    desk.check()


def test_dividends_come_from_surplus_and_leave_the_requirement(capitalised: Any) -> None:
    desk, pool = capitalised, capitalised.pool
    desk.premium(3000 * MICRO, 0)
    pool.accrue(29)
    pool.release_profit()
    surplus = pool.cash(pool.accounts.surplus)
    with pytest.raises(PoolError, match="less surplus"):
        pool.pay_dividend(surplus + 1)
    pool.count_members(1, 100_000 * MICRO // 73, 0)
    with pytest.raises(PoolError, match="below its capital requirement"):
        pool.pay_dividend(surplus)
    pool.count_members(-1, -(100_000 * MICRO // 73), 0)
    before = desk.ledger.balance(desk.usd, desk.owners[0])
    pool.pay_dividend(surplus)
    assert desk.ledger.balance(desk.usd, desk.owners[0]) == before + surplus
    desk.check()


def test_a_supervisors_ban_outlasts_the_insurers_wish(capitalised: Any) -> None:
    pool = capitalised.pool
    pool.ban(5)
    pool.set_writing(True)
    for day, offers in ((5, False), (6, True)):
        pool.accrue(day)
        assert pool.offers is offers


def test_capital_income_without_capital_is_surplus(make_desk: Callable[..., Any]) -> None:
    desk = make_desk()
    desk.premium(3000 * MICRO, 0)
    desk.pool.accrue(0)
    assert desk.pool.cash(desk.pool.accounts.surplus) == 4 * MICRO
    desk.check()


def test_a_request_without_shares_or_beyond_the_holding_is_refused(capitalised: Any) -> None:
    desk, pool = capitalised, capitalised.pool
    with pytest.raises(VaultError):
        pool.request_withdrawal(desk.owners[1], 0, 0)
    with pytest.raises(ValueError, match="holds"):
        pool.request_withdrawal(desk.owners[3], 1, 0)
    assert len(pool.queue) == 0
    desk.check()


class Undo(Exception):
    """Ends a transaction."""


def test_a_rolled_back_transaction_leaves_no_trace(capitalised: Any) -> None:
    desk, pool = capitalised, capitalised.pool
    desk.premium(3000 * MICRO, 0)
    pool.report(0, np.array([100 * MICRO]), np.array([0]))

    def picture() -> tuple[Any, ...]:
        return (pool.totals, pool.unearned.total, pool.unearned.next_day, pool.reserves.outstanding, pool.unpaid.total,
                pool.state, pool.defaulted_on, list(pool.queue), pool.queue.pending, pool.members,
                pool.reserves.triangle.paid.sum(), pool.senior_value(), pool.junior_value(), pool.writing)

    before = picture()
    before_totals = str(pool.totals)

    def transaction() -> None:
        with desk.ledger.atomic():
            desk.premium(600 * MICRO, 0)
            pool.accrue(3)
            pool.release(3, np.array([100 * MICRO]), np.array([0]))
            pool.request_withdrawal(desk.owners[1], 1000, 0)
            pool.serve_withdrawals(20, 7, 1.0)
            pool.deposit(desk.owners[3], 10 * MICRO)
            pool.count_members(3, 5, 7)
            desk.settle(3, 0, [10**12])
            assert pool.state is PoolState.RUN_OFF
            raise Undo

    with pytest.raises(Undo):
        transaction()
    assert picture()[1:] == before[1:]
    assert str(pool.totals) == before_totals
    desk.check()


def test_premium_first_then_claims(make_desk: Callable[..., Any]) -> None:
    """What is earned today pays today's claims: the order behind daily ruin probabilities."""
    desk = make_desk(ALL_TO_CLAIMS)
    desk.premium(300, 0)
    assert desk.settle(0, 0, [10]) == [10]
    assert desk.settle(1, 1, [11]) == [10]
    assert desk.pool.defaulted_on == 1
    desk.check()
