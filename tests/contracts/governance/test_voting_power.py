"""Delegation and checkpoints over a real ledger."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contracts.governance.voting_power import NOBODY, FutureLookup, VotingPower, from_snapshot
from sim.kernel.ledger import Ledger, LedgerError

PEOPLE = 6


@pytest.fixture
def held():
    """A ledger with GOV, two institutions that vote and people who hold 1, 2, 4 ... units."""
    ledger = Ledger(institutions=8, people=PEOPLE)
    gov = ledger.asset("GOV")
    accounts = [ledger.open_account(name, "traders") for name in ("a", "b", "idle")]
    column = np.full(PEOPLE, NOBODY, dtype=np.int16)
    power = VotingPower(ledger, gov, lambda: column)
    for account, amount in zip(accounts, (100, 200, 400), strict=True):
        ledger.mint(gov, account, amount, "genesis")
    for slot in range(PEOPLE):
        ledger.mint(gov, ledger.person(slot), 1 << slot, "genesis")
    a, b = power.register(accounts[0]), power.register(accounts[1])
    return ledger, gov, power, accounts, (a, b), column


def test_only_delegated_tokens_vote(held):
    ledger, gov, power, accounts, (a, b), _ = held
    assert power.live().tolist() == [100, 200]
    power.delegate_people(np.array([0, 1, 5]), np.array([a, b, b], dtype=np.int16))
    assert power.live().tolist() == [101, 200 + 2 + 32]
    power.delegate(accounts[2], a)
    assert power.live().tolist() == [501, 234]
    power.delegate(accounts[2], NOBODY)
    power.delegate_people(np.array([5]), np.array([NOBODY], dtype=np.int16))
    assert power.live().tolist() == [101, 202]
    assert power.live().sum() <= ledger.supply(gov)


def test_a_checkpoint_does_not_change(held):
    ledger, gov, power, accounts, (a, _), _ = held
    first = power.checkpoint(3)
    ledger.transfer(gov, accounts[1], accounts[0], 150, "sale")
    assert power.checkpoint(3) is first
    assert first.power.tolist() == [100, 200]
    assert power.checkpoint(4).power.tolist() == [250, 50]
    assert from_snapshot(power, 3, a, 9) == 100
    assert from_snapshot(power, 4, a, 9) == 250


def test_the_present_cannot_be_looked_up(held):
    _, _, power, *_ = held
    power.checkpoint(3)
    for day, now in ((3, 3), (4, 3)):
        with pytest.raises(FutureLookup, match="not over"):
            power.past(day, now)
    with pytest.raises(FutureLookup, match="no checkpoint"):
        power.past(2, 3)
    assert power.before(3) is None
    assert power.before(4).day == 3


def test_old_checkpoints_are_dropped_but_the_latest_stays(held):
    _, _, power, *_ = held
    for day in (1, 2, 3, 8):
        power.checkpoint(day)
    power.forget(5)
    assert power.before(5).day == 3
    with pytest.raises(FutureLookup):
        power.past(2, 9)


def test_delegation_rolls_back(held):
    ledger, _, power, accounts, (_, b), column = held

    def failing() -> None:
        with ledger.atomic():
            power.delegate(accounts[2], b)
            power.delegate_people(np.array([1, 2]), np.array([b, b], dtype=np.int16))
            raise LedgerError("no")

    with pytest.raises(LedgerError):
        failing()
    assert power.live().tolist() == [100, 200]
    assert (column == NOBODY).all()


def test_unknown_voters_are_refused(held):
    _, _, power, accounts, *_ = held
    with pytest.raises(ValueError, match="no voter 2"):
        power.delegate(accounts[2], 2)
    with pytest.raises(ValueError, match="unknown voter"):
        power.delegate_people(np.array([0]), np.array([2], dtype=np.int16))
    with pytest.raises(ValueError, match="voter already"):
        power.register(accounts[0])


def test_large_supplies_are_summed_exactly():
    """Above 2^53 float sums would lose units; the integer path must not."""
    ledger = Ledger(institutions=2, people=3)
    gov = ledger.asset("GOV")
    column = np.zeros(3, dtype=np.int16)
    power = VotingPower(ledger, gov, lambda: column)
    power.register(ledger.open_account("a", "traders"))
    for slot, amount in enumerate(((1 << 60) + 1, 1, 1)):
        ledger.mint(gov, ledger.person(slot), amount, "genesis")
    assert power.live().tolist() == [(1 << 60) + 3]
