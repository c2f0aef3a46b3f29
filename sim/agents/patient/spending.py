"""Statistics of spending and cover over people: concentration, zero share, uninsured by income."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.kernel.compiled import kernel
from sim.kernel.fixedpoint import MICRO

if TYPE_CHECKING:
    from sim.agents.patient.care_bills import Bills
    from sim.mechanism import Market
    from sim.scenario.sections.economy import EconomySection

CATASTROPHIC = 0.25
"""Own payments above this share of income count as catastrophic (WHO and World Bank, SDG indicator 3.8.2)."""


MOST_OF_CAPACITY = 0.40
"""Own payments above this share of capacity to pay are catastrophic by the method of the WHO (Xu 2005)."""

TOP_SHARES = (1, 5, 10, 50)
UNINSURED_EVERY_DAYS = 30


@kernel
def count_cover(pool: np.ndarray, public: np.ndarray, trust: np.ndarray) -> tuple[int, int, int, float]:
    """(insured by a pool, without any cover, without public cover, sum of the insured's trust) over all people.

    ``pool`` int16[people] is below 0 for none; ``public`` bool[people], ``trust`` float64[people].
    """
    insured, uninsured, private, total = 0, 0, 0, 0.0
    for i in range(pool.size):  # without a branch, and apart from the sum of floats: so it runs at memory speed
        insured += pool[i] >= 0
        private += not public[i]
        uninsured += (pool[i] < 0) & (not public[i])
    for i in range(pool.size):
        total += trust[i] * (pool[i] >= 0)
    return insured, uninsured, private, total


def top_share(spending: np.ndarray, percent: float) -> float:
    """Share of total ``spending`` on the ``percent`` % with the most; the person on the border counts in part."""
    ordered = np.sort(spending)[::-1].astype(np.float64)
    total = ordered.sum()
    if total <= 0:
        return float("nan")
    count = spending.size * percent / 100.0
    whole = int(count)
    part = ordered[whole] * (count - whole) if whole < spending.size else 0.0
    return float((ordered[:whole].sum() + part) / total)


def capacity_to_pay(net_income: np.ndarray, subsistence_share: float) -> np.ndarray:
    """Income left after subsistence, float64[n], in the unit of ``net_income`` [n], by the method of the WHO (Xu 2005):
    subsistence is what the median person spends on it, the same amount for all, and for those who spend less on it
    what they spend."""
    if net_income.size == 0:
        return net_income.astype(np.float64)
    line = subsistence_share * float(np.median(net_income))
    result: np.ndarray = net_income - np.minimum(line, subsistence_share * net_income)
    return result


class SpendingStatistics:
    """Collects by year; figures of concentration are of the first whole year."""

    def __init__(self) -> None:
        self.first_year: np.ndarray | None = None
        self.catastrophic = 0
        self.person_years = 0
        self.years = 0
        self.decile: np.ndarray | None = None
        self.uninsured_days = np.zeros(10)
        self.observed_days = 0
        self.last_uninsured = np.zeros(10)

    def close_year(self, market: Market, uninsured: np.ndarray, economy: EconomySection) -> None:
        """Take the year's figures before they are reset. ``uninsured`` bool[people]: without any cover now."""
        people = market.people
        if self.first_year is None:
            self.first_year = people["spent_this_year"].copy()
        if self.decile is not None:
            self.record_deciles(market, self.decile, uninsured, 1.0 - economy.tax_rate, economy.subsistence_share)
        self.years += 1
        self.catastrophic += int((people["own_spent_this_year"] > CATASTROPHIC * people["income"]).sum())
        self.person_years += people.size

    def record_deciles(self, market: Market, decile: np.ndarray, uninsured: np.ndarray, net_share: float,
                       subsistence_share: float) -> None:
        """The year's rows of the table of people: own payments and who bears much, by income decile. ``net_share`` of
        income is left after tax; ``subsistence_share`` of that is subsistence to the median person."""
        income, own = market.people["income"], market.people["own_spent_this_year"]
        burdens = [own > share * income for share in (0.10, CATASTROPHIC)]
        burdens.append(own > MOST_OF_CAPACITY * capacity_to_pay(net_share * income, subsistence_share))
        for place in range(10):
            who = decile == place
            market.record.row("people", self.years, place + 1, int(who.sum()), int(income[who].sum()),
                              int(own[who].sum()), int(uninsured[who].sum()),
                              *(int(burden[who].sum()) for burden in burdens))

    def add_uninsured(self, uninsured: np.ndarray, income: np.ndarray) -> None:
        """Count who is without cover by income decile; once every UNINSURED_EVERY_DAYS."""
        if uninsured.size < 10:
            return
        if self.decile is None:
            ranks = np.empty(income.size, dtype=np.int64)
            ranks[np.argsort(income, kind="stable")] = np.arange(income.size)
            self.decile = ranks * 10 // income.size
            self.decile_size = np.bincount(self.decile, minlength=10)
        self.last_uninsured = np.bincount(self.decile[uninsured], minlength=10) / self.decile_size
        self.uninsured_days += self.last_uninsured
        self.observed_days += 1

    def report(self, market: Market, bills: Bills, lapses: int) -> None:
        """Write the metrics of the patients section."""
        record, people = market.record, market.people
        years = (market.day + 1) / 365.0
        if people.size:
            record.metric("patients.mean_annual_spending", bills.cost / MICRO / people.size / years)
        record.metric("patients.charity_care", bills.charity / MICRO)
        record.metric("patients.unpaid_care", bills.unpaid / MICRO)
        record.metric("patients.lapses", lapses)
        if self.first_year is not None:
            first = self.first_year
            record.metric("patients.median_annual_spending", float(np.median(first)) / MICRO)
            record.metric("patients.zero_share", float((first == 0).mean()))
            for percent in TOP_SHARES:
                record.metric(f"patients.top{percent}_share", top_share(first, percent))
            record.metric("patients.catastrophic_share", self.catastrophic / self.person_years)
        if self.observed_days:
            mean = self.uninsured_days / self.observed_days
            record.metric("patients.uninsured_rate", float(mean.mean()))
            record.metric("patients.uninsured_rate_poorest_fifth", float(mean[:2].mean()))
            record.metric("patients.uninsured_rate_richest_fifth", float(mean[8:].mean()))
            for index in range(10):
                record.metric(f"patients.uninsured_decile_{index + 1}", float(self.last_uninsured[index]))
