"""Products: a scenario's plans in base units, and which pool writes which.

``insurance.plans`` are written by every pool, or by those that a plan names; without them each pool writes one plan,
its own of ``pool_plans`` or the common ``plan``.
"""

from __future__ import annotations

from sim.contracts.insurance.policy import Terms, lump_sum
from sim.kernel.fixedpoint import BPS, MICRO
from sim.scenario.sections.insurance import InsuranceSection, Plan

CARE_KINDS = ("outpatient", "prescription", "inpatient", "intensive", "infection")
"""Kinds of care in the order of their codes."""


def terms_of(plan: Plan) -> Terms:
    """A scenario's product in base units."""
    limit = round(plan.annual_limit * MICRO)
    if plan.form == "lump_sum":
        triggers = sum(1 << CARE_KINDS.index(kind) for kind in set(plan.triggers))
        return lump_sum(round(plan.benefit * MICRO), limit, plan.waiting_days, triggers)
    return Terms("indemnity", round(plan.deductible * MICRO), round(plan.coinsurance * BPS),
                 round(plan.out_of_pocket_max * MICRO), limit)


def pool_names(section: InsuranceSection) -> list[str]:
    """The pools' names: those given, then POOL1, POOL2 and so on by place."""
    return [*section.pool_names, *(f"POOL{j + 1}" for j in range(len(section.pool_names), section.pools))]


def plans_by_pool(section: InsuranceSection) -> list[list[Plan]]:
    """The plans that each pool writes; the section has seen to it that each writes one."""
    if not section.plans:
        return [[plan] for plan in
                (*section.pool_plans, *([section.plan] * (section.pools - len(section.pool_plans))))]
    return [[plan for plan in section.plans if not plan.pools or name in plan.pools] for name in pool_names(section)]
