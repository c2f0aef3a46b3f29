"""A pool's statement ties to the ledger; money lent by the senior tranche keeps its rank whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.contracts.insurance.pool_state import PoolError
from sim.contracts.insurance.statement import account_of, statement, statement_ties_to_ledger


@pytest.fixture
def funded(make_desk: Callable[..., Any]) -> Any:
    """Senior 1,000, junior 200, surplus 50; an account beside the pool whose money counts as an asset of the pool."""
    desk = make_desk(offset=0)
    for owner, amount, tranche in ((0, 1000, "senior"), (1, 200, "junior")):
        desk.fund(desk.owners[owner], amount)
        desk.pool.deposit(desk.owners[owner], amount, tranche)
    desk.fund(desk.owners[2], 50)
    desk.pool.exchange("gift", desk.pool.accounts.surplus, desk.owners[2], 50)
    desk.asset = desk.ledger.open_account("P.things", "insurers")
    desk.worth = lambda: desk.ledger.balance(desk.usd, desk.asset)
    desk.pool.admitted["things"] = desk.worth
    desk.check()
    return desk


def test_the_statement_by_hand(funded: Any) -> None:
    desk, pool = funded, funded.pool
    desk.premium(300, 0)
    pool.accrue(14)  # half of it is earned: 150, of which 85 % is for claims
    pool.report(14, np.array([40]), np.array([14]))
    pool.owed["loan"] = lambda: 70
    own = statement(pool)
    assert own.account == account_of(pool) == pool.accounts.surplus
    assert own.assets == {"unearned_premium_cash": 150, "administration_cash": 10, "things": 0}
    assert own.liabilities["claims_reported"] == 40
    assert own.liabilities["loan"] == 70
    assert own.liabilities["unearned_premium"] == 150
    assert own.cash == 1250 + 150 - 10 - 3 - 3
    assert own.equity == pool.capital == own.cash - 40 - own.liabilities["claims_unreported"] - 70
    assert own.failed_on is None
    assert statement_ties_to_ledger(pool) is None
    desk.ledger.transfer(desk.usd, pool.accounts.unearned, desk.payees[0], 1, "theft")
    assert statement_ties_to_ledger(pool) is not None


def test_buying_an_asset_moves_no_value_between_tranches(funded: Any) -> None:
    pool = funded.pool
    assert pool.put_out("buy", funded.asset, 650) == 650
    assert pool.lent == 400, "surplus 50 and junior 200 go first"
    assert (pool.senior_value(), pool.junior_value()) == (1000, 250)
    assert pool.put_out("buy", funded.asset, 10_000) == 600, "all there is"
    assert pool.lent == 1000
    assert (pool.senior_value(), pool.junior_value(), pool.capital) == (1000, 250, 1250)
    funded.check()


@pytest.mark.parametrize(("left", "senior", "junior"), [
    (650, 1000, 250), (500, 1000, 100), (400, 1000, 0), (100, 700, 0), (0, 600, 0), (900, 1000, 500)])
def test_losses_on_assets_fall_on_the_junior_tranche_first(funded: Any, left: int, senior: int, junior: int) -> None:
    desk, pool = funded, funded.pool
    pool.put_out("buy", desk.asset, 650)
    if left < 650:
        desk.ledger.transfer(desk.usd, desk.asset, desk.payees[0], 650 - left, "loss")
    else:
        desk.fund(desk.asset, left - 650)
    assert (pool.senior_value(), pool.junior_value()) == (senior, junior)
    pool.take_back("sell", desk.asset, left)
    assert (pool.senior_value(), pool.junior_value()) == (senior, junior), "a sale at market value moves no value"
    assert pool.cash(pool.accounts.senior) == 600 + min(left, 400)
    desk.check()


def test_senior_money_that_pays_for_illiquid_junior_assets_is_lent(funded: Any) -> None:
    """A claim of 500 with only senior cash left: junior assets of 250 bear it first, whenever they turn into money."""
    desk, pool = funded, funded.pool
    pool.put_out("buy", desk.asset, 250)
    assert desk.settle(1, 0, [500]) == [500]
    assert (pool.senior_value(), pool.junior_value()) == (750, 0)
    assert pool.lent == 250
    pool.take_back("sell", desk.asset, 250)
    assert (pool.senior_value(), pool.junior_value(), pool.lent) == (750, 0, 0)
    desk.check()


def test_withdrawals_wait_for_cash_where_money_is_lent(funded: Any) -> None:
    desk, pool = funded, funded.pool
    pool.put_out("buy", desk.asset, 1050)
    assert pool.lent == 800
    pool.request_withdrawal(desk.owners[0], 1000, 0)
    paid = sum(assets for _, _, assets in pool.serve_withdrawals(10, 0, 0.0))
    assert paid <= 200
    assert paid >= 199
    desk.check()
    pool.take_back("sell", desk.asset, 1050)
    paid += sum(assets for _, _, assets in pool.serve_withdrawals(10, 0, 0.0))
    assert paid >= 998
    desk.check()


def test_debts_are_paid_down_to_the_last_unit_and_no_further(funded: Any) -> None:
    desk, pool = funded, funded.pool
    pool.pay_debt(desk.payees[0], 1250, "loan")
    assert pool.layer_money() == 0
    before = desk.ledger.balance(desk.usd, desk.payees[0])
    with pytest.raises(PoolError):
        pool.pay_debt(desk.payees[0], 1, "loan")
    assert desk.ledger.balance(desk.usd, desk.payees[0]) == before
    desk.check()


def test_default_says_how(make_desk: Callable[..., Any]) -> None:
    cases = ((1100, 0, 500, "cash"), (0, 1200, 0, "balance_sheet"), (1100, 0, 0, "both"))
    for claim, reserve, asset, expected in cases:
        desk = make_desk(offset=0)
        desk.fund(desk.owners[0], 1000)
        desk.pool.deposit(desk.owners[0], 1000)
        desk.pool.admitted["things"] = lambda asset=asset: asset
        if claim:
            desk.settle(1, 0, [claim])
        else:
            desk.pool.report(1, np.array([reserve]), np.array([1]))
            desk.pool.default(1)
        assert desk.pool.insolvency == expected
        desk.check()


def test_a_pool_with_assets_left_does_not_close(funded: Any) -> None:
    pool = funded.pool
    pool.put_out("buy", funded.asset, 100)
    pool.enter_run_off(0, cut_cover=True)
    assert not pool.close_if_done(1000)
    pool.take_back("sell", funded.asset, 100)
    assert pool.close_if_done(1000)
    funded.check()
