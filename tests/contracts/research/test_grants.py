"""Grant rounds: one application each, ranking by votes, payment of the winners, refund of the rest."""

from __future__ import annotations

import pytest

from sim.chain.mempool import Refused
from sim.contracts.research.grants import Application, Grants, RoundState
from sim.kernel.ledger import Ledger, LedgerError


class Programme:
    """Three applicants who ask for 100, 200 and 300; the programme's account holds 450."""

    def __init__(self) -> None:
        self.ledger = Ledger(institutions=8, people=0)
        self.usd = self.ledger.asset("USDs")
        self.account = self.ledger.open_account("grants", "protocol")
        self.safe = self.ledger.open_account("treasury", "protocol")
        self.groups = [self.ledger.open_account(f"group {i}", "researchers") for i in range(3)]
        self.winners: list[int] = []
        self.grants = Grants(self.ledger, self.usd, self.account, self._refund,
                             lambda application: self.winners.append(application.applicant))

    def _refund(self, account: int, amount: int) -> None:
        self.ledger.transfer(self.usd, account, self.safe, amount, "grant_return")

    def application(self, group: int) -> Application:
        return Application(group, self.groups[group], 0, 100 * (group + 1), 1000.0)

    def voting(self, money: int = 450) -> Grants:
        self.grants.open_round(10, 20)
        for group in range(3):
            self.grants.apply(self.application(group), 12)
        self.grants.close_applications(21)
        self.ledger.mint(self.usd, self.account, money, "endowment")
        return self.grants

    def cash(self) -> list[int]:
        return [self.ledger.balance(self.usd, account) for account in (*self.groups, self.safe, self.account)]


@pytest.fixture
def programme():
    return Programme()


def test_winners_are_paid_by_score_while_the_money_lasts(programme):
    grants = programme.voting()
    grants.rank(0, voter=1, votes=10, points={2: 9000, 0: 1000})
    grants.rank(0, voter=2, votes=30, points={1: 2000, 0: 500})
    assert grants.rounds[0].scores == [25_000, 60_000, 90_000]
    grants.funded(0, 450)
    assert programme.cash() == [100, 0, 300, 50, 0]      # 200 no longer fits, 100 does
    assert grants.rounds[0].awarded == [2, 0]
    assert programme.winners == [2, 0]
    assert grants.paid == 400


def test_an_application_without_a_point_gets_nothing(programme):
    grants = programme.voting()
    grants.rank(0, 1, 10, {0: 1})
    grants.funded(0, 450)
    assert programme.cash() == [100, 0, 0, 350, 0]


def test_ties_go_to_the_earlier_application(programme):
    grants = programme.voting(250)
    grants.rank(0, 1, 10, {0: 5000, 1: 5000})
    grants.funded(0, 250)
    assert programme.cash() == [100, 0, 0, 150, 0]


def test_refusals(programme):
    grants = programme.grants
    with pytest.raises(Refused, match="no grant round is open"):
        grants.apply(programme.application(0), 0)
    grants.open_round(10, 20)
    grants.apply(programme.application(0), 20)
    with pytest.raises(Refused, match="has applied"):
        grants.apply(programme.application(0), 20)
    with pytest.raises(Refused, match="closed"):
        grants.apply(programme.application(1), 21)
    with pytest.raises(Refused, match="ask for something"):
        grants.apply(Application(2, programme.groups[2], 0, 0, 1.0), 20)
    with pytest.raises(Refused, match="is voting"):
        grants.rank(0, 1, 1, {0: 1})
    assert grants.close_applications(20) is None
    assert grants.close_applications(21).number == 0
    assert grants.awaiting_funding().number == 0
    for number, points, message in ((1, {0: 1}, "not the current"), (0, {0: 10_001}, "at most 10,000"),
                                    (0, {0: -1}, "positive"), (0, {1: 1}, "no such")):
        with pytest.raises(Refused, match=message):
            grants.rank(number, 1, 1, points)
    grants.rank(0, 1, 1, {})
    with pytest.raises(Refused, match="has ranked"):
        grants.rank(0, 1, 1, {0: 1})


def test_a_round_is_funded_once_and_an_old_one_lapses(programme):
    grants = programme.voting()
    grants.rank(0, 1, 1, {0: 1})
    grants.funded(0, 100)
    with pytest.raises(Refused):
        grants.funded(0, 100)
    grants.open_round(100, 110)
    assert grants.close_applications(111) is None
    assert grants.rounds[1].state is RoundState.LAPSED
    grants.open_round(200, 210)
    grants.apply(programme.application(0), 200)
    grants.close_applications(211)
    grants.open_round(300, 310)
    assert [r.state.value for r in grants.rounds] == ["funded", "lapsed", "lapsed", "open"]


def test_rollback(programme):
    grants = programme.voting()
    before = programme.cash()

    def failing() -> None:
        with programme.ledger.atomic():
            grants.rank(0, 1, 10, {0: 5000, 1: 5000})
            grants.funded(0, 450)
            raise LedgerError("no")

    with pytest.raises(LedgerError):
        failing()
    current = grants.rounds[0]
    assert (current.scores, current.voters, current.awarded) == ([0, 0, 0], set(), [])
    assert current.state is RoundState.VOTING
    assert programme.cash() == before
    assert grants.paid == 0
