"""Mechanism "morbidity_forward": pools lock the trend of claims per member in, against investors.

The index is what all pools report, claims per member and day; no pool moves it much by its own claims. Forwards are
entered after a base period, marked every day and settled once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.derivatives.desk import Desk, DeskMechanism
from sim.agents.derivatives.swap_report import incurred
from sim.chain.mempool import Batch
from sim.contracts.derivatives.margin import MarginedContract, MarginError, Side
from sim.contracts.derivatives.morbidity_forward import ForwardTerms, MorbidityForward
from sim.contracts.derivatives.parties import CashParty, PoolParty
from sim.kernel.fixedpoint import MICRO, mul_div
from sim.mechanism import Hook, Market, Phase
from sim.scenario.sections.morbidity_forward import MorbidityForwardSection

KIND = "derivative_forward"
GAS = 250_000
YEAR_DAYS = 365
SCALE = 1_000_000
"""Cost per member and day is counted in millionths of a base unit."""

Ints = NDArray[np.int64]


class TrendForwards(DeskMechanism):
    """See the module. ``forwards`` are those in force or ended."""

    section: MorbidityForwardSection
    hooks = (Hook(Phase.FORECASTS, "decide"),
             Hook(Phase.SETTLEMENT, "end_day", after=("chain", "claims", "insurance", "reinsurance")))

    def setup(self, market: Market) -> None:
        self.market = market
        self.ledger = market.ledger
        self.usd: int = market.ledger.asset_id("USDs")
        self.desk = Desk(self.usd)
        self.sellers = [CashParty(self.ledger, self.usd, f"forward_seller{number + 1}", "investors")
                        for number in range(self.section.sellers)]
        self.forwards: list[MorbidityForward] = []
        self.refused = 0
        self.member_days = 0
        self._marks: list[tuple[int, int]] = []
        self.base = 0
        self.deviation = 0

    def start(self, market: Market) -> None:
        insurance: Any = market.mechanism("insurance")
        self.chain: Any = market.mechanism("chain")
        self.chain.register_kind(KIND, GAS)
        self.pools = [PoolParty(pool) for pool in insurance.pools]
        total = round(self.section.seller_capital * MICRO) * market.people.size
        for seller in self.sellers:
            market.endow(seller.account, total // len(self.sellers))
        if self.section.hedge > 0.0:
            for party in self.pools:
                self._put_on_balance_sheet(party)

    def _put_on_balance_sheet(self, party: PoolParty) -> None:
        party.pool.admitted[self.name] = lambda: self.desk.claim(party)
        party.pool.owed[self.name] = lambda: self.desk.debt(party)

    @property
    def begin(self) -> int:
        """First day of the term."""
        return self.section.base_start + self.section.base_days

    @property
    def end(self) -> int:
        """First day after the term."""
        return self.begin + self.section.term_days

    def _total(self) -> int:
        return sum(incurred(party.pool) for party in self.pools)

    def _per_day(self, since: tuple[int, int]) -> int:
        """Claims per member and day since (claims, member days), in millionths of a base unit."""
        days = self.member_days - since[1]
        return mul_div(max(self._total() - since[0], 0), SCALE, days) if days > 0 else 0

    # Trade ---------------------------------------------------------------------------------------------------

    def decide(self, market: Market) -> None:
        """On the first day of the term pools buy from sellers in turn."""
        section = self.section
        if market.day != self.begin or not self._marks:
            return
        self.base = self._per_day(self._marks[0])
        self._marks.append((self._total(), self.member_days))
        if self.base <= 0 or section.hedge <= 0.0:
            return
        offers = []
        for turn, party in enumerate(self.pools):
            pool = party.pool
            expected = mul_div(self.base * section.term_days, pool.members, SCALE)
            notional = round(section.hedge * expected * (1.0 + self._agreed() * section.term_days / 2 / YEAR_DAYS))
            if pool.run_off_since is not None or notional <= 0:
                continue
            initial = round(section.margin * notional)
            contract = MarginedContract(self.ledger, self.usd, f"forward_{party.name}", party,
                                        self.sellers[turn % len(self.sellers)], (initial, initial))
            offers.append(MorbidityForward(contract, ForwardTerms(
                self.begin, self.end, notional, round(self._agreed() * MICRO), round(section.limit * MICRO))))

        def execute(rows: Ints, blocks: Ints) -> None:
            for row in rows.tolist():
                offers[row].contract.enter()
                self.forwards.append(offers[row])
                self.desk.add(offers[row].contract)

        def lost(rows: Ints) -> None:
            self.refused += rows.size

        if offers:
            senders = np.array([offer.contract.parties[Side.SHORT].account for offer in offers], dtype=np.int64)
            self.chain.submit(Batch(KIND, senders, execute, expires=market.day, dropped=lost, reverted=lost,
                                    refusals=(MarginError,), singly=True))

    def _agreed(self) -> float:
        return self.section.trend + self.section.load

    # The day -------------------------------------------------------------------------------------------------

    def end_day(self, market: Market) -> None:
        """Count member days; mark; settle at the end."""
        day = market.day
        self.member_days += sum(party.pool.members for party in self.pools)
        if day == self.section.base_start:
            self._marks = [(self._total(), self.member_days)]
        if self.base > 0 and self.begin < day < self.end:
            # the mean cost of a term that began after the base belongs to its middle, the base's to its own
            middle = (self.section.base_days + day + 1 - self.begin) // 2
            terms = ForwardTerms(self.begin, self.end, 0, round(self._agreed() * MICRO),
                                 round(self.section.limit * MICRO))
            self.deviation = terms.deviation(self._per_day(self._marks[1]), self.base, middle)
            self._settle_or_mark(day)
        if market.find("contagion") is None:
            self.desk.collect()

    def _settle_or_mark(self, day: int) -> None:
        for forward in self.forwards:
            contract = forward.contract
            if contract.open and day == self.end - 1:
                forward.settle(self.deviation, day)
            elif contract.open:
                forward.mark(self.deviation, day)
            if contract.defaulter is not None and contract.closed_on == day:
                self.market.record.event("derivative_default", contract.parties[contract.defaulter].name,
                                         contract.accounts[contract.defaulter].unpaid / MICRO, contract=contract.name)

    # Debts and observations ----------------------------------------------------------------------------------

    def stated(self) -> Sequence[CashParty]:
        """Sellers."""
        return self.sellers

    def observe(self, market: Market) -> None:
        series = market.record.series
        if self.base > 0 and self.begin < market.day < self.end:
            series("morbidity_forward.deviation", self.deviation / MICRO)
        series("morbidity_forward.margin", self.desk.margin() / MICRO)
        series("morbidity_forward.value", sum(one.contract.value for one in self.forwards if one.contract.open) / MICRO)
        if market.day == self.end - 1:
            self._marks.append((self._total(), self.member_days))

    def finish(self, market: Market) -> None:
        metric = market.record.metric
        payment = sum(one.payment or 0 for one in self.forwards)
        metric("morbidity_forward.notional", sum(one.terms.notional for one in self.forwards) / MICRO)
        metric("morbidity_forward.deviation", self.deviation / MICRO)
        metric("morbidity_forward.payment", payment / MICRO)
        metric("morbidity_forward.unpaid", self.desk.total("unpaid") / MICRO)
        metric("morbidity_forward.defaults", self.desk.defaults())
        metric("morbidity_forward.refused", self.refused)
        if len(self._marks) == 3 and self.base > 0:
            (first, before), (last, after) = self._marks[1:]
            growth = 1.0 + self._agreed() * (self.section.base_days + self.section.term_days) / 2 / YEAR_DAYS
            agreed = self.base / SCALE * (after - before) * growth
            metric("morbidity_forward.squared_deviation_unhedged", ((last - first - agreed) / agreed) ** 2)
            metric("morbidity_forward.squared_deviation", ((last - first - agreed - payment) / agreed) ** 2)
