"""When a pandemic bond pays: the rules of the World Bank's Pandemic Emergency Financing Facility (PEF), by day.

Days count from the start of the event. A calculation looks at what was reported up to and including its day; the first
is made once ``wait_days`` of reports are complete, the next every ``check_days``, and each is published ``lag_days``
later: in 2020 those of 23 and 31 March were published on 9 and 17 April. All conditions must hold at once:

- deaths in all regions reach the class's threshold, and each of two regions has ``second_region_deaths``;
- cases of the rolling window are at least ``least_cases``;
- confirmed cases are at least ``confirmation_bps`` of all cases;
- cases grow: the lower bound of the exponential growth rate over the window is above 0.

Growth: new cases of ``growth_periods`` periods are fitted by exp(a + k t), counts with variance in proportion to their
mean (quasi-Poisson), and k - t s(k) must be positive, t = 1.533 being the 90 % quantile of Student's distribution with
4 degrees of freedom. The prospectus was not to be had: the window, the six periods behind t and the exponential are as
press and rating agency describe them, the weighting is the reading under which the published reports come out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.kernel.fixedpoint import BPS

Ints = NDArray[np.int64]
STEPS = 60


@dataclass(frozen=True, slots=True)
class TriggerRules:
    """The conditions; see the module. Days, deaths and cases are counts."""

    wait_days: int = 84
    check_days: int = 8
    lag_days: int = 17
    second_region_deaths: int = 20
    least_cases: int = 250
    confirmation_bps: int = 2_000
    growth_periods: int = 6
    growth_quantile: float = 1.533

    @property
    def window_days(self) -> int:
        """Days that growth looks back on, the wait itself."""
        return self.wait_days

    def calculated_on(self, day: int) -> bool:
        """Whether a calculation looks at the reports up to ``day``."""
        first = self.wait_days - 1
        return day >= first and (day - first) % self.check_days == 0


@dataclass(frozen=True, slots=True)
class Reported:
    """What was reported by day since the start of the event, cumulative: ``confirmed`` and ``cases`` int64[days],
    ``deaths`` int64[days, regions]."""

    confirmed: Ints
    cases: Ints
    deaths: Ints


@dataclass(frozen=True, slots=True)
class Determination:
    """One calculation: on which reports, when published, and what it found. ``growth`` is the lower bound a period."""

    day: int
    published: int
    deaths: int
    regions: int
    growth: float
    confirmed_bps: int
    rolling_cases: int
    spread_met: bool
    growth_met: bool
    confirmation_met: bool
    size_met: bool

    @property
    def met(self) -> bool:
        """Whether every condition but the deaths of a class holds."""
        return self.spread_met and self.growth_met and self.confirmation_met and self.size_met


def growth_bound(counts: NDArray[np.float64], quantile: float) -> float:
    """Lower bound of the growth rate k of exp(a + k t) fitted to ``counts`` float64[periods], a period.

    Quasi-Poisson maximum likelihood: k solves sum t n = sum n sum t e^(kt) / sum e^(kt); s(k)^2 = phi / (n v), v the
    variance of t under the fit, phi Pearson's chi square over periods - 2. -inf without cases in at least two periods.
    """
    if np.count_nonzero(counts > 0) < 2:
        return -math.inf
    t = np.arange(counts.size) - (counts.size - 1) / 2.0
    total, goal = float(counts.sum()), float(t @ counts) / float(counts.sum())
    low, high = -50.0, 50.0
    for _ in range(STEPS):  # the mean of t under the fit rises with k
        middle = (low + high) / 2.0
        weights = np.exp(middle * t - abs(middle) * t[-1])
        if float(t @ weights) / float(weights.sum()) < goal:
            low = middle
        else:
            high = middle
    k = (low + high) / 2.0
    weights = np.exp(k * t - abs(k) * t[-1])
    share = weights / weights.sum()
    variance = float(share @ t**2) - float(share @ t) ** 2
    if variance <= 0.0:
        return -math.inf
    fitted = total * share
    dispersion = float(((counts - fitted) ** 2 / np.maximum(fitted, 1e-300)).sum()) / (counts.size - 2)
    return k - quantile * math.sqrt(dispersion / (total * variance))


def determine(rules: TriggerRules, reported: Reported, day: int) -> Determination:
    """The calculation on the reports up to ``day``."""
    length = rules.window_days // rules.growth_periods
    edges = [day - rules.growth_periods * length + step * length for step in range(rules.growth_periods + 1)]
    cumulative = np.array([reported.cases[edge] if edge >= 0 else 0 for edge in edges], dtype=np.float64)
    growth = growth_bound(np.diff(cumulative), rules.growth_quantile)
    deaths = reported.deaths[day]
    cases, confirmed = int(reported.cases[day]), int(reported.confirmed[day])
    regions = int((deaths >= rules.second_region_deaths).sum())
    return Determination(
        day, day + rules.lag_days, int(deaths.sum()), regions, growth, confirmed * BPS // max(cases, 1),
        int(cumulative[-1] - cumulative[0]), regions >= 2, growth > 0.0,
        cases > 0 and confirmed * BPS >= rules.confirmation_bps * cases,
        int(cumulative[-1] - cumulative[0]) >= rules.least_cases)


def trigger_day(rules: TriggerRules, reported: Reported, deaths: int) -> int | None:
    """Day of publication of the first calculation that triggers a class with that threshold; None where none does."""
    for day in range(reported.cases.size):
        if rules.calculated_on(day):
            found = determine(rules, reported, day)
            if found.met and found.deaths >= deaths:
                return found.published
    return None
