"""The compiled form against the interpreter, and the batch against scalar calls on the ledger."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.amm import constant_product as curve
from sim.contracts.amm.compiled_swaps import QUOTE, amount_out, state_row, swap_batch, swap_many
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.amm.interface import PoolError
from sim.kernel.fixedpoint import MAX_INT64
from sim.kernel.ledger import InsufficientFunds, Ledger

EDGE = MAX_INT64 // 1000
sizes = st.one_of(st.integers(1, 10**6), st.integers(1, 10**15), st.integers(EDGE // 2 - 1000, EDGE // 2))
orders = st.lists(st.tuples(st.integers(0, 7), st.booleans(), st.integers(0, 10**10), st.integers(0, 10**9)),
                  min_size=1, max_size=25)


@given(sizes, sizes, sizes)
def test_compiled_formula_is_bit_equal(amount, reserve_in, reserve_out):
    assert amount_out(amount, reserve_in, reserve_out, 997, 1000) == curve.amount_out(
        amount, reserve_in, reserve_out, 997, 1000)


@given(sizes, sizes, st.lists(st.tuples(st.booleans(), sizes), max_size=30))
def test_compiled_sequence_is_bit_equal_or_refuses(base, quote, swaps):
    row = np.array([base, quote, 997, 1000, 0, 0, 0], dtype=np.int64)
    before = row.copy()
    expected, reserves, outside = [], [base, quote], False
    for base_in, amount in swaps:
        i, j = (0, 1) if base_in else (1, 0)
        if (reserves[i] + amount) * 1000 > MAX_INT64:
            outside = True
            break
        out = curve.amount_out(amount, reserves[i], reserves[j], 997, 1000)
        expected.append(out)
        if out:
            reserves[i] += amount
            reserves[j] -= out
    columns = (np.array([s[0] for s in swaps], dtype=np.bool_), np.array([s[1] for s in swaps], dtype=np.int64),
               np.zeros(len(swaps), dtype=np.int64))
    if outside:
        with pytest.raises(OverflowError):
            swap_many(row, *columns)
        assert (row == before).all()
    else:
        assert swap_many(row, *columns).tolist() == expected
        assert row[:2].tolist() == reserves


def pool_with_traders():
    ledger = Ledger(institutions=32, people=4)
    base, quote = ledger.asset("HLT"), ledger.asset("USDs")
    founder = ledger.open_account("founder", "liquidity_providers")
    traders = [ledger.open_account(f"t{i}", "traders") for i in range(8)]
    for asset in (base, quote):
        ledger.mint(asset, founder, 10**13, "x")
        for i, trader in enumerate(traders):
            ledger.mint(asset, trader, 10 ** (i + 3), "x")  # some can pay little
    pool = ConstantProductPool(ledger, "P", base, quote)
    pool.add_liquidity(founder, 10**11, 2 * 10**11)
    return ledger, pool, np.array(traders)


def one_by_one(pool, accounts, base_in, amounts, least):
    outs = []
    for account, side, amount, minimum in zip(accounts, base_in, amounts, least, strict=True):
        try:
            outs.append(pool.swap(int(account), pool.base if side else pool.quote, int(amount), int(minimum)))
        except (PoolError, InsufficientFunds):
            outs.append(0)
    return outs


@given(orders, st.booleans())
def test_batch_equals_scalar_calls(chosen, distinct):
    if distinct:
        chosen = list({order[0]: order for order in chosen}.values())
    who, sides, amounts, least = (list(column) for column in zip(*chosen, strict=True))
    (ledger, pool, traders), (other_ledger, other_pool, _) = pool_with_traders(), pool_with_traders()
    accounts = traders[who]
    got = swap_batch(pool, accounts, np.array(sides), np.array(amounts), np.array(least))
    assert got.tolist() == one_by_one(other_pool, accounts, sides, amounts, least)
    assert pool.state == other_pool.state
    for asset in (pool.base, pool.quote):
        assert (ledger.balances(asset) == other_ledger.balances(asset)).all()
    assert ledger.end_day(0) == other_ledger.end_day(0)


def test_a_pool_above_the_domain_still_swaps_in_batches():
    ledger, pool, traders = pool_with_traders()
    founder = ledger.account("founder")
    ledger.mint(pool.base, founder, 10**17, "x")
    ledger.mint(pool.quote, founder, 10**17, "x")
    pool.add_liquidity(founder, 5 * 10**16, 10**17)
    assert state_row(pool)[QUOTE] * 1000.0 > 2.0**63
    amounts = np.array([5000])
    expected = pool.quote_out(pool.base, 5000)
    assert swap_batch(pool, traders[-1:], np.array([True]), amounts, np.zeros(1, np.int64)).tolist() == [expected]


def test_negative_amounts_buy_nothing():
    _, pool, traders = pool_with_traders()
    before = pool.state
    outs = swap_batch(pool, traders[:1], np.array([True]), np.array([-5]), np.zeros(1, np.int64))
    assert outs.tolist() == [0]
    assert pool.state == before
