"""A pool on a small ledger, with accounts around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from sim.contracts.insurance.accounts import FeeAccounts
from sim.contracts.insurance.capital import CapitalParameters, regime
from sim.contracts.insurance.checks import CHECKS
from sim.contracts.insurance.policy import Terms
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolConfig
from sim.contracts.insurance.premium import PremiumShares
from sim.kernel.ledger import Ledger


@dataclass
class Desk:
    """A pool and what a test needs to drive it; amounts in base units."""

    ledger: Ledger
    usd: int
    pool: InsurancePool
    oracles: int
    treasury: int
    owners: list[int]
    payees: list[int]

    def fund(self, account: int, amount: int) -> None:
        """Money from nowhere."""
        self.ledger.mint(self.usd, account, amount, "endowment")

    def premium(self, amount: int, start: int, days: int = 30) -> None:
        """A premium comes in."""
        self.fund(self.pool.accounts.unearned, amount)
        self.pool.write_premium(np.array([amount]), np.array([start]), np.array([days]))

    def settle(self, day: int, first_id: int, amounts: list[int]) -> list[int]:
        """Settle claims numbered from ``first_id``, paid to the payees in turn."""
        ids = np.arange(first_id, first_id + len(amounts))
        to = np.array([self.payees[i % len(self.payees)] for i in range(len(amounts))], dtype=np.int64)
        return self.pool.settle(day, ids, np.array(amounts, dtype=np.int64), to).tolist()

    def check(self) -> None:
        """Every invariant of the pool and of the ledger."""
        for name, check in CHECKS.items():
            assert check(self.pool) is None, f"{name}: {check(self.pool)}"
        assert self.ledger.check_supplies() is None


def build(
    shares: PremiumShares | None = None, capital: str = "fixed_ratio", terms: Terms | None = None, **more: Any
) -> Desk:
    """A pool on a ledger of 64 institutions and four people."""
    ledger = Ledger(institutions=64, people=4)
    usd = ledger.asset("USDs")
    oracles, treasury = (ledger.open_account(name, "protocol") for name in ("oracle_fees", "treasury"))
    owners = [ledger.open_account(f"owner{i}", "liquidity_providers") for i in range(4)]
    payees = [ledger.open_account(f"payee{i}", "providers") for i in range(3)]
    config = PoolConfig(shares or PremiumShares.of(0.85, 0.07, 0.02, 0.02, 0.04), report_lag_days=more.pop("lag", 0.0),
                        run_off_tail_days=more.pop("tail", 10), share_offset=more.pop("offset", 3))
    plans = more.pop("plans", [terms or Terms()])
    pool = InsurancePool(ledger, usd, "P", plans, config, regime(capital, CapitalParameters(**more)),
                         FeeAccounts(oracles, treasury))
    return Desk(ledger, usd, pool, oracles, treasury, owners, payees)


@pytest.fixture
def make_desk() -> Callable[..., Desk]:
    """The builder of desks."""
    return build


@pytest.fixture
def desk() -> Desk:
    """A desk with the default split of premium."""
    return build()
