"""Whether the expectations of a scenario are met by its runs.

A share of runs is judged by a bound of its 95 % Wilson interval: the lower one against the stated share less 0.05, or
the upper one against a stated largest share. A mean is judged as it stands, with its interval beside it: Wilson's where
the metric is 0 or 1 in each run, so that a probability of ruin always stands with its run count and interval. A mean
difference from another variant on the same seeds is judged by its interval, which must lie wholly on the stated side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sim.batch.intervals import mean, student, wilson
from sim.scenario.expectations import SHARE_ALLOWANCE, Expectation, runs_needed

Status = Literal["met", "not met", "too few runs"]

Figures = Sequence[Mapping[str, float] | None]
"""Metrics of a configuration's runs by replication; None where the run failed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One expectation, judged. ``figure`` is the share, mean or mean difference seen, with its 95 % interval."""

    variant: str
    expectation: Expectation
    status: Status
    figure: float
    low: float
    high: float
    sentence: str

    @property
    def met(self) -> bool:
        """Whether the expectation is met."""
        return self.status == "met"


def judge(variant: str, expectation: Expectation, figures: Figures, against: Figures | None = None) -> Verdict:
    """Hold ``expectation`` of ``variant`` against the figures of its runs.

    ``against`` has the figures of the variant that the expectation names, in the same order of replications; it must
    be given exactly when one is named. A run that failed or does not define the metric counts against the expectation
    where shares are judged, and is left out of means, which is said.
    """
    if (against is None) != (expectation.against is None):
        raise ValueError("figures to compare with are needed exactly where the expectation names a variant")
    values = [_value(expectation.metric, own, None if against is None else against[position], against is not None)
              for position, own in enumerate(figures)]
    if expectation.in_share_of_runs is not None or expectation.upper_share is not None:
        return _share(variant, expectation, values)
    defined = [value for value in values if value is not None]
    if not defined:
        return Verdict(variant, expectation, "not met", math.nan, math.nan, math.nan,
                       f"none of {len(values)} runs reports {expectation.metric}")
    return _mean(variant, expectation, defined, len(values))


def _value(
    metric: str, own: Mapping[str, float] | None, other: Mapping[str, float] | None, paired: bool
) -> float | None:
    value = None if own is None else own.get(metric)
    if paired:
        base = None if other is None else other.get(metric)
        value = None if value is None or base is None else value - base
    return value if value is not None and math.isfinite(value) else None


def _share(variant: str, expectation: Expectation, values: Sequence[float | None]) -> Verdict:
    rare = expectation.upper_share is not None
    runs = len(values)
    # What is not defined counts against the expectation: as not holding, or as the rare outcome having happened.
    hits = sum(rare if value is None else expectation.holds(value) for value in values)
    low, high = wilson(hits, runs)
    share = hits / runs if runs else math.nan
    sentence = f"holds in {hits} of {runs} runs ({share:.1%}, 95 % interval {low:.1%} to {high:.1%})"
    undefined = sum(value is None for value in values)
    if undefined:
        sentence += f"; not defined in {undefined}, which counts against it"
    if expectation.upper_share is not None:
        met, plausible = high <= expectation.upper_share, share <= expectation.upper_share
        sentence += f"; the upper bound may be at most {expectation.upper_share:.1%}"
    else:
        stated = expectation.in_share_of_runs or 0.0
        needed = max(0.0, stated - SHARE_ALLOWANCE)
        met, plausible = low >= needed, share >= stated
        sentence += f"; the lower bound must reach {needed:.1%}"
    few = runs < runs_needed(expectation)
    if few:
        sentence += f", which takes at least {runs_needed(expectation)} runs"
    status: Status = "met" if met else "too few runs" if few and plausible else "not met"
    return Verdict(variant, expectation, status, share, low, high, sentence)


def _is_indicator(metric: str, values: Sequence[float]) -> bool:
    """Whether the figures are those of a yes or no: 0 and 1 alone, and not all of them a 0 that may be an amount."""
    return set(values) <= {0.0, 1.0} and (1.0 in values or metric.rpartition(".")[2].startswith("any_"))


def _rate(variant: str, expectation: Expectation, values: Sequence[float], runs: int) -> Verdict:
    """The mean of a metric that is 0 or 1 in each run (ruin, say) is a probability: its interval is Wilson's."""
    hits = sum(value == 1.0 for value in values)
    low, high = wilson(hits, len(values))
    sentence = f"1 in {hits} of {len(values)} runs"
    if len(values) < runs:
        sentence += f" of {runs} (not defined in the others)"
    sentence += f": {hits / len(values):.1%}, 95 % interval {low:.1%} to {high:.1%}"
    status: Status = "met" if expectation.holds(hits / len(values)) else "not met"
    return Verdict(variant, expectation, status, hits / len(values), low, high, sentence)


def _mean(variant: str, expectation: Expectation, values: Sequence[float], runs: int) -> Verdict:
    figure = mean(values)
    low, high = student(values)
    if expectation.against is None and _is_indicator(expectation.metric, values):
        return _rate(variant, expectation, values, runs)
    what = "mean" if expectation.against is None else f"mean difference from {expectation.against}"
    sentence = f"{what} {figure:.6g} over {len(values)} runs"
    if len(values) < runs:
        sentence += f" of {runs} (not defined in the others)"
    sentence += f", 95 % interval {low:.6g} to {high:.6g}" if len(values) > 1 else ", no interval from a single run"
    status: Status
    if expectation.against is None:
        status = "met" if expectation.holds(figure) else "not met"
    elif len(values) < 2:
        status = "too few runs"
    else:
        status = "met" if expectation.holds(low) and expectation.holds(high) else "not met"
    return Verdict(variant, expectation, status, figure, low, high, sentence)
