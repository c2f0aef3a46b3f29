"""The running estimate of a key metric, and the rule that ends a batch once it is known well enough.

Both look at runs in index order only, so that they do not depend on which worker was quicker.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.batch.batch_plan import BatchPlan
from sim.batch.spool import Outcome
from sim.scenario.expectations import CONFIDENCE

LEAST_REPLICATIONS = 10
"""No batch is ended by its interval before that: a variance from a handful of runs says little."""


@dataclass(slots=True)
class Moments:
    """Count, mean and sum of squared deviations of what was added (Welford 1962)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Add one figure."""
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)

    def half_width(self) -> float:
        """Half the 95 % interval of the mean (Student's t); infinite for fewer than two figures."""
        if self.count < 2:
            return math.inf
        from scipy.special import stdtrit

        quantile = float(stdtrit(self.count - 1, (1 + CONFIDENCE) / 2))
        return quantile * math.sqrt(self.squares / (self.count - 1) / self.count)


class Monitor:
    """Follows ``metric`` in every configuration and counts failures."""

    def __init__(self, plan: BatchPlan, metric: str | None) -> None:
        self.plan, self.metric = plan, metric
        self.failures = 0
        self._moments = [Moments() for _ in range(plan.width)]

    def take(self, outcome: Outcome) -> bool:
        """Take the next run in index order; whether the batch ends with it."""
        replication, place = divmod(outcome.index, self.plan.width)
        self.failures += outcome.status == "failed"
        value = outcome.metrics.get(self.metric) if self.metric is not None else None
        if value is not None and math.isfinite(value):
            self._moments[place].add(value)
        stop = self.plan.stop
        if stop is None or place + 1 < self.plan.width or replication + 1 < LEAST_REPLICATIONS:
            return False
        return all(moments.half_width() <= stop.half_width for moments in self._moments)

    def line(self) -> str:
        """The estimate of the first configuration, for people; empty before there is one."""
        first = self._moments[0]
        if self.metric is None or first.count < 2:
            return ""
        return f"{self.metric} {first.mean:.5g} ± {first.half_width():.2g} (n {first.count:,})"
