"""Power of a two-sample test against textbook values, and the choice of a lot."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.research.study import best_lot, records_needed, two_sample_power, value_of_records

# Cohen 1988, table 2.4.1 and the usual planning formula: n per arm for a two-sided 5 % test
PER_ARM_BY_FORMULA = [(0.2, 0.80, 393), (0.5, 0.80, 63), (0.8, 0.80, 25), (0.2, 0.90, 526), (0.5, 0.90, 85),
                      (0.8, 0.90, 33), (0.5, 0.95, 104)]


@pytest.mark.parametrize(("effect", "power", "per_arm"), PER_ARM_BY_FORMULA)
def test_sample_size_is_the_textbook_one(effect, power, per_arm):
    assert records_needed(power, effect, 0.05) == 2 * per_arm
    assert two_sample_power(per_arm, effect, 0.05) >= power
    assert two_sample_power(per_arm - 1, effect, 0.05) < power


@pytest.mark.parametrize(("per_arm", "effect", "significance", "power"), [
    (64, 0.5, 0.05, 0.8074304),     # Phi(0.5 sqrt 32 - 1.959964) = Phi(0.868463)
    (63, 0.5, 0.05, 0.8013024),     # Phi(0.846265)
    (50, 0.4, 0.01, 0.2823677),     # Phi(2 - 2.575829), to which the wrong tail adds 2e-6
    (100, 0.3, 0.05, 0.5641160),    # Phi(0.161356), to which the wrong tail adds 2e-5
    (0, 0.5, 0.05, 0.05),           # without data, the level itself
    (1000, 0.0, 0.05, 0.05),        # without an effect too
])
def test_power_values(per_arm, effect, significance, power):
    assert two_sample_power(per_arm, effect, significance) == pytest.approx(power, abs=1e-6)


def test_power_is_what_trials_find():
    """Trials drawn from the assumed law find the effect as often as the formula says."""
    rng = np.random.default_rng(20)
    per_arm, effect, trials = 40, 0.5, 20_000
    treated, control = (rng.normal(mean, 1.0, (trials, per_arm)).mean(axis=1) for mean in (effect, 0.0))
    difference = treated - control
    critical = NormalDist().inv_cdf(0.975)
    found = np.mean(np.abs(difference) / np.sqrt(2.0 / per_arm) > critical)
    expected = two_sample_power(per_arm, effect, 0.05)
    assert found == pytest.approx(expected, abs=4.0 * np.sqrt(expected * (1 - expected) / trials))


def test_value_follows_the_rule():
    """V pi (power(n + dn) - power(n)) for 126 records after none: 1e6 x 0.1 x (0.8013 - 0.05)."""
    assert value_of_records(0, 126, 1e6, 0.1, 0.5, 0.05) == pytest.approx(75_130, abs=5)
    assert value_of_records(126, 0, 1e6, 0.1, 0.5, 0.05) == 0.0


def test_nothing_is_bought_when_it_does_not_pay():
    gain = value_of_records(0, 126, 1e6, 0.1, 0.5, 0.05)
    dear = (np.arange(1, 127) * 1.05 * gain / 90).tolist()
    assert best_lot(0, 126, dear, 1e6, 0.1, 0.5, 0.05) == 0
    assert best_lot(126, 126, [1.0] * 50, 1e6, 0.1, 0.5, 0.05) == 0
    assert best_lot(0, 126, [], 1e6, 0.1, 0.5, 0.05) == 0


def test_cheap_records_are_bought_up_to_the_target():
    assert best_lot(0, 126, np.arange(1, 400).tolist(), 1e6, 0.1, 0.5, 0.05) == 126
    assert best_lot(100, 126, np.arange(1, 400).tolist(), 1e6, 0.1, 0.5, 0.05) == 26
    assert best_lot(0, 126, np.arange(1, 31).tolist(), 1e6, 0.1, 0.5, 0.05) == 30


def test_a_whole_sample_may_pay_where_one_record_does_not():
    """A small effect: power starts flat, so the first record is worth less than its price."""
    price = 170.0
    assert value_of_records(0, 1, 1e6, 0.1, 0.2, 0.05) < price
    assert best_lot(0, 786, (np.arange(1, 787) * price * 0.5).tolist(), 1e6, 0.1, 0.2, 0.05) > 300


@given(st.integers(0, 300), st.floats(0.05, 2.0), st.floats(0.001, 0.2))
def test_power_is_a_probability_that_grows_with_data(per_arm, effect, significance):
    less, more = (two_sample_power(n, effect, significance) for n in (per_arm, per_arm + 1))
    assert significance - 1e-12 <= less <= more <= 1.0
