"""Plan choice, vouchers, rating by plan, and a whole market with two plans in each pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.agents.patient.choice import choose_plans
from sim.agents.patient.premiums import split_premiums
from sim.agents.plan_rating import PlanRating, learn, to_close
from sim.agents.plan_values import welfare_loss
from sim.contracts.insurance.policy import Terms
from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.load import load_scenario
from sim.scenario.sections.insurers import InsurersSection
from sim.verification.selection import rows

GENEROUS, LEAN = (0.0, 0.0, 1e9, 1e9), (1000.0, 0.2, 4000.0, 1e9)

MARKET = """
name: two_plans
question: Do two plans side by side keep every invariant?
stage: 3
horizon_days: 800
population: {patients: 700}
economy: {}
morbidity: {}
providers: {}
reference_price: {}
patients: {inertia: 200}
insurance:
  pools: 2
  age_curve: flat
  capital_regime: fixed_ratio
  plans:
    - {name: generous, deductible: 0, coinsurance: 0.1, out_of_pocket_max: 1000}
    - {name: lean, deductible: 1000, out_of_pocket_max: 4000}
    - {name: catastrophic, pools: [POOL2], deductible: 6000, out_of_pocket_max: 9000}
insurers: {rate_change_limit: 5.0, between_pool_sd: 1.0}
liquidity_providers: {providers: 20}
claims: {mode: automatic}
selection: {contribution: flat, risk_adjustment: services}
shocks: [{day: 300, kind: inertia_removed}]
"""


def choose(current: list[int], gap: float, inertia: float, mean: float = 3000.0, first: bool = False) -> list[int]:
    """Choice between a generous plan that costs ``gap`` more than a lean one, and none at an absurd loss."""
    count = len(current)
    own = np.array([[500.0 + gap] * count, [500.0] * count])
    tastes = np.zeros((3, count))
    tastes[0] = -1e9
    return choose_plans(
        np.full(count, 1e-6), np.full(count, mean), np.full(count, 1e9), np.array(current), np.ones(count), np.ones(1),
        own, np.zeros(2, dtype=np.int64), np.array([GENEROUS, LEAN]), np.ones(2), 1.0, np.array([1.0]), np.array([1.0]),
        tastes, 500.0, inertia, first).tolist()


def test_a_plan_is_left_only_for_more_than_inertia() -> None:
    """At a certain cost of 3,000 the lean plan leaves 1,400 with the patient: that much the generous one is worth."""
    assert choose([0, 1], gap=1399.0, inertia=0.0) == [0, 0]
    assert choose([0, 1], gap=1401.0, inertia=0.0) == [1, 1]
    assert choose([0, 1], gap=1401.0 + 500.0, inertia=600.0) == [0, 1], "each stays, though in the same pool"
    assert choose([0, 1], gap=1401.0 + 601.0, inertia=600.0) == [1, 1]
    assert choose([0, 1], gap=1401.0 + 500.0, inertia=600.0, first=True) == [1, 1], "nobody is inert at first"


def test_the_sick_prefer_the_generous_plan() -> None:
    assert choose([-1], gap=2000.0, inertia=0.0, mean=8000.0) == [0]
    assert choose([-1], gap=2000.0, inertia=0.0, mean=800.0) == [1]


def test_a_voucher_is_the_same_for_every_plan() -> None:
    rates = np.array([[8000], [5000], [-1]]) * MICRO
    income, first = np.array([10**15]), np.array([0])
    own, sponsored = split_premiums(rates, income, np.array([True]), 0.8, 0.095, first, True)
    assert (own[:2, 0] // MICRO).tolist() == [4000, 1000]
    assert (sponsored[:, 0] // MICRO).tolist() == [4000, 4000, 0]
    assert own[2, 0] == -1
    own, _ = split_premiums(rates, income, np.array([True]), 0.8, 0.095, first)
    assert (own[:2, 0] // MICRO).tolist() == [1600, 1000], "a share instead"


def test_the_benchmark_is_the_second_pools_cheapest_plan() -> None:
    """One pool with two plans: its cheaper one; two pools: the second of their cheapest."""
    income, nobody = np.zeros(1, dtype=np.int64), np.array([False])
    rates = np.array([[8000], [5000]]) * MICRO
    _, sponsored = split_premiums(rates, income, nobody, 0.8, 0.095, np.array([0]))
    assert (sponsored[:, 0] // MICRO).tolist() == [5000, 5000]
    _, sponsored = split_premiums(rates, income, nobody, 0.8, 0.095, np.array([0, 1]))
    assert (sponsored[:, 0] // MICRO).tolist() == [8000, 5000]
    rates = np.array([[5000], [6000], [9000], [7000]]) * MICRO
    _, sponsored = split_premiums(rates, income, nobody, 0.8, 0.095, np.array([0, 2]))
    assert (sponsored[:, 0] // MICRO).tolist() == [5000, 6000, 7000, 7000]


def plans() -> list[PlanRating]:
    """Two plans at 8,000 and 5,000, expected to cost 7,000 and 4,000, each with 100 member-years of experience."""
    return [PlanRating(k, k, Terms(), loss, base_rate=rate * MICRO, member_days=36_500)
            for k, (loss, rate) in enumerate(((7000.0, 8000), (4000.0, 5000)))]


def test_per_plan_each_rate_follows_its_own_experience() -> None:
    """100 units each; claims of 10,000 and 3,000 a unit; the weight of 100 member-years at k = 100 is a half."""
    both = plans()
    section = InsurersSection(member_cv=1.0, between_pool_sd=0.1)
    weights = learn(both, [800_000 * MICRO, 500_000 * MICRO], [10**6 * MICRO, 300_000 * MICRO], 0, 0.0, section)
    assert weights == [0.5, 0.5]
    assert [plan.expected_loss for plan in both] == pytest.approx([8500.0, 3500.0])
    assert [plan.member_days for plan in both] == [0, 0]


def test_pooled_all_rates_move_alike() -> None:
    """1.3 million of claims against 1.1 expected, at a weight of 200 / (200 + 100)."""
    both = plans()
    section = InsurersSection(member_cv=1.0, between_pool_sd=0.1, repricing="pooled")
    learn(both, [800_000 * MICRO, 500_000 * MICRO], [10**6 * MICRO, 300_000 * MICRO], 0, 0.0, section)
    factor = 2 / 3 * 1.3 / 1.1 + 1 / 3
    assert [plan.expected_loss for plan in both] == pytest.approx([7000.0 * factor, 4000.0 * factor])


def test_a_plan_without_premium_learns_nothing() -> None:
    both = plans()
    learn(both, [0, 500_000 * MICRO], [5 * MICRO, 400_000 * MICRO], 0, 0.0, InsurersSection())
    assert both[0].expected_loss == 7000.0


def test_small_plans_close_and_the_largest_never() -> None:
    class Books:
        members = np.array([3, 97])

    class Pool:
        books, members = Books, 100

    both = plans()
    assert to_close(both, Pool, 0.05) == [both[0]]  # type: ignore[arg-type]
    assert to_close(both, Pool, 0.02) == []  # type: ignore[arg-type]
    assert to_close(both[:1], Pool, 0.9) == []  # type: ignore[arg-type]


def test_welfare_loss_by_hand() -> None:
    costs = np.array([[10.0, 20.0], [14.0, 12.0]])
    assert welfare_loss(costs, np.array([0, 1])) == 0.0
    assert welfare_loss(costs, np.array([1, 0])) == 6.0


def test_closed_forms_of_selection() -> None:
    for row in rows():
        assert row.verdict, f"{row.id}: {row.simulated} is not {row.expected}"


def market(folder: Path, text: str) -> Any:
    file = folder / "two_plans.yaml"
    file.write_text(text, encoding="utf-8")
    return HealthMarket(load_scenario(file), 3)


def test_a_market_of_several_plans_keeps_every_invariant(tmp_path: Path) -> None:
    made = market(tmp_path, MARKET)
    insurance, patients = made.mechanism("insurance"), made.mechanism("patients")
    assert insurance.option_names == ["POOL1/generous", "POOL1/lean", "POOL2/generous", "POOL2/lean",
                                      "POOL2/catastrophic"]
    for _ in range(430):
        made.step()
        made.invariants.require(made.day)
        assert patients.inertia == (200.0 if made.day < 300 else 0.0)
    figures = made.finish()
    series = made.record.institutions
    assert all(series[name]["selection.members"][5] > 0 for name in insurance.option_names[:4])
    assert sum(series[name]["selection.members"][100] for name in insurance.option_names) == \
        made.record.daily["insurance.total_members"][100]
    transfers = sum(series[name]["selection.transfers"] for name in insurance.option_names)
    assert np.nanmax(np.abs(transfers)) < 1e-3
    assert figures["selection.transfers"] > 0.0
    assert figures["selection.average_cost_gap_first"] > 0.0
    assert 0.0 < figures["selection.switching_rate"] < 1.0
    kinds = {kind for _, kind, *_ in made.record.flows}
    assert {"risk_charge", "risk_payment", "premium_refund"} <= kinds


def test_one_plan_is_the_same_under_either_name(tmp_path: Path) -> None:
    """``plans`` with one entry and ``plan`` give the same days, to the last bit."""
    head, _, tail = MARKET.partition("  plans:\n")
    rest = tail[tail.index("insurers:"):].replace("selection: {contribution: flat, risk_adjustment: services}\n", "")
    one = "{%sdeductible: 0, coinsurance: 0.1, out_of_pocket_max: 1000}"
    days = []
    for text in (f"{head}  plans: [{one % 'name: generous, '}]\n{rest}", f"{head}  plan: {one % ''}\n{rest}"):
        made = market(tmp_path, text)
        for _ in range(120):
            made.step()
        days.append(made.record.daily)
    assert days[0].keys() == days[1].keys()
    for name, values in days[0].items():
        np.testing.assert_array_equal(values, days[1][name], name)


@pytest.mark.parametrize(("plans", "complaint"), [
    ("[{name: a}, {name: a}]", "name of its own"),
    ("[{deductible: 5}]", "name of its own"),
    ("[{name: a, pools: [POOL9]}, {name: b}]", "no pool"),
    ("[{name: a, pools: [POOL1]}]", "POOL2 writes none"),
])
def test_faulty_plans_are_refused(tmp_path: Path, plans: str, complaint: str) -> None:
    head, _, tail = MARKET.partition("  plans:\n")
    with pytest.raises(Exception, match=complaint):
        market(tmp_path, f"{head}  plans: {plans}\n{tail[tail.index('insurers:'):]}")
