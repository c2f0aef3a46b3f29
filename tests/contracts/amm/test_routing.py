"""Routes over several pools: never worse than one pool, exact, atomic."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.amm.interface import InsufficientLiquidity, SlippageExceeded
from sim.contracts.amm.routing import best_route, path_out, paths, split, swap
from sim.contracts.amm.stableswap_pool import StableSwapPool
from sim.contracts.amm.weighted_pool import WeightedPool
from sim.kernel.ledger import Ledger

UNIT = 10**6


class Bench:
    def __init__(self):
        self.ledger = Ledger(institutions=24, people=0)
        self.assets = [self.ledger.asset(name, span="institutions") for name in ("A", "B", "C")]
        self.trader = self.ledger.open_account("trader", "traders")
        for asset in self.assets:
            self.ledger.mint(asset, self.trader, 10**16, "x")
        a, b, c = self.assets
        self.pools = [
            ConstantProductPool(self.ledger, "AB", a, b),
            WeightedPool(self.ledger, "ABw", a, b, weight_base=80, fee_bps=10),
            ConstantProductPool(self.ledger, "AC", a, c, fee_bps=5),
            StableSwapPool(self.ledger, "CB", c, b, amplification=100, fee_bps=4),
        ]
        for pool, base in zip(self.pools, (1_000_000, 4_000_000, 9_000_000, 9_000_000), strict=True):
            quote = base // 4 if pool.name == "ABw" else base
            pool.add_liquidity(self.trader, base * UNIT, quote * UNIT)


def test_paths_reach_the_asset_without_returning():
    bench = Bench()
    a, b, _ = bench.assets
    assert [[pool.name for pool in way] for way in paths(bench.pools, a, b)] == [["AB"], ["ABw"], ["AC", "CB"]]


@settings(max_examples=30, deadline=None)
@given(amount=st.integers(1, 10**12))
def test_a_route_is_never_worse_than_a_way_and_its_swap_gives_what_it_says(amount):
    bench = Bench()
    a, b, _ = bench.assets
    single = max(path_out(way, a, amount) for way in paths(bench.pools, a, b))
    try:
        route = best_route(bench.pools, a, b, amount)
    except InsufficientLiquidity:
        assert single == 0
        return
    assert route.out >= single
    assert sum(leg.amount for leg in route.legs) == amount
    held = bench.ledger.balance(b, bench.trader)
    assert swap(bench.ledger, route, bench.trader, a, route.out) == route.out
    assert bench.ledger.balance(b, bench.trader) - held == route.out


def test_two_equal_pools_share_the_amount():
    bench = Bench()
    a, b, _ = bench.assets
    other = ConstantProductPool(bench.ledger, "AB2", a, b)
    other.add_liquidity(bench.trader, 10**12, 10**12)
    route = split([bench.pools[0], other], a, 10**11)
    assert [leg.amount for leg in route.legs] == pytest.approx([5 * 10**10] * 2, rel=0.07)
    assert route.out > 1.04 * bench.pools[0].quote_out(a, 10**11)


def test_a_route_is_one_call():
    bench = Bench()
    a, b, _ = bench.assets
    route = best_route(bench.pools, a, b, 3 * 10**11)
    states = [pool.state for pool in bench.pools]
    held = [bench.ledger.balance(asset, bench.trader) for asset in bench.assets]
    with pytest.raises(SlippageExceeded):
        swap(bench.ledger, route, bench.trader, a, route.out + 1)
    assert [pool.state for pool in bench.pools] == states
    assert [bench.ledger.balance(asset, bench.trader) for asset in bench.assets] == held
    with pytest.raises(InsufficientLiquidity):
        best_route(bench.pools[3:], a, b, 100)
