"""Compiled decisions against a slow reference, and the rules' corner cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.oracle_committee.decision import (
    ABSENT,
    APPROVE,
    COHERENT,
    DENY,
    DEVIATING,
    EMPTY,
    IDLE,
    NO_QUORUM,
    SPLIT,
    CommitteeRules,
    decide,
)
from sim.contracts.oracle_committee.rules import upper_median, votes_needed
from sim.kernel.fixedpoint import BPS


def reference(seats, revealed, amounts, valid, claimed, rules):
    """One claim, in plain Python: (outcome, approved, verdicts)."""
    members = [j for j, seat in enumerate(seats) if seat >= 0]
    voters = [j for j in members if revealed[j]]
    verdicts = [EMPTY if seat < 0 else IDLE if revealed[j] else ABSENT for j, seat in enumerate(seats)]
    if not voters or len(voters) * BPS < rules.quorum_bps * len(members):
        return NO_QUORUM, 0, verdicts
    yes = [j for j in voters if valid[j]]
    needed = votes_needed(rules.approval, len(voters))
    if len(yes) >= needed:
        median = upper_median([amounts[j] for j in yes])
        for j in voters:
            near = abs(amounts[j] - median) <= median * rules.amount_tolerance_bps // BPS
            verdicts[j] = COHERENT if j in yes and near else DEVIATING
        approved = min(median, claimed)
        return (APPROVE if approved else DENY), approved, verdicts
    if len(voters) - len(yes) >= needed:
        for j in voters:
            verdicts[j] = DEVIATING if j in yes else COHERENT
        return DENY, 0, verdicts
    return SPLIT, 0, verdicts


@st.composite
def batches(draw):
    claims, size = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    number = st.integers(0, 2**62 // BPS)
    near = st.integers(95, 106)

    def table(elements):
        return [[draw(elements) for _ in range(size)] for _ in range(claims)]

    seats = np.array(table(st.integers(-1, 3)), dtype=np.int32)
    amounts = np.array(table(st.one_of(near, number)), dtype=np.int64)
    return (seats, np.array(table(st.booleans())), amounts, np.array(table(st.booleans())),
            np.array([draw(st.one_of(near, number)) for _ in range(claims)], dtype=np.int64),
            CommitteeRules(draw(st.sampled_from([1, 5_000, 6_667, 10_000])),
                           draw(st.sampled_from(["simple", "two_thirds"])), draw(st.sampled_from([0, 500, 10_000]))))


@given(batches())
def test_batch_equals_the_reference(batch):
    seats, revealed, amounts, valid, claimed, rules = batch
    made = decide(seats, revealed, amounts, valid, claimed, rules)
    for row in range(claimed.size):
        one = reference(seats[row].tolist(), revealed[row].tolist(), amounts[row].tolist(), valid[row].tolist(),
                        int(claimed[row]), rules)
        assert (int(made.outcome[row]), int(made.approved[row]), made.verdicts[row].tolist()) == one


def one_claim(valid, amounts, claimed=1_000, revealed=None, **rules):
    size = len(valid)
    made = decide(np.arange(size, dtype=np.int32)[None, :],
                  np.ones((1, size), dtype=np.bool_) if revealed is None else np.array([revealed]),
                  np.array([amounts], dtype=np.int64), np.array([valid]), np.array([claimed], dtype=np.int64),
                  CommitteeRules(**rules))
    return int(made.outcome[0]), int(made.approved[0]), made.verdicts[0].tolist()


def test_median_is_of_those_who_found_the_claim_valid():
    outcome, approved, verdicts = one_claim([True, True, True, False, False], [300, 100, 200, 0, 0],
                                            amount_tolerance_bps=10_000)
    assert (outcome, approved) == (APPROVE, 200)
    assert verdicts == [COHERENT] * 3 + [DEVIATING] * 2


def test_even_number_of_reports_takes_the_upper_median():
    assert one_claim([True] * 4, [1, 2, 3, 4])[1] == 3


def test_no_more_is_approved_than_was_claimed():
    assert one_claim([True] * 3, [5_000] * 3)[:2] == (APPROVE, 1_000)


def test_amount_far_from_the_median_deviates():
    verdicts = one_claim([True] * 5, [100, 105, 100, 106, 95], amount_tolerance_bps=500)[2]
    assert verdicts == [COHERENT, COHERENT, COHERENT, DEVIATING, COHERENT]


def test_tie_decides_nothing_and_blames_nobody():
    assert one_claim([True, True, False, False], [10] * 4) == (SPLIT, 0, [IDLE] * 4)


def test_two_thirds_needs_more_than_a_majority():
    votes = [True, True, True, False, False]
    assert one_claim(votes, [10] * 5)[0] == APPROVE
    assert one_claim(votes, [10] * 5, approval="two_thirds")[0] == SPLIT
    assert one_claim([True] * 4 + [False], [10] * 5, approval="two_thirds")[0] == APPROVE


@pytest.mark.parametrize(("present", "outcome"), [(3, APPROVE), (2, NO_QUORUM)])
def test_quorum_counts_reveals(present, outcome):
    revealed = [True] * present + [False] * (5 - present)
    assert one_claim([True] * 5, [10] * 5, revealed=revealed, quorum_bps=6_000)[0] == outcome


def test_absentees_are_named_even_without_a_decision():
    verdicts = one_claim([True] * 3, [10] * 3, revealed=[True, False, False], quorum_bps=10_000)[2]
    assert verdicts == [IDLE, ABSENT, ABSENT]
