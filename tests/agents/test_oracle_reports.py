"""Reports: accuracy, correlated errors, copies, absence; a draw belongs to its claim and operator."""

import numpy as np
import pytest

from sim.agents.oracle_reports import form_reports, seal_reports
from sim.contracts.oracle_committee.commitment import commitment_of
from sim.kernel.draws import Draws, agent_key

STREAM = Draws(9).decision("test.reports").stream
DUE, CLAIMED = 700, 1_000


def report(claims=40_000, operators=3, accuracy=0.9, copies=(), absent=(), due=DUE, correlation=0.2, invalid_share=1.0,
           amount_sd=0.3, seats=None, first=0):
    keys = np.array([agent_key(f"operator {n}") for n in range(operators)], dtype=np.uint64)
    table = np.broadcast_to(np.arange(operators, dtype=np.int32), (claims, operators)) if seats is None else seats
    table = np.ascontiguousarray(table, dtype=np.int32)
    amounts, valid = np.full(table.shape, -1, dtype=np.int64), np.zeros(table.shape, dtype=np.bool_)
    flags = np.zeros((2, operators), dtype=np.bool_)
    flags[0, list(copies)] = True
    flags[1, list(absent)] = True
    form_reports(STREAM, 3, np.arange(first, first + claims, dtype=np.uint64), table, keys,
                 np.broadcast_to(np.asarray(accuracy, dtype=float), operators).copy(), flags[0], ~flags[1],
                 np.full(claims, due), np.full(claims, CLAIMED), float(np.sqrt(correlation)), invalid_share, amount_sd,
                 amounts, valid)
    return amounts, valid


def test_accuracy_is_the_share_of_true_reports():
    amounts, valid = report(accuracy=[0.5, 0.8, 0.95])
    true = valid & (amounts == DUE)
    assert true.mean(axis=0).tolist() == pytest.approx([0.5, 0.8, 0.95], abs=0.01)


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.6])
def test_errors_are_correlated_as_asked(correlation):
    valid = report(correlation=correlation, accuracy=0.8)[1]
    assert np.corrcoef(valid.T)[0, 1] == pytest.approx(correlation, abs=0.02)
    assert np.corrcoef(valid.T)[1, 2] == pytest.approx(correlation, abs=0.02)


def test_errors_on_amounts_and_on_validity():
    amounts, valid = report(accuracy=0.0, invalid_share=0.25, correlation=0.0)
    assert (~valid).mean() == pytest.approx(0.25, abs=0.01)
    assert (amounts[~valid] == 0).all()
    log = np.log(amounts[valid] / DUE)
    assert np.median(log) == pytest.approx(0, abs=0.01)
    assert log.std() == pytest.approx(0.3, abs=0.01)


def test_shared_errors_are_the_same_error():
    amounts, _ = report(accuracy=0.3, invalid_share=0.0, correlation=1.0)
    assert (amounts == amounts[:, :1]).all()


def test_an_invented_claim_is_denied_or_believed_as_claimed():
    amounts, valid = report(due=0, accuracy=0.7)
    assert valid.mean() == pytest.approx(0.3, abs=0.01)
    assert (amounts[valid] == CLAIMED).all()
    assert (amounts[~valid] == 0).all()


def test_copies_follow_the_first_who_looks():
    amounts, valid = report(accuracy=0.6, copies=[0], correlation=0.0)
    assert (amounts[:, 0] == amounts[:, 1]).all()
    assert (valid[:, 0] == valid[:, 1]).all()
    assert (valid[:, 1] != valid[:, 2]).any()


def test_copies_among_themselves_follow_one_guess():
    valid = report(accuracy=0.5, copies=[0, 1, 2], correlation=0.0)[1]
    assert (valid == valid[:, :1]).all()
    assert valid.mean() == pytest.approx(0.5, abs=0.02)


def test_the_absent_report_nothing():
    amounts, valid = report(absent=[1])
    assert (amounts[:, 1] == -1).all()
    assert not valid[:, 1].any()


def test_an_operator_or_a_claim_more_changes_no_other_report():
    few, more = report(operators=3, claims=50), report(operators=4, claims=51, first=0)
    assert (few[0] == more[0][:50, :3]).all()
    seat = np.array([[2]] * 50, dtype=np.int32)
    assert (report(operators=3, claims=50, seats=seat)[0][:, 0] == few[0][:, 2]).all()


def test_seals_bind_each_report():
    seats = np.array([[0, -1, 1]], dtype=np.int32)
    claims, keys = np.array([5], dtype=np.uint64), np.array([8, 9], dtype=np.uint64)
    amounts, valid = np.array([[10, 0, 30]]), np.array([[True, False, False]])
    salts, sealed = np.empty((1, 3), dtype=np.uint64), np.empty((1, 3), dtype=np.uint64)
    seal_reports(STREAM, 0, claims, seats, keys, np.ones(2, dtype=np.bool_), amounts, valid, salts, sealed)
    assert sealed[0, 1] == 0
    assert sealed[0, 0] == commitment_of(claims[0], keys[0], 10, True, salts[0, 0])
    assert sealed[0, 2] == commitment_of(claims[0], keys[1], 30, False, salts[0, 2])
    assert salts[0, 0] != salts[0, 2]
