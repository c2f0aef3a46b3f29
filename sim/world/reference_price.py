"""Prices made outside the market: the medical price index, the gas coin, the health token on an external venue.

    log I_t = log I_0 + sum over days of (log(1 + g) + y - s^2/2) dt + s sqrt(dt) z
        y an Ornstein-Uhlenbeck deviation of the trend: the common factor of all claims, and what a hedge is written on
    gas coin: geometric Brownian motion with lognormal jumps (Merton 1976), drift compensated for the jumps
    external health token price = fundamental x exp(Ornstein-Uhlenbeck premium)

All draws are by day, so a path does not depend on the horizon. Shocks multiply the path from their day on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.kernel.draws import Decision
from sim.kernel.processes import autoregression, daily_normals
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.reference_price import ReferencePriceSection

YEAR_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class Drift:
    """A lasting log change of the medical index that comes evenly over ``days`` from ``first_day``."""

    first_day: int
    days: int
    log_size: float

    def reached(self, day: int) -> float:
        """Log change by the end of ``day``."""
        return self.log_size * min(1.0, (day - self.first_day + 1) / self.days)


class ReferencePrice(Mechanism):
    """Mechanism ``reference_price``: read the properties after its hook in phase CARE; before, they are yesterday's."""

    section: ReferencePriceSection
    hooks = (Hook(Phase.CARE, "advance"),)
    shocks: Mapping[str, str] = {"price_jump": "jump", "cost_inflation": "inflate"}

    def setup(self, market: Market) -> None:
        self.market = market
        self.external_venue: int = market.ledger.open_account("external_venue", "rest_of_world")
        days, draws = market.horizon_days + 1, market.draws
        self._medical_path = self._medical(
            daily_normals(draws.decision("reference_price.medical"), days),
            daily_normals(draws.decision("reference_price.medical_trend"), days))
        self._gas_coin_path = self._gas_coin(
            daily_normals(draws.decision("reference_price.gas_coin"), days),
            draws.decision("reference_price.gas_coin_jumps"),
            daily_normals(draws.decision("reference_price.gas_coin_jump_size"), days))
        self._premium_path = autoregression(
            daily_normals(draws.decision("reference_price.hlt_premium"), days), self.section.hlt_premium_sd,
            self.section.hlt_premium_half_life_days)
        self._day = 0
        self._medical_jump = 0.0
        self._inflation: list[Drift] = []
        self._gas_coin_jump = 0.0
        self._premium_jump = 0.0
        self._fundamental: float | None = None
        self._history = np.empty(days)
        self._history[0] = self.medical_index

    def _medical(self, z: NDArray[np.float64], trend: NDArray[np.float64]) -> NDArray[np.float64]:
        section, dt = self.section, 1.0 / YEAR_DAYS
        deviation = autoregression(trend, section.medical_trend_sd, section.medical_trend_half_life_days)
        sd = section.medical_volatility_per_year
        steps = (math.log1p(section.medical_growth_per_year) + deviation - 0.5 * sd * sd) * dt + sd * math.sqrt(dt) * z
        return _cumulate(section.medical_index, steps)

    def _gas_coin(self, z: NDArray[np.float64], jumps: Decision, size: NDArray[np.float64]) -> NDArray[np.float64]:
        section, dt = self.section, 1.0 / YEAR_DAYS
        rate, mean, spread = section.gas_coin_jumps_per_year, section.gas_coin_jump_mean, section.gas_coin_jump_sd
        number = jumps.poisson(0, np.zeros(z.size, dtype=np.uint64), rate * dt, np.arange(z.size))
        jump = mean * number + spread * np.sqrt(number) * size
        compensation = rate * (math.exp(mean + 0.5 * spread * spread) - 1.0)
        sd = section.gas_coin_volatility_per_year
        steps = (section.gas_coin_growth_per_year - 0.5 * sd * sd - compensation) * dt + sd * math.sqrt(dt) * z + jump
        return _cumulate(section.gas_coin_usd, steps)

    # What anybody can read -----------------------------------------------------------------------------------

    @property
    def medical_index(self) -> float:
        """Dollars of care that one health token buys today."""
        inflation = sum(drift.reached(self._day) for drift in self._inflation)
        return float(self._medical_path[self._day]) * math.exp(self._medical_jump + inflation)

    @property
    def opening_medical_index(self) -> float:
        """The medical price index on day 0: the level that costs at reference prices are stated at."""
        return self.section.medical_index

    @property
    def medical_history(self) -> NDArray[np.float64]:
        """float64[day + 1]: the medical price index on each day so far, read-only."""
        view = self._history[:self._day + 1].view()
        view.flags.writeable = False
        return view

    def announced_growth(self, days: int) -> float:
        """Log growth of the medical index over the next ``days`` as those foresee it who negotiate prices: the mean
        trend, and what is still to come of the rises under way."""
        trend = math.log1p(self.section.medical_growth_per_year) * days / YEAR_DAYS
        return trend + sum(drift.reached(self._day + days) - drift.reached(self._day) for drift in self._inflation)

    @property
    def gas_coin_usd(self) -> float:
        """Dollars per gas coin."""
        return float(self._gas_coin_path[self._day]) * math.exp(self._gas_coin_jump)

    @property
    def fundamental(self) -> float:
        """What the health token is worth by its reserve, as last set; the medical price index until then."""
        return self.medical_index if self._fundamental is None else self._fundamental

    @property
    def hlt_external(self) -> float:
        """Dollars per health token on the external venue."""
        return self.fundamental * math.exp(float(self._premium_path[self._day]) + self._premium_jump)

    def set_fundamental(self, value: float) -> None:
        """Tell the external venue what the health token is worth; ValueError unless positive and finite."""
        if not (value > 0.0 and math.isfinite(value)):
            raise ValueError(f"a fundamental value of {value}")
        self._fundamental = value

    # The day -------------------------------------------------------------------------------------------------

    def advance(self, market: Market) -> None:
        """Move to today's prices. A jump of the token's premium decays with the premium's half-life."""
        if market.day > self._day:
            self._premium_jump *= 0.5 ** ((market.day - self._day) / self.section.hlt_premium_half_life_days)
            self._day = market.day
        self._history[self._day] = self.medical_index

    def jump(self, which: str, size: float) -> None:
        """Shock ``price_jump``: relative change ``size`` from today's price on."""
        change = math.log1p(size)
        if which == "medical_index":
            self._medical_jump += change
        elif which == "gas_coin":
            self._gas_coin_jump += change
        elif which == "hlt_external":
            # Shocks come before the day's step, which lets a jump decay: undo that step in advance.
            self._premium_jump += change * 2.0 ** ((self.market.day - self._day)
                                                   / self.section.hlt_premium_half_life_days)
        else:
            raise ValueError(f"no reference price is called {which!r}")

    def inflate(self, size: float, days: int) -> None:
        """Shock ``cost_inflation``: the index ends ``1 + size`` times as high as without, reached over ``days``."""
        self._inflation.append(Drift(self.market.day, days, math.log1p(size)))

    # Observations --------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record = market.record
        record.series("reference_price.medical_index", self.medical_index)
        record.series("reference_price.gas_coin_usd", self.gas_coin_usd)
        record.series("reference_price.hlt_external", self.hlt_external)

    def finish(self, market: Market) -> None:
        record, section = market.record, self.section
        if self._day > 0:
            growth = (self.medical_index / section.medical_index) ** (YEAR_DAYS / self._day) - 1.0
            record.metric("reference_price.medical_growth_per_year", growth)
        record.metric("reference_price.gas_coin_change", self.gas_coin_usd / section.gas_coin_usd - 1.0)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "reference_price.prices_are_positive", self.check_prices

    def check_prices(self) -> str | None:
        """Every price is a positive finite number."""
        for name in ("medical_index", "gas_coin_usd", "hlt_external"):
            value = getattr(self, name)
            if not (value > 0.0 and math.isfinite(value)):
                return f"{name} is {value}"
        return None


def _cumulate(start: float, steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64[days]: ``start`` on day 0, then moved by the log step of each day."""
    path = np.concatenate(([0.0], np.cumsum(steps[1:])))
    return start * np.exp(path)
