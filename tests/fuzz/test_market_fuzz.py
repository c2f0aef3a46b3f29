"""Random calls from random accounts into all contracts of one market together.

Properties, after each call: every invariant of every mechanism holds; no unit of cash is made or lost; a call either
works or is refused by a declared refusal, and then leaves no balance and no state of a contract changed. Days pass in
between, so that what calls left behind is decided, paid, voted on, settled and executed.
Sections that exclude each other (two forms of the stablecoin, sale of collateral directly or by auction, rules of the
vote) take turns by the market's seed. The usual mode makes a few thousand calls; SALUS_LONG=1 makes 100,000 over
several markets, with all invariants after each.
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


def load(name: str):
    """A module beside this one, under its own name, so that entry points can import each other."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


entry_points = load("entry_points")
for area in ("credit", "coin", "forecast", "vote"):
    load(f"{area}_entry_points")
contract_state = load("contract_state")

LONG = bool(os.environ.get("SALUS_LONG"))
SEEDS = range(6) if LONG else range(3)
CALLS = -(-100_000 // 6) if LONG else 500
WARM_UP_DAYS = 20
CALLS_A_DAY = 100
SLOW = {"ledger.flows_close"}
"""Invariants that take as long as all others together: in the usual mode they run after each tenth call."""

SMALL = {
    "population": {"patients": 100}, "insurance": {"pools": 2}, "liquidity_providers": {"providers": 6},
    "oracles": {"operators": 12}, "research": {"researchers": 4}, "oracle_briber": {"members": 5},
    "fraud_ring": {"members": 5}, "stablecoin_holders": {"troves": 6, "holders": 20}, "borrowers": {"number": 6},
    "synthetic_hedgers": {}, "prediction_markets": {
        "sponsor_cash": 1e5, "noise_trades_per_day": 0.1,
        "markets": [{"interval_days": 20, "trading_days": 15, "window_days": 18}]},
    "flash_loans": {"assets": [{"asset": "USDs", "opening": 5e5}, {"asset": "HLT", "opening": 1e5},
                               {"asset": "GOV", "opening": 1e5}, {"asset": "HLT-LP", "opening": 1e4}]},
    "outbreak_swap": {"pricing_paths": 20}, "pandemic_bond": {"pricing_paths": 20},
    "synthetics": {"dollar_synthetic": True, "collateral_price": "spot"},
}
"""Sections that are smaller than by default, for speed, or have more to call."""

POOLS = [
    {"name": "HLT", "opening_value": 1e6},
    {"name": "HLT80", "curve": "weighted", "weight_base": 0.8, "opening_value": 3e5},
    {"name": "GOV", "base": "GOV", "issuer": "", "opening_value": 5e5, "opening_price": 0.5, "optional": True},
    {"name": "hUSD", "base": "hUSD", "issuer": "stablecoin", "curve": "stableswap", "opening_value": 1e6},
    {"name": "hUSD2", "base": "hUSD", "issuer": "stablecoin", "opening_value": 1e5},
    {"name": "sMED", "base": "sMED", "issuer": "synthetics", "curve": "weighted", "weight_base": 0.5,
     "opening_value": 3e5},
]
SHARE_POOL = {"name": "hSHR", "base": "hSHR", "issuer": "", "opening_value": 4e5, "opening_price": 1.0,
              "optional": True}

LENT = [{"opening": 5e5}, {"asset": "HLT", "price": "spot", "opening": 1e5},
        {"asset": "hUSD", "price": "spot", "pool": "hUSD", "opening": 1e4}]

VARIANTS = (
    {"governance": {"votes_from": "live_balance", "emergency_share": 0.3, "votes_of_lp": 5.0, "timelock_days": 0,
                    "voting_delay_days": 0, "treasury_cash": 1e5, "proposal_threshold": 0.0},
     "claims": {"mode": "committee"}, "lending": {"markets": LENT, "bad_debt": "treasury"},
     "stablecoin": {"collateral_price": "spot"}, "amm": {"pools": POOLS}},
    {"governance": {"vote_rule": "conviction", "delegation_depth": 4, "treasury_cash": 1e5, "proposal_threshold": 0.0,
                    "recount_at_execution": True},
     "claims": {"mode": "optimistic"}, "lending": {"markets": LENT, "liquidation": "auction"},
     "stablecoin": {"form": "algorithmic"}, "amm": {"pools": [*POOLS, SHARE_POOL]},
     "research": {"award_rule": "conviction", "grant_round_days": 21}, "prediction_markets": {"sponsor": "treasury"}},
    {"governance": {"vote_rule": "quadratic", "vote_lock_days": 5, "late_quorum_days": 2, "vote_cap": 0.1,
                    "votes_of_lp": 1.0, "treasury_cash": 1e5, "proposal_threshold": 0.0},
     "claims": {"mode": "committee"}, "lending": {"markets": LENT},
     "stablecoin": {"collateral_price": "committee"}, "amm": {"pools": POOLS}},
)
"""Settings that exclude each other, one for each market in turn."""


def full_market(seed: int) -> HealthMarket:
    """A market with every section there is, in the variant of ``seed``."""
    variant = VARIANTS[seed % len(VARIANTS)]
    settings = {name: SMALL.get(name, {}) | variant.get(name, {}) for name in {*SMALL, *variant}}
    sections = {name: kind(**settings.get(name, {})) for name, kind in section_types().items()}
    if sections["lending"].liquidation == "direct":
        for name in ("collateral_auctions", "keepers"):
            del sections[name]
    else:
        del sections["liquidators"]
    return HealthMarket(SimpleNamespace(horizon_days=10_000, sections=sections, shocks=[]), seed)


def share_out(market: HealthMarket, dice) -> None:
    """Give agents something of everything, out of what the founders of the pools hold."""
    amm, ledger = market.mechanism("amm"), market.ledger
    for pool in amm.pools.values():
        held = ledger.balance(pool.shares, amm.founder)
        if held:
            pool.remove_liquidity(amm.founder, held // 4)
    for asset, balances in enumerate(holdings(market)):
        for account in dice.sample(dice.agents, 12):
            if balances[amm.founder] and account != amm.founder:
                ledger.transfer(asset, amm.founder, account, int(balances[amm.founder]) // 20, "gift")


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
        share_out(market, self.dice)
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
        if self.dice.book is not None:
            assert (broken := self.dice.book.check()) is None, f"after {trace}: {broken}"

    def call(self, number: int) -> None:
        market = self.market
        name = self.names[number] if number < len(self.names) else self.dice.choice(self.names)  # each once at least
        call = self.entries[name](market, self.dice)
        before, supply = holdings(market), market.ledger.supply(market.usd)
        remembered = contract_state.state(market, self.dice.book)
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
            after = contract_state.state(market, self.dice.book)
            changed = [what for what, old in remembered.items() if after[what] != old]
            assert not changed, f"{trace} was refused ({refusal}) but changed {changed}"
        assert market.ledger.supply(market.usd) == supply, f"{trace} changed the supply of cash"
        self.check(trace, LONG or number % 10 == 0)

    def end_day(self) -> None:
        """These calls come after the day's own settlement: take again the checkpoints that it takes at its end."""
        governance = self.market.mechanism("governance")
        for proposal in governance.governor.open():
            if proposal.snapshot == self.market.day:
                governance.power.checkpoint(self.market.day)

    def run(self, calls: int) -> None:
        for number in range(calls):
            self.call(number)
            if number % CALLS_A_DAY == CALLS_A_DAY - 1:
                self.end_day()
                self.market.step()
                self.market.invariants.require(self.market.day)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_calls_into_all_contracts_keep_every_invariant(seed):
    market = full_market(seed)
    for _ in range(WARM_UP_DAYS):
        market.step()
    fuzz = Fuzz(market, seed)
    fuzz.run(CALLS)
    print(f"\nworked {dict(sorted(fuzz.done.items()))}\nrefused {dict(sorted(fuzz.refused.items()))}")
    idle = [name for name in fuzz.names if not fuzz.done[name] and not fuzz.refused[name]]
    assert not idle, f"never called: {idle}"
    assert sum(fuzz.done.values()) > CALLS // 4
