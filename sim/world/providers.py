"""Providers of care: clinics and hospitals that treat, are paid, and pay wages and suppliers.

Costs fall due whether or not the month's bills were paid, at a share of usual revenue; what cannot be paid is recorded
as arrears and paid when there is money. Cash above the target is paid out. So money returns to firms, and a halt of
payments eats the providers' days of cash.
"""

from __future__ import annotations

from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.providers import ProvidersSection
from sim.world.care_tables import Kind
from sim.world.clinical_records import ClinicalRecords
from sim.world.tables import Floats

YEAR_DAYS = 365
MONTH_DAYS = 30

Ints = NDArray[np.int64]


class Provider(mesa.Agent):
    """One clinic or hospital; its money is its ledger account."""

    def __init__(self, model: Any, name: str, region: int, hospital: bool, account: int) -> None:
        super().__init__(model)
        self.name = name
        self.region = region
        self.hospital = hospital
        self.account = account
        self.key = agent_key(name)


class Providers(Mechanism):
    """All providers. Per-provider arrays, ``[providers]``, are in the order of ``list``.

    ``records`` is the :class:`~sim.world.clinical_records.ClinicalRecords` of all of them.
    """

    section: ProvidersSection
    hooks = (Hook(Phase.CARE, "pay_costs", after=("economy",)),)

    def setup(self, market: Market) -> None:
        regions = market.mechanism("population").regions
        self.records = ClinicalRecords()
        self.list: list[Provider] = []
        self._clinics = self._open(market, regions, "clinic", self.section.clinics_per_region, False)
        self._hospitals = self._open(market, regions, "hospital", self.section.hospitals_per_region, True)
        self.accounts = np.array([provider.account for provider in self.list], dtype=np.int64)
        self._choice = market.draws.decision("providers.choice")
        people = market.people
        region = people["region"].astype(np.int64)
        self._clinic_of = self._clinics[region, self._choice.integers(0, people["key"], self._clinics.shape[1], 0)]
        self._hospital_of = self._hospitals[region, self._choice.integers(0, people["key"], self._hospitals.shape[1],
                                                                          1)]

    def _open(self, market: Market, regions: tuple[str, ...], what: str, count: int, hospital: bool) -> Ints:
        """Open ``count`` providers in each region; accounts, int64[regions, count]."""
        accounts = np.empty((len(regions), count), dtype=np.int64)
        for region, region_name in enumerate(regions):
            for number in range(count):
                name = f"{what}.{region_name}.{number + 1}"
                account = market.ledger.open_account(name, "providers")
                self.list.append(Provider(market, name, region, hospital, account))
                accounts[region, number] = account
        return accounts

    def start(self, market: Market) -> None:
        """Give each provider its opening cash, by the care that is expected of it."""
        self._usd: int = market.ledger.asset_id("USDs")
        self._firms: int = market.mechanism("economy").firms
        self.usual_revenue = self._expected_revenue(market) * self.section.pay_interval_days / YEAR_DAYS
        """[providers]: usual revenue in one payment interval, base units."""
        daily = self._daily_costs()
        opening = np.floor(daily * self.section.opening_cash_days).astype(np.int64)
        for account, amount in zip(self.accounts.tolist(), opening.tolist(), strict=True):
            market.endow(account, amount)
        self.arrears = np.zeros(len(self.list), dtype=np.int64)
        self._cash_then = opening
        self._received = 0
        self._was_short = np.zeros(len(self.list), dtype=np.bool_)
        self._days_of_cash_sum = 0.0
        self._days_of_cash_least = float("inf")

    def _expected_revenue(self, market: Market) -> Floats:
        """Expected yearly revenue, base units, float64[providers]: expected care at the reference coinsurance, parted
        between clinics and hospitals by the tables' shares."""
        morbidity = market.mechanism("morbidity")
        model = morbidity.model
        slots = np.arange(market.people.size)
        cost = morbidity.expected_annual_cost(slots) * float(morbidity.demand(model.section.reference_coinsurance))
        hospital_share = float(model.care.spending_share[-1])
        size = int(self.accounts.max()) + 1
        by_account = np.zeros(size)
        np.add.at(by_account, self._clinic_of, cost * (1.0 - hospital_share))
        np.add.at(by_account, self._hospital_of, cost * hospital_share)
        result: Floats = by_account[self.accounts] * MICRO
        return result

    def assign(self, slots: Ints, kinds: NDArray[np.integer]) -> Ints:
        """Account of the provider that treats each person for each kind of episode, int64[n]: hospital stays at the
        person's hospital, all else at its clinic."""
        stay = (kinds == Kind.INPATIENT) | (kinds == Kind.INTENSIVE)
        result: Ints = np.where(stay, self._hospital_of[slots], self._clinic_of[slots])
        return result

    def _daily_costs(self) -> Floats:
        result: Floats = self.usual_revenue * self.section.cost_share / self.section.pay_interval_days
        return result

    def _cash(self, market: Market) -> Ints:
        cash: Ints = market.ledger.balances(self._usd)[self.accounts]
        return cash

    def pay_costs(self, market: Market) -> None:
        """Once an interval: renew usual revenue, pay the costs due and arrears, pay out cash above the target."""
        interval = self.section.pay_interval_days
        if market.day % interval != interval - 1:
            return
        cash = self._cash(market)
        revenue = cash - self._cash_then
        self._received += int(revenue.sum())
        due = np.rint(self.usual_revenue * self.section.cost_share).astype(np.int64) + self.arrears
        paid = np.minimum(due, cash)
        self.arrears = due - paid
        self._was_short |= self.arrears > 0
        memory = self.section.cost_memory_months * MONTH_DAYS / interval
        self.usual_revenue += (revenue - self.usual_revenue) / max(memory, 1.0)
        self.usual_revenue = np.maximum(self.usual_revenue, 0.0)
        target = np.rint(self._daily_costs() * self.section.cash_target_days).astype(np.int64)
        profit = np.maximum(cash - paid - target, 0)
        ledger = market.ledger
        ledger.collect(self._usd, self.accounts, self._firms, paid, "provider_costs")
        ledger.collect(self._usd, self.accounts, self._firms, profit, "provider_profit")
        self._cash_then = cash - paid - profit
        daily = self._daily_costs()
        for provider, held, cost in zip(self.list, self._cash_then.tolist(), daily.tolist(), strict=True):
            market.record.institution(provider.name, "providers.own_cash", held / MICRO)
            if cost > 0.0:
                market.record.institution(provider.name, "providers.own_days_of_cash", held / cost)

    def observe(self, market: Market) -> None:
        record = market.record
        cash = int(self._cash(market).sum())
        record.series("providers.cash", cash / MICRO)
        record.series("providers.arrears", float(self.arrears.sum()) / MICRO)
        daily = float(self._daily_costs().sum())
        if daily > 0.0:
            record.series("providers.days_of_cash", cash / daily)
            self._days_of_cash_sum += cash / daily
            self._days_of_cash_least = min(self._days_of_cash_least, cash / daily)

    def finish(self, market: Market) -> None:
        days = market.day + 1
        received = self._received + int((self._cash(market) - self._cash_then).sum())
        market.record.metric("providers.mean_days_of_cash", self._days_of_cash_sum / days)
        market.record.metric("providers.least_days_of_cash", self._days_of_cash_least)
        market.record.metric("providers.short_of_cash", float(self._was_short.mean()))
        market.record.metric("providers.revenue_per_patient",
                             received / MICRO / market.people.size * YEAR_DAYS / days)
