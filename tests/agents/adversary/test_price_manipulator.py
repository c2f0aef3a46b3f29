"""The price manipulator: its estimate against the closed form, and that it acts on nothing else."""

import math
from pathlib import Path
from typing import Any

import pytest

from sim.kernel.fixedpoint import MICRO
from sim.model import HealthMarket
from sim.scenario.load import load_scenario

SCENARIO = """
name: manipulation
question: Does the adversary know what it does?
stage: 3
horizon_days: 6
population: {patients: 20}
economy: {}
reference_price: {medical_growth_per_year: 0.0, medical_volatility_per_year: 0.0, medical_trend_sd: 0.0}
chain: {preset: layer_2}
health_token: {redemption_fee: 0.0}
amm: {pools: [{name: HLT, base: HLT, opening_value: 1.0e+6, fee_bps: 0}]}
"""


def build(folder: Path, price: str, *more: str, lendable: float = 5e6) -> Any:
    text = SCENARIO + f"lending: {{markets: [{{asset: USDs, opening: {lendable}}}, {{asset: HLT, {price}}}]}}\n"
    file = folder / "manipulation.yaml"
    file.write_text(text + "\n".join(more) + "\n", encoding="utf-8")
    return HealthMarket(load_scenario(file), 1)


OWN = "price_manipulator: {wakes_on_day: 3, capital: 1.0e+7, interference_per_hour: 0.0}"
FLASH = "price_manipulator: {wakes_on_day: 3, capital: 100, means: flash_loan}\n" \
    "flash_loans: {assets: [{opening: 9.0e+6}]}"


def finish(market: Any) -> dict[str, float]:
    for _ in range(market.horizon_days):
        market.step()
        market.invariants.require(market.day)
    return dict(market.finish())


@pytest.mark.parametrize("minutes", [40, 120, 480])
def test_the_least_outlay_that_pays_is_the_closed_form(tmp_path: Path, minutes: int) -> None:
    phi = min(1.0, 40.0 / minutes)
    s = (1 / 0.75 + math.sqrt(1 / 0.75**2 - 4 * phi * (1 - phi))) / (2 * phi)
    found = finish(build(tmp_path, f"price: twap, window_minutes: {minutes}", OWN))
    assert found["price_manipulator.outlay_to_break_even"] == pytest.approx((s - 1) * 1e6, rel=0.03)
    assert found["price_manipulator.attacks"] == (minutes < 480)


def test_with_the_spot_price_the_pool_is_emptied_as_estimated(tmp_path: Path) -> None:
    found = finish(build(tmp_path, "price: spot", OWN))
    s = (1 + math.sqrt(1 + 4 * 5 / 0.75)) / 2  # 0.75 s (s - 1) = 5
    assert found["price_manipulator.profit"] == pytest.approx((5 - (s - 1)) * 1e6, rel=0.02)
    assert found["price_manipulator.estimate"] == pytest.approx(found["price_manipulator.profit"], rel=0.01)
    assert found["price_manipulator.victims_loss"] == pytest.approx((5 - (s - 1) / s) * 1e6, rel=0.02)
    assert found["lending.loss"] == pytest.approx(found["price_manipulator.victims_loss"], rel=0.02)


@pytest.mark.parametrize("price", ["price: committee", "price: twap, window_minutes: 1440"])
def test_where_it_does_not_pay_it_does_nothing(tmp_path: Path, price: str) -> None:
    market = build(tmp_path, price, OWN)
    found = finish(market)
    assert found["price_manipulator.attacks"] == found["price_manipulator.profit"] == found["lending.loss"] == 0
    assert not market.mechanism("price_manipulator").began


def test_a_flash_loan_needs_no_capital_and_moves_no_average(tmp_path: Path) -> None:
    found = finish(build(tmp_path, "price: spot", FLASH))
    assert found["price_manipulator.attacks"] == 1
    assert found["price_manipulator.profit"] > 2.5e6
    assert found["flash_loans.premiums"] == pytest.approx(9e-4 * found["flash_loans.volume"], rel=1e-6)
    found = finish(build(tmp_path, "price: twap, window_minutes: 30", FLASH))
    assert found["price_manipulator.attacks"] == found["flash_loans.loans"] == 0


def test_traded_back_while_it_waits_it_sells_and_leaves(tmp_path: Path) -> None:
    market = build(tmp_path, "price: spot", OWN)
    for _ in range(3):
        market.step()
    manipulator, pool = market.mechanism("price_manipulator"), market.mechanism("amm").pool("HLT")
    ledger, founder = market.ledger, market.ledger.account("amm_founder")
    market.mechanism("lending").at_block(0)
    manipulator._buy(2_000_000 * MICRO)
    ledger.mint(pool.base, founder, 3_000_000 * MICRO, "x")
    pool.swap(founder, pool.base, 2_000_000 * MICRO)
    manipulator._borrow()
    assert (manipulator.attacks, manipulator.failed) == (0, 1)
    assert ledger.balance(pool.base, manipulator.account) == 0
