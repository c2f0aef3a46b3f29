"""The patients mechanism: choose cover, pay for it, seek care, claim, share records, learn to trust.

Each step works on the columns of the people whom it concerns today: the enrolling, those whose payday it is, those who
fall ill. A patient knows its own state with noise, the posted premiums and fees, and what its pool did for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.agents.patient import spending
from sim.agents.patient.care_bills import Bills, affordable, public_share
from sim.agents.patient.choice import NO_PLAN, choose_plans, out_of_pocket
from sim.agents.patient.claiming import Claiming
from sim.agents.patient.premiums import split_premiums
from sim.chain.mempool import Batch
from sim.kernel.columns import Columns
from sim.kernel.fixedpoint import BPS, MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.patients import PatientsSection

YEAR_DAYS = 365
MONTH_DAYS = 30
LARGEST_TOKEN_BILL = 9_000_000 * MICRO
"""The part of one bill that tokens can pay; it keeps the conversion inside 64 bits."""


def paid_mask(mask: np.ndarray | None) -> np.ndarray:
    """The mask of a partial payment, which is there whenever ``partial`` was asked for."""
    assert mask is not None
    return mask


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
        self.perception = market.draws.decision("patients.perceived_cost")
        self.taste = market.draws.decision("patients.plan_taste")
        self.bills_today = Bills()
        self.bills = Bills()
        self.lapses_today = 0
        self.lapses = 0
        self.statistics = spending.SpendingStatistics()
        self.enrolled_before = False

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
        self.claiming = Claiming(self.section, market, self.charge) if self.claims is not None else None
        self.payday = (market.people["key"] % np.uint64(MONTH_DAYS)).astype(np.int64)
        order = np.argsort(self.payday, kind="stable")
        edges = np.searchsorted(self.payday[order], np.arange(MONTH_DAYS + 1))
        self.paydays = [order[edges[day]:edges[day + 1]] for day in range(MONTH_DAYS)]

    def price_level(self, market: Market) -> float:
        """The medical price index relative to its start."""
        prices = market.find("reference_price")
        return 1.0 if prices is None else prices.medical_index / prices.opening_medical_index

    # Care ----------------------------------------------------------------------------------------------------

    def start_year(self, market: Market) -> None:
        """Reset what is counted by the year, after taking its statistics."""
        self.bills_today = Bills()
        self.lapses_today = 0
        if market.day and market.day % YEAR_DAYS == 0:
            self.statistics.close_year(market.people)
            for name in ("spent_this_year", "own_spent_this_year", "public_own_spent"):
                market.people[name][:] = 0

    def coinsurance(self, market: Market, slots: np.ndarray) -> np.ndarray:
        """The share of a year's cost that each person of ``slots`` expects to pay itself, float64[n].

        The RAND experiment relates demand to the plan's average coinsurance; people who look ahead to the end of the
        year respond to that and not to the price of the moment, so the deductible does not enter on its own.
        """
        people = market.people
        faced = np.where(people["public_cover"][slots], self.section.public_coinsurance, 1.0)
        if self.insurance is not None:
            pools = people["pool"][slots]
            faced = np.where(pools >= 0, self.plan_coinsurance[np.maximum(pools, 0)], faced)
        return faced

    def average_coinsurance(self, market: Market) -> np.ndarray:
        """Expected own payments over expected cost under each pool's plan for the average insurable person."""
        slots = np.flatnonzero(~market.people["public_cover"])
        mean = float(self.morbidity.expected_annual_cost(slots).mean()) if slots.size else 1.0
        nodes, weights = self.morbidity.cost_nodes()
        result = np.empty(len(self.plans))
        for index, (deductible, rate, maximum, limit) in enumerate(self.plans):
            own = sum(weight * out_of_pocket(mean * node, deductible, rate, maximum, limit)
                      for node, weight in zip(nodes, weights, strict=True))
            result[index] = own / (mean * float(nodes @ weights))
        return result

    def seek_care(self, market: Market) -> None:
        """Which of today's needs are taken to a provider, what they cost, who pays now, what is claimed."""
        today, day, people, ledger = self.morbidity.today, market.day, market.people, market.ledger
        if today.slot.size == 0:
            return
        chance = self.morbidity.sought_probability(today.kind, self.coinsurance(market, today.slot))
        go = self.sought.bernoulli(day, today.key, chance, today.serial)
        slots, kinds = today.slot[go], today.kind[go]
        if slots.size == 0:
            return
        costs = np.rint(today.cost[go] * self.price_level(market)).astype(np.int64)
        keys, serials = today.key[go], today.serial[go]
        payees = self.providers.assign(slots, kinds)
        np.add.at(people["spent_this_year"], slots, costs)

        own = costs.copy()
        pooled = np.zeros_like(costs)
        public = people["public_cover"][slots]
        if public.any():
            own[public] = public_share(slots[public], costs[public], int(self.section.public_coinsurance * BPS),
                                       int(self.section.public_out_of_pocket_max * MICRO), people["public_own_spent"])
        if self.insurance is not None:
            insured = (people["pool"][slots] >= 0) & ~public
            if insured.any():
                own[insured], pooled[insured] = self.insurance.split(slots[insured], costs[insured], kinds[insured])
        by_state = np.where(public, costs - own, 0)
        ledger.pay(self.usd, self.economy.government, payees[public], by_state[public], "public_care", partial=True)

        self.bills_today.cost += int(costs.sum())
        self.charge(market, slots, own, payees)
        if self.claiming is not None:
            rows = np.flatnonzero(pooled > 0)
            to_patient = self.insurance.pays_patient[people["pool"][slots[rows]]]
            receivers = np.where(to_patient, slots[rows] + ledger.people_start, payees[rows])
            self.claiming.file(market, slots[rows], keys[rows], serials[rows], receivers, pooled[rows])

    def charge(self, market: Market, slots: np.ndarray, due: np.ndarray, payees: np.ndarray) -> None:
        """Collect bills from patients: health tokens first, then cash above the floor; the rest is charity care, of
        which a part stays as a debt that is collected from later pay."""
        ledger, people = market.ledger, market.people
        left = due - self.pay_with_tokens(market, slots, due, payees)
        cash = ledger.person_balances(self.usd)
        paid = affordable(slots, left, cash, self.economy.consumption_floor)
        ledger.move(self.usd, slots + ledger.people_start, payees, paid, "care")
        rest = left - paid
        unpaid = 0
        rows = np.flatnonzero(rest > 0)
        if rows.size:
            given = paid_mask(ledger.pay(self.usd, self.economy.government, payees[rows], rest[rows], "charity_care",
                                         partial=True))
            unpaid = int(rest[rows][~given].sum())
            np.add.at(people["medical_debt"], slots[rows], np.where(given, rest[rows], 0))
            who = np.unique(slots[rows])
            people["medical_debt"][who] = np.minimum(people["medical_debt"][who], self.largest_debt(people, who))
            self.bills_today.charity += int(rest[rows][given].sum())
            self.bills_today.unpaid += unpaid
        np.add.at(people["own_spent_this_year"], slots, due - rest)
        self.bills_today.own += int((due - rest).sum())

    def largest_debt(self, people: Columns, slots: np.ndarray) -> np.ndarray:
        """What can still be collected from a person who has no cash left: a share of one year's income, int64[n]."""
        largest: np.ndarray = np.floor(people["income"][slots] * self.section.garnishable_share).astype(np.int64)
        return largest

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
            tokens = affordable(slots[rows], wanted, held, 0)
            paid = self.health_token.pay_provider(slots[rows], payees[rows], tokens)
            worth[rows] = np.where(paid, tokens * index // MICRO, 0)
        return worth

    # Cover ---------------------------------------------------------------------------------------------------

    def choose_cover(self, market: Market) -> None:
        """Open enrolment: everybody without public cover compares each pool's plan and none."""
        if self.insurance is None or market.day % self.section.open_enrolment_every_days:
            return
        people, day = market.people, market.day
        slots = np.flatnonzero(~people["public_cover"])
        leaving = np.flatnonzero(people["public_cover"] & (people["pool"] >= 0))
        if leaving.size:
            self.insurance.lapse(leaving)
        if slots.size == 0:
            return
        rates = self.insurance.premium_rates(slots)
        own, sponsored = split_premiums(rates, people["income"][slots], self.economy.employer_cover[slots],
                                        self.section.employer_share, self.section.affordability_cap)
        keys = people["key"][slots]
        noise = self.perception.normal(day, keys) * self.section.perception_log_sd
        perceived = self.morbidity.expected_annual_cost(slots) * self.price_level(market) * np.exp(noise)
        nodes, weights = self.morbidity.cost_nodes()
        gumbel = np.stack([-np.log(-np.log(self.taste.uniform(day, keys, option)))
                           for option in (0, *(pool.permanent_id + 1 for pool in self.insurance.pools))])
        cash = market.ledger.person_balances(self.usd)[slots]
        cap = (np.maximum(cash - self.economy.consumption_floor, 0) + self.largest_debt(people, slots)) / MICRO
        quantities = self.morbidity.demand(self.plan_coinsurance)
        chosen = choose_plans(
            people["risk_aversion"][slots], perceived, cap, people["pool"][slots], people["trust"][slots],
            self.reputation(market), np.where(own >= 0, own / MICRO, -1.0), self.plans, quantities,
            float(self.morbidity.demand(np.ones(1))[0]), nodes, weights, gumbel, self.section.trust_value,
            self.section.inertia, self.section.choice_scale, not self.enrolled_before)
        self.enrolled_before = True
        leavers = slots[(chosen == NO_PLAN) & (people["pool"][slots] >= 0)]
        if leavers.size:
            self.insurance.lapse(leavers)
        self.enrol(market, slots, chosen, own, sponsored)

    def enrol(self, market: Market, slots: np.ndarray, chosen: np.ndarray, own: np.ndarray,
              sponsored: np.ndarray) -> None:
        """Submit the enrolments; each person's premium covers the days to its first payday, then months."""
        people, ledger, day = market.people, market.ledger, market.day
        rows = np.flatnonzero(chosen != NO_PLAN)
        takers, pools = slots[rows], chosen[rows]
        moved = people["pool"][takers] != pools
        people["trust"][takers[moved]] = self.reputation(market)[pools[moved]]
        own_month = own[pools, rows] * MONTH_DAYS // YEAR_DAYS
        sponsored_month = sponsored[pools, rows] * MONTH_DAYS // YEAR_DAYS
        sponsor = np.where(self.economy.employer_cover[takers], self.economy.firms, self.economy.government)
        first_days = (self.payday[takers] - day) % MONTH_DAYS

        def execute(which: np.ndarray, blocks: np.ndarray) -> None:
            which = which[self.insurance.enrol(takers[which], pools[which], market.day)]
            who = takers[which]
            people["premium_own"][who] = own_month[which]
            people["premium_sponsored"][who] = sponsored_month[which]
            people["sponsor"][who] = sponsor[which]
            new = which[moved[which] & (first_days[which] > 0)]
            days = first_days[new]
            self.insurance.pay_premiums(takers[new], own_month[new] * days // MONTH_DAYS, sponsor[new],
                                        sponsored_month[new] * days // MONTH_DAYS, days)

        self.chain.submit(Batch("enrol", takers + ledger.people_start, execute, keys=people["key"][takers],
                                expires=day + self.section.grace_days))

    def reputation(self, market: Market) -> np.ndarray:
        """Mean trust of each pool's members, float64[pools]: what others say of it; 1 for a pool without members."""
        pools = market.people["pool"]
        members = pools >= 0
        count = np.bincount(pools[members], minlength=len(self.insurance.pools))
        total = np.bincount(pools[members], weights=market.people["trust"][members],
                            minlength=len(self.insurance.pools))
        return np.where(count > 0, total / np.maximum(count, 1), 1.0)

    def pay_premiums(self, market: Market) -> None:
        """The month's premium of those whose payday it is; cover lapses when the days of grace are over."""
        if self.insurance is None:
            return
        people, ledger, day = market.people, market.ledger, market.day
        cohort = self.paydays[day % MONTH_DAYS]
        cohort = cohort[people["pool"][cohort] >= 0]
        if cohort.size == 0:
            return
        overdue = np.maximum(people["paid_to"][cohort], people["cover_from"][cohort]) + self.section.grace_days <= day
        lapsed = cohort[overdue]
        if lapsed.size:
            self.insurance.lapse(lapsed)
            self.lapses_today += lapsed.size
            cohort = cohort[~overdue]

        def execute(which: np.ndarray, blocks: np.ndarray) -> None:
            who = cohort[which]
            still = people["pool"][who] >= 0
            who = who[still]
            self.insurance.pay_premiums(who, people["premium_own"][who], people["sponsor"][who],
                                        people["premium_sponsored"][who])

        if cohort.size:
            self.chain.submit(Batch("premium", cohort + ledger.people_start, execute, keys=people["key"][cohort],
                                    expires=day + self.section.grace_days))

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
        slots = np.flatnonzero((people["key"] // np.uint64(MONTH_DAYS)) % np.uint64(interval)
                               == np.uint64(market.day % interval))
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
        insured = (people["pool"] >= 0) if self.insurance is not None else np.zeros(people.size, dtype=np.bool_)
        uninsured = ~(public | insured)
        record.series("patients.uninsured", float(uninsured.mean()))
        record.series("patients.insured", float(insured.sum() / max(1, int((~public).sum()))))
        if insured.any():
            record.series("patients.trust", float(people["trust"][insured].mean()))
        self.statistics.add_uninsured(uninsured, people["income"], market.day)

    def finish(self, market: Market) -> None:
        self.statistics.report(market, self.bills, self.lapses)
