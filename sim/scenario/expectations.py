"""Expectations: what a scenario says must come out, written as data.

An expectation names a metric and a comparison, and is judged over all runs in one of three ways:

- ``in_share_of_runs``: the comparison holds in at least that share of the runs (lower confidence bound, less 0.05);
- ``upper_share``: it holds in at most that share of the runs (upper confidence bound), for rare outcomes;
- neither: the mean over the runs is compared.

With ``against`` the figure is the difference from another variant on the same seeds. Judging is in
:mod:`sim.batch.judge`; here is only what can be written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sim.scenario.types import Model, param

Op = Literal[">=", "<=", "==", "<", ">", "between"]

MAIN = "main"
"""Name of the scenario itself among its variants."""

SHARE_ALLOWANCE = 0.05
"""How far below the stated share of runs the lower confidence bound may lie."""

CONFIDENCE = 0.95
"""Two-sided confidence of all intervals."""

WILSON_Z = 1.959963984540054
"""Standard normal quantile of that confidence, (1 + 0.95) / 2."""


class Expectation(Model):
    """One expectation of a scenario or of one of its variants."""

    metric: str = param(..., "Name of a metric that a section of this scenario declares.")
    op: Op = param(..., "Comparison of the figure with `value`.")
    value: float | tuple[float, float] = param(..., "What the figure is compared with; for `between` a list of two.")
    tolerance: float | None = param(None, "Half width of the band around `value` that `==` accepts; the band that is "
                                    "added on the lenient side of any other comparison.", ge=0.0)
    in_share_of_runs: float | None = param(
        None, "Least share of runs in which the comparison must hold; judged by the Wilson lower bound against this "
        "share less 0.05.", gt=0.0, le=1.0)
    upper_share: float | None = param(
        None, "Largest share of runs in which the comparison may hold; judged by the Wilson upper bound.", gt=0.0,
        lt=1.0)
    against: str | None = param(None, "Variant (or `main`) whose figure on the same seed is subtracted.")
    source: str = param("", "Where the expectation comes from: a truth, a table, a published event.")
    note: str = param("", "Anything a reader should know, such as why an expectation is not met.")

    @property
    def band(self) -> tuple[float, float]:
        """Least and largest figure that satisfies the comparison, apart from strictness."""
        slack = self.tolerance or 0.0
        infinite = float("inf")
        if isinstance(self.value, tuple):
            return self.value[0] - slack, self.value[1] + slack
        low = self.value - slack if self.op in (">=", ">", "==") else -infinite
        high = self.value + slack if self.op in ("<=", "<", "==") else infinite
        return low, high

    def holds(self, figure: float) -> bool:
        """Whether one figure satisfies the comparison; false for NaN."""
        low, high = self.band
        return low < figure < high if self.op in ("<", ">") else low <= figure <= high

    def text(self) -> str:
        """The expectation on one line."""
        figure = f"{self.metric} - {self.metric} of {self.against}" if self.against else self.metric
        if isinstance(self.value, tuple):
            stated = f"{figure} between {self.value[0]:g} and {self.value[1]:g}"
        else:
            stated = f"{figure} {self.op} {self.value:g}"
        if self.tolerance is not None:
            stated += f" +- {self.tolerance:g}"
        if self.in_share_of_runs is not None:
            stated += f" in {self.in_share_of_runs:.0%} of runs"
        elif self.upper_share is not None:
            stated += f" in at most {self.upper_share:.0%} of runs"
        else:
            stated += " on average"
        return stated


def contradictions(expectation: Expectation) -> list[tuple[str, str]]:
    """What does not fit together inside one expectation: pairs (field, sentence)."""
    found: list[tuple[str, str]] = []
    pair = isinstance(expectation.value, tuple)
    if expectation.op == "between" and not pair:
        found.append(("value", "the comparison 'between' needs a list of two numbers, such as [0.8, 0.9]"))
    if expectation.op != "between" and pair:
        found.append(("value", f"the comparison '{expectation.op}' needs one number, not a list"))
    if isinstance(expectation.value, tuple) and expectation.value[0] > expectation.value[1]:
        found.append(("value", "the first number of a 'between' must not be above the second"))
    if expectation.in_share_of_runs is not None and expectation.upper_share is not None:
        found.append(("upper_share", "give either in_share_of_runs or upper_share, not both"))
    return found


def one_run(expectations: Iterable[Expectation], figures: Mapping[str, float]) -> list[dict[str, Any]]:
    """What a single run says about ``expectations``: a row {met, statement, value, source} for each.

    ``met`` is None where one run cannot tell: shares of runs, differences from another variant, figures not defined
    in this run.
    """
    rows = []
    for wish in expectations:
        value = None if wish.against is not None else figures.get(wish.metric)
        several = wish.in_share_of_runs is not None or wish.upper_share is not None or value is None
        met = None if several or value is None else wish.holds(value)
        rows.append({"met": met, "statement": wish.text(), "value": value, "source": wish.source})
    return rows


def runs_needed(expectation: Expectation) -> int:
    """Fewest runs that can meet the expectation at all: those whose Wilson bound reaches far enough if all go well."""
    square = WILSON_Z**2
    if expectation.in_share_of_runs is not None:
        share = expectation.in_share_of_runs - SHARE_ALLOWANCE
        return max(1, math.ceil(share * square / (1.0 - share) - 1e-9)) if share > 0 else 1
    if expectation.upper_share is not None:
        return math.ceil((1.0 - expectation.upper_share) * square / expectation.upper_share - 1e-9)
    return 2 if expectation.against is not None else 1
