"""Demand by other users: where the base fee settles, how spikes, cycle and layer-1 data move it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.chain.blocks import build_blocks
from sim.chain.fee_market import balance, noise_levels, stationary_path
from sim.kernel.draws import Draws

Market = Callable[..., Any]
STILL = {"fee_sd": 0.0, "daily_cycle": 0.0}
EMPTY = np.empty(0, np.int64)


def test_noise_has_median_one_and_the_asked_deviation() -> None:
    noise = noise_levels(0.5)
    assert np.median(noise) == pytest.approx(1.0, abs=1e-3)
    assert np.log(noise).std() == pytest.approx(0.5, rel=2e-3)
    assert np.all(noise_levels(0.0) == 1.0)


@pytest.mark.parametrize(("sd", "multiplier", "denominator"), [(0.0, 2, 8), (0.5, 2, 8), (1.0, 2, 8), (0.5, 6, 41)])
def test_at_balance_the_mean_log_step_is_nothing(sd: float, multiplier: int, denominator: int) -> None:
    noise = noise_levels(sd)
    demand = np.minimum(balance(noise, multiplier, denominator) * noise, multiplier)
    assert np.log1p((demand - 1.0) / denominator).mean() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("preset", ["layer_1", "layer_2"])
def test_base_fee_settles_at_the_parameter(chain_market: Market, preset: str) -> None:
    market = chain_market(preset=preset, **STILL)
    for _ in range(20):
        market.run_day()
    mean = np.mean(market.record.values["chain.base_fee_gwei"])
    assert mean == pytest.approx(market.chain.section.base_fee_gwei, rel=0.05)
    assert max(market.record.values["chain.base_fee_gwei"]) < 1.1 * mean


def test_full_blocks_are_rare_at_rest(chain_market: Market) -> None:
    market = chain_market(**STILL)
    market.run_day()
    assert market.chain.congestion == pytest.approx(0.5, abs=0.02)
    assert (market.chain.gas_used == market.chain.fees.limit).mean() < 0.15


@pytest.mark.parametrize("multiple", [6.0, 20.0])
def test_a_spike_multiplies_fees_from_its_day_to_its_last(chain_market: Market, multiple: float) -> None:
    market = chain_market(**STILL)
    market.run_day()
    market.day += 1
    market.chain.start_spike(multiple=multiple, days=3, fee_market="layer_1")
    market.day -= 1
    for _ in range(5):
        market.run_day()
    fees = np.array(market.record.values["chain.base_fee_gwei"]) / market.chain.section.base_fee_gwei
    assert fees[1:4] == pytest.approx(np.full(3, multiple), rel=0.1)
    assert fees[[0, 4, 5]] == pytest.approx(np.ones(3), rel=0.1)


def test_shifts_that_overlap_multiply(chain_market: Market) -> None:
    market = chain_market(**STILL)
    market.day = 0
    before = market.chain.fees.hourly_levels(0)[0]
    market.chain.start_spike(multiple=2.0, days=2, fee_market="this_chain")
    market.chain.start_spike(multiple=3.0, days=1, fee_market="this_chain")
    assert market.chain.fees.hourly_levels(0)[0] == pytest.approx(6.0 * before)
    assert market.chain.fees.hourly_levels(1)[0] == pytest.approx(2.0 * before)
    assert market.chain.fees.hourly_levels(2)[0] == pytest.approx(before)


def test_a_layer_1_spike_reaches_a_rollup_through_its_data_only(chain_market: Market) -> None:
    market = chain_market(preset="layer_2", data_price_sd=0.0, **STILL)
    market.run_day()
    calm, levels = market.chain.data_wei, market.chain.fees.hourly_levels(1)
    assert calm == 150 * 5 * 10**9
    market.day = 1
    market.chain.start_spike(multiple=20.0, days=1, fee_market="layer_1")
    assert market.chain.fees.data_wei(1) == 20 * calm
    assert np.array_equal(market.chain.fees.hourly_levels(1), levels)
    market.chain.start_spike(multiple=2.0, days=1, fee_market="this_chain")
    assert market.chain.fees.hourly_levels(1) == pytest.approx(2.0 * levels)


def test_the_daily_cycle_peaks_at_its_hour_and_keeps_the_mean(chain_market: Market) -> None:
    fees = chain_market(fee_sd=0.0, daily_cycle=0.4, peak_hour=15).chain.fees
    levels = fees.hourly_levels(0)
    assert int(levels.argmax()) == 15
    assert levels.mean() == pytest.approx(20e9)
    assert levels.max() / levels.min() == pytest.approx(math.exp(0.8))


def test_a_day_s_base_fee_follows_the_cycle(chain_market: Market) -> None:
    market = chain_market(fee_sd=0.0, daily_cycle=0.6)
    market.run_day()
    hourly = market.chain.base_path[:-1].reshape(24, -1).mean(axis=1)
    assert np.corrcoef(hourly, market.chain.fees.hourly_levels(0))[0, 1] > 0.95


def test_the_fee_level_is_stationary() -> None:
    decision = Draws(5).decision("level")
    path = stationary_path(decision, 20_000, 0.3, 10.0)
    assert path.std() == pytest.approx(0.3, rel=0.05)
    lag = np.corrcoef(path[:-10], path[10:])[0, 1]
    assert lag == pytest.approx(0.5, abs=0.05)  # half-life 10 days
    assert stationary_path(decision, 100, 0.3, 10.0) == pytest.approx(path[:100])  # whatever the horizon


def test_the_mean_fee_level_is_the_parameter(chain_market: Market) -> None:
    fees = chain_market(days=20_000, fee_sd=0.6, fee_half_life_days=2.0).chain.fees
    levels = [fees.hourly_levels(day).mean() for day in range(20_000)]
    assert np.mean(levels) == pytest.approx(20e9, rel=0.02)


def test_the_base_fee_goes_on_from_day_to_day(chain_market: Market) -> None:
    market = chain_market()
    last = market.chain.fees.opening_base_fee
    for _ in range(3):
        market.run_day()
        assert market.chain.base_path[0] == last
        last = market.chain.base_path[-1]


def test_other_users_answer_the_price() -> None:
    """Blocks above their target while the fee lies below what demand supports, and under it while it lies above."""
    noise = noise_levels(0.0)
    for start, sign in ((5 * 10**9, 1), (80 * 10**9, -1)):
        base_path, used = np.zeros(101, np.int64), np.zeros(100, np.int64)
        build_blocks(start, np.full(24, 20e9), 0.5, 1.0, noise, np.uint64(1), 0, 15_000_000, 30_000_000, 8, 5, 10**9, 0,
                     10**9, EMPTY, EMPTY, EMPTY, np.empty(0, np.uint64), EMPTY, base_path, used, EMPTY, EMPTY, EMPTY)
        assert sign * (used[0] - 15_000_000) == pytest.approx(15_000_000 if sign > 0 else 7_500_000, rel=1e-6)
        assert base_path[-1] == pytest.approx(20e9, rel=0.05)


def test_a_fee_path_is_a_function_of_the_seed(chain_market: Market) -> None:
    paths = []
    for seed in (1, 1, 2):
        market = chain_market(seed=seed)
        market.run_day()
        paths.append(market.chain.base_path.copy())
    assert np.array_equal(paths[0], paths[1])
    assert not np.array_equal(paths[0], paths[2])
