"""The fee market: the base fee of EIP-1559, and the demand of other users that it balances.

The base fee rises while blocks hold more gas than their target and falls while they hold less, by at most
(elasticity multiplier - 1) / denominator of itself per block up and 1 / denominator down. Other users demand

    D = target x k x (p / quote)^e x Z        gas per block,

where p is the fee level that demand supports at that hour (wei), ``quote`` the base fee they last looked at, e their
price elasticity, Z the noise of the block (lognormal with median 1) and k the constant for which the mean log step of
the base fee is zero at quote = p: the stationary base fee then lies at p. Their tips are exponential with mean m, so
that D exp(-t/m) of their gas outbids a tip t; this decides who fits into a full block.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import Decision
from sim.kernel.fixedpoint import MAX_INT64, MICRO, mul_div, mul_div_up
from sim.kernel.processes import autoregression, daily_normals
from sim.scenario.sections.chain import ChainSection

GWEI = 10**9
WEI_PER_COIN = 10**18
HOURS = 24
NOISE_LEVELS = 1024
"""Equally likely values of a block's demand noise: a power of two, so that ten random bits choose one."""

DAY_SECONDS = 86_400


def next_base_fee(base_fee: int, gas_used: int, gas_target: int, denominator: int) -> int:
    """Base fee of the next block, wei (EIP-1559). A rise is at least 1 wei; a fall is floored, so it stops above 0.

    Written for both forms of ``mul_div``: :mod:`sim.chain.blocks` compiles this function. The rule floors after
    dividing by the target and again by the denominator; to floor once, after dividing by both, is the same number.
    """
    if gas_used == gas_target:
        return base_fee
    if gas_used > gas_target:
        return base_fee + max(mul_div(base_fee, gas_used - gas_target, gas_target * denominator), 1)
    return base_fee - mul_div(base_fee, gas_target - gas_used, gas_target * denominator)


def transaction_fee(gas: int, gas_price: int, data_wei: int, coin_micro: int) -> int:
    """Micro-USD for ``gas`` at ``gas_price`` wei and ``data_wei`` of layer-1 data; each part rounded up, against the
    sender. ``coin_micro`` is the gas coin's price in micro-USD."""
    return mul_div_up(gas * coin_micro, gas_price, WEI_PER_COIN) + mul_div_up(data_wei, coin_micro, WEI_PER_COIN)


def noise_levels(sd: float) -> NDArray[np.float64]:
    """float64[NOISE_LEVELS]: lognormal values with median 1 at the midpoints of equal probability classes."""
    normal = NormalDist()
    return np.array([math.exp(sd * normal.inv_cdf((i + 0.5) / NOISE_LEVELS)) for i in range(NOISE_LEVELS)])


def balance(noise: NDArray[np.float64], elasticity_multiplier: int, denominator: int) -> float:
    """The k for which E[log(1 + (min(k Z, multiplier) - 1) / denominator)] = 0, by bisection."""
    low, high = 1e-3, 1e3
    for _ in range(80):
        k = math.sqrt(low * high)
        step = np.log1p((np.minimum(k * noise, elasticity_multiplier) - 1.0) / denominator).mean()
        low, high = (low, k) if step > 0.0 else (k, high)
    return math.sqrt(low * high)


def stationary_path(decision: Decision, days: int, sd: float, half_life_days: float) -> NDArray[np.float64]:
    """float64[days]: the log of a daily level, a stationary autoregression."""
    return autoregression(daily_normals(decision, days), sd, half_life_days)


@dataclass(slots=True)
class Spike:
    """A shift of demand that lasts to the end of ``last_day``."""

    last_day: int
    multiple: float


@dataclass(slots=True)
class FeeMarket:
    """Fee levels that other users' demand supports, day by day, and the chain's limits. Gas is per simulated step."""

    section: ChainSection
    level_path: NDArray[np.float64]
    data_path: NDArray[np.float64]
    spikes: list[Spike] = field(default_factory=list)
    data_spikes: list[Spike] = field(default_factory=list)
    tip: int = field(init=False)
    """Suggested tip, wei per gas: the mean tip of other users."""
    cycle: NDArray[np.float64] = field(init=False)
    """float64[24]: the daily cycle of the fee level, with mean 1."""

    def __post_init__(self) -> None:
        self.tip = max(1, round(self.section.tip_gwei * GWEI))
        angle = 2.0 * np.pi * (np.arange(HOURS) - self.section.peak_hour) / HOURS
        cycle = np.exp(self.section.daily_cycle * np.cos(angle))
        self.cycle = cycle / cycle.mean()

    @property
    def steps_per_day(self) -> int:
        """Simulated blocks of a day."""
        return DAY_SECONDS // (self.section.block_seconds * self.section.blocks_per_step)

    @property
    def target(self) -> int:
        """Gas per step at which the base fee rests."""
        return self.section.gas_target * self.section.blocks_per_step

    @property
    def limit(self) -> int:
        """Most gas per step."""
        return self.target * self.section.elasticity_multiplier

    @property
    def denominator(self) -> int:
        """Change denominator of a step."""
        return self.section.change_denominator // self.section.blocks_per_step

    @property
    def quote_every(self) -> int:
        """Steps between two looks of other users at the base fee."""
        section = self.section
        return max(1, section.quote_seconds // (section.block_seconds * section.blocks_per_step))

    @property
    def opening_base_fee(self) -> int:
        """Wei per gas of the first block."""
        return max(1, round(self.section.base_fee_gwei * GWEI))

    def hourly_levels(self, day: int) -> NDArray[np.float64]:
        """float64[24]: wei per gas that demand supports in each hour of ``day``."""
        section = self.section
        level = section.base_fee_gwei * GWEI * math.exp(self.level_path[day] - 0.5 * section.fee_sd**2)
        return self.cycle * (level * self._multiple(self.spikes, day))

    def data_wei(self, day: int) -> int:
        """Wei that one transaction pays for its data on layer 1."""
        section = self.section
        price = section.data_price_gwei * GWEI * math.exp(self.data_path[day]) * self._multiple(self.data_spikes, day)
        return math.ceil(section.data_bytes * section.data_gas_per_byte * price)

    def add_spike(self, first_day: int, days: int, multiple: float, on_data: bool) -> None:
        """Shift demand from ``first_day`` for ``days`` days; shifts that overlap multiply."""
        (self.data_spikes if on_data else self.spikes).append(Spike(first_day + days - 1, multiple))

    @staticmethod
    def _multiple(spikes: list[Spike], day: int) -> float:
        spikes[:] = [spike for spike in spikes if spike.last_day >= day]
        return math.prod(spike.multiple for spike in spikes)


LARGEST_GAS = 2**25
"""Most gas that one transaction may ask for, a little above a layer-1 block; with it gas times the coin's price fits
into 64 bits up to 274,000 USD a coin."""


def dollars_in_micro(price: float) -> int:
    """A price in dollars as micro-USD, at least 1; OverflowError beyond what a fee can be computed with."""
    micro = max(1, int(price * MICRO))
    if micro > MAX_INT64 // LARGEST_GAS:
        raise OverflowError(f"a gas coin at {price:.3g} USD is beyond the range of fees")
    return micro
