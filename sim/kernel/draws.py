"""Random numbers by name: a draw is a function of (seed, decision, day, key, n), not of what was drawn before.

``key`` is the permanent key of a person or agent, never a storage slot; ``n`` numbers repeated draws of one agent on
one day. Hence switching a mechanism on, or adding one more agent, changes nobody else's luck, and two scenarios with
one seed stay paired draw by draw. The bits come from a counter hash: the finaliser of splitmix64 (Steele, Lea and
Flood 2014; Stafford's variant 13) applied as each of day, key and n is mixed in. A distribution is its quantile at
the uniform, so that it moves monotonically with its parameters. Each distribution is written once, compiled;
scalars, arrays and kernels agree bit for bit.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.kernel.compiled import kernel, kernel_for
from sim.kernel.limbs import multiply_wide

_DAY = np.uint64(0x9E3779B97F4A7C15)
_SERIAL = np.uint64(0xD1342543DE82EF95)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S12, _S11 = (np.uint64(shift) for shift in (30, 27, 31, 12, 11))
_UNIT = 2.0**-52


def _hash64(*parts: str) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest(), "little")


def agent_key(name: str) -> np.uint64:
    """The permanent key of an institution or another named agent."""
    return np.uint64(_hash64("agent", name))


def run_seed(master: int, replication: int) -> int:
    """The seed of one run out of a batch."""
    return _hash64("run", str(int(master)), str(int(replication)))


@kernel_for("uint64(uint64)")
def mix64(x: np.uint64) -> np.uint64:
    """A bijection of 64-bit words in which each input bit flips each output bit half the time."""
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return x ^ (x >> _S31)


def mix64_array(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """:func:`mix64` of each element."""
    words = (words ^ (words >> _S30)) * _M1
    words = (words ^ (words >> _S27)) * _M2
    return words ^ (words >> _S31)


@kernel_for("uint64(uint64, int64, uint64, int64)")
def draw_bits(stream: np.uint64, day: int, key: np.uint64, n: int) -> np.uint64:
    """64 random bits for one draw of decision ``stream``."""
    start = mix64(stream + np.uint64(day) * _DAY)
    return mix64(mix64(start ^ key) + np.uint64(n) * _SERIAL)


@kernel_for("float64(uint64)")
def to_unit(bits: np.uint64) -> float:
    """A uniform strictly between 0 and 1, from the upper 52 bits."""
    return (np.float64(bits >> _S12) + 0.5) * _UNIT


@kernel_for("boolean(uint64, float64)")
def hits(bits: np.uint64, p: float) -> bool:
    """Whether an event of probability ``p`` happens: an integer comparison, never for p <= 0, always for p >= 1."""
    if p >= 1.0:
        return True
    return p > 0.0 and bool((bits >> _S11) < np.uint64(p * 9007199254740992.0))


@kernel_for("int64(uint64, int64)")
def below(bits: np.uint64, high: int) -> int:
    """A whole number from 0 to ``high`` - 1, by multiplication (bias below high / 2**64)."""
    return int(multiply_wide(bits, np.uint64(high))[0])


@kernel_for("float64(float64)")
def unit_normal(u: float) -> float:
    """Quantile of the standard normal distribution at ``u`` in (0, 1): Wichura 1988, AS 241, PPND16 (error 1e-16)."""
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return (
            q
            * (((((((2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r + 6.7265770927008700853e4) * r
                + 4.5921953931549871457e4) * r + 1.3731693765509461125e4) * r + 1.9715909503065514427e3) * r
                + 1.3314166789178437745e2) * r + 3.3871328727963666080e0)
            / (((((((5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r + 3.9307895800092710610e4) * r
                + 2.1213794301586595867e4) * r + 5.3941960214247511077e3) * r + 6.8718700749205790830e2) * r
                + 4.2313330701600911252e1) * r + 1.0)
        )
    r = math.sqrt(-math.log(u if q < 0.0 else 1.0 - u))
    if r <= 5.0:
        r -= 1.6
        value = (
            (((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r
              + 1.27045825245236838258e0) * r + 3.64784832476320460504e0) * r + 5.76949722146069140550e0) * r
              + 4.63033784615654529590e0) * r + 1.42343711074968357734e0)
            / (((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r
                + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1) * r + 1.67638483018380384940e0) * r
                + 2.05319162663775882187e0) * r + 1.0)
        )
    else:
        r -= 5.0
        value = (
            (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r
              + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580e0) * r
              + 5.46378491116411436990e0) * r + 6.65790464350110377720e0)
            / (((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r
                + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r
                + 5.99832206555887937690e-1) * r + 1.0)
        )
    return -value if q < 0.0 else value


@kernel_for("float64(float64)")
def unit_exponential(u: float) -> float:
    """Quantile of the exponential distribution with mean 1."""
    return -math.log1p(-u)


@kernel_for("float64(float64, float64, float64)")
def lognormal(u: float, mu: float, sigma: float) -> float:
    """Quantile of exp(N(mu, sigma**2))."""
    return math.exp(mu + sigma * unit_normal(u))


@kernel_for("int64(float64, float64)")
def poisson(u: float, mean: float) -> int:
    """Quantile of the Poisson distribution; summation starts ten deviations below the mean (mass below 1e-20)."""
    if not mean > 0.0:
        return 0
    k = 0 if mean < 100.0 else int(mean - 10.0 * math.sqrt(mean))
    term = math.exp(k * math.log(mean) - mean - math.lgamma(k + 1.0))
    total = term
    last = mean + 20.0 * math.sqrt(mean) + 60.0  # beyond it the sum no longer grows in floating point
    while total < u and k < last:
        k += 1
        term *= mean / k
        total += term
    return k


@kernel
def _fill_bits(stream: np.uint64, day: int, keys: Any, serials: Any, out: Any) -> None:
    start = mix64(stream + np.uint64(day) * _DAY)
    if serials.size == 1:
        serial = np.uint64(serials[0]) * _SERIAL
        for i in range(keys.size):
            out[i] = mix64(mix64(start ^ keys[i]) + serial)
    else:
        for i in range(keys.size):
            out[i] = mix64(mix64(start ^ keys[i]) + np.uint64(serials[i]) * _SERIAL)


@kernel
def _fill_units(bits: Any, out: Any) -> None:
    for i in range(bits.size):
        out[i] = to_unit(bits[i])


@kernel
def _fill_normals(bits: Any, out: Any) -> None:
    for i in range(bits.size):
        out[i] = unit_normal(to_unit(bits[i]))


@kernel
def _fill_exponentials(bits: Any, out: Any) -> None:
    for i in range(bits.size):
        out[i] = unit_exponential(to_unit(bits[i]))


@kernel
def _fill_lognormals(bits: Any, mu: Any, sigma: Any, out: Any) -> None:
    for i in range(bits.size):
        out[i] = lognormal(to_unit(bits[i]), mu[i % mu.size], sigma[i % sigma.size])


@kernel
def _fill_poissons(bits: Any, mean: Any, out: Any) -> None:
    for i in range(bits.size):
        out[i] = poisson(to_unit(bits[i]), mean[i % mean.size])


@kernel
def _fill_hits(bits: Any, p: Any, out: Any) -> None:
    if p.size == 1:
        for i in range(bits.size):
            out[i] = hits(bits[i], p[0])
    else:
        for i in range(bits.size):
            out[i] = hits(bits[i], p[i])


@kernel
def _fill_below(bits: Any, high: Any, out: Any) -> None:
    for i in range(bits.size):
        out[i] = below(bits[i], high[i % high.size])


def _parameter(value: ArrayLike, size: int, name: str, dtype: Any = np.float64) -> NDArray[Any]:
    """A parameter as an array of one or of ``size`` elements; not a number is refused."""
    if isinstance(value, float) and value == value and dtype is np.float64:
        return np.array([value])
    array = np.ascontiguousarray(value, dtype=dtype).reshape(-1)
    if array.size not in (1, size):
        raise ValueError(f"{name} has {array.size} values for {size} draws")
    if dtype is np.float64 and np.isnan(array).any():
        raise ValueError(f"{name} is not a number")
    return array


class Decision:
    """One named source of randomness. Every method takes the day, the keys and, as last argument, the serial ``n``.

    ``keys`` is uint64[m] (the answer is an array of m) or one int (the answer is a scalar); ``n`` is one int or
    int64[m]; parameters are scalars or arrays of m.
    """

    __slots__ = ("name", "stream")

    def __init__(self, name: str, stream: np.uint64) -> None:
        self.name = name
        self.stream = stream

    def _bits(self, day: int, keys: Any, n: ArrayLike) -> tuple[NDArray[np.uint64], bool]:
        if isinstance(keys, np.ndarray) and keys.ndim:
            scalar, column = False, np.ascontiguousarray(keys, dtype=np.uint64)
        else:
            scalar = np.ndim(keys) == 0
            column = np.ascontiguousarray([int(keys)] if scalar else keys, dtype=np.uint64)
        serials = np.ascontiguousarray(n, dtype=np.int64).reshape(-1)
        if serials.size != 1 and serials.size != column.size:
            raise ValueError(f"{self.name}: {serials.size} serials for {column.size} keys")
        out = np.empty(column.size, dtype=np.uint64)
        _fill_bits(self.stream, int(day), column, serials, out)
        return out, scalar

    def bits(self, day: int, keys: Any, n: ArrayLike = 0) -> Any:
        """uint64: the raw bits."""
        out, scalar = self._bits(day, keys, n)
        return out[0] if scalar else out

    def uniform(self, day: int, keys: Any, n: ArrayLike = 0) -> Any:
        """float64 strictly between 0 and 1."""
        bits, scalar = self._bits(day, keys, n)
        out = np.empty(bits.size)
        _fill_units(bits, out)
        return float(out[0]) if scalar else out

    def normal(self, day: int, keys: Any, n: ArrayLike = 0) -> Any:
        """float64, standard normal."""
        bits, scalar = self._bits(day, keys, n)
        out = np.empty(bits.size)
        _fill_normals(bits, out)
        return float(out[0]) if scalar else out

    def exponential(self, day: int, keys: Any, n: ArrayLike = 0) -> Any:
        """float64, exponential with mean 1."""
        bits, scalar = self._bits(day, keys, n)
        out = np.empty(bits.size)
        _fill_exponentials(bits, out)
        return float(out[0]) if scalar else out

    def lognormal(self, day: int, keys: Any, mu: ArrayLike, sigma: ArrayLike, n: ArrayLike = 0) -> Any:
        """float64, exp of a normal with mean ``mu`` and deviation ``sigma``."""
        bits, scalar = self._bits(day, keys, n)
        out = np.empty(bits.size)
        _fill_lognormals(bits, _parameter(mu, bits.size, "mu"), _parameter(sigma, bits.size, "sigma"), out)
        return float(out[0]) if scalar else out

    def poisson(self, day: int, keys: Any, mean: ArrayLike, n: ArrayLike = 0) -> Any:
        """int64, Poisson with that mean."""
        bits, scalar = self._bits(day, keys, n)
        out = np.empty(bits.size, dtype=np.int64)
        _fill_poissons(bits, _parameter(mean, bits.size, "mean"), out)
        return int(out[0]) if scalar else out

    def bernoulli(self, day: int, keys: Any, p: ArrayLike, n: ArrayLike = 0) -> Any:
        """bool, true with probability ``p`` (an integer comparison of the bits)."""
        bits, scalar = self._bits(day, keys, n)
        out = np.empty(bits.size, dtype=np.bool_)
        _fill_hits(bits, _parameter(p, bits.size, "p"), out)
        return bool(out[0]) if scalar else out

    def integers(self, day: int, keys: Any, high: ArrayLike, n: ArrayLike = 0) -> Any:
        """int64 from 0 to ``high`` - 1, all equally likely."""
        bits, scalar = self._bits(day, keys, n)
        bound = _parameter(high, bits.size, "high", np.int64)
        if bound.size and bound.min() < 1:
            raise ValueError(f"{self.name}: integers needs high >= 1")
        out = np.empty(bits.size, dtype=np.int64)
        _fill_below(bits, bound, out)
        return int(out[0]) if scalar else out

    def order(self, day: int, keys: Any, n: ArrayLike = 0) -> NDArray[np.int64]:
        """int64 positions of ``keys`` in a shuffled order; one more agent moves nobody else. Ties go by position."""
        return np.argsort(self._bits(day, keys, n)[0], kind="stable")


class Draws:
    """The decisions of one run. A name can be registered once: two users of one stream would be correlated."""

    def __init__(self, seed: int) -> None:
        self.seed = int(seed)
        self._decisions: dict[str, Decision] = {}

    def decision(self, name: str) -> Decision:
        """Register ``name`` and return its source of randomness; ValueError where it is registered already."""
        if name in self._decisions:
            raise ValueError(f"decision {name!r} is registered twice")
        decision = Decision(name, np.uint64(_hash64("decision", str(self.seed), name)))
        self._decisions[name] = decision
        return decision

    def __iter__(self) -> Iterator[Decision]:
        return iter(self._decisions.values())
