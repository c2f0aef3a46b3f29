"""A market with nothing but a ledger, prices and a chain, driven day by day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.chain.chain import Chain
from sim.chain.instant import InstantChain
from sim.kernel.draws import Draws
from sim.kernel.ledger import Ledger
from sim.scenario.sections.chain import ChainSection

CASH = 10_000_000_000
COIN_USD = 3000.0


class Prices:
    """Stands in for ``reference_price``: a gas coin whose price a test may set."""

    gas_coin_usd = COIN_USD


class Record:
    """Keeps what is recorded, by name."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}
        self.metrics: dict[str, float] = {}

    def series(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)

    def metric(self, name: str, value: float) -> None:
        self.metrics[name] = value


class ChainMarket:
    """``people`` accounts with cash, and a chain of the given section (None: the instant chain)."""

    def __init__(self, people: int = 20, days: int = 100, instant: bool = False, seed: int = 11, cash: int = CASH,
                 **section: Any) -> None:
        self.ledger = Ledger(institutions=16, people=people)
        self.usd = self.ledger.asset("USDs", issuer=None, span="all")
        self.draws = Draws(seed)
        self.day, self.horizon_days = -1, days
        self.record = Record()
        self.rest_of_world = self.ledger.open_account("rest_of_world", "rest_of_world")
        self.prices = Prices()
        self.chain: Any = InstantChain() if instant else Chain(ChainSection(**section))
        self.chain.setup(self)
        self.chain.start(self)
        self.people = self.ledger.person(0) + np.arange(people)
        self.keys = np.arange(1, people + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        self.ledger.mint_batch(self.usd, self.people, np.full(people, cash, dtype=np.int64), "endowment")

    def mechanism(self, name: str) -> Any:
        return {"reference_price": self.prices, "chain": self.chain}[name]

    def open_day(self) -> None:
        self.day += 1
        if hasattr(self.chain, "open_day"):
            self.chain.open_day(self)

    def close_day(self) -> None:
        self.chain.execute(self)
        self.chain.observe(self)
        self.ledger.end_day(self.day)
        for name, check in self.chain.invariants():
            assert check() is None, f"{name}: {check()}"

    def run_day(self) -> None:
        self.open_day()
        self.close_day()

    def cash(self, who: int) -> int:
        return self.ledger.balance(self.usd, int(self.people[who]))


@pytest.fixture(scope="session")
def chain_market() -> Callable[..., ChainMarket]:
    """The class, so that a test builds the market it needs."""
    return ChainMarket
