"""Exact constant-product swaps per second: compiled, on the ledger, in the interpreter, and against floats.

    python -m benchmarks swaps

Every figure is the best of several repeats in this one run, so the ratios do not depend on the machine's load between
runs. The float loop is the same sequence of swaps in double precision: what exactness costs.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from sim.contracts.amm import constant_product
from sim.contracts.amm.compiled_swaps import state_row, swap_batch, swap_many
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.kernel.compiled import kernel
from sim.kernel.ledger import Ledger

SWAPS = 1_000_000
INTERPRETED = 200_000
SCALAR = 10_000
REPEATS = 5


@kernel
def float_swaps(base: float, quote: float, keep: float, base_in: np.ndarray, amounts: np.ndarray) -> float:
    """The same sequence in double precision; returns the last price."""
    for i in range(amounts.size):
        amount = amounts[i]
        counted = amount * keep
        if base_in[i]:
            out = counted * quote / (base + counted)
            base += amount
            quote -= out
        else:
            out = counted * base / (quote + counted)
            quote += amount
            base -= out
    return quote / base


def best(call: Callable[[], object]) -> float:
    """Seconds of the quickest of several calls."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)


def opened_pool() -> tuple[ConstantProductPool, np.ndarray]:
    """A pool of 1e12 base units a side, and accounts that can pay."""
    ledger = Ledger(institutions=4, people=SWAPS)
    base, quote = ledger.asset("HLT"), ledger.asset("USDs")
    founder = ledger.open_account("founder", "traders")
    people = ledger.person(np.arange(SWAPS))
    for asset in (base, quote):
        ledger.mint(asset, founder, 10**15, "endowment")
        ledger.mint_batch(asset, people, 10**9, "endowment")
    pool = ConstantProductPool(ledger, "HLT", base, quote)
    pool.add_liquidity(founder, 10**12, 10**12)
    return pool, people


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(1)
    base_in = rng.random(SWAPS) < 0.5
    amounts = rng.integers(1, 10**8, SWAPS)
    least = np.zeros(SWAPS, dtype=np.int64)
    pool, people = opened_pool()
    keep, scale = pool.keep, pool.scale
    row = state_row(pool)
    floats = amounts.astype(np.float64)

    swap_many(row.copy(), base_in[:1], amounts[:1], least[:1])
    float_swaps(1e12, 1e12, keep / scale, base_in[:1], floats[:1])
    compiled = SWAPS / best(lambda: swap_many(row.copy(), base_in, amounts, least))
    floating = SWAPS / best(lambda: float_swaps(1e12, 1e12, keep / scale, base_in, floats))
    batch = SWAPS / best(lambda: swap_batch(pool, people, base_in, np.minimum(amounts, 10**5), least))

    formula = constant_product.amount_out
    numbers = amounts[:INTERPRETED].tolist()

    def interpret() -> None:
        for amount in numbers:
            formula(amount, 10**12, 2 * 10**12, keep, scale)

    trader = pool.ledger.account("founder")

    def scalar() -> None:
        for amount in numbers[:SCALAR]:
            pool.swap(trader, pool.base, amount)

    interpreted = INTERPRETED / best(interpret)
    calls = SCALAR / best(scalar)

    print(f"{'what':<58}{'swaps/s':>14}{'x float':>10}")
    for label, rate in (
        ("same sequence in floats, compiled", floating),
        ("exact sequence against one pool, compiled", compiled),
        ("exact batch on the ledger, one sender each", batch),
        ("exact formula alone, interpreter, integers of any size", interpreted),
        ("scalar contract calls with all their ledger moves", calls),
    ):
        print(f"{label:<58}{rate:>14,.0f}{rate / floating:>10.3f}")


if __name__ == "__main__":
    main()
