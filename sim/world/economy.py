"""Employers, government and the rest of the world: the outside sectors that close the money circuit.

Each person is paid every ``pay_interval_days`` on a day fixed by a permanent key: its share of the household's wages by
firms, or a transfer (to the old and the poor without work) by the government; a tax is withheld, and the household
spends on other goods so as to keep its cash near its opening level (buffer-stock saving). Firms receive that spending
and the government's purchases. Sectors and flows are those of a stock-flow-consistent model (Godley & Lavoie 2007):
nothing is created after day 0. Pay for work that was not done (:meth:`Economy.withhold`) stays with the firms.
"""

from __future__ import annotations

import numpy as np

from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.economy import EconomySection

YEAR_DAYS = 365
ADULT_AGE = 18
"""A child's cover comes with its parents' employment."""


class Economy(Mechanism):
    """Accounts "firms", "government" and "rest_of_world", and the households' pay and spending."""

    section: EconomySection
    hooks = (Hook(Phase.CARE, "pay_and_spend", after=("morbidity", "reference_price")),)

    def setup(self, market: Market) -> None:
        ledger = market.ledger
        self.usd: int = ledger.asset_id("USDs")
        self.firms: int = ledger.open_account("firms", "firms")
        self.government: int = ledger.open_account("government", "government")
        self.rest_of_world: int = ledger.open_account("rest_of_world", "rest_of_world")
        self.consumption_floor = int(self.section.consumption_floor * MICRO)
        self.unpaid = 0
        self.unpaid_today = 0
        self.withheld: np.ndarray | None = None
        """Pay that each person has lost and that was not yet cut from its pay, int64[people]; None before any was."""

    def start(self, market: Market) -> None:
        people, ledger, interval = market.people, market.ledger, self.section.pay_interval_days
        wealth = market.mechanism("population").initial_wealth
        ledger.mint_batch(self.usd, ledger.people_start + np.arange(people.size), wealth, "endowment")
        self.target = wealth.astype(np.int64)
        payday = (people["key"] % np.uint64(interval)).astype(np.int64)
        order = np.argsort(payday, kind="stable")
        edges = np.searchsorted(payday[order], np.arange(interval + 1))
        self.payday_slots = [order[edges[day]:edges[day + 1]] for day in range(interval)]
        self.employer_cover = people["employed"] | (people["age"] < ADULT_AGE)
        self.paid_by_firms = self.employer_cover | ~people["public_cover"]
        monthly = people["income"].astype(np.int64) // 12
        wages = int(monthly[self.paid_by_firms].sum())
        transfers = int(monthly[~self.paid_by_firms].sum())
        self.government_buffer = int(self.section.government_cash_months * transfers)
        market.endow(self.firms, int(self.section.firm_cash_months * wages))
        market.endow(self.government, self.government_buffer)
        market.endow(self.rest_of_world, int(self.section.rest_of_world_cash * MICRO))
        self.opening_household_cash = int(ledger.person_balances(self.usd).sum())

    def pay_and_spend(self, market: Market) -> None:
        """Pay today's cohort, withhold tax, and let it spend; on anniversaries incomes grow."""
        ledger, people, day = market.ledger, market.people, market.day
        if day and day % YEAR_DAYS == 0 and self.section.income_growth_per_year:
            people["income"][:] = np.rint(people["income"] * (1.0 + self.section.income_growth_per_year)).astype(
                np.int64)
        interval = self.section.pay_interval_days
        self.unpaid_today = 0
        slots = self.payday_slots[day % interval]
        if slots.size:
            pay = people["income"][slots] * interval // YEAR_DAYS
            if self.withheld is not None:
                cut = np.minimum(self.withheld[slots], pay)
                self.withheld[slots] -= cut
                pay -= cut
            employed = self.paid_by_firms[slots]
            accounts = slots + ledger.people_start
            paid = np.zeros(slots.size, dtype=np.bool_)
            for payer, rows, kind in ((self.firms, employed, "wage"), (self.government, ~employed, "transfer")):
                where = rows.nonzero()[0]
                paid[where] = ledger.pay(self.usd, payer, accounts[where], pay[where], kind, partial=True)
            self.unpaid_today = int(pay[~paid].sum())
            self.unpaid += self.unpaid_today
            received = np.where(paid, pay, 0)
            tax = np.floor(received * self.section.tax_rate).astype(np.int64)
            ledger.collect(self.usd, accounts, self.government, tax, "tax")
            spending = self.spending(received - tax, ledger.person_balances(self.usd)[slots], self.target[slots])
            ledger.collect(self.usd, accounts, self.firms, spending, "consumption")
        surplus = ledger.balance(self.usd, self.government) - self.government_buffer
        if day % 30 == 29 and surplus > 0:
            ledger.transfer(self.usd, self.government, self.firms, surplus, "public_purchase")

    def withhold(self, slots: np.ndarray, amounts: np.ndarray) -> int:
        """Cut int64[n] base units from the next pays of these persons (work not done); employers keep the money.
        Returns their sum."""
        total = int(amounts.sum())
        if total:
            if self.withheld is None:
                self.withheld = np.zeros(self.target.size, dtype=np.int64)
            np.add.at(self.withheld, slots, amounts)
        return total

    def spending(self, net_pay: np.ndarray, cash: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Household spending on other goods, int64[n]: net pay plus a share of cash above target, at least
        subsistence, never more than the cash above the consumption floor."""
        share = min(1.0, self.section.buffer_adjustment_per_year * self.section.pay_interval_days / YEAR_DAYS)
        wanted = net_pay + np.rint((cash - net_pay - target) * share).astype(np.int64)
        least = np.rint(net_pay * self.section.subsistence_share).astype(np.int64)
        free = np.maximum(cash - self.consumption_floor, 0)
        result: np.ndarray = np.minimum(np.maximum(np.maximum(wanted, least), 0), free)
        return result

    def observe(self, market: Market) -> None:
        ledger = market.ledger
        market.record.series("economy.household_cash", float(ledger.person_balances(self.usd).sum()) / MICRO)
        market.record.series("economy.firm_cash", ledger.balance(self.usd, self.firms) / MICRO)
        market.record.series("economy.government_cash", ledger.balance(self.usd, self.government) / MICRO)
        market.record.series("economy.unpaid_wages", self.unpaid_today / MICRO)

    def finish(self, market: Market) -> None:
        cash = int(market.ledger.person_balances(self.usd).sum())
        if self.opening_household_cash:
            market.record.metric("economy.household_cash_change", cash / self.opening_household_cash - 1.0)
        market.record.metric("economy.unpaid_wages", self.unpaid / MICRO)
