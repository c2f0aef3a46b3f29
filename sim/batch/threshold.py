"""Where a figure of a run changes side as one parameter moves: bisection over replications on the same seeds.

At each value the share of runs is counted in which a metric is at least a level; the critical value is where that share
crosses one half. Bisection halves the bracket and keeps an end on each side, so it needs the share to cross once. Every
point that was tried is returned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.batch.check import run_batch
from sim.batch.engine import Engine
from sim.batch.intervals import wilson
from sim.scenario.scenario import Scenario


class NoCrossing(ValueError):
    """Both ends are on the same side, or no run reports the metric; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Tried:
    """At ``value`` the metric was at least the level in ``hits`` of ``runs``; Wilson's 95 % interval of the share."""

    value: float
    hits: int
    runs: int
    low: float
    high: float

    @property
    def above(self) -> bool:
        """Whether the metric reached the level in at least half of the runs."""
        return 2 * self.hits >= self.runs


@dataclass(frozen=True, slots=True)
class Critical:
    """The last bracket, whose ends are on different sides, and all points tried, by value."""

    low: float
    high: float
    tried: list[Tried]

    @property
    def value(self) -> float:
        """Middle of the bracket."""
        return (self.low + self.high) / 2.0


def find_threshold(
    load: Callable[[float], Scenario], low: float, high: float, metric: str, level: float, replications: int,
    steps: int, engine: Engine | None = None, tell: Callable[[Tried], None] = lambda tried: None,
) -> Critical:
    """Bisect ``steps`` times between ``low`` and ``high``; ``load`` gives the scenario at a value.

    Raises :class:`NoCrossing` where both ends are on one side, or where fewer than half of the runs report the metric.
    """

    def attempt(value: float) -> Tried:
        records = run_batch(load(value), replications, ["main"], engine)
        figures = [record.metrics[metric] for record in records if record.status == "ok" and metric in record.metrics]
        if 2 * len(figures) < replications:
            raise NoCrossing(f"only {len(figures)} of {replications} runs report {metric} at {value:g}")
        hits = sum(figure >= level for figure in figures)
        tried = Tried(value, hits, len(figures), *wilson(hits, len(figures)))
        tell(tried)
        return tried

    tried = [attempt(low), attempt(high)]
    if tried[0].above == tried[1].above:
        side = "at least" if tried[0].above else "below"
        raise NoCrossing(f"{metric} is {side} {level:g} in most runs at both {low:g} and {high:g}")
    for _ in range(steps):
        middle = attempt((low + high) / 2.0)
        tried.append(middle)
        if middle.above == tried[0].above:
            low = middle.value
        else:
            high = middle.value
    return Critical(low, high, sorted(tried, key=lambda one: one.value))
