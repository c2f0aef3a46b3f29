"""Cost of an episode relative to its mean: a lognormal body with a Pareto tail fitted on its own.

A lognormal that meets the mean and the median of spending puts too much on the top 1 % and too little beyond; so the
upper ``tail_share`` of episodes follows x_p (p / (1 - u))^(1 / alpha) instead, joined to the body at its quantile x_p.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from sim.kernel.compiled import kernel
from sim.kernel.draws import unit_normal


@dataclass(frozen=True, slots=True)
class Severity:
    """The distribution before it is scaled to mean 1."""

    log_sd: float
    tail_share: float
    tail_index: float

    @property
    def tail_start(self) -> float:
        """Where the tail begins: the body's quantile at 1 - tail_share."""
        return math.exp(self.log_sd * NormalDist().inv_cdf(1.0 - self.tail_share))

    @property
    def mean(self) -> float:
        """Mean of body and tail together; the body's part is a partial expectation of the lognormal."""
        normal = NormalDist()
        border = normal.inv_cdf(1.0 - self.tail_share)
        body = math.exp(0.5 * self.log_sd**2) * normal.cdf(border - self.log_sd)
        return body + self.tail_share * self.tail_start * self.tail_index / (self.tail_index - 1.0)


@kernel
def severity_quantile(u: float, log_sd: float, tail_share: float, tail_index: float, tail_start: float) -> float:
    """Quantile at ``u`` in (0, 1), before scaling."""
    if u < 1.0 - tail_share:
        return math.exp(log_sd * unit_normal(u))
    return tail_start * ((1.0 - u) / tail_share) ** (-1.0 / tail_index)
