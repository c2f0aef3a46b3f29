"""Providers: local, paid, paying; a halt of payments eats their cash and leaves arrears, exactly."""

from __future__ import annotations

from typing import Any

import mesa
import numpy as np
import pytest

from sim.kernel.columns import Columns
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger
from sim.scenario.sections.morbidity import MorbiditySection
from sim.scenario.sections.population import PopulationSection
from sim.scenario.sections.providers import ProvidersSection
from sim.world.care_tables import Kind
from sim.world.morbidity import Morbidity
from sim.world.population import Population
from sim.world.providers import Providers


class Silent:
    """Takes what is recorded."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}

    def series(self, name: str, value: float) -> None: ...

    def institution(self, institution: str, name: str, value: float) -> None: ...

    def metric(self, name: str, value: float) -> None:
        self.metrics[name] = value


class Economy:
    def __init__(self, ledger: Ledger) -> None:
        self.firms = ledger.open_account("firms", "firms")


class SmallMarket(mesa.Model):
    """Population, morbidity and providers on a ledger, with an outside payer."""

    def __init__(self, n: int = 400, **section: Any) -> None:
        super().__init__(rng=1)
        self.people, self.draws, self.day = Columns(n), Draws(4), -1
        self.ledger = Ledger(institutions=64, people=n)
        self.usd = self.ledger.asset("USDs")
        self.record = Silent()
        self.payer = self.ledger.open_account("payer", "rest_of_world")
        self.ledger.mint(self.usd, self.payer, 10**15, "endowment")
        population = Population(PopulationSection(patients=n))
        population.build(self.people, self.draws)
        morbidity = Morbidity(MorbiditySection())
        morbidity.build(population, self.people, self.draws)
        self.parts = {"population": population, "morbidity": morbidity, "economy": Economy(self.ledger)}
        self.providers = Providers(ProvidersSection(**section))
        self.providers.setup(self)
        self.providers.start(self)

    def mechanism(self, name: str) -> Any:
        return self.parts[name]

    def endow(self, account: int, amount: int) -> None:
        self.ledger.mint(self.usd, account, amount, "endowment")

    def run_days(self, days: int, pay: bool) -> None:
        """Each provider is paid its usual revenue evenly, or nothing."""
        daily = np.rint(self.providers.usual_revenue / 30).astype(np.int64)
        for _ in range(days):
            self.day += 1
            if pay:
                self.ledger.pay(self.usd, self.payer, self.providers.accounts, daily, "care")
            self.providers.pay_costs(self)
            self.providers.observe(self)


def test_people_go_to_their_region_and_stays_to_a_hospital() -> None:
    market = SmallMarket()
    slots = np.arange(400)
    by_account = {provider.account: provider for provider in market.providers.list}
    for kind in Kind:
        accounts = market.providers.assign(slots, np.full(400, int(kind)))
        for slot, account in zip(slots, accounts.tolist(), strict=True):
            provider = by_account[account]
            assert provider.region == market.people["region"][slot]
            assert provider.hospital == (kind in (Kind.INPATIENT, Kind.INTENSIVE))
    assert np.array_equal(market.providers.assign(slots, np.zeros(400, int)),
                          SmallMarket().providers.assign(slots, np.ones(400, int)))


def test_opening_cash_is_days_of_expected_costs() -> None:
    market = SmallMarket(opening_cash_days=45.0)
    cash = int(market.ledger.balances(market.usd)[market.providers.accounts].sum())
    expected = (float(market.parts["morbidity"].expected_annual_cost(np.arange(400)).sum())
                * float(market.parts["morbidity"].demand(0.12)) * 0.97 * 45 / 365 * MICRO)
    assert cash == pytest.approx(expected, rel=1e-6)


def test_in_a_steady_state_what_comes_in_goes_out() -> None:
    market = SmallMarket()
    market.run_days(360, pay=True)
    before = market.ledger.balance(market.usd, market.parts["economy"].firms)
    market.run_days(30, pay=True)
    paid_on = market.ledger.balance(market.usd, market.parts["economy"].firms) - before
    assert paid_on == pytest.approx(market.providers.usual_revenue.sum(), rel=0.01)
    assert (market.providers.arrears == 0).all()
    market.providers.finish(market)
    assert market.record.metrics["providers.short_of_cash"] == 0.0
    assert market.record.metrics["providers.mean_days_of_cash"] > 40.0


def test_a_halt_of_payments_empties_providers_and_leaves_arrears() -> None:
    market = SmallMarket(opening_cash_days=45.0)
    market.run_days(30, pay=False)
    assert (market.providers.arrears == 0).all()
    cash_left = int(market.ledger.balances(market.usd)[market.providers.accounts].sum())
    market.run_days(60, pay=False)
    assert (market.ledger.balances(market.usd)[market.providers.accounts] == 0).all()
    assert (market.providers.arrears[market.providers.usual_revenue > 1.0] > 0).all()
    assert cash_left > 0
    before = int(market.providers.arrears.sum())
    held = market.ledger.balance(market.usd, market.payer)
    market.ledger.pay(market.usd, market.payer, market.providers.accounts, 10 * market.providers.arrears, "care")
    assert market.ledger.balance(market.usd, market.payer) == held - 10 * before
    market.run_days(30, pay=False)
    assert (market.providers.arrears == 0).all()
    market.providers.finish(market)
    assert market.record.metrics["providers.short_of_cash"] > 0.9
    assert market.ledger.check_supplies() is None
