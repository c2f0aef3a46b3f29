"""Commit and reveal: cheating is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.claims.round import Round, Stage
from sim.contracts.oracle_committee.commitment import commitment_of
from sim.contracts.oracle_committee.decision import ABSENT, COHERENT, CommitteeRules

KEYS = np.array([11, 12, 13], dtype=np.uint64)
SALT = 99
word = st.integers(0, 2**64 - 1)


def seal(claim, reporter, amount, valid, salt):
    return commitment_of(np.uint64(claim), np.uint64(reporter), amount, valid, np.uint64(salt))


def everybody():
    return np.ones(3, dtype=np.bool_)


@pytest.fixture
def open_round():
    """One claim before members 0, 1 and 2; all reports say 500, valid."""
    return Round(0, 0, np.array([0]), np.array([7], dtype=np.uint64), np.array([1_000]),
                 np.array([[0, 1, 2]], dtype=np.int32), 0, 0, 1)


def reports(amount=500, valid=True):
    return np.full((1, 3), amount, dtype=np.int64), np.full((1, 3), valid), np.full((1, 3), SALT, dtype=np.uint64)


def commitments(amount=500):
    return np.array([[seal(7, key, amount, True, SALT) for key in KEYS]], dtype=np.uint64)


def test_honest_reveals_are_accepted(open_round):
    assert open_round.commit(everybody(), commitments()) == 3
    assert open_round.open_reveals(1)
    assert open_round.reveal(KEYS, everybody(), *reports()) == 3
    assert open_round.is_over(1)
    made = open_round.decide(CommitteeRules())
    assert made.approved.tolist() == [500]
    assert open_round.stage is Stage.CLOSED


def test_another_report_than_the_one_committed_to_is_refused(open_round):
    open_round.commit(everybody(), commitments())
    open_round.open_reveals(1)
    amounts, valid, salts = reports()
    amounts[0, 0] = 501
    valid[0, 1] = False
    salts[0, 2] += np.uint64(1)
    assert open_round.reveal(KEYS, everybody(), amounts, valid, salts) == 0
    assert not open_round.is_over(0)


def test_a_copied_commitment_proves_nothing(open_round):
    """Member 1 copies member 0's commitment and then its report: the hash binds the member."""
    given_ = commitments()
    given_[0, 1] = given_[0, 0]
    open_round.commit(everybody(), given_)
    open_round.open_reveals(1)
    assert open_round.reveal(KEYS, everybody(), *reports()) == 2
    assert open_round.decide(CommitteeRules()).verdicts[0].tolist() == [COHERENT, ABSENT, COHERENT]


def test_the_first_commitment_stands(open_round):
    open_round.commit(everybody(), commitments())
    assert open_round.commit(everybody(), commitments(amount=900)) == 0
    open_round.open_reveals(1)
    assert open_round.reveal(KEYS, everybody(), *reports(amount=900)) == 0


def test_reveal_without_commitment_is_refused(open_round):
    landed = np.array([True, False, False])
    open_round.commit(landed, commitments())
    open_round.open_reveals(1)
    assert open_round.reveal(KEYS, everybody(), *reports()) == 1


def test_windows_are_kept(open_round):
    assert open_round.reveal(KEYS, everybody(), *reports()) == 0
    assert not open_round.open_reveals(0)
    assert open_round.open_reveals(1)
    assert open_round.commit(everybody(), commitments()) == 0


def test_a_reveal_counts_once(open_round):
    open_round.commit(everybody(), commitments())
    open_round.open_reveals(1)
    assert open_round.reveal(KEYS, everybody(), *reports()) == 3
    assert open_round.reveal(KEYS, everybody(), *reports()) == 0


def test_only_members_whose_transaction_landed_vote(open_round):
    assert open_round.commit(np.array([False, True, False]), commitments()) == 1
    assert (open_round.commitments[0] != 0).tolist() == [False, True, False]


def test_a_negative_amount_is_refused(open_round):
    open_round.commit(everybody(), commitments(amount=-5))
    open_round.open_reveals(1)
    assert open_round.reveal(KEYS, everybody(), *reports(amount=-5)) == 0


@given(word, word, st.integers(0, 2**63 - 1), st.booleans(), word)
def test_each_part_of_a_report_is_bound(claim, reporter, amount, valid, salt):
    sealed = seal(claim, reporter, amount, valid, salt)
    assert sealed != 0
    assert sealed != seal(claim ^ 1, reporter, amount, valid, salt)
    assert sealed != seal(claim, reporter ^ 1, amount, valid, salt)
    assert sealed != seal(claim, reporter, amount ^ 1, valid, salt)
    assert sealed != seal(claim, reporter, amount, not valid, salt)
    assert sealed != seal(claim, reporter, amount, valid, salt ^ 1)
