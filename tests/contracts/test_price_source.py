"""Price sources: what each says, and when it says nothing."""

from types import SimpleNamespace

import pytest

from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.credit.price_source import PriceUnavailable, price_source
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger


@pytest.fixture
def pool():
    ledger = Ledger(institutions=8, people=0)
    base, quote = ledger.asset("HLT"), ledger.asset("USDs")
    founder = ledger.open_account("founder", "traders")
    for asset in (base, quote):
        ledger.mint(asset, founder, 10**15, "x")
    pool = ConstantProductPool(ledger, "HLT", base, quote, fee_bps=0)
    pool.founder = founder
    return pool


def test_spot_moves_at_once_and_the_average_only_with_time(pool):
    pool.add_liquidity(pool.founder, 10**12, 10**12)
    spot, average = price_source("spot", pool=pool), price_source("twap", pool=pool, window_days=1.0)
    pool.clock.advance(86_400)
    pool.swap(pool.founder, pool.quote, 10**12)  # price 4
    assert spot.price() == 4.0
    assert spot.value(7) == 28
    assert average.price() == 1.0
    assert average.value(7) == 7
    pool.clock.advance(86_400 + 43_200)
    assert average.price() == pytest.approx(2.5)
    assert average.value(1000) == 2500
    pool.clock.advance(3 * 86_400)
    assert average.price() == 4.0


def test_values_are_floored(pool):
    pool.add_liquidity(pool.founder, 3 * 10**12, 10**12)
    pool.clock.advance(100)
    assert price_source("spot", pool=pool).value(5) == 1
    assert price_source("twap", pool=pool).value(5) == 1
    assert price_source("twap", pool=pool).value(2) == 0


def test_an_empty_or_new_pool_has_no_price(pool):
    for name in ("spot", "twap"):
        with pytest.raises(PriceUnavailable):
            price_source(name, pool=pool).value(10)
        with pytest.raises(PriceUnavailable):
            price_source(name, pool=pool).price()
    pool.add_liquidity(pool.founder, 10**12, 10**12)
    assert price_source("spot", pool=pool).price() == 1.0
    with pytest.raises(PriceUnavailable):
        price_source("twap", pool=pool).price()


def test_a_committee_price_goes_stale():
    feed, today = SimpleNamespace(index=2_500_000, posted_day=10), SimpleNamespace(day=12)
    source = price_source("committee", feed=feed, today=today, max_age_days=2)
    assert source.price() == 2.5
    assert source.value(3) == 7
    assert source.value(2 * MICRO) == 5 * MICRO
    today.day = 13
    with pytest.raises(PriceUnavailable, match="3 days old"):
        source.value(3)


def test_a_source_needs_what_it_reads():
    for name in ("spot", "twap", "committee"):
        with pytest.raises(ValueError, match="needs"):
            price_source(name)
