"""Bisection of the value at which a metric changes side."""

from types import SimpleNamespace

import pytest

from sim.batch import threshold
from sim.threshold_command import bounds


@pytest.fixture
def steep(monkeypatch):
    """A scenario that is its own value; the metric is 1 where the value reaches 0.137, with a seed's noise."""

    def run_batch(value, replications, variants, engine):
        return [SimpleNamespace(status="ok", metrics={"x": float(value + 0.001 * seed >= 0.137 + 0.0005)})
                for seed in range(replications)]

    monkeypatch.setattr(threshold, "run_batch", run_batch)
    return lambda value: value


def test_the_bracket_closes_on_the_crossing(steep):
    found = threshold.find_threshold(steep, 0.0, 1.0, "x", 0.5, 2, 10)
    assert found.low < 0.1365 <= found.high
    assert found.high - found.low == pytest.approx(1.0 / 1024)
    assert [one.value for one in found.tried] == sorted(one.value for one in found.tried)
    assert len(found.tried) == 12


def test_it_closes_where_the_metric_falls_too(steep, monkeypatch):
    rising = threshold.run_batch

    def falling(*arguments):
        return [SimpleNamespace(status="ok", metrics={"x": 1.0 - one.metrics["x"]}) for one in rising(*arguments)]

    monkeypatch.setattr(threshold, "run_batch", falling)
    assert threshold.find_threshold(steep, 0.0, 1.0, "x", 0.5, 2, 10).value == pytest.approx(0.137, abs=2e-3)


def test_ends_on_one_side_are_refused(steep):
    with pytest.raises(threshold.NoCrossing, match="in most runs at both"):
        threshold.find_threshold(steep, 0.5, 1.0, "x", 0.5, 2, 3)


def test_a_metric_that_most_runs_lack_is_refused(steep):
    with pytest.raises(threshold.NoCrossing, match="only 0 of 2"):
        threshold.find_threshold(steep, 0.0, 1.0, "y", 0.5, 2, 3)


def test_the_interval_is_read():
    assert bounds("a.b=0.01:0.3") == ("a.b", 0.01, 0.3)


@pytest.mark.parametrize("text", ["a.b=1", "a.b=2:1", "=0:1", "a=x:y"])
def test_a_wrong_interval_says_how_to_write_it(text):
    with pytest.raises(Exception, match="path=low:high"):
        bounds(text)
