"""Aggregate losses: two ways that agree, moments that are exact, risk measures in order."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.contracts.insurance.aggregate_loss import (
    AggregateLoss,
    Binomial,
    Count,
    NegativeBinomial,
    Poisson,
    aggregate,
    by_fft,
    moments,
    panjer,
)
from sim.contracts.insurance.severity import (
    Empirical,
    Layer,
    Lognormal,
    Mixture,
    Pareto,
    Severity,
    discretise,
    scaled,
    zero_inflated,
)

counts: st.SearchStrategy[Count] = st.one_of(
    st.builds(Poisson, st.floats(0.1, 40.0)),
    st.builds(NegativeBinomial, st.floats(0.1, 20.0), st.floats(0.5, 20.0)),
    st.builds(Binomial, st.integers(1, 40), st.floats(0.05, 0.9)))
lattices = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=12).filter(lambda row: sum(row) > 0.1).map(
    lambda row: np.array(row) / sum(row))
severities: st.SearchStrategy[Severity] = st.one_of(
    st.builds(Lognormal, st.floats(-1.0, 1.0), st.floats(0.3, 1.5)),
    st.builds(lambda values: Empirical([*values, 1.0, 2.0]), st.lists(st.floats(0.0, 20.0), max_size=20)),
    st.builds(zero_inflated, st.floats(0.0, 0.6), st.floats(1.5, 5.0)))


@given(counts, lattices)
def test_both_ways_agree_and_their_mass_and_mean_are_right(count: Count, severity: np.ndarray) -> None:
    points = 4096
    two = by_fft(count, severity, points)
    if count.ab[0] < -1.0:
        with pytest.raises(ValueError, match="unstable"):
            panjer(count, severity, 1024)
    else:
        assert panjer(count, severity, 1024) == pytest.approx(two[:1024], abs=1e-9)
    assert two.sum() == pytest.approx(1.0, abs=1e-6)
    mean = count.mean * float(severity @ np.arange(severity.size))
    assert float(two @ np.arange(points)) == pytest.approx(mean, rel=1e-5, abs=1e-6)


def test_tilting_keeps_the_wrapped_tail_out() -> None:
    severity = discretise(Lognormal(0.0, 2.0), 0.1, 1 << 16)
    exact = by_fft(Poisson(5.0), severity, 1 << 18)
    short = 1024
    assert by_fft(Poisson(5.0), severity, short)[:512] == pytest.approx(exact[:512], abs=1e-7)
    assert np.abs(by_fft(Poisson(5.0), severity, short, tilt=0.0)[:512] - exact[:512]).max() > 1e-5


@given(severities, st.floats(0.01, 0.2))
def test_local_moments_keep_mass_and_mean(severity: Severity, step: float) -> None:
    reach = Layer(severity, limit=60.0)
    masses = discretise(reach, step, round(60.0 / step) + 3)
    assert masses.sum() == pytest.approx(1.0, abs=1e-9)
    assert float(masses @ np.arange(masses.size)) * step == pytest.approx(reach.mean, rel=1e-9)
    rounded = discretise(reach, step, round(60.0 / step) + 3, "rounding")
    assert rounded.sum() == pytest.approx(1.0, abs=1e-9)
    assert float(rounded @ np.arange(masses.size)) * step == pytest.approx(reach.mean, abs=step)


@settings(max_examples=40)
@given(counts, severities)
def test_risk_measures_are_in_order(count: Count, severity: Severity) -> None:
    loss = aggregate(count, severity, 2e-3)
    levels = (0.5, 0.9, 0.95, 0.99, 0.995)
    quantiles, tails = [loss.quantile(level) for level in levels], [loss.tail_mean(level) for level in levels]
    assert quantiles == sorted(quantiles)
    assert tails == sorted(tails)
    assert all(tail >= quantile for tail, quantile in zip(tails, quantiles, strict=True))
    premiums = [loss.stop_loss(x) for x in np.linspace(0.0, quantiles[-1], 30)]
    assert premiums[0] == pytest.approx(loss.mean, rel=1e-6)
    assert all(later <= earlier + 1e-9 * loss.mean for earlier, later in pairwise(premiums))


def test_moments_of_a_total() -> None:
    mean, sd = moments(NegativeBinomial(10.0, 5.0), Lognormal(0.0, 0.5))
    x, v = math.exp(0.125), math.exp(0.25) * (math.exp(0.25) - 1.0)
    assert mean == pytest.approx(10.0 * x)
    assert sd == pytest.approx(math.sqrt(10.0 * v + 30.0 * x * x))


def test_a_fixed_number_of_losses_is_a_power() -> None:
    severity = np.array([0.2, 0.5, 0.3])
    assert by_fft(Binomial(3), severity, 64)[:7] == pytest.approx(
        np.convolve(np.convolve(severity, severity), severity), abs=1e-12)


def test_a_book_too_large_for_the_recursion_says_so() -> None:
    with pytest.raises(ValueError, match="too small for the recursion"):
        panjer(Poisson(1000.0), np.array([0.0, 1.0]), 10)
    assert by_fft(Poisson(1000.0), np.array([0.0, 1.0]), 4096).sum() == pytest.approx(1.0)


def test_beyond_the_lattice_there_is_no_quantile() -> None:
    with pytest.raises(ValueError, match="beyond a lattice"):
        AggregateLoss(1.0, np.array([0.5, 0.3]), 1.0).quantile(0.9)


@pytest.mark.parametrize("severity", [Lognormal(0.2, 0.8), Pareto(1.0, 1.5), zero_inflated(0.3, 2.0),
                                      Empirical([0.0, 1.0, 4.0], [1.0, 2.0, 1.0])])
def test_layers_and_scales_by_numbers(severity: Severity) -> None:
    layer = scaled(Layer(severity, retention=0.5, limit=3.0), 2.0)
    x = np.linspace(0.0, 6.0, 200_001)
    survival = 1.0 - layer.cdf(x)
    area = float(((survival[1:] + survival[:-1]) * np.diff(x)).sum() / 2.0)
    assert layer.mean == pytest.approx(area, abs=1e-4)
    second = 2.0 * float(((x * survival)[1:] * np.diff(x)).sum())
    assert layer.second_moment == pytest.approx(second, rel=1e-3)


def test_a_mixture_has_the_moments_of_its_parts() -> None:
    law = Mixture((Empirical([0.0]), Lognormal(7.5225, 1.6313)), (0.1333, 0.8667))
    assert law.mean == pytest.approx(6063.13, rel=1e-4)
    assert math.sqrt(law.second_moment / law.mean**2 - 1.0) == pytest.approx(3.93846, rel=1e-3)
    with pytest.raises(ValueError, match="sum to 1"):
        Mixture((Empirical([0.0]),), (0.5,))
