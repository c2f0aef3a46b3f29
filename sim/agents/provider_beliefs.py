"""What liquidity providers see of pools, and what they make of it: share values, yields, tails, exit hazards.

Every pool's share values, premium income and queue are public; most providers see share values some days late.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.premium import SHARE
from sim.kernel.draws import unit_normal
from sim.scenario.sections.liquidity_providers import LiquidityProvidersSection

LOSS_DAYS = 5
YEAR_DAYS = 365
TAIL = 0.05
TAIL_NODES = 16

_TAIL_NORMALS = np.array([unit_normal(1.0 - TAIL * (i + 0.5) / TAIL_NODES) for i in range(TAIL_NODES)])


class PoolFacts:
    """The pools' public accounts at the end of a day, each float64[pools]; money in base units."""

    __slots__ = ("annual_premium", "capital_share", "expected_claims", "first_loss", "members", "pools", "price",
                 "queue_share", "senior", "senior_income", "unit_value")

    def __init__(self, pools: Sequence[InsurancePool]) -> None:
        self.pools = pools
        rows = [_facts(pool) for pool in pools]
        columns = np.array(rows, dtype=np.float64).reshape(len(rows), 9).T
        (self.first_loss, self.senior, self.senior_income, self.members, self.annual_premium, self.expected_claims,
         supply, pending, virtual) = columns
        self.unit_value: NDArray[np.float64] = (self.senior + 1.0) / (supply + virtual)
        self.price: NDArray[np.float64] = self.unit_value * virtual
        self.queue_share: NDArray[np.float64] = pending / np.maximum(supply, 1.0)
        self.capital_share = np.array([pool.config.shares.capital / SHARE for pool in pools])


def _facts(pool: InsurancePool) -> tuple[float, ...]:
    first_loss, book = pool.first_loss(), pool.book()
    senior = max(pool.senior_money() + min(first_loss, 0), 0)
    return (first_loss, senior, pool.totals.senior_income, book.members, book.annual_premium, book.expected_claims,
            pool.senior.supply, pool.queue.pending, 10**pool.senior.offset)


class PoolRecord:
    """End-of-day share prices and cumulated senior income of each pool, float64[days, pools], for the last days, and
    the last day's facts."""

    def __init__(self, pools: Sequence[InsurancePool], days: int) -> None:
        self.pools = pools
        self._prices: NDArray[np.float64] = np.ones((days, len(pools)))
        self._income: NDArray[np.float64] = np.zeros((days, len(pools)))
        self.count = 0
        self.facts = PoolFacts(pools)

    def add(self) -> None:
        """Take down the end of a day."""
        self.facts = PoolFacts(self.pools)
        place = self.count % len(self._prices)
        self._prices[place] = self.facts.price
        self._income[place] = self.facts.senior_income
        self.count += 1

    def price(self, days_ago: int) -> NDArray[np.float64]:
        """Share prices float64[pools] so many days before the last one taken down; at most as old as the record."""
        return self._prices[self._place(days_ago)]

    def income(self, days: int) -> NDArray[np.float64]:
        """Premium that came to the senior tranches over the last ``days`` taken down, base units, float64[pools]."""
        result: NDArray[np.float64] = self._income[self._place(0)] - self._income[self._place(days)]
        return result

    def _place(self, days_ago: int) -> int:
        oldest = min(self.count, len(self._prices)) - 1
        return (self.count - 1 - min(days_ago, max(oldest, 0))) % len(self._prices)


def fall(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative loss of share value, never negative."""
    result: NDArray[np.float64] = np.maximum(1.0 - after / before, 0.0)
    return result


def exit_hazards(record: PoolRecord, section: LiquidityProvidersSection) -> NDArray[np.float64]:
    """Chance float64[2, pools] that a provider asks for its capital today; row 0 the uninformed, row 1 the informed.

    1 - exp(-(base + a loss of share value in five days + b queue + c informed x loss that others do not see yet)),

    where losses and the queue count only beyond what is ordinary (see the parameters). Each of the three reasons beside
    the base can be switched off.
    """
    lead = section.informed_lead_days

    def alarming(loss: NDArray[np.float64]) -> NDArray[np.float64]:
        beyond: NDArray[np.float64] = np.maximum(loss - section.ordinary_loss, 0.0)
        return beyond

    by_loss = section.exit_loss if section.reacts_to_losses else 0.0
    by_queue = section.exit_queue if section.reacts_to_exits else 0.0
    common = section.exit_base + by_queue * np.maximum(record.facts.queue_share - section.ordinary_queue, 0.0)
    late = common + by_loss * alarming(fall(record.price(lead + LOSS_DAYS), record.price(lead)))
    early = late
    if section.informed_exits:
        hidden = alarming(fall(record.price(lead), record.price(0)))
        early = (common + by_loss * alarming(fall(record.price(LOSS_DAYS), record.price(0)))
                 + section.exit_hidden * hidden)
    chances: NDArray[np.float64] = -np.expm1(-np.array([late, early]))
    return chances


def expected_yields(record: PoolRecord, section: LiquidityProvidersSection) -> NDArray[np.float64]:
    """Premium income a year less losses a year, over senior capital, float64[pools]; NaN where there is no capital.

    Income is that of the window, the posted premium standing in for days that the record has not; the loss rate is the
    window's, weighed with ``prior_years`` of the prior rate. Losses are income that did not stay in the share value.
    """
    facts, window = record.facts, section.yield_window_days
    seen = min(max(record.count - 1, 0), window)
    nothing: NDArray[np.float64] = np.zeros(facts.senior.size)
    value = np.where(facts.senior > 0.0, facts.senior, np.nan)
    received = record.income(seen) if seen else nothing
    income = (received + posted_income(facts) * (window - seen) / YEAR_DAYS) / window * YEAR_DAYS / value
    growth = record.price(0) / record.price(seen) - 1.0 if seen else nothing
    lost = np.maximum(received / value - growth, 0.0)
    years = seen / YEAR_DAYS
    loss_rate = (lost + section.prior_years * section.prior_loss_rate) / max(years + section.prior_years, 1e-9)
    result: NDArray[np.float64] = income - loss_rate
    return result


def posted_income(facts: PoolFacts) -> NDArray[np.float64]:
    """What the premium in force will bring the senior tranches in a year, base units, float64[pools]."""
    both = np.maximum(facts.first_loss, 0.0) + facts.senior
    income: NDArray[np.float64] = facts.annual_premium * facts.capital_share * facts.senior / np.maximum(both, 1.0)
    return income


def tail_losses(facts: PoolFacts, member_cv: float, systemic_sd: float) -> NDArray[np.float64]:
    """CVaR 95 %, float64[pools]: expected share of senior capital lost in the worst 5 % of years, if a year's claims
    are lognormal about what the premium provides for and the first-loss money stands before."""
    own = member_cv**2 / np.maximum(facts.members, 1.0)
    variance = np.log1p(own + systemic_sd**2 * (1.0 + own))[:, None]
    claims = facts.expected_claims[:, None] * np.exp(np.sqrt(variance) * _TAIL_NORMALS - 0.5 * variance)
    beyond = claims - (facts.expected_claims + np.maximum(facts.first_loss, 0.0))[:, None]
    shares = np.minimum(np.maximum(beyond / np.maximum(facts.senior, 1.0)[:, None], 0.0), 1.0)
    losses: NDArray[np.float64] = np.add.reduce(shares, axis=1) / TAIL_NODES
    return np.where(facts.senior > 0.0, losses, 0.0)
