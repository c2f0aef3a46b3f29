"""What is recorded of incidence swaps: values and margin by day, variance with and without the hedge at the end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.agents.derivatives.effectiveness import hedge
from sim.contracts.derivatives.margin import Side
from sim.contracts.insurance.pool import InsurancePool
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Market

if TYPE_CHECKING:
    from sim.agents.derivatives.outbreak_swap import OutbreakSwap, Position

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PER_MILLION = 10


def incurred(pool: InsurancePool) -> int:
    """Claims approved or reported since the start; estimates of unreported ones are left out."""
    return pool.totals.approved + pool.reserves.outstanding


class SwapReport:
    """Losses by period: ``claims`` and ``own`` have a list of floats, USD per person, for each pool and region."""

    def __init__(self, desk: OutbreakSwap, market: Market) -> None:
        self.owner = desk
        self.people = market.people
        self.claims: list[list[float]] = []
        self.own: list[Floats] = []
        self.relief: list[list[float]] = []
        self.total_own: Ints = np.zeros(market.people.size, dtype=np.int64)
        self._seen: list[int] = []
        self._waiting: list[Ints] = []
        self.members: list[int] = []

    def open(self, market: Market) -> None:
        """The trade day: members of pools, and their claims so far, which are not of the term."""
        self.members = [party.pool.members for party in self.owner.pools]
        self._seen = [incurred(party.pool) for party in self.owner.pools]
        self.owner.own.take()

    def end_period(self, paid: Ints) -> None:
        """A period has ended: its claims, and what residents ``paid`` int64[people] themselves."""
        now = [incurred(party.pool) for party in self.owner.pools]
        self.claims.append([(after - before) / MICRO / max(members, 1)
                            for after, before, members in zip(now, self._seen, self.members, strict=True)])
        self._seen = now
        self.total_own += paid
        self._waiting.append(paid)
        self.own.append(np.array([float(paid[slots].mean()) / MICRO if slots.size else 0.0
                                  for slots in self.owner.residents]))

    def close_period(self, period: int) -> None:
        """A period was settled: its payout becomes relief, on what residents paid in it."""
        paid = self._waiting.pop(0)
        given = []
        last = period + 1 == self.owner.section.periods
        for place, fund in enumerate(self.owner.funds):
            position = self._of(fund.name)
            pot = 0
            if position is not None and len(position.received) > period:
                pot = position.received[period]
            equal = self.owner.section.relief == "equal"
            amount = fund.distribute(pot) if equal else fund.reimburse(pot, paid[fund.slots])
            given.append(amount / MICRO / max(fund.slots.size, 1))
            if last and not any(place == other.swap.terms.region and other.buyer is fund and other.swap.contract.open
                                for other in self.owner.positions):
                fund.dissolve()
        self.relief.append(given)

    def _of(self, buyer: str) -> Position | None:
        return next((one for one in self.owner.positions if one.buyer.name == buyer), None)

    def record_day(self, market: Market) -> None:
        """Record the day's series."""
        owner, record = self.owner, market.record
        contracts = owner.desk.contracts
        record.series("outbreak_swap.value", sum(one.value for one in contracts if one.open) / MICRO)
        record.series("outbreak_swap.margin", owner.desk.margin() / MICRO)
        record.series("outbreak_swap.unpaid", owner.desk.total("unpaid") / MICRO)
        if owner.settled:
            for name, incidence in zip(owner.regions, owner.incidence, strict=True):
                record.institution(name, "outbreak_swap.incidence", incidence / PER_MILLION)
        for position in owner.positions:
            record.institution(position.buyer.name, "outbreak_swap.payout", sum(position.swap.payouts) / MICRO)

    def record_run(self, market: Market) -> None:
        """Record the figures of the run."""
        owner, metric = self.owner, market.record.metric
        positions = owner.positions
        payout = sum(sum(one.swap.payouts) for one in positions)
        expected = sum(one.expected for one in positions)
        premium = sum(one.swap.terms.premium * one.swap.terms.periods for one in positions)
        metric("outbreak_swap.notional", sum(one.swap.terms.notional for one in positions) / MICRO)
        metric("outbreak_swap.expected_payout", expected / MICRO)
        metric("outbreak_swap.payout", payout / MICRO)
        metric("outbreak_swap.premium", premium / MICRO)
        if expected > 0:
            metric("outbreak_swap.payout_less_expected", payout / expected - 1.0)
            metric("outbreak_swap.price_ratio", premium / expected)
        desk = owner.desk
        metric("outbreak_swap.paid", desk.total("paid") / MICRO)
        metric("outbreak_swap.unpaid", desk.total("unpaid") / MICRO)
        owed = desk.total("owed", Side.SHORT)
        if owed:
            metric("outbreak_swap.unpaid_share", desk.total("unpaid", Side.SHORT) / owed)
        metric("outbreak_swap.defaults", desk.defaults())
        metric("outbreak_swap.refused", owner.refused)
        metric("outbreak_swap.seller_result", (desk.total("paid", Side.LONG) - desk.total("paid", Side.SHORT)) / MICRO)
        metric("outbreak_swap.relief", sum(int(fund.relieved.sum()) for fund in owner.funds) / MICRO)
        metric("outbreak_swap.levy", sum(int(fund.levied.sum()) for fund in owner.funds) / MICRO)
        metric("outbreak_swap.levy_unpaid", sum(fund.levy_unpaid for fund in owner.funds) / MICRO)
        self._record_pools(market)
        self._record_own(market)

    def _record_pools(self, market: Market) -> None:
        """Variance of claims per member over pools and periods, and of their sum over the term between runs."""
        owner, metric = self.owner, market.record.metric
        if not self.claims or not self.members:
            return
        losses = np.array(self.claims)
        payouts, premiums = np.zeros_like(losses), np.zeros_like(losses)
        hedged = False
        for place, party in enumerate(owner.pools):
            position = self._of(party.name)
            if position is not None:
                hedged = True
                for rows, amounts in ((payouts, position.received), (premiums, position.swap.premiums)):
                    rows[:len(amounts), place] = np.array(amounts) / MICRO / max(self.members[place], 1)
        found = hedge(losses.ravel(), payouts.ravel(), premiums.ravel())
        metric("outbreak_swap.pool_loss_variance", found.hedged)
        metric("outbreak_swap.pool_loss_variance_unhedged", found.unhedged)
        if hedged and math.isfinite(found.effectiveness):
            metric("outbreak_swap.pool_effectiveness", found.effectiveness)
        if math.isfinite(found.correlation):
            metric("outbreak_swap.basis_correlation", found.correlation)
        metric("outbreak_swap.loss_events", found.events)
        if hedged and found.events:
            metric("outbreak_swap.loss_events_without_payout", found.without_payout)
        weights = np.array(self.members, dtype=np.float64) / max(sum(self.members), 1)
        regions = [party.pool.region for party in owner.pools]
        rates = owner.path_rates.sum(axis=1).mean(axis=0) / 100_000.0
        mean = np.array([rates[region] if region >= 0 else rates.mean() for region in regions])
        deviation = losses.sum(axis=0) - owner.section.loss_per_case * mean
        cover = payouts.sum(axis=0)
        believed = np.array([0.0 if (one := self._of(party.name)) is None
                             else one.expected / MICRO / max(self.members[place], 1)
                             for place, party in enumerate(owner.pools)])
        metric("outbreak_swap.pool_squared_deviation_unhedged", float(weights @ deviation) ** 2)
        metric("outbreak_swap.pool_squared_deviation", float(weights @ (deviation - cover + believed)) ** 2)

    def _record_own(self, market: Market) -> None:
        """Variance of own payments: regional means over periods, and persons' sums over the term."""
        owner, metric = self.owner, market.record.metric
        if not self.own:
            return
        periods = min(len(self.own), len(self.relief))
        losses = np.array(self.own[:periods])
        relief, premiums = np.zeros_like(losses), np.zeros_like(losses)
        for place, fund in enumerate(owner.funds):
            relief[:, place] = [one[place] for one in self.relief[:periods]]
            position = self._of(fund.name)
            if position is not None:
                amounts = position.swap.premiums[:periods]
                premiums[:len(amounts), place] = np.array(amounts) / MICRO / max(fund.slots.size, 1)
        found = hedge(losses.ravel(), relief.ravel(), premiums.ravel())
        metric("outbreak_swap.own_payment_variance", found.hedged)
        metric("outbreak_swap.own_payment_variance_unhedged", found.unhedged)
        if not owner.funds:
            return
        if math.isfinite(found.effectiveness):
            metric("outbreak_swap.own_payment_effectiveness", found.effectiveness)
        net = self.total_own.astype(np.float64)
        for fund in owner.funds:
            net[fund.slots] += fund.levied - fund.relieved
        before = float(self.total_own.astype(np.float64).var())
        if before > 0.0:
            metric("outbreak_swap.individual_effectiveness", 1.0 - float(net.var()) / before)
