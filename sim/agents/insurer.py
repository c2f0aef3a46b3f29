"""Mechanism "insurers": one insurer per pool. It files rates, stakes the junior tranche and manages capital.

An insurer sees its own pool's books, public statistics (spending by age, the market's ages, the medical price index)
and nothing of its members' health.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.agents.plan_rating import PlanRating, begin, learn, to_close, trended
from sim.agents.rate_making import cost_quantiles, limited_change, pool_share, rate
from sim.contracts.insurance.capital import Book, InternalModel
from sim.contracts.insurance.policy import Terms
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolState
from sim.contracts.insurance.premium import YEAR_DAYS
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.insurers import InsurersSection
from sim.world.tables import read_table

if TYPE_CHECKING:
    from sim.kernel.columns import Columns


class Insurer(mesa.Agent):
    """Runs one pool. ``plans`` are its estimates, one for each plan that the pool writes."""

    def __init__(
        self, model: Any, section: InsurersSection, insurance: Any, index: int, expected_losses: list[float]
    ) -> None:
        super().__init__(model)
        self.section = section
        self.insurance = insurance
        self.index = index
        self.pool: InsurancePool = insurance.pools[index]
        self.account: int = insurance.ledger.open_account(f"{self.pool.name}.sponsor", "insurers")
        first = int(insurance.options.first[index])
        self.plans = [PlanRating(first + plan, plan, terms, loss)
                      for plan, (terms, loss) in enumerate(zip(self.pool.plans, expected_losses, strict=True))]
        self.opening_book = Book(0, 0, 0, 0, 0)
        self.credibilities: list[float] = []
        self.changes: list[float] = []
        self.days_not_writing = 0
        self.plans_closed = 0

    @property
    def expected_loss(self) -> float:
        """Estimated claims of a unit of exposure, dollars: the mean of its plans by the members they have."""
        if len(self.plans) == 1:
            return self.plans[0].expected_loss
        members = self.pool.books.members
        weights = members if members.any() else None
        return float(np.average([plan.expected_loss for plan in self.plans], weights=weights))

    def rate_in_force(self, plan: PlanRating) -> int:
        """Annual premium of a plan at age factor 1 in force, base units; 0 for a closed plan."""
        return int(self.insurance.membership.base_rates[plan.option])

    # Rates ---------------------------------------------------------------------------------------------------

    def projected_book(self, members: int, units: float, premium: float, assured: int) -> Book:
        """The book of ``members`` who are ``units`` of exposure, at ``premium`` dollars a unit and a sum ``assured``
        of each."""
        annual = round(premium * units * MICRO)
        return Book(members, annual, math.ceil(annual * self.pool.config.shares.claims), 0, members * assured)

    def rate_for(self, loss: float, members: int, units: float, terms: Terms) -> float:
        """The rate in dollars for an expected ``loss`` of a unit of exposure, for a book of that size. A plan's capital
        is its part of what the whole pool needs, so that a small plan is not charged as if it stood alone."""
        # administration, oracles and treasury, less what the margin pays of them
        expense = max(self.pool.config.shares.expenses - self.section.margin, 0.0)

        def capital_per_unit(premium: float) -> float:
            required = self.pool.regime.desired(self.projected_book(members, units, premium, terms.sum_assured))
            return self.section.target_scr_ratio * required / MICRO / units

        return rate(loss, expense, self.section.margin, self.section.capital_charge, capital_per_unit)

    def first_rates(self, members: int, units: float) -> None:
        """File the rates of the first year, from public statistics alone, and the book that they may bring."""
        middle = self.section.contract_year_days / 2.0
        for plan in self.plans:
            loss = trended(plan.expected_loss, 0.0, middle, self.section.trend_per_year)
            self.insurance.file_rate(plan.option, round(self.rate_for(loss, members, units, plan.terms) * MICRO), -1)
        count = len(self.plans)
        premium = sum(self.rate_in_force(plan) for plan in self.plans) / count / MICRO
        assured = sum(plan.terms.sum_assured for plan in self.plans) // count
        self.opening_book = self.projected_book(members, units, premium, assured)

    def experience(self, plans: list[PlanRating]) -> tuple[list[int], list[int]]:
        """Premium earned and claims incurred, net of transfers for risk, of each plan since the start, base units."""
        pool = self.pool
        earned, incurred = pool.unearned.earned, pool.incurred_by_plan() - pool.books.transfers
        return [int(earned[plan.plan]) for plan in plans], [int(incurred[plan.plan]) for plan in plans]

    def file_rates(self, day: int, trend: float) -> None:
        """Estimate next year's claims from own experience and the former estimates, and file the rates."""
        pool, section = self.pool, self.section
        for plan in self.plans:
            plan.base_rate = self.rate_in_force(plan)
        plans = [plan for plan in self.plans if plan.base_rate > 0]
        if not plans or pool.run_off_since is not None:
            return
        self.credibilities.extend(learn(plans, *self.experience(plans), day, trend, section))
        effective = day + section.filing_lead_days
        members = max(pool.members, 1)
        units = max(sum(plan.units(pool) for plan in plans), 1e-3 * members)
        closing = to_close(plans, pool, section.close_plan_below)
        for plan in plans:
            if plan in closing:
                self.plans_closed += 1
                self.insurance.file_rate(plan.option, 0, effective)
                continue
            loss = trended(plan.expected_loss, plan.estimated_for, effective + section.contract_year_days / 2.0, trend)
            old = plan.base_rate / MICRO
            new = limited_change(self.rate_for(loss, members, units, plan.terms), old, section.rate_change_limit)
            self.changes.append(new / old - 1.0)
            self.insurance.file_rate(plan.option, round(new * MICRO), effective)

    # Capital -------------------------------------------------------------------------------------------------

    def learn(self, people: Columns, day: int) -> None:
        """Let an internal model see what each member has cost in the contract year, of those covered for most of it."""
        if not isinstance(self.pool.regime, InternalModel):
            return
        days = day - people["cover_from"]
        covered = np.minimum(days, self.section.contract_year_days - self.section.filing_lead_days)
        full = (people["pool"] == self.index) & (days >= self.section.contract_year_days // 2)
        if full.any():
            self.pool.regime.model.learn(people["limit_used"][full] / covered[full], float(covered[full].mean())
                                         / YEAR_DAYS)

    def watch(self, day: int) -> None:
        """Every day: run-off when assets are below liabilities; no new business below the writing ratio."""
        pool = self.pool
        if len(self.plans) > 1 and day % self.section.contract_year_days == 0:
            begin(self.plans, *self.experience(self.plans), day)
        for plan in self.plans:
            plan.member_days += int(pool.books.members[plan.plan])
        if pool.state in (PoolState.ACTIVE, PoolState.GATED):
            if pool.capital < 0:
                pool.default(day)
                return
            pool.set_writing(pool.scr_ratio() >= self.section.writing_scr_ratio)
        if not pool.offers:
            self.days_not_writing += 1

    def manage_capital(self) -> int:
        """Pay out surplus above the dividend ratio; below the target stake former dividends. Returns the dividend."""
        pool = self.pool
        if pool.state not in (PoolState.ACTIVE, PoolState.GATED):
            return 0
        capital, scr = pool.capital, pool.scr()
        excess = min(capital - math.ceil(self.section.dividend_scr_ratio * scr), pool.cash(pool.accounts.surplus))
        if excess > 0 and scr > 0 and pool.junior.supply > 0:
            pool.pay_dividend(excess)
            return excess
        missing = math.ceil(self.section.target_scr_ratio * scr) - capital
        stake = min(missing, pool.cash(self.account))
        if stake > 0 and pool.junior_value() > 0:
            pool.deposit(self.account, stake, "junior")
        return 0

    def collect_residual(self) -> None:
        """Redeem the junior shares of a closed pool."""
        shares = self.pool.ledger.balance(self.pool.junior.share, self.account)
        if shares and self.pool.state is PoolState.CLOSED:
            self.pool.redeem_junior(self.account, shares)

    def spend_administration(self, payee: int) -> None:
        """Pay staff and suppliers what the premium gave for administration."""
        pool = self.pool
        pool.ledger.transfer(pool.asset, pool.accounts.expenses, payee, pool.cash(pool.accounts.expenses),
                             "administration")


class Insurers(Mechanism):
    """All insurers. ``insurers[j]`` runs pool j."""

    section: InsurersSection
    hooks = (Hook(Phase.INSURERS, "decide"),)

    def setup(self, market: Market) -> None:
        self.insurance: Any = market.mechanism("insurance")
        self.insurers: list[Insurer] = []
        self.dividends_today = 0

    def start(self, market: Market) -> None:
        population = market.mechanism("population")
        self.prices = market.find("reference_price")
        self.forecasts: Any = market.find("prediction_markets")
        self.firms: int = market.ledger.account("firms")
        people = market.people
        insurable = ~people["public_cover"]
        spending = public_spending_by_age(population.tables_folder)
        relative = public_cost_quantiles(population.tables_folder)
        pools = self.insurance.pools
        models = market.find("risk_models")
        for index, pool in enumerate(pools):
            here = insurable if pool.region < 0 else insurable & (people["region"] == pool.region)
            ages = people["age"][here]
            rivals = sum(other.region in (-1, pool.region) for other in pools) if pool.region >= 0 else len(pools)
            members = max(round(self.section.expected_take_up * ages.size / rivals), 1)
            known = self.insurance.membership.age_factors
            factors = known[np.minimum(ages, known.size - 1)] / 1000.0
            costs = spending[ages]
            mean_factor = float(factors.mean()) if ages.size else 1.0
            losses = []
            for terms in pool.plans:
                paid = costs * np.interp(costs, *share_by_cost(terms, costs, relative, self.section.benefits_per_year))
                loss = float(paid.mean()) / mean_factor * (1.0 + self.section.selection_load) if ages.size else 1.0
                losses.append(loss if models is None else loss * (1.0 + models.belief(index).load))
            insurer = Insurer(market, self.section, self.insurance, index, losses)
            insurer.first_rates(members, members * mean_factor)
            self.insurers.append(insurer)

    def opening_requirement(self, pool: int) -> int:
        """Capital that the pool's regime will require of the members its insurer expects, base units."""
        insurer = self.insurers[pool]
        return insurer.pool.regime.desired(insurer.opening_book)

    def stake_junior(self, market: Any, pool: int, amount: int) -> None:
        """Endow the insurer before the first day and stake that as junior tranche."""
        insurer = self.insurers[pool]
        market.endow(insurer.account, amount)
        insurer.pool.deposit(insurer.account, amount, "junior")

    def trend(self, day: int) -> float:
        """Expected growth of costs a year: what is known of the past, and what prediction markets expect."""
        weight = self.section.forecast_weight
        expected = None if self.forecasts is None or weight == 0.0 else self.forecasts.expected_growth()
        past = self.past_trend(day)
        return past if expected is None else weight * expected + (1.0 - weight) * past

    def past_trend(self, day: int) -> float:
        """The prior and the index's growth of the last year."""
        section = self.section
        if self.prices is None or day < YEAR_DAYS:
            return section.trend_per_year
        history: NDArray[np.float64] = self.prices.medical_history
        growth = float(history[-1] / history[-1 - YEAR_DAYS]) - 1.0 if history.size > YEAR_DAYS else 0.0
        return section.trend_weight * growth + (1.0 - section.trend_weight) * section.trend_per_year

    def decide(self, market: Market) -> None:
        """The day's decisions of all insurers."""
        day, section = market.day, self.section
        self.dividends_today = 0
        filing = (day + section.filing_lead_days) % section.contract_year_days == 0
        review = day % section.review_interval_days == section.review_interval_days - 1
        for insurer in self.insurers:
            insurer.watch(day)
            if filing:
                insurer.learn(market.people, day)
                insurer.file_rates(day, self.trend(day))
            if review:
                self.dividends_today += insurer.manage_capital()
                insurer.collect_residual()
                insurer.spend_administration(self.firms)

    def observe(self, market: Market) -> None:
        market.record.series("insurers.dividends", self.dividends_today / MICRO)
        market.record.series("insurers.writing", sum(i.pool.offers for i in self.insurers) / len(self.insurers))

    def finish(self, market: Market) -> None:
        changes = [change for insurer in self.insurers for change in insurer.changes]
        weights = [weight for insurer in self.insurers for weight in insurer.credibilities]
        if changes:
            market.record.metric("insurers.rate_change", float(np.mean(changes)))
        if weights:
            market.record.metric("insurers.mean_credibility", float(np.mean(weights)))
        market.record.metric("insurers.days_not_writing", sum(i.days_not_writing for i in self.insurers))


def public_spending_by_age(folder: Any) -> NDArray[np.float64]:
    """Mean annual spending in dollars by year of age, from the published tables."""
    return read_table(folder, "age_spending").by_age("relative_spending") * _target(folder, "mean")


def public_cost_quantiles(folder: Any) -> NDArray[np.float64]:
    """Distribution of annual cost relative to its mean that the published mean, median and zero share imply."""
    return cost_quantiles(_target(folder, "mean"), _target(folder, "median"), _target(folder, "zero_share"))


def share_by_cost(
    terms: Terms, costs: NDArray[np.float64], relative: NDArray[np.float64], benefits_per_year: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(mean costs, pool's share at each), the distinct values of ``costs`` in rising order."""
    means = np.unique(costs) if costs.size else np.ones(1)
    return means, pool_share(terms, means, relative, benefits_per_year)


def _target(folder: Any, quantity: str) -> float:
    table = read_table(folder, "spending_targets")
    return float(table.numbers("value")[table.text("quantity").index(quantity)])
