"""The total of a random number of losses: its distribution by Panjer's recursion and by the fast Fourier transform.

Holds no money; an insurer's own capital model and reinsurance prices stand on it. Both ways start from a severity on a
lattice (:mod:`severity`) and a number of losses of the (a, b, 0) class, and must agree.

Panjer (1981): p_s = 1/(1 - a f_0) sum_j (a + b j/s) f_j p_(s-j).
FFT: p = inverse FFT of P(FFT f), P the generating function of the number. A lattice of n points is circular: what lies
beyond it would be wrapped round. With exponential tilting, f_j e^(-t j) goes in and p_s e^(t s) comes out, which makes
the wrapped mass e^(-t n) times smaller (Gruebel and Hermesmeier 1999).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sim.contracts.insurance.severity import Floats, Method, Severity, discretise

Complex = NDArray[np.complex128]

TILT = 10.0
"""Tilt times points: wrapped mass, which the lattice keeps below one per cent, shrinks by e^-10 more, and rounding
errors of 1e-16 grow to 2e-12 at the far end."""

SMALLEST_START = 1e-300
"""Panjer's recursion starts from the probability of a total of 0, which must be a number that a float can hold."""


class Count(Protocol):
    """Law of the number of losses, of the (a, b, 0) class."""

    @property
    def mean(self) -> float:
        """E[N]."""
        ...

    @property
    def variance(self) -> float:
        """Var[N]."""
        ...

    @property
    def ab(self) -> tuple[float, float]:
        """a and b of P(N = n) = (a + b / n) P(N = n - 1)."""
        ...

    def generating(self, z: Complex) -> Complex:
        """E[z^N], complex128 of the same shape."""
        ...


@dataclass(frozen=True, slots=True)
class Poisson:
    """Independent losses at a constant rate: ``mean`` of them in the period."""

    mean: float

    @property
    def variance(self) -> float:
        """Var[N]."""
        return self.mean

    @property
    def ab(self) -> tuple[float, float]:
        """(0, mean)."""
        return 0.0, self.mean

    def generating(self, z: Complex) -> Complex:
        """exp(mean (z - 1))."""
        return np.exp(self.mean * (z - 1.0))


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """A Poisson number whose rate is gamma distributed with mean ``mean`` and variance mean^2 / ``shape``."""

    mean: float
    shape: float

    @property
    def variance(self) -> float:
        """Var[N]."""
        return self.mean + self.mean**2 / self.shape

    @property
    def ab(self) -> tuple[float, float]:
        """With q = mean / (mean + shape): (q, (shape - 1) q)."""
        q = self.mean / (self.mean + self.shape)
        return q, (self.shape - 1.0) * q

    def generating(self, z: Complex) -> Complex:
        """(1 - (mean / shape) (z - 1))^-shape."""
        return np.asarray((1.0 - self.mean / self.shape * (z - 1.0)) ** -self.shape, dtype=np.complex128)


@dataclass(frozen=True, slots=True)
class Binomial:
    """``trials`` of which each brings a loss with ``probability``; with probability 1 a fixed number of losses."""

    trials: int
    probability: float = 1.0

    @property
    def mean(self) -> float:
        """E[N]."""
        return self.trials * self.probability

    @property
    def variance(self) -> float:
        """Var[N]."""
        return self.mean * (1.0 - self.probability)

    @property
    def ab(self) -> tuple[float, float]:
        """(-p / (1 - p), (trials + 1) p / (1 - p)); ZeroDivisionError for a fixed number."""
        odds = self.probability / (1.0 - self.probability)
        return -odds, (self.trials + 1) * odds

    def generating(self, z: Complex) -> Complex:
        """(1 + p (z - 1))^trials."""
        return np.asarray((1.0 + self.probability * (z - 1.0)) ** self.trials, dtype=np.complex128)


@dataclass(frozen=True, slots=True)
class AggregateLoss:
    """Law of the total on a lattice: ``masses`` float64[n] at 0, ``step``, 2 ``step``, ...; ``mean`` exactly."""

    step: float
    masses: Floats
    mean: float

    @property
    def grid(self) -> Floats:
        """The lattice's points, float64[n]."""
        return np.arange(self.masses.size, dtype=np.float64) * self.step

    @property
    def survival(self) -> Floats:
        """P(S > x) at each point, float64[n]."""
        return np.maximum(1.0 - np.cumsum(self.masses), 0.0)

    def quantile(self, probability: float) -> float:
        """VaR: the least point at which the distribution function reaches ``probability``; ValueError beyond the
        lattice."""
        place = int(np.searchsorted(np.cumsum(self.masses), probability - 1e-12))
        if place == self.masses.size:
            raise ValueError(f"the {probability:.4%} quantile lies beyond a lattice that ends at {self.grid[-1]:g}")
        return place * self.step

    def stop_loss(self, retention: float) -> float:
        """E[max(S - retention, 0)] = mean - E[min(S, retention)]: the pure premium of a stop-loss cover."""
        place = min(int(retention / self.step), self.masses.size - 1)
        survival = self.survival
        limited = self.step * float(survival[:place].sum()) + (retention - place * self.step) * float(survival[place])
        return max(self.mean - limited, 0.0)

    def tail_mean(self, probability: float) -> float:
        """TVaR: the mean of the worst 1 - ``probability`` of outcomes, VaR + stop loss at VaR / (1 - probability)."""
        quantile = self.quantile(probability)
        return quantile + self.stop_loss(quantile) / (1.0 - probability)


def panjer(count: Count, severity: Floats, points: int) -> Floats:
    """Masses of the total, float64[points], by Panjer's recursion; ``severity`` float64[m] on the same lattice.

    ValueError where the probability of a total of 0 is too small to start from, or where more than half of all members
    have a claim (a < -1: rounding errors then grow at each step). Such books are for :func:`by_fft`.
    """
    a, b = count.ab
    if a < -1.0:
        raise ValueError(f"the recursion is unstable where a is {a:g}, below -1")
    start = float(count.generating(np.array([complex(severity[0])]))[0].real)
    if not start > SMALLEST_START:
        raise ValueError(f"a total of 0 has probability {start:g}, too small for the recursion to start from")
    totals = np.zeros(points)
    totals[0] = start
    scale = 1.0 / (1.0 - a * severity[0])
    j = np.arange(1, severity.size)
    weighted = j * severity[1:]
    for s in range(1, points):
        reach = min(s, severity.size - 1)
        back = totals[s - reach:s][::-1]
        totals[s] = scale * (a * (severity[1:reach + 1] @ back) + b / s * (weighted[:reach] @ back))
    return totals


def by_fft(count: Count, severity: Floats, points: int, tilt: float = TILT) -> Floats:
    """Masses of the total, float64[points], by the fast Fourier transform with exponential tilting.

    ``tilt`` is over the whole lattice; 0 wraps what lies beyond it.
    """
    factors = np.exp(-tilt / points * np.arange(points))
    padded = np.zeros(points)
    kept = min(points, severity.size)
    padded[:kept] = severity[:kept] * factors[:kept]
    transformed = np.asarray(count.generating(fft.rfft(padded)))
    return np.maximum(fft.irfft(transformed, points) / factors, 0.0)


def moments(count: Count, severity: Severity) -> tuple[float, float]:
    """(mean, standard deviation) of the total: E[N] E[X], Var = E[N] Var[X] + Var[N] E[X]^2."""
    mean = severity.mean
    variance = count.mean * (severity.second_moment - mean * mean) + count.variance * mean * mean
    return count.mean * mean, math.sqrt(max(variance, 0.0))


def lattice(count: Count, severity: Severity, tolerance: float, probability: float) -> tuple[float, int]:
    """(step, points): steps of ``tolerance`` standard deviations, as far as the quantile of ``probability`` can lie.

    By Cantelli's inequality no law has it beyond mean + sd sqrt(p / (1 - p)). ValueError without a variance.
    """
    mean, sd = moments(count, severity)
    if not (math.isfinite(sd) and sd > 0.0):
        raise ValueError("a lattice by tolerance needs a total with a finite variance above 0")
    step = tolerance * sd
    reach = mean + sd * math.sqrt(probability / (1.0 - probability))
    return step, int(fft.next_fast_len(math.ceil(reach / step) + 2, real=True))


def aggregate(
    count: Count, severity: Severity, tolerance: float = 1e-3, probability: float = 0.995,
    method: Method = "local_moments",
) -> AggregateLoss:
    """Law of the total, by FFT on a lattice fine and long enough for its quantile of ``probability``."""
    step, points = lattice(count, severity, tolerance, probability)
    masses = by_fft(count, discretise(severity, step, points, method), points)
    return AggregateLoss(step, masses, moments(count, severity)[0])
