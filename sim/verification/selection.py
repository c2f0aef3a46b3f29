"""Choice of plans, repricing and transfers by risk held against closed forms of adverse selection.

A cohort whose expected costs c lie evenly on (0, 1) chooses by the patients' own rule; insurers reprice by theirs. A
year's cost is SPREAD c with probability 1 / SPREAD, else nothing, and risk aversion falls with c, so that cover is
worth the same multiple of c to everybody: linear demand and linear cost (Einav & Finkelstein 2011).
"""

from __future__ import annotations

import json
import math
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.patient.choice import NO_PLAN, choose_plans
from sim.agents.patient.premiums import split_premiums
from sim.agents.plan_rating import PlanRating, learn
from sim.agents.rate_making import limited_change, rate
from sim.contracts.insurance.policy import Terms
from sim.contracts.insurance.premium import YEAR_DAYS
from sim.contracts.insurance.risk_adjustment import needs_and_abilities, transfers_due
from sim.kernel.fixedpoint import BPS, MICRO
from sim.scenario.sections.insurers import InsurersSection
from sim.verification.rows import Row

PEOPLE = 20_000
SCALE = 10_000.0
"""Dollars that a cost of 1 stands for."""
SPREAD = 10.0
FAR = 10**9 * MICRO
SETTLED_YEARS = 60
FULL, FREE_OF_RULES = Terms("indemnity", 0, 0, FAR, FAR), 1e9


@cache
def truths() -> dict[str, Any]:
    """The truths shipped with the package, by id."""
    text = files("sim.verification").joinpath("data/selection.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)["truths"]
    return content


def aversion_for(worth: float, own: float) -> float:
    """a c such that bearing a share ``own`` of the cost is worth ``worth`` c more than bearing none: the solution of
    ln(1 - q + q exp(a c own SPREAD)) / (a c) = worth, q = 1 / SPREAD, by bisection; tiny where worth equals cost."""
    low, high = 1e-6, 50.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        exponent = middle * own * SPREAD
        value = (exponent + math.log((1.0 - 1.0 / SPREAD) * math.exp(-exponent) + 1.0 / SPREAD)) / middle
        low, high = (low, middle) if value > worth else (middle, high)
    return 0.5 * (low + high)


class Cohort:
    """PEOPLE who choose among ``terms`` (and no cover, unless ``covered``) and insurers who reprice yearly on each
    plan's own experience, from ``rates`` in units of cost."""

    def __init__(self, terms: list[Terms], rates: list[float], worth: float, own: float, covered: bool) -> None:
        self.terms = terms
        self.cost = (np.arange(PEOPLE) + 0.5) / PEOPLE * SCALE
        self.aversion = aversion_for(worth, own) / self.cost
        self.covered = covered
        self.section = InsurersSection(between_pool_sd=5.0, rate_change_limit=5.0, trend_per_year=0.0)
        self.plans = [PlanRating(option, option, plan, price * SCALE, base_rate=round(price * SCALE * MICRO))
                      for option, (plan, price) in enumerate(zip(terms, rates, strict=True))]
        self.paid = np.stack([self.cost * (1.0 - plan.coinsurance_bps / BPS) for plan in terms])

    def choose(self) -> NDArray[np.int16]:
        """Each one's option, by the patients' rule without taste, trust and inertia; premiums by voucher."""
        rates = np.repeat(np.array([[plan.base_rate] for plan in self.plans], dtype=np.int64), PEOPLE, axis=1)
        own, _ = split_premiums(rates, np.full(PEOPLE, FAR), np.ones(PEOPLE, dtype=np.bool_), 0.0, 1.0,
                                np.zeros(1, dtype=np.int64), True)
        table = np.array([[plan.deductible / MICRO, plan.coinsurance_bps / BPS, plan.out_of_pocket_max / MICRO,
                           plan.annual_limit / MICRO] for plan in self.terms])
        count = len(self.terms)
        tastes = np.zeros((count + 1, PEOPLE))
        tastes[0] = -FREE_OF_RULES if self.covered else 0.0
        chosen: NDArray[np.int16] = choose_plans(
            self.aversion, self.cost, np.full(PEOPLE, FREE_OF_RULES), np.full(PEOPLE, NO_PLAN), np.ones(PEOPLE),
            np.ones(1), own / MICRO, np.zeros(count, dtype=np.int64), table, np.ones(count), 1.0,
            np.array([0.0, SPREAD]), np.array([1.0 - 1.0 / SPREAD, 1.0 / SPREAD]), tastes, 0.0, 0.0, True)
        return chosen

    def transfers(self, chosen: NDArray[np.int16]) -> NDArray[np.float64]:
        """Transfers by risk where each person is a class of its own, base units."""
        everyone = np.arange(PEOPLE)
        needs, abilities = needs_and_abilities(
            chosen.astype(np.int64), everyone, np.ones(PEOPLE), np.ones(PEOPLE),
            np.rint(self.cost * MICRO).astype(np.int64), self.terms)
        return transfers_due(needs, abilities)

    def year(self, adjusted: bool = False) -> float:
        """One year: choice, claims as expected, transfers, and next year's rates; the share in the first plan."""
        chosen = self.choose()
        members = [int((chosen == plan.option).sum()) for plan in self.plans]
        transfers = self.transfers(chosen) if adjusted else np.zeros(len(self.plans))
        earned, incurred = [], []
        for plan, count in zip(self.plans, members, strict=True):
            mine = chosen == plan.option
            plan.member_days = count * YEAR_DAYS
            earned.append(plan.earned + count * plan.base_rate)
            incurred.append(plan.incurred + round(float(self.paid[plan.option][mine].sum()) * MICRO
                                                  - transfers[plan.option]))
        learn(self.plans, earned, incurred, 0, 0.0, self.section)
        for plan in self.plans:
            wanted = rate(plan.expected_loss, 0.0, 0.0, 0.0, lambda premium: 0.0)
            old = plan.base_rate / MICRO
            plan.base_rate = round(limited_change(wanted, old, self.section.rate_change_limit) * MICRO)
        return members[0] / PEOPLE


def one_cover(truth: dict[str, Any], first_price: float) -> Cohort:
    """One full cover against none."""
    return Cohort([FULL], [first_price], truth["worth"], 1.0, covered=False)


def two_plans(truth: dict[str, Any]) -> Cohort:
    """A full plan and one that pays a part, first priced for the average person."""
    pays = truth["lean_pays"]
    lean = Terms("indemnity", 0, round((1.0 - pays) * BPS), FAR, FAR)
    return Cohort([FULL, lean], [0.5, 0.5 * pays], truth["worth"], 1.0 - pays, covered=True)


def rows() -> list[Row]:
    """All rows of this module."""
    found = []
    tolerance, why = 2e-3, "0.002: a grid of 20,000 persons, credibility 0.9999"
    for id, truth in truths().items():
        expected = truth["expected"]
        if isinstance(expected, list):
            cohort = one_cover(truth, truth["first_price"])
            path = [cohort.year() for _ in expected]
            error = max(abs(a - b) for a, b in zip(path, expected, strict=True))
            shown = [", ".join(f"{share:.4f}" for share in shares) for shares in (expected, path)]
        else:
            cohort = one_cover(truth, 0.5) if "lean_pays" not in truth else two_plans(truth)
            share = [cohort.year(adjusted=id == "SEL-06") for _ in range(SETTLED_YEARS)][-1]
            error, shown = abs(share - expected), [f"{expected:.4f}", f"{share:.4f}"]
        found.append(Row(id, truth["statement"], shown[0], shown[1], why, error <= tolerance,
                         f"{truth['source']}; {truth['formula']}"))
    return found
