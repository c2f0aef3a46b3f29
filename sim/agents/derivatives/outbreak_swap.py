"""Mechanism "outbreak_swap": pools and regional relief funds hedge reported incidence with investors.

On the trade day sellers price each hedger's swap on simulated epidemics and hedgers buy if the load is not too dear.
Every day swaps are marked to what the epidemics most like the reported one would still pay, and margin is called. A
period is settled when the committee's report is in. Funds raise levies for what they owe and pay out what they receive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.derivatives.desk import Desk, DeskMechanism
from sim.agents.derivatives.pricing import Belief, case_paths, loaded_price, nearest
from sim.agents.derivatives.relief import OwnPayments, RegionalFund
from sim.agents.derivatives.surveillance import CaseCount, IncidenceCommittee
from sim.agents.derivatives.swap_report import SwapReport
from sim.chain.mempool import Batch
from sim.contracts.derivatives.incidence_swap import IncidenceSwap, SwapTerms
from sim.contracts.derivatives.margin import MarginedContract, MarginError, Side
from sim.contracts.derivatives.parties import CashParty, Party, PoolParty
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Phase
from sim.scenario.sections.outbreak_swap import OutbreakSwapSection
from sim.world.epidemic.transmission import uniform_mixing

KIND = "derivative_trade"
GAS = 250_000
PER = 100_000
PER_MILLION = 10
YEAR_DAYS = 365

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(slots=True)
class Position:
    """A swap with its buyer, the buyer's members or residents, and the payout that its price expects, base units.

    ``received`` is what the seller really paid for each period, before the premium that was set off; the last is what a
    close-out brought, if there was one."""

    swap: IncidenceSwap
    buyer: Party
    persons: int
    expected: int
    received: list[int] = field(default_factory=list)


class OutbreakSwap(DeskMechanism):
    """See the module. ``positions`` are the swaps in force or ended, ``shares`` float64[paths, periods, regions] the
    payouts of the simulated epidemics as parts of the notional."""

    section: OutbreakSwapSection
    hooks = (Hook(Phase.FORECASTS, "decide"),
             Hook(Phase.SETTLEMENT, "end_day", after=("chain", "claims", "insurance", "reinsurance")))

    def setup(self, market: Market) -> None:
        self.market = market
        self.ledger = market.ledger
        self.usd: int = market.ledger.asset_id("USDs")
        self.desk = Desk(self.usd)
        self.sellers = [CashParty(self.ledger, self.usd, f"swap_seller{number + 1}", "investors")
                        for number in range(self.section.sellers)]
        self.regions: tuple[str, ...] = market.mechanism("population").regions
        region = market.people["region"]
        self.residents = [np.flatnonzero(region == place).astype(np.int64) for place in range(len(self.regions))]
        self.funds = [RegionalFund(self.ledger, self.usd, name, slots)
                      for name, slots in zip(self.regions, self.residents, strict=True)] \
            if self.section.region_hedge > 0.0 else []
        self.committee = IncidenceCommittee(market.draws, self.section.committee, self.section.report_noise)
        self.positions: list[Position] = []
        self.refused = 0
        self.settled = 0
        self.incidence: list[int] = [0] * len(self.regions)

    def start(self, market: Market) -> None:
        self.epidemic: Any = market.mechanism("epidemic")
        insurance: Any = market.find("insurance")
        self.chain: Any = market.mechanism("chain")
        self.chain.register_kind(KIND, GAS)
        self.pools = [PoolParty(pool) for pool in insurance.pools] if insurance is not None else []
        self.cases = CaseCount(self.epidemic, market.horizon_days)
        self.own = OwnPayments(market.people["own_spent_this_year"])
        self.report = SwapReport(self, market)
        persons = market.people.size
        most = sum((self.notional(persons, self.section.loss_per_case, self.section.pool_hedge) if self.pools else 0,
                    self.notional(persons, self.section.own_loss_per_case, self.section.region_hedge)))
        for seller in self.sellers:
            market.endow(seller.account, round(self.section.seller_capital * most) // len(self.sellers))
        if self.section.pool_hedge > 0.0:
            for party in self.pools:
                self._put_on_balance_sheet(party)

    def _put_on_balance_sheet(self, party: PoolParty) -> None:
        party.pool.admitted[self.name] = lambda: self.desk.claim(party)
        party.pool.owed[self.name] = lambda: self.desk.debt(party)

    # Prices --------------------------------------------------------------------------------------------------

    def notional(self, persons: int, per_case: float, share: float) -> int:
        """Notional in base units whose payouts rise by ``share`` of what cases cost ``persons``, the hedge that leaves
        least variance where loss per case is constant."""
        section = self.section
        return round(share * per_case * persons * (section.exhaustion - section.strike) / PER * MICRO)

    def belief(self) -> Belief:
        """What the market prices with: public facts of the epidemic's law, and the section's first cases."""
        section, epidemic = self.section, self.epidemic
        shares = self.market.mechanism("population").tables.region_share
        sizes = tuple(int(size) for size in np.rint(shares * self.market.people.size))
        law, own = epidemic.transmission.law, epidemic.section
        rows = own.mixing or uniform_mixing(np.array(sizes), own.mobility).tolist()
        mixing = tuple(tuple(float(one) for one in row) for row in rows)
        return Belief(law, sizes, mixing, own.diagnosed_share, own.diagnosis_delay_days, section.outbreak_day,
                      section.outbreak_cases, section.outbreak_region, section.outbreak_chance, self.end,
                      section.pricing_paths)

    @property
    def begin(self) -> int:
        """First day of the first period."""
        return self.section.trade_day + 1

    @property
    def end(self) -> int:
        """First day after the last period."""
        return self.begin + self.section.periods * self.section.period_days

    def _simulate(self) -> None:
        section, belief = self.section, self.belief()
        self.paths = case_paths(belief)
        edges = [self.begin + period * section.period_days for period in range(section.periods + 1)]
        cases = np.stack([self.paths[:, first:last].sum(axis=1) for first, last in pairwise(edges)], axis=1)
        rates = cases * (PER / np.maximum(np.array(belief.sizes), 1))
        self.path_rates: Floats = rates
        self.shares: Floats = np.clip((rates - section.strike) / (section.exhaustion - section.strike), 0.0, 1.0)

    # Trade ---------------------------------------------------------------------------------------------------

    def decide(self, market: Market) -> None:
        """On the trade day hedgers ask sellers in turn, and buy unless the load is too dear."""
        section = self.section
        if market.day != section.trade_day:
            return
        self._simulate()
        self.report.open(market)
        asked: list[tuple[Party, int, int, float, float]] = []
        for party in self.pools:
            pool = party.pool
            if pool.run_off_since is None:
                asked.append((party, pool.region, pool.members, section.loss_per_case, section.pool_hedge))
        for place, fund in enumerate(self.funds):
            asked.append((fund, place, fund.slots.size, section.own_loss_per_case, section.region_hedge))
        offers = [offer for turn, ask in enumerate(ask for ask in asked if ask[4] > 0.0 and ask[2] > 0)
                  if (offer := self._offer(self.sellers[turn % len(self.sellers)], *ask)) is not None]

        def execute(rows: Ints, blocks: Ints) -> None:
            for row in rows.tolist():
                self._enter(offers[row])

        def lost(rows: Ints) -> None:
            self.refused += rows.size

        if offers:
            senders = np.array([offer.swap.contract.parties[Side.SHORT].account for offer in offers], dtype=np.int64)
            self.chain.submit(Batch(KIND, senders, execute, expires=market.day, dropped=lost, reverted=lost,
                                    refusals=(MarginError,), singly=True))

    def _offer(
        self, seller: CashParty, buyer: Party, region: int, persons: int, per_case: float, share: float
    ) -> Position | None:
        """The seller's price for a hedger's swap; None where the hedger declines or there is no such region."""
        section = self.section
        notional = self.notional(persons, per_case, share)
        if notional <= 0:
            return None
        totals = self.shares[:, :, region].sum(axis=1) if region >= 0 else \
            (self.shares @ np.array([one.size for one in self.residents])).sum(axis=1) / self.market.people.size
        price, mean, deviation = loaded_price(totals, section.risk_load)
        if price - mean > section.most_load * deviation + 1e-12 or region < 0:
            self.refused += 1  # a cover of several regions at once is not offered
            return None
        premium = -(-round(price * notional) // section.periods)
        terms = SwapTerms(region, self.begin, section.period_days, section.periods, notional, premium,
                          round(section.strike * PER_MILLION), round(section.exhaustion * PER_MILLION))
        initial = (round(section.buyer_margin * premium), round(section.seller_margin * notional))
        contract = MarginedContract(self.ledger, self.usd, f"swap_{buyer.name}", buyer, seller, initial)
        return Position(IncidenceSwap(contract, terms), buyer, persons, round(mean * notional))

    def _enter(self, offer: Position) -> None:
        contract = offer.swap.contract
        if isinstance(offer.buyer, RegionalFund):
            offer.buyer.raise_cash(contract.initial[Side.LONG])
        contract.enter()
        self.positions.append(offer)
        self.desk.add(contract)

    # The day -------------------------------------------------------------------------------------------------

    def end_day(self, market: Market) -> None:
        """Count cases; settle what was reported; mark what is open; take late payments."""
        day, section = market.day, self.section
        self.cases.count(day)
        if (day + 1) % YEAR_DAYS == 0:
            self.own.add()
        if day < self.begin:
            return
        if day < self.end and (day + 1 - self.begin) % section.period_days == 0:
            self.report.end_period(self.own.take())
        if self.settled < section.periods:
            ended = self.begin + (self.settled + 1) * section.period_days
            if day == ended - 1 + section.report_lag_days:
                self._settle(day, ended)
        self._mark(day)
        if market.find("contagion") is None and self.desk.contracts:
            self.desk.collect()

    def _settle(self, day: int, ended: int) -> None:
        """The committee reports the period that ended before day ``ended``; every open swap settles it."""
        counts = self.cases.between(ended - self.section.period_days, ended)
        sizes = self.cases.sizes
        for place in range(len(self.regions)):
            self.incidence[place] = self.committee.report(int(counts[place]), int(sizes[place]), day, place)
        period = self.settled
        self.settled += 1
        near = self._near(day)
        for position in self.positions:
            swap, contract = position.swap, position.swap.contract
            if contract.open and swap.settled == period:
                owes = swap.terms.premium - swap.terms.payout(self.incidence[swap.terms.region])
                if isinstance(position.buyer, RegionalFund):
                    position.buyer.raise_cash(max(owes, 0))
                before = contract.accounts[Side.SHORT].paid
                swap.settle_period(self.incidence[swap.terms.region], day, self._worth(swap, near, period + 1))
                paid = contract.accounts[Side.SHORT].paid - before
                position.received.append(min(swap.terms.premium, swap.payouts[-1]) + paid)
                self._note_default(contract)
        self.report.close_period(period)

    def _near(self, day: int) -> Ints:
        if not self.positions or day >= self.end:
            days = self.end
        else:
            days = day + 1
        return nearest(self.paths, self.cases.daily[:days], self.section.neighbours)

    def _worth(self, swap: IncidenceSwap, near: Ints, period: int) -> int:
        """Mean of what the nearest paths pay from ``period`` on, less the premiums of those periods."""
        terms = swap.terms
        payouts = self.shares[near[terms.region], period:, terms.region].sum(axis=1)
        return round(float(payouts.mean()) * terms.notional) - terms.premium * (terms.periods - period)

    def _mark(self, day: int) -> None:
        open_now = [position for position in self.positions if position.swap.contract.open]
        if not open_now:
            return
        near = self._near(day)
        for position in open_now:
            contract = position.swap.contract
            value = self._worth(position.swap, near, position.swap.settled)
            if isinstance(position.buyer, RegionalFund):
                call = contract.initial[Side.LONG] + max(-value, 0) - contract.posted(Side.LONG)
                position.buyer.raise_cash(max(call, 0))
            before = contract.accounts[Side.SHORT].paid
            if contract.mark(value, day) is not None:
                position.received.append(contract.accounts[Side.SHORT].paid - before)
                self._note_default(contract)

    def _note_default(self, contract: MarginedContract) -> None:
        if contract.defaulter is not None and contract.closed_on == self.market.day:
            unpaid = contract.accounts[contract.defaulter].unpaid
            self.market.record.event("derivative_default", contract.parties[contract.defaulter].name, unpaid / MICRO,
                                     contract=contract.name)

    # Debts and observations ----------------------------------------------------------------------------------

    def stated(self) -> Sequence[CashParty]:
        """Sellers and regional funds."""
        return [*self.sellers, *self.funds]

    def observe(self, market: Market) -> None:
        self.report.record_day(market)

    def finish(self, market: Market) -> None:
        self.report.record_run(market)
