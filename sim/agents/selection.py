"""Mechanism "selection": the risk adjustment fund at work, and how risks sort between plans.

The fund sees what claims and records show: age, the number of diagnosed chronic conditions, hospital stays and services
of the year, and the cost of care, of the insured only. The statistics also use what only the model knows (expected cost
given frailty); nothing is decided by them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.insurer import public_cost_quantiles, public_spending_by_age
from sim.agents.plan_values import social_costs, welfare_loss
from sim.agents.rate_making import pool_share
from sim.contracts.insurance.premium import YEAR_DAYS
from sim.contracts.insurance.rating import FACTOR
from sim.contracts.insurance.risk_adjustment import (
    RiskAdjustment,
    needs_and_abilities,
    risk_classes,
    transfers_due,
)
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.selection import SelectionSection
from sim.world.care_tables import Kind

COUNT_EVERY_DAYS = 30
LEVELS = ("age", "diagnoses", "services")
HOSPITAL = (int(Kind.INPATIENT), int(Kind.INTENSIVE))
EARNED, INCURRED, TRANSFERS, CARE, MEMBER_DAYS = range(5)


class Selection(Mechanism):
    """Transfers by risk, and the statistics of plans."""

    section: SelectionSection
    hooks = (
        Hook(Phase.CARE, "note_covers"),
        Hook(Phase.SETTLEMENT, "settle_risk", after=("chain", "claims", "insurance", "patients")),
    )

    def setup(self, market: Market) -> None:
        self.insurance: Any = market.mechanism("insurance")
        self.adjusts = self.section.risk_adjustment != "none"
        if self.adjusts:
            market.people.add("hospital_stays", np.int16, 0)
            market.people.add("services", np.int16, 0)
            self.fund = RiskAdjustment(market.ledger, self.insurance.usd, self.insurance.pools, self.insurance.options)
        options = len(self.insurance.options)
        self.window: NDArray[np.float64] = np.zeros((YEAR_DAYS, 5, options))
        self.before: NDArray[np.float64] = np.zeros((3, options))
        self.today_transfers: NDArray[np.int64] = np.zeros(options, dtype=np.int64)
        self.held_before: NDArray[np.int64] | None = None
        self.switching: list[float] = []
        self.figures: dict[str, float] = {}

    def start(self, market: Market) -> None:
        self.patients: Any = market.mechanism("patients")
        self.morbidity: Any = market.mechanism("morbidity")
        folder = market.mechanism("population").tables_folder
        people = market.people
        costs = public_spending_by_age(folder)[people["age"][~people["public_cover"]]]
        mean = np.array([float(costs.mean()) if costs.size else 1.0])
        relative = public_cost_quantiles(folder)
        benefits = market.mechanism("insurers").section.benefits_per_year
        self.actuarial_value = np.array([float(pool_share(terms, mean, relative, benefits)[0])
                                         for terms in self.insurance.plan_terms])
        self.generous = self.actuarial_value > self.actuarial_value.max() - 1e-9

    # Risk adjustment -----------------------------------------------------------------------------------------

    def note_covers(self, market: Market) -> None:
        """Before an open enrolment, remember who holds what."""
        if market.day % self.patients.section.open_enrolment_every_days == 0 and market.day:
            self.held_before = self.insurance.held(np.arange(market.people.size))

    def settle_risk(self, market: Market) -> None:
        """Count services and hospital stays; on days of settlement bring the year's transfers up to date."""
        self.today_transfers[:] = 0
        if not self.adjusts:
            return
        people, day = market.people, market.day
        slots, kinds, _ = self.patients.received
        insured = people["pool"][slots] >= 0
        np.add.at(people["hospital_stays"], slots[np.isin(kinds, HOSPITAL) & insured], 1)
        np.add.at(people["services"], slots[insured], 1)
        of_year = day % YEAR_DAYS
        last = of_year == YEAR_DAYS - 1
        if last or of_year % self.section.settlement_days == self.section.settlement_days - 1:
            self.today_transfers += self.fund.settle(self._due(market, of_year))
        if last:
            self.fund.close_year()
            people["hospital_stays"][:] = 0
            people["services"][:] = 0

    def _due(self, market: Market, of_year: int) -> NDArray[np.float64]:
        """The year's transfers so far by formula, float64[options]."""
        people = market.people
        slots = np.flatnonzero(people["pool"] >= 0)
        held = self.insurance.held(slots)
        days = np.minimum(market.day - people["cover_from"][slots], of_year) + 1.0
        age = people["age"][slots].astype(np.int64)
        seen = {name: people[name][slots].astype(np.int64) for name in ("hospital_stays", "services")}
        diagnosed = np.bitwise_count(people["chronic"][slots]).astype(np.int64)
        level = LEVELS.index(self.section.risk_adjustment)
        by_diagnoses, by_services = int(level > 0), int(level > 1)
        classes = risk_classes(age, by_diagnoses * diagnosed, by_diagnoses * seen["hospital_stays"],
                               by_services * seen["services"])
        factors = self.insurance.membership.age_factors
        factor = factors[np.minimum(age, factors.size - 1)] / FACTOR
        needs, abilities = needs_and_abilities(held, classes, days, factor, people["spent_this_year"][slots],
                                               self.insurance.plan_terms)
        return transfers_due(needs, abilities)

    # Statistics ----------------------------------------------------------------------------------------------

    def _sums(self) -> NDArray[np.int64]:
        """Premium earned, claims incurred and transfers received since the start, int64[3, options] base units."""
        pools = self.insurance.pools
        return np.stack([np.concatenate([pool.unearned.earned for pool in pools]),
                         np.concatenate([pool.incurred_by_plan() for pool in pools]),
                         np.concatenate([pool.books.transfers for pool in pools])])

    def members(self) -> NDArray[np.int64]:
        """Members of each option, int64[options]."""
        return np.concatenate([pool.books.members for pool in self.insurance.pools])

    def gap(self, values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
        """Mean of ``values`` float64[options] over the generous options less that over the others, by ``weights``; nan
        where either has none."""
        parts = [float(values[side] @ weights[side] / weights[side].sum()) if weights[side].sum() > 0 else math.nan
                 for side in (self.generous, ~self.generous)]
        return parts[0] - parts[1]

    def observe(self, market: Market) -> None:
        record, day = market.record, market.day
        sums, members = self._sums().astype(np.float64), self.members()
        slots, _, costs = self.patients.received
        held = self.insurance.held(slots)
        insured = held >= 0
        row = self.window[day % YEAR_DAYS]
        row[:3] = sums - self.before
        row[CARE] = np.bincount(held[insured], weights=costs[insured], minlength=members.size)
        row[MEMBER_DAYS] = members
        self.before = sums
        year = self.window.sum(axis=0)
        rates = self.insurance.membership.base_rates / MICRO
        total = max(int(members.sum()), 1)
        exposure = np.maximum(year[MEMBER_DAYS], 1.0) / YEAR_DAYS
        care = year[CARE] / MICRO / exposure
        for option, name in enumerate(self.insurance.option_names):
            record.institution(name, "selection.members", int(members[option]))
            record.institution(name, "selection.enrolment_share", int(members[option]) / total)
            record.institution(name, "selection.base_rate", float(rates[option]))
            record.institution(name, "selection.earned_premium", float(row[EARNED, option]) / MICRO)
            record.institution(name, "selection.incurred", float(row[INCURRED, option]) / MICRO)
            record.institution(name, "selection.transfers", float(row[TRANSFERS, option]) / MICRO)
            if members[option] and year[EARNED, option] > 0:
                record.institution(name, "selection.loss_ratio", float(
                    (year[INCURRED, option] - year[TRANSFERS, option]) / year[EARNED, option]))
            if members[option]:
                record.institution(name, "selection.care_cost", float(care[option]))
        share = float(members[self.generous].sum() / total)
        record.series("selection.generous_share", share)
        self.figures["generous_share_end"] = share
        priced = np.where(rates > 0, np.maximum(members, 1e-9), 0.0)
        self._series(market, "premium_gap", self.gap(rates, priced))
        self._series(market, "realised_cost_gap", self.gap(care, np.where(members > 0, year[MEMBER_DAYS], 0.0)))
        if day % COUNT_EVERY_DAYS == 0 and day:
            self._count(market)
        if self.switching:
            record.series("selection.switching", self.switching[-1])

    def _series(self, market: Market, name: str, value: float) -> None:
        """Record a gap and keep its last value that there was."""
        if math.isfinite(value):
            market.record.series(f"selection.{name}", value)
            self.figures[f"{name}_last"] = value

    def _count(self, market: Market) -> None:
        """What takes a pass over all people: expected costs, switching, welfare."""
        people = market.people
        slots = np.flatnonzero(people["pool"] >= 0)
        held = self.insurance.held(slots)
        expected = self.morbidity.expected_annual_cost(slots)
        count = np.bincount(held, minlength=self.generous.size).astype(np.float64)
        mean = np.bincount(held, weights=expected, minlength=count.size) / np.maximum(count, 1.0)
        for option in np.flatnonzero(count):
            market.record.institution(self.insurance.option_names[option], "selection.expected_cost",
                                      float(mean[option]))
        gap = self.gap(mean, count)
        self._series(market, "average_cost_gap", gap)
        if math.isfinite(gap):
            others = ~self.generous
            self.figures["relative_cost_last"] = 1.0 + gap / float(mean[others] @ count[others] / count[others].sum())
        if self.held_before is not None:
            before = self.held_before[slots]
            stayed = before >= 0
            if stayed.any():
                self.switching.append(float((before != held)[stayed].mean()))
            self.held_before = None
        nodes, weights = self.morbidity.cost_nodes()
        quantities = self.morbidity.demand(self.patients.plan_coinsurance)
        costs = social_costs(people["risk_aversion"][slots], expected, self.patients.collectable(market, slots),
                             self.patients.plans, quantities, nodes, weights)
        self.figures["welfare_loss_last"] = welfare_loss(costs, held)
        if market.day == COUNT_EVERY_DAYS:
            self.figures["generous_share_start"] = self.figures["generous_share_end"]
            for name in ("average_cost_gap", "premium_gap", "welfare_loss"):
                self.figures[f"{name}_first"] = self.figures.get(f"{name}_last", math.nan)

    def finish(self, market: Market) -> None:
        record, figures = market.record, self.figures
        for name, value in figures.items():
            record.metric(f"selection.{name}", value)
        if figures.get("generous_share_start", 0.0) > 0.0:
            record.metric("selection.generous_share_kept",
                          figures["generous_share_end"] / figures["generous_share_start"])
        insurers = market.mechanism("insurers").insurers
        record.metric("selection.plans_closed", sum(insurer.plans_closed for insurer in insurers))
        if self.switching:
            record.metric("selection.switching_rate", float(np.mean(self.switching)))
        record.metric("selection.transfers", self.fund.gross / MICRO if self.adjusts else 0.0)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        if self.adjusts:
            yield "selection.transfers_sum_to_zero", self.fund.check
