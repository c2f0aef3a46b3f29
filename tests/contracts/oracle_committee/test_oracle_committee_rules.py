"""The committee's formulas, on integers of any size, against protocols' vectors and their own laws."""

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.oracle_committee import rules
from sim.contracts.oracle_committee.decision import COHERENT, DEVIATING
from sim.contracts.oracle_committee.payout import Tally, add_round
from sim.contracts.oracle_committee.rules import Bribe, CommitteeError
from sim.kernel.fixedpoint import BPS

VECTORS = json.loads(files("sim.verification").joinpath("data/oracle_vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", VECTORS["uma_slashing"]["cases"], ids=lambda case: str(case["id"]))
def test_slashing_matches_the_protocol(case):
    stakes = {name: int(stake) for name, stake in case["stakes"].items()}
    after, pot = rules.slash_and_share(stakes, case["wrong"], case["correct"], int(case["slashPerToken"]), 10**18)
    assert pot == int(case["expected"]["totalSlashed"])
    assert after == {name: int(case["expected"][name]) for name in stakes}


def test_compiled_slashing_is_equal_inside_its_range():
    """The same vote in units of 10^-12 tokens, which fit into 64 bits."""
    case, scale = VECTORS["uma_slashing"]["cases"][0], 10**12
    names = sorted(case["stakes"])
    stakes = np.array([int(case["stakes"][name]) // scale for name in names], dtype=np.int64)
    rate_bps = int(case["slashPerToken"]) * BPS // 10**18
    at_stake = stakes // BPS * rate_bps
    verdicts = np.array([[DEVIATING if name in case["wrong"] else COHERENT for name in names]], dtype=np.int8)
    tally = Tally.empty(len(names))
    add_round(tally, np.array([5], dtype=np.uint64), np.arange(len(names), dtype=np.int32)[None, :], verdicts, at_stake,
              stakes)
    after = stakes - tally.lost + tally.shared
    assert int(tally.lost.sum()) * scale == int(case["expected"]["totalSlashed"])
    assert [int(stake) * scale for stake in after] == [int(case["expected"][name]) for name in names]


@pytest.mark.parametrize("case", VECTORS["uma_dispute"]["cases"], ids=lambda case: str(case["id"]))
def test_dispute_payout(case):
    winner, store = rules.dispute_payout(int(case["bond"]), int(case["burned"]), 10**18)
    assert (winner, store) == (int(case["expected"]["winner"]), int(case["expected"]["store"]))


@given(st.integers(0, 10**30), st.integers(0, 10_000))
def test_dispute_pays_out_both_bonds(bond, burned):
    assert sum(rules.dispute_payout(bond, burned, 10_000)) == 2 * bond


@pytest.mark.parametrize("case", VECTORS["kleros_at_stake"]["cases"], ids=lambda case: str(case["id"]))
def test_stake_at_risk_per_juror(case):
    assert rules.at_stake(int(case["minStake"]), int(case["alpha"])) == int(case["expected"])


@pytest.mark.parametrize("case", VECTORS["ocr_median"]["cases"], ids=lambda case: str(case["id"]))
def test_median_takes_the_upper_of_two(case):
    values = [int(one) for one in case["sorted"]]
    assert rules.upper_median(values[::-1]) == int(case["expected"])


def test_aggregate_withstands_fewer_than_a_third():
    honest = [100, 101, 102]
    assert rules.aggregate([*honest, 10**9], 4, 1, 0, 10**12) in honest
    with pytest.raises(CommitteeError, match="n > 3 f"):
        rules.aggregate([1, 2, 3], 3, 1, 0, 10)
    with pytest.raises(CommitteeError, match="2 observations"):
        rules.aggregate([1, 2], 4, 1, 0, 10)
    with pytest.raises(CommitteeError, match="outside"):
        rules.aggregate([1, 20, 30], 4, 1, 0, 10)
    with pytest.raises(CommitteeError, match="31"):
        rules.aggregate([1] * 32, 32, 1, 0, 10)


@given(st.integers(1, 10), st.data())
def test_median_lies_between_two_honest_reports(faulty, data):
    """Whatever f faulty members report, when more than 2 f observations arrive."""
    observers = 3 * faulty + 1
    honest = data.draw(st.lists(st.integers(900, 1100), min_size=faulty + 1, max_size=observers - faulty))
    wild = data.draw(st.lists(st.integers(-(10**9), 10**9), min_size=faulty, max_size=faulty))
    answer = rules.aggregate(honest + wild, observers, faulty, -(10**9), 10**9)
    assert min(honest) <= answer <= max(honest)


@given(st.integers(0, 10**40), st.lists(st.integers(0, 10**30), min_size=1, max_size=12))
def test_shares_are_exact(pot, weights):
    parts = rules.share_exactly(pot, weights)
    total = sum(weights)
    assert sum(parts) == (pot if total else 0)
    for part, weight in zip(parts, weights, strict=True):
        assert part >= 0
        assert total == 0 or abs(part * total - pot * weight) < total  # within one unit of pot * weight / total


@pytest.mark.parametrize(("rule", "voters", "needed"), [
    ("simple", 5, 3), ("simple", 4, 3), ("simple", 1, 1), ("two_thirds", 21, 14), ("two_thirds", 5, 4),
    ("two_thirds", 3, 2), ("two_thirds", 1, 1)])
def test_votes_needed(rule, voters, needed):
    assert rules.votes_needed(rule, voters) == needed


def test_appeals_grow_and_stay_odd():
    assert [rules.appeal_size(3), rules.appeal_size(rules.appeal_size(3))] == [7, 15]


def test_cost_to_corrupt_is_the_cheapest_majority():
    assert rules.corruption_cost([50, 10, 30, 20, 40]) == 60
    assert rules.corruption_cost([100_000] * 21) == 1_100_000


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 15).map(lambda half: 2 * half + 1))
def test_contingent_bribe_dominates_just_above_reward_and_slash(reward, slash, seats):
    bribe = Bribe(reward, slash, 1, seats)
    gains = [bribe.payoff(True, others, bribe.promise) - bribe.payoff(False, others, bribe.promise)
             for others in range(seats)]
    assert min(gains) >= 0
    if seats > 1:
        short = bribe.reward + bribe.slash - 1  # one unit less than what makes the votes equal
        assert bribe.payoff(True, 0, short) < bribe.payoff(False, 0, short)


def test_honest_reporting_pays_from_break_even():
    assert float(rules.breakeven_match(1, 10)) == pytest.approx(10 / 11)
