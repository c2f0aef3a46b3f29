"""A day of blocks: the compiled kernel against the same rule as a plain Python loop, ending in the same blocks.

Three days of 7,200 blocks are built: without a transaction of ours, with 50,000, and with 50,000 of which half find the
fee too high and wait. The plain loop keeps the two queues as sorted heaps, so both forms do O(blocks + n log n) work.

    python benchmarks/chain_day.py [transactions]
"""

from __future__ import annotations

import heapq
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sim.chain.blocks import WAITING, build_blocks
from sim.chain.fee_market import NOISE_LEVELS, WEI_PER_COIN, balance, next_base_fee, noise_levels, transaction_fee
from sim.chain.mempool import ANY_FEE
from sim.kernel.draws import Draws, draw_bits

BLOCKS, TARGET, LIMIT, DENOMINATOR, QUOTE_EVERY = 7200, 15_000_000, 30_000_000, 8, 5
GWEI = 10**9
BASE_FEE, TIP, COIN, ELASTICITY = 20 * GWEI, 3 * GWEI // 2, 3_000_000_000, 0.5
GAS = 80_000
STREAM = Draws(5).decision("benchmark").stream
NOISE = noise_levels(0.5)
SCALE = balance(NOISE, 2, DENOMINATOR)

Day = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Fee limit (micro-USD), rank and arrival of each transaction."""


def day(count: int, dear_share: float) -> Day:
    """``count`` transactions that arrive over the day; ``dear_share`` of them would pay half of the usual fee."""
    numbers = np.random.default_rng(1)
    usual = transaction_fee(GAS, BASE_FEE + TIP, 0, COIN)
    limit = np.where(numbers.random(count) < dear_share, usual // 2, ANY_FEE)
    return limit, numbers.integers(0, 2**63, count).astype(np.uint64), numbers.integers(0, BLOCKS, count)


def compiled(limit: np.ndarray, rank: np.ndarray, arrival: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = limit.size
    path, used = np.empty(BLOCKS + 1, np.int64), np.empty(BLOCKS, np.int64)
    block, fee, sequence = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
    build_blocks(
        BASE_FEE, np.full(24, float(BASE_FEE)), ELASTICITY, SCALE, NOISE, STREAM, 0, TARGET, LIMIT, DENOMINATOR,
        QUOTE_EVERY, TIP, 0, COIN, np.full(count, GAS), limit, np.full(count, TIP), rank, arrival, path, used, block,
        fee, sequence)
    return path, block


def plain(limit: np.ndarray, rank: np.ndarray, arrival: np.ndarray) -> tuple[list[int], list[int]]:
    noise = NOISE.tolist()
    ceiling = [ANY_FEE if most == ANY_FEE else most * WEI_PER_COIN // (GAS * COIN) - TIP for most in limit.tolist()]
    ranks, outbid = rank.tolist(), math.exp(-1.0)
    arrivals: list[list[int]] = [[] for _ in range(BLOCKS)]
    for i, t in enumerate(arrival.tolist()):
        arrivals[t].append(i)
    block, ready, dear = [WAITING] * len(ranks), [], []
    base_fee, path, demand = BASE_FEE, [BASE_FEE], 0.0
    for t in range(BLOCKS):
        if t % QUOTE_EVERY == 0:
            demand = TARGET * SCALE * math.exp(ELASTICITY * math.log(float(BASE_FEE) / base_fee))
        if t % 4 == 0:
            bits = int(draw_bits(STREAM, 0, np.uint64(t), 0))
        wanted = demand * noise[bits % NOISE_LEVELS]
        bits >>= 16
        for i in arrivals[t]:
            heapq.heappush(ready, (ranks[i], i))
        while dear and -dear[0][0] >= base_fee:
            i = heapq.heappop(dear)[2]
            heapq.heappush(ready, (ranks[i], i))
        own = 0
        while ready:
            i = ready[0][1]
            if ceiling[i] < base_fee:
                heapq.heappush(dear, (-ceiling[i], ranks[i], i))
            elif own + GAS + int(wanted * outbid) > LIMIT:
                break
            else:
                own += GAS
                block[i] = t
            heapq.heappop(ready)
        base_fee = next_base_fee(base_fee, min(LIMIT, own + int(wanted)), TARGET, DENOMINATOR)
        path.append(base_fee)
    return path, block


def fastest(run: Callable[..., Any], inputs: Day, repeats: int) -> tuple[float, Any]:
    """Seconds of the fastest repeat, and its result."""
    best, result = math.inf, None
    for _ in range(repeats):
        start = time.thread_time()
        result = run(*inputs)
        best = min(best, time.thread_time() - start)
    return best, result


def main(count: int = 50_000) -> None:
    compiled(*day(1, 0.0))
    for label, inputs in (("no transaction", day(0, 0.0)), (f"{count:,} transactions", day(count, 0.0)),
                          (f"{count:,}, half too poor", day(count, 0.5))):
        quick, quick_end = fastest(compiled, inputs, 20)
        slow, slow_end = fastest(plain, inputs, 2)
        same = [np.array_equal(a, b) for a, b in zip(quick_end, slow_end, strict=True)]
        assert all(same), "the two forms built different blocks"
        waiting = sum(block == WAITING for block in quick_end[1])
        print(f"{label:<28} compiled {quick * 1e3:8.2f} ms   plain {slow * 1e3:8.1f} ms   ratio {slow / quick:6.0f}   "
              f"waiting {waiting:,}")


if __name__ == "__main__":
    main(*(int(argument.replace("_", "")) for argument in sys.argv[1:]))
