"""Operators in a market of claims and oracles alone: they look, vote, are paid and slashed, come and go."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim.agents.oracle_effort import match_probability
from sim.agents.oracle_index import IndexFeed
from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.sections.claims import ClaimsSection
from sim.scenario.sections.oracles import OraclesSection

DAYS = 400
CLAIM = 200 * MICRO


class Records:
    """The truth: every ``false_every``-th claim is invented."""

    def __init__(self, false_every=0):
        self.false_every = false_every

    def true_amount(self, ids):
        false = ids % self.false_every == 0 if self.false_every else np.zeros(ids.size, dtype=np.bool_)
        return np.where(false, 0, CLAIM)


class Town:
    """A market of the two sections, in which ``per_day`` claims are filed each day."""

    def __init__(self, per_day=40, fees=10**6, seed=4, false_every=0, claims=None, **oracles):
        sections = {"claims": ClaimsSection(**(claims or {})), "oracles": OraclesSection(**oracles)}
        self.market = HealthMarket(SimpleNamespace(horizon_days=DAYS, sections=sections, shocks=[]), seed)
        self.ledger = self.market.ledger
        self.claims, self.oracles = self.market.mechanism("claims"), self.market.mechanism("oracles")
        self.records = self.oracles.ballots.records = Records(false_every)
        self.ledger.mint(self.market.usd, self.claims.fees, fees * MICRO, "endowment")
        self.ledger.grow_people(per_day)
        self.patients = self.ledger.person(np.arange(per_day))
        self.ledger.mint_batch(self.market.usd, self.patients, np.full(per_day, 1_000 * MICRO), "endowment")
        self.per_day = per_day

    def run(self, days):
        for _ in range(days):
            self.market.step()
            count, day = self.per_day, self.market.day
            self.claims.file(np.zeros(count), np.arange(count), np.arange(count, dtype=np.uint64), self.patients,
                             np.full(count, CLAIM), np.full(count, day), day)
            self.market.invariants.require(day)
        return self

    def money(self):
        return int(self.ledger.balances(self.market.usd).sum())


def test_claims_are_decided_and_votes_match_the_majority_as_expected():
    town = Town(per_day=100, claims={"amount_tolerance": 1.0}, invalid_share=1.0).run(40)
    summary = town.market.finish()
    accuracy = float(town.oracles.accuracy.mean())
    expected = float(match_probability(np.array([accuracy]), accuracy, 5, 0.2)[0])
    assert summary["claims.decided"] == 100 * 38
    assert summary["oracles.votes"] == 5 * 100 * 38
    assert summary["oracles.coherence"] == pytest.approx(expected, abs=0.01)
    assert summary["oracles.absence"] == 0
    assert 0.9 < accuracy < 0.95


def test_money_is_conserved_but_for_what_is_endowed():
    town = Town()
    before = town.money()
    town.run(40)
    assert town.money() == before
    assert town.claims.totals.slashed > 0
    assert town.claims.totals.rewards > 0


def test_same_seed_same_votes():
    first, second = (Town(seed=8).run(12) for _ in range(2))
    for name in first.claims.table.names:
        assert (first.claims.table[name] == second.claims.table[name]).all()
    assert first.claims.operators.staking.stakes().tolist() == second.claims.operators.staking.stakes().tolist()
    other = Town(seed=9).run(12)
    assert first.claims.operators.staking.stakes().tolist() != other.claims.operators.staking.stakes().tolist()


def test_invented_claims_are_mostly_denied():
    town = Town(per_day=100, false_every=4).run(20)
    table = town.claims.table
    decided = table["decided"] >= 0
    false = np.arange(len(table)) % 4 == 0
    assert (table["approved"][decided & false] == 0).mean() > 0.9
    assert (table["approved"][decided & ~false] > 0).mean() > 0.9


def test_the_absent_are_slashed_and_come_back():
    town = Town().run(5)
    town.oracles.go_offline(0.5, 3)
    before = town.claims.operators.staking.stakes()
    town.run(2)
    gone = town.oracles.offline.copy()
    assert gone.sum() == 30
    town.run(3)
    lost = before - town.claims.operators.staking.stakes()
    assert (lost[gone] > 0).all()
    assert lost[~gone].sum() < 0
    assert not town.oracles.offline.any()
    town.run(5)
    assert town.oracles.today.absent == 0


def test_seeing_badly_ruins_decisions_for_a_while():
    town = Town(per_day=100).run(5)
    town.oracles.see_badly(0.5, 4)
    town.run(1)
    assert town.oracles.accuracy.max() == 0.5
    town.run(6)
    assert town.oracles.accuracy.max() > 0.9
    table = town.claims.table
    wrong = [(table["approved"][(table["decided"] == day)] == 0).mean() for day in range(2, 12)]
    assert max(wrong[5:8]) > 3 * max(wrong[:3])


def test_effort_is_paid_for_and_without_cash_there_is_none():
    town = Town(cash=0.0).run(1)
    economy = town.ledger.open_account("firms", "firms")
    town.oracles.firms = economy
    town.run(1)
    assert town.ledger.balance(town.market.usd, economy) == 0
    assert town.oracles.effort.mean() > 0.5
    looked = town.oracles._look(town.market, np.full(60, 3))
    assert looked.tolist() == [0.5] * 60
    wallets = town.oracles.wallets
    town.ledger.mint_batch(town.market.usd, wallets, np.full(60, 100 * MICRO), "endowment")
    assert town.oracles._look(town.market, np.full(60, 3)).min() > 0.8
    assert town.ledger.balance(town.market.usd, economy) == 3 * int(town.oracles.vote_cost.sum())


def test_operators_leave_when_votes_lose_money_and_return():
    town = Town(claims={"reward_per_vote": 0.0}).run(3)
    assert not town.claims.operators.staking.weights().any()
    town.run(7)
    assert not town.claims.operators.staking.stakes().any()
    assert town.market.finish()["oracles.active"] == 0
    town.market.parameters.change("claims.reward_per_vote", 5.0)
    town.run(25)
    assert np.count_nonzero(town.claims.operators.staking.weights()) == 60
    assert (town.claims.table["decided"] >= 0).any()


def test_operators_do_not_all_leave_at_once_when_only_the_fund_is_short():
    town = Town(fees=0).run(31)
    assert 30 < np.count_nonzero(town.claims.operators.staking.weights()) < 60
    town.run(60)
    assert 10 < np.count_nonzero(town.claims.operators.staking.weights()) < 50
    decided = town.claims.table["decided"]
    assert all((decided == day).any() for day in range(2, town.market.day))
    town.ledger.mint(town.market.usd, town.claims.fees, 10**6 * MICRO, "endowment")
    town.run(60)
    assert np.count_nonzero(town.claims.operators.staking.weights()) == 60


def test_operators_who_lost_half_their_cash_do_not_wait():
    town = Town(fees=0, turnover=1e-9).run(20)
    wallets, spent = town.oracles.wallets, np.full(20, 2_600 * MICRO)
    elsewhere = town.ledger.open_account("elsewhere", "firms")
    town.ledger.collect(town.market.usd, wallets[:20], elsewhere, spent, "gas")
    town.run(11)
    assert town.oracles.away.tolist() == [True] * 20 + [False] * 40


def test_operators_who_must_stay_do():
    town = Town(claims={"reward_per_vote": 0.0}, exit_when_unprofitable=False).run(3)
    assert np.count_nonzero(town.claims.operators.staking.weights()) == 60


def test_more_at_stake_makes_operators_look_harder():
    low, high = (Town(claims={"slash_share": share, "reward_per_vote": 4.0}).run(1).oracles.effort.mean()
                 for share in (0.0, 0.004))
    assert high > low


def test_influences_change_reports_before_they_are_sealed():
    town = Town()

    def deny_everything(round_, amounts, valid):
        amounts[:], valid[:] = 0, False

    town.oracles.ballots.influences.append(deny_everything)
    town.run(6)
    assert town.claims.totals.approved == 0
    assert town.claims.totals.denied == 40 * 4


def test_each_operator_sends_one_transaction_with_all_its_votes():
    town = Town(per_day=100, claims={"commit_gas_per_vote": 24_000, "reveal_gas_per_vote": 15_000}).run(3)
    chain, sent = town.market.mechanism("chain"), []
    submit = chain.submit
    chain.submit = lambda batch: (sent.append(batch), submit(batch))[1]
    town.run(1)
    assert [batch.kind for batch in sent] == ["commit", "reveal"]
    for batch, per_vote in zip(sent, (24_000, 15_000), strict=True):
        assert len(set(batch.senders.tolist())) == batch.senders.size <= 60
        votes = (batch.gas - chain.gas(batch.kind)) // per_vote + 1
        assert votes.sum() == 100 * 5
        worth = town.claims.at_stake()[0] + town.claims.reward()
        assert (batch.max_fee == votes * worth).all()


def test_copiers_spend_nothing():
    town = Town(copier_share=0.5).run(2)
    copies = town.oracles.copies
    assert 15 < copies.sum() < 45
    assert not town.oracles.vote_cost[copies].any()
    assert town.oracles.vote_cost[~copies].all()


def test_those_who_may_copy_do_where_it_is_cheap():
    """Copying pays more the more copy: cheap copying spreads to nearly all, dear copying to nobody."""
    def copying(cost):
        town = Town(copying="choice", copy_cost=cost, turnover=1.0, update_days=5, effort_cost_log_sd=0.0).run(31)
        return town.market.finish()["oracles.copying"], town.oracles.ballots.copies

    cheap, copies = copying(0.1)
    assert cheap > 0.9
    assert copies.mean() == cheap  # ballots see who copies
    assert copying(5.0)[0] == 0.0


def test_operators_dispute_false_assertions():
    town = Town(false_every=4, claims={"mode": "optimistic", "minimum_bond": 10, "bond_share": 0}).run(12)
    table = town.claims.table
    decided = np.flatnonzero(table["decided"] >= 0)
    assert town.oracles.disputes > 0.8 * 10 * 10
    false = decided[decided % 4 == 0]
    assert (table["approved"][false] == 0).mean() > 0.8
    true = decided[decided % 4 != 0]
    assert (table["approved"][true] > 0).mean() > 0.95


def test_agents_show_their_columns():
    town = Town().run(1)
    agent = town.oracles.agents[7]
    assert agent.name == "oracle_8"
    assert agent.accuracy == town.oracles.accuracy[7]
    assert agent.effort == town.oracles.effort[7]
    assert agent.stake == town.claims.operators.staking.stakes()[7]
    assert not agent.copies
    assert len(town.market.agents) == 60


def test_the_index_is_the_median_of_a_committee():
    posted = []

    class Token:
        def post_index(self, value):
            posted.append(value)

    town = Town(index_noise=0.02)
    town.oracles.feed = IndexFeed(town.oracles.section, town.oracles.observing, town.claims.operators,
                                  town.market.mechanism("chain"), Token(), SimpleNamespace(medical_index=2.0))
    town.run(200)
    assert len(posted) == 200
    assert np.mean(posted) == pytest.approx(2.0, rel=0.002)
    # the median of 31 normals has deviation of about sqrt(pi / 62) of theirs
    assert np.std(np.log(posted)) == pytest.approx(0.02 * np.sqrt(np.pi / 62), rel=0.2)
    town.oracles.go_offline(0.9, 5)
    town.run(3)
    assert len(posted) == 200  # too few observers: the last index stands


def test_every_metric_and_series_is_reported():
    town = Town().run(31)
    summary = town.market.finish()
    optional = {"oracles.copying"}  # only where copying is a choice
    assert {metric.name for metric in town.oracles.section.metrics} - optional <= set(summary)
    market_wide = {one.name for one in town.oracles.section.series if one.per == "market"}
    assert market_wide - optional <= set(town.market.record.daily)
    assert not optional & set(summary)
    assert len(town.market.record.institutions) == 60
