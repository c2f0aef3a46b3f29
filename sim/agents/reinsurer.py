"""Reinsurer: an institution with own capital that quotes, accepts no more than it could pay, and raises prices after
losses. What it knows of a cedant is in :class:`sim.agents.reinsurance_pricing.Belief`."""

from __future__ import annotations

from typing import Any

import mesa

from sim.agents.reinsurance_pricing import Outlook, next_hardness, price
from sim.contracts.reinsurance.book import ReinsuranceBook
from sim.contracts.reinsurance.parties import Party, PoolParty, ReinsurerParty, Standing
from sim.kernel.fixedpoint import MICRO
from sim.scenario.sections.reinsurance import ReinsuranceSection


class Reinsurer(mesa.Agent):
    """Runs one reinsurer. ``hardness`` multiplies its margin; 1 in calm years."""

    def __init__(self, model: Any, section: ReinsuranceSection, book: ReinsuranceBook, party: ReinsurerParty) -> None:
        super().__init__(model)
        self.section = section
        self.book = book
        self.party = party
        self.hardness = 1.0
        self._year = (0, 0, 1)  # assumed, premium received, capital at the last renewal

    def quote(self, view: Outlook, limited: bool) -> float:
        """Premium a year in dollars for taking the whole of what ``view`` describes."""
        section = self.section
        method = section.pricing if limited else "cost_of_capital"
        return price(view, method, section.risk_load, section.capital_cost, self.hardness)

    def close_year(self, capital: int) -> None:
        """Let the year's result move the price, from one renewal season to the next."""
        own = self.book.accounts[self.party.name]
        assumed, received, start = self._year
        loss = (own.assumed - assumed) - (own.premium_received - received)
        self.hardness = next_hardness(self.hardness, loss / max(start, 1), self.section.cycle_response,
                                      self.section.cycle_decay)
        self._year = (own.assumed, own.premium_received, max(capital, 1))

    def open(self) -> None:
        """Remember the capital of the first day."""
        self._year = (0, 0, max(self.party.free_cash(), 1))


def accepted(book: ReinsuranceBook, party: Party, day: int) -> int:
    """What a seller may have to pay in a bad year under its lines in force, base units."""
    return sum(line.exposure for line in book.inward[party.name] if line.treaty.terms.end > day)


def room(book: ReinsuranceBook, party: Party, section: ReinsuranceSection, day: int, capital: int) -> float:
    """How much more a seller accepts, dollars; ``capital`` are its own funds."""
    if party.standing is not Standing.SOUND:
        return 0.0
    if isinstance(party, PoolParty):
        pool = party.pool
        if not section.pools_sell or pool.run_off_since is not None:
            return 0.0
        spare = max(capital - round(section.pool_selling_ratio * pool.scr()), 0)
        return max(section.pool_capacity * spare - accepted(book, party, day), 0.0) / MICRO
    return max(section.capacity * capital - accepted(book, party, day), 0.0) / MICRO
