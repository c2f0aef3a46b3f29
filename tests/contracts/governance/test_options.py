"""The governor's options, one by one: each does what it says, and nothing when it is not asked for."""

from __future__ import annotations

import numpy as np
import pytest

from sim.chain.mempool import Refused
from sim.contracts.governance.actions import PayFromTreasury
from sim.contracts.governance.conviction import Conviction
from sim.contracts.governance.deposits import VotingDeposits
from sim.contracts.governance.governor import Governor, GovernorError, ProposalState, Settings, Support
from sim.contracts.governance.timelock import Timelock
from sim.contracts.governance.vote_lock import VoteLock
from sim.contracts.governance.vote_market import PRICE_UNIT, VoteMarket
from sim.contracts.governance.vote_rules import quadratic_votes
from sim.contracts.governance.voting_power import NOBODY, VotingPower, from_live, from_snapshot
from sim.kernel.ledger import InsufficientFunds, Ledger

FOR, AGAINST, ABSTAIN = Support.FOR, Support.AGAINST, Support.ABSTAIN


class House:
    """Voters with the given units of GOV, a person with 8, a lender with cash and GOV, and a governor."""

    def __init__(self, held=(40, 30, 20), wait=0, depth=1, rule=None, live=True, **settings):
        self.ledger = Ledger(institutions=24, people=1)
        self.gov, self.usd = self.ledger.asset("GOV"), self.ledger.asset("USDs")
        self.column = np.full(1, NOBODY, dtype=np.int16)
        self.power = VotingPower(self.ledger, self.gov, lambda: self.column, depth)
        self.accounts = [self.ledger.open_account(f"voter {i}", "traders") for i in range(len(held))]
        for account, amount in zip(self.accounts, held, strict=True):
            self.power.register(account)
            self.ledger.mint(self.gov, account, amount, "genesis")
            self.ledger.mint(self.usd, account, 1000, "endowment")
        self.lender = self.ledger.open_account("lender", "traders")
        self.ledger.mint(self.gov, self.lender, 100 - sum(held), "genesis")
        self.ledger.mint(self.usd, self.lender, 10_000, "endowment")
        self.run: list[int] = []
        given = {"voting_delay": 0, "voting_period": 3, "threshold_numerator": 0, "quorum_numerator": 10} | settings
        self.settings = Settings(**given)
        self.governor = Governor(
            settings=lambda: self.settings, votes=self.power, timelock=Timelock(lambda: wait, 10),
            run=lambda proposal: self.run.append(proposal.number), on_rollback=self.ledger.on_rollback,
            votes_from=from_live if live else from_snapshot,
            requested=lambda proposal: (proposal.requested(self.usd), 100),
            **({} if rule is None else {"rule": rule}))
        self.power.checkpoint(-1)

    def proposal(self, amount=5):
        number = self.governor.propose(0, (PayFromTreasury(self.usd, self.accounts[0], amount),), 0)
        self.power.checkpoint(0)
        return number

    def lend(self, amount, back=False):
        ends = (self.accounts[0], self.lender) if back else (self.lender, self.accounts[0])
        self.ledger.transfer(self.gov, *ends, amount, "loan")


def test_live_votes_count_what_is_held_at_the_moment_and_stay_counted():
    house = House(held=(1, 30, 20))
    number = house.proposal()
    house.lend(49)
    assert house.governor.cast_vote(number, 0, FOR, 1) == 50
    house.lend(49, back=True)
    assert house.governor.cast_vote(number, 1, AGAINST, 2) == 30
    assert house.governor.state(number, 4) is ProposalState.SUCCEEDED
    house.governor.queue(number, 4)
    assert house.governor.execute(number, 4)


def test_snapshot_votes_do_not_see_a_loan():
    house = House(held=(1, 30, 20), live=False)
    number = house.proposal()
    house.lend(49)
    assert house.governor.cast_vote(number, 0, FOR, 1) == 1


@pytest.mark.parametrize(("back", "passes"), [(0, True), (19, True), (20, False), (49, False)])
def test_a_recount_counts_no_more_than_is_held_at_execution(back, passes):
    """50 for against 30: after ``back`` have gone, 50 - back must still exceed 30."""
    house = House(held=(1, 30, 20), recount=True)
    number = house.proposal()
    house.lend(49)
    house.governor.cast_vote(number, 0, FOR, 1)
    house.governor.cast_vote(number, 1, AGAINST, 1)
    house.governor.queue(number, 4)
    house.lend(back, back=True)
    if passes:
        assert house.governor.execute(number, 5)
        return
    with pytest.raises(GovernorError, match="recount"):
        house.governor.execute(number, 5)
    assert house.run == []
    assert house.governor.state(number, 5) is ProposalState.QUEUED


def test_a_recount_gives_nobody_more_than_was_counted_and_keeps_the_quorum():
    house = House(held=(20, 15, 20), recount=True, quorum_numerator=30)
    number = house.proposal()
    house.governor.cast_vote(number, 0, FOR, 1)
    house.governor.cast_vote(number, 1, ABSTAIN, 1)
    house.lend(30)
    assert house.governor.recounted(house.governor[number]) == {FOR: 20, AGAINST: 0, ABSTAIN: 15}
    house.governor.queue(number, 4)
    house.ledger.transfer(house.gov, house.accounts[1], house.lender, 6, "sale")
    with pytest.raises(GovernorError, match="recount"):
        house.governor.execute(number, 5)


def test_an_emergency_commit_needs_its_share_and_its_day_and_respects_the_timelock():
    house = House(held=(60, 7, 20), emergency_numerator=67, emergency_after=2, wait=2, voting_period=9)
    number = house.proposal()
    house.governor.cast_vote(number, 0, FOR, 1)
    with pytest.raises(GovernorError, match="young"):
        house.governor.emergency_commit(number, 1)
    with pytest.raises(GovernorError, match="supermajority"):
        house.governor.emergency_commit(number, 2)
    house.governor.cast_vote(number, 1, FOR, 2)
    assert house.governor.emergency_commit(number, 2) is False
    assert house.governor.state(number, 3) is ProposalState.QUEUED
    with pytest.raises(GovernorError, match="timelock"):
        house.governor.execute(number, 3)
    assert house.governor.execute(number, 4)
    assert house.run == [number]


def test_without_the_rule_there_is_no_emergency():
    house = House(held=(90, 5, 5))
    number = house.proposal()
    house.governor.cast_vote(number, 0, FOR, 1)
    with pytest.raises(GovernorError, match="supermajority"):
        house.governor.emergency_commit(number, 1)


def test_the_cap_counts_no_voter_for_more():
    house = House(cap_numerator=25)
    number = house.proposal()
    assert [house.governor.cast_vote(number, voter, FOR, 1) for voter in range(3)] == [25, 25, 20]
    assert house.governor[number].cast == 70


def test_quadratic_votes_and_their_quorum_in_tokens():
    house = House(held=(49, 16, 16), rule=quadratic_votes, quorum_numerator=65)
    number = house.proposal()
    assert [house.governor.cast_vote(number, voter, support, 1)
            for voter, support in ((0, FOR), (1, AGAINST))] == [7, 4]
    assert not house.governor.quorum_reached(house.governor[number])
    assert house.governor.cast_vote(number, 2, ABSTAIN, 1) == 4
    assert house.governor.quorum_reached(house.governor[number])
    assert house.governor.passes(house.governor[number])


def test_a_late_quorum_keeps_the_vote_open_once():
    house = House(held=(40, 5, 20), late_quorum_extension=2)
    number = house.proposal()
    house.governor.cast_vote(number, 1, FOR, 1)
    assert house.governor[number].deadline == 3
    house.governor.cast_vote(number, 0, FOR, 3)
    assert house.governor[number].deadline == 5
    house.governor.cast_vote(number, 2, FOR, 5)
    assert house.governor[number].deadline == 5


def test_an_early_quorum_extends_nothing():
    house = House(late_quorum_extension=2)
    number = house.proposal()
    house.governor.cast_vote(number, 0, FOR, 1)
    assert house.governor[number].deadline == 3


@pytest.mark.parametrize(("depth", "power"), [(1, [8, 40, 50]), (2, [0, 8, 90]), (3, [0, 0, 98])])
def test_power_travels_as_many_steps_as_allowed(depth, power):
    """A person delegates to 0; 0 delegates to 1, and 1 to 2."""
    house = House(held=(40, 30, 20), depth=depth)
    house.ledger.mint(house.gov, house.ledger.person(0), 8, "genesis")
    house.power.delegate_people(np.array([0]), np.array([0], dtype=np.int16))
    house.power.delegate(house.accounts[0], 1)
    house.power.delegate(house.accounts[1], 2)
    assert house.power.live().tolist() == power


def test_circles_of_delegation_lose_and_make_no_power():
    house = House(held=(40, 30, 20), depth=5)
    house.power.delegate(house.accounts[0], 1)
    house.power.delegate(house.accounts[1], 0)
    assert house.power.live().sum() == 90


def test_conviction_passes_what_support_has_carried_and_nothing_by_majority():
    house = House(held=(40, 30, 20), conviction=Conviction(500_000, 200_000, 12_000, 0), voting_period=20)
    asked, refused = house.proposal(5), house.proposal(25)
    house.governor.cast_vote(asked, 0, FOR, 1)
    house.governor.cast_vote(refused, 0, FOR, 1)
    # staked 80; threshold 0.012 x 80 / (0.5 x 0.15^2) = 85.3 is never reached by 40 / (1 - 0.5) = 80
    for day in range(1, 12):
        assert house.governor.accrue(day) == []
    house.governor.cast_vote(asked, 1, FOR, 12)
    # staked 110; threshold 117.3; conviction goes to 80 x 0.5 + 70 = 110, then 125
    assert house.governor.accrue(12) == []
    assert [proposal.number for proposal in house.governor.accrue(13)] == [asked]
    assert house.governor.state(asked, 14) is ProposalState.SUCCEEDED
    assert house.governor.state(refused, 21) is ProposalState.DEFEATED


def test_a_veto_ends_a_proposal_before_its_execution_only():
    house = House(wait=2)
    number = house.proposal()
    house.governor.cast_vote(number, 0, FOR, 1)
    house.governor.queue(number, 4)
    house.governor.veto(number, 5)
    assert house.governor.state(number, 7) is ProposalState.CANCELED
    with pytest.raises(GovernorError, match="canceled"):
        house.governor.execute(number, 7)
    with pytest.raises(GovernorError, match="canceled"):
        house.governor.veto(number, 7)


def test_a_vote_lock_keeps_tokens_voting_and_away_until_its_day():
    house = House(held=(40, 30, 20))
    locks = VoteLock(house.ledger, house.gov, house.power)
    house.power.more.append(locks)
    house.power.delegate(house.lender, 0)
    assert locks.lock(0, 5) == 50
    assert house.power.live().tolist() == [50, 30, 20]
    with pytest.raises(InsufficientFunds):
        house.lend(1, back=True)
    assert locks.release(5) == 0
    assert locks.release(6) == 50
    assert [house.ledger.balance(house.gov, a) for a in (house.accounts[0], house.lender)] == [40, 10]
    assert locks.escrow_holds() is None


def test_a_locked_token_stays_with_its_voter_whomever_its_owner_chooses_next():
    """Else it would vote twice on a proposal that both voters have yet to answer, or leave while it is counted."""
    house = House(held=(40, 30, 20))
    locks = VoteLock(house.ledger, house.gov, house.power)
    house.power.more.append(locks)
    house.power.delegate(house.lender, 0)
    locks.lock(0, 5)
    house.power.delegate(house.lender, 1)
    house.ledger.transfer(house.gov, house.accounts[2], house.lender, 5, "gift")
    assert locks.lock(1, 7) == 35
    assert house.power.live().tolist() == [50, 35, 15]
    locks.lock(0, 9)  # prolongs what it has, the lender's old tokens too
    assert locks.release(8) == 35
    assert house.power.live().tolist() == [50, 35, 15]
    assert locks.release(10) == 50
    assert locks.escrow_holds() is None


def test_deposits_vote_until_they_are_withdrawn_and_not_while_locked():
    house = House(held=(40, 30, 20))
    deposits = VotingDeposits(house.ledger, house.usd, house.power, 500_000)
    house.power.more.append(deposits)
    deposits.deposit(1, 101)
    assert house.power.current(1) == 30 + 50
    assert house.power.current_supply() == 150
    assert deposits.cash_for(50) == 100
    deposits.lock(1, 3)
    with pytest.raises(Refused, match="locked"):
        deposits.withdraw(1, 1, 3)
    with pytest.raises(Refused, match="deposited"):
        deposits.withdraw(1, 102, 4)
    deposits.withdraw(1, 101, 4)
    assert house.power.live().tolist() == [40, 30, 20]
    assert deposits.deposits_are_held() is None


def test_the_vote_market_pays_once_for_counted_votes_of_the_answer_bought():
    house = House(held=(40, 30, 20))
    votes = VoteMarket(house.ledger, house.usd, house.power)
    number = house.proposal()
    votes.post(number, house.lender, FOR, PRICE_UNIT * 3, 130)
    with pytest.raises(Refused, match="an offer"):
        votes.post(number, house.lender, FOR, PRICE_UNIT, 1)
    assert votes.quote(number, 10) == (FOR, 30)
    with pytest.raises(Refused, match="nothing is due"):
        votes.claim(house.governor[number], 0)
    for voter, support in ((0, FOR), (1, AGAINST), (2, FOR)):
        house.governor.cast_vote(number, voter, support, 1)
    assert votes.claim(house.governor[number], 0) == 120
    for voter in (0, 1):
        with pytest.raises(Refused, match="nothing is due"):
            votes.claim(house.governor[number], voter)
    assert votes.claim(house.governor[number], 2) == 10
    assert votes.refund(number) == 0
    assert votes.escrow_holds() is None


@pytest.mark.parametrize("voter", [-1, 3])
def test_a_deposit_by_nobody_is_refused(voter):
    house = House()
    deposits = VotingDeposits(house.ledger, house.usd, house.power, 1_000_000)
    with pytest.raises(Refused, match="no voter"):
        deposits.deposit(voter, 10)
    assert not deposits.held


def test_nobody_offers_a_negative_price_for_votes():
    house = House()
    offers = VoteMarket(house.ledger, house.usd, house.power)
    with pytest.raises(Refused):
        offers.post(0, house.lender, FOR, -1, 10)
    assert offers.quote(0, 10) is None
