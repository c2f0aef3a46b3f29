"""Distributions of one loss, and how they are put on a lattice.

A severity answers the two questions that a lattice needs: the distribution function F(x) = P(X <= x), and the limited
mean E[min(X, x)]. Amounts are non-negative floats in any unit; nothing here moves money. Formulas: Klugman, Panjer and
Willmot, Loss Models, appendix A and section 9.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]
Method = Literal["local_moments", "rounding"]


class Severity(Protocol):
    """Law of one loss X >= 0."""

    @property
    def mean(self) -> float:
        """E[X]."""
        ...

    @property
    def second_moment(self) -> float:
        """E[X^2]; infinite where it does not exist."""
        ...

    def cdf(self, x: Floats) -> Floats:
        """P(X <= x), float64 of the same shape."""
        ...

    def limited_mean(self, x: Floats) -> Floats:
        """E[min(X, x)], float64 of the same shape."""
        ...


class Empirical:
    """Losses as they were seen: ``values`` float64[n], with ``weights`` float64[n] (equal where none are given)."""

    def __init__(self, values: Sequence[float] | Floats, weights: Sequence[float] | Floats | None = None) -> None:
        order = np.argsort(np.asarray(values, dtype=np.float64), kind="stable")
        self.values: Floats = np.asarray(values, dtype=np.float64)[order]
        given = np.ones(order.size) if weights is None else np.asarray(weights, dtype=np.float64)[order]
        if order.size == 0 or self.values[0] < 0.0 or given.min() < 0.0 or given.sum() <= 0.0:
            raise ValueError("an empirical severity needs losses of at least 0 with weights of at least 0")
        self.weights: Floats = given / given.sum()
        self._mass = np.concatenate(([0.0], np.cumsum(self.weights)))
        self._partial = np.concatenate(([0.0], np.cumsum(self.weights * self.values)))

    @property
    def mean(self) -> float:
        """E[X]."""
        return float(self._partial[-1])

    @property
    def second_moment(self) -> float:
        """E[X^2]."""
        return float((self.weights * self.values**2).sum())

    def cdf(self, x: Floats) -> Floats:
        """P(X <= x)."""
        return np.asarray(self._mass[np.searchsorted(self.values, x, side="right")])

    def limited_mean(self, x: Floats) -> Floats:
        """E[min(X, x)]."""
        place = np.searchsorted(self.values, x, side="right")
        return np.asarray(self._partial[place] + x * (self._mass[-1] - self._mass[place]))


@dataclass(frozen=True, slots=True)
class Lognormal:
    """log X is normal with mean ``mu`` and standard deviation ``sigma``."""

    mu: float
    sigma: float

    @property
    def mean(self) -> float:
        """E[X]."""
        return math.exp(self.mu + 0.5 * self.sigma**2)

    @property
    def second_moment(self) -> float:
        """E[X^2]."""
        return math.exp(2.0 * self.mu + 2.0 * self.sigma**2)

    def _z(self, x: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray((np.log(x) - self.mu) / self.sigma)

    def cdf(self, x: Floats) -> Floats:
        """P(X <= x)."""
        return np.asarray(ndtr(self._z(x)))

    def limited_mean(self, x: Floats) -> Floats:
        """E[min(X, x)]."""
        z = self._z(x)
        return np.asarray(self.mean * ndtr(z - self.sigma) + x * ndtr(-z))


@dataclass(frozen=True, slots=True)
class Pareto:
    """P(X > x) = (scale / x)^index above ``scale``."""

    scale: float
    index: float

    @property
    def mean(self) -> float:
        """E[X]."""
        return self.index * self.scale / (self.index - 1.0) if self.index > 1.0 else math.inf

    @property
    def second_moment(self) -> float:
        """E[X^2]."""
        return self.index * self.scale**2 / (self.index - 2.0) if self.index > 2.0 else math.inf

    def cdf(self, x: Floats) -> Floats:
        """P(X <= x)."""
        return np.asarray(1.0 - (self.scale / np.maximum(x, self.scale)) ** self.index)

    def limited_mean(self, x: Floats) -> Floats:
        """E[min(X, x)] = scale + integral of P(X > t) from scale to x."""
        above = np.maximum(x, self.scale) / self.scale
        tail = np.log(above) if self.index == 1.0 else (above ** (1.0 - self.index) - 1.0) / (1.0 - self.index)
        return np.asarray(np.minimum(x, self.scale) + self.scale * tail)


@dataclass(frozen=True, slots=True)
class Mixture:
    """One of ``parts``, chosen with ``weights`` that sum to 1."""

    parts: tuple[Severity, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.parts) != len(self.weights) or min(self.weights) < 0.0 or abs(sum(self.weights) - 1.0) > 1e-9:
            raise ValueError("a mixture needs one weight for each part, and weights that sum to 1")

    @property
    def mean(self) -> float:
        """E[X]."""
        return sum(weight * part.mean for weight, part in zip(self.weights, self.parts, strict=True) if weight)

    @property
    def second_moment(self) -> float:
        """E[X^2]."""
        return sum(weight * part.second_moment for weight, part in zip(self.weights, self.parts, strict=True)
                   if weight)

    def cdf(self, x: Floats) -> Floats:
        """P(X <= x)."""
        return np.asarray(sum(weight * part.cdf(x) for weight, part in zip(self.weights, self.parts, strict=True)))

    def limited_mean(self, x: Floats) -> Floats:
        """E[min(X, x)]."""
        return np.asarray(sum(weight * part.limited_mean(x)
                              for weight, part in zip(self.weights, self.parts, strict=True)))


@dataclass(frozen=True, slots=True)
class Layer:
    """What of ``whole`` lies between ``retention`` and ``retention`` + ``limit``: min(max(X - r, 0), l).

    With a retention of 0 it is the loss capped at the limit; a limit may be infinite.
    """

    whole: Severity
    retention: float = 0.0
    limit: float = math.inf

    @property
    def mean(self) -> float:
        """E[X]."""
        below = float(self.whole.limited_mean(np.array([self.retention]))[0])
        if math.isinf(self.limit):
            return self.whole.mean - below
        return float(self.whole.limited_mean(np.array([self.retention + self.limit]))[0]) - below

    @property
    def second_moment(self) -> float:
        """E[X^2] = 2 integral of x P(X > x), by Simpson's rule on a geometric grid; of a whole loss its own."""
        if math.isinf(self.limit) and self.retention == 0.0:
            return self.whole.second_moment
        if math.isinf(self.limit):
            raise ValueError("the second moment of an unlimited excess is not known; give a limit")
        x = np.concatenate(([0.0], np.geomspace(1e-9, 1.0, 4001))) * self.limit
        means = self.limited_mean(x)
        # by parts: integral of 2 x S(x) dx = 2 (l m(l) - integral of m(x) dx), m the limited mean
        area = float((0.5 * (means[1:] + means[:-1]) * np.diff(x)).sum())
        return 2.0 * (self.limit * float(means[-1]) - area)

    def cdf(self, x: Floats) -> Floats:
        """P(X <= x)."""
        return np.where(x >= self.limit, 1.0, self.whole.cdf(np.asarray(x) + self.retention))

    def limited_mean(self, x: Floats) -> Floats:
        """E[min(X, x)]."""
        below = self.whole.limited_mean(np.array([self.retention]))[0]
        return np.asarray(self.whole.limited_mean(np.minimum(x, self.limit) + self.retention) - below)


def scaled(severity: Severity, factor: float) -> Severity:
    """The law of ``factor`` X."""
    if factor <= 0.0:
        raise ValueError(f"a loss cannot be scaled by {factor}")
    if isinstance(severity, Lognormal):
        return Lognormal(severity.mu + math.log(factor), severity.sigma)
    if isinstance(severity, Pareto):
        return Pareto(severity.scale * factor, severity.index)
    if isinstance(severity, Mixture):
        return Mixture(tuple(scaled(part, factor) for part in severity.parts), severity.weights)
    if isinstance(severity, Layer):
        return Layer(scaled(severity.whole, factor), severity.retention * factor, severity.limit * factor)
    if isinstance(severity, Empirical):
        return Empirical(severity.values * factor, severity.weights)
    raise TypeError(f"{type(severity).__name__} cannot be scaled")


def zero_inflated(zero_share: float, cv: float) -> Severity:
    """A member's year relative to its mean of 1: nothing with probability ``zero_share``, else lognormal, so that the
    whole has coefficient of variation ``cv``: exp(sigma^2) = (1 + cv^2) (1 - zero_share)."""
    growth = (1.0 + cv * cv) * (1.0 - zero_share)
    if growth <= 1.0:
        raise ValueError(f"a share of {zero_share} without cost has a coefficient of variation above {cv}")
    sigma = math.sqrt(math.log(growth))
    positive = Lognormal(-math.log(1.0 - zero_share) - 0.5 * sigma**2, sigma)
    return Mixture((Empirical([0.0]), positive), (zero_share, 1.0 - zero_share)) if zero_share else positive


def discretise(severity: Severity, step: float, points: int, method: Method = "local_moments") -> Floats:
    """Masses float64[points] at 0, step, 2 step, ...; what lies beyond the lattice is left out.

    ``local_moments``: f_0 = 1 - L(h)/h, f_j = (2 L(jh) - L((j-1)h) - L((j+1)h)) / h with L the limited mean, which
    keeps the mean. ``rounding``: f_0 = F(h/2), f_j = F((j + 1/2) h) - F((j - 1/2) h).
    """
    if step <= 0.0 or points < 2:
        raise ValueError(f"no lattice has {points} points of step {step}")
    if method == "rounding":
        edges = severity.cdf((np.arange(points, dtype=np.float64) + 0.5) * step)
        return np.maximum(np.diff(edges, prepend=0.0), 0.0)
    means = severity.limited_mean(np.arange(points + 1, dtype=np.float64) * step)
    masses = np.empty(points)
    masses[0] = 1.0 - means[1] / step
    masses[1:] = (2.0 * means[1:-1] - means[:-2] - means[2:]) / step
    return np.maximum(masses, 0.0)
