"""Rows lent to a kernel: the same transfers, refusals and flows as scalar calls in order, and guards on the loan."""

# ruff: noqa: PT012  (a block that fails is what is tested)

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernel import compiled
from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import MAX_INT64
from sim.kernel.ledger import (
    InsufficientFunds,
    InvalidAmount,
    Ledger,
    LedgerError,
    LedgerOverflow,
    UnknownAccount,
    UnknownAsset,
)
from sim.kernel.ledger_rows import DONE, INSUFFICIENT, NEGATIVE, OVERFLOW, UNKNOWN, transfer_row

EXAMPLES = 2000 if os.environ.get("SALUS_LONG") else 200
USD, SHARE = 0, 1
FIRM, POOL, CLOSED, ANN, LAST = 0, 1, 3, 4, 6
LOANS = ((USD, "premium"), (USD, "claim"), (SHARE, "premium"))
REASONS = {
    InsufficientFunds: INSUFFICIENT, UnknownAccount: UNKNOWN, InvalidAmount: NEGATIVE, LedgerOverflow: OVERFLOW
}  # fmt: skip

accounts = st.sampled_from([FIRM, POOL, POOL, 2, ANN, 5, LAST]) | st.sampled_from([CLOSED, -1, LAST + 1, -(2**63)])
amounts = st.integers(0, 40) | st.sampled_from([-1, -(2**63), 2**61, 2**62, MAX_INT64 - 600, MAX_INT64])
calls = st.tuples(st.integers(0, len(LOANS) - 1), accounts, accounts, amounts)


def opened(rich: bool) -> Ledger:
    """Three institutions of four in two sectors, three people; the first of them next to 2**63 where ``rich``."""
    ledger = Ledger(institutions=4, people=3)
    ledger.asset("USDs")
    ledger.asset("SHARE", span="institutions")
    for name, sector in (("firm", "firms"), ("pool", "insurers"), ("bank", "firms")):
        ledger.open_account(name, sector)
    ledger.mint_batch(USD, [FIRM, POOL, ANN, 5], 50, "endowment")
    ledger.mint(SHARE, POOL, 50, "endowment")
    if rich:
        ledger.mint(USD, FIRM, MAX_INT64 - 200, "endowment")
    ledger.end_day(-1)
    return ledger


def _transfer_all(loans: Any, which: Any, senders: Any, receivers: Any, units: Any, codes: Any) -> None:
    for i in range(which.size):
        codes[i] = transfer_row(loans[which[i]], senders[i], receivers[i], units[i])


transfer_all = kernel(_transfer_all)


def scalar_code(ledger: Ledger, which: int, sender: int, receiver: int, amount: int) -> int:
    asset, kind = LOANS[which]
    try:
        ledger.transfer(asset, sender, receiver, amount, kind)
    except LedgerError as error:
        return REASONS[type(error)]
    return DONE


def books(ledger: Ledger) -> Any:
    flows = {(kind, entry.id): ledger._flows.array[slot].tolist()
             for entry in ledger._assets.values() for kind, slot in entry.slots.items()
             if ledger._flows.array[slot].any()}  # fmt: skip
    return [(ledger.balances(asset).tolist(), ledger.supply(asset)) for asset in (USD, SHARE)], flows


@pytest.mark.parametrize("form", [transfer_all, _transfer_all], ids=["compiled", "interpreted"])
@given(rich=st.booleans(), program=st.lists(calls, max_size=25))
@settings(max_examples=EXAMPLES, deadline=None)
def test_rows_equal_scalar_calls_in_order(
    form: Callable[..., None], rich: bool, program: list[tuple[int, int, int, int]]
) -> None:
    lending, scalar = opened(rich), opened(rich)
    columns = np.array(program, dtype=np.int64).reshape(-1, 4).T.copy()
    codes = np.full(len(program), -1)
    with lending.rows(*LOANS) as loans:
        form(loans, *columns, codes)
    assert codes.tolist() == [scalar_code(scalar, *call) for call in program]
    assert books(lending) == books(scalar)
    for _, check in lending.invariants():
        assert check() is None
    assert lending.end_day(0) == scalar.end_day(0)


def test_every_refusal_by_example() -> None:
    program = [
        (0, FIRM, POOL, MAX_INT64 - 150, DONE),
        (0, POOL, FIRM, MAX_INT64 - 150, DONE),
        (0, FIRM, POOL, 150, DONE),
        (0, FIRM, POOL, 1, OVERFLOW),
        (1, FIRM, POOL, 1, DONE),
        (0, ANN, POOL, 51, INSUFFICIENT),
        (0, ANN, POOL, 50, DONE),
        (0, ANN, POOL, -1, NEGATIVE),
        (0, ANN, CLOSED, -1, UNKNOWN),
        (0, LAST + 1, ANN, 0, UNKNOWN),
        (2, POOL, ANN, 1, UNKNOWN),
        (2, POOL, POOL, 51, INSUFFICIENT),
        (2, POOL, POOL, 50, DONE),
    ]
    columns = np.array(program).T.copy()
    ledger, scalar, codes = opened(rich=True), opened(rich=True), np.empty(len(program), dtype=np.int64)
    with ledger.rows(*LOANS) as loans:
        transfer_all(loans, *columns[:4], codes)
    assert codes.tolist() == columns[4].tolist() == [scalar_code(scalar, *call[:4]) for call in program]
    assert books(ledger) == books(scalar)


def test_accounts_and_amounts_are_integers_of_any_width() -> None:
    ledger = opened(rich=False)
    codes = np.empty(1, dtype=np.int64)
    which = np.zeros(1, dtype=np.int64)
    with ledger.rows(*LOANS) as loans:
        wide = np.array([FIRM], np.int32), np.array([POOL], np.uint8), np.array([7], np.uint64)
        transfer_all(loans, which, *wide, codes)
        with pytest.raises(compiled.numba.TypingError, match="transfer_row"):
            transfer_all(loans, which, np.array([FIRM]), np.array([POOL]), np.array([7.5]), codes)
    assert (ledger.balance(USD, FIRM), ledger.balance(USD, POOL)) == (43, 57)


def test_rows_and_atomic_exclude_each_other() -> None:
    ledger = opened(rich=False)
    before = books(ledger)
    with pytest.raises(LedgerError, match=r"rows cannot be lent inside atomic"), ledger.atomic():
        ledger.transfer(USD, FIRM, POOL, 1, "premium")
        with ledger.rows(*LOANS):
            raise AssertionError("lent")
    assert books(ledger) == before
    with ledger.rows(*LOANS), pytest.raises(LedgerError, match=r"atomic\(\) while rows are lent"), ledger.atomic():
        raise AssertionError("opened")
    with ledger.atomic():
        assert ledger.in_atomic


def test_what_would_move_the_arrays_waits_until_the_rows_are_back() -> None:
    ledger = opened(rich=False)
    with pytest.raises(UnknownAsset), ledger.rows((7, "premium")):
        pass
    with ledger.rows((USD, "premium")) as (premiums,):
        with pytest.raises(LedgerError, match="people cannot be added"):
            ledger.grow_people(1)
        with pytest.raises(LedgerError, match="claim: a new kind of flow"):
            ledger.transfer(USD, FIRM, POOL, 1, "claim")
        with pytest.raises(LedgerError, match="lent already"), ledger.rows((USD, "claim")):
            pass
        ledger.transfer(USD, FIRM, POOL, 1, "premium")  # the same memory: calls between kernels are seen by both
        assert transfer_row(premiums, POOL, ANN, 51) == DONE
    ledger.grow_people(1)
    ledger.transfer(USD, ANN, LAST + 1, 101, "claim")
    with ledger.rows(*((USD, f"kind {number}") for number in range(40))) as loans:  # more than the matrix had room for
        for loan in loans:
            assert transfer_row(loan, LAST + 1, FIRM, 1) == DONE
    assert ledger.balance(USD, LAST + 1) == 61
    assert len(ledger.end_day(0)) == 43
    assert ledger.check_flows() is None
    assert ledger.check_supplies() is None


def test_rows_that_went_back_cannot_be_written() -> None:
    ledger = opened(rich=False)
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(KeyError), ledger.rows(*LOANS) as loans:
        transfer_all(loans, one, one, one + POOL, one + 1, one.copy())
        raise KeyError
    assert ledger.balance(USD, FIRM) == 49  # a row stands, whatever comes after it
    with pytest.raises(compiled.numba.TypingError, match="readonly"):
        transfer_all(loans, one, one, one + POOL, one + 1, one.copy())
    with pytest.raises(ValueError, match="read-only"):
        transfer_row(loans[0], FIRM, POOL, 1)
    assert ledger.balance(USD, FIRM) == 49
    with ledger.rows(*LOANS) as loans, pytest.raises(ValueError, match="read-only"):
        loans[0].sectors[FIRM] = 0
