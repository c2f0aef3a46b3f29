"""The patients mechanism: choose cover, pay for it, seek care, claim, share records, learn to trust.

Each step works on the columns of the people whom it concerns today: the enrolling, those whose payday it is, those who
fall ill. A patient knows its own state with noise, the posted premiums and fees, and what its pool did for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sim.agents.patient import spending
from sim.agents.patient.care_bills import Bills, add_rows, affordable, bill_needs
from sim.agents.patient.choice import NO_PLAN, out_of_pocket
from sim.agents.patient.claiming import Claiming
from sim.agents.patient.cover import MONTH_DAYS, YEAR_DAYS, Cover
from sim.chain.mempool import Batch
from sim.kernel.columns import Columns
from sim.kernel.fixedpoint import BPS, MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.patients import PatientsSection
from sim.world.care_tables import Kind

LARGEST_TOKEN_BILL = 9_000_000 * MICRO
"""The part of one bill that tokens can pay; it keeps the conversion inside 64 bits."""


NOTHING = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int8), np.zeros(0, dtype=np.int64))
"""Care received on a day without any: slots, kinds, costs."""


def paid_mask(mask: np.ndarray | None) -> np.ndarray:
    """The mask of a partial payment, which is there whenever ``partial`` was asked for."""
    assert mask is not None
    return mask


def cohorts(group: np.ndarray, count: int) -> list[np.ndarray]:
    """The slots, in order, of each group 0 .. ``count`` - 1 of ``group`` int64[people]."""
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(count + 1))
    return [order[edges[index]:edges[index + 1]] for index in range(count)]


class Patients(Mechanism):
    """All patients, as columns."""

    section: PatientsSection
    hooks = (
        Hook(Phase.PATIENTS, "start_year"),
        Hook(Phase.PATIENTS, "seek_care"),
        Hook(Phase.PATIENTS, "repay_debts"),
        Hook(Phase.PATIENTS, "appeal_denials"),
        Hook(Phase.PATIENTS, "choose_cover"),
        Hook(Phase.PATIENTS, "pay_premiums"),
        Hook(Phase.PATIENTS, "review_consent"),
        Hook(Phase.SETTLEMENT, "learn", after=("chain", "claims", "insurance")),
    )

    shocks: Mapping[str, str] = {"inertia_removed": "remove_inertia"}

    def setup(self, market: Market) -> None:
        people = market.people
        people.add("trust", np.float64, 1.0)
        people.add("premium_own", np.int64, 0)
        people.add("premium_sponsored", np.int64, 0)
        people.add("sponsor", np.int64, 0)
        people.add("spent_this_year", np.int64, 0)
        people.add("own_spent_this_year", np.int64, 0)
        people.add("public_own_spent", np.int64, 0)
        people.add("medical_debt", np.int64, 0)
        self.sought = market.draws.decision("patients.sought")
        self.bills_today = Bills()
        self.bills = Bills()
        self.received = NOTHING
        self.inertia = self.section.inertia
        self.lapses_today = 0
        self.lapses = 0
        self.statistics = spending.SpendingStatistics()

    def start(self, market: Market) -> None:
        self.usd: int = market.ledger.asset_id("USDs")
        self.economy: Any = market.mechanism("economy")
        self.morbidity: Any = market.mechanism("morbidity")
        self.providers: Any = market.mechanism("providers")
        self.insurance: Any = market.find("insurance")
        self.claims: Any = market.find("claims")
        self.health_token: Any = market.find("health_token")
        self.chain: Any = market.mechanism("chain")
        if self.insurance is not None:
            self.plans = np.array([[terms.deductible / MICRO, terms.coinsurance_bps / BPS,
                                    terms.out_of_pocket_max / MICRO, terms.annual_limit / MICRO]
                                   for terms in self.insurance.plan_terms])
            self.plan_coinsurance = self.average_coinsurance(market)
        self.care_chances = self.chances()
        self.scratch = np.zeros(market.people.size, dtype=np.int64)
        self.first_option = self.insurance.options.first if self.insurance is not None else np.zeros(0, dtype=np.int64)
        self.no_pool = np.full(0 if self.insurance is not None else market.people.size, NO_PLAN, dtype=np.int16)
        self.claiming = Claiming(self.section, market, self.charge) if self.claims is not None else None
        keys = market.people["key"]
        self.payday = (keys % np.uint64(MONTH_DAYS)).astype(np.int64)
        self.paydays = cohorts(self.payday, MONTH_DAYS)
        self.cover = Cover(self, market) if self.insurance is not None else None
        interval = self.section.consent_interval_days
        turn = keys // np.uint64(MONTH_DAYS) % np.uint64(interval)
        self.consent_turns = cohorts(turn.astype(np.int64), interval)

    def remove_inertia(self, left: float) -> None:
        """Shock ``inertia_removed``."""
        self.inertia = left

    def price_level(self, market: Market) -> float:
        """The medical price index relative to its start."""
        prices = market.find("reference_price")
        return 1.0 if prices is None else prices.medical_index / prices.opening_medical_index

    # Care ----------------------------------------------------------------------------------------------------

    def start_year(self, market: Market) -> None:
        """Reset what is counted by the year, after taking its statistics."""
        self.bills_today = Bills()
        self.lapses_today = 0
        self.received = NOTHING
        if market.day and market.day % YEAR_DAYS == 0:
            self.close_year(market)
            for name in ("spent_this_year", "own_spent_this_year", "public_own_spent"):
                market.people[name][:] = 0

    def close_year(self, market: Market) -> None:
        """Take the statistics of the year that has ended."""
        uninsured = ~market.people["public_cover"] & (self.pools_of(market.people) < 0)
        self.statistics.close_year(market, uninsured, self.economy.section)

    def coinsurance(self, market: Market, slots: np.ndarray) -> np.ndarray:
        """The share of a year's cost that each person of ``slots`` expects to pay itself, float64[n].

        The RAND experiment relates demand to the plan's average coinsurance; people who look ahead to the end of the
        year respond to that and not to the price of the moment, so the deductible does not enter on its own.
        """
        people = market.people
        faced = np.where(people["public_cover"][slots], self.section.public_coinsurance,
                         self.section.uninsured_price_share)
        if self.insurance is not None:
            options = self.insurance.held(slots)
            faced = np.where(options >= 0, self.plan_coinsurance[np.maximum(options, 0)], faced)
        return faced

    def average_coinsurance(self, market: Market) -> np.ndarray:
        """Expected own payments over expected cost under each option's plan for the average insurable person."""
        slots = np.flatnonzero(~market.people["public_cover"])
        mean = float(self.morbidity.expected_annual_cost(slots).mean()) if slots.size else 1.0
        nodes, weights = self.morbidity.cost_nodes()
        result = np.empty(len(self.plans))
        for index, (deductible, rate, maximum, limit) in enumerate(self.plans):
            own = sum(weight * out_of_pocket(mean * node, deductible, rate, maximum, limit)
                      for node, weight in zip(nodes, weights, strict=True))
            result[index] = own / (mean * float(nodes @ weights))
        return result

    def chances(self) -> np.ndarray:
        """Probability that a need is taken to a provider, float64[kinds, 2 + options]: without cover, under public
        cover, in each plan of each pool."""
        rates = [self.section.uninsured_price_share, self.section.public_coinsurance]
        if self.insurance is not None:
            rates.extend(self.plan_coinsurance)
        result: np.ndarray = self.morbidity.sought_probability(np.arange(len(Kind))[:, None], np.array(rates)[None, :])
        return result

    def pools_of(self, people: Columns) -> np.ndarray:
        """Each person's pool, int16[people], below 0 for none."""
        pools: np.ndarray = people["pool"] if self.insurance is not None else self.no_pool
        return pools

    def plans_of(self, people: Columns) -> np.ndarray:
        """Each person's plan of its pool, int[people]; of no meaning without a pool."""
        plans: np.ndarray = people["plan"] if self.insurance is not None else self.no_pool
        return plans

    def seek_care(self, market: Market) -> None:
        """Which of today's needs are taken to a provider, what they cost, who pays now, what is claimed."""
        today, day, people, ledger = self.morbidity.today, market.day, market.people, market.ledger
        if today.slot.size == 0:
            return
        rows, costs, own = bill_needs(
            today.slot, today.key, today.kind, today.cost, today.serial, day, self.sought.stream, self.care_chances,
            self.price_level(market), self.pools_of(people), self.plans_of(people), self.first_option,
            people["public_cover"], int(self.section.public_coinsurance * BPS),
            int(self.section.public_out_of_pocket_max * MICRO),
            people["public_own_spent"], people["spent_this_year"])
        if rows.size == 0:
            return
        slots, kinds, keys, serials = today.slot[rows], today.kind[rows], today.key[rows], today.serial[rows]
        self.received = slots, kinds, costs
        payees = self.providers.assign(slots, kinds)
        public = people["public_cover"][slots]
        pooled = np.zeros_like(costs)
        if self.insurance is not None:
            insured = np.flatnonzero((people["pool"][slots] >= 0) & ~public)
            if insured.size:
                own[insured], pooled[insured] = self.insurance.split(slots[insured], costs[insured], kinds[insured])
        by_state = (costs - own)[public]
        ledger.pay(self.usd, self.economy.government, payees[public], by_state, "public_care", partial=True)

        self.bills_today.cost += int(costs.sum())
        self.charge(market, slots, own, payees)
        if self.claiming is not None:
            rows = np.flatnonzero(pooled > 0)
            to_patient = self.insurance.pays_patient[self.insurance.held(slots[rows])]
            receivers = np.where(to_patient, slots[rows] + ledger.people_start, payees[rows])
            self.claiming.file(market, slots[rows], keys[rows], serials[rows], receivers, pooled[rows])

    def charge(self, market: Market, slots: np.ndarray, due: np.ndarray, payees: np.ndarray) -> None:
        """Collect bills from patients: health tokens first, then cash above the floor; the rest is charity care, of
        which a part stays as a debt that is collected from later pay."""
        ledger, people = market.ledger, market.people
        left = due - self.pay_with_tokens(market, slots, due, payees)
        cash = ledger.person_balances(self.usd)
        paid = affordable(slots, left, cash, self.economy.consumption_floor, self.scratch)
        ledger.move(self.usd, slots + ledger.people_start, payees, paid, "care")
        rest = left - paid
        unpaid = 0
        rows = np.flatnonzero(rest > 0)
        if rows.size:
            given = paid_mask(ledger.pay(self.usd, self.economy.government, payees[rows], rest[rows], "charity_care",
                                         partial=True))
            unpaid = int(rest[rows][~given].sum())
            who = slots[rows]
            add_rows(people["medical_debt"], who, np.where(given, rest[rows], 0))
            people["medical_debt"][who] = np.minimum(people["medical_debt"][who], self.largest_debt(people, who))
            self.bills_today.charity += int(rest[rows][given].sum())
            self.bills_today.unpaid += unpaid
        self.bills_today.own += add_rows(people["own_spent_this_year"], slots, due - rest)

    def largest_debt(self, people: Columns, slots: np.ndarray) -> np.ndarray:
        """What can still be collected from a person who has no cash left: a share of one year's income, int64[n]."""
        largest: np.ndarray = np.floor(people["income"][slots] * self.section.garnishable_share).astype(np.int64)
        return largest

    def collectable(self, market: Market, slots: np.ndarray) -> np.ndarray:
        """The largest loss that can be collected from each person, dollars, float64[n]: its cash above the floor and
        what can be garnished."""
        cash = market.ledger.person_balances(self.usd)[slots]
        room = np.maximum(cash - self.economy.consumption_floor, 0) + self.largest_debt(market.people, slots)
        result: np.ndarray = room / MICRO
        return result

    def repay_debts(self, market: Market) -> None:
        """Collect medical debts from those whose payday it is: a share of the pay, from cash above the floor."""
        people, ledger = market.people, market.ledger
        slots = self.paydays[market.day % MONTH_DAYS]
        slots = slots[people["medical_debt"][slots] > 0]
        if slots.size == 0:
            return
        share = self.largest_debt(people, slots) * MONTH_DAYS // YEAR_DAYS
        room = np.maximum(ledger.person_balances(self.usd)[slots] - self.economy.consumption_floor, 0)
        amounts = np.minimum(np.minimum(people["medical_debt"][slots], share), room)
        ledger.collect(self.usd, slots + ledger.people_start, self.economy.government, amounts, "debt_repayment")
        people["medical_debt"][slots] -= amounts

    def pay_with_tokens(self, market: Market, slots: np.ndarray, due: np.ndarray, payees: np.ndarray) -> np.ndarray:
        """Spend health tokens that patients hold on their bills, at the index; dollars of care paid, int64[n]."""
        worth = np.zeros_like(due)
        if not self.section.token_payments or self.health_token is None:
            return worth
        held = market.ledger.person_balances(self.health_token.asset)
        rows = np.flatnonzero((held[slots] > 0) & (due > 0))
        if rows.size:
            index = self.health_token.index
            wanted = np.minimum(due[rows], LARGEST_TOKEN_BILL) * MICRO // index
            tokens = affordable(slots[rows], wanted, held, 0, self.scratch)
            paid = self.health_token.pay_provider(slots[rows], payees[rows], tokens)
            worth[rows] = np.where(paid, tokens * index // MICRO, 0)
        return worth

    # Cover ---------------------------------------------------------------------------------------------------

    def choose_cover(self, market: Market) -> None:
        """At open enrolment, a plan or none."""
        if self.cover is not None:
            self.cover.choose(market)

    def pay_premiums(self, market: Market) -> None:
        """The month's premium of those whose payday it is; cover lapses when the days of grace are over."""
        if self.cover is not None:
            self.lapses_today += self.cover.pay_premiums(market)

    def appeal_denials(self, market: Market) -> None:
        """Take yesterday's denials further where it is worth the fee."""
        if self.claiming is not None:
            self.claiming.appeal(market)

    def learn(self, market: Market) -> None:
        """Trust moves with what the pool did: paid in full, how fast, denied; and with a default that is seen."""
        if self.claiming is None:
            return
        self.claiming.learn(market)
        for index, pool in enumerate(self.insurance.pools):
            if pool.defaulted_on == market.day:
                members = np.flatnonzero(market.people["pool"] == index)
                trust = market.people["trust"]
                trust[members] = np.maximum(trust[members] - self.section.trust_loss_on_default, 0.0)

    def review_consent(self, market: Market) -> None:
        """Patients whose turn it is offer their record at what their privacy is worth to them, for a term."""
        vault = market.find("data_vault")
        if vault is None:
            return
        people, interval = market.people, self.section.consent_interval_days
        slots = self.consent_turns[market.day % interval]
        slots = slots[people["consent_until"][slots] <= market.day + interval]
        prices = vault.reservation_price(slots)
        willing = prices <= vault.posted_price
        slots, prices = slots[willing], prices[willing]
        if slots.size == 0:
            return
        until = market.day + self.section.consent_term_days

        def execute(which: np.ndarray, blocks: np.ndarray) -> None:
            vault.consent(slots[which], prices[which], until)

        self.chain.submit(Batch("consent", slots + market.ledger.people_start, execute, keys=people["key"][slots],
                                expires=until))

    # Observations --------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        people, record, bills = market.people, market.record, self.bills_today
        for name in ("cost", "own", "charity", "unpaid"):
            setattr(self.bills, name, getattr(self.bills, name) + getattr(bills, name))
        self.lapses += self.lapses_today
        record.series("patients.care_cost", bills.cost / MICRO)
        record.series("patients.own_payments", bills.own / MICRO)
        record.series("patients.charity_care", bills.charity / MICRO)
        record.series("patients.lapses", self.lapses_today)
        public = people["public_cover"]
        pool = self.pools_of(people)
        insured, uninsured, private, trust = spending.count_cover(pool, public, people["trust"])
        record.series("patients.uninsured", uninsured / max(1, people.size))
        record.series("patients.insured", insured / max(1, private))
        if insured:
            record.series("patients.trust", trust / insured)
        if market.day % spending.UNINSURED_EVERY_DAYS == 0:
            self.statistics.add_uninsured(~public & (pool < 0), people["income"])

    def finish(self, market: Market) -> None:
        if (market.day + 1) % YEAR_DAYS == 0:
            self.close_year(market)
        self.statistics.report(market, self.bills, self.lapses)
