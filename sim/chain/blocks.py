"""A day's blocks, compiled: which transactions each block includes, what they pay, and how the base fee moves.

A transaction is included in the first block, from its arrival, in which base fee + tip is within its fee limit and its
gas fits beside the gas of other users whose tips are higher. Inside a block ours go by tip, highest first, then by
hashed key. Time is O(blocks + n log n); two heaps keep those that could go in now and those that find it too dear.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim.chain import fee_market
from sim.chain.fee_market import HOURS, NOISE_LEVELS, WEI_PER_COIN
from sim.chain.mempool import ANY_FEE
from sim.kernel.compiled import kernel, kernel_for
from sim.kernel.draws import draw_bits
from sim.kernel.fixedpoint import MAX_INT64, mul_div, mul_div_up

next_base_fee = kernel_for("int64(int64, int64, int64, int64)")(fee_market.next_base_fee)

WAITING = -1
_MASK = np.uint64(NOISE_LEVELS - 1)
_SIXTEEN = np.uint64(16)
_SATURATED = 9.0e18


@kernel
def _before(a: int, b: int, first: Any, second: Any) -> bool:
    """Whether item ``a`` leaves a heap ahead of ``b``: by ``first``, then ``second``, then position."""
    if first[a] != first[b]:
        return first[a] < first[b]
    if second[a] != second[b]:
        return second[a] < second[b]
    return a < b


@kernel
def _push(heap: Any, size: int, item: int, first: Any, second: Any) -> int:
    """Add ``item`` to the binary heap heap[:size]; the new size."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if not _before(item, heap[parent], first, second):
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = item
    return size + 1


@kernel
def _pop(heap: Any, size: int, first: Any, second: Any) -> int:
    """Remove heap[0] from the binary heap heap[:size]; the new size."""
    size -= 1
    item = heap[size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _before(heap[child + 1], heap[child], first, second):
            child += 1
        if not _before(heap[child], item, first, second):
            break
        heap[place] = heap[child]
        place = child
    heap[place] = item
    return size


@kernel
def _highest_base_fee(max_fee: int, gas_cost: int, tip: int, data_fee: int) -> int:
    """Highest base fee (wei) at which a transaction keeps within ``max_fee``; -1 where none would do."""
    if max_fee == ANY_FEE:
        return MAX_INT64
    if max_fee < data_fee:
        return -1
    if float(max_fee - data_fee) * 1e18 >= _SATURATED * float(gas_cost):
        return MAX_INT64
    return max(mul_div(max_fee - data_fee, WEI_PER_COIN, gas_cost) - tip, -1)


@kernel
def build_blocks(
    base_fee: int, levels: Any, elasticity: float, scale: float, noise: Any, stream: np.uint64, day: int,
    target: int, limit: int, denominator: int, quote_every: int, mean_tip: int, data_wei: int, coin_micro: int,
    gas: Any, max_fee: Any, tip: Any, rank: Any, arrival: Any,
    base_path: Any, used: Any, block: Any, fee: Any, sequence: Any,
) -> int:
    """Build the ``used.size`` blocks of a day; returns how many of the n transactions were included.

    In: levels float64[24] (wei), noise float64[NOISE_LEVELS], and per transaction gas, max_fee (micro-USD), tip (wei
    per gas), rank (uint64 hash that breaks ties), arrival (block). Out: base_path int64[blocks + 1] (the last is the
    next day's first), used int64[blocks] gas, block int64[n] (WAITING where not included), fee int64[n] micro-USD,
    sequence int64[n] whose first elements are the included transactions in order of execution.
    """
    blocks, count = used.size, gas.size
    data_fee = mul_div_up(data_wei, coin_micro, WEI_PER_COIN)
    ceiling = np.empty(count, np.int64)
    minus_ceiling = np.empty(count, np.int64)
    minus_tip = np.empty(count, np.int64)
    outbid = np.empty(count)  # share of other users' demand with a higher tip
    last_tip, last_share = np.int64(-1), 1.0
    starts = np.zeros(blocks + 1, np.int64)
    for i in range(count):
        block[i] = WAITING
        ceiling[i] = _highest_base_fee(max_fee[i], gas[i] * coin_micro, tip[i], data_fee)
        minus_ceiling[i] = -ceiling[i]
        minus_tip[i] = -tip[i]
        if tip[i] != last_tip:
            last_tip, last_share = tip[i], math.exp(-tip[i] / mean_tip)
        outbid[i] = last_share
        starts[arrival[i] + 1] += 1
    for t in range(blocks):
        starts[t + 1] += starts[t]
    fill = starts.copy()
    arrivals = np.empty(count, np.int64)
    for i in range(count):
        arrivals[fill[arrival[i]]] = i
        fill[arrival[i]] += 1

    ready = np.empty(count, np.int64)
    dear = np.empty(count, np.int64)
    ready_size, dear_size, included = 0, 0, 0
    demand, bits = 0.0, np.uint64(0)
    next_quote = 0
    for t in range(blocks):
        if t == next_quote:
            next_quote += quote_every
            demand = target * scale * math.exp(elasticity * math.log(levels[t * HOURS // blocks] / base_fee))
        if t & 3 == 0:
            bits = draw_bits(stream, day, np.uint64(t), 0)
        wanted = min(demand * noise[bits & _MASK], 1e15)
        bits >>= _SIXTEEN

        own = 0
        if count > 0:
            for place in range(starts[t], starts[t + 1]):
                ready_size = _push(ready, ready_size, arrivals[place], minus_tip, rank)
            while dear_size > 0 and ceiling[dear[0]] >= base_fee:
                ready_size = _push(ready, ready_size, dear[0], minus_tip, rank)
                dear_size = _pop(dear, dear_size, minus_ceiling, rank)
            while ready_size > 0:
                i = ready[0]
                if ceiling[i] < base_fee:
                    dear_size = _push(dear, dear_size, i, minus_ceiling, rank)
                elif own + gas[i] + np.int64(wanted * outbid[i]) > limit:
                    break
                else:
                    own += gas[i]
                    block[i] = t
                    fee[i] = mul_div_up(gas[i] * coin_micro, base_fee + tip[i], WEI_PER_COIN) + data_fee
                    sequence[included] = i
                    included += 1
                ready_size = _pop(ready, ready_size, minus_tip, rank)

        base_path[t] = base_fee
        used[t] = min(own + np.int64(wanted), limit)
        base_fee = next_base_fee(base_fee, used[t], target, denominator)
    base_path[blocks] = base_fee
    return included
