"""Pools and reinsurers with treaties on a small ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from sim.contracts.insurance.accounts import FeeAccounts
from sim.contracts.insurance.capital import CapitalParameters, regime
from sim.contracts.insurance.checks import CHECKS as POOL_CHECKS
from sim.contracts.insurance.policy import Terms as Policy
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolConfig
from sim.contracts.insurance.premium import PremiumShares
from sim.contracts.insurance.treaties import SHARE, UNLIMITED, Layer
from sim.contracts.reinsurance.book import ReinsuranceBook
from sim.contracts.reinsurance.checks import CHECKS
from sim.contracts.reinsurance.layer import ReinsuranceLayer
from sim.contracts.reinsurance.parties import Party, PoolParty, ReinsurerParty
from sim.contracts.reinsurance.treaty import Placement, Terms, Treaty
from sim.kernel.ledger import Ledger

PEOPLE = 8


@dataclass
class Street:
    """Pools P0.. and reinsurers R0.. with a book; claim n is that of person n % PEOPLE."""

    ledger: Ledger
    usd: int
    pools: list[PoolParty]
    reinsurers: list[ReinsurerParty]
    book: ReinsuranceBook
    payee: int
    claims: int = 0
    approved: dict[str, int] = field(default_factory=dict)

    def party(self, name: str) -> Party:
        return self.book.parties[name]

    def fund(self, account: int, amount: int) -> None:
        self.ledger.mint(self.usd, account, amount, "endowment")

    def treaty(self, buyer: str, sellers: list[str], *layers: Layer, **more: Any) -> Treaty:
        """Bring a treaty into force; the sellers take each layer in equal parts."""
        form = more.pop("form", "excess_of_loss")
        terms = Terms(f"{buyer}.{len(self.book.treaties)}", form, more.pop("basis", "year"), layers,
                      more.pop("start", 0), more.pop("days", 365), **more)
        rows = []
        for layer in layers:
            parts = [layer.share // len(sellers)] * len(sellers)
            parts[0] += layer.share - sum(parts)
            rows.append([Placement(self.party(name), part) for name, part in zip(sellers, parts, strict=True)])
        treaty = Treaty(terms, self.party(buyer), rows, PEOPLE)
        self.book.add(treaty)
        return treaty

    def quota(self, buyer: str, sellers: list[str], share: float, **more: Any) -> Treaty:
        return self.treaty(buyer, sellers, Layer(0, UNLIMITED, round(share * SHARE), -1), form="quota_share", **more)

    def settle(self, pool: int, day: int, amounts: list[int], incurred: list[int] | None = None) -> list[int]:
        """Settle claims of one pool; returns what each receives."""
        ids = np.arange(self.claims, self.claims + len(amounts))
        self.claims += len(amounts)
        days = np.array(incurred if incurred is not None else [day] * len(amounts), dtype=np.int64)
        paid = self.pools[pool].pool.settle(day, ids, np.array(amounts, dtype=np.int64),
                                            np.full(len(amounts), self.payee), "claim", days)
        return paid.tolist()

    def check(self) -> None:
        """Every invariant of the book, of the pools and of the ledger."""
        for name, check in CHECKS.items():
            assert check(self.book) is None, f"{name}: {check(self.book)}"
        for party in self.pools:
            for name, pool_check in POOL_CHECKS.items():
                assert pool_check(party.pool) is None, f"{name}: {pool_check(party.pool)}"
        assert self.ledger.check_supplies() is None


def build(pools: int = 3, reinsurers: int = 2, capital: int = 1_000_000, most_rounds: int = 1000) -> Street:
    """A street whose pools have surplus and whose reinsurers have cash of ``capital``."""
    ledger = Ledger(institutions=128, people=PEOPLE)
    usd = ledger.asset("USDs")
    other, payee = ledger.open_account("other", "protocol"), ledger.open_account("payee", "providers")
    config = PoolConfig(PremiumShares.of(0.85, 0.07, 0.02, 0.02, 0.04), report_lag_days=0.0, run_off_tail_days=10)
    parties = [PoolParty(InsurancePool(ledger, usd, f"P{i}", [Policy()], config,
                                       regime("fixed_ratio", CapitalParameters()), FeeAccounts(other, other)))
               for i in range(pools)]
    sellers = [ReinsurerParty(ledger, usd, f"R{i}") for i in range(reinsurers)]
    every: list[Party] = [*parties, *sellers]
    book = ReinsuranceBook(ledger, {party.name: party for party in every}, most_rounds)
    street = Street(ledger, usd, parties, sellers, book, payee)
    owner = ledger.open_account("owner", "liquidity_providers")
    for party in parties:
        party.pool.layers.insert(0, ReinsuranceLayer(book, party, lambda ids: ids % PEOPLE))
        party.pool.admitted["reinsurance"] = (
            lambda name=party.name: sum(amount for _, amount in book.owed_to(name)))  # type: ignore[misc]
        party.pool.owed["reinsurance"] = (
            lambda name=party.name: sum(line.owed for line in book.inward[name]))  # type: ignore[misc]
        if capital:
            street.fund(owner, capital)
            party.pool.deposit(owner, capital, "junior")
    for seller in sellers:
        if capital:
            street.fund(seller.account, capital)
    return street


@pytest.fixture
def make_street() -> Any:
    """The builder of streets."""
    return build
