"""Price paths against a constant-product pool with one arbitrageur, compiled.

The arbitrageur picks its size in floating point, as any trader may; the pool answers with the contract's own integer
formula. Per block the outside price moves by exp(s z - s^2/2), a martingale, and the arbitrageur then trades to the
edge of the no-arbitrage band at no cost of its own.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sim.contracts.amm.compiled_swaps import amount_out
from sim.kernel.compiled import kernel
from sim.kernel.draws import draw_bits, to_unit, unit_normal

RESERVE = 10**12
"""Opening reserve of either asset: a unit of rounding is 1e-12 of it. At 30 bps the domain ends at 9.2e15."""


@kernel
def arbitrage(
    base: int, quote: int, price: float, keep: int, scale: int
) -> tuple[int, int, float]:
    """Reserves after the arbitrageur's best trade at outside ``price``, and what it gains, in quote units."""
    share = keep / scale
    root = math.sqrt(float(base) * float(quote))
    paid = int(root * math.sqrt(price / share) - quote / share)
    if paid > 0:
        out = amount_out(paid, quote, base, keep, scale)
        return base - out, quote + paid, out * price - paid
    paid = int(root / math.sqrt(price * share) - base / share)
    if paid > 0:
        out = amount_out(paid, base, quote, keep, scale)
        return base + paid, quote - out, out - paid * price
    return base, quote, 0.0


@kernel
def loss_paths(
    stream: np.uint64, paths: int, steps: int, step_sd: float, keep: int, scale: int, losses: NDArray[np.float64]
) -> None:
    """Fill ``losses`` float64[paths]: what arbitrage took from the pool on each path, over its opening value."""
    for path in range(paths):
        base, quote = RESERVE, RESERVE
        price, lost = 1.0, 0.0
        for step in range(steps):
            z = unit_normal(to_unit(draw_bits(stream, step, np.uint64(path), 0)))
            price *= math.exp(step_sd * z - 0.5 * step_sd * step_sd)
            base, quote, gain = arbitrage(base, quote, price, keep, scale)
            lost += gain
        losses[path] = lost / (2.0 * RESERVE)


@kernel
def block_gains(
    stream: np.uint64, runs: int, blocks: int, block_sd: float, keep: int, scale: int, gains: NDArray[np.float64]
) -> None:
    """Fill ``gains`` float64[runs]: mean gain per block over pool value, on stretches of ``blocks`` of one long path.

    The pool is set back to its opening size, its gap to the outside price kept, when the price has moved by a factor
    of two: gains per value do not depend on the level.
    """
    base, quote = RESERVE, RESERVE
    price = 1.0
    for run in range(-1, runs):  # the first stretch only forgets the start
        total = 0.0
        for block in range(blocks):
            z = unit_normal(to_unit(draw_bits(stream, run, np.uint64(block), 0)))
            price *= math.exp(block_sd * z - 0.5 * block_sd * block_sd)
            value = base * price + quote
            base, quote, gain = arbitrage(base, quote, price, keep, scale)
            total += gain / value
            if price > 2.0 or price < 0.5:
                price *= base / quote
                base, quote = RESERVE, RESERVE
        if run >= 0:
            gains[run] = total / blocks
