"""The spliced severity: continuous at the join, with the mean that is used to scale it."""

from __future__ import annotations

import numpy as np
import pytest

from sim.world.severity import Severity, severity_quantile


def quantile(law: Severity, u: float) -> float:
    return severity_quantile(u, law.log_sd, law.tail_share, law.tail_index, law.tail_start)


@pytest.mark.parametrize("law", [Severity(1.3, 0.03, 2.1), Severity(0.8, 0.2, 3.0), Severity(2.0, 0.01, 1.5)])
def test_the_tail_joins_the_body(law: Severity) -> None:
    join = 1.0 - law.tail_share
    assert quantile(law, join - 1e-12) == pytest.approx(quantile(law, join + 1e-12), rel=1e-6)
    assert quantile(law, 0.5) == pytest.approx(1.0)


@pytest.mark.parametrize("law", [Severity(1.3, 0.03, 2.6), Severity(0.8, 0.2, 3.0)])
def test_the_mean_is_the_integral_of_the_quantile(law: Severity) -> None:
    # Midpoints up to 1 - 1e-6, and the tail beyond in closed form.
    border = 1e-6
    u = (np.arange(400_000) + 0.5) / 400_000 * (1.0 - border)
    body = np.mean([quantile(law, x) for x in u[::4]]) * (1.0 - border)
    beyond = border * quantile(law, 1.0 - border) * law.tail_index / (law.tail_index - 1.0)
    assert body + beyond == pytest.approx(law.mean, rel=2e-3)


def test_the_tail_is_pareto() -> None:
    law = Severity(1.0, 0.05, 2.0)
    for factor in (2.0, 10.0):
        assert quantile(law, 1.0 - 0.05 / factor**2) == pytest.approx(law.tail_start * factor, rel=1e-9)
