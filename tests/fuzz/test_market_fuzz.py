"""Random calls from random accounts into all contracts of one market together.

Properties, after each call: every invariant of every mechanism holds; no unit of cash is made or lost; a call either
works or is refused by a declared refusal, and then leaves no balance changed. Days pass in between, so that what calls
left behind is decided, paid, voted on and executed.
The usual mode makes a few thousand calls; SALUS_LONG=1 makes 100,000 over several markets.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sim.chain.mempool import Refused
from sim.kernel.ledger import LedgerError
from sim.model import HealthMarket
from sim.scenario.registry import section_types

spec = importlib.util.spec_from_file_location("entry_points", Path(__file__).with_name("entry_points.py"))
entry_points = importlib.util.module_from_spec(spec)
sys.modules["entry_points"] = entry_points
spec.loader.exec_module(entry_points)

LONG = bool(os.environ.get("SALUS_LONG"))
SEEDS = range(5) if LONG else range(2)
CALLS = 20_000 if LONG else 1_200
WARM_UP_DAYS = 40
CALLS_A_DAY = 100
SLOW = {"ledger.flows_close"}
"""Invariants that take as long as all others together: in the usual mode they run after each tenth call."""

SMALL = {
    "population": {"patients": 100}, "insurance": {"pools": 2}, "liquidity_providers": {"providers": 6},
    "oracles": {"operators": 12}, "research": {"researchers": 4}, "oracle_briber": {"members": 5},
    "fraud_ring": {"members": 5},
}
"""Sections that are smaller than by default, for speed."""


def full_market(seed: int, **changes: dict) -> HealthMarket:
    """A market with every section there is."""
    settings = {name: SMALL.get(name, {}) | changes.get(name, {}) for name in {*SMALL, *changes}}
    sections = {name: kind(**settings.get(name, {})) for name, kind in section_types().items()}
    return HealthMarket(SimpleNamespace(horizon_days=10_000, sections=sections, shocks=[]), seed)


def holdings(market: HealthMarket) -> list[np.ndarray]:
    """All balances, by asset."""
    ledger, found = market.ledger, []
    while True:
        try:
            found.append(ledger.balances(len(found)).copy())
        except LedgerError:
            return found


class Fuzz:
    """One market under random calls."""

    def __init__(self, market: HealthMarket, seed: int) -> None:
        self.market = market
        self.dice = entry_points.Dice(market, seed)
        self.entries = {name: make for name, (section, make) in sorted(entry_points.ENTRIES.items())
                        if market.find(section) is not None}
        self.names = list(self.entries)
        self.checks = [(name, check) for name, check in market.invariants._checks.items()]
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def check(self, trace: str, everything: bool) -> None:
        for name, check in self.checks:
            if everything or name not in SLOW:
                assert (broken := check()) is None, f"after {trace}: {name}: {broken}"

    def call(self, number: int) -> None:
        market, name = self.market, self.dice.choice(self.names)
        call = self.entries[name](market, self.dice)
        before, supply = holdings(market), market.ledger.supply(market.usd)
        trace = f"call {number} ({name}) on day {market.day}"
        try:
            with market.ledger.atomic():
                call()
            self.done[name] += 1
            refusal = None
        except (Refused, LedgerError) as error:
            self.refused[name] += 1
            refusal = error
        except Exception as error:
            raise AssertionError(f"{trace} failed with an undeclared {type(error).__name__}: {error}") from error
        if refusal is not None:
            for asset, (old, new) in enumerate(zip(before, holdings(market), strict=True)):
                assert (old == new).all(), f"{trace} was refused ({refusal}) but moved asset {asset}"
        assert market.ledger.supply(market.usd) == supply, f"{trace} changed the supply of cash"
        self.check(trace, LONG or number % 10 == 0)

    def run(self, calls: int) -> None:
        for number in range(calls):
            self.call(number)
            if number % CALLS_A_DAY == CALLS_A_DAY - 1:
                self.market.step()
                self.market.invariants.require(self.market.day)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_calls_into_all_contracts_keep_every_invariant(seed):
    market = full_market(seed, claims={"mode": "optimistic" if seed % 2 else "committee"})
    for _ in range(WARM_UP_DAYS):
        market.step()
    fuzz = Fuzz(market, seed)
    fuzz.run(CALLS)
    print(f"\nworked {dict(sorted(fuzz.done.items()))}\nrefused {dict(sorted(fuzz.refused.items()))}")
    idle = [name for name in fuzz.names if not fuzz.done[name] and not fuzz.refused[name]]
    assert not idle, f"never called: {idle}"
    assert sum(fuzz.done.values()) > CALLS // 4
