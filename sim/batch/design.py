"""Which values the swept parameters take at each design point: a grid, or a sample drawn by SALib.

Sampling (lhs, sobol, morris) is between bounds, from the batch's master seed. A parameter that is a whole number in the
scenario gets whole numbers, each equally often.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Method = Literal["lhs", "sobol", "morris"]
METHODS = ("lhs", "sobol", "morris")
MORRIS_LEVELS = 4


class DesignError(ValueError):
    """A sweep or sample that cannot be made; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Every combination of the values of each parameter; the last parameter changes fastest."""

    values: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Sample:
    """``count`` as the method means it: points of lhs; base points of sobol, count (k + 2) points for k parameters;
    trajectories of morris, count (k + 1) points."""

    method: Method
    count: int
    bounds: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Design:
    """``points[i]`` has the value of each of ``parameters`` at design point i; one empty point where nothing is swept.
    ``details`` is what an analysis of the sample must know: bounds, count and the options of the method."""

    kind: str
    parameters: list[str]
    points: list[list[Any]]
    details: dict[str, Any]

    def settings(self, point: int) -> dict[str, Any]:
        """Dotted path -> value at a design point."""
        return dict(zip(self.parameters, self.points[point], strict=True))


def make_design(sweep: Grid | Sample | None, seed: int, whole: frozenset[str] = frozenset()) -> Design:
    """The design points of ``sweep``; ``whole`` names the parameters that take whole numbers."""
    if sweep is None:
        return Design("replications", [], [[]], {})
    if isinstance(sweep, Grid):
        points = [list(values) for values in itertools.product(*sweep.values.values())]
        return Design("grid", list(sweep.values), points, {})
    return _sampled(sweep, seed, whole)


def _sampled(sample: Sample, seed: int, whole: frozenset[str]) -> Design:
    names = list(sample.bounds)
    if sample.method == "sobol" and sample.count & (sample.count - 1):
        raise DesignError(f"sobol needs a power of two, and {sample.count} is none; take "
                          f"{2 ** round(math.log2(sample.count))}")
    if sample.method == "morris" and sample.count < 2:
        raise DesignError("morris needs at least two trajectories")
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    key = int.from_bytes(hashlib.sha256(f"salus:design:{seed}".encode()).digest()[:4], "big")
    details: dict[str, Any] = {"count": sample.count, "seed": key, "bounds": [list(sample.bounds[n]) for n in names]}
    if sample.method == "lhs":
        from SALib.sample import latin

        unit = latin.sample(problem, sample.count, seed=key)
    elif sample.method == "sobol":
        from SALib.sample import sobol

        unit = sobol.sample(problem, sample.count, calc_second_order=False, seed=key)
        details["second_order"] = False
    else:
        from SALib.sample import morris

        unit = morris.sample(problem, sample.count, num_levels=MORRIS_LEVELS, seed=key)
        details["levels"] = MORRIS_LEVELS
    points = [[_scaled(float(u), *sample.bounds[name], name in whole) for name, u in zip(names, row, strict=True)]
              for row in unit]
    return Design(sample.method, names, points, details)


def _scaled(unit: float, low: float, high: float, whole: bool) -> float | int:
    if whole:
        return min(int(high), int(low) + math.floor(unit * (int(high) - int(low) + 1)))
    return low + unit * (high - low)


# From flags ----------------------------------------------------------------------------------------------------------


def parse_grid(texts: Sequence[str]) -> Grid:
    """``a.b=1,2,3`` of each ``--sweep``; the values are YAML."""
    values: dict[str, list[Any]] = {}
    for text in texts:
        path, rest = _halves("--sweep", text, "a.b=1,2,3")
        found = _yaml_list(f"--sweep {path}", rest)
        _add("--sweep", values, path, found)
    return Grid(values)


def parse_sample(words: Sequence[str]) -> Sample:
    """``morris:N a.b=lo:hi c.d=lo:hi`` of ``--sample``."""
    method, sign, count = words[0].partition(":")
    if method not in METHODS or not sign or not count.isdecimal() or int(count) < 1:
        raise DesignError(f"--sample {words[0]}: write lhs:N, sobol:N or morris:N")
    bounds: dict[str, tuple[float, float]] = {}
    for text in words[1:]:
        path, rest = _halves("--sample", text, "a.b=lo:hi")
        _add("--sample", bounds, path, checked_bounds(path, rest.split(":")))
    if not bounds:
        raise DesignError("--sample needs at least one parameter, such as economy.tax_rate=0.1:0.5")
    return Sample(method, int(count), bounds)  # type: ignore[arg-type]


def checked_bounds(path: str, ends: Sequence[Any]) -> tuple[float, float]:
    """Two numbers, the first below the second."""
    try:
        low, high = (float(end) for end in ends)
    except (TypeError, ValueError):
        raise DesignError(f"the sample of {path} needs two numbers, lo:hi") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise DesignError(f"the sample of {path} runs from {low:g} to {high:g}; the first must be below the second")
    return low, high


def _halves(flag: str, text: str, example: str) -> tuple[str, str]:
    path, sign, rest = text.partition("=")
    if not sign or not path.strip() or not rest.strip():
        raise DesignError(f"{flag} {text[:60]}: write it as {example}")
    return path.strip(), rest.strip()


def _yaml_list(flag: str, text: str) -> list[Any]:
    from sim.scenario.errors import Place
    from sim.scenario.yaml_guard import parse_value

    found = parse_value(f"[{text}]", Place(flag)).plain()
    if not isinstance(found, list) or not found:
        raise DesignError(f"{flag}: a list of values is needed, such as 1,2,3")
    return found


def _add(flag: str, into: dict[str, Any], path: str, value: Any) -> None:
    if path in into:
        raise DesignError(f"{flag}: {path} is given twice")
    into[path] = value
