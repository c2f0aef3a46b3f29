"""Rating of plans: what an insurer believes a member-year of each plan costs, and what it learns from experience.

A unit of exposure is one member-year at age factor 1: the units of a year are the premium earned over the rate. Per
plan, the next estimate is the plan's own experience, weighed by credibility against the former estimate; pooled, the
experience of all plans together moves every estimate by the same factor, so that plans differ in price by their terms
alone and who chose which does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.agents.rate_making import credibility
from sim.contracts.insurance.premium import MONTH_DAYS, YEAR_DAYS
from sim.kernel.fixedpoint import MICRO

if TYPE_CHECKING:
    from sim.contracts.insurance.policy import Terms
    from sim.contracts.insurance.pool import InsurancePool
    from sim.scenario.sections.insurers import InsurersSection


@dataclass(slots=True)
class PlanRating:
    """One plan in its insurer's eyes. ``expected_loss`` is the claims of a unit of exposure, dollars at the price level
    of day ``estimated_for``; ``base_rate`` base units, 0 once the plan is closed. ``earned`` and ``incurred`` (base
    units, net of transfers for risk) and ``since`` (day) are as of when experience began to be counted: the last filing
    or, where there are several plans, the start of the contract year, since members may have changed plan then."""

    option: int
    plan: int
    terms: Terms
    expected_loss: float
    estimated_for: float = 0.0
    base_rate: int = 0
    earned: int = 0
    incurred: int = 0
    since: int = 0
    member_days: int = 0

    def units(self, pool: InsurancePool) -> float:
        """Units of exposure in force at the present rate."""
        return int(pool.books.monthly_premium[self.plan]) * YEAR_DAYS // MONTH_DAYS / self.base_rate


def trended(loss: float, from_day: float, to_day: float, trend: float) -> float:
    """``loss`` carried from one day's level of cost to another's."""
    return loss * (1.0 + trend) ** ((to_day - from_day) / YEAR_DAYS)


def learn(
    plans: list[PlanRating], earned: list[int], incurred: list[int], day: int, trend: float, section: InsurersSection
) -> list[float]:
    """Move the estimates of an insurer's open ``plans`` by what they have ``earned`` and ``incurred`` since the start
    (base units, of each); returns the credibilities used."""
    units = [(new - plan.earned) / plan.base_rate for plan, new in zip(plans, earned, strict=True)]
    losses = [(new - plan.incurred) / MICRO for plan, new in zip(plans, incurred, strict=True)]
    middles = [(plan.since + day) / 2.0 for plan in plans]
    priors = [trended(plan.expected_loss, plan.estimated_for, middle, trend)
              for plan, middle in zip(plans, middles, strict=True)]
    weights: list[float] = []
    if section.repricing == "pooled" and len(plans) > 1:
        expected = sum(prior * unit for prior, unit in zip(priors, units, strict=True))
        if expected > 0.0:
            years = sum(plan.member_days for plan in plans) / YEAR_DAYS
            weights.append(credibility(years, section.member_cv, section.between_pool_sd))
            factor = weights[0] * sum(losses) / expected + 1.0 - weights[0]
            for plan, prior, middle in zip(plans, priors, middles, strict=True):
                plan.expected_loss, plan.estimated_for = prior * factor, middle
    else:
        for plan, prior, middle, unit, loss in zip(plans, priors, middles, units, losses, strict=True):
            if unit <= 0.0:
                continue
            weight = credibility(plan.member_days / YEAR_DAYS, section.member_cv, section.between_pool_sd)
            plan.expected_loss = weight * (loss / unit) + (1.0 - weight) * prior
            plan.estimated_for = middle
            weights.append(weight)
    begin(plans, earned, incurred, day)
    return weights


def begin(plans: list[PlanRating], earned: list[int], incurred: list[int], day: int) -> None:
    """Count experience from these sums (base units since the start, of each plan) on."""
    for plan, new_earned, new_incurred in zip(plans, earned, incurred, strict=True):
        plan.earned, plan.incurred, plan.since, plan.member_days = new_earned, new_incurred, day, 0


def to_close(plans: list[PlanRating], pool: InsurancePool, least_share: float) -> list[PlanRating]:
    """Open plans with fewer than ``least_share`` of the pool's members; the largest plan stays in any case."""
    members = {plan.option: int(pool.books.members[plan.plan]) for plan in plans}
    largest = max(plans, key=lambda plan: members[plan.option])
    return [plan for plan in plans if plan is not largest and members[plan.option] < least_share * pool.members]
