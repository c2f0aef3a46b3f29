"""What is recorded of pools: daily figures per pool and of the market, and figures of the run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolState
from sim.contracts.insurance.premium import MONTH_DAYS, YEAR_DAYS
from sim.contracts.insurance.vault import to_assets
from sim.kernel.fixedpoint import MICRO

if TYPE_CHECKING:
    from sim.mechanism import Market

WINDOW = 90
STATES = {state: float(code) for code, state in enumerate(PoolState)}
LAYERS = ("claims", "surplus", "junior", "senior")


class Report:
    """Figures of ``pools``. Keeps yesterday's sums, and ninety days of premium and claims."""

    def __init__(self, pools: list[InsurancePool]) -> None:
        self.pools = pools
        self._earned = [0] * len(pools)
        self._incurred = [0] * len(pools)
        self._paid = [0] * len(pools)
        self._income = [0] * len(pools)
        self._window: NDArray[np.float64] = np.zeros((WINDOW, 2))
        self._days = 0
        self._lowest_mcr = math.inf
        self._lowest_scr = math.inf
        self._highest_loss_ratio = math.nan
        self._ratio_sum = 0.0
        self._ratio_days = 0
        self._gated_days = 0

    @staticmethod
    def incurred(pool: InsurancePool) -> int:
        """Claims incurred since the start: approved, reported and unreported."""
        return pool.totals.approved + pool.reserves.outstanding + pool.reserves.ibnr

    def record_day(self, market: Market, base_rates: list[float]) -> None:
        """Record the day's series."""
        pools = [self._record_pool(market, index, pool, rate)
                 for index, (pool, rate) in enumerate(zip(self.pools, base_rates, strict=True))]
        capital, required, members, unpaid, queue, annual = (sum(figures) for figures in zip(*pools, strict=True))
        earned_today = incurred_today = 0.0
        for index, pool in enumerate(self.pools):
            totals, incurred = pool.totals, self.incurred(pool)
            earned_today += totals.earned - self._earned[index]
            incurred_today += incurred - self._incurred[index]
            self._earned[index], self._incurred[index] = totals.earned, incurred
            self._paid[index] = totals.paid
            self._income[index] = totals.senior_income
        self._window[self._days % WINDOW] = earned_today, incurred_today
        self._days += 1
        earned, claims = self._window.sum(axis=0).tolist()
        record = market.record
        record.series("insurance.total_capital", capital / MICRO)
        record.series("insurance.total_required", required / MICRO)
        record.series("insurance.total_members", members)
        record.series("insurance.total_unpaid", unpaid / MICRO)
        record.series("insurance.total_queue", queue / MICRO)
        if members:
            record.series("insurance.mean_premium", annual / members / MICRO)
        if earned:
            ratio = claims / earned
            record.series("insurance.pooled_loss_ratio", ratio)
            if self._days >= WINDOW and not ratio <= self._highest_loss_ratio:
                self._highest_loss_ratio = ratio
        if required:
            self._ratio_sum += capital / required
            self._ratio_days += 1

    def _record_pool(self, market: Market, index: int, pool: InsurancePool, base_rate: float) -> tuple[float, ...]:
        """Record one pool; returns (capital, required, members, unpaid, queue, annual premium)."""
        a, t, r = pool.accounts, pool.totals, pool.reserves
        first_loss, senior_money = pool.first_loss(), pool.senior_money()
        capital, scr, incurred = first_loss + senior_money, pool.scr(), self.incurred(pool)
        junior, senior = max(first_loss, 0), max(senior_money + min(first_loss, 0), 0)
        queue = to_assets(pool.queue.pending, pool.senior.supply, senior, pool.senior.offset)
        mcr = math.ceil(scr * pool.regime.minimum_share)
        borne, unpaid = t.borne_today, pool.unpaid.total
        loss_ratio = incurred / t.earned if t.earned else math.nan
        record, name = market.record.institution, pool.name
        record(name, "insurance.capital", capital / MICRO)
        record(name, "insurance.required_capital", scr / MICRO)
        record(name, "insurance.earned_premium", (t.earned - self._earned[index]) / MICRO)
        record(name, "insurance.incurred", (incurred - self._incurred[index]) / MICRO)
        record(name, "insurance.paid", (t.paid - self._paid[index]) / MICRO)
        record(name, "insurance.unpaid", unpaid / MICRO)
        record(name, "insurance.base_rate", base_rate / MICRO)
        record(name, "insurance.unearned_premium", pool.cash(a.unearned) / MICRO)
        record(name, "insurance.outstanding", r.outstanding / MICRO)
        record(name, "insurance.ibnr", r.ibnr / MICRO)
        record(name, "insurance.claims_fund", pool.cash(a.claims) / MICRO)
        record(name, "insurance.surplus", pool.cash(a.surplus) / MICRO)
        record(name, "insurance.junior", junior / MICRO)
        record(name, "insurance.senior", senior / MICRO)
        record(name, "insurance.withdrawal_queue", queue / MICRO)
        if r.development is not None:
            record(name, "insurance.run_off_expected", r.development.expected_emergence / MICRO)
            record(name, "insurance.run_off_actual", r.development.actual_emergence / MICRO)
        for layer in LAYERS:
            record(name, _borne[layer], borne.get(layer, 0) / MICRO)
        record(name, "insurance.loss_ratio", loss_ratio)
        record(name, "insurance.combined_ratio", loss_ratio + (t.fees / t.earned if t.earned else math.nan))
        record(name, "insurance.members", pool.members)
        if senior:
            record(name, "insurance.lp_yield", (t.senior_income - self._income[index]) * YEAR_DAYS / senior)
        record(name, "insurance.share_price", _price(senior, pool.senior.supply, pool.senior.offset))
        record(name, "insurance.junior_price", _price(junior, pool.junior.supply, pool.junior.offset))
        record(name, "insurance.state", STATES[pool.state])
        if scr:
            record(name, "insurance.scr_ratio", capital / scr)
            record(name, "insurance.mcr_ratio", capital / mcr)
            if pool.members:
                self._lowest_scr = min(self._lowest_scr, capital / scr)
                self._lowest_mcr = min(self._lowest_mcr, capital / mcr)
        self._gated_days += pool.state is PoolState.GATED
        annual = pool.monthly_premium * YEAR_DAYS / MONTH_DAYS
        return float(capital), float(scr), float(pool.members), float(unpaid), float(queue), annual

    def record_run(self, market: Market, refunds: int) -> None:
        """Record the figures of the run."""
        pools, metric = self.pools, market.record.metric
        for pool in pools:
            market.record.triangle(pool.name, pool.reserves.triangle.paid, pool.reserves.triangle.incurred)
        earned = sum(pool.totals.earned for pool in pools)
        approved = sum(pool.totals.approved for pool in pools)
        paid = sum(pool.totals.paid for pool in pools)
        unpaid = sum(pool.unpaid.total for pool in pools)
        failed = [pool.defaulted_on for pool in pools if pool.defaulted_on is not None]
        if earned:
            loss = sum(self.incurred(pool) for pool in pools) / earned
            expense = sum(pool.totals.fees for pool in pools) / earned
            metric("insurance.incurred_loss_ratio", loss)
            metric("insurance.expense_ratio", expense)
            metric("insurance.combined_ratio", loss + expense)
        metric("insurance.incurred_loss_ratio_highest", self._highest_loss_ratio)
        metric("insurance.defaults", len(failed))
        metric("insurance.any_default", float(bool(failed)))
        metric("insurance.time_to_ruin_days", min(failed, default=market.horizon_days))
        metric("insurance.unpaid_claims", unpaid / MICRO)
        metric("insurance.unpaid_share", unpaid / approved if approved else 0.0)
        metric("insurance.paid_claims", paid / MICRO)
        metric("insurance.premium_earned", earned / MICRO)
        metric("insurance.lowest_mcr_ratio", self._lowest_mcr)
        metric("insurance.lowest_scr_ratio", self._lowest_scr)
        if self._ratio_days:
            metric("insurance.mean_scr_ratio", self._ratio_sum / self._ratio_days)
        metric("insurance.gated_days", self._gated_days)
        for layer, name in zip(LAYERS, ("claims_fund", "surplus", "junior", "senior"), strict=True):
            borne = sum(pool.totals.by_layer.get(layer, 0) for pool in pools)
            metric(f"insurance.borne_by_{name}", borne / paid if paid else 0.0)
        metric("insurance.dividends", sum(pool.totals.dividends for pool in pools) / MICRO)
        metric("insurance.premium_refunds", refunds / MICRO)
        members = np.array([pool.members for pool in pools], dtype=np.float64)
        metric("insurance.members_end", float(members.sum()))
        if members.sum():
            metric("insurance.concentration", float(((members / members.sum()) ** 2).sum()))


def _price(value: int, supply: int, offset: int) -> float:
    return (value + 1) * 10**offset / (supply + 10**offset)


_borne = {layer: f"insurance.borne_{layer}" for layer in LAYERS}
