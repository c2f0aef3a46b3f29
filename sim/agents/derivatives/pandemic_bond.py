"""Mechanism "pandemic_bond": a facility that pays residents of infected regions out of bonds and swaps.

Investors subscribe a class whose spread covers what they expect to lose and a load. The facility pays coupons from
donors' money. A calculation agent applies the trigger to what is reported; a determination takes effect when it is
published. What the facility receives goes to regions by their reported cases, to each resident alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.derivatives.desk import Desk, DeskMechanism
from sim.agents.derivatives.mortality import Deaths, delay_law, fatality_by_age
from sim.agents.derivatives.pricing import Belief, case_paths
from sim.agents.derivatives.relief import RegionalFund
from sim.agents.derivatives.surveillance import CaseCount
from sim.contracts.derivatives.margin import MarginedContract, Side
from sim.contracts.derivatives.pandemic_bond import BondClass, PandemicBond
from sim.contracts.derivatives.pandemic_trigger import Reported, TriggerRules, determine, trigger_day
from sim.contracts.derivatives.parties import CashParty
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import BPS, MICRO, share_pot
from sim.mechanism import Hook, Market, Phase
from sim.scenario.sections.pandemic_bond import PandemicBondSection
from sim.world.epidemic.transmission import uniform_mixing

YEAR_DAYS = 365
Ints = NDArray[np.int64]


class PandemicFacility(DeskMechanism):
    """See the module. ``bonds`` are the classes that were subscribed."""

    section: PandemicBondSection
    hooks = (Hook(Phase.FORECASTS, "issue"), Hook(Phase.SETTLEMENT, "end_day", after=("chain", "insurance")))

    def setup(self, market: Market) -> None:
        section = self.section
        self.market = market
        self.ledger = market.ledger
        self.usd: int = market.ledger.asset_id("USDs")
        self.desk = Desk(self.usd)
        self.rules = TriggerRules(
            section.wait_days, section.check_days, section.lag_days, section.second_region_deaths, section.least_cases,
            round(section.confirmation_ratio * BPS), growth_quantile=section.growth_quantile)
        unit = section.size * MICRO
        self.classes = [BondClass(one.name, round(one.bonds * unit), round(one.swaps * unit), round(one.spread * BPS),
                                  one.deaths, round(one.share * BPS)) for one in section.classes]
        self.facility = CashParty(self.ledger, self.usd, "pandemic_facility", "government")
        self.investors = [CashParty(self.ledger, self.usd, f"bond_investor_{one.name}", "investors")
                          for one in self.classes]
        self.swap_sellers = [CashParty(self.ledger, self.usd, f"bond_swap_seller_{one.name}", "investors")
                             for one in self.classes]
        self.regions: tuple[str, ...] = market.mechanism("population").regions
        region = market.people["region"]
        self.funds = [RegionalFund(self.ledger, self.usd, f"pandemic_{name}",
                                   np.flatnonzero(region == place).astype(np.int64))
                      for place, name in enumerate(self.regions)]
        self.bonds: list[PandemicBond] = []
        self.event: int | None = None
        self.publications: dict[int, list[PandemicBond]] = {}
        self.growth_failed = 0
        self.costs: list[int] = []
        self.cost_at_payout: int | None = None
        self.required: list[float] = []

    def start(self, market: Market) -> None:
        section = self.section
        self.epidemic: Any = market.mechanism("epidemic")
        days, count = market.horizon_days, len(self.regions)
        self.cases = CaseCount(self.epidemic, days)
        fatality = fatality_by_age(section.fatality, int(market.people["age"].max()) + days // YEAR_DAYS + 1)
        self.deaths = Deaths(fatality, delay_law(section.death_delay_days), section.persons_represented, days,
                             np.array([int(agent_key(f"deaths {name}")) >> 1 for name in self.regions]),
                             market.draws.decision("pandemic_bond.deaths"))
        self.mean_fatality = float(fatality[market.people["age"]].mean())
        self.confirmed: Ints = np.zeros(days, dtype=np.int64)
        self.total: Ints = np.zeros(days, dtype=np.int64)
        self.dead: Ints = np.zeros((days, count), dtype=np.int64)
        yearly = 0
        for terms, investor, seller in zip(self.classes, self.investors, self.swap_sellers, strict=True):
            market.endow(investor.account, terms.bonds)
            market.endow(seller.account, round(terms.swaps * section.swap_capital))
            yearly += terms.spread(terms.bonds + terms.swaps, YEAR_DAYS)
        market.endow(self.facility.account, round(yearly * section.facility_years))

    # Issue ---------------------------------------------------------------------------------------------------

    def _paths(self) -> Ints:
        section, law, own = self.section, self.epidemic.transmission.law, self.epidemic.section
        shares = self.market.mechanism("population").tables.region_share
        sizes = tuple(int(size) for size in np.rint(shares * self.market.people.size))
        rows = own.mixing or uniform_mixing(np.array(sizes), own.mobility).tolist()
        mixing = tuple(tuple(float(one) for one in row) for row in rows)
        return case_paths(Belief(law, sizes, mixing, own.diagnosed_share, own.diagnosis_delay_days, 0,
                                 section.outbreak_cases, -1, 1.0, section.pricing_days, section.pricing_paths))

    def issue(self, market: Market) -> None:
        """Investors price each class by simulated epidemics and subscribe what pays enough."""
        section = self.section
        if market.day != section.issue_day or section.size <= 0.0:
            return
        paths = self._paths()
        self.expected_cases = float(paths.sum(axis=(1, 2)).mean())
        hits = self._trigger_days(paths)
        self.expected_payout = 0.0
        for place, terms in enumerate(self.classes):
            given = float((hits[:, place] >= 0).mean())
            chance, share = given * section.outbreak_chance, terms.share_bps / BPS
            required = share * (chance + section.risk_load * math.sqrt(chance * (1.0 - chance)))
            self.required.append(required)
            if terms.spread_bps / BPS < required:
                market.record.event("bond_unsubscribed", terms.name, required)
                continue
            swap = None
            if terms.swaps:
                swap = MarginedContract(self.ledger, self.usd, f"bond_swap_{terms.name}", self.facility,
                                        self.swap_sellers[place], (0, round(section.swap_margin * terms.swaps)))
            bond = PandemicBond(self.ledger, self.usd, terms, self.investors[place], self.facility, swap)
            bond.issue()
            if swap is not None:
                self.desk.add(swap)
            self.bonds.append(bond)
            self.expected_payout += given * sum(terms.payout()) / MICRO

    def _trigger_days(self, paths: Ints) -> Ints:
        """int64[paths, classes]: days from the event's start to the trigger, -1 for none, with expected deaths."""
        section = self.section
        law = delay_law(section.death_delay_days)
        found: Ints = np.full((len(paths), len(self.classes)), -1, dtype=np.int64)
        for row, path in enumerate(paths):
            first = np.flatnonzero(path.sum(axis=1))
            if first.size == 0:
                continue
            own = path[first[0]:] * section.persons_represented
            cases = np.cumsum(own.sum(axis=1))
            rate = np.stack([np.convolve(column, law)[:len(own)] for column in own.T], axis=1) * self.mean_fatality
            reported = Reported(np.floor(cases * section.confirmed_share).astype(np.int64), cases,
                                np.floor(np.cumsum(rate, axis=0)).astype(np.int64))
            for place, terms in enumerate(self.classes):
                day = trigger_day(self.rules, reported, terms.deaths)
                found[row, place] = -1 if day is None else day
        return found

    # The day -------------------------------------------------------------------------------------------------

    def end_day(self, market: Market) -> None:
        """Count, calculate, publish, pay coupons, redeem at the end."""
        day, section = market.day, self.section
        self.cases.count(day)
        slots = self.cases.diagnosed
        self.costs.append((self.costs[-1] if self.costs else 0) + int(self.epidemic.today.episodes.cost.sum()))
        self.deaths.report(day, market.people["age"][slots], market.people["region"][slots])
        if self.event is None and slots.size * section.persons_represented >= section.event_cases:
            self.event = day
        if self.event is not None:
            self._count(day - self.event, slots.size * section.persons_represented, self.deaths.on(day))
            if self.rules.calculated_on(day - self.event):
                self._calculate(day, day - self.event)
        for bond in self.publications.pop(day, []):
            self._pay_out(bond, day)
        since = day - section.issue_day
        ends = since == section.term_days or day == market.horizon_days - 1
        if since > 0 and (since % section.coupon_days == 0 or ends):
            days = since % section.coupon_days or section.coupon_days
            for bond in self.bonds:
                if not bond.matured:
                    bond.pay_coupon(days, day)
        if since > 0 and ends:
            for bond in self.bonds:
                if not bond.matured:
                    bond.mature(day)
        if market.find("contagion") is None:
            self.desk.collect()

    def _count(self, day: int, cases: int, deaths: Ints) -> None:
        before = self.total[day - 1] if day else 0
        self.total[day] = before + cases
        self.confirmed[day] = int(self.total[day] * self.section.confirmed_share)
        self.dead[day] = deaths + (self.dead[day - 1] if day else 0)

    def _calculate(self, day: int, since: int) -> None:
        found = determine(self.rules, Reported(self.confirmed, self.total, self.dead), since)
        others = found.spread_met and found.confirmation_met and found.size_met
        self.growth_failed += others and not found.growth_met
        waiting = [bond for published in self.publications.values() for bond in published]
        for bond in self.bonds:
            if bond.triggered_on is None and bond not in waiting and found.met and found.deaths >= bond.terms.deaths:
                self.publications.setdefault(day + self.rules.lag_days, []).append(bond)

    def _pay_out(self, bond: PandemicBond, day: int) -> None:
        if bond.matured:
            return
        received = bond.trigger(day)
        if self.cost_at_payout is None:
            self.cost_at_payout = self.costs[-1]
        self.market.record.event("bond_triggered", bond.terms.name, received / MICRO, since=day - (self.event or 0))
        cases = self.cases.between(0, day + 1)
        parts = share_pot(received, cases * received, np.arange(cases.size, dtype=np.uint64)) if cases.any() \
            else np.zeros(cases.size, dtype=np.int64)
        for fund, part in zip(self.funds, parts.tolist(), strict=True):
            if part:
                self.facility.pay(fund.account, part, "bond_relief")
                fund.dissolve()

    # Debts and observations ----------------------------------------------------------------------------------

    def stated(self) -> Sequence[CashParty]:
        """Sellers of swaps."""
        return self.swap_sellers

    def observe(self, market: Market) -> None:
        series = market.record.series
        if self.event is not None:
            since = market.day - self.event
            series("pandemic_bond.cases", int(self.total[since]))
            series("pandemic_bond.deaths", int(self.dead[since].sum()))
        series("pandemic_bond.outstanding", sum(bond.outstanding for bond in self.bonds) / MICRO)
        series("pandemic_bond.paid_out", sum(bond.paid_out + bond.swap_paid for bond in self.bonds) / MICRO)

    def finish(self, market: Market) -> None:
        metric, section = market.record.metric, self.section
        days = [bond.triggered_on - (self.event or 0) for bond in self.bonds if bond.triggered_on is not None]
        metric("pandemic_bond.any_triggered", float(bool(days)))
        metric("pandemic_bond.any_trigger_before_wait", float(any(one < section.wait_days for one in days)))
        if self.event is not None:
            metric("pandemic_bond.event_day", self.event)
            metric("pandemic_bond.deaths", int(self.dead[market.day - self.event].sum()))
        if days:
            metric("pandemic_bond.trigger_day_first", min(days))
            metric("pandemic_bond.trigger_day_last", max(days))
        metric("pandemic_bond.growth_failed", self.growth_failed)
        issued = sum(bond.terms.bonds for bond in self.bonds)
        covered = issued + sum(bond.terms.swaps for bond in self.bonds)
        payout = sum(bond.paid_out + bond.swap_paid for bond in self.bonds)
        metric("pandemic_bond.issued", issued / MICRO)
        metric("pandemic_bond.payout", payout / MICRO)
        if covered:
            metric("pandemic_bond.payout_share", payout / covered)
        metric("pandemic_bond.swap_unpaid", self.desk.total("unpaid", Side.SHORT) / MICRO)
        metric("pandemic_bond.coupon", (sum(bond.coupon_paid for bond in self.bonds)
                                        + self.desk.total("paid", Side.LONG)) / MICRO)
        metric("pandemic_bond.coupon_unpaid", (sum(bond.coupon_owed - bond.coupon_paid for bond in self.bonds)
                                               + self.desk.total("unpaid", Side.LONG)) / MICRO)
        if self.required:
            metric("pandemic_bond.required_spread_highest", max(self.required))
        self._record_hedge(market, payout / MICRO)

    def _record_hedge(self, market: Market, payout: float) -> None:
        """Loss, and its deviation from what was expected given first cases."""
        metric, persons = market.record.metric, max(market.people.size, 1)
        loss = self.costs[-1] / MICRO if self.costs else 0.0
        metric("pandemic_bond.loss", loss)
        if loss > 0.0:
            metric("pandemic_bond.payout_over_loss", payout / loss)
            if self.cost_at_payout is not None:
                metric("pandemic_bond.loss_before_payout", self.cost_at_payout / MICRO / loss)
        cases = self.expected_cases if self.required else float(self._paths().sum(axis=(1, 2)).mean())
        deviation = loss - cases * self.section.loss_per_case
        believed = self.expected_payout if self.required else 0.0
        metric("pandemic_bond.any_loss_without_payout", float(deviation > 0.0 and payout <= 0.0))
        metric("pandemic_bond.squared_deviation_unhedged", (deviation / persons) ** 2)
        metric("pandemic_bond.squared_deviation", ((deviation - payout + believed) / persons) ** 2)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield from super().invariants()

        def trusts_hold_the_principal() -> str | None:
            return next((fault for bond in self.bonds if (fault := bond.check_trust()) is not None), None)

        yield "trusts_hold_the_principal", trusts_hold_the_principal
