"""Where treaties are made: scheduled ones by the scenario, others when an insurer finds that they pay.

An insurer looks at its own books and at sellers' quotes; a seller at the pool's published book, its reported experience
and the public distribution of cost. Nobody looks at anybody's health, nor at what will happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sim.agents.rate_making import credibility
from sim.agents.reinsurance_placing import (
    Slip,
    basis_of,
    draw_up,
    layers_of,
    named_sellers,
    shared_equally,
    subscribed,
)
from sim.agents.reinsurance_pricing import Belief, CostLaw, Outlook, ceded_year, outlook, price
from sim.agents.reinsurer import Reinsurer, room
from sim.contracts.insurance.capital import NOTHING_CEDED, Book
from sim.contracts.insurance.premium import YEAR_DAYS
from sim.contracts.insurance.treaties import SHARE
from sim.contracts.reinsurance.book import ReinsuranceBook
from sim.contracts.reinsurance.parties import Party, PoolParty, ReinsurerParty, Standing
from sim.contracts.reinsurance.treaty import Treaty
from sim.kernel.fixedpoint import MICRO
from sim.scenario.sections.reinsurance import ReinsuranceSection, ScheduledTreaty, TreatyPlan

ASSUMED_CV_MEMBERS = 16
"""A reinsurer's own book is believed to vary as a pool of so few members: by about its own mean."""


class Desk:
    """Makes treaties for ``pools`` and reinsurers. ``made`` are the slips of all treaties, in order."""

    def __init__(
        self, section: ReinsuranceSection, book: ReinsuranceBook, insurers: Any, insurance: Any,
        pools: Sequence[PoolParty], reinsurers: Sequence[Reinsurer], law: CostLaw, people: int,
    ) -> None:
        self.section = section
        self.book = book
        self.insurers = insurers
        self.insurance = insurance
        self.pools = pools
        self.reinsurers = reinsurers
        self.by_party = {reinsurer.party.name: reinsurer for reinsurer in reinsurers}
        self.law = law
        self.people = people
        self.made: list[Slip] = []
        self.purchases = 0
        self._running: dict[tuple[int, str], Treaty] = {}

    # What sellers believe and ask ----------------------------------------------------------------------------

    def business(self, party: PoolParty) -> Book:
        """The pool's book; before it has members, the one that its insurer expects."""
        book = party.pool.book()
        return book if book.members else self.insurers.insurers[self.pools.index(party)].opening_book

    def belief(self, party: Party) -> Belief:
        """What a cedant's year is expected to be, from public figures and reported experience."""
        section, settings = self.section, self.insurance.section
        if not isinstance(party, PoolParty):
            expected = sum(line.treaty.terms.expected_share * line.treaty.terms.expected_losses / MICRO
                           for line in self.book.inward[party.name])
            return Belief(ASSUMED_CV_MEMBERS, max(expected, 1.0), self.law, settings.member_cv, settings.systemic_sd,
                          section.epidemic_rate, section.epidemic_size)
        pool, book = party.pool, self.business(party)
        factor = 1.0
        if pool.totals.earned:
            share = pool.config.shares.claims
            ratio = self.insurance.report_figures.incurred(pool) / pool.totals.earned / max(share, 1e-9)
            years = pool.totals.earned / max(book.annual_premium, 1) * book.members
            weight = credibility(years, section.credibility_years**0.5, 1.0)
            factor = weight * ratio + 1.0 - weight
        return Belief(book.members, max(factor * book.expected_claims / MICRO, 1.0), self.law, settings.member_cv,
                      settings.systemic_sd, section.epidemic_rate, section.epidemic_size)

    def quote(self, seller: Party, view: Outlook, limited: bool) -> float:
        """Premium in dollars that a seller asks; a pool asks what a reinsurer would in calm years."""
        section = self.section
        reinsurer = self.by_party.get(seller.name)
        if reinsurer is not None:
            return reinsurer.quote(view, limited)
        return price(view, section.pricing if limited else "cost_of_capital", section.risk_load, section.capital_cost,
                     1.0)

    # Scheduled treaties --------------------------------------------------------------------------------------

    def schedule(self, day: int) -> list[Treaty]:
        """Make, or make again, the scenario's treaties that begin today."""
        section, made = self.section, []
        every: dict[str, Party] = {party.name: party for party in self.pools}
        every.update({reinsurer.party.name: reinsurer.party for reinsurer in self.reinsurers})
        plans: list[ScheduledTreaty] = [*section.treaties]
        if section.retrocession > 0.0 and len(self.reinsurers) > 1:
            plans.append(ScheduledTreaty(form="quota_share", quota=section.retrocession, commission=0.0,
                                         buyers=[reinsurer.party.name for reinsurer in self.reinsurers]))
        for number, plan in enumerate(plans):
            if day < plan.first_day:
                continue
            for name in plan.buyers or [party.name for party in self.pools]:
                running = self._running.get((number, name))
                if running is not None and (day < running.terms.end or not plan.renewed):
                    continue
                buyer = every[name]
                if isinstance(buyer, PoolParty) and buyer.pool.run_off_since is not None:
                    continue
                treaty = self._bind(self._scheduled_slip(f"{name}.{number + 1}", plan, buyer, day), buyer)
                self._running[number, name] = treaty
                made.append(treaty)
        return made

    def _scheduled_slip(self, name: str, plan: ScheduledTreaty, buyer: Party, day: int) -> Slip:
        belief = self.belief(buyer)
        premium = self.business(buyer).annual_premium / MICRO if isinstance(buyer, PoolParty) else belief.expected
        layers = layers_of(plan, premium, belief.expected)
        sellers = named_sellers(plan, buyer, self.pools, [reinsurer.party for reinsurer in self.reinsurers])
        lines = [shared_equally(sellers, layer.share) if sellers else [] for layer in layers]
        lag = plan.lag_days if plan.lag_days >= 0 else self.section.payment_lag_days
        return draw_up(name, plan, day, plan.days, lag, premium, belief, layers, lines, self.quote)

    # Purchases -----------------------------------------------------------------------------------------------

    def review(self, party: PoolParty, day: int) -> list[Treaty]:
        """The insurer's rule: below the buying ratio it takes, one after the other, the offers that are worth most,
        as long as any is worth its price and the ratio does not suffice."""
        pool, bought = party.pool, []
        if pool.run_off_since is not None or not pool.members:
            return []
        for _ in self.section.offers:
            if pool.scr_ratio() >= self.section.buying_scr_ratio:
                break
            best: tuple[float, int, Slip] | None = None
            for number, plan in enumerate(self.section.offers):
                running = self._running.get((-1 - number, party.name))
                if running is not None and day < running.terms.end:
                    continue
                slip = self._offered_slip(f"{party.name}.offer{number + 1}", plan, party, day)
                value = self.worth(party, slip) if slip is not None else 0.0
                if slip is not None and value > 0.0 and (best is None or value > best[0]):
                    best = (value, number, slip)
            if best is None:
                break
            treaty = self._bind(best[2], party)
            self._running[-1 - best[1], party.name] = treaty
            self.purchases += 1
            bought.append(treaty)
        return bought

    def worth(self, party: PoolParty, slip: Slip) -> float:
        """Value of the capital relief plus the expected cession, less the price: dollars a year."""
        book = party.pool.book()
        after = ceded_year(slip.terms.layers, slip.terms.basis, self.belief(party), book.ceded)
        relief = party.pool.regime.desired(book) - party.pool.regime.desired(book._replace(ceded=after))
        return self.section.capital_relief_value * relief / MICRO + slip.expected - slip.price

    def _offered_slip(self, name: str, plan: TreatyPlan, party: PoolParty, day: int) -> Slip | None:
        """The offer as sellers would sign it today; None where too little of a layer finds a seller."""
        belief, book = self.belief(party), self.business(party)
        premium = book.annual_premium / MICRO
        rooms = {seller.name: (seller, room(self.book, seller, self.section, day, capital))
                 for seller, capital in self._sellers(party, day)}
        layers, lines = layers_of(plan, premium, belief.expected), []
        for layer in layers:
            whole = outlook(replace(layer, share=SHARE), basis_of(plan), plan.event_days, belief)
            exposure = whole.quantile if whole.limit == float("inf") else whole.limit
            asked = [(self.quote(seller, whole, whole.limit != float("inf")), free, seller)
                     for seller, free in rooms.values()]
            row = subscribed(asked, exposure, self.section.largest_line)
            placed = sum(part for _, part in row)
            if placed == 0 or placed < self.section.least_placed * SHARE:
                return None
            if plan.form == "quota_share":
                row = [(seller, part * layer.share // SHARE) for seller, part in row]
            rooms.update({seller.name: (seller, rooms[seller.name][1] - exposure * part / SHARE)
                          for seller, part in row})
            lines.append(row)
        return draw_up(name, plan, day, YEAR_DAYS, self.section.payment_lag_days, premium, belief, layers, lines,
                       self.quote)

    def _sellers(self, buyer: PoolParty, day: int) -> list[tuple[Party, int]]:
        """(seller, own funds) of everybody who may sell to ``buyer``."""
        own: list[tuple[Party, int]] = [(reinsurer.party, self.funds(reinsurer.party, day))
                                        for reinsurer in self.reinsurers]
        if self.section.pools_sell:
            own += [(party, party.pool.capital) for party in self.pools if party is not buyer]
        return own

    def funds(self, party: ReinsurerParty, day: int) -> int:
        """A reinsurer's cash and recoverables less what it owes and expects to owe, base units."""
        return party.free_cash() + self.recoverable(party.name, day) - self.owed(party.name, day)

    # Balance sheets ------------------------------------------------------------------------------------------

    def recoverable(self, name: str, day: int) -> int:
        """Admitted value of what a cedant has ceded and not received, and of what it expects to cede of its reserves,
        less the haircut for each seller's standing; floored by the unit."""
        section = self.section
        cut = {"sound": 0.0, "downgraded": section.haircut_downgraded, "insolvent": section.haircut_downgraded,
               "defaulted": section.haircut_defaulted}
        total = 0
        for seller, amount in self.book.owed_to(name):
            total += int(amount * (1.0 - cut[seller.standing])) if cut[seller.standing] else amount
        party = self.book.parties[name]
        if isinstance(party, PoolParty) and self.book.outward[name]:
            reserves = party.pool.reserves.outstanding + party.pool.reserves.ibnr
            for line, amount in self.book.expected(name, day, reserves):
                haircut = cut[line.seller.standing]
                total += int(amount * (1.0 - haircut)) if haircut else amount
        return total

    def owed(self, name: str, day: int) -> int:
        """What a seller owes for losses ceded to it, and expects to owe for its cedants' reserves."""
        total = sum(line.owed for line in self.book.inward[name])
        buyers = dict.fromkeys(line.treaty.buyer for line in self.book.inward[name])
        for buyer in buyers:
            if isinstance(buyer, PoolParty):
                reserves = buyer.pool.reserves.outstanding + buyer.pool.reserves.ibnr
                total += sum(amount for line, amount in self.book.expected(buyer.name, day, reserves)
                             if line.seller.name == name)
        return total

    def refresh_relief(self, party: PoolParty, day: int) -> None:
        """Tell the pool's capital regime what the treaties in force take; a seller that defaulted takes nothing."""
        ceded, belief = NOTHING_CEDED, None
        for treaty in self.book.outward[party.name]:
            terms = treaty.terms
            layers = tuple(
                replace(layer, share=sum(line.share for line in row if line.seller.standing is not Standing.DEFAULTED))
                for layer, row in zip(terms.layers, treaty.lines, strict=True))
            if terms.start <= day < terms.end and any(layer.share for layer in layers):
                belief = belief or self.belief(party)
                ceded = ceded_year(layers, terms.basis, belief, ceded)
        party.pool.ceded = ceded

    def _bind(self, slip: Slip, buyer: Party) -> Treaty:
        treaty = Treaty(slip.terms, buyer, slip.sellers, self.people)
        self.book.add(treaty)
        self.made.append(slip)
        return treaty
