"""Derivatives in a small market: trade, margin, settlement, relief; no trace where absent; debts that are cleared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.agents.derivatives.effectiveness import hedge
from sim.agents.derivatives.mortality import delay_law
from sim.agents.derivatives.pricing import Belief, case_paths, nearest
from sim.contracts.derivatives.margin import Side, Standing
from sim.model import HealthMarket
from sim.scenario.load import load_scenario
from sim.world.epidemic.transmission import Law

MARKET = """
name: small
question: A small market for tests.
horizon_days: 130
population: {patients: 500}
economy: {}
morbidity: {}
providers: {}
reference_price: {}
patients: {employer_share: 0.0, affordability_cap: 1.0}
insurance:
  pools: 2
  pool_regions: [0, 1]
  plan: {form: lump_sum, benefit: 1500, annual_limit: 1500, waiting_days: 0, triggers: [infection]}
  capital_regime: nexus_cover
insurers: {benefits_per_year: 0.2}
liquidity_providers: {providers: 12}
claims: {mode: automatic}
epidemic: {reproduction_number: 2.2, mobility: 0.2, diagnosed_share: 0.25, diagnosis_cost: 1500}
shocks: [{day: 12, kind: epidemic_seed, cases: 6}]
"""
SWAP = """
outbreak_swap: {periods: 3, pricing_paths: 20, neighbours: 5, outbreak_day: 12, outbreak_cases: 6, loss_per_case: 1500}
"""
BOND = """
pandemic_bond: {pricing_paths: 20, pricing_days: 120, wait_days: 42, check_days: 1, lag_days: 3, growth_quantile: 0,
                outbreak_chance: 0}
"""
THIN = [("outbreak_swap.seller_capital", "0.002"), ("outbreak_swap.seller_margin", "0")]
FORWARD = "morbidity_forward: {base_start: 5, base_days: 40, term_days: 70}\n"


def market(folder: Path, text: str, *sets: tuple[str, str], days: int = 130, seed: int = 3) -> HealthMarket:
    file = folder / "small.yaml"
    file.write_text(text, encoding="utf-8")
    found = HealthMarket(load_scenario(file, list(sets)), seed=seed)
    for _ in range(days):
        found.step()
        found.invariants.require(found.day)
    return found


@pytest.fixture(scope="module")
def hedged(tmp_path_factory: pytest.TempPathFactory) -> HealthMarket:
    return market(tmp_path_factory.mktemp("hedged"), MARKET + SWAP + BOND + FORWARD)


def test_swaps_are_traded_settled_and_returned(hedged: HealthMarket) -> None:
    swaps = hedged.mechanism("outbreak_swap")
    assert len(swaps.positions) == 2 + 4
    assert swaps.settled == 3
    for position in swaps.positions:
        contract = position.swap.contract
        assert contract.standing is Standing.ENDED
        assert position.received == position.swap.payouts
        net = sum(position.swap.payouts) - sum(position.swap.premiums)
        assert contract.accounts[Side.SHORT].paid - contract.accounts[Side.LONG].paid == net
    assert sum(sum(position.swap.payouts) for position in swaps.positions) > 0
    assert sum(int(fund.relieved.sum()) for fund in swaps.funds) > 0
    figures = hedged.finish()
    assert figures["outbreak_swap.pool_effectiveness"] > 0.3
    assert figures["outbreak_swap.basis_correlation"] > 0.6
    assert figures["outbreak_swap.unpaid"] == 0


def test_the_bond_pays_once_and_residents_receive_it(hedged: HealthMarket) -> None:
    bond = hedged.mechanism("pandemic_bond")
    figures = hedged.finish()
    assert figures["pandemic_bond.any_triggered"] == 1
    assert figures["pandemic_bond.trigger_day_first"] >= 42 - 1 + 3
    assert figures["pandemic_bond.any_trigger_before_wait"] == 0
    received = sum(one.paid_out + one.swap_paid for one in bond.bonds)
    given = sum(int(fund.relieved.sum()) for fund in bond.funds)
    assert 0 <= received - given < 500 * len(bond.bonds) * 2
    assert all(one.matured and one.outstanding == 0 for one in bond.bonds)


def test_the_forward_settles_at_its_last_mark(hedged: HealthMarket) -> None:
    desk = hedged.mechanism("morbidity_forward")
    assert len(desk.forwards) == 2
    for forward in desk.forwards:
        assert forward.payment == forward.terms.payment(desk.deviation)
        assert forward.contract.standing is Standing.ENDED


def test_a_thin_seller_defaults_and_what_is_unpaid_is_an_exposure(tmp_path: Path) -> None:
    found = market(tmp_path, MARKET + SWAP, *THIN)
    swaps = found.mechanism("outbreak_swap")
    unpaid = swaps.desk.total("unpaid", Side.SHORT)
    assert swaps.desk.defaults() > 0
    assert unpaid > 0
    assert sum(one.amount for one in swaps.exposures()) == swaps.desk.total("unpaid")
    statement = swaps.statements()[0]
    assert statement.failed_on is not None
    assert statement.equity < 0


def test_clearing_takes_over_the_debts_of_a_failed_seller(tmp_path: Path) -> None:
    sets = [*THIN, ("contagion", "{}")]
    found = market(tmp_path, MARKET + SWAP, *sets)
    assert found.mechanism("outbreak_swap").desk.total("unpaid", Side.SHORT) > 0
    figures = found.finish()
    assert figures["contagion.obligations"] > 0
    assert figures["contagion.unpaid_obligations"] > 0


def test_without_hedgers_nothing_is_moved(tmp_path: Path) -> None:
    off = [("outbreak_swap.pool_hedge", "0"), ("outbreak_swap.region_hedge", "0")]
    plain = market(tmp_path, MARKET, days=100)
    observed = market(tmp_path, MARKET + SWAP, *off, days=100)
    for name, row in plain.record.daily.items():
        assert np.array_equal(row, observed.record.daily[name], equal_nan=True), name


def test_pricing_paths_are_the_same_for_every_run_and_nearest_finds_itself() -> None:
    belief = Belief(Law(2.0, 5.2, 5.0), (200, 200), ((0.9, 0.1), (0.1, 0.9)), 0.5, 3, 5, 5, -1, 0.5, 80, 20)
    paths = case_paths(belief)
    case_paths.cache_clear()
    assert np.array_equal(paths, case_paths(belief))
    assert not paths[10:].any()
    assert not paths[:, :8].any()
    assert nearest(paths, paths[3, :60], 1).tolist() == [[3], [3]]


def test_a_perfect_hedge_removes_all_variance_and_an_unrelated_one_adds() -> None:
    losses = np.array([0.0, 0, 5, 0, 10, 0])
    perfect = hedge(losses, losses, np.full(6, 2.0))
    assert perfect.effectiveness == 1.0
    assert (perfect.events, perfect.without_payout) == (2, 0.0)
    wrong = hedge(losses, np.array([0.0, 5, 0, 5, 0, 0]), np.zeros(6))
    assert wrong.effectiveness < 0
    assert wrong.without_payout == 1.0
    assert wrong.correlation < 0


def test_deaths_come_with_the_stated_mean_delay() -> None:
    law = delay_law(14.8)
    assert law.sum() == pytest.approx(1.0)
    assert float(law @ (np.arange(law.size) + 0.5)) == pytest.approx(14.8, abs=0.1)
