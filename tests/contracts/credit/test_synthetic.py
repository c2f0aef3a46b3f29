"""The debt pool's rules one by one: what liquidation takes, when, and who bears what no collateral covers."""

from types import SimpleNamespace

import pytest

from sim.contracts.credit.synthetic import DebtPool, Rules, SyntheticRefused, fix_amount
from sim.kernel.fixedpoint import MICRO, mul_div
from sim.kernel.ledger import Ledger


class SetPrice:
    name = "set"

    def __init__(self, micro=MICRO):
        self.micro = micro

    def value(self, amount):
        return mul_div(amount, self.micro, MICRO)


@pytest.fixture
def pool():
    ledger = Ledger(institutions=16, people=0)
    collateral = ledger.asset("HLT")
    day = SimpleNamespace(day=0)
    pool = DebtPool(ledger, "S", collateral, Rules(1_500_000, 1_200_000, 100_000, 50_000, 1), day)
    pool.price = SetPrice()
    pool.index = SetPrice()
    pool.synthetic = ledger.asset("sMED")
    pool.list_synthetic(pool.synthetic, pool.index)
    pool.day = day
    pool.accounts = [ledger.open_account(f"a{i}", "traders") for i in range(3)]
    for account in pool.accounts:
        ledger.mint(collateral, account, 10**12, "x")
    return pool


def issue(pool, who, collateral, amount):
    pool.deposit(pool.accounts[who], collateral * MICRO)
    pool.mint(pool.accounts[who], pool.synthetic, amount * MICRO)


def test_the_amount_that_restores_the_ratio_restores_it():
    debt, collateral, penalty = 1_000_000, 1_150_000, 100_000
    amount = fix_amount(debt, collateral, 666_666, penalty)
    left = collateral - amount * (MICRO + penalty) // MICRO
    assert left / (debt - amount) == pytest.approx(1.5, abs=1e-4)


def test_no_liquidation_restores_a_ratio_that_the_penalty_eats():
    with pytest.raises(SyntheticRefused):
        fix_amount(100, 110, 950_000, 100_000)


def test_issuing_stops_at_the_ratio(pool):
    issue(pool, 0, 150, 99)
    with pytest.raises(SyntheticRefused):
        pool.mint(pool.accounts[0], pool.synthetic, 2 * MICRO)
    with pytest.raises(SyntheticRefused):
        pool.withdraw(pool.accounts[0], 2 * MICRO)


def test_liquidation_waits_for_its_delay_and_leaves_the_issuance_ratio(pool):
    minter, liquidator, _ = pool.accounts
    issue(pool, 0, 150, 99)
    issue(pool, 1, 900, 200)
    with pytest.raises(SyntheticRefused):
        pool.flag(minter)  # it is safe
    pool.price.micro = 780_000  # 150 x 0.78 / 99 = 1.18
    with pytest.raises(SyntheticRefused):
        pool.liquidate(liquidator, minter, pool.synthetic, 100 * MICRO)
    pool.flag(minter)
    with pytest.raises(SyntheticRefused):
        pool.liquidate(liquidator, minter, pool.synthetic, 100 * MICRO)
    pool.day.day = 1
    burned, seized = pool.liquidate(liquidator, minter, pool.synthetic, 200 * MICRO)
    assert pool.ratio(minter) == pytest.approx(1_500_000, abs=20)
    assert pool.collateral_value(seized) == pytest.approx(burned * 1.1, rel=1e-6)
    assert pool.positions[minter].flagged in (-1, 0)
    assert pool.check() is None


def test_who_is_better_by_then_is_not_liquidated(pool):
    issue(pool, 0, 150, 99)
    issue(pool, 1, 900, 200)
    pool.price.micro = 780_000
    pool.flag(pool.accounts[0])
    pool.day.day = 1
    pool.burn(pool.accounts[0], pool.synthetic, 40 * MICRO)
    assert pool.positions[pool.accounts[0]].flagged == -1
    with pytest.raises(SyntheticRefused):
        pool.liquidate(pool.accounts[1], pool.accounts[0], pool.synthetic, MICRO)


def test_debt_without_collateral_is_struck_off_and_borne_by_the_others(pool):
    issue(pool, 0, 150, 99)
    issue(pool, 1, 900, 200)
    pool.price.micro = 500_000  # 75 of collateral against 99 of debt
    pool.flag(pool.accounts[0])
    pool.day.day = 1
    before = pool.debt(pool.accounts[1])
    pool.liquidate(pool.accounts[1], pool.accounts[0], pool.synthetic, 200 * MICRO)
    lost = pool.totals.bad_debt
    assert pool.accounts[0] not in pool.positions
    assert lost == 0  # the liquidator burned all of the debt, for less than it

    issue(pool, 2, 300, 60)
    pool.price.micro = 100_000
    pool.flag(pool.accounts[2])
    pool.day.day = 2
    before = pool.debt(pool.accounts[1])
    pool.liquidate(pool.accounts[1], pool.accounts[2], pool.synthetic, 35 * MICRO)
    assert pool.totals.bad_debt == pytest.approx(25 * MICRO, abs=5)
    assert pool.debt(pool.accounts[1]) == pytest.approx(before + 25 * MICRO, abs=5)


def test_a_rise_of_the_index_is_everybodys(pool):
    issue(pool, 0, 300, 100)
    issue(pool, 1, 300, 100)
    pool.index.micro = 1_300_000
    assert [pool.debt(account) for account in pool.accounts[:2]] == [pytest.approx(130 * MICRO, abs=3)] * 2


def test_who_liquidates_itself_gives_its_debt_with_collateral_on_top(pool):
    issue(pool, 0, 150, 99)
    issue(pool, 1, 900, 200)
    pool.price.micro = 900_000
    debts, values = pool.debt(pool.accounts[0]), pool.positions[pool.accounts[1]].collateral
    given, collateral = pool.liquidate_self(pool.accounts[0])
    assert pool.ratio(pool.accounts[0]) == pytest.approx(1_500_000, abs=20)
    assert pool.debt(pool.accounts[0]) == pytest.approx(debts - given, abs=3)
    assert pool.positions[pool.accounts[1]].collateral == values + collateral
    assert pool.collateral_value(collateral) == pytest.approx(given * 1.05, rel=1e-6)


def test_what_a_position_under_water_leaves_to_the_others_is_bad_debt(pool):
    issue(pool, 0, 150, 99)
    issue(pool, 1, 900, 200)
    pool.price.micro = 500_000
    owed = pool.debt(pool.accounts[0])
    assert pool.liquidate_self(pool.accounts[0]) == (owed, 150 * MICRO)
    assert pool.totals.bad_debt == owed - 75 * MICRO
