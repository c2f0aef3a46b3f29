"""Those who attack the governor: they act when it pays, take what they said, and the rules that stop them do."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sim.contracts.governance.proposal import Support
from sim.contracts.governance.voting_power import UnknownVoter
from sim.model import HealthMarket, RunResult, run
from sim.scenario.load import load_scenario

BRIBERY = """
stage: 3
name: bribery_in_a_village
question: Do voters sell?
horizon_days: 60
population: {patients: 100}
governance: {treasury_cash: 1.0e6}
delegates: {proposals_per_year: 0}
bribery: {wakes_on_day: 5}
"""


def beanstalk(repository: Path, *overrides: tuple[str, str], out: Path | None = None) -> RunResult:
    scenario = load_scenario(repository / "scenarios" / "s3_beanstalk_capture.yaml",
                             [("horizon_days", "40"), ("population.patients", "60"), *overrides])
    return run(scenario, seed=4, out=out, check_invariants="every")


def bribery(folder: Path, *overrides: tuple[str, str]) -> RunResult:
    path = folder / "bribery.yaml"
    path.write_text(BRIBERY, encoding="utf-8")
    return run(load_scenario(path, list(overrides)), seed=4, check_invariants="every")


def test_the_loan_takes_the_treasury_and_the_estimate_was_right(repository: Path, tmp_path: Path) -> None:
    result = beanstalk(repository, out=tmp_path / "r")
    assert result.summary["governance.treasury_loss_share"] > 0.99
    assert result.summary["flash_governor.profit"] == pytest.approx(result.summary["flash_governor.expected_profit"])
    # in one transaction: lent, voted, paid and repaid on the same day
    events = pd.read_parquet(tmp_path / "r" / "events.parquet")
    days = events.groupby("kind")["day"].apply(list)
    assert days["governance.committed"] == [31]
    assert 31 in days["governance.executed"]


def test_votes_of_a_run_are_listed_with_the_power_behind_them(repository: Path, tmp_path: Path) -> None:
    beanstalk(repository, out=tmp_path / "r")
    votes = pd.read_parquet(tmp_path / "r" / "votes.parquet")
    assert list(votes.columns) == ["day", "proposal", "voter", "power", "support", "votes"]
    (attack,) = votes[votes["voter"] == "flash-governor"].query("support == 'for'").to_dict("records")
    assert attack["votes"] == attack["power"] > 190e12
    silent = votes[votes["support"] == ""]
    assert (silent["votes"] == 0).all()
    assert (silent["power"] > 0).all()


@pytest.mark.parametrize("defence", [
    [("governance.votes_from", "snapshot")],
    [("governance.vote_lock_days", "7")],
    [("governance.votes_of_lp", "0")],
    [("governance.timelock_days", "2"), ("governance.recount_at_execution", "true")],
    [("governance.vote_cap", "0.05")],
    [("governance.vote_rule", "quadratic"), ("governance.emergency_share", "0")],
    [("governance.vote_rule", "conviction"), ("governance.emergency_share", "0")],
    [("guardian.attention", "1")],
])
def test_a_defence_holds_whether_it_is_tried_or_not(repository: Path, defence: list[tuple[str, str]]) -> None:
    for tries in ("false", "true"):
        summary = beanstalk(repository, *defence, ("flash_governor.tries_anyway", tries)).summary
        assert summary["governance.treasury_loss_share"] == 0.0
        assert summary["flash_governor.profit"] <= 0.0


def test_without_profit_it_does_not_propose(repository: Path) -> None:
    summary = beanstalk(repository, ("governance.treasury_cash", "100000")).summary
    assert "flash_governor.expected_profit" not in summary
    assert summary["flash_governor.profit"] == 0.0


def test_governance_tokens_that_are_lent_do_as_well_as_deposits(repository: Path) -> None:
    """The lenders are among the holders of the genesis; they lend what they got."""
    scenario = load_scenario(repository / "scenarios" / "s3_beanstalk_capture.yaml", [
        ("population.patients", "60"), ("governance.votes_of_lp", "0"), ("governance.emergency_share", "0.2"),
        ("flash_loans.assets", "[{asset: GOV, opening: 1.0e8}]")])
    market = HealthMarket(scenario, seed=4)
    for _ in range(34):
        market.step()
    attacker, gov = market.mechanism("flash_governor"), market.mechanism("governance").gov
    lent = market.mechanism("flash_loans").available(gov)
    assert (attacker.plan() is None) == (lent + market.ledger.balance(gov, attacker.account) < 20_000_000 * 10**6)


def test_bribes_buy_a_majority_for_less_than_it_takes(tmp_path: Path) -> None:
    summary = bribery(tmp_path).summary
    assert summary["bribery.victims_loss"] > 400_000
    assert 0 < summary["bribery.paid"] < 0.1 * summary["bribery.victims_loss"]
    won = summary["bribery.victims_loss"] - summary["bribery.paid"]
    assert summary["bribery.profit"] == pytest.approx(won, rel=0.02)
    assert summary["delegates.bribed"] > 0


def test_a_briber_without_enough_money_does_not_try(tmp_path: Path) -> None:
    summary = bribery(tmp_path, ("bribery.opening_cash", "100")).summary
    assert summary["bribery.attempts"] == 0
    assert summary["governance.treasury_loss_share"] == 0.0


def test_the_guardian_stops_what_was_bought(tmp_path: Path) -> None:
    summary = bribery(tmp_path, ("guardian.attention", "1")).summary
    assert summary["bribery.attempts"] > 0
    assert summary["guardian.vetoes"] > 0
    assert summary["bribery.victims_loss"] == 0.0


@pytest.fixture
def capture(repository: Path, tmp_path: Path):
    """Figures of the research scenario under some overrides, in a small and short market."""
    text = (repository / "scenarios" / "s2_research_capture.yaml").read_text(encoding="utf-8")
    path = tmp_path / "capture.yaml"
    path.write_text(text.partition("variants:")[0].partition("expect:")[0], encoding="utf-8")

    def figures(*overrides: tuple[str, str]) -> dict[str, float]:
        return run(load_scenario(path, [("horizon_days", "240"), ("population.patients", "150"), *overrides]),
                   seed=4).summary

    return figures


def test_the_whale_takes_the_grants_unless_its_votes_count_less(capture) -> None:
    free, square = capture(), capture(("governance.vote_rule", "quadratic"))
    assert free["whale.grant_share"] > 0.5 > square["whale.grant_share"]
    assert free["whale.profit"] > square["whale.profit"]
    assert square["whale.vote_share"] < free["whale.vote_share"]


def test_identities_bring_the_whale_back_where_they_are_cheap(capture) -> None:
    rule = ("governance.vote_rule", "quadratic")
    alone, split = capture(rule), capture(rule, ("sybil.identity_cost", "50"))
    dear = capture(rule, ("sybil.identity_cost", "1000000"))
    assert split["sybil.identities"] > 1
    assert split["whale.vote_share"] > alone["whale.vote_share"]
    assert dear["sybil.identities"] == 1
    assert dear["whale.vote_share"] == pytest.approx(alone["whale.vote_share"])


def test_locked_tokens_count_for_their_owners_in_the_concentration(tmp_path: Path) -> None:
    path = tmp_path / "bribery.yaml"
    path.write_text(BRIBERY, encoding="utf-8")
    market = HealthMarket(load_scenario(path, [("governance.vote_lock_days", "7")]), 4)
    market.step()
    governance = market.mechanism("governance")
    market.finish()
    before = market.record.metrics["governance.top10_share"]
    assert sum(governance.locks.lock(voter, 9) for voter in range(len(governance.power.voters))) > 0
    market.finish()
    assert market.record.metrics["governance.top10_share"] == before


def test_tokens_that_the_whale_bought_are_no_loss(capture) -> None:
    """It spends half of its cash on votes and holds them at the end."""
    pools = '{pools: [{name: GOV, base: GOV, issuer: "", opening_value: 5.0e+5, opening_price: 0.5}]}'
    figures = capture(("amm", pools), ("health_token", "{}"), ("whale.buys_in", "GOV"),
                      ("whale.opening_cash", "50000"), ("horizon_days", "120"))
    assert figures["whale.bought"] > 0.0
    assert figures["whale.profit"] > -1000.0  # gas


@pytest.mark.parametrize("voter", [-1, 10_000])
def test_nobody_votes_or_proposes_under_a_number_that_is_not_his(repository: Path, voter: int) -> None:
    """A negative number would count from the end of the list of voters, with somebody else's power."""
    scenario = load_scenario(repository / "scenarios" / "s3_beanstalk_capture.yaml", [("population.patients", "60")])
    governance = HealthMarket(scenario, seed=4).mechanism("governance")
    for call in (lambda: governance.vote(0, voter, Support.FOR), lambda: governance.propose(voter, (), "x")):
        with pytest.raises(UnknownVoter):
            call()
