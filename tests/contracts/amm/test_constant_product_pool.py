"""The pool contract on the ledger: liquidity, fees, gifts, flash swaps, averages and rollback."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.amm.interface import (
    DAY_SECONDS,
    BlockClock,
    InsufficientLiquidity,
    PoolError,
    ProductFell,
    SlippageExceeded,
)
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import InsufficientFunds, Ledger, UnknownAccount

RICH = 10**15


class World:
    """A pool, its founder, a trader and a treasury."""

    def __init__(self, *, fee_bps=30, with_treasury=True, span="institutions"):
        self.ledger = Ledger(institutions=16, people=3)
        self.base, self.quote = self.ledger.asset("HLT"), self.ledger.asset("USDs")
        self.founder, self.trader = (self.ledger.open_account(name, "traders") for name in ("founder", "trader"))
        self.treasury = self.ledger.open_account("treasury", "protocol")
        for account in (self.founder, self.trader, self.ledger.person(0)):
            for asset in (self.base, self.quote):
                self.ledger.mint(asset, account, RICH, "x")
        self.clock = BlockClock()
        self.pool = ConstantProductPool(
            self.ledger, "HLT", self.base, self.quote, fee_bps=fee_bps, clock=self.clock, span=span,
            treasury=self.treasury if with_treasury else None)

    def open(self, base=10**12, quote=2 * 10**12):
        self.pool.add_liquidity(self.founder, base, quote)
        return self

    def everything(self):
        return ([self.ledger.balances(asset).copy().tolist() for asset in range(3)], self.pool.state,
                self.pool.history._times[:], [self.ledger.supply(asset) for asset in range(3)])


def test_first_deposit_locks_the_minimum_for_ever():
    world = World()
    assert world.pool.add_liquidity(world.founder, 1_000_000, 4_000_000) == (1_000_000, 4_000_000, 2_000_000 - 1000)
    assert world.ledger.balance(world.pool.shares, world.pool.locked) == 1000
    assert world.ledger.supply(world.pool.shares) == 2_000_000


def test_a_first_deposit_of_the_minimum_is_refused():
    world = World()
    with pytest.raises(InsufficientLiquidity):
        world.pool.add_liquidity(world.founder, 1000, 1000)
    assert world.ledger.supply(world.pool.shares) == 0
    assert world.ledger.balance(world.base, world.pool.account) == 0


def test_deposit_takes_the_ratio_and_refuses_below_the_limits():
    world = World().open()
    base, quote, shares = world.pool.add_liquidity(world.trader, 500, 10_000)
    assert (base, quote) == (500, 1000)
    assert shares == math.isqrt(2 * 10**24) * 500 // 10**12
    assert world.pool.add_liquidity(world.trader, 10_000, 1000)[:2] == (500, 1000)
    with pytest.raises(SlippageExceeded):
        world.pool.add_liquidity(world.trader, 500, 10_000, min_quote=1001)


def test_redeeming_all_leaves_what_backs_the_locked_shares():
    world = World(with_treasury=False).open(3 * 10**9, 3 * 10**9)
    shares = world.ledger.balance(world.pool.shares, world.founder)
    assert world.pool.remove_liquidity(world.founder, shares) == (3 * 10**9 - 1000, 3 * 10**9 - 1000)
    assert world.pool.reserves() == (1000, 1000)


def test_nobody_redeems_more_than_he_has():
    world = World().open()
    before = world.everything()
    for shares in (1, 10**9):
        with pytest.raises(InsufficientFunds):
            world.pool.remove_liquidity(world.trader, shares)
    with pytest.raises(InsufficientLiquidity):
        world.pool.remove_liquidity(world.trader, 0)
    assert world.everything() == before


def test_the_protocol_owns_a_sixth_of_the_fees():
    world = World().open(10**12, 10**12)
    for _ in range(200):
        world.pool.swap(world.trader, world.base, 10**10)
        world.pool.swap(world.trader, world.quote, 10**10)
    grown = math.isqrt(math.prod(world.pool.reserves())) - 10**12
    paid = world.pool.collect_fee()
    owned = paid / world.ledger.supply(world.pool.shares) * (10**12 + grown)
    assert owned == pytest.approx(grown / 6, rel=1e-6)
    assert world.ledger.balance(world.pool.shares, world.treasury) == paid
    assert world.pool.collect_fee() == 0


@pytest.mark.parametrize("call", ["deposit", "withdrawal", "collection"])
def test_every_change_of_liquidity_pays_the_protocol_first(call):
    world = World().open(10**12, 10**12)
    world.pool.swap(world.trader, world.base, 10**11)
    due = world.pool.pending_fee()
    assert due > 0
    {"deposit": lambda: world.pool.add_liquidity(world.trader, 10**6, 10**6),
     "withdrawal": lambda: world.pool.remove_liquidity(world.founder, 10**6),
     "collection": world.pool.collect_fee}[call]()
    assert world.ledger.balance(world.pool.shares, world.treasury) == due
    assert world.pool.pending_fee() == 0


def test_without_a_treasury_no_shares_are_minted():
    world = World(with_treasury=False).open()
    world.pool.swap(world.trader, world.base, 10**10)
    assert world.pool.collect_fee() == 0
    assert world.ledger.supply(world.pool.shares) == math.isqrt(2 * 10**24)


def test_swap_limits_and_unknown_assets():
    world = World().open()
    out = world.pool.quote_out(world.base, 10**6)
    before = world.everything()
    with pytest.raises(SlippageExceeded):
        world.pool.swap(world.trader, world.base, 10**6, out + 1)
    with pytest.raises(InsufficientFunds):
        world.pool.swap(world.trader, world.base, RICH + 1)
    with pytest.raises(PoolError, match="does not trade"):
        world.pool.swap(world.trader, world.pool.shares, 5)
    with pytest.raises(InsufficientLiquidity):
        world.pool.swap(world.trader, world.base, 0)
    with pytest.raises(SlippageExceeded):
        world.pool.swap_for(world.trader, world.quote, 10**6, 10)
    assert world.everything() == before
    assert world.pool.swap(world.trader, world.base, 10**6, out) == out
    with pytest.raises(InsufficientLiquidity):
        World().pool.quote_out(0, 5)


def test_exact_output_asks_for_no_less_than_it_gives():
    world = World().open()
    held = world.ledger.balance(world.quote, world.trader)
    paid = world.pool.swap_for(world.trader, world.quote, 12_345_678, 10**9)
    assert world.ledger.balance(world.quote, world.trader) - held >= 12_345_678
    assert paid == World().open().pool.quote_in(world.quote, 12_345_678)


def test_a_gift_counts_after_the_next_call_and_goes_to_the_next_depositor():
    world = World(with_treasury=False).open(10**9, 10**9)
    world.ledger.transfer(world.base, world.trader, world.pool.account, 10**6, "gift")
    world.ledger.transfer(world.quote, world.trader, world.pool.account, 10**6, "gift")
    assert world.pool.reserves() == (10**9, 10**9)
    assert world.pool.add_liquidity(world.founder, 10**6, 10**6)[2] == 2 * 10**6
    world.ledger.transfer(world.base, world.trader, world.pool.account, 5, "gift")
    world.pool.sync()
    assert world.pool.reserves() == (10**9 + 2 * 10**6 + 5, 10**9 + 2 * 10**6)


def test_flash_swap_must_be_paid_with_its_fee():
    world = World().open(10**9, 10**9)
    lent = 997_000

    def repay(amount):
        return lambda: world.ledger.transfer(world.base, world.trader, world.pool.account, amount, "swap")

    before = world.everything()
    with pytest.raises(ProductFell):
        world.pool.flash_swap(world.trader, lent, 0, repay(999_999))
    assert world.everything() == before
    world.pool.flash_swap(world.trader, lent, 0, repay(1_000_000))
    assert world.pool.reserves() == (10**9 + 3_000, 10**9)
    with pytest.raises(InsufficientLiquidity):
        world.pool.flash_swap(world.trader, 10**10, 0, repay(1))


def test_the_pool_cannot_be_called_from_inside_its_flash_swap():
    world = World().open(10**9, 10**9)
    before = world.everything()
    with pytest.raises(PoolError, match="inside its own call"):
        world.pool.flash_swap(world.trader, 10**6, 0, lambda: world.pool.swap(world.trader, world.quote, 10**6))
    with pytest.raises(ZeroDivisionError):
        world.pool.flash_swap(world.trader, 10**6, 0, lambda: 1 // 0)
    assert world.everything() == before
    assert world.pool.swap(world.trader, world.quote, 10**6) > 0


def test_rollback_takes_back_state_history_shares_and_counters():
    world = World().open()
    world.clock.advance(100)
    world.pool.swap(world.trader, world.base, 10**9)
    world.clock.advance(200)
    before = world.everything()

    def attempt():
        with world.ledger.atomic():
            world.pool.swap(world.trader, world.quote, 10**9)
            world.pool.add_liquidity(world.trader, 10**9, 10**9)
            world.pool.remove_liquidity(world.founder, 10**6)
            world.pool.collect_fee()
            raise RuntimeError("the rest of the transaction failed")

    with pytest.raises(RuntimeError):
        attempt()
    assert world.everything() == before


def test_average_price_weighs_by_time():
    world = World(fee_bps=0).open(3_000_000, 3_000_000)
    world.clock.advance(10)
    world.pool.swap(world.trader, world.base, 3_000_000)  # reserves 6:1.5, price 1/4
    world.clock.advance(30)
    assert world.pool.twap(1.0) == pytest.approx((10 * 1.0 + 20 * 0.25) / 30)
    assert world.pool.twap(20 / DAY_SECONDS) == pytest.approx(0.25)
    assert world.pool.twap(25 / DAY_SECONDS) == pytest.approx((5 * 1.0 + 20 * 0.25) / 25)
    assert world.pool.spot() == 0.25


@given(st.lists(st.tuples(st.integers(0, 5000), st.booleans(), st.integers(10, 10**11)), min_size=1, max_size=20),
       st.integers(1, 40_000))
def test_average_equals_the_mean_over_seconds(trades, window):
    """Against a plain list of the price that stood in each second."""
    world = World().open()
    seconds = []
    for wait, base_in, amount in trades:
        seconds += [world.pool.spot()] * wait
        world.clock.advance(world.clock.now + wait)
        world.pool.swap(world.trader, world.base if base_in else world.quote, amount)
    past = seconds[-window:]
    if past:
        assert world.pool.twap(window / DAY_SECONDS) == pytest.approx(sum(past) / len(past), rel=1e-9)


def test_a_price_that_stands_for_no_time_moves_no_average():
    world = World().open()
    world.clock.advance(1000)
    average = world.pool.twap(1.0)
    world.pool.swap(world.trader, world.base, 10**12)
    assert world.pool.spot() < 0.6
    assert world.pool.twap(1.0) == pytest.approx(average)


def test_share_value_and_depth():
    world = World(fee_bps=0).open(10**12, 2 * 10**12)
    assert world.pool.share_value() == pytest.approx(2 * 2 * 10**12 / world.ledger.supply(world.pool.shares))
    assert world.ledger.price(world.pool.shares) == world.pool.share_value()
    cash = int(world.pool.depth(0.02))
    world.pool.swap(world.trader, world.quote, cash)
    assert world.pool.spot() == pytest.approx(2.0 * 1.02, rel=1e-6)


def test_people_hold_liquidity_only_in_a_pool_for_all():
    world = World(span="all").open()
    person = world.ledger.person(0)
    shares = world.pool.add_liquidity(person, MICRO, 2 * MICRO)[2]
    assert world.ledger.balance(world.pool.shares, person) == shares
    closed = World().open()
    before = closed.everything()
    with pytest.raises(UnknownAccount):
        closed.pool.add_liquidity(person, MICRO, 2 * MICRO)
    assert closed.everything() == before


def test_a_pool_needs_two_assets():
    ledger = Ledger(institutions=4, people=0)
    asset = ledger.asset("A")
    with pytest.raises(PoolError):
        ConstantProductPool(ledger, "A", asset, asset)
