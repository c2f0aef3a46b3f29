"""Staking: what is slashed is somebody's, what unbonds waits, what is too small is not drawn."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.oracle_committee.payout import Tally
from sim.contracts.staking import Staking, StakingError
from sim.kernel.draws import Draws
from sim.kernel.ledger import InsufficientFunds, Ledger

CASH = 1_000
NAMES = ("ann", "bob", "cid")


class World:
    """Three stakers with cash, and an account for the rest."""

    def __init__(self, minimum=0, unstake_days=7):
        self.ledger = Ledger(institutions=20, people=0)
        self.usd = self.ledger.asset("USDs", span="all")
        self.staking = Staking(self.ledger, "stakes", self.usd, "oracles", unstake_days, minimum)
        self.rest = self.ledger.open_account("rest", "protocol")
        self.wallets = [self.ledger.open_account(name, "oracles") for name in NAMES]
        for name, wallet in zip(NAMES, self.wallets, strict=True):
            self.staking.add(name)
            self.ledger.mint(self.usd, wallet, CASH, "endowment")

    def stake(self, *amounts):
        for number, amount in enumerate(amounts):
            self.staking.stake(number, self.wallets[number], amount)
        return self

    def stakes(self):
        return self.staking.stakes().tolist()


def tally(lost, shared, rest=0):
    result = Tally.empty(len(lost))
    result.lost[:], result.shared[:], result.rest = lost, shared, rest
    return result


def test_stake_is_a_balance():
    world = World().stake(300, 200, 0)
    assert world.stakes() == [300, 200, 0]
    assert world.ledger.balance(world.usd, world.wallets[0]) == CASH - 300
    with pytest.raises(InsufficientFunds):
        world.stake(CASH)


def test_slashed_stake_goes_to_the_others_and_the_rest():
    world = World().stake(300, 200, 100)
    world.staking.settle(tally([50, 0, 7], [0, 40, 0], 17), world.rest)
    assert world.stakes() == [250, 240, 93]
    assert world.ledger.balance(world.usd, world.rest) == 17
    assert world.staking.check() is None


def test_a_tally_that_does_not_add_up_leaves_no_trace():
    world = World().stake(300, 200, 100)
    with pytest.raises(InsufficientFunds):
        world.staking.settle(tally([50, 0, 0], [0, 60, 0]), world.rest)
    assert world.stakes() == [300, 200, 100]


def test_stake_comes_back_after_its_delay():
    world = World().stake(300, 0, 0)
    world.staking.request_unstake(0, 100, day=5)
    assert world.staking.weights().tolist() == [200, 0, 0]
    assert world.stakes() == [300, 0, 0]
    with pytest.raises(StakingError, match="from day 12"):
        world.staking.withdraw(0, world.wallets[0], day=11)
    assert world.staking.withdrawable(11).size == 0
    assert world.staking.withdrawable(12).tolist() == [0]
    assert world.staking.withdraw(0, world.wallets[0], day=12) == 100
    assert world.stakes() == [200, 0, 0]
    assert world.staking.withdraw(0, world.wallets[0], day=30) == 0


def test_unbonding_stake_can_still_be_slashed():
    world = World().stake(300, 200, 0)
    world.staking.request_unstake(0, 300, day=0)
    world.staking.settle(tally([120, 0, 0], [0, 120, 0]), world.rest)
    assert world.staking.unbonding().tolist() == [180, 0, 0]
    assert world.staking.withdraw(0, world.wallets[0], day=7) == 180


@pytest.mark.parametrize("amount", [0, -1, 301])
def test_no_more_than_the_active_stake_unbonds(amount):
    world = World().stake(300, 0, 0)
    with pytest.raises(StakingError):
        world.staking.request_unstake(0, amount, day=0)


def test_stake_below_the_minimum_is_not_drawn():
    world = World(minimum=150).stake(300, 149, 150)
    assert world.staking.weights().tolist() == [300, 0, 150]
    seats = world.staking.draw(Draws(1).decision("test.draw").stream, 0, np.arange(50, dtype=np.uint64), 3)
    assert set(seats.ravel().tolist()) == {0, 2, -1}


def test_a_rolled_back_request_is_forgotten():
    world = World().stake(300, 0, 0)
    world.staking.request_unstake(0, 50, day=0)
    with suppress(RuntimeError), world.ledger.atomic():
        world.staking.request_unstake(0, 100, day=3)
        raise RuntimeError
    assert world.staking.unbonding().tolist() == [50, 0, 0]
    assert world.staking.withdrawable(7).tolist() == [0]


def test_a_name_stakes_once():
    with pytest.raises(StakingError, match="already"):
        World().staking.add("ann")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 400), st.integers(0, 30)), max_size=30))
def test_stakes_and_cash_are_conserved(steps):
    """Any order of staking, unstaking, withdrawing and slashing keeps every unit, and nobody below zero."""
    world = World()
    day = 0
    for what, who, amount, later in steps:
        day += later
        if what == 0 and world.ledger.balance(world.usd, world.wallets[who]) >= amount:
            world.staking.stake(who, world.wallets[who], amount)
        elif what == 1 and 0 < amount <= world.stakes()[who] - int(world.staking.unbonding()[who]):
            world.staking.request_unstake(who, amount, day)
        elif what == 2 and who in world.staking.withdrawable(day):
            world.staking.withdraw(who, world.wallets[who], day)
        elif what == 3:
            lost = min(amount, world.stakes()[who])
            shared = lost // 3
            losses, shares = np.zeros((2, 3), dtype=np.int64)
            losses[who], shares[(who + 1) % 3] = lost, shared
            world.staking.settle(tally(losses, shares, lost - shared), world.rest)
        assert (world.staking.unbonding() <= world.staking.stakes()).all()
        assert world.staking.check() is None
    held = sum(world.stakes()) + sum(world.ledger.balance(world.usd, one) for one in (*world.wallets, world.rest))
    assert held == CASH * len(NAMES)
    assert world.ledger.check_supplies() is None
