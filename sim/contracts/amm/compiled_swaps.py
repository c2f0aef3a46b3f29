"""Many swaps in order against one constant-product pool, compiled.

The formula is :func:`sim.contracts.amm.constant_product.amount_out` itself, compiled. Domain: every
``scale x (reserve + amount)`` below 2**63, which at 30 bps is 9.2e15 base units; outside it the compiled form raises
OverflowError and :func:`swap_batch` falls back on scalar calls, which have no such limit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.contracts.amm import constant_product
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.amm.interface import PoolError
from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import MAX_INT64
from sim.kernel.ledger_errors import InsufficientFunds

BASE, QUOTE, KEEP, SCALE, BASE_IN, QUOTE_IN, TURNOVER = range(7)
"""Places in a pool's state row, int64[7]."""

amount_out = kernel(constant_product.amount_out)


@kernel
def swap_many(
    row: NDArray[np.int64], base_in: NDArray[np.bool_], amounts: NDArray[np.int64], min_out: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Run swaps in order and advance the state ``row`` (places named above); returns what each bought, int64[n].

    A swap that is not positive, buys nothing or less than its ``min_out`` is refused: it buys 0 and changes nothing.
    OverflowError outside the domain of the module; ``row`` is then as it was.
    """
    outs = np.zeros(amounts.size, dtype=np.int64)
    base, quote, keep, scale = row[BASE], row[QUOTE], row[KEEP], row[SCALE]
    base_total, quote_total, turnover = row[BASE_IN], row[QUOTE_IN], row[TURNOVER]
    limit = MAX_INT64 // scale
    for i in range(amounts.size):
        amount = amounts[i]
        if amount <= 0:
            continue
        reserve_in = base if base_in[i] else quote
        if amount > limit - reserve_in:
            raise OverflowError("swap outside the compiled domain")
        if base_in[i]:
            out = amount_out(amount, base, quote, keep, scale)
        else:
            out = amount_out(amount, quote, base, keep, scale)
        if out == 0 or out < min_out[i]:
            continue
        outs[i] = out
        if base_in[i]:
            base += amount
            quote -= out
            base_total += amount
            turnover += out
        else:
            quote += amount
            base -= out
            quote_total += amount
            turnover += amount
    row[BASE], row[QUOTE] = base, quote
    row[BASE_IN], row[QUOTE_IN], row[TURNOVER] = base_total, quote_total, turnover
    return outs


def state_row(pool: ConstantProductPool) -> NDArray[np.int64]:
    """The pool's state for :func:`swap_many`, with the amounts of the batch still at 0."""
    base, quote = pool.reserves()
    return np.array([base, quote, pool.keep, pool.scale, 0, 0, 0], dtype=np.int64)


def swap_batch(
    pool: ConstantProductPool, accounts: NDArray[np.int64], base_in: NDArray[np.bool_],
    amounts: NDArray[np.int64], min_out: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Swaps of many accounts in order, as one contract call; equal to the same scalar calls one after another.

    Returns int64[n], 0 where a swap was refused (no funds, slippage, nothing bought). An account that occurs twice
    could spend what it has just bought, so such a batch is run one by one.
    """
    ledger = pool.ledger
    ordered = np.sort(accounts)
    if (ordered[1:] == ordered[:-1]).any():
        return _one_by_one(pool, accounts, base_in, amounts, min_out)
    held = np.where(base_in, ledger.balances(pool.base)[accounts], ledger.balances(pool.quote)[accounts])
    # A sender without funds is refused before it can move the price.
    offered = np.where((amounts > 0) & (amounts <= held), amounts, 0)
    row = state_row(pool)
    try:
        outs = swap_many(row, base_in, offered, min_out)
    except OverflowError:
        return _one_by_one(pool, accounts, base_in, amounts, min_out)
    if not outs.any():
        return outs
    with ledger.atomic():
        sides = [(np.flatnonzero(base_in & (outs > 0)), pool.base), (np.flatnonzero(~base_in & (outs > 0)), pool.quote)]
        for rows, asset in sides:
            ledger.collect(asset, accounts[rows], pool.account, amounts[rows], "swap")
        for (rows, _), asset in zip(sides, (pool.quote, pool.base), strict=True):
            ledger.pay(asset, pool.account, accounts[rows], outs[rows], "swap")
        pool.apply_batch(int(row[BASE_IN]), int(row[QUOTE_IN]), int(row[TURNOVER]))
    return outs


def _one_by_one(
    pool: ConstantProductPool, accounts: NDArray[np.int64], base_in: NDArray[np.bool_],
    amounts: NDArray[np.int64], min_out: NDArray[np.int64],
) -> NDArray[np.int64]:
    outs = np.zeros(amounts.size, dtype=np.int64)
    for i, (account, amount, least) in enumerate(zip(accounts.tolist(), amounts.tolist(), min_out.tolist(),
                                                      strict=True)):
        try:
            outs[i] = pool.swap(account, pool.base if base_in[i] else pool.quote, amount, least)
        except (PoolError, InsufficientFunds):
            continue
    return outs
