"""Weighted and StableSwap pools: limits, prices, both directions, fees, opening, averages and the best trade."""

import math

import pytest

from sim.contracts.amm import stableswap_math, weighted_math
from sim.contracts.amm.interface import BlockClock, InsufficientLiquidity, ProductFell, SlippageExceeded
from sim.contracts.amm.stableswap_pool import StableSwapPool
from sim.contracts.amm.weighted_pool import WeightedPool
from sim.contracts.credit.price_source import Spot, Twap
from sim.kernel.ledger import Ledger

UNIT = 10**6
CURVES = {
    "50/50": (WeightedPool, {"weight_base": 50}),
    "80/20": (WeightedPool, {"weight_base": 80}),
    "37/63": (WeightedPool, {"weight_base": 37}),
    "stable": (StableSwapPool, {"amplification": 100}),
    "stable, rate 2": (StableSwapPool, {"amplification": 20, "rate": 2 * UNIT}),
}


class Bench:
    def __init__(self, curve, base=1_000_000, quote=1_000_000, fee_bps=30, taxed=True):
        kind, terms = CURVES[curve]
        self.ledger = Ledger(institutions=8, people=0)
        self.base, self.quote = self.ledger.asset("HLT"), self.ledger.asset("USDs")
        self.trader = self.ledger.open_account("trader", "traders")
        treasury = self.ledger.open_account("treasury", "protocol")
        for asset in (self.base, self.quote):
            self.ledger.mint(asset, self.trader, 10**16, "x")
        self.clock = BlockClock()
        self.pool = kind(self.ledger, "P", self.base, self.quote, fee_bps=fee_bps, clock=self.clock,
                         treasury=treasury if taxed else None, **terms)
        self.pool.add_liquidity(self.trader, base * UNIT, quote * UNIT)


@pytest.mark.parametrize("curve", CURVES)
def test_price_is_what_a_small_trade_pays(curve):
    pool = Bench(curve, 700_000, 1_900_000, fee_bps=0).pool
    paid = 10 * UNIT
    assert pool.quote_out(pool.base, paid) / paid == pytest.approx(pool.spot(), rel=1e-4)
    assert pool.quote_out(pool.quote, paid) / paid == pytest.approx(1.0 / pool.spot(), rel=1e-4)
    assert Spot(pool).value(10**9) == int(10**9 * pool.spot())


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("wanted", [1, 12_345, 10**9, 60_000 * UNIT])
def test_exact_output_is_bought_at_the_least_price(curve, wanted):
    bench = Bench(curve)
    pool = bench.pool
    for asset in (bench.base, bench.quote):
        other = bench.quote if asset == bench.base else bench.base
        asked = pool.quote_in(asset, wanted)
        assert pool.quote_out(other, asked) >= wanted
        less = asked - asked // 10**9 - 3
        assert less <= 0 or pool.quote_out(other, less) <= wanted
    with pytest.raises(SlippageExceeded):
        pool.swap_for(bench.trader, bench.base, wanted, 0)
    before = bench.ledger.balance(bench.base, bench.trader)
    pool.swap_for(bench.trader, bench.base, wanted, 10**15)
    assert bench.ledger.balance(bench.base, bench.trader) - before >= wanted


def test_weighted_pool_refuses_above_thirty_per_cent():
    bench = Bench("80/20")
    pool, most = bench.pool, 300_000 * UNIT
    assert pool.quote_out(bench.base, most) > 0
    assert pool.quote_in(bench.quote, most) > 0
    for call in (lambda: pool.quote_out(bench.base, most + 1), lambda: pool.quote_in(bench.quote, most + 1)):
        with pytest.raises(InsufficientLiquidity):
            call()


@pytest.mark.parametrize("curve", CURVES)
def test_depth_lifts_the_price_by_the_move(curve):
    bench = Bench(curve, 900_000, 1_400_000)
    pool, before = bench.pool, bench.pool.spot()
    pool.swap(bench.trader, bench.quote, round(pool.depth(0.02)))
    assert pool.spot() / before == pytest.approx(1.02, rel=2e-4)


@pytest.mark.parametrize("curve", CURVES)
def test_fees_are_charged_and_shared(curve):
    bench = Bench(curve)
    pool = bench.pool
    free = Bench(curve, fee_bps=0).pool.quote_out(bench.base, 10**11)
    bought = pool.swap(bench.trader, bench.base, 10**11)
    taken = sum(pool.fees())
    assert taken == pytest.approx(0.003 * (10**11 if isinstance(pool, WeightedPool) else free), rel=1e-3)
    assert 0.995 < bought / free < 0.998
    grown = pool.root(*pool.reserves()) - pool.state.root_last
    shares = pool.collect_fee()
    assert shares * pool.root(*pool.reserves()) / bench.ledger.supply(pool.shares) == pytest.approx(grown / 6, rel=1e-3)


@pytest.mark.parametrize("curve", CURVES)
def test_average_price_weighs_by_time(curve):
    bench = Bench(curve)
    pool = bench.pool
    first = pool.spot()
    bench.clock.advance(1000)
    pool.swap(bench.trader, bench.base, 10**11)
    second = pool.spot()
    bench.clock.advance(4000)
    assert pool.twap(4000 / 86_400) == pytest.approx((first + 3 * second) / 4, rel=1e-9)
    assert Twap(pool, 3000 / 86_400).price() == pytest.approx(second, rel=1e-9)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("outside", [0.7, 0.9, 1.0, 1.02, 1.5])
def test_best_trade_beats_every_other(curve, outside):
    bench = Bench(curve)
    pool = bench.pool
    rate = round(outside * pool.spot() * UNIT)

    def gain(base_in, paid):
        out = pool.quote_out(bench.base if base_in else bench.quote, paid)
        return out * UNIT - paid * rate if base_in else out * rate - paid * UNIT

    base_in, paid, out = pool.best_trade(UNIT, rate, 10**12, 10**12)
    best = gain(base_in, paid) if paid else 0
    assert paid == 0 or out == pool.quote_out(bench.base if base_in else bench.quote, paid)
    for other in (10**6, 10**9, *(int(paid * share) for share in (0.3, 0.9, 0.99, 1.01, 1.1))):
        for side in (True, False):
            if 0 < other <= 3 * 10**11:
                assert gain(side, other) <= best + 10**7 + abs(best) // 10**5
    if paid:
        pool.swap(bench.trader, bench.base if base_in else bench.quote, paid, out)
        again = pool.best_trade(UNIT, rate, 10**12, 10**12)
        assert again[1] == 0 or paid > 0.29 * 10**12 or gain(again[0], again[1]) <= 10**7 + best // 10**5


@pytest.mark.parametrize("curve", CURVES)
def test_flash_swap_is_undone_unless_paid(curve):
    bench = Bench(curve)
    pool, lent = bench.pool, 10**10
    state = pool.state

    def pay(back):
        return lambda: bench.ledger.transfer(bench.base, bench.trader, pool.account, back, "swap")

    with pytest.raises(ProductFell):
        pool.flash_swap(bench.trader, lent, 0, pay(lent))
    assert pool.state == state
    pool.flash_swap(bench.trader, lent, 0, pay(lent * 1004 // 1000))
    assert pool.state.base > state.base


def test_an_80_20_pool_loses_less_than_half_and_half():
    """Value over holding after the price has quadrupled, no fee: r^w / (w r + 1 - w) - 1."""
    for curve, weight in (("50/50", 0.5), ("80/20", 0.8), ("37/63", 0.37)):
        bench = Bench(curve, 10_000, 10_000, fee_bps=0, taxed=False)
        pool = bench.pool
        start = pool.spot()
        for _ in range(60):
            base_in, paid, out = pool.best_trade(UNIT, round(4 * start * UNIT), 10**15, 10**15)
            if paid:
                pool.swap(bench.trader, bench.base if base_in else bench.quote, paid, out)
        base, quote = pool.reserves()
        value = (4 * start * base + quote) / (4 * start * 10_000 * UNIT + 10_000 * UNIT)
        assert value == pytest.approx(4**weight / (weight * 4 + 1 - weight), rel=1e-6)


def test_newton_finds_the_exact_root():
    for x, y, a in ((10**12, 10**12, 1), (3 * 10**15, 10**15, 100), (10**18, 10**13, 2000), (5, 10**9, 3)):
        d = stableswap_math.exact_root(x, y, a)

        def left(d, x=x, y=y, a=a):
            return d**3 + (2 * a - 1) * 4 * x * y * d - 2 * a * (x + y) * 4 * x * y

        assert left(d) <= 0 < left(d + 1)
    assert abs(stableswap_math.invariant((3 * 10**15, 10**15), 100)
               - stableswap_math.exact_root(3 * 10**15, 10**15, 100)) <= 1
    with pytest.raises(stableswap_math.NoConvergence):
        stableswap_math.invariant((1180233000000, 2000000000), 1)


def test_a_power_is_never_below_the_true_one():
    """Against rational powers: (p/q)^(m/n) rounded up has its n-th power above (p/q)^m."""
    for p, q, m, n in ((1, 2, 1, 4), (999, 1000, 4, 1), (7, 3, 3, 7), (10**11 - 1, 10**11, 37, 63)):
        base = -(-p * weighted_math.ONE // q)
        exponent = m * weighted_math.ONE // n if p < q else -(-m * weighted_math.ONE // n)
        got = weighted_math.power_up(base, exponent)
        assert got**n * q**m >= p**m * weighted_math.ONE**n
        assert got <= weighted_math.ONE * math.pow(p / q, m / n) * (1 + 2e-14) + 10
