"""Mechanism "insurance": the registry of pools, and what patients, claims and insurers may ask of it.

Holds the pools, the people's membership, and which claims were settled. Per day: the chain's calls (premium, enrolment,
deposits) come first, then approved claims are settled, then each pool earns its premium if it has not yet, serves its
withdrawal queue and looks at its gate. What can never be: a claim is settled twice. Rounding: see :mod:`pool`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.accounts import FeeAccounts
from sim.contracts.insurance.capital import CapitalParameters, regime
from sim.contracts.insurance.checks import pool_checks
from sim.contracts.insurance.membership import NOT_OFFERED, Membership
from sim.contracts.insurance.options import Options
from sim.contracts.insurance.policy import Terms
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolConfig, PoolError, PoolState
from sim.contracts.insurance.premium import YEAR_DAYS, PremiumShares, loss_ratio_rebate
from sim.contracts.insurance.products import plans_by_pool, pool_names, terms_of
from sim.contracts.insurance.rating import COMMUNITY_RATING, FACTOR, SHIPPED_CURVE, age_curve_file, read_age_curve
from sim.contracts.insurance.report import Report
from sim.contracts.insurance.statement import statement
from sim.kernel.fixedpoint import BPS, MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase, Statement
from sim.scenario.sections.insurance import InsuranceSection


class Insurance(Mechanism):
    """The pools. ``pools[j]`` is pool j; the people's column ``pool`` holds j, or -1."""

    section: InsuranceSection
    hooks = (
        Hook(Phase.SHOCKS, "open_day"),
        Hook(Phase.SETTLEMENT, "end_day", after=("chain", "claims")),
    )
    shocks: Mapping[str, str] = {"insurance_stop_writing": "stop_writing", "insurance_wind_down": "wind_down"}

    def setup(self, market: Market) -> None:
        section = self.section
        self.market = market
        self.ledger = market.ledger
        self.usd: int = market.ledger.asset_id("USDs")
        shares = section.premium_shares
        config = PoolConfig(
            PremiumShares.of(shares.claims, shares.administration, shares.oracles, shares.treasury, shares.capital),
            section.share_offset, section.report_lag_days, section.report_lag_claims, section.run_off_tail_days,
            section.reserving)
        parameters = CapitalParameters(
            section.fixed_ratio, section.sigma, section.member_cv, section.systemic_sd, round(section.gearing * BPS),
            section.mcr_share, section.reserve_sigma, round(section.pandemic_cost * MICRO), section.zero_share,
            section.own_quantile, section.own_measure, section.own_credibility, section.mcr_updates_per_day)
        names = pool_names(section)
        regions = [*section.pool_regions, *([-1] * (section.pools - len(section.pool_regions)))]
        plans = plans_by_pool(section)
        nobody = FeeAccounts(-1, -1)
        self.pools = [
            InsurancePool(self.ledger, self.usd, name, [terms_of(plan) for plan in written], config,
                          regime(section.capital_regime, replace(parameters, lump_sum=written[0].form == "lump_sum")),
                          nobody, region)
            for name, region, written in zip(names, regions, plans, strict=True)]
        self.option_names = [f"{name}/{plan.name}" if plan.name else name
                             for name, written in zip(names, plans, strict=True) for plan in written]
        self.membership = Membership(market.people, self.ledger, self.usd, self.pools, self._age_factors(market),
                                     section.capacity_ratio)
        for entry in section.governable:
            market.parameters.register(entry.path, getattr(section, entry.path.split(".")[1]), entry.low, entry.high,
                                       entry.integer)
        self._year_start = [(0, 0)] * len(self.pools)
        self._filed: list[tuple[int, int, int]] = []
        self._settled = np.zeros(1024, dtype=np.bool_)
        self.settled_count = 0
        self.refunds = 0
        self._late: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self.report_figures = Report(self.pools)

    def start(self, market: Market) -> None:
        treasury = market.treasury_account()
        oracles = self.ledger.account("oracle_fees") if self.ledger.has_account("oracle_fees") else treasury
        for pool in self.pools:
            pool.fees = FeeAccounts(oracles, treasury)

    def _age_factors(self, market: Market) -> NDArray[np.int64]:
        population = market.find("population")
        if self.section.age_curve == COMMUNITY_RATING:
            return np.array([FACTOR], dtype=np.int64)
        if self.section.age_curve or population is None:
            return read_age_curve(age_curve_file(self.section.age_curve or SHIPPED_CURVE))
        factors: NDArray[np.int64] = np.rint(population.tables.rating * FACTOR).astype(np.int64)
        return factors

    # What anybody may ask ------------------------------------------------------------------------------------

    @property
    def options(self) -> Options:
        """What a person may choose among: each plan of each pool."""
        return self.membership.options

    @property
    def plan_terms(self) -> list[Terms]:
        """Terms of each option."""
        return self.options.terms

    @property
    def pays_patient(self) -> NDArray[np.bool_]:
        """bool[options]: whether payments go to the insured (a lump sum) and not to the provider of care."""
        return np.array([terms.pays_patient for terms in self.plan_terms])

    def held(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """The option that each person holds, int64[n]; -1 for none."""
        return self.membership.held(slots)

    @property
    def outstanding(self) -> NDArray[np.int64]:
        """int64[pools]: case reserves."""
        return np.array([pool.reserves.outstanding for pool in self.pools], dtype=np.int64)

    def premium_rates(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """Annual premium int64[options, n] of each person in base units; -1 where a pool would not take it."""
        rates = self.membership.rates(slots)
        rates[(rates <= 0) | ~self.membership.offered(slots)] = NOT_OFFERED
        return rates

    def marginal_coinsurance(self, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Share of the next dollar of care that each person pays itself, float64[n]."""
        return self.membership.marginal_coinsurance(slots)

    # Insurers ------------------------------------------------------------------------------------------------

    def file_rate(self, option: int, base_rate: int, effective: int) -> None:
        """File an option's annual premium at age factor 1, in force from the morning of day ``effective``; 0 closes
        the plan: nobody can begin a contract year in it."""
        if base_rate < 0:
            raise PoolError(f"a rate of {base_rate} is filed")
        self._filed.append((effective, option, base_rate))
        self._apply_rates(self.market.day)

    def _apply_rates(self, day: int) -> None:
        for effective, option, base_rate in self._filed:
            if effective <= day:
                self.membership.base_rates[option] = base_rate
        self._filed = [filed for filed in self._filed if filed[0] > day]

    # Patients ------------------------------------------------------------------------------------------------

    def split(
        self, slots: NDArray[np.int64], costs: NDArray[np.int64], kinds: NDArray[np.int8] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(patient's share, pool's share) of costs int64[n] in row order; advances the people's accumulators.

        ``kinds`` int8[n] are needed for lump sums: then the patient's share is the whole cost and the pool's share the
        benefit due to the patient.
        """
        return self.membership.split(slots, costs, kinds, self.market.day)

    def enrol(self, slots: NDArray[np.int64], options: NDArray[np.int64], day: int) -> NDArray[np.bool_]:
        """Begin (or renew) a contract year with these options; bool[n] who was taken. A pool takes newcomers in row
        order up to its capacity; whoever is refused keeps what he had."""
        return self.membership.enrol(slots, options, day)

    def lapse(self, slots: NDArray[np.int64]) -> None:
        """End cover today; premium not yet earned goes back to who paid it."""
        self._count_refunds(self.membership.leave(slots))

    def pay_premiums(
        self, slots: NDArray[np.int64], own: NDArray[np.int64], sponsor_accounts: NDArray[np.int64],
        sponsored: NDArray[np.int64], days: NDArray[np.int64] | None = None,
    ) -> NDArray[np.bool_]:
        """Pay each person's premium for ``days`` int64[n] (default: the days that the amount buys, at most a month):
        ``own`` from the person and ``sponsored`` from its sponsor, both or neither. bool[n] who paid, in row order."""
        return self.membership.pay_premiums(slots, own, sponsor_accounts, sponsored, days)

    # Claims --------------------------------------------------------------------------------------------------

    def report(
        self, pools: NDArray[np.int64], amounts: NDArray[np.int64], incurred_days: NDArray[np.int64] | None = None,
        plans: NDArray[np.integer] | None = None,
    ) -> None:
        """Claims int64[n] are filed with these pools for care on ``incurred_days`` (default: today), under ``plans``
        (default: the first)."""
        for index, rows in self._by_pool(pools):
            self.pools[index].report(self.market.day, amounts[rows], self._days(incurred_days, rows),
                                     None if plans is None else plans[rows])

    def release(
        self, pools: NDArray[np.int64], amounts: NDArray[np.int64], incurred_days: NDArray[np.int64] | None = None,
        plans: NDArray[np.integer] | None = None,
    ) -> None:
        """Claims int64[n] that were reported at these amounts have been decided."""
        for index, rows in self._by_pool(pools):
            self.pools[index].release(self.market.day, amounts[rows], self._days(incurred_days, rows),
                                      None if plans is None else plans[rows])

    def settle(
        self, pool: int, claim_ids: NDArray[np.int64], amounts: NDArray[np.int64], payees: NDArray[np.int64],
        kind: str = "claim", incurred_days: NDArray[np.int64] | None = None, plans: NDArray[np.integer] | None = None,
    ) -> NDArray[np.int64]:
        """Pay approved claims of one pool, each once; returns what each receives, int64[n]. The rest is recorded as
        unpaid and may be paid in run-off (:meth:`drain_late_payments`). PoolError for a claim that was settled before.
        """
        self._settle_once(claim_ids)
        waiting = self.pools[pool].unpaid
        paid = self.pools[pool].settle(self.market.day, claim_ids, amounts, payees, kind, incurred_days, plans)
        self._note_late(pool, waiting, claim_ids.size)
        return paid

    def drain_late_payments(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(claim ids, amounts) paid since the last call on claims that had stayed unpaid."""
        late, self._late = self._late, []
        empty = np.zeros(0, dtype=np.int64)
        return (np.concatenate([empty, *(ids for ids, _ in late)]),
                np.concatenate([empty, *(amounts for _, amounts in late)]))

    # Liquidity providers -------------------------------------------------------------------------------------

    def deposit(self, pool: int, owner: int, assets: int, tranche: str = "senior") -> int:
        """Buy shares of a pool; returns the shares."""
        return self.pools[pool].deposit(owner, assets, tranche)

    def request_withdrawal(self, pool: int, owner: int, shares: int) -> int:
        """Queue senior shares for redemption; returns the request's number."""
        return self.pools[pool].request_withdrawal(owner, shares, self.market.day)

    # Shocks --------------------------------------------------------------------------------------------------

    def stop_writing(self, pools: list[str], region: int, days: int) -> None:
        """Shock ``insurance_stop_writing``."""
        until = self.market.day + days - 1 if days else self.market.horizon_days
        for pool in self._named(pools, region):
            pool.ban(until)

    def wind_down(self, pools: list[str], region: int, cut_cover: bool) -> None:
        """Shock ``insurance_wind_down``."""
        for pool in self._named(pools, region):
            pool.enter_run_off(self.market.day, cut_cover)
            self.market.record.event("run_off", pool.name, reason="order")

    # The day -------------------------------------------------------------------------------------------------

    def open_day(self, market: Market) -> None:
        """Put filed rates into force; end the cover of members whose pool failed, and give back unearned premium."""
        self._apply_rates(market.day)
        for index, pool in enumerate(self.pools):
            pool.today = market.day
            if pool.cover_cut and pool.members:
                refunds = self.membership.leave(np.flatnonzero(market.people["pool"] == index))
                self._count_refunds(refunds)
                market.record.event("cover_cut", pool.name, refunds / MICRO)

    def end_day(self, market: Market) -> None:
        """Earn premium, pay what run-off allows, serve withdrawals, look at gates, close what is done."""
        day = market.day
        gate = market.parameters["insurance.mcr_gate"]
        cooldown = int(market.parameters["insurance.withdrawal_cooldown_days"])
        none = np.zeros(0, dtype=np.int64)
        self.withdrawals_today: list[tuple[int, int, int, int]] = []
        for index, pool in enumerate(self.pools):
            pool.accrue(day)
            if pool.unpaid.total:
                waiting = pool.unpaid
                pool.settle(day, none, none, none)
                self._note_late(index, waiting, 0)
            if day % self.section.profit_interval_days == self.section.profit_interval_days - 1:
                pool.release_profit()
            if self.section.rebate_threshold > 0.0 and day % YEAR_DAYS == YEAR_DAYS - 1:
                self._rebate(index, pool)
            if len(pool.queue):
                self.withdrawals_today.extend((index, *paid) for paid in pool.serve_withdrawals(day, cooldown, gate))
            before = pool.state
            pool.watch_gate(gate)
            if pool.state is not before or pool.defaulted_on == day:
                self._tell(pool, before)
            if pool.state is PoolState.RUN_OFF and pool.close_if_done(day):
                market.record.event("closed", pool.name, pool.capital / MICRO)

    def _rebate(self, index: int, pool: InsurancePool) -> None:
        """Give back what the year's loss ratio fell short of the threshold."""
        earned, incurred = pool.totals.earned, self.report_figures.incurred(pool)
        earned_before, incurred_before = self._year_start[index]
        self._year_start[index] = (earned, incurred)
        owed = loss_ratio_rebate(earned - earned_before, max(incurred - incurred_before, 0),
                                 round(self.section.rebate_threshold * BPS))
        if owed and pool.run_off_since is None:
            paid = self.membership.rebate(index, owed)
            self.market.record.event("premium_rebate", pool.name, paid / MICRO)

    def _tell(self, pool: InsurancePool, before: PoolState) -> None:
        if pool.defaulted_on == self.market.day:
            self.market.record.event("default", pool.name, pool.unpaid.total / MICRO, insolvency=pool.insolvency)
        elif pool.state is PoolState.GATED:
            self.market.record.event("gate_shut", pool.name, pool.capital / MICRO)
        elif before is PoolState.GATED:
            self.market.record.event("gate_open", pool.name, pool.capital / MICRO)

    def observe(self, market: Market) -> None:
        self.report_figures.record_day(market, [self.membership.pool_rate(j) for j in range(len(self.pools))])

    def finish(self, market: Market) -> None:
        self.report_figures.record_run(market, self.refunds)

    def statements(self) -> list[Statement]:
        return [statement(pool) for pool in self.pools]

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield from pool_checks(self.pools, self.market.people)
        yield "insurance.nobody_is_paid_twice", self._check_settled_once

    def _check_settled_once(self) -> str | None:
        marked = int(np.count_nonzero(self._settled))
        return None if marked == self.settled_count else f"{self.settled_count} settlements of {marked} claims"

    # Helpers -------------------------------------------------------------------------------------------------

    def _settle_once(self, claim_ids: NDArray[np.int64]) -> None:
        if claim_ids.size == 0:
            return
        if int(claim_ids.max()) >= self._settled.size:
            grown = np.zeros(max(int(claim_ids.max()) + 1, 2 * self._settled.size), dtype=np.bool_)
            grown[:self._settled.size] = self._settled
            self._settled = grown
        distinct = (claim_ids[1:] > claim_ids[:-1]).all() or np.unique(claim_ids).size == claim_ids.size
        if not distinct or self._settled[claim_ids].any():
            raise PoolError("a claim would be settled twice")
        self._settled[claim_ids] = True
        self.settled_count += claim_ids.size
        self.ledger.on_rollback(lambda: self._unsettle(claim_ids))

    def _unsettle(self, claim_ids: NDArray[np.int64]) -> None:
        self._settled[claim_ids] = False
        self.settled_count -= claim_ids.size

    def _note_late(self, pool: int, waiting: Any, new: int) -> None:
        """Remember what was paid today on claims that were unpaid before today's ``new`` ones."""
        if len(waiting) == 0:
            return
        left = dict(zip(self.pools[pool].unpaid.ids.tolist(), self.pools[pool].unpaid.amounts.tolist(), strict=True))
        still = np.array([left.get(claim, 0) for claim in waiting.ids.tolist()], dtype=np.int64)
        rows = np.flatnonzero(waiting.amounts > still)
        if rows.size:
            self._late.append((waiting.ids[rows], waiting.amounts[rows] - still[rows]))

    def _count_refunds(self, amount: int) -> None:
        self.refunds += amount
        if amount:
            self.ledger.on_rollback(lambda: setattr(self, "refunds", self.refunds - amount))

    def _days(self, incurred_days: NDArray[np.int64] | None, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        if incurred_days is None:
            return np.full(rows.size, self.market.day, dtype=np.int64)
        return incurred_days[rows].astype(np.int64)

    @staticmethod
    def _by_pool(pools: NDArray[np.int64]) -> Iterable[tuple[int, NDArray[np.int64]]]:
        for index in np.bincount(pools).nonzero()[0].tolist():
            yield index, (pools == index).nonzero()[0]

    def _named(self, names: list[str], region: int) -> list[InsurancePool]:
        unknown = set(names) - {pool.name for pool in self.pools}
        if unknown:
            raise ValueError(f"there is no pool {sorted(unknown)[0]!r}")
        return [pool for pool in self.pools
                if (not names or pool.name in names) and (region < 0 or pool.region == region)]
