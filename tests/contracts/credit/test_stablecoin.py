"""Troves, the stability pool, the base rate, and mint and redeem, rule by rule."""

import pytest

from sim.chain.mempool import Refused
from sim.contracts.credit.redemption import HALF_DAY, UNIT, BaseRate, decayed, minute_factor
from sim.contracts.credit.stability_pool import in_proportion
from sim.contracts.credit.stablecoin_algorithmic import MintRedeem
from sim.contracts.credit.stablecoin_troves import Rules, TroveRefused, Troves
from sim.kernel.fixedpoint import MICRO, mul_div
from sim.kernel.ledger import Ledger


class SetPrice:
    name = "set"

    def __init__(self, micro=MICRO):
        self.micro = micro

    def value(self, amount):
        return mul_div(amount, self.micro, MICRO)


@pytest.fixture
def troves():
    ledger = Ledger(institutions=16, people=0)
    collateral, coin = ledger.asset("HLT"), ledger.asset("hUSD")
    treasury = ledger.open_account("treasury", "protocol")
    rate = BaseRate(ledger, UNIT // 200, UNIT // 20, 2)
    troves = Troves(ledger, "S", coin, collateral, Rules(1_100_000, 1_500_000, 2 * MICRO, 10 * MICRO), rate, lambda: 0,
                    treasury)
    troves.price = SetPrice()
    troves.accounts = [ledger.open_account(f"a{i}", "traders") for i in range(4)]
    for account in troves.accounts:
        ledger.mint(collateral, account, 10**12, "x")
    return troves


def test_a_fall_by_half_takes_twelve_hours():
    assert decayed(UNIT, 12 * 3600) == pytest.approx(UNIT / 2, rel=1e-9)
    assert decayed(UNIT, 59) == UNIT
    assert minute_factor(12.0) == HALF_DAY


def test_parts_sum_to_the_whole():
    assert sum(in_proportion(7, [1, 1, 1])) == 7
    assert in_proportion(3, [1, 0, 5]) in ([0, 0, 3], [1, 0, 2])


def test_borrowing_adds_fee_and_reserve_to_the_debt(troves):
    first = troves.accounts[0]
    assert troves.open(first, 400 * MICRO, 100 * MICRO) == 500_000
    assert troves.troves[first].debt == 102_500_000
    assert troves.ledger.balance(troves.coin, first) == 100 * MICRO
    assert troves.check() is None


def test_the_stability_pool_bears_before_the_other_troves_do(troves):
    weak, strong, saver, keeper = troves.accounts
    troves.open(strong, 1_000 * MICRO, 200 * MICRO)
    troves.open(weak, 180 * MICRO, 100 * MICRO)
    troves.ledger.transfer(troves.coin, strong, saver, 60 * MICRO, "x")
    troves.stability.deposit(saver, 60 * MICRO)
    troves.price.micro = 600_000  # 108 of collateral against 102.5
    before = troves.troves[strong].debt
    assert troves.liquidate(keeper, weak) == 900_000
    assert troves.stability.total == 0
    assert troves.stability.gains[saver] == mul_div(179_100_000, 60 * MICRO, 102_500_000)
    assert troves.troves[strong].debt == before + 42_500_000
    assert troves.ledger.balance(troves.coin, keeper) == 2 * MICRO
    assert troves.check() is None


def test_the_last_trove_is_never_liquidated(troves):
    troves.open(troves.accounts[0], 300 * MICRO, 100 * MICRO)
    troves.price.micro = 100_000
    with pytest.raises(TroveRefused):
        troves.liquidate(troves.accounts[1], troves.accounts[0])


def test_in_recovery_mode_the_riskier_half_can_go_at_a_capped_price(troves):
    risky, safe, saver, keeper = troves.accounts
    troves.open(safe, 250 * MICRO, 100 * MICRO)
    troves.open(risky, 190 * MICRO, 100 * MICRO)
    troves.ledger.transfer(troves.coin, safe, saver, 90 * MICRO, "x")
    troves.ledger.transfer(troves.coin, risky, saver, 90 * MICRO, "x")
    with pytest.raises(TroveRefused):
        troves.liquidate(keeper, risky)
    troves.price.micro = 680_000  # together 292 per cent x 0.68 of 205: below 150 per cent; the risky one at 126
    assert troves.in_recovery()
    with pytest.raises(TroveRefused):
        troves.withdraw_collateral(safe, MICRO)
    with pytest.raises(TroveRefused):
        troves.liquidate(keeper, risky)  # the stability pool cannot bear it all
    troves.stability.deposit(saver, 180 * MICRO)
    reward = troves.liquidate(keeper, risky)
    got = troves.value(troves.stability.gains[saver])
    taken = 102_500_000 * 1.1 / 0.68  # the liquidator's part comes out of it, as in Liquity's _getCappedOffsetVals
    assert got == pytest.approx(102_500_000 * 1.1 * 0.995, rel=1e-6)
    assert reward == pytest.approx(taken * 0.005, rel=1e-6)
    assert troves.surplus[risky] == pytest.approx(190 * MICRO - taken, rel=1e-6)
    left = troves.surplus[risky]
    assert troves.claim_surplus(risky) == left
    assert troves.check() is None


def test_redemption_takes_the_riskiest_first_and_raises_its_own_fee(troves):
    risky, safe, holder, _ = troves.accounts
    troves.open(safe, 900 * MICRO, 200 * MICRO)
    troves.open(risky, 300 * MICRO, 150 * MICRO)
    troves.ledger.transfer(troves.coin, safe, holder, 50 * MICRO, "x")
    untouched, supply = troves.troves[safe], troves.ledger.supply(troves.coin)
    coins, paid = troves.redeem(holder, 50 * MICRO)
    assert coins == 50 * MICRO
    assert troves.troves[safe] == untouched
    fee = min(0.05, 0.005 + 50 * MICRO / supply / 2)
    assert paid == pytest.approx(50 * MICRO * (1 - fee), rel=1e-6)
    assert troves.check() is None


def test_a_trove_redeemed_to_its_end_leaves_its_owner_the_rest(troves):
    risky, safe, holder, _ = troves.accounts
    troves.open(safe, 900 * MICRO, 200 * MICRO)
    troves.open(risky, 100 * MICRO, 40 * MICRO)
    troves.ledger.transfer(troves.coin, safe, holder, 100 * MICRO, "x")
    owed = troves.troves[risky].debt - 2 * MICRO
    troves.redeem(holder, owed)
    assert risky not in troves.troves
    assert troves.surplus[risky] == pytest.approx(100 * MICRO - owed, abs=2)
    assert troves.check() is None


@pytest.fixture
def iron():
    ledger = Ledger(institutions=8, people=0)
    coin, share, cash = (ledger.asset(name) for name in ("hUSD", "hSHR", "USDs"))
    holder = ledger.open_account("holder", "traders")
    ledger.open_account("S.reserve", "protocol")
    for asset in (share, cash):
        ledger.mint(asset, holder, 10**12, "x")
    contract = MintRedeem(ledger, "S", coin, share, cash, 750_000, 0)
    contract.price = SetPrice()
    contract.holder = holder
    return contract


def test_cash_runs_short_in_proportion_and_shares_make_it_up(iron):
    iron.mint(iron.holder, 1_000 * MICRO)
    other = iron.ledger.open_account("other", "traders")
    iron.ledger.transfer(iron.cash, iron.reserve, other, 375 * MICRO, "x")  # half of the reserve is gone
    cash, shares = iron.redeem(iron.holder, 400 * MICRO)
    assert (cash, shares) == (150 * MICRO, 250 * MICRO)


def test_an_average_above_the_market_pays_the_redeemer_too_little(iron):
    iron.mint(iron.holder, 1_000 * MICRO)
    iron.price.micro = 2 * MICRO  # the average still says two
    _, shares = iron.redeem(iron.holder, 100 * MICRO)
    assert shares == 12_500_000  # worth 12.5 where the market pays one: 87.5 for a hundred


def test_a_worthless_share_stops_redemption(iron):
    iron.mint(iron.holder, 1_000 * MICRO)
    iron.price.micro = 0
    with pytest.raises(Refused):
        iron.redeem(iron.holder, MICRO)


def test_a_vote_on_the_fee_holds_for_the_next_loan(troves):
    floor = [UNIT // 200]
    troves.base_rate = BaseRate(troves.ledger, lambda: floor[0], UNIT // 20, 2)
    assert troves.borrowing_fee(100 * MICRO) == 500_000
    floor[0] = UNIT // 100
    assert troves.borrowing_fee(100 * MICRO) == 1_000_000


def test_no_deposit_leaves_before_the_debt_that_it_is_to_bear(troves):
    weak, strong, saver, keeper = troves.accounts
    troves.open(strong, 1_000 * MICRO, 200 * MICRO)
    troves.open(weak, 180 * MICRO, 100 * MICRO)
    troves.ledger.transfer(troves.coin, strong, saver, 60 * MICRO, "x")
    troves.stability.deposit(saver, 60 * MICRO)
    troves.stability.withdraw(saver, 10 * MICRO)
    troves.price.micro = 600_000
    with pytest.raises(Refused, match="wait"):
        troves.stability.withdraw(saver, 50 * MICRO)
    troves.liquidate(keeper, weak)
    assert troves.stability.total == 0


def test_a_second_endowment_adds_to_the_trove_and_forgets_no_debt(troves):
    first = troves.accounts[0]
    troves.endow(first, 400 * MICRO, 100 * MICRO)
    troves.endow(first, 200 * MICRO, 50 * MICRO)
    assert troves.troves[first] == (600 * MICRO, 152 * MICRO)
    assert troves.check() is None
