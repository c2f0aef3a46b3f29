"""Cover: choosing a plan of a pool at open enrolment, what others say of pools, and paying for it month by month.

A person's premium is due on its payday, every thirty days, so the pools are paid evenly over the month.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.agents.patient.choice import NO_PLAN, choose_plans
from sim.agents.patient.premiums import split_premiums
from sim.agents.patient.taste import Taste
from sim.chain.mempool import Batch
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Market

if TYPE_CHECKING:
    from sim.agents.patient.patients import Patients

YEAR_DAYS = 365
MONTH_DAYS = 30
PLAN_STEP = 1 << 32
"""Distance of the numbers of draws of a pool's plans: permanent ids of pools take 31 bits."""


class Cover:
    """The patients' side of insurance."""

    def __init__(self, patients: Patients, market: Market) -> None:
        self.patients = patients
        self.section = patients.section
        self.usd: int = patients.usd
        self.economy: Any = market.mechanism("economy")
        self.morbidity: Any = market.mechanism("morbidity")
        self.insurance: Any = market.mechanism("insurance")
        self.chain: Any = market.mechanism("chain")
        self.perception = market.draws.decision("patients.perceived_cost")
        self.taste = Taste(market.draws, self.section.taste_persistence)
        selection = market.find("selection")
        self.voucher = selection is not None and selection.section.contribution == "flat"
        self.first_option = self.insurance.options.first
        self.enrolled_before = False

    def choose(self, market: Market) -> None:
        """Open enrolment: everybody without public cover compares each pool's plans and none."""
        if market.day % self.section.open_enrolment_every_days:
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
                                        self.section.employer_share, self.section.affordability_cap, self.first_option,
                                        self.voucher)
        keys = people["key"][slots]
        noise = self.perception.normal(day, keys) * self.section.perception_log_sd
        perceived = self.morbidity.expected_annual_cost(slots) * self.patients.price_level(market) * np.exp(noise)
        nodes, weights = self.morbidity.cost_nodes()
        tastes = self.tastes(day, keys)
        cap = self.patients.collectable(market, slots)
        shares = np.append(self.patients.plan_coinsurance, self.section.uninsured_price_share)
        quantities = self.morbidity.demand(shares)
        chosen = choose_plans(
            people["risk_aversion"][slots], perceived, cap, self.insurance.held(slots), people["trust"][slots],
            self.reputation(market), np.where(own >= 0, own / MICRO, -1.0), self.insurance.options.pool,
            self.patients.plans, quantities[:-1], float(quantities[-1]), nodes, weights, tastes,
            self.section.trust_value, self.patients.inertia, not self.enrolled_before)
        self.enrolled_before = True
        leavers = slots[(chosen == NO_PLAN) & (people["pool"][slots] >= 0)]
        if leavers.size:
            self.insurance.lapse(leavers)
        self.enrol(market, slots, chosen, own, sponsored)

    def tastes(self, day: int, keys: np.ndarray) -> np.ndarray:
        """Logit noise in dollars, float64[1 + options, n]: row 0 for no cover, then each option's.

        What all pools share (a liking for cover) has the full scale, what tells pools apart a smaller one, what tells
        the plans of one pool apart another, as in a nested logit: otherwise eight pools with one plan would by their
        number alone insure more people than two.
        """
        def gumbel(option: int) -> np.ndarray:
            return self.taste.draw(day, keys, option)

        common = self.section.choice_scale * gumbel(1)
        own = []
        for pool in self.insurance.pools:
            first = pool.permanent_id + 2
            liking = common + self.section.pool_scale * gumbel(first)
            if len(pool.plans) == 1:
                own.append(liking)
            else:
                own.extend(liking + self.section.plan_scale * gumbel(first + (plan + 1) * PLAN_STEP)
                           for plan in range(len(pool.plans)))
        return np.stack([self.section.choice_scale * gumbel(0), *own])

    def enrol(self, market: Market, slots: np.ndarray, chosen: np.ndarray, own: np.ndarray,
              sponsored: np.ndarray) -> None:
        """Submit the enrolments; each person's premium covers the days to its first payday, then months."""
        people, ledger, day = market.people, market.ledger, market.day
        rows = np.flatnonzero(chosen != NO_PLAN)
        takers, options = slots[rows], chosen[rows]
        pools = self.insurance.options.pool[options]
        joins = people["pool"][takers] != pools
        people["trust"][takers[joins]] = self.reputation(market)[pools[joins]]
        moved = self.insurance.held(takers) != options
        own_month = own[options, rows] * MONTH_DAYS // YEAR_DAYS
        sponsored_month = sponsored[options, rows] * MONTH_DAYS // YEAR_DAYS
        sponsor = np.where(self.economy.employer_cover[takers], self.economy.firms, self.economy.government)
        first_days = (self.patients.payday[takers] - day) % MONTH_DAYS
        first_days[(first_days == 0) & (people["pool"][takers] < 0)] = MONTH_DAYS  # today's premiums are not for them

        def execute(which: np.ndarray, blocks: np.ndarray) -> None:
            which = which[self.insurance.enrol(takers[which], options[which], market.day)]
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

    def pay_premiums(self, market: Market) -> int:
        """The month's premium of those whose payday it is; how many lapsed because the days of grace are over."""
        people, ledger, day = market.people, market.ledger, market.day
        cohort = self.patients.paydays[day % MONTH_DAYS]
        cohort = cohort[people["pool"][cohort] >= 0]
        if cohort.size == 0:
            return 0
        overdue = np.maximum(people["paid_to"][cohort], people["cover_from"][cohort]) + self.section.grace_days <= day
        lapsed = cohort[overdue]
        if lapsed.size:
            self.insurance.lapse(lapsed)
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
        return int(lapsed.size)
