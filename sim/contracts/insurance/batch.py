"""The pool's day in compiled form: many pools, or many histories of one pool, advanced together.

The same rules as :class:`sim.contracts.insurance.pool.InsurancePool` in the same order - premium first, then the day's
claims through the money layers, ruin where something stays unpaid - without tranche shares, gate and queue. It serves
ensembles (ruin probabilities need tens of thousands of histories); a test holds it to the contract, unit by unit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.treaties import retained
from sim.contracts.insurance.waterfall import draw
from sim.kernel.compiled import kernel
from sim.kernel.draws import draw_bits, poisson, to_unit, unit_exponential


@kernel
def settle_day(layers: NDArray[np.int64], earned: int, claims: int) -> int:
    """Advance one pool by one day: ``layers`` int64[L] are the money layers' balances, first to last, changed in
    place; ``earned`` is the premium for claims of the day. Returns what stays unpaid of ``claims``."""
    layers[0] += earned
    remaining = claims
    for place in range(layers.size):
        part = draw(layers[place], remaining)
        layers[place] -= part
        remaining -= part
    return remaining


@kernel
def poisson_exponential_day(stream: np.uint64, day: int, key: np.uint64, rate: float, mean: float) -> int:
    """One day's aggregate claim in base units: Poisson(rate) claims, exponential with ``mean`` (base units), each
    floored to a unit as a claim on the ledger is."""
    count = poisson(to_unit(draw_bits(stream, day, key, 0)), rate)
    total = 0
    for n in range(count):
        total += int(mean * unit_exponential(to_unit(draw_bits(stream, day, key, n + 1))))
    return total


@kernel
def ruin_days(
    stream: np.uint64, paths: int, first: int, horizon: int, opening: NDArray[np.int64], earned: int, rate: float,
    mean: float,
) -> NDArray[np.int64]:
    """Day of ruin (1 = after the first day) of each history, int64[paths]; horizon + 1 where it survives.

    Histories are numbered from ``first``; each starts with the money layers ``opening`` int64[L], earns ``earned`` a
    day and pays :func:`poisson_exponential_day`.
    """
    result = np.full(paths, horizon + 1, dtype=np.int64)
    for path in range(paths):
        layers = opening.copy()
        key = np.uint64(first + path)
        for day in range(horizon):
            if settle_day(layers, earned, poisson_exponential_day(stream, day, key, rate, mean)) > 0:
                result[path] = day + 1
                break
    return result


@kernel
def ruin_times(
    stream: np.uint64, paths: int, first: int, horizon: float, opening: NDArray[np.int64], rate: float,
    premium_rate: float, mean: float,
) -> NDArray[np.float64]:
    """Time of ruin under *continuous* monitoring, float64[paths], infinite where a history outlives ``horizon``.

    The same rule with one step per claim: the premium earned since the last claim (``premium_rate`` base units per
    unit of time), then the claim. Between claims capital only grows, so ruin can happen at a claim alone.
    """
    result = np.full(paths, np.inf)
    for path in range(paths):
        layers = opening.copy()
        key = np.uint64(first + path)
        time, income, n = 0.0, 0, 0
        while True:
            time += unit_exponential(to_unit(draw_bits(stream, n, key, 0))) / rate
            if time > horizon:
                break
            until = int(premium_rate * time)
            claim = int(mean * unit_exponential(to_unit(draw_bits(stream, n, key, 1))))
            if settle_day(layers, until - income, claim) > 0:
                result[path] = time
                break
            income = until
            n += 1
    return result



@kernel
def reinsured_ruins(
    stream: np.uint64, paths: int, first: int, claims: int, capitals: NDArray[np.int64], rate: float,
    premium_rate: float, mean: float, retention: int, limit: int, share: int,
) -> NDArray[np.int64]:
    """How many of ``paths`` histories of so many claims ruin pools with these ``capitals`` (surplus, rising, base
    units), watched continuously; int64[K].

    The K pools of a history meet the same claims and keep of each what one layer leaves them
    (:func:`sim.contracts.insurance.treaties.retained`); ``premium_rate`` is net of the reinsurance premium.
    """
    ruined = np.zeros(capitals.size, dtype=np.int64)
    pools = np.zeros((capitals.size, 4), dtype=np.int64)
    for path in range(paths):
        pools[:] = 0
        pools[:, 1] = capitals
        key = np.uint64(first + path)
        standing, time, income = 0, 0.0, 0
        for n in range(claims):
            time += unit_exponential(to_unit(draw_bits(stream, n, key, 0))) / rate
            until = int(premium_rate * time)
            claim = int(mean * unit_exponential(to_unit(draw_bits(stream, n, key, 1))))
            loss = retained(claim, retention, limit, share)
            for pool in range(standing, capitals.size):
                if settle_day(pools[pool], until - income, loss) > 0:
                    ruined[pool] += 1
                    standing = pool + 1
            if standing == capitals.size:
                break
            income = until
    return ruined
