"""From filing to payment: stages and days, decisions, slashing and rewards, reserves, redraws, halts."""

import numpy as np
import pytest

from sim.contracts.claims.payments import ClaimError
from sim.contracts.claims.table import Status
from sim.kernel.fixedpoint import MICRO

USD = MICRO


def statuses(market):
    return [Status(int(code)).name for code in market.table["status"]]


def test_a_claim_takes_its_stages(claims_market):
    market = claims_market()
    market.run_day(file=[100 * USD])
    assert statuses(market) == ["FILED"]
    assert market.insurer.outstanding.tolist() == [100 * USD, 0, 0]
    market.run_day()  # a committee is drawn and commits
    assert statuses(market) == ["FILED"]
    market.run_day()  # it reveals and decides, and the pool pays
    assert statuses(market) == ["PAID"]
    row = {name: int(market.table[name][0]) for name in ("filed", "committed", "revealed", "decided", "paid_on")}
    assert row == {"filed": 0, "committed": 1, "revealed": 2, "decided": 2, "paid_on": 2}
    assert market.insurer.outstanding.tolist() == [0, 0, 0]
    assert market.claims.ended_today().tolist() == [0]
    assert market.cash(market.people[0]) == 1_100 * USD


def test_delays_are_parameters(claims_market):
    market = claims_market(draw_days=3, commit_days=2, reveal_days=2, payment_days=4)
    market.run_day(file=[100 * USD])
    while market.day < 20:
        market.run_day()
    row = {name: int(market.table[name][0]) for name in ("committed", "revealed", "decided", "paid_on")}
    # drawn on 3, committed until 4, revealed on 5 by everybody, which ends the round early, paid four days later
    assert row == {"committed": 4, "revealed": 5, "decided": 5, "paid_on": 9}


def test_the_median_is_paid_and_a_pool_keeps_the_rest(claims_market):
    market = claims_market(committee_size=3, operators=3)
    reports = {0: 80 * USD, 1: 90 * USD, 2: 200 * USD}
    market.run_day(file=[100 * USD])
    for _ in range(2):
        market.run_day(vote=lambda operator, claim, claimed: (reports[operator], True))
    assert int(market.table["approved"][0]) == 90 * USD
    assert int(market.table["paid"][0]) == 90 * USD


def test_deviators_pay_the_majority(claims_market):
    market = claims_market(committee_size=3, operators=3, minimum_stake=5_000, slash_share=0.001, reward_per_vote=2)
    before = [market.cash(wallet) for wallet in market.wallets]
    fees = market.cash(market.claims.fees)
    market.run_day(file=[100 * USD])
    for _ in range(2):
        market.run_day(vote=lambda operator, claim, claimed: (0, False) if operator == 2 else (claimed, True))
    stakes = market.claims.operators.staking.stakes()
    assert stakes.tolist() == [10_002_500_000, 10_002_500_000, 9_995_000_000]
    earned = [market.cash(wallet) - old for wallet, old in zip(market.wallets, before, strict=True)]
    assert earned == [2 * USD, 2 * USD, 0]
    assert fees - market.cash(market.claims.fees) == 4 * USD
    assert market.claims.totals.slashed == 5 * USD
    assert market.record.today["claims.slashed"] == 5


def test_slashed_stake_can_go_to_the_fund(claims_market):
    market = claims_market(committee_size=3, operators=3, slashed_to="fund", reward_per_vote=0)
    fees = market.cash(market.claims.fees)
    market.run_day(file=[100 * USD])
    for _ in range(2):
        market.run_day(vote=lambda operator, claim, claimed: (0, False) if operator == 2 else (claimed, True))
    assert market.cash(market.claims.fees) - fees == 5 * USD


def test_share_of_stake_is_slashed_by_size(claims_market):
    market = claims_market(committee_size=3, operators=3, stake=30_000 * USD, slashing="share_of_stake",
                           slash_share=0.01)
    market.run_day(file=[100 * USD])
    for _ in range(2):
        market.run_day(vote=lambda operator, claim, claimed: None if operator == 2 else (claimed, True))
    assert market.claims.operators.staking.stakes().tolist() == [30_150 * USD, 30_150 * USD, 29_700 * USD]


def test_rewards_beyond_the_fund_are_owed_and_paid_later(claims_market):
    market = claims_market(committee_size=3, operators=3, fees=4 * USD, reward_per_vote=2)
    market.run_day(file=[100 * USD])
    market.run_day()
    market.run_day()
    owed = market.claims.operators.owed
    assert int(owed.sum()) == 2 * USD
    assert market.cash(market.claims.fees) == 0
    market.ledger.mint(market.usd, market.claims.fees, 10 * USD, "endowment")
    market.run_day()
    assert not market.claims.operators.owed.any()
    assert market.cash(market.claims.fees) == 8 * USD
    assert market.claims.totals.rewards == 6 * USD


def test_gas_of_a_vote_is_refunded(claims_market):
    market = claims_market(committee_size=3, operators=3, reward_per_vote=2, commit_gas_per_vote=20_000,
                           reveal_gas_per_vote=10_000)
    before = market.cash(market.wallets[0])
    market.chain.price = 100
    market.run_day(file=[100 * USD])
    for _ in range(2):
        market.run_day()
    assert market.cash(market.wallets[0]) - before == 5 * USD
    assert market.claims.appeal_fee(0) == 7 * 5 * USD


def test_without_a_quorum_another_committee_is_drawn(claims_market):
    market = claims_market(operators=20)
    market.run_day(file=[100 * USD])
    for _ in range(2):
        market.run_day(vote=lambda operator, claim, claimed: None)
    assert statuses(market) == ["FILED"]
    assert market.claims.totals.redrawn == 1
    assert market.claims.totals.slashed == 25 * USD  # five absentees
    market.run_day()
    market.run_day()
    assert statuses(market) == ["PAID"]


def test_a_tie_goes_to_a_larger_committee(claims_market):
    market = claims_market(operators=20, committee_size=4, quorum=1.0)
    sizes = []
    market.run_day(file=[100 * USD])
    seen = {}

    def vote(operator, claim, claimed):
        seen[operator] = len(seen)
        return (claimed, True) if seen[operator] % 2 else (0, False)

    market.run_day(vote=vote)
    sizes.append(market.claims.docket.rounds[0].seats.shape[1])
    market.run_day()
    assert market.table["level"].tolist() == [1]
    market.run_day()
    sizes.append(market.claims.docket.rounds[0].seats.shape[1])
    assert sizes == [4, 9]
    market.run_day()
    assert statuses(market) == ["PAID"]


def test_claims_that_never_find_a_quorum_are_dropped(claims_market):
    market = claims_market(drop_after_days=5)
    market.run_day(file=[100 * USD])
    while market.day < 9 and statuses(market) != ["DROPPED"]:
        market.run_day(vote=lambda operator, claim, claimed: None)
    assert statuses(market) == ["DROPPED"]
    assert market.claims.ended_today().tolist() == [0]
    assert market.insurer.outstanding.tolist() == [0, 0, 0]


def test_without_staked_operators_nothing_is_decided(claims_market):
    market = claims_market(stake=100 * USD)  # below the minimum
    market.run_day(file=[100 * USD])
    for _ in range(6):
        market.run_day()
    assert statuses(market) == ["FILED"]
    assert market.claims.totals.redrawn >= 2


@pytest.mark.parametrize("section", [{"mode": "automatic"}, {"operators": 0}], ids=["automatic", "no operators"])
def test_automatic_claims_are_paid_the_same_day(claims_market, section):
    market = claims_market(**section)
    market.run_day(file=[100 * USD, 50 * USD])
    assert statuses(market) == ["PAID", "PAID"]
    assert market.table["paid_on"].tolist() == [0, 0]
    assert market.insurer.outstanding.tolist() == [0, 0, 0]


def test_a_halt_delays_decisions(claims_market):
    market = claims_market(mode="automatic")
    market.run_day()
    market.claims.halt(3)  # a shock comes before the day's other phases
    market.run_day(file=[100 * USD])
    for _ in range(2):
        market.run_day()
        assert statuses(market) == ["FILED"]
    market.run_day()
    assert statuses(market) == ["PAID"]
    assert market.table["paid_on"].tolist() == [4]


def test_what_a_pool_cannot_pay_is_recorded_and_may_come_later(claims_market):
    market = claims_market(mode="automatic", insurer_cash=130 * USD)
    market.run_day(file=[100 * USD, 50 * USD, 10 * USD])
    assert statuses(market) == ["PAID", "PARTLY_PAID", "APPROVED"]
    assert market.record.today["claims.unpaid_amount"] == 30
    market.insurer.late = [(np.array([1, 2]), np.array([15 * USD, 5 * USD])), (np.array([1]), np.array([5 * USD]))]
    market.run_day()
    assert statuses(market) == ["PAID", "PAID", "PARTLY_PAID"]
    assert market.table["paid_on"].tolist() == [0, 1, -1]


def test_nobody_is_paid_twice(claims_market):
    market = claims_market(mode="automatic")
    market.run_day(file=[100 * USD])
    with pytest.raises(ClaimError, match="100000000"):
        market.claims.payments.record(np.array([0]), np.array([1]), 1)
    market.table["paid"][0] += 1
    broken = dict(market.claims.invariants())["claims.paid_at_most_approved_at_most_claimed"]()
    assert "claim 0" in broken


def test_governed_parameters_change_the_next_committee(claims_market):
    market = claims_market()
    market.parameters.change("claims.committee_size", 7)
    market.run_day(file=[100 * USD])
    market.run_day()
    assert market.claims.docket.rounds[0].seats.shape == (1, 7)


def test_large_days_are_split_into_rounds(claims_market):
    market = claims_market(round_size=4)
    market.run_day(file=[100 * USD] * 10)
    market.run_day()
    assert [round_.ids.size for round_ in market.claims.docket.rounds] == [4, 4, 2]
    market.run_day()
    assert set(statuses(market)) == {"PAID"}
