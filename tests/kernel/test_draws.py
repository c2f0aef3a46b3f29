"""Draws are functions of their name, uniform and independent, and alike in scalars, arrays and kernels."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from sim.kernel.columns import person_keys
from sim.kernel.compiled import kernel
from sim.kernel.draws import (
    Decision,
    Draws,
    agent_key,
    below,
    draw_bits,
    hits,
    lognormal,
    mix64,
    mix64_array,
    poisson,
    run_seed,
    to_unit,
    unit_exponential,
    unit_normal,
)

LONG = bool(os.environ.get("SALUS_LONG"))
N = 2_000_000 if LONG else 200_000
KEYS = person_keys(-1, N)
REJECT = 1e-6
"""Level of the statistical tests: the draws are fixed, so a test that passes once passes for ever."""


@pytest.fixture
def decision() -> Decision:
    return Draws(2024).decision("care.onset")


def uniform_p(u: Any, cells: int = 1000) -> float:
    return float(stats.chisquare(np.bincount((u * cells).astype(int), minlength=cells)).pvalue)


GOLDEN_STREAM = 16977996230754234561
GOLDEN_BITS = [2107683677878393917, 14430649115610511905, 7510677375958602122]
GOLDEN_AGENT = 13688718012847617702
GOLDEN_RUN = 2074263114872017432


# Names and seeds


def test_a_name_is_registered_once() -> None:
    draws = Draws(1)
    draws.decision("care.onset")
    with pytest.raises(ValueError, match="registered twice"):
        draws.decision("care.onset")
    assert [decision.name for decision in draws] == ["care.onset"]


def test_streams_depend_on_seed_and_name_only() -> None:
    one, two = Draws(1), Draws(1)
    two.decision("another one first")
    assert one.decision("a").stream == two.decision("a").stream
    streams = {Draws(seed).decision(name).stream for seed in range(50) for name in ("a", "b", "ab", "a b")}
    assert len(streams) == 200


def test_values_never_change() -> None:
    # Written down once: published results rest on them.
    decision = Draws(42).decision("care.onset")
    assert int(decision.stream) == GOLDEN_STREAM
    assert [int(bits) for bits in decision.bits(7, np.arange(3, dtype=np.uint64), 1)] == GOLDEN_BITS
    assert int(agent_key("POOL1")) == GOLDEN_AGENT
    assert run_seed(42, 0) == GOLDEN_RUN
    assert len({run_seed(master, replication) for master in range(30) for replication in range(30)}) == 900


def test_mix_is_a_bijection_of_known_values() -> None:
    # The second output of splitmix64 from state 0, as in the reference implementation by Vigna.
    assert mix64(np.uint64(0x9E3779B97F4A7C15)) == 0xE220A8397B1DCDAF
    assert mix64(np.uint64(0x3C6EF372FE94F82A)) == 0x6E789E6AA1B965F4
    words = np.random.default_rng(1).integers(0, 2**64, 1000, dtype=np.uint64)
    assert mix64_array(words).tolist() == [mix64(word) for word in words]


# Uniformity and independence


@pytest.mark.parametrize("keys", [KEYS, np.arange(N, dtype=np.uint64)], ids=["person keys", "small numbers"])
@pytest.mark.parametrize("where", ["over keys", "over days", "over serials"])
def test_uniform(decision: Decision, keys: Any, where: str) -> None:
    if where == "over keys":
        u = decision.uniform(0, keys)
    elif where == "over days":
        u = np.concatenate([decision.uniform(day, keys[:100]) for day in range(N // 100)])
    else:
        u = decision.uniform(0, np.full(N, keys[5]), np.arange(N))
    assert 0 < u.min() < u.max() < 1
    assert uniform_p(u) > REJECT
    assert stats.kstest(u, "uniform").pvalue > REJECT
    low = (u * 2**30) % 1  # the lower bits are as good
    assert uniform_p(low) > REJECT


def neighbours(decision: Decision) -> dict[str, tuple[Any, Any]]:
    small = np.arange(N, dtype=np.uint64)
    other = Draws(2025).decision("care.onset")
    return {
        "keys": (decision.uniform(3, small), decision.uniform(3, small + np.uint64(1))),
        "days": (decision.uniform(3, KEYS), decision.uniform(4, KEYS)),
        "serials": (decision.uniform(3, KEYS, 0), decision.uniform(3, KEYS, 1)),
        "day and serial": (decision.uniform(3, KEYS, 1), decision.uniform(4, KEYS, 0)),
        "seeds": (decision.uniform(3, KEYS), other.uniform(3, KEYS)),
        "first and later day": (decision.uniform(0, KEYS), decision.uniform(-1, KEYS)),
    }


@pytest.mark.parametrize(
    "which", ["keys", "days", "serials", "day and serial", "seeds", "first and later day"]
)
def test_neighbours_are_independent(decision: Decision, which: str) -> None:
    first, second = neighbours(decision)[which]
    table = np.histogram2d(first, second, bins=20, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(table.ravel()).pvalue > REJECT
    assert uniform_p((first + second) % 1) > REJECT
    assert uniform_p((first - second) % 1) > REJECT


def test_avalanche() -> None:
    # One changed input bit, wherever it is, flips each output bit half of the time.
    rng = np.random.default_rng(3)
    samples = 400
    for part in range(4):
        for bit in range(64):
            flips = np.zeros(64)
            for words in rng.integers(0, 2**63, (samples // 16, 4)).tolist():
                stream, day, key, n = words
                before = draw_bits(np.uint64(stream), day, np.uint64(key), n)
                words[part] ^= 1 << bit
                if part in (1, 3) and bit == 63:
                    words[part] -= 1 << 64
                stream, day, key, n = words
                changed = before ^ draw_bits(np.uint64(stream), day, np.uint64(key), n)
                flips += np.array([changed >> place & 1 for place in range(64)])
            assert 0.35 < flips.mean() / (samples // 16) < 0.65, (part, bit)


# Scalars, arrays and kernels agree


@kernel
def in_kernel(stream: Any, day: int, keys: Any, serials: Any, out: Any) -> None:
    for i in range(keys.size):
        bits = draw_bits(stream, day, keys[i], serials[i])
        u = to_unit(bits)
        out[0, i] = u
        out[1, i] = unit_normal(u)
        out[2, i] = unit_exponential(u)
        out[3, i] = lognormal(u, 1.5, 0.7)
        out[4, i] = poisson(u, 3.2)
        out[5, i] = hits(bits, 0.3)
        out[6, i] = below(bits, 1000)


def test_scalar_array_and_kernel_are_bit_equal(decision: Decision) -> None:
    keys, serials = KEYS[:2000], np.arange(2000) % 7
    out = np.empty((7, keys.size))
    in_kernel(decision.stream, 12, keys, serials, out)
    forms: list[Any] = [
        lambda k, n: decision.uniform(12, k, n),
        lambda k, n: decision.normal(12, k, n),
        lambda k, n: decision.exponential(12, k, n),
        lambda k, n: decision.lognormal(12, k, 1.5, 0.7, n),
        lambda k, n: decision.poisson(12, k, 3.2, n),
        lambda k, n: decision.bernoulli(12, k, 0.3, n),
        lambda k, n: decision.integers(12, k, 1000, n),
    ]
    for row, form in zip(out, forms, strict=True):
        array = form(keys, serials)
        assert np.array_equal(row, array)
        for i in (0, 1, 500, 1999):
            value = form(int(keys[i]), int(serials[i]))
            assert value == array[i]
            assert isinstance(value, (bool, int, float))
            assert not isinstance(value, np.generic)
    assert decision.bits(12, keys, serials)[3] == decision.bits(12, keys[3], int(serials[3]))


def test_parameters_can_be_arrays(decision: Decision) -> None:
    keys = KEYS[:6]
    p = np.array([0.0, 1.0, 0.5, 0.2, 0.9, 1.0])
    one_by_one = [decision.bernoulli(1, int(key), x) for key, x in zip(keys, p, strict=True)]
    assert decision.bernoulli(1, keys, p).tolist() == one_by_one
    mean = np.linspace(0.5, 300, 6)
    assert decision.poisson(1, keys, mean).tolist() == [
        decision.poisson(1, int(key), x) for key, x in zip(keys, mean, strict=True)
    ]
    with pytest.raises(ValueError, match="2 values for 6"):
        decision.bernoulli(1, keys, p[:2])
    with pytest.raises(ValueError, match="not a number"):
        decision.bernoulli(1, keys, np.nan)
    with pytest.raises(ValueError, match="high >= 1"):
        decision.integers(1, keys, 0)
    with pytest.raises(ValueError, match="serials"):
        decision.uniform(1, keys, [1, 2])


def test_no_keys_no_draws(decision: Decision) -> None:
    none = np.empty(0, dtype=np.uint64)
    assert decision.uniform(1, none).size == 0
    assert decision.lognormal(1, none, 0.0, 1.0).size == 0
    assert decision.order(1, none).size == 0


# Distributions


def test_unit_is_inside_the_open_interval() -> None:
    assert 0 < to_unit(np.uint64(0)) < 1e-15
    assert 1 - 1e-15 < to_unit(np.uint64(2**64 - 1)) < 1
    assert to_unit(np.uint64(2**63)) == pytest.approx(0.5, abs=1e-15)


def test_normal_quantile_against_scipy() -> None:
    u = np.concatenate([10.0 ** -np.arange(1, 300, 3), np.linspace(0.0005, 0.9995, 4000), 1 - 2.0 ** -np.arange(1, 53)])
    u = u[u != 0.5]
    ours = np.array([unit_normal(float(x)) for x in u])
    assert np.abs(ours / special.ndtri(u) - 1).max() < 1e-13
    assert unit_normal(0.5) == 0


def test_normal_exponential_lognormal(decision: Decision) -> None:
    assert stats.kstest(decision.normal(1, KEYS), "norm").pvalue > REJECT
    assert stats.kstest(decision.exponential(1, KEYS), "expon").pvalue > REJECT
    costs = decision.lognormal(1, KEYS, 2.0, 0.5)
    assert stats.kstest(np.log(costs), "norm", args=(2.0, 0.5)).pvalue > REJECT
    u = decision.uniform(1, KEYS)
    assert np.allclose(decision.exponential(1, KEYS), -np.log1p(-u), rtol=1e-15)


def test_bernoulli(decision: Decision) -> None:
    assert not decision.bernoulli(1, KEYS, 0.0).any()
    assert not decision.bernoulli(1, KEYS, -0.5).any()
    assert decision.bernoulli(1, KEYS, 1.0).all()
    assert decision.bernoulli(1, KEYS, 1.5).all()
    rare, common = decision.bernoulli(1, KEYS, 0.01), decision.bernoulli(1, KEYS, 0.011)
    assert stats.binomtest(int(rare.sum()), N, 0.01).pvalue > REJECT
    assert (rare <= common).all()  # a higher probability only adds events
    assert (rare == (decision.uniform(1, KEYS) < 0.01)).all()
    assert hits(np.uint64(0), 1e-15)
    assert not hits(np.uint64(2**64 - 1), 1 - 1e-15)


@pytest.mark.parametrize("mean", [0.01, 0.7, 5.0, 40.0, 99.9, 100.1, 1000.0, 123456.7])
def test_poisson_is_the_quantile(mean: float) -> None:
    for u in (1e-15, 1e-9, 0.001, 0.1, 0.3, 0.5, 0.77, 0.99, 0.999999, 1 - 1e-12):
        k = poisson(u, mean)
        assert stats.poisson.cdf(k, mean) >= u - 1e-9
        assert stats.poisson.cdf(k - 1, mean) <= u + 1e-9


def test_poisson_edges(decision: Decision) -> None:
    assert poisson(0.999, 0.0) == 0
    assert poisson(0.999, -1.0) == 0
    assert 100 < poisson(1 - 2.0**-53, 40.0) < 200  # the end of the sum in floating point, not an endless loop
    draws = decision.poisson(1, KEYS, 2.5)
    counts = np.bincount(np.minimum(draws, 9), minlength=10)
    wanted = np.append(stats.poisson.pmf(range(9), 2.5), stats.poisson.sf(8, 2.5)) * N
    assert stats.chisquare(counts, wanted).pvalue > REJECT


def test_integers(decision: Decision) -> None:
    draws = decision.integers(1, KEYS, 7)
    assert stats.chisquare(np.bincount(draws, minlength=7)).pvalue > REJECT
    assert below(np.uint64(2**64 - 1), 2**63 - 1) == 2**63 - 2
    assert below(np.uint64(0), 5) == 0
    assert set(decision.integers(1, KEYS[:50], 1).tolist()) == {0}


# Order


def test_order_is_a_uniform_permutation(decision: Decision) -> None:
    order = decision.order(1, KEYS)
    assert np.array_equal(np.sort(order), np.arange(N))
    firsts = [int(decision.order(day, KEYS[:6])[0]) for day in range(6000)]
    assert stats.chisquare(np.bincount(firsts, minlength=6)).pvalue > REJECT


def test_one_more_agent_moves_nobody_else(decision: Decision) -> None:
    few = [int(KEYS[i]) for i in decision.order(5, KEYS[:100])]
    more_keys = np.concatenate([KEYS[500:501], KEYS[:100]])
    more = [int(more_keys[i]) for i in decision.order(5, more_keys)]
    assert [key for key in more if key != int(KEYS[500])] == few


def test_equal_keys_keep_their_positions(decision: Decision) -> None:
    keys = np.tile(KEYS[:3], 1000)
    order = decision.order(5, keys)
    for i in range(3):
        own = order[order % 3 == i]
        assert own.tolist() == sorted(own.tolist())
