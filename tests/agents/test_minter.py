"""Issuers, liquidators, investors and hedgers of the synthetic in a market of their own."""

from __future__ import annotations

import pytest

from sim import HealthMarket, load_scenario
from sim.agents.synthetic_hedger import Record
from sim.chain.mempool import Refused
from sim.kernel.fixedpoint import MICRO

FAST = [("horizon_days", "20"), ("population.patients", "10"),
        ("minters.minters", "20"), ("shocks.0.day", "3")]


@pytest.fixture
def market(repository):
    """``market(path=value)``: the cascade's market, small."""

    def build(seed: int = 3, **settings: str) -> HealthMarket:
        given = [(path.replace("__", "."), value) for path, value in settings.items()]
        return HealthMarket(load_scenario(repository / "scenarios" / "s3_liquidation_cascade.yaml", [*FAST, *given]),
                            seed)

    return build


def lived(market: HealthMarket) -> dict[str, float]:
    while market.day < market.horizon_days - 1:
        market.step()
        market.invariants.require(market.day)
    return market.finish()


def test_the_shock_makes_the_fall_that_it_says(market):
    figures = lived(market(minters__ratio_low="2.4"))
    assert figures["synthetics.collateral_fall"] == pytest.approx(0.25, abs=0.003)
    assert figures["synthetics.liquidations"] == 0


def test_liquidators_sell_and_the_price_falls_further(market):
    figures = lived(market(minters__attention="0.0"))
    assert figures["synthetics.collateral_fall"] > 0.35
    assert figures["synthetics.liquidations"] > 3
    assert figures["minters.liquidator_profit"] > 0.0
    assert figures["minters.loss"] > 0.0


def test_without_liquidators_nothing_is_sold_and_the_debt_stays(market):
    figures = lived(market(minters__liquidators="0", minters__attention="0.0", shocks__0__fall="0.5"))
    assert figures["synthetics.liquidations"] == 0
    assert figures["synthetics.collateral_fall"] == pytest.approx(0.5, abs=0.005)
    assert figures["synthetics.bad_debt"] > 0.0


def test_a_liquidator_asks_for_a_gain(market):
    one = market(minters__attention="0.0")
    while one.day < 4:
        one.step()
    desk = one.mechanism("minters")
    debts = desk.synthetics.debts
    weak = next(account for account in sorted(debts.positions) if debts.positions[account].flagged >= 0)
    one.day += 1
    desk.gas = lambda: 10**15
    held = desk.liquidators[0].tokens
    with pytest.raises(Refused, match="no gain"), one.ledger.atomic():
        desk.liquidators[0].liquidate(weak)
    assert desk.liquidators[0].tokens == held


def test_issuers_who_kept_what_they_issued_defend_themselves(market):
    figures = lived(market(minters__kept_share="1.0", minters__attention="1.0", minters__liquidator_share="0.0"))
    assert figures["minters.defended"] > 0.0
    assert figures["synthetics.liquidations"] == 0


def test_collateral_in_dollars_needs_no_pool(market):
    figures = lived(market(synthetics__collateral="USDs", shocks="[]"))
    assert figures["synthetics.bad_debt"] == 0.0
    assert "synthetics.collateral_fall" not in figures


def test_the_pool_of_the_synthetic_follows_its_index(market):
    one = market(shocks="[{day: 2, kind: price_jump, which: medical_index, size: 0.2}]", minters__attention="1.0",
                 minters__ratio_low="2.0", minters__ratio_high="3.0", synthetics__max_age_days="10")
    figures = lived(one)
    assert figures["minters.bought_back"] > 0.0
    synthetics = one.mechanism("synthetics")
    assert synthetics.pool.spot() == pytest.approx(synthetics.index(), rel=0.05)


def test_a_hedge_that_follows_the_index_is_perfect_and_none_is_nothing():
    perfect, absent = Record(), Record()
    for index in (1.0, 1.1, 1.05, 1.2):
        perfect.note(100.0 * index, 100.0, index, index)
        absent.note(100.0 * index, 0.0, index, index)
    assert perfect.effectiveness() == pytest.approx(1.0)
    assert absent.effectiveness() == pytest.approx(0.0)
    assert perfect.basis_risk() == pytest.approx(0.0)
    assert Record().effectiveness() is None


def test_half_of_the_exposure_leaves_a_quarter_of_the_variance():
    half = Record()
    for index in (1.0, 1.1, 1.05, 1.2):
        half.note(100.0 * index, 50.0, index, index)
    assert half.effectiveness() == pytest.approx(0.75)


def test_insurers_hold_the_synthetic_among_their_assets(repository):
    sections = {"morbidity": "{}", "providers": "{}", "patients": "{}", "insurance": "{pools: 2}", "insurers": "{}",
                "liquidity_providers": "{providers: 10}", "claims": "{mode: automatic}",
                "synthetic_hedgers": "{interval_days: 5, patients_share: 1.0}"}
    given = [*sections.items(), ("population.patients", "100"), ("horizon_days", "25"), ("shocks", "[]"),
             ("minters.ratio_low", "2.0"), ("chain", "{preset: layer_2}"), ("variants", "{}")]
    market = HealthMarket(load_scenario(repository / "scenarios" / "s3_liquidation_cascade.yaml", given), 5)
    figures = lived(market)
    hedgers = market.mechanism("synthetic_hedgers")
    held = [hedge for hedge in hedgers.hedges if hedge.tokens()]
    assert held
    for hedge in held:
        assert hedge.pool.admitted["synthetic"]() == hedge.value() > 0
    assert {one.creditor for one in hedgers.exposures()} == {hedge.pool.accounts.surplus for hedge in held}
    assert figures["synthetic_hedgers.bought"] > 0.0
    assert market.ledger.person_balances(hedgers.synthetics.asset).sum() > MICRO


def test_liquidators_of_loans_and_of_issuers_meet_in_one_market(market):
    both = market(lending__liquidation="direct", liquidators__number="2")
    both.step()
    assert both.ledger.has_account("loan_liquidator_1")
    assert both.ledger.has_account("synthetics_liquidator_1")
