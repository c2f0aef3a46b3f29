"""A village: the governance and research mechanisms with people who sell when the price is right, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mesa
import numpy as np
import pytest

from sim.agents.delegate import Delegates
from sim.agents.researcher import Research
from sim.chain.instant import InstantChain
from sim.contracts.governance.governance import Governance
from sim.contracts.research.data_vault import DataVault
from sim.day import DayPlan
from sim.kernel.columns import Columns
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger
from sim.mechanism import Hook, Mechanism, Phase
from sim.parameters import Parameters
from sim.recorder import Recorder
from sim.scenario.sections.data_vault import DataVaultSection
from sim.scenario.sections.delegates import DelegatesSection
from sim.scenario.sections.governance import GovernanceSection
from sim.scenario.sections.research import ResearchSection
from sim.scenario.types import Section

HORIZON = 800


class Neighbours(Mechanism):
    """People with two conditions, who sell as soon as a bid is high enough; firms pay fees to the treasury each day."""

    hooks = (Hook(Phase.PATIENTS, "offer"),)

    def __init__(self, fees: int) -> None:
        super().__init__(Section())
        self.fees = fees

    def setup(self, market: Any) -> None:
        people = market.people
        people.add("chronic", np.uint32, 1 + (np.arange(people.size) % 2))
        people.add("privacy_cost", np.int64, (5 + np.arange(people.size) % 20) * MICRO)
        self.firms = market.ledger.open_account("firms", "firms")
        self.providers = [market.ledger.open_account(f"provider {i}", "liquidity_providers") for i in range(12)]
        market.endow(self.firms, self.fees * MICRO * HORIZON)

    def offer(self, market: Any) -> None:
        market.ledger.transfer(market.usd, self.firms, market.treasury_account(), self.fees * MICRO, "fee")
        vault = market.find("data_vault")
        if vault is not None:
            market.people["records"][:] = 1
            slots = np.flatnonzero(market.people["consent_until"] < market.day)
            prices = vault.reservation_price(slots)
            willing = prices <= vault.posted_price
            vault.consent(slots[willing], prices[willing], market.day + 365)


class Village(mesa.Model):
    """A market of those mechanisms that are given, on the real ledger and a free chain."""

    def __init__(self, people: int, sections: dict[str, Section], fees: int, seed: int) -> None:
        super().__init__(rng=seed)
        built = {"governance": Governance, "delegates": Delegates, "data_vault": DataVault, "research": Research}
        self.day, self.horizon_days = -1, HORIZON
        self.ledger = Ledger(institutions=256, people=people)
        self.usd = self.ledger.asset("USDs")
        self.draws, self.people, self.parameters = Draws(seed), Columns(people), Parameters()
        self.record = Recorder(HORIZON, sections.values(), self.ledger)
        self.mechanisms: dict[str, Mechanism] = {"chain": InstantChain(), "neighbours": Neighbours(fees)}
        self.mechanisms |= {name: built[name](section) for name, section in sections.items()}
        for name, mechanism in self.mechanisms.items():
            mechanism.name = name
            mechanism.setup(self)
        for mechanism in self.mechanisms.values():
            mechanism.start(self)
        self.plan = DayPlan(self.mechanisms)

    def mechanism(self, name: str) -> Any:
        return self.mechanisms[name]

    def find(self, name: str) -> Any:
        return self.mechanisms.get(name)

    def endow(self, account: int, amount: int) -> None:
        self.ledger.mint(self.usd, account, amount, "endowment")

    def treasury_account(self) -> int:
        if not self.ledger.has_account("treasury"):
            return self.ledger.open_account("treasury", "protocol")
        return self.ledger.account("treasury")

    def days(self, count: int) -> Village:
        for _ in range(count):
            self.day += 1
            self.record.day = self.day
            for phase in Phase:
                self.plan.run(phase, self)
            for mechanism in self.mechanisms.values():
                mechanism.observe(self)
                for name, check in mechanism.invariants():
                    assert check() is None, (name, check())
            assert self.ledger.check_supplies() is None
            self.record.close_day()
        return self

    def metrics(self) -> dict[str, float]:
        for mechanism in self.mechanisms.values():
            mechanism.finish(self)
        return self.record.metrics

    def events(self, kind: str) -> list[tuple[int, str, str, float, str]]:
        return [event for event in self.record.events if event[1] == kind]


@pytest.fixture
def village() -> Callable[..., Village]:
    """``village(people=400, fees=2000, seed=1, research={...}, governance={...})``; None leaves a mechanism out."""

    def build(people: int = 400, fees: int = 2000, seed: int = 1, **settings: dict[str, Any] | None) -> Village:
        schemas: dict[str, type[Section]] = {"governance": GovernanceSection, "delegates": DelegatesSection,
                                             "data_vault": DataVaultSection, "research": ResearchSection}
        sections = {name: schema(**(settings.get(name) or {})) for name, schema in schemas.items()
                    if settings.get(name, {}) is not None}
        return Village(people, sections, fees, seed)

    return build
