"""What prediction markets ask about: how each figure is measured, and what an informed trader knows of it.

``below(x, shift)`` is the probability that the figure of the window ends below ``x``, by a trader whose estimate is off
by ``shift`` standard deviations. Nobody sees a future draw: the informed know what has been agreed or begun.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Market

YEAR_DAYS = 365.0
MEMBER_CV = 3.94
"""Standard deviation over mean of a member's cost of a year (MEPS 2018; insurers assume the same)."""
INCIDENCE_LOG_SD = 0.7


def normal_below(x: float, mean: float, sd: float) -> float:
    """P(N(mean, sd) < x)."""
    return 0.5 * (1.0 + math.erf((x - mean) / (sd * math.sqrt(2.0))))


class Subject(Protocol):
    """A figure over a window that begins when the object is made."""

    def figure(self) -> float:
        """The figure so far; at the window's end the one that settles."""
        ...

    def below(self, x: float, days: int, shift: float) -> float: ...


class CostGrowth:
    """Growth of the medical price index."""

    def __init__(self, market: Market) -> None:
        self.prices: Any = market.mechanism("reference_price")
        self.start: float = self.prices.medical_index

    def figure(self) -> float:
        return self.prices.medical_index / self.start - 1.0

    def below(self, x: float, days: int, shift: float) -> float:
        section, years = self.prices.section, days / YEAR_DAYS
        sd = math.sqrt(section.medical_volatility_per_year**2 * years + (section.medical_trend_sd * years) ** 2) or 1e-6
        mean = math.log1p(self.figure()) + self.prices.announced_growth(days) + shift * sd
        return normal_below(math.log1p(max(x, -0.99)), mean, sd)


class Spending:
    """Claims incurred per member and day over those of the time before, at most as long as the window."""

    def __init__(self, market: Market, window_days: int) -> None:
        self.insurance: Any = market.mechanism("insurance")
        self.prices: Any = market.mechanism("reference_price")
        self.history: list[tuple[int, int]] = market.mechanism("prediction_markets").claims_seen
        self.begin = len(self.history) - 1
        self.before = self._rate(max(self.begin - window_days, 0), self.begin)
        member_days = sum(members for _, members in self.history[-window_days:])
        self.sd = MEMBER_CV * math.sqrt(2.0 * YEAR_DAYS / max(member_days, 1))
        """Of the ratio of two such windows: costs vary in both."""

    def _rate(self, first: int, last: int) -> float:
        members = sum(members for _, members in self.history[first + 1:last + 1])
        return (self.history[last][0] - self.history[first][0]) / max(members, 1) / MICRO

    def figure(self) -> float:
        now = self._rate(self.begin, len(self.history) - 1)
        return now / self.before if self.before > 0.0 else 1.0

    def below(self, x: float, days: int, shift: float) -> float:
        return normal_below(x, math.exp(self.prices.announced_growth(days)) + shift * self.sd, self.sd)


class Incidence:
    """Share of persons newly infected."""

    def __init__(self, market: Market) -> None:
        self.epidemic: Any = market.mechanism("epidemic")
        self.market = market
        self.first_day = market.day
        self.start = self._infected()

    def _infected(self) -> float:
        counts = self.epidemic.transmission.counts
        return 1.0 - float(counts[:, 0].sum()) / max(float(counts.sum()), 1.0)

    def figure(self) -> float:
        return self._infected() - self.start

    def below(self, x: float, days: int, shift: float) -> float:
        """The present week's diagnoses go on, within a factor: lognormal."""
        weekly = float(self.epidemic.today.weekly.mean()) / 100_000.0
        expected = max(self.figure() + weekly * days / 7.0, 1e-5)
        mean = math.log(expected) + shift * INCIDENCE_LOG_SD
        return normal_below(math.log(max(x, 1e-9)), mean, INCIDENCE_LOG_SD)


class Trials:
    """Discoveries that research announces."""

    def __init__(self, market: Market) -> None:
        self.research: Any = market.mechanism("research")
        self.market = market
        self.start = self._announced()

    def _announced(self) -> int:
        counts = self.research.counts
        return int(counts.successes + counts.false_positives)

    def figure(self) -> float:
        return float(self._announced() - self.start)

    def below(self, x: float, days: int, shift: float) -> float:
        """Poisson at the rate seen so far, with one discovery in a year as its prior."""
        mean = (self._announced() + 1.0) / (self.market.day + YEAR_DAYS) * days * math.exp(0.5 * shift)
        left = math.ceil(x - self.figure()) - 1
        return sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(left + 1))


def subject(name: str, market: Market, window_days: int) -> Subject:
    """The subject of that name, from now on; KeyError where the market lacks what it measures."""
    if name == "spending":
        return Spending(market, window_days)
    kinds: dict[str, Callable[[Market], Subject]] = {"cost_growth": CostGrowth, "incidence": Incidence,
                                                     "trials": Trials}
    return kinds[name](market)
