"""The governor's life cycle, day by day, with exact integers."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contracts.governance.actions import ChangeParameter
from sim.contracts.governance.governor import Governor, GovernorError, ProposalState, Settings, Support
from sim.contracts.governance.timelock import Timelock
from sim.contracts.governance.voting_power import Checkpoint, FutureLookup
from sim.verification.governance import FixedVotes, governor_rows

ACTIONS = (ChangeParameter("pool.gate", 1.2),)
FOR, AGAINST, ABSTAIN = Support.FOR, Support.AGAINST, Support.ABSTAIN
SUPPLY = 1000
DELAY, PERIOD, WAIT, GRACE = 2, 3, 4, 5
PROPOSED = 10
SNAPSHOT, DEADLINE = 12, 15


class Bench:
    """A governor whose executions are counted; ``refuse`` makes them fail."""

    def __init__(self, power: list[int], quorum: int = 4, threshold: int = 1, supply: int = SUPPLY) -> None:
        self.executed: list[int] = []
        self.refuse = False
        self.settings = Settings(DELAY, PERIOD, threshold, quorum)
        self.governor = Governor(settings=lambda: self.settings, votes=FixedVotes(power, supply),
                                 timelock=Timelock(lambda: WAIT, GRACE), run=self._run)

    def _run(self, proposal: object) -> None:
        if self.refuse:
            raise ValueError("refused")
        self.executed.append(proposal.number)  # type: ignore[attr-defined]

    def proposed(self) -> int:
        return self.governor.propose(0, ACTIONS, PROPOSED)

    def passed(self) -> int:
        number = self.proposed()
        self.governor.cast_vote(number, 0, FOR, SNAPSHOT + 1)
        return number


@pytest.mark.parametrize("row", list(governor_rows()), ids=lambda row: f"{row.id} {row.statement}")
def test_openzeppelin_vectors(row):
    assert row.verdict, row


@pytest.mark.parametrize(("votes_for", "against", "abstain", "state"), [
    (40, 0, 0, "succeeded"),        # exactly the quorum of 4 % of 1000
    (39, 0, 0, "defeated"),         # one short of it
    (20, 19, 20, "succeeded"),      # abstentions count for the quorum
    (20, 0, 19, "defeated"),
    (20, 400, 20, "defeated"),      # against does not count for it, and wins
    (200, 200, 0, "defeated"),      # a tie does not pass
    (201, 200, 0, "succeeded"),
    (0, 0, 1000, "defeated"),       # quorum without a majority
])
def test_outcome(votes_for, against, abstain, state):
    bench = Bench([50, votes_for, against, abstain])
    number = bench.proposed()
    for voter, support in ((1, FOR), (2, AGAINST), (3, ABSTAIN)):
        bench.governor.cast_vote(number, voter, support, SNAPSHOT + 1)
    assert bench.governor[number].votes == {FOR: votes_for, AGAINST: against, ABSTAIN: abstain}
    assert bench.governor[number].quorum == 40
    assert bench.governor.state(number, DEADLINE).value == "active"
    assert bench.governor.state(number, DEADLINE + 1).value == state


@pytest.mark.parametrize(("day", "state"), [
    (10, "pending"), (12, "pending"), (13, "active"), (15, "active"), (16, "succeeded")])
def test_states_before_the_queue(day, state):
    bench = Bench([100])
    assert bench.governor.state(bench.passed(), day).value == state


@pytest.mark.parametrize(("day", "state"), [(17, "queued"), (21, "queued"), (26, "queued"), (27, "expired")])
def test_states_after_the_queue(day, state):
    bench = Bench([100])
    number = bench.passed()
    assert bench.governor.queue(number, 17) == 21
    assert bench.governor.state(number, day).value == state


@pytest.mark.parametrize("day", [10, 12, 16, 30])
def test_votes_are_taken_in_the_period_only(day):
    bench = Bench([100])
    number = bench.proposed()
    with pytest.raises(GovernorError, match="not active"):
        bench.governor.cast_vote(number, 0, FOR, day)


def test_no_vote_twice():
    bench = Bench([100, 7])
    number = bench.proposed()
    assert bench.governor.cast_vote(number, 1, AGAINST, 13) == 7
    for support in Support:
        with pytest.raises(GovernorError, match="has voted"):
            bench.governor.cast_vote(number, 1, support, 14)
    assert bench.governor[number].votes == {FOR: 0, AGAINST: 7, ABSTAIN: 0}


def test_threshold_is_a_share_of_past_supply():
    bench = Bench([9, 10], threshold=1)
    with pytest.raises(GovernorError, match="threshold 10"):
        bench.governor.propose(0, ACTIONS, 0)
    assert bench.governor.propose(1, ACTIONS, 0) == 0


def test_a_proposal_needs_an_action():
    with pytest.raises(GovernorError, match="needs an action"):
        Bench([100]).governor.propose(0, (), 0)


@pytest.mark.parametrize("day", [17, 18, 20])
def test_no_execution_before_the_delay(day):
    bench = Bench([100])
    number = bench.passed()
    bench.governor.queue(number, 17)
    with pytest.raises(GovernorError, match="until day 21"):
        bench.governor.execute(number, day)
    assert bench.executed == []


def test_executed_once():
    bench = Bench([100])
    number = bench.passed()
    bench.governor.queue(number, 17)
    assert bench.governor.execute(number, 21)
    for day in (21, 22, 99):
        assert bench.governor.state(number, day) is ProposalState.EXECUTED
        with pytest.raises(GovernorError):
            bench.governor.execute(number, day)
    assert bench.executed == [0]


def test_what_did_not_pass_is_never_executed():
    bench = Bench([100, 200])
    number = bench.passed()
    bench.governor.cast_vote(number, 1, AGAINST, 14)
    for day in range(PROPOSED, 40):
        with pytest.raises(GovernorError):
            bench.governor.queue(number, day)
        with pytest.raises(GovernorError):
            bench.governor.execute(number, day)
    assert bench.executed == []


def test_expired_is_never_executed():
    bench = Bench([100])
    number = bench.passed()
    bench.governor.queue(number, 17)
    with pytest.raises(GovernorError, match="expired"):
        bench.governor.execute(number, 27)
    assert bench.executed == []


def test_a_refused_execution_may_be_tried_again():
    bench = Bench([100])
    number = bench.passed()
    bench.governor.queue(number, 17)
    bench.refuse = True
    assert not bench.governor.execute(number, 21)
    assert bench.governor[number].failure == "refused"
    assert bench.governor.state(number, 21) is ProposalState.QUEUED
    bench.refuse = False
    assert bench.governor.execute(number, 26)
    assert bench.governor[number].failure == ""


def test_only_the_proposer_cancels_and_only_in_time():
    bench = Bench([100, 100])
    number = bench.proposed()
    with pytest.raises(GovernorError, match="proposer"):
        bench.governor.cancel(number, 1, 11)
    with pytest.raises(GovernorError, match="not pending"):
        bench.governor.cancel(number, 0, 13)
    bench.governor.cancel(number, 0, 12)
    assert bench.governor.state(number, 13) is ProposalState.CANCELED


def test_rules_of_the_day_are_fixed_when_they_apply():
    """Delay and period at the proposal, quorum at the first vote; later changes do not reach back."""
    bench = Bench([100])
    number = bench.proposed()
    bench.settings = Settings(0, 1, 1, 5)
    bench.governor.cast_vote(number, 0, FOR, 13)
    bench.settings = Settings(0, 1, 1, 90)
    proposal = bench.governor[number]
    assert (proposal.snapshot, proposal.deadline, proposal.quorum) == (SNAPSHOT, DEADLINE, 50)
    assert bench.governor.state(number, 16) is ProposalState.SUCCEEDED


def test_a_vote_needs_the_snapshot():
    class Forgetful(FixedVotes):
        def past(self, day: int, now: int) -> Checkpoint:
            if now == 13:
                raise FutureLookup("no checkpoint")
            return super().past(day, now)

    bench = Bench([100])
    bench.governor._votes = Forgetful([100], SUPPLY)
    number = bench.proposed()
    with pytest.raises(FutureLookup):
        bench.governor.cast_vote(number, 0, FOR, 13)
    assert bench.governor[number].ballots == {}
    assert bench.governor.cast_vote(number, 0, FOR, 14) == 100


def test_final_proposals_leave_the_open_list():
    bench = Bench([100, 0])
    first, second = bench.passed(), bench.proposed()
    assert [p.number for p in bench.governor.open()] == [first, second]
    assert bench.governor.close_finished(DEADLINE) == []
    assert [(p.number, s) for p, s in bench.governor.close_finished(16)] == [(second, ProposalState.DEFEATED)]
    assert [p.number for p in bench.governor.open()] == [first]


def test_unknown_proposals_are_refused():
    bench = Bench([100])
    for number in (-1, 0, 7):
        with pytest.raises(GovernorError, match="no proposal"):
            bench.governor.state(number, 0)


def test_power_of_a_later_voter_is_nothing():
    assert Checkpoint(0, np.array([5], dtype=np.int64), 9).of(3) == 0
