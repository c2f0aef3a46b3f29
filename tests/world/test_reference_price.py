"""Price processes of the outside world: their laws, their shocks, and that a path depends on the seed and the day."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.kernel.draws import Draws
from sim.kernel.ledger import Ledger
from sim.scenario.sections.reference_price import SECTION
from sim.world.reference_price import ReferencePrice

STILL = {"medical_volatility_per_year": 0.0, "medical_trend_sd": 0.0, "gas_coin_volatility_per_year": 0.0,
         "gas_coin_jumps_per_year": 0.0, "hlt_premium_sd": 0.0}


def prices(days: int = 400, seed: int = 3, **section: Any) -> tuple[ReferencePrice, SimpleNamespace]:
    metrics: dict[str, float] = {}
    record = SimpleNamespace(series=lambda name, value: None, metric=metrics.__setitem__, metrics=metrics)
    market = SimpleNamespace(ledger=Ledger(institutions=4, people=1), draws=Draws(seed), day=-1, horizon_days=days,
                             record=record)
    mechanism = ReferencePrice(SECTION(**section))
    mechanism.setup(market)
    return mechanism, market


def walk(mechanism: ReferencePrice, market: SimpleNamespace, days: int, name: str) -> np.ndarray:
    seen = []
    for day in range(days):
        market.day = day
        mechanism.advance(market)
        assert mechanism.check_prices() is None
        seen.append(getattr(mechanism, name))
    return np.array(seen)


def test_without_noise_the_index_grows_by_its_rate() -> None:
    mechanism, market = prices(**STILL)
    path = walk(mechanism, market, 366, "medical_index")
    assert path[0] == 1.0
    assert path[365] == pytest.approx(1.035)
    assert np.diff(np.log(path)) == pytest.approx(np.full(365, math.log(1.035) / 365))
    assert mechanism.medical_history == pytest.approx(path)
    assert mechanism.opening_medical_index == 1.0


def test_the_index_has_its_volatility_and_trend() -> None:
    mechanism, market = prices(days=40_000, medical_trend_sd=0.0, medical_volatility_per_year=0.05)
    steps = np.diff(np.log(walk(mechanism, market, 40_000, "medical_index")))
    assert steps.std() * math.sqrt(365) == pytest.approx(0.05, rel=0.02)
    trending, market = prices(days=40_000, medical_trend_sd=0.02, medical_volatility_per_year=0.0)
    rates = np.diff(np.log(walk(trending, market, 40_000, "medical_index"))) * 365
    assert rates.std() == pytest.approx(0.02, rel=0.15)
    assert np.corrcoef(rates[:-365], rates[365:])[0, 1] == pytest.approx(0.5, abs=0.15)


def test_the_gas_coin_is_a_fair_bet_with_jumps() -> None:
    ends = []
    for seed in range(400):
        mechanism, market = prices(days=365, seed=seed, gas_coin_usd=1.0)
        market.day = 364
        mechanism.advance(market)
        ends.append(mechanism.gas_coin_usd)
    logs = np.log(ends)
    # Volatility 0.7 and four jumps a year of mean -0.05, deviation 0.10: variance 0.49 + 4 (0.0025 + 0.01) = 0.54.
    assert logs.std() == pytest.approx(math.sqrt(0.54), rel=0.12)
    assert np.mean(ends) == pytest.approx(1.0, abs=4 * np.std(ends) / 20)
    assert logs.mean() == pytest.approx(-0.245 - 0.2 - 4 * (math.exp(-0.045) - 1), abs=4 * logs.std() / 20)


def test_the_external_price_reverts_to_the_fundamental() -> None:
    mechanism, market = prices(days=20_000)
    mechanism.set_fundamental(2.5)
    premium = np.log(walk(mechanism, market, 20_000, "hlt_external") / 2.5)
    assert premium.std() == pytest.approx(0.05, rel=0.05)
    assert np.corrcoef(premium[:-10], premium[10:])[0, 1] == pytest.approx(0.5, abs=0.05)


def test_until_a_fundamental_is_set_the_token_is_worth_its_care() -> None:
    mechanism, market = prices(**STILL)
    walk(mechanism, market, 100, "hlt_external")
    assert mechanism.hlt_external == mechanism.medical_index
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError):
            mechanism.set_fundamental(wrong)


@pytest.mark.parametrize(("which", "name"), [("gas_coin", "gas_coin_usd"), ("medical_index", "medical_index")])
def test_a_jump_lasts(which: str, name: str) -> None:
    mechanism, market = prices(**STILL)
    calm = walk(*prices(**STILL), 20, name)
    before = walk(mechanism, market, 10, name)
    market.day = 10
    mechanism.jump(which=which, size=-0.5)
    mechanism.advance(market)
    assert before == pytest.approx(calm[:10])
    assert getattr(mechanism, name) == pytest.approx(0.5 * calm[10])
    market.day = 19
    mechanism.advance(market)
    assert getattr(mechanism, name) == pytest.approx(0.5 * calm[19])


def test_a_jump_of_the_token_alone_decays_with_its_half_life() -> None:
    mechanism, market = prices(**STILL, hlt_premium_half_life_days=10.0)
    mechanism.set_fundamental(1.0)
    walk(mechanism, market, 10, "hlt_external")
    market.day = 10
    mechanism.jump(which="hlt_external", size=-0.5)
    after = []
    for day in (10, 11, 20, 30):
        market.day = day
        mechanism.advance(market)
        after.append(math.log2(mechanism.hlt_external))
    assert after == pytest.approx([-1.0, -(0.5**0.1), -0.5, -0.25])


def test_an_unknown_price_cannot_jump() -> None:
    with pytest.raises(ValueError, match="no reference price"):
        prices()[0].jump(which="gold", size=0.1)


def test_cost_inflation_is_spread_over_its_days_and_stays() -> None:
    mechanism, market = prices(**STILL)
    calm = walk(*prices(**STILL), 200, "medical_index")
    walk(mechanism, market, 50, "medical_index")
    market.day = 50
    mechanism.inflate(size=0.21, days=100)
    ratio = []
    for day in range(50, 200):
        market.day = day
        mechanism.advance(market)
        ratio.append(mechanism.medical_index / calm[day])
    assert ratio[0] == pytest.approx(1.21 ** (1 / 100))
    assert ratio[49] == pytest.approx(1.1)
    assert ratio[99:] == pytest.approx([1.21] * 51)


def test_paths_depend_on_seed_and_day_and_not_on_the_horizon() -> None:
    for name in ("medical_index", "gas_coin_usd", "hlt_external"):
        short, long = walk(*prices(days=50), 50, name), walk(*prices(days=300), 50, name)
        assert np.array_equal(short, long)
        assert not np.array_equal(short, walk(*prices(days=50, seed=4), 50, name))


def test_the_run_s_figures() -> None:
    mechanism, market = prices(**STILL)
    walk(mechanism, market, 366, "medical_index")
    mechanism.jump(which="gas_coin", size=0.25)
    mechanism.finish(market)
    assert market.record.metrics == {
        "reference_price.medical_growth_per_year": pytest.approx(0.035),
        "reference_price.gas_coin_change": pytest.approx(0.25),
    }
    assert set(market.record.metrics) == {metric.name for metric in SECTION.metrics}


def test_the_external_venue_is_an_account_abroad() -> None:
    mechanism, market = prices()
    assert market.ledger.account("external_venue") == mechanism.external_venue
    assert next(iter(mechanism.invariants()))[1]() is None
