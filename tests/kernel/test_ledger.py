"""The ledger by example: each refusal, each guard, each thing that rolls back."""

# ruff: noqa: PT012  (a block that fails is what is tested)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.kernel.fixedpoint import MAX_INT64
from sim.kernel.ledger import (
    DuplicateName,
    InsufficientFunds,
    InvalidAmount,
    Ledger,
    LedgerError,
    LedgerOverflow,
    UnknownAccount,
    UnknownAsset,
)

USD, SHARE = 0, 1
FIRM, POOL = 0, 1
ANN, BOB, CAT = 3, 4, 5


@pytest.fixture
def ledger() -> Ledger:
    """Three institutions at most, three people with 100 each, a firm with 1,000, a pool with 10 shares."""
    ledger = Ledger(institutions=3, people=3)
    ledger.asset("USDs")
    ledger.asset("SHARE", issuer=1, span="institutions", valuer=lambda: 1.25)
    ledger.open_account("firm", "firms")
    ledger.open_account("pool", "insurers")
    ledger.mint(USD, FIRM, 1000, "endowment")
    ledger.mint_batch(USD, ledger.person(np.arange(3)), 100, "endowment")
    ledger.mint(SHARE, POOL, 10, "endowment")
    ledger.end_day(-1)
    return ledger


def books(ledger: Ledger) -> Any:
    return [
        (ledger.balances(asset).tolist(), ledger.supply(asset), ledger._flows.array.tolist())
        for asset in range(len(ledger.assets))
    ]


# Registration


def test_names_and_ids(ledger: Ledger) -> None:
    assert ledger.account("pool") == POOL
    assert (ledger.account_name(POOL), ledger.account_sector(POOL)) == ("pool", "insurers")
    assert ledger.person(1) == BOB
    assert (ledger.account_name(BOB), ledger.account_sector(BOB)) == ("person 1", "households")
    assert ledger.people_start == 3
    assert (ledger.asset_id("SHARE"), ledger.symbol(SHARE)) == (SHARE, "SHARE")
    assert (ledger.issuer(SHARE), ledger.issuer(USD)) == (POOL, None)
    assert (ledger.price(SHARE), ledger.price(USD)) == (1.25, None)
    assert ledger.assets == ("USDs", "SHARE")
    assert ledger.has_asset("USDs")
    assert not ledger.has_asset("EUR")
    assert ledger.has_account("firm")
    assert not ledger.has_account("person 1")
    assert ledger.sector("firms") == ledger.sectors.index("firms")
    assert ledger.people_sector == "households"


def test_duplicates_and_unknowns_are_refused(ledger: Ledger) -> None:
    with pytest.raises(DuplicateName):
        ledger.open_account("pool", "firms")
    with pytest.raises(DuplicateName):
        ledger.asset("USDs")
    with pytest.raises(UnknownAccount):
        ledger.account("nobody")
    with pytest.raises(UnknownAsset):
        ledger.asset_id("EUR")
    for asset in (2, -1):
        for call in (ledger.symbol, ledger.supply, ledger.balances, lambda a: ledger.transfer(a, FIRM, POOL, 1, "x")):
            with pytest.raises(UnknownAsset):
                call(asset)
    for account in (-1, 2, 6):
        with pytest.raises(UnknownAccount):
            ledger.account_sector(account)
    with pytest.raises(LedgerError):
        ledger.asset("EUR", span="people")  # type: ignore[arg-type]


def test_room_is_limited(ledger: Ledger) -> None:
    ledger.open_account("third", "firms")
    with pytest.raises(LedgerError, match="no room"):
        ledger.open_account("fourth", "firms")
    for number in range(32 - len(ledger.sectors)):
        ledger.sector(f"sector {number}")
    with pytest.raises(LedgerError, match="no room"):
        ledger.sector("one more")


def test_an_account_is_freed_only_when_empty(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="still holds 1000 of USDs"):
        ledger.close_account("firm")
    ledger.burn(SHARE, POOL, 9, "end")
    with pytest.raises(LedgerError, match="still holds 1 of SHARE"):
        ledger.close_account("pool")
    ledger.transfer(SHARE, POOL, FIRM, 1, "end")
    with pytest.raises(LedgerError, match="still owes 1 of SHARE"):
        ledger.close_account("pool")
    ledger.burn(SHARE, FIRM, 1, "end")
    ledger.close_account("pool")
    with pytest.raises(UnknownAccount):
        ledger.transfer(USD, FIRM, POOL, 1, "x")
    with pytest.raises(UnknownAccount):
        ledger.collect(USD, [POOL], FIRM, 0, "x", partial=True)
    assert ledger.open_account("bank", "firms") == POOL
    assert ledger.check_flows() is None


# Moves


def test_single_moves(ledger: Ledger) -> None:
    ledger.transfer(USD, FIRM, ANN, 30, "wage")
    ledger.mint(USD, BOB, 5, "grant")
    ledger.burn(USD, ANN, 130, "fee")
    assert ledger.balances(USD).tolist() == [970, 0, 0, 0, 105, 100]
    assert ledger.supply(USD) == 1175
    assert type(ledger.balance(USD, FIRM)) is type(ledger.supply(USD)) is int
    ledger.transfer(USD, np.int64(FIRM), np.int64(ANN), np.int64(1), "wage")  # type: ignore[arg-type]
    assert ledger.balance(USD, np.int64(ANN)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "arguments", "error"),
    [
        ("transfer", (USD, FIRM, POOL, 1001, "x"), InsufficientFunds),
        ("transfer", (USD, FIRM, POOL, -1, "x"), InvalidAmount),
        ("transfer", (USD, FIRM, 2, 1, "x"), UnknownAccount),
        ("transfer", (USD, 2, FIRM, 0, "x"), UnknownAccount),
        ("transfer", (USD, -1, FIRM, 1, "x"), UnknownAccount),
        ("transfer", (USD, FIRM, 6, 1, "x"), UnknownAccount),
        ("transfer", (SHARE, POOL, ANN, 1, "x"), UnknownAccount),
        ("transfer", (USD, FIRM, POOL, 1.0, "x"), TypeError),
        ("mint", (USD, FIRM, MAX_INT64, "x"), LedgerOverflow),
        ("mint", (USD, FIRM, -1, "x"), InvalidAmount),
        ("mint", (USD, 2, 1, "x"), UnknownAccount),
        ("burn", (USD, FIRM, 1001, "x"), InsufficientFunds),
        ("burn", (USD, FIRM, -1, "x"), InvalidAmount),
        ("burn", (USD, 2, 0, "x"), UnknownAccount),
        ("collect", (USD, [ANN, BOB], POOL, [10, 101], "x"), InsufficientFunds),
        ("collect", (USD, [ANN, BOB], POOL, [10, -1], "x"), InvalidAmount),
        ("collect", (USD, [ANN, 2], POOL, [10, 0], "x"), UnknownAccount),
        ("collect", (USD, [ANN, 6], POOL, 1, "x"), UnknownAccount),
        ("collect", (USD, [ANN, -1], POOL, 1, "x"), UnknownAccount),
        ("collect", (USD, [ANN], 2, 1, "x"), UnknownAccount),
        ("collect", (USD, [ANN], POOL, [1, 2], "x"), LedgerError),
        ("collect", (USD, [ANN], POOL, [1.0], "x"), TypeError),
        ("collect", (USD, [ANN], POOL, [2**64 - 1], "x"), LedgerOverflow),
        ("pay", (USD, FIRM, [ANN, BOB], [999, 2], "x"), InsufficientFunds),
        ("pay", (USD, FIRM, [ANN, BOB], [999, -1], "x"), InvalidAmount),
        ("pay", (USD, FIRM, [ANN, 2], [999, 0], "x"), UnknownAccount),
        ("pay", (USD, 2, [ANN], 0, "x"), UnknownAccount),
        ("mint_batch", (USD, [ANN, BOB], [1, MAX_INT64 - 1300], "x"), LedgerOverflow),
        ("mint_batch", (USD, [ANN, -1], 1, "x"), UnknownAccount),
        ("burn_batch", (USD, [ANN, ANN], [50, 51], "x"), InsufficientFunds),
        ("move", (USD, [ANN, BOB], [BOB, CAT], [10, 111], "x"), InsufficientFunds),
        ("move", (USD, [ANN, BOB], [BOB, 2], [10, 0], "x"), UnknownAccount),
        ("move", (USD, [ANN, BOB], [BOB, CAT], [10, -1], "x"), InvalidAmount),
        ("move", (USD, [ANN, BOB], [BOB], 1, "x"), LedgerError),
    ],
)
def test_a_refusal_leaves_no_trace(ledger: Ledger, call: str, arguments: Any, error: type[Exception]) -> None:
    before = books(ledger)
    with pytest.raises(error):
        getattr(ledger, call)(*arguments)
    assert books(ledger) == before
    assert ledger.end_day(0) == []


def test_refusals_say_who_and_how_much(ledger: Ledger) -> None:
    with pytest.raises(InsufficientFunds, match="premium: person 1 holds 100 of USDs, 101 needed"):
        ledger.collect(USD, [ANN, BOB], POOL, [1, 101], "premium")
    with pytest.raises(InsufficientFunds, match="wage: firm holds 1000 of USDs, 2 needed"):
        ledger.pay(USD, FIRM, [ANN, BOB], [999, 2], "wage")
    with pytest.raises(UnknownAccount, match="SHARE: no open account 3"):
        ledger.move(SHARE, [POOL, POOL], [FIRM, ANN], 1, "gift")


def test_partial_batches_skip_in_row_order(ledger: Ledger) -> None:
    paid = ledger.collect(USD, [ANN, ANN, ANN, BOB], POOL, [70, 40, 30, 1], "premium", partial=True)
    assert paid is not None
    assert paid.tolist() == [True, False, True, True]
    assert ledger.balances(USD).tolist() == [1000, 101, 0, 0, 99, 100]
    paid = ledger.pay(USD, POOL, [ANN, BOB, CAT], [60, 50, 41], "claim", partial=True)
    assert paid is not None
    assert paid.tolist() == [True, False, True]
    paid = ledger.move(USD, [POOL, ANN, POOL], [ANN, POOL, BOB], [1, 60, 60], "other", partial=True)
    assert paid is not None
    assert paid.tolist() == [False, True, True]
    assert ledger.end_day(4) == [
        (4, "claim", "USDs", "insurers", "households", 101),
        (4, "other", "USDs", "households", "insurers", 60),
        (4, "other", "USDs", "insurers", "households", 60),
        (4, "premium", "USDs", "households", "insurers", 101),
    ]


def test_a_row_may_spend_what_an_earlier_row_brought(ledger: Ledger) -> None:
    ledger.move(USD, [ANN, BOB, CAT], [BOB, CAT, POOL], [100, 200, 300], "chain")
    assert ledger.balances(USD).tolist() == [1000, 300, 0, 0, 0, 0]
    with pytest.raises(InsufficientFunds):
        ledger.move(USD, [BOB, POOL], [CAT, BOB], [1, 1], "chain")


def test_paying_oneself_needs_the_money_and_counts_as_a_flow(ledger: Ledger) -> None:
    ledger.transfer(USD, ANN, ANN, 100, "self")
    ledger.collect(USD, [BOB, ANN, ANN], ANN, [100, 200, 200], "self")
    ledger.pay(USD, FIRM, [FIRM, ANN, FIRM], [1000, 1, 999], "self")
    with pytest.raises(InsufficientFunds):
        ledger.pay(USD, FIRM, [FIRM, ANN, FIRM], [999, 1, 999], "self")
    assert ledger.balances(USD).tolist() == [999, 0, 0, 201, 0, 100]
    assert ledger.end_day(0) == [
        (0, "self", "USDs", "firms", "firms", 1999),
        (0, "self", "USDs", "firms", "households", 1),
        (0, "self", "USDs", "households", "households", 600),
    ]


def test_empty_batches(ledger: Ledger) -> None:
    assert ledger.collect(USD, [], POOL, [], "x") is None
    paid = ledger.pay(USD, POOL, np.empty(0, dtype=np.int64), 5, "x", partial=True)
    assert paid is not None
    assert paid.size == 0
    assert ledger.end_day(0) == []


def test_amounts_may_be_the_live_balances(ledger: Ledger) -> None:
    people = ledger.person(np.arange(3))
    with pytest.raises(KeyError), ledger.atomic():
        ledger.collect(USD, people, POOL, ledger.person_balances(USD), "all")
        assert ledger.balances(USD).tolist() == [1000, 300, 0, 0, 0, 0]
        raise KeyError
    assert ledger.balances(USD).tolist() == [1000, 0, 0, 100, 100, 100]


def test_inputs_of_any_layout(ledger: Ledger) -> None:
    people = np.array([[CAT, 9], [BOB, 9], [ANN, 9]], dtype=np.int32)[:, 0]
    amounts = np.arange(1, 7, dtype=np.uint8)[::2]
    ledger.collect(USD, people, POOL, amounts, "x")
    assert ledger.balances(USD).tolist() == [1000, 9, 0, 95, 97, 99]
    assert people.tolist() == [CAT, BOB, ANN]


def test_views_are_live_and_read_only(ledger: Ledger) -> None:
    view, people = ledger.balances(USD), ledger.person_balances(USD)
    ledger.transfer(USD, FIRM, BOB, 7, "x")
    assert view[BOB] == people[1] == 107
    for array in (view, people):
        with pytest.raises(ValueError):
            array[0] = 1
    assert ledger.person_balances(SHARE).size == 0


# Overflow


def test_supply_stays_below_the_limit(ledger: Ledger) -> None:
    ledger.mint(USD, FIRM, MAX_INT64 - 1300, "x")
    assert ledger.supply(USD) == MAX_INT64
    with pytest.raises(LedgerOverflow):
        ledger.mint(USD, ANN, 1, "y")
    ledger.transfer(USD, FIRM, ANN, ledger.balance(USD, FIRM), "y")
    assert ledger.check_supplies() is ledger.check_flows() is None


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("transfer", (SHARE, FIRM, POOL, 1, "x")),
        ("collect", (SHARE, [FIRM], POOL, 1, "x")),
        ("collect", (SHARE, [FIRM, POOL], POOL, [0, 5], "own")),
        ("pay", (SHARE, FIRM, [POOL], 1, "x")),
        ("pay", (SHARE, POOL, [FIRM, POOL], [0, 5], "own")),
        ("move", (SHARE, [FIRM], [POOL], 1, "x")),
        ("mint", (SHARE, FIRM, 1, "issue")),
        ("mint_batch", (SHARE, [FIRM], 1, "issue")),
        ("burn", (SHARE, POOL, 3, "end")),
        ("burn_batch", (SHARE, [POOL], 3, "end")),
    ],
)
def test_a_days_flow_stays_below_the_limit(ledger: Ledger, call: str, arguments: Any) -> None:
    for amount in (2**62, 2**62 - 1):
        ledger.mint(SHARE, FIRM, amount, "issue")
        ledger.transfer(SHARE, FIRM, POOL, amount, "x")
        ledger.transfer(SHARE, POOL, POOL, amount, "own")
        ledger.burn(SHARE, POOL, amount, "end")
    ledger.mint(SHARE, FIRM, 10, "more")
    before = books(ledger)
    with pytest.raises(LedgerOverflow):
        getattr(ledger, call)(*arguments)
    assert books(ledger) == before
    assert ledger.check_flows() is None
    ledger.end_day(0)
    getattr(ledger, call)(*arguments)
    assert ledger.check_flows() is None


def test_sums_inside_a_batch_are_checked(ledger: Ledger) -> None:
    ledger.mint(SHARE, POOL, MAX_INT64 - 10, "issue")
    before = books(ledger)
    for call, arguments in (
        ("collect", ([POOL] * 3, POOL, MAX_INT64, "own")),
        ("pay", (POOL, [POOL] * 3, MAX_INT64, "own")),
        ("move", ([POOL] * 3, [POOL] * 3, MAX_INT64, "own")),
    ):
        with pytest.raises(LedgerOverflow):
            getattr(ledger, call)(SHARE, *arguments)
        assert books(ledger) == before


# Blocks


def everything(ledger: Ledger) -> None:
    """One of each change."""
    ledger.transfer(USD, FIRM, ANN, 30, "wage")
    ledger.mint(USD, BOB, 5, "grant")
    ledger.burn(USD, ANN, 100, "fee")
    ledger.collect(USD, [ANN, BOB, CAT, POOL], POOL, [10, 20, 999, 30], "premium", partial=True)
    ledger.pay(USD, POOL, [ANN, POOL, CAT], [3, 4, 5], "claim")
    ledger.move(USD, [ANN, BOB], [BOB, ANN], [1, 2], "gift")
    ledger.move(USD, [CAT, BOB], [BOB, ANN], [1000, 2], "gift", partial=True)
    ledger.mint_batch(USD, [ANN, BOB, ANN], [1, 2, 3], "grant")
    ledger.burn_batch(USD, [ANN, BOB], [2, 9999], "fee", partial=True)
    coin = ledger.asset("COIN", issuer=FIRM)
    third = ledger.open_account("third", "a new sector")
    ledger.mint(coin, third, 9, "issue")
    ledger.transfer(coin, third, CAT, 9, "gift")
    ledger.close_account("third")
    ledger.open_account("again", "firms")


def test_a_failed_block_leaves_no_trace(ledger: Ledger) -> None:
    before = books(ledger)
    with pytest.raises(KeyError), ledger.atomic():
        assert ledger.in_atomic
        everything(ledger)
        assert ledger.check_supplies() is ledger.check_flows() is None
        raise KeyError
    assert not ledger.in_atomic
    assert books(ledger)[0][:2] == before[0][:2]
    assert not ledger._flows.array.any()
    assert ledger.assets == ("USDs", "SHARE")
    assert not ledger.has_account("third")
    assert not ledger.has_account("again")
    assert ledger.end_day(0) == []
    everything(ledger)
    assert ledger.check_supplies() is ledger.check_flows() is None


def test_a_block_that_ends_well_stands(ledger: Ledger) -> None:
    other = Ledger(institutions=3, people=3)
    other.asset("USDs")
    other.asset("SHARE", span="institutions")
    other.open_account("firm", "firms")
    other.open_account("pool", "insurers")
    other.mint(USD, FIRM, 1000, "endowment")
    other.mint_batch(USD, [ANN, BOB, CAT], 100, "endowment")
    other.mint(SHARE, POOL, 10, "endowment")
    other.end_day(-1)
    with ledger.atomic():
        everything(ledger)
    everything(other)
    assert ledger.end_day(0) == other.end_day(0)
    assert ledger.balances(USD).tolist() == other.balances(USD).tolist()
    assert not ledger._journal.moves
    assert not ledger._journal.calls


def test_nested_blocks(ledger: Ledger) -> None:
    with ledger.atomic():
        ledger.transfer(USD, FIRM, ANN, 1, "kept")
        with pytest.raises(KeyError), ledger.atomic():
            ledger.transfer(USD, FIRM, ANN, 10, "undone")
            with ledger.atomic():
                ledger.pay(USD, FIRM, [BOB, CAT], 10, "undone")
            raise KeyError
        assert ledger.in_atomic
        ledger.transfer(USD, FIRM, BOB, 2, "kept")
    assert ledger.balances(USD).tolist() == [997, 0, 0, 101, 102, 100]
    assert ledger.end_day(0) == [(0, "kept", "USDs", "firms", "households", 3)]


def test_callbacks_run_backwards_and_only_on_rollback(ledger: Ledger) -> None:
    log: list[Any] = []
    ledger.on_rollback(lambda: log.append("outside"))
    with ledger.atomic():
        ledger.on_rollback(lambda: log.append("well"))
    with pytest.raises(KeyError), ledger.atomic():
        ledger.on_rollback(lambda: log.append(("first", ledger.balance(USD, ANN))))
        ledger.transfer(USD, FIRM, ANN, 1, "x")
        ledger.on_rollback(lambda: log.append(("second", ledger.balance(USD, ANN))))
        ledger.transfer(USD, FIRM, ANN, 10, "x")
        raise KeyError
    assert log == [("second", 101), ("first", 100)]


def test_a_callback_that_raises_does_not_stop_the_rollback(ledger: Ledger) -> None:
    before = books(ledger)

    def fail() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError), ledger.atomic():
        ledger.transfer(USD, FIRM, ANN, 1, "x")
        ledger.on_rollback(fail)
        ledger.transfer(USD, FIRM, ANN, 10, "x")
        raise KeyError
    assert books(ledger)[0][:2] == before[0][:2]
    assert not ledger.in_atomic
    assert ledger.end_day(0) == []


def test_what_a_block_cannot_contain(ledger: Ledger) -> None:
    with ledger.atomic():
        with pytest.raises(LedgerError):
            ledger.end_day(0)
        with pytest.raises(LedgerError):
            ledger.grow_people(1)


def test_a_batch_keeps_its_own_copy_to_be_undone(ledger: Ledger) -> None:
    people, amounts = np.array([ANN, BOB]), np.array([10, 20])
    with pytest.raises(KeyError), ledger.atomic():
        mask = ledger.collect(USD, people, POOL, amounts, "x", partial=True)
        assert mask is not None
        people[:], amounts[:], mask[:] = CAT, 1, False
        raise KeyError
    assert ledger.balances(USD).tolist() == [1000, 0, 0, 100, 100, 100]


# Flows, stocks, growth


def test_many_kinds_keep_their_flows(ledger: Ledger) -> None:
    with ledger.atomic():
        for number in range(50):
            ledger.transfer(USD, FIRM, ANN, 1 + number % 3, f"kind {number:02}")
    flows = ledger.end_day(0)
    assert [(kind, amount) for _, kind, *_, amount in flows] == [(f"kind {i:02}", 1 + i % 3) for i in range(50)]
    assert ledger.end_day(1) == []
    assert ledger.check_flows() is None


def test_sector_stocks(ledger: Ledger) -> None:
    ledger.open_account("mutual", "households")
    ledger.transfer(USD, FIRM, 2, 11, "gift")
    stocks = dict(zip(ledger.sectors, ledger.sector_stocks(USD).tolist(), strict=True))
    assert stocks == {"households": 311, "issuance": 0, "firms": 989, "insurers": 0}


def test_people_can_be_added(ledger: Ledger) -> None:
    ledger.grow_people(2)
    ledger.transfer(USD, FIRM, ledger.person(4), 5, "wage")
    ledger.collect(USD, ledger.person(np.arange(5)), POOL, [1, 1, 1, 0, 5], "premium")
    assert ledger.balances(USD).tolist() == [995, 8, 0, 99, 99, 99, 0, 0]
    assert ledger.balances(SHARE).size == 3
    assert ledger.check_supplies() is ledger.check_flows() is None
    with pytest.raises(LedgerError):
        ledger.grow_people(-1)


def test_checks_see_what_is_broken(ledger: Ledger) -> None:
    assert [name for name, _ in ledger.invariants()] == ["ledger.sums_equal_supplies", "ledger.stocks_equal_flows"]
    cells = ledger._assets[USD].cells
    cells[ANN] += 1
    assert ledger.check_supplies() == "balances of USDs sum to 1301, its supply is 1300"
    assert ledger.check_flows() == "households holds 301 of USDs, but its flows sum to 300"
    cells[FIRM] -= 1
    assert ledger.check_supplies() is None
    assert ledger.check_flows() == "households holds 301 of USDs, but its flows sum to 300"
    cells[ANN], cells[FIRM] = -5, 1105
    assert ledger.check_supplies() == "person 0 holds -5 of USDs"


def test_a_ledger_without_people() -> None:
    ledger = Ledger(institutions=2, people=0)
    usd = ledger.asset("USDs")
    a, b = ledger.open_account("a", "firms"), ledger.open_account("b", "firms")
    ledger.mint_batch(usd, [a, b], 5, "endowment")
    ledger.collect(usd, [a], b, 5, "x")
    ledger.pay(usd, b, [a], 3, "x")
    assert ledger.balances(usd).tolist() == [3, 7]
    assert ledger.check_flows() is None
