"""Routing: the best way to sell one asset for another over several pools.

Holds nothing. Two ways are compared by what they would give now: the amount split over all pools of the pair, and the
best single path through up to ``MAX_HOPS`` pools. A split is found in ``SLICES`` equal parts, each given to the pool
that pays most for it beside what it already has; all amounts are whole, every output is a pool's own exact quote. What
can never be: a route that gives less than the best pool alone, a swap that gives less than ``min_out``, or a part of a
route that stays when another is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sim.contracts.amm.interface import InsufficientLiquidity, Pool, PoolError, SlippageExceeded
from sim.kernel.ledger import Ledger

MAX_HOPS = 3
SLICES = 32


class Leg(NamedTuple):
    """``amount`` of the asset sold, through ``pools`` one after another."""

    amount: int
    pools: tuple[Pool, ...]


class Route(NamedTuple):
    """Legs that together sell the whole amount, and what they would give now."""

    legs: tuple[Leg, ...]
    out: int


def _quote(pool: Pool, asset: int, amount: int) -> int:
    """What the pool would give, 0 where it refuses."""
    try:
        return pool.quote_out(asset, amount) if amount > 0 else 0
    except PoolError:
        return 0


def _other(pool: Pool, asset: int) -> int:
    return pool.quote if asset == pool.base else pool.base


def path_out(pools: Sequence[Pool], asset: int, amount: int) -> int:
    """What ``amount`` of ``asset`` gives through ``pools`` in order; 0 where one refuses."""
    for pool in pools:
        amount, asset = _quote(pool, asset, amount), _other(pool, asset)
    return amount


def paths(pools: Sequence[Pool], asset_in: int, asset_out: int) -> list[tuple[Pool, ...]]:
    """All ways from one asset to the other through at most ``MAX_HOPS`` pools, no asset twice, in order."""
    found: list[tuple[Pool, ...]] = []
    ends: list[tuple[tuple[Pool, ...], int, frozenset[int]]] = [((), asset_in, frozenset((asset_in,)))]
    for _ in range(MAX_HOPS):
        longer = []
        for way, asset, seen in ends:
            for pool in pools:
                if asset not in (pool.base, pool.quote) or _other(pool, asset) in seen:
                    continue
                reached = _other(pool, asset)
                if reached == asset_out:
                    found.append((*way, pool))
                else:
                    longer.append(((*way, pool), reached, seen | {reached}))
        ends = longer
    return found


def split(pools: Sequence[Pool], asset: int, amount: int) -> Route:
    """The amount over pools of one pair: slice by slice where it brings most; the first pool takes the odd units."""
    given = [0] * len(pools)
    outs = [0] * len(pools)
    size = max(amount // SLICES, 1)
    left = amount
    while left > 0:
        part = left if left < 2 * size else size
        tried = [_quote(pool, asset, held + part) for pool, held in zip(pools, given, strict=True)]
        best = max(range(len(pools)), key=lambda place: (tried[place] - outs[place], -place))
        if tried[best] <= outs[best]:
            break  # nobody takes more
        given[best] += part
        outs[best] = tried[best]
        left -= part
    if left:
        return Route((), 0)
    legs = tuple(Leg(held, (pool,)) for pool, held in zip(pools, given, strict=True) if held)
    return Route(legs, sum(outs))


def best_route(pools: Iterable[Pool], asset_in: int, asset_out: int, amount: int) -> Route:
    """The better of the split over the pair's pools and the best single path. InsufficientLiquidity where none gives
    anything."""
    known = list(pools)
    ways = paths(known, asset_in, asset_out)
    direct = [way[0] for way in ways if len(way) == 1]
    routes = [split(direct, asset_in, amount)] if direct else []
    routes += [Route((Leg(amount, way),), path_out(way, asset_in, amount)) for way in ways]
    best = max(routes, key=lambda route: route.out, default=Route((), 0))
    if best.out <= 0:
        raise InsufficientLiquidity(f"no route takes {amount}")
    return best


def swap(ledger: Ledger, route: Route, account: int, asset_in: int, min_out: int) -> int:
    """Sell along ``route`` as one call; returns what was bought. SlippageExceeded below ``min_out``.

    The pools may have moved since the route was found.
    """
    bought = 0
    with ledger.atomic():
        for leg in route.legs:
            amount, asset = leg.amount, asset_in
            for pool in leg.pools:
                amount, asset = pool.swap(account, asset, amount), _other(pool, asset)
            bought += amount
        if bought < min_out:
            raise SlippageExceeded(f"the route gives {bought}, less than {min_out}")
    return bought
