"""Lending by cases: limits, liquidation, close factor, bad debt and who bears it, hand-over to an auction."""

from fractions import Fraction

import pytest

from sim.contracts.credit.interest import RAY, WAD, YEAR_SECONDS, KinkedRate
from sim.contracts.credit.lending import CollateralTerms, LendingPool, LentMarket
from sim.contracts.credit.lending_reserve import LendingRefused, Reserve
from sim.kernel.ledger import Ledger
from sim.model import HealthMarket
from sim.scenario.load import load_scenario


class Price:
    name = "test"

    def __init__(self):
        self.ratio = Fraction(1)

    def price(self):
        return float(self.ratio)

    def value(self, amount):
        return int(amount * self.ratio)


class Bench:
    """One supplier of a million USDs, one borrower with 1,000 HLT of a dollar each, one liquidator, one treasury."""

    def __init__(self, treasury=False, factor=0, full_close_below=0):
        self.ledger = ledger = Ledger(institutions=16, people=0)
        self.usd, self.hlt = ledger.asset("USDs"), ledger.asset("HLT")
        self.supplier, self.borrower, self.keeper, self.treasury = (
            ledger.open_account(name, "traders") for name in ("supplier", "borrower", "keeper", "treasury"))
        self.time, self.price = 0, Price()
        self.pool = LendingPool(ledger, close_factor_bps=lambda: 5000, full_close_below=full_close_below,
                                treasury=self.treasury if treasury else None)
        for asset, source in ((self.usd, None), (self.hlt, self.price)):
            reserve = Reserve(ledger, asset, KinkedRate.of(0.8, 0.0, 0.04, 0.75), lambda: self.time, lambda: factor)
            self.pool.list_market(LentMarket(reserve, CollateralTerms(7500, 8000, 500), source))
        self.cash = self.pool.market(self.usd).reserve
        for account, asset, amount in ((self.supplier, self.usd, 10**12), (self.borrower, self.hlt, 10**9),
                                       (self.keeper, self.usd, 10**12), (self.treasury, self.usd, 10**8)):
            ledger.mint(asset, account, amount, "x")
        self.pool.supply(self.supplier, self.usd, 10**12)
        self.pool.supply(self.borrower, self.hlt, 10**9)

    def liquidate(self, amount=10**12):
        return self.pool.liquidate(self.keeper, self.borrower, self.hlt, self.usd, amount)


def test_loans_end_at_the_loan_to_value():
    bench = Bench()
    with pytest.raises(LendingRefused):
        bench.pool.borrow(bench.borrower, bench.usd, 750_000_001)
    bench.pool.borrow(bench.borrower, bench.usd, 750_000_000)
    with pytest.raises(LendingRefused):
        bench.pool.borrow(bench.borrower, bench.usd, 1)
    assert bench.pool.health(bench.borrower) == 800 * WAD // 750
    with pytest.raises(LendingRefused):
        bench.pool.withdraw(bench.borrower, bench.hlt, 100_000_000)
    bench.pool.withdraw(bench.borrower, bench.hlt, 62_500_000)  # health is one
    with pytest.raises(LendingRefused):
        bench.liquidate()


def test_half_of_the_debt_at_the_bonus_and_all_of_it_in_need():
    bench = Bench()
    bench.pool.borrow(bench.borrower, bench.usd, 750_000_000)
    bench.price.ratio = Fraction(9, 10)  # health 0.96
    assert bench.liquidate() == (375_000_000, 437_500_000, 0)  # 375 x 1.05 / 0.9
    bench.price.ratio = Fraction(8, 10)
    assert bench.pool.health(bench.borrower) < 98 * WAD // 100
    bench.price.ratio = Fraction(7, 10)
    assert bench.pool.health(bench.borrower) < bench.pool.full_close_health
    assert bench.liquidate() == (375_000_000, 562_499_999 + 1, 0)  # all the debt for 375 x 1.05 / 0.7
    assert bench.cash.debt_of(bench.borrower) == 0


def test_small_debts_are_closed_in_full():
    bench = Bench(full_close_below=2 * 10**9)
    bench.pool.borrow(bench.borrower, bench.usd, 750_000_000)
    bench.price.ratio = Fraction(9, 10)
    assert bench.liquidate().repaid == 750_000_000


@pytest.mark.parametrize(("treasury", "covered"), [(False, 0), (True, 100_000_000)])
def test_a_debt_without_collateral_is_lost_and_somebody_bears_it(treasury, covered):
    """At 0.5 the collateral of 500 pays 476.19 of 750 at the bonus; 273.81 are lost, of which the treasury has 100."""
    bench = Bench(treasury)
    told = []
    bench.pool.covered = lambda asset, paid: told.append((asset, paid))
    bench.pool.borrow(bench.borrower, bench.usd, 750_000_000)
    bench.price.ratio = Fraction(1, 2)
    done = bench.liquidate()
    assert (done.repaid, done.seized, done.lost) == (476_190_477, 10**9, 273_809_523)
    state = bench.cash.state
    assert (state.bad_debt, state.from_treasury) == (273_809_523, covered)
    assert told == ([(bench.usd, covered)] if covered else [])
    assert bench.cash.supplied_by(bench.supplier) == 10**12 - 273_809_523 + covered
    assert bench.cash.total_debt() == 0


def test_the_protocols_part_of_the_interest_bears_losses_first():
    bench = Bench(factor=10_000)
    bench.ledger.mint(bench.hlt, bench.borrower, 10**12, "x")
    bench.pool.supply(bench.borrower, bench.hlt, 10**12)
    bench.pool.borrow(bench.borrower, bench.usd, 750_000_000_000)
    bench.time = YEAR_SECONDS
    interest = bench.cash.total_debt() - 750_000_000_000
    assert bench.cash.protocol_part() == interest > 10**10
    assert bench.cash.supplied_by(bench.supplier) == 10**12
    bench.price.ratio = Fraction(73, 100)
    done = bench.liquidate()
    assert bench.cash.state.from_protocol == min(done.lost, interest) > 0


def test_suppliers_earn_what_borrowers_pay():
    bench = Bench()
    bench.ledger.mint(bench.hlt, bench.borrower, 10**13, "x")
    bench.pool.supply(bench.borrower, bench.hlt, 10**13)
    bench.pool.borrow(bench.borrower, bench.usd, 8 * 10**11)
    assert bench.cash.state.rate == 4 * RAY // 100
    bench.time = YEAR_SECONDS
    owed = bench.cash.debt_of(bench.borrower)
    assert owed == pytest.approx(8 * 10**11 * 1.0408107741, rel=1e-9)
    assert bench.cash.supplied_by(bench.supplier) in (10**12 + owed - 8 * 10**11, 10**12 + owed - 8 * 10**11 - 1)
    bench.ledger.mint(bench.usd, bench.borrower, 10**12, "x")
    assert bench.pool.repay(bench.borrower, bench.borrower, bench.usd, 10**13) == owed
    bench.pool.withdraw(bench.supplier, bench.usd, bench.cash.supplied_by(bench.supplier))


def test_an_auction_takes_the_position_and_settles_the_claim():
    bench = Bench()
    bench.pool.borrow(bench.borrower, bench.usd, 750_000_000)
    with pytest.raises(LendingRefused):
        bench.pool.hand_over(bench.borrower, bench.hlt, bench.usd, bench.keeper)
    bench.price.ratio = Fraction(1, 2)
    assert bench.pool.hand_over(bench.borrower, bench.hlt, bench.usd, bench.keeper) == (10**9, 750_000_000)
    assert bench.cash.total_assets() == 10**12  # the claim on the house stands in for the debt
    assert bench.pool.settle(bench.usd, bench.keeper, 750_000_000, 1) == 749_999_999
    assert bench.cash.supplied_by(bench.supplier) == 10**12 - 749_999_999
    assert bench.cash.state.auctioned == 0


def test_a_token_that_is_priced_late_can_be_collateral(tmp_path):
    """The governance token's market maker opens on day 0, after the lending pool was set up."""
    file = tmp_path / "late.yaml"
    file.write_text("""
name: late
question: Can GOV be pledged?
stage: 3
horizon_days: 3
population: {patients: 30}
economy: {}
reference_price: {}
health_token: {}
amm: {}
governance: {}
liquidity_providers: {providers: 5}
insurance: {pools: 1}
insurers: {}
lending: {markets: [{asset: USDs, opening: 100000}, {asset: GOV, price: spot, pool: GOV, opening: 1000}]}
liquidators: {}
""")
    market = HealthMarket(load_scenario(file), 1)
    for _ in range(3):
        market.step()
        market.invariants.require(market.day)
    lending, gov = market.mechanism("lending"), market.ledger.asset_id("GOV")
    assert lending.pool.market(gov).reserve.supplied_by(lending.suppliers) == 1000 * 10**6
    assert lending.pool.position(lending.suppliers).collateral > 100_000 * 10**6


def test_an_auction_of_one_collateral_takes_its_part_of_the_debt_only():
    """Else a crumb of one collateral would carry away the debt that another one secures."""
    bench = Bench()
    bench.ledger.mint(bench.usd, bench.borrower, 10**9, "x")
    bench.pool.supply(bench.borrower, bench.usd, 10**9)
    bench.pool.borrow(bench.borrower, bench.usd, 1_500_000_000)
    bench.price.ratio = Fraction(1, 2)
    assert bench.pool.hand_over(bench.borrower, bench.hlt, bench.usd, bench.keeper) == (10**9, 500_000_000)
    assert bench.cash.debt_of(bench.borrower) == 10**9
    assert bench.pool.health(bench.borrower) < WAD


def test_no_collateral_goes_to_auction_for_a_debt_that_is_not_there():
    bench = Bench()
    for asset, amount in ((bench.hlt, 10**9), (bench.usd, 10**9)):
        bench.ledger.mint(asset, bench.supplier, amount, "x")
    bench.pool.supply(bench.supplier, bench.hlt, 10**9)
    bench.ledger.mint(bench.usd, bench.borrower, 10**9, "x")
    bench.pool.supply(bench.borrower, bench.usd, 10**9)
    bench.pool.borrow(bench.borrower, bench.hlt, 10**9)
    bench.price.ratio = Fraction(10)  # its own health tokens are worth 10,000, what it owes as much
    assert bench.pool.health(bench.borrower) < WAD
    with pytest.raises(LendingRefused):
        bench.pool.hand_over(bench.borrower, bench.usd, bench.usd, bench.keeper)


def test_a_gift_does_not_make_shares_dear_for_those_who_come_later():
    """The inflation attack: one unit for one share, a gift, and the next deposit is rounded for the giver."""
    bench = Bench()
    attacker, hlt = bench.keeper, bench.pool.market(bench.hlt).reserve
    bench.pool.withdraw(bench.borrower, bench.hlt, 10**9)
    bench.ledger.mint(bench.hlt, attacker, 10**9, "x")
    bench.pool.supply(attacker, bench.hlt, 1)
    bench.ledger.transfer(bench.hlt, attacker, hlt.account, 500_000_000, "gift")
    bench.pool.supply(bench.borrower, bench.hlt, 999_999_999)
    assert hlt.supplied_by(bench.borrower) == 999_999_999
    assert hlt.supplied_by(attacker) == 1
