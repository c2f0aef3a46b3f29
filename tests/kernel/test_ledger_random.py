"""Random programs on the ledger and on a reference of Python ints: same answers, same refusals, same books.

``SALUS_LONG=1`` runs at least 10,000 operations.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parent))

from ledger_reference import CAPACITY, MAX, PEOPLE, SPANS, Boom, Real, Reference

from sim.kernel.ledger import LedgerError

LONG = bool(os.environ.get("SALUS_LONG"))

assets = st.sampled_from(list(SPANS))
kinds = st.sampled_from(["premium", "claim"])
people = st.integers(CAPACITY, CAPACITY + PEOPLE - 1)
accounts = st.integers(0, 2) | people | st.sampled_from([0, 1, 2, 3, -1, -2, CAPACITY + PEOPLE])
good_accounts = st.integers(0, 1) | people
small = st.integers(0, 40)
amounts = small | small | small | st.sampled_from([-1, 2**62, MAX - 3, MAX])
sectors = st.sampled_from(["firms", "insurers", "households"])
names = st.sampled_from(["a", "b", "c", "d", "e"])


@st.composite
def batches(draw: st.DrawFn) -> tuple[Any, ...]:
    """A batch of up to eight rows, of all shapes; mostly good rows, else hardly any would pass."""
    good = draw(st.booleans())
    who = good_accounts if good else accounts
    units = small if good else amounts
    asset = 0 if good else draw(assets)
    form = draw(st.sampled_from(["collect", "pay", "move", "burn_batch", "mint_batch"]))
    count = draw(st.integers(0, 8))
    rows = st.tuples(who, who) if form == "move" else who
    many = draw(st.lists(rows, min_size=count, max_size=count))
    each = draw(units | st.lists(units, min_size=count, max_size=count))
    kind, partial = draw(kinds), draw(st.booleans())
    if form == "collect":
        return form, asset, many, draw(who), each, kind, partial
    if form == "pay":
        return form, asset, draw(who), many, each, kind, partial
    if form == "mint_batch":
        return form, asset, many, each, kind
    return form, asset, many, each, kind, partial


@st.composite
def singles(draw: st.DrawFn) -> tuple[Any, ...]:
    """One call; three in four with good arguments."""
    good = draw(st.integers(0, 3)) > 0
    who = good_accounts if good else accounts
    units = small if good else amounts
    asset = 0 if good else draw(assets)
    form = draw(st.sampled_from(["transfer", "transfer", "mint", "burn", "open", "close", "note"]))
    if form == "open":
        return form, draw(names), draw(sectors)
    if form == "close":
        return form, draw(names)
    if form == "note":
        return form, draw(st.integers(0, 9))
    return form, asset, *(draw(who) for _ in range(1 + (form == "transfer"))), draw(units), draw(kinds)


operations = singles() | batches()
blocks = st.recursive(
    st.tuples(st.just("atomic"), st.lists(operations, max_size=4), st.booleans(), st.booleans()),
    lambda inner: st.tuples(st.just("atomic"), st.lists(operations | inner, max_size=5), st.booleans(), st.booleans()),
    max_leaves=4,
)


def count(operation: tuple[Any, ...]) -> int:
    return sum(map(count, operation[1])) if operation[0] == "atomic" else 1


def outcome(machine: Real | Reference, operation: tuple[Any, ...]) -> Any:
    """The result, or why it was refused. Of a batch with several bad rows, which one is named is left open."""
    try:
        return machine.run(operation)
    except (LedgerError, Boom) as error:
        batch = operation[0] in ("collect", "pay", "move", "burn_batch", "mint_batch", "atomic")
        return "refused" if batch else type(error)


def same(real: Any, wanted: Any) -> bool:
    """Equal; classes of refusals may be subclasses of the reference's, and any refusal equals another in a block."""
    if isinstance(real, list) and isinstance(wanted, list):
        return len(real) == len(wanted) and all(map(same, real, wanted))
    if isinstance(real, type) and isinstance(wanted, type):
        return issubclass(real, wanted) or {real, wanted} <= set(LedgerError.__subclasses__())
    return bool(real == wanted)


class LedgerMachine(RuleBasedStateMachine):
    operations = 0

    @initialize()
    def start(self) -> None:
        self.real, self.reference = Real(), Reference()
        self.day = 0
        for operation in (
            ("open", "a", "firms"),
            ("open", "b", "insurers"),
            ("mint", 0, 0, 500, "endowment"),
            ("mint", 1, 1, 500, "endowment"),
            ("mint_batch", 0, [4, 5, 6], 50, "endowment"),
        ):
            assert outcome(self.real, operation) == outcome(self.reference, operation)

    @rule(operation=singles())
    def operate_singly(self, operation: tuple[Any, ...]) -> None:
        self.operate(operation)

    @rule(operation=batches())
    def operate_in_batch(self, operation: tuple[Any, ...]) -> None:
        self.operate(operation)

    @rule(operation=blocks)
    def operate_in_block(self, operation: tuple[Any, ...]) -> None:
        self.operate(operation)

    def operate(self, operation: tuple[Any, ...]) -> None:
        type(self).operations += count(operation)
        real, wanted = outcome(self.real, operation), outcome(self.reference, operation)
        assert same(real, wanted), f"{operation}: {real}, expected {wanted}"

    @rule()
    def end_day(self) -> None:
        flows = self.real.ledger.end_day(self.day)
        symbols = self.real.ledger.assets
        wanted = [
            (self.day, kind, symbols[asset], payer, payee, amount)
            for (kind, asset, payer, payee), amount in self.reference.flows.items()
            if amount
        ]
        assert flows == sorted(wanted)
        assert all(type(amount) is int for *_, amount in flows)
        self.reference.flows.clear()
        self.day += 1

    @invariant()
    def same_books(self) -> None:
        ledger, reference = self.real.ledger, self.reference
        for asset, span in SPANS.items():
            wanted = [reference.balances[asset, account] for account in range(span)]
            assert ledger.balances(asset).tolist() == wanted
            assert ledger.supply(asset) == sum(wanted)
        assert self.real.notes == reference.notes
        assert not ledger.in_atomic
        assert {name: ledger.account(name) for name in reference.names} == reference.names
        for _, check in ledger.invariants():
            assert check() is None


def test_random_programs() -> None:
    LedgerMachine.operations = 0
    examples, steps = (250, 60) if LONG else (60, 30)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        LedgerMachine, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    )
    assert LedgerMachine.operations >= (10_000 if LONG else 1_000)


@given(batches(), st.lists(small, min_size=7, max_size=7))
@settings(max_examples=2000 if LONG else 200, deadline=None)
def test_a_batch_equals_its_scalar_calls_in_order(batch: tuple[Any, ...], cash: list[int]) -> None:
    form, asset, *rest = batch
    partial = rest.pop() if form != "mint_batch" else False
    kind, each = rest.pop(), rest.pop()
    if form == "collect":
        calls = [("transfer", asset, src, rest[1]) for src in rest[0]]
    elif form == "pay":
        calls = [("transfer", asset, rest[0], dst) for dst in rest[1]]
    elif form == "move":
        calls = [("transfer", asset, src, dst) for src, dst in rest[0]]
    else:
        calls = [(form.removesuffix("_batch"), asset, who) for who in rest[0]]
    each = each if isinstance(each, list) else [each] * len(calls)

    def opened() -> Real:
        real = Real()
        for name in ("a", "b", "c"):
            real.run(("open", name, name))
        for account, units in zip([0, 1, 2, 4, 5, 6], cash, strict=False):
            real.run(("mint", 0, account, units, "endowment"))
        return real

    whole, single = opened(), opened()
    result = outcome(whole, batch)
    paid = []
    refused = "refused" if form in ("collect", "pay") and not 0 <= rest[form == "collect"] < SPANS[asset] else None
    before = single.ledger.balances(asset).tolist()
    try:
        with single.ledger.atomic():
            for call, amount in zip(calls, each, strict=True):
                reason = outcome(single, (*call, amount, kind))
                paid.append(reason is None)
                skipped = partial and isinstance(reason, type) and reason.__name__ == "InsufficientFunds"
                if reason is not None and not skipped:
                    raise Boom
    except Boom:
        refused = "refused"
        assert single.ledger.balances(asset).tolist() == before
    assert result == (refused or (paid if partial else None)) or (not calls and result == "refused")
    assert whole.ledger.balances(asset).tolist() == single.ledger.balances(asset).tolist()
    assert whole.ledger.end_day(0) == single.ledger.end_day(0)


def test_large_batches_equal_scalar_calls() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20 if LONG else 4):
        whole, single = Real(), Real()
        for real in (whole, single):
            for name in ("a", "b", "c", "d"):
                real.run(("open", name, name))
            real.run(("mint_batch", 0, list(range(7)), 1000, "endowment"))
        sources, dests = rng.integers(0, 7, (2, 3000)).tolist()
        each = rng.integers(0, 700, 3000).tolist()
        mask = whole.run(("move", 0, list(zip(sources, dests, strict=True)), each, "x", True))
        wanted = [
            outcome(single, ("transfer", 0, src, dst, amount, "x")) is None
            for src, dst, amount in zip(sources, dests, each, strict=True)
        ]
        assert mask == wanted
        assert 0 < sum(wanted) < 3000
        assert whole.ledger.balances(0).tolist() == single.ledger.balances(0).tolist()
        assert whole.ledger.end_day(0) == single.ledger.end_day(0)
