"""Takeover of a failed pool's book: persons, premium, claims and money move to the unit, or nothing does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.contracts.insurance.pool_state import PoolError, PoolState
from sim.contracts.insurance.takeover import best_acquirer, estate_payment, ratio_after, take_over
from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.load import load_scenario

SCENARIO = """
name: heirs
question: Who takes over what a failed pool leaves?
stage: 3
horizon_days: 400
population: {patients: 600}
economy: {}
morbidity: {}
providers: {}
reference_price: {}
patients: {}
insurance: {pools: 3}
insurers: {}
liquidity_providers: {providers: 30, entry_speed: 0.0, exit_base: 0.0, opening_scr_ratio: 4.0}
claims: {mode: automatic, payment_days: 2}
recapitalisation: {issues: false, TAKEOVER}
"""


def build(folder: Path, takeover: str = "takeovers: true", days: int = 20) -> Any:
    file = folder / "heirs.yaml"
    file.write_text(SCENARIO.replace("TAKEOVER", takeover), encoding="utf-8")
    market = HealthMarket(load_scenario(file), 4)
    for _ in range(days):
        market.step()
        market.invariants.require(market.day)
    return market


def whole(pools: list[Any]) -> dict[str, int]:
    """Sums over pools that a takeover leaves as they are."""
    return {"members": sum(pool.members for pool in pools), "premium": sum(pool.monthly_premium for pool in pools),
            "unearned": sum(pool.unearned.total for pool in pools),
            "held": sum(pool.cash(pool.accounts.unearned) for pool in pools),
            "outstanding": sum(pool.reserves.outstanding for pool in pools),
            "ibnr": round(sum(pool.reserves._expected for pool in pools)),
            "triangle": sum(int(pool.reserves.triangle.incurred.sum()) for pool in pools),
            "money": sum(pool.layer_money() for pool in pools)}


def test_everything_moves_and_nothing_is_lost(tmp_path: Path) -> None:
    market = build(tmp_path, "takeovers: false")
    insurance, claims = market.mechanism("insurance"), market.mechanism("claims")
    pools, people = insurance.pools, market.people
    pools[0].enter_run_off(market.day, cut_cover=True)
    before, mine = whole(pools), np.flatnonzero(people["pool"] == 0)
    contracts = {name: people[name][mine].copy() for name in ("monthly_due", "paid_to", "deductible_met", "oop_spent")}
    unearned = pools[0].unearned.total
    done = take_over(insurance, claims, 0, 1, market.day)
    market.invariants.require(market.day)
    assert done.members == mine.size > 20
    assert (people["pool"][mine] == 1).all()
    assert all((people[name][mine] == values).all() for name, values in contracts.items())
    assert whole(pools) == before
    assert pools[0].unearned.total == pools[0].members == pools[0].reserves.outstanding == 0
    assert unearned > 0
    assert done.money == done.reserves, "a solvent estate pays for all it hands over"
    for _ in range(60):  # claims of the old pool are decided, paid by the new one, and premium goes on
        market.step()
        market.invariants.require(market.day)
    assert pools[0].members == 0
    assert pools[1].unpaid.total == 0
    assert np.count_nonzero(people["pool"] == 1) > mine.size


def test_the_triangle_and_case_reserve_follow_their_claims(tmp_path: Path) -> None:
    market = build(tmp_path, "takeovers: false")
    insurance, claims = market.mechanism("insurance"), market.mechanism("claims")
    ids = claims.file(np.array([0]), np.array([5]), np.array([77], dtype=np.uint64), np.array([1]),
                      np.array([500 * MICRO]), np.array([market.day]), market.day)
    assert ids[0] >= 0
    old, new = insurance.pools[0], insurance.pools[1]
    theirs = old.reserves.outstanding
    assert theirs >= 500 * MICRO
    before = new.reserves.outstanding
    take_over(insurance, claims, 0, 1, market.day)
    assert new.reserves.outstanding == before + theirs
    assert claims.table["pool"][ids[0]] == 1
    market.step()
    market.invariants.require(market.day)


def test_an_estate_without_money_shares_what_it_has_with_those_it_could_not_pay(tmp_path: Path) -> None:
    market = build(tmp_path, "takeovers: false")
    insurance = market.mechanism("insurance")
    pool = insurance.pools[0]
    firms = np.array([market.ledger.account("firms")])
    insurance.settle(0, np.array([10**6]), np.array([pool.layer_money() + 900]), firms)
    assert pool.unpaid.total == 900
    assert estate_payment(pool, 600) == 0
    market.ledger.mint(market.usd, pool.accounts.surplus, 500, "endowment")
    pool.receive("gift", 500)
    assert estate_payment(pool, 600) == 500 * 600 // 1500
    assert estate_payment(pool, 0) == 0
    reserves = pool.reserves.outstanding + pool.reserves.ibnr
    done = take_over(insurance, market.mechanism("claims"), 0, 2, market.day)
    assert done.reserves == reserves
    assert done.money == min(500 * reserves // (reserves + 900), reserves)
    assert pool.layer_money() == 500 - done.money
    assert pool.unpaid.total == 900, "approved claims stay with the estate"
    market.invariants.require(market.day)


def test_the_best_capitalised_pool_takes_the_book_the_same_night(tmp_path: Path) -> None:
    market = build(tmp_path)
    insurance = market.mechanism("insurance")
    pools = insurance.pools
    ratios = [ratio_after(pools[index], pools[0]) for index in (1, 2)]
    expected = 1 + int(np.argmax(ratios))
    members = pools[0].members
    insurance.report(np.array([0]), np.array([pools[0].capital + 10**9]), np.array([market.day]))
    market.step()
    market.invariants.require(market.day)
    assert pools[0].state is PoolState.RUN_OFF
    assert pools[0].members == 0
    done = market.mechanism("recapitalisation").takeovers
    assert [(one.source, one.target) for one in done] == [(pools[0].name, pools[expected].name)]
    assert members - 3 <= done[0].members <= members
    metrics = market.finish()
    assert metrics["recapitalisation.takeovers"] == 1
    assert metrics["recapitalisation.run_offs"] == 0


def test_nobody_takes_a_book_that_would_sink_him(tmp_path: Path) -> None:
    market = build(tmp_path, "takeover_scr_ratio: 19.0")
    insurance = market.mechanism("insurance")
    pools = insurance.pools
    assert best_acquirer(pools, 0, 19.0) is None
    insurance.settle(0, np.array([10**6]), np.array([2 * pools[0].layer_money()]),
                     np.array([market.ledger.account("firms")]))
    for _ in range(2):
        market.step()
    market.invariants.require(market.day)
    assert market.mechanism("recapitalisation").takeovers == []
    assert pools[0].members == 0, "run-off as without the section: cover ends"
    assert market.finish()["recapitalisation.run_offs"] == 1


def test_only_who_writes_the_same_contracts_can_take_them(tmp_path: Path) -> None:
    market = build(tmp_path, "takeovers: false", days=3)
    insurance = market.mechanism("insurance")
    insurance.pools[1].region = 7
    insurance.pools[2].plans = [*insurance.pools[2].plans, insurance.pools[2].plans[0]]
    assert best_acquirer(insurance.pools, 0, 0.0) is None
    with pytest.raises(PoolError):
        insurance.membership.hand_over(0, 1)
