"""The whole market: same seed, same bytes; mechanisms leave no trace when absent; the world does not feel finance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.model import HealthMarket, run
from sim.run_folder import OutputRefused
from sim.scenario.load import load_scenario
from sim.scenario.scenario import Scenario

SMALL = [("population.patients", "400"), ("horizon_days", "45"), ("insurance.pools", "2"),
         ("liquidity_providers.providers", "30"), ("oracles.operators", "12"), ("research.researchers", "6")]

WORLD = ("age", "region", "income", "chronic", "frailty", "risk_aversion", "public_cover", "employed")


def baseline(repository: Path, *settings: tuple[str, str]) -> Scenario:
    return load_scenario(repository / "scenarios" / "baseline.yaml", [*SMALL, *settings])


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "log.jsonl"}


def test_two_runs_with_one_seed_give_equal_bytes_and_another_seed_others(repository: Path, tmp_path: Path) -> None:
    scenario = baseline(repository)
    first = run(scenario, seed=3, out=tmp_path / "a", check_invariants="every")
    run(scenario, seed=3, out=tmp_path / "b", check_invariants="off")
    assert folder_bytes(tmp_path / "a") == folder_bytes(tmp_path / "b")
    assert run(scenario, seed=4).summary != first.summary


def test_a_resolved_scenario_runs_to_the_same_bytes(repository: Path, tmp_path: Path) -> None:
    run(baseline(repository), seed=3, out=tmp_path / "a")
    again = load_scenario(tmp_path / "a" / "scenario.yaml")
    run(again, seed=3, out=tmp_path / "b")
    one, two = folder_bytes(tmp_path / "a"), folder_bytes(tmp_path / "b")
    assert {name: data for name, data in one.items() if name.endswith("parquet")} == {
        name: data for name, data in two.items() if name.endswith("parquet")}


def test_research_without_payments_leaves_the_world_as_it_is(repository: Path) -> None:
    free = (("research.payments", "0"),)
    with_research = HealthMarket(baseline(repository, *free), seed=5)
    without = HealthMarket(baseline(repository, *free, ("research.enabled", "false")), seed=5)
    for _ in range(45):
        with_research.step()
        without.step()
        for name in WORLD:
            assert np.array_equal(with_research.people[name], without.people[name]), name
        one, two = with_research.mechanism("morbidity").today, without.mechanism("morbidity").today
        for name in ("slot", "key", "kind", "cost", "serial"):
            assert np.array_equal(getattr(one, name), getattr(two, name)), name


def test_the_world_does_not_feel_who_insures_it(repository: Path) -> None:
    one = HealthMarket(baseline(repository), seed=5)
    two = HealthMarket(baseline(repository, ("insurance.plan.coinsurance", "0.5"), ("oracles.operators", "20")), seed=5)
    for _ in range(20):
        one.step()
        two.step()
        assert np.array_equal(one.mechanism("morbidity").today.cost, two.mechanism("morbidity").today.cost)


@pytest.mark.parametrize("absent", ["hedging", "research", "delegates", "traders"])
def test_an_absent_mechanism_has_no_columns_accounts_or_hooks(repository: Path, absent: str) -> None:
    extra = (("research.enabled", "false"),) if absent == "delegates" else ()
    full = HealthMarket(baseline(repository), seed=5)
    bare = HealthMarket(baseline(repository, (f"{absent}.enabled", "false"), *extra), seed=5)
    assert bare.find(absent) is None
    assert not any(planned.mechanism == absent for hooks in bare.plan.hooks.values() for planned in hooks)
    assert not any(name.startswith(f"{absent}.") for name in bare.invariants.names)
    for _ in range(3):
        full.step()
        bare.step()
    assert not any(name.startswith(f"{absent}.") for name in bare.record.daily)
    assert set(bare.people.names) <= set(full.people.names)


def test_nothing_is_created_after_the_opening(repository: Path) -> None:
    market = HealthMarket(baseline(repository), seed=6)
    supply = market.ledger.supply(market.usd)
    for _ in range(45):
        market.step()
    assert market.ledger.supply(market.usd) == supply
    with pytest.raises(ValueError, match="before day 0"):
        market.endow(0, 1)


def test_flows_account_for_every_change_of_stock(repository: Path) -> None:
    market = HealthMarket(baseline(repository), seed=6)
    for _ in range(45):
        market.step()
    ledger = market.ledger
    for symbol in ledger.assets:
        asset = ledger.asset_id(symbol)
        stocks = dict(zip(ledger.sectors, ledger.sector_stocks(asset).tolist(), strict=True))
        moved = dict.fromkeys(stocks, 0)
        for _, _, moved_asset, payer, payee, amount in market.record.flows:
            if moved_asset == symbol:
                moved[payer] -= amount
                moved[payee] += amount
        stocks["issuance"] = -ledger.supply(asset)
        assert moved == stocks, symbol


def test_a_foreign_folder_is_left_alone(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(OutputRefused, match="no run wrote"):
        run(baseline(repository, ("horizon_days", "2")), out=tmp_path, replace=True)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_an_earlier_run_is_replaced_only_when_asked(repository: Path, tmp_path: Path) -> None:
    scenario = baseline(repository, ("horizon_days", "2"))
    run(scenario, out=tmp_path / "r")
    with pytest.raises(OutputRefused, match="earlier run"):
        run(scenario, out=tmp_path / "r")
    run(scenario, seed=9, out=tmp_path / "r", replace=True)
    assert b'"seed": 9' in (tmp_path / "r" / "manifest.json").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["r"]
