"""Flash loans: terms, premiums to the lenders, refusals, and the market's mechanism."""

import pytest

from sim.contracts.credit.flash_loan import RAY, FlashLoanPool, FlashLoanRefused
from sim.kernel.ledger import InsufficientFunds, Ledger
from sim.model import HealthMarket
from sim.scenario.load import load_scenario


@pytest.fixture
def bank():
    ledger = Ledger(institutions=8, people=0)
    ledger.asset("WETH")
    ledger.asset("DAI")
    return ledger, FlashLoanPool(ledger, lambda: 9)


def party(ledger, name, *amounts):
    account = ledger.open_account(name, "traders")
    for asset, amount in enumerate(amounts):
        ledger.mint(asset, account, amount, "x")
    return account


def test_premiums_raise_the_index_as_in_aave(bank):
    """Aave v2 flashloan.spec.ts: 0.8 of 1 WETH, then all of it; liquidity 1.00072 and then 1.001620648."""
    ledger, pool = bank
    pool.list_asset(0)
    lender, borrower = party(ledger, "lender", 10**18), party(ledger, "borrower", 10**18)
    pool.deposit(lender, 0, 10**18)
    assert pool.borrow(borrower, 0, 8 * 10**17, lambda: None) == 720_000_000_000_000
    assert (pool.available(0), pool.index_ray(0)) == (1_000_720_000_000_000_000, 1_000_720_000 * 10**18)
    pool.borrow(borrower, 0, pool.available(0), lambda: None)
    assert (pool.available(0), pool.index_ray(0)) == (1_001_620_648_000_000_000, 1_001_620_648 * 10**18)
    assert pool.withdraw(lender, 0, 10**18) == 1_001_620_648_000_000_000


def test_the_borrower_has_the_money_while_its_program_runs_and_not_after(bank):
    ledger, pool = bank
    pool.list_asset(0)
    pool.deposit(party(ledger, "lender", 1000), 0, 1000)
    borrower = party(ledger, "borrower", 1)
    seen = []
    assert pool.borrow(borrower, 0, 1000, lambda: seen.append(ledger.balance(0, borrower))) == 1  # rounded up
    assert seen == [1001]
    assert (ledger.balance(0, borrower), pool.available(0), pool.loans, pool.premiums) == (0, 1001, 1, {0: 1})


def test_several_assets_in_one_call_and_loans_inside_loans(bank):
    ledger, pool = bank
    for asset in (0, 1):
        pool.list_asset(asset)
        pool.deposit(party(ledger, f"lender {asset}", 10**6, 10**6), asset, 10**6)
    borrower = party(ledger, "borrower", 5000, 5000)
    inner = []
    fees = pool.borrow_many(borrower, ((0, 10**6), (1, 500_000)), lambda: inner.append(
        pool.borrow(borrower, 1, 400_000, lambda: None)))
    assert fees == (900, 450)
    assert inner == [360]
    assert pool.available(1) == 10**6 + 810


@pytest.mark.parametrize("amount", [0, -5, 1001])
def test_what_the_pool_does_not_hold_is_not_lent(bank, amount):
    ledger, pool = bank
    pool.list_asset(0)
    pool.deposit(party(ledger, "lender", 1000), 0, 1000)
    with pytest.raises(FlashLoanRefused):
        pool.borrow(party(ledger, "borrower", 10), 0, amount, lambda: None)


def test_a_loan_without_its_premium_is_undone(bank):
    ledger, pool = bank
    pool.list_asset(0)
    pool.deposit(party(ledger, "lender", 1000), 0, 1000)
    borrower, accomplice = party(ledger, "borrower", 0), party(ledger, "accomplice")
    with pytest.raises(FlashLoanRefused):
        pool.borrow(borrower, 0, 1000, lambda: ledger.transfer(0, borrower, accomplice, 1, "x"))
    with pytest.raises(InsufficientFunds):  # what the program raises is passed on
        pool.borrow(borrower, 0, 1000, lambda: ledger.transfer(1, borrower, accomplice, 1, "x"))
    assert (pool.available(0), ledger.balance(0, accomplice), pool.loans, pool.premiums) == (1000, 0, 0, {0: 0})
    pool.withdraw(ledger.account("lender"), 0, 1000)  # no loan is thought to be out


def test_no_share_is_bought_or_sold_while_a_loan_is_out(bank):
    """With 999 of 1,000 lent a deposit of 1 would else buy half of the pool."""
    ledger, pool = bank
    pool.list_asset(0)
    lender = party(ledger, "lender", 2000)
    pool.deposit(lender, 0, 1000)
    borrower = party(ledger, "borrower", 10)
    for call in (lambda: pool.deposit(borrower, 0, 1), lambda: pool.withdraw(lender, 0, 1)):
        with pytest.raises(FlashLoanRefused):
            pool.borrow(borrower, 0, 999, call)


def test_in_a_market_lenders_stock_cash_and_tokens(tmp_path):
    file = tmp_path / "flash.yaml"
    file.write_text("""
name: flash
question: Is there something to borrow?
stage: 3
horizon_days: 2
reference_price: {}
health_token: {}
amm: {}
flash_loans: {premium_bps: 5, assets: [{asset: USDs, opening: 3000}, {asset: HLT, opening: 20},
                                       {asset: HLT-LP, opening: 7}, {asset: NONE}]}
""")
    market = HealthMarket(load_scenario(file), 1)
    market.step()
    flash, ledger = market.mechanism("flash_loans"), market.ledger
    held = [flash.available(ledger.asset_id(name)) for name in ("USDs", "HLT", "HLT-LP")]
    assert held == [3_000_000_000, 20_000_000, 7_000_000]
    assert flash.unstocked == ["NONE"]
    borrower = ledger.open_account("borrower", "traders")
    ledger.mint(market.usd, borrower, 10**6, "x")
    assert flash.borrow(borrower, market.usd, 10**9, lambda: None) == 500_000
    market.invariants.require(0)
    assert market.finish()["flash_loans.loans"] == 1
    assert flash.pool.index_ray(market.usd) > RAY


def test_a_program_cannot_set_the_premium_of_its_own_loan():
    ledger, premium = Ledger(institutions=8, people=0), [9]
    ledger.asset("WETH")
    pool = FlashLoanPool(ledger, lambda: premium[0])
    pool.list_asset(0)
    pool.deposit(party(ledger, "lender", 10**6), 0, 10**6)
    assert pool.borrow(party(ledger, "borrower", 10**4), 0, 10**6, lambda: premium.__setitem__(0, 0)) == 900


def test_a_gift_does_not_make_shares_dear_for_those_who_come_later(bank):
    ledger, pool = bank
    pool.list_asset(0)
    first, later = party(ledger, "first", 10**9), party(ledger, "later", 10**9)
    pool.deposit(first, 0, 1)
    ledger.transfer(0, first, pool.account, 500_000_000, "gift")
    assert pool.deposit(later, 0, 10**9) == 10**9
    assert pool.withdraw(later, 0, 10**9) == 10**9
