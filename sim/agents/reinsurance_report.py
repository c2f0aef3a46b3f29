"""What is recorded of reinsurance: the day's series, and figures of the run."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.agents.reinsurance_desk import Desk
from sim.agents.reinsurer import Reinsurer
from sim.contracts.insurance.treaties import UNLIMITED
from sim.contracts.reinsurance.book import ReinsuranceBook
from sim.contracts.reinsurance.parties import PoolParty, Standing
from sim.contracts.reinsurance.treaty import Treaty
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Market

STANDINGS = {standing: float(code) for code, standing in enumerate(Standing)}


class ReinsuranceReport:
    """Figures of one book. Keeps yesterday's sums and the extremes of the run."""

    def __init__(self, book: ReinsuranceBook, desk: Desk, pools: list[PoolParty], reinsurers: list[Reinsurer]) -> None:
        self.book = book
        self.desk = desk
        self.pools = pools
        self.reinsurers = reinsurers
        self._names = {party.name for party in pools}
        self._before = (0, 0)
        self._highest_recoverable = 0
        self._hardest = 1.0
        self._first = 0
        self._gross = 0
        self._rounds = 0
        self._opening: dict[str, int] = {}

    def open(self) -> None:
        """Remember the pools' capital when the first treaty is made."""
        if not self._opening:
            self._opening = {party.name: max(party.pool.capital, 1) for party in self.pools}

    def record_day(self, market: Market, day: int) -> None:
        """Record the day's series."""
        book, record = self.book, market.record
        accounts = book.accounts
        premium = sum(own.premium for own in accounts.values())
        recovered = sum(own.recovered for own in accounts.values())
        owed = {name: sum(amount for _, amount in book.owed_to(name)) for name in book.parties}
        series = record.series
        series("reinsurance.premium", (premium - self._before[0]) / MICRO)
        series("reinsurance.recovered", (recovered - self._before[1]) / MICRO)
        self._before = (premium, recovered)
        trace = book.today
        series("reinsurance.ceded", trace.gross / MICRO)
        series("reinsurance.ceded_first", trace.first / MICRO)
        series("reinsurance.rounds", len(trace.rounds))
        self._first += trace.first
        self._gross += trace.gross
        self._rounds = max(self._rounds, len(trace.rounds))
        series("reinsurance.recoverables", sum(owed.values()) / MICRO)
        series("reinsurance.overdue", book.overdue(day) / MICRO)
        running = [treaty for treaty in book.treaties if treaty.terms.start <= day < treaty.terms.end]
        self._record_limits(market, [treaty for treaty in running if treaty.limit()])
        if self.reinsurers:
            hardness = float(np.mean([reinsurer.hardness for reinsurer in self.reinsurers]))
            self._hardest = max(self._hardest, hardness)
            series("reinsurance.hardness", hardness)
        self._highest_recoverable = max(self._highest_recoverable, sum(owed[name] for name in self._names))
        for name, party in book.parties.items():
            own = accounts[name]
            capital = (party.pool.capital if isinstance(party, PoolParty)
                       else self.desk.funds(party, day))  # type: ignore[arg-type]
            record.institution(name, "reinsurance.capital", capital / MICRO)
            record.institution(name, "reinsurance.recoverable", owed[name] / MICRO)
            record.institution(name, "reinsurance.assumed", sum(line.owed for line in book.inward[name]) / MICRO)
            record.institution(name, "reinsurance.net_premium", (own.premium - own.premium_received) / MICRO)
            record.institution(name, "reinsurance.standing", STANDINGS[party.standing])

    def _record_limits(self, market: Market, running: list[Treaty]) -> None:
        limit = sum(treaty.limit() for treaty in running)
        market.record.series("reinsurance.limit", limit / MICRO)
        if limit:
            used = sum(min(treaty.ceded, treaty.limit()) for treaty in running)
            premium = sum(layer.premium for treaty in running for layer in treaty.terms.layers
                          if layer.annual_limit < UNLIMITED)
            market.record.series("reinsurance.limit_used", used / limit)
            market.record.series("reinsurance.rate_on_line", premium / limit)

    def record_run(self, market: Market, day: int) -> None:
        """Record the figures of the run."""
        book, metric = self.book, market.record.metric
        accounts = {name: book.accounts[name] for name in self._names}
        earned = sum(party.pool.totals.earned for party in self.pools)
        premium = sum(own.premium for own in accounts.values())
        ceded = sum(own.ceded for own in accounts.values())
        losses = sum(own.losses for own in accounts.values())
        every = list(book.accounts.values())
        all_ceded, failed = sum(own.ceded for own in every), sum(own.failed for own in every)
        recovered = sum(own.recovered for own in accounts.values())
        if earned:
            metric("reinsurance.premium_share", premium / earned)
        if losses:
            metric("reinsurance.ceded_share", ceded / losses)
        if premium:
            metric("reinsurance.cost", (premium - ceded) / premium)
        metric("reinsurance.recovered", recovered / MICRO)
        owed = sum(amount for name in self._names for _, amount in book.owed_to(name))
        metric("reinsurance.recoverables_end", owed / MICRO)
        metric("reinsurance.recoverables_highest", self._highest_recoverable / MICRO)
        metric("reinsurance.failed_share", (book.overdue(day) + failed) / all_ceded if all_ceded else 0.0)
        metric("reinsurance.reinsurer_defaults",
               sum(one.party.standing is Standing.DEFAULTED for one in self.reinsurers))
        metric("reinsurance.purchases", self.desk.purchases)
        limited = [slip for slip in self.desk.made if slip.limit > 0.0]
        if limited:
            metric("reinsurance.rate_on_line",
                   sum(slip.price for slip in limited) / sum(slip.limit for slip in limited))
        metric("reinsurance.hardest", self._hardest)
        assumed = np.array([own.assumed for own in every], dtype=np.float64)
        if assumed.sum():
            metric("reinsurance.concentration", float(((assumed / assumed.sum()) ** 2).sum()))
        if self._first:
            metric("reinsurance.gross_over_net", self._gross / self._first)
        metric("reinsurance.rounds_most", self._rounds)
        self._record_spiral(metric)

    def _record_spiral(self, metric: Any) -> None:
        """How much of what pools ceded other pools assumed, and what of it came back."""
        book = self.book
        if self._opening:
            assumed = [book.accounts[name].assumed / capital for name, capital in self._opening.items()]
            metric("reinsurance.spread", sum(share > 0.1 for share in assumed) / len(assumed))
            metric("reinsurance.assumed_highest", max(assumed))
        hit = max(sorted(self._names), key=lambda name: book.first_ceded[name])
        if book.first_ceded[hit]:
            metric("reinsurance.returned_share", book.accounts[hit].assumed / book.first_ceded[hit])
