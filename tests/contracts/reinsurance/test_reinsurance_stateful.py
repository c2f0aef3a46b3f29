"""Pools with treaties under random programs: claims, premiums, days, late and failed recoveries, circles of covers.

Properties: ceded and retained parts add up; limits and reinstatements are kept; a recovery is paid once; no unit is
lost from a pool's books or from the ledger; policyholders are paid all that a pool has and calls in; a transaction that
fails leaves no trace. Most are the invariants of the book and of the pools, checked after every step.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sim.contracts.insurance.treaties import SHARE, Layer
from sim.contracts.reinsurance.parties import RECOVERY

_spec = importlib.util.spec_from_file_location("reinsurance_street", Path(__file__).with_name("conftest.py"))
assert _spec is not None
assert _spec.loader is not None
_street: Any = importlib.util.module_from_spec(_spec)
sys.modules["reinsurance_street"] = _street
_spec.loader.exec_module(_street)

LONG = bool(os.environ.get("SALUS_LONG"))
pools = st.integers(0, 2)
amounts = st.lists(st.integers(0, 400_000), max_size=4)
names = st.sampled_from(("P0", "P1", "P2", "R0", "R1"))
layers = st.builds(Layer, st.integers(0, 200_000), st.integers(1, 500_000), st.integers(1, SHARE), st.integers(-1, 2),
                   st.integers(0, SHARE), st.integers(0, 50_000))


class Undo(Exception):
    """Ends a transaction."""


class StreetMachine(RuleBasedStateMachine):
    """Three pools that reinsure each other, two reinsurers, and treaties made as it comes."""

    @initialize(capital=st.sampled_from((0, 300_000, 10**7)))
    def begin(self, capital: int) -> None:
        self.street = _street.build(capital=capital, most_rounds=40)
        self.day = 0

    @rule(buyer=names, seller=names, layer=layers, basis=st.sampled_from(("year", "risk", "event")),
          lag=st.sampled_from((0, 3)), inward=st.booleans())
    def make_treaty(self, buyer: str, seller: str, layer: Layer, basis: str, lag: int, inward: bool) -> None:
        if buyer != seller and len(self.street.book.treaties) < 8:
            self.street.treaty(buyer, [seller], layer, basis=basis, lag_days=lag, start=self.day, days=60,
                               covers_inward=inward and basis != "risk")

    @rule(buyer=names, seller=names, share=st.floats(0.01, 0.9), lag=st.sampled_from((0, 3)))
    def make_quota_share(self, buyer: str, seller: str, share: float, lag: int) -> None:
        if buyer != seller and len(self.street.book.treaties) < 8:
            self.street.quota(buyer, [seller], share, lag_days=lag, start=self.day, covers_inward=True,
                              commission=100_000)

    @rule(pool=pools, claims=amounts, age=st.integers(0, 40))
    def settle(self, pool: int, claims: list[int], age: int) -> None:
        street, own = self.street, self.street.pools[pool]
        own.pool.accrue(self.day)
        before, waiting = own.cash_at_hand(), own.pool.unpaid.total
        called = own.pool.totals.by_layer.get("reinsurance", 0)
        paid = street.settle(pool, self.day, claims, [max(self.day - age, 0)] * len(claims))
        got = own.pool.totals.by_layer.get("reinsurance", 0) - called
        assert all(0 <= part <= claim for part, claim in zip(paid, claims, strict=True))
        left = own.pool.unpaid.total
        assert left == max(waiting + sum(claims) - before - got, 0), "it pays all it owes or all there is"
        assert own.cash_at_hand() == max(before + got - waiting - sum(claims), 0)

    @rule(pool=pools, premium=st.integers(0, 100_000))
    def earn(self, pool: int, premium: int) -> None:
        own = self.street.pools[pool].pool
        self.street.fund(own.accounts.unearned, premium)
        own.write_premium(np.array([premium]), np.array([self.day]), np.array([30]))

    @rule(days=st.integers(1, 20))
    def end_day(self, days: int) -> None:
        book = self.street.book
        for party in self.street.pools:
            party.pool.accrue(self.day)
        book.run_rounds(self.day)
        book.pay_premiums(self.day)
        due = book.due_lines(self.day)
        free = {name: party.free_cash() for name, party in book.parties.items()}
        paid = book.collect(due, RECOVERY)
        for (line, amount), part in zip(due, paid, strict=True):
            assert 0 <= part <= amount
            if part < amount:
                assert line.seller.free_cash() == 0, "who leaves a debt unpaid has nothing free"
        assert all(party.free_cash() >= 0 for party in book.parties.values())
        assert sum(paid) <= sum(free.values()) or len(due) > 1
        book.fail(due, paid, self.day)
        book.write_off(self.day, 90)
        self.day += days

    @rule(pool=pools, claims=amounts)
    def fail_inside_a_transaction(self, pool: int, claims: list[int]) -> None:
        street = self.street
        before = self._picture()
        try:
            with street.ledger.atomic():
                street.settle(pool, self.day, claims)
                raise Undo
        except Undo:
            pass
        assert self._picture() == before

    def _picture(self) -> str:
        book = self.street.book
        return str((book.accounts, book.arriving, book.today, [treaty.state() for treaty in book.treaties],
                    [(party.pool.totals, party.pool.capital, party.pool.state) for party in self.street.pools]))

    @invariant()
    def laws_hold(self) -> None:
        if hasattr(self, "street"):
            self.street.check()


TestStreetMachine = StreetMachine.TestCase
TestStreetMachine.settings = settings(
    max_examples=200 if LONG else 15, stateful_step_count=60 if LONG else 25, deadline=None, derandomize=not LONG)
