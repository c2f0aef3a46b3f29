"""Annual spending against the published statistics, and the moments' own arithmetic.

Sampling error at the size used here is added to each published tolerance: with a tail this heavy the mean and the top
shares move from seed to seed.
"""

from __future__ import annotations

import numpy as np
import pytest

from sim.world.spending import Spending, annual_spending, simulate_spending
from sim.world.spending_moments import compare, rank_correlation, ranks, retained, top_share
from sim.world.tables import locate_tables, read_table

PERSONS = 40_000

SAMPLING = {"mean": 200.0, "median": 25.0, "zero_share": 0.004, "top1_share": 0.015, "top5_share": 0.013,
            "top10_share": 0.010, "top50_share": 0.001, "bottom50_share": 0.001, "ratio_65_to_younger": 0.15,
            "ambulatory_any": 0.005, "prescription_any": 0.005, "dental_any": 0.005, "hospital_any": 0.0025,
            "spearman": 0.008, "top1_retained": 0.04, "bottom50_retained": 0.004}
"""About two standard deviations over seeds."""


@pytest.fixture(scope="module")
def spending() -> Spending:
    return simulate_spending(PERSONS, 2, seed=2024)


def test_published_moments_come_out(spending: Spending) -> None:
    checks = spending.checks()
    assert {check.quantity for check in checks} == set(SAMPLING)
    missed = [check for check in checks
              if abs(check.simulated - check.target) > check.tolerance + SAMPLING[check.quantity]]
    assert not missed, missed


def test_services_have_their_shares_of_spending(spending: Spending) -> None:
    share = spending.by_service.sum(axis=(0, 1)) / spending.by_service.sum()
    assert share == pytest.approx([0.4405, 0.0600, 0.2331, 0.2664], abs=0.025)


def test_spending_by_age_is_held_out_and_near(spending: Spending) -> None:
    # MEPS 2021 (truth HLTH-06): those below 35 were 44 % of people and 21 % of spending, those of 55+ 31 % and 55 %.
    total = spending.total
    for ages, published in ((spending.age < 35, 0.21 / 0.44), (spending.age >= 55, 0.55 / 0.31)):
        assert total[ages].mean() / total.mean() == pytest.approx(published, rel=0.10)


def test_visits_are_held_out_and_near_the_experiments() -> None:
    # RAND visit counts below age 62 (truth HLTH-19): mean 2.86, variance 20.3, 31 % without, negative binomial k 0.47.
    spending = simulate_spending(PERSONS, 1, seed=31)
    visits = spending.episodes[spending.age[:, 0] < 62, 0, 0]
    mean, variance = visits.mean(), visits.var()
    assert mean == pytest.approx(2.86, rel=0.10)
    assert variance == pytest.approx(20.29, rel=0.20)
    assert mean**2 / (variance - mean) == pytest.approx(0.469, rel=0.20)
    assert (visits == 0).mean() == pytest.approx(0.312, abs=0.05)


def test_diabetics_are_held_out_and_near() -> None:
    # MEPS 2015 (truth HLTH-11): 8.6 % are treated for diabetes and spend 2.85 times the mean of all.
    spending = simulate_spending(PERSONS, 1, seed=31)
    has = (spending.chronic[:, 0] >> np.uint32(1)) & 1 == 1
    total = spending.total[:, 0]
    assert has.mean() == pytest.approx(0.0862, abs=0.01)
    assert total[has].mean() / total.mean() == pytest.approx(2.85, rel=0.2)


def test_demand_response_follows_the_experiment() -> None:
    # Raw means relative to free care; at 50 % they rise again for want of persons, so that plan is left out.
    experiment = read_table(locate_tables("us"), "rand_hie")
    rates, means = experiment.numbers("coinsurance"), experiment.numbers("spending")
    published = dict(zip(rates.tolist(), means.tolist(), strict=True))
    free = annual_spending(8_000, 1, coinsurance=0.0, seed=7).mean()
    for coinsurance in (0.25, 0.95):
        found = annual_spending(8_000, 1, coinsurance=coinsurance, seed=7).mean() / free
        assert found == pytest.approx(published[coinsurance] / published[0.0], abs=0.035)


def test_dearer_care_only_removes_spending() -> None:
    cheap = annual_spending(3_000, 1, coinsurance=0.1, seed=7)
    dear = annual_spending(3_000, 1, coinsurance=0.9, seed=7)
    assert (dear <= cheap).all()
    assert dear.sum() < cheap.sum()


def test_more_persons_leave_the_first_as_they_were() -> None:
    assert np.array_equal(annual_spending(1_000, 2, seed=3), annual_spending(1_300, 2, seed=3)[:1_000])


def test_top_share_counts_the_person_on_the_border_in_part() -> None:
    assert top_share(np.array([4.0, 3.0, 2.0, 1.0]), 0.5) == pytest.approx(0.7)
    assert top_share(np.array([4.0, 3.0, 2.0, 1.0]), 0.375) == pytest.approx(0.55)
    assert np.isnan(top_share(np.zeros(4), 0.5))


def test_ranks_share_ties_and_correlation_is_spearmans() -> None:
    assert ranks(np.array([5.0, 1.0, 5.0, 0.0])).tolist() == [3.5, 2.0, 3.5, 1.0]
    rising = np.arange(10.0)
    assert rank_correlation(rising, rising**3) == pytest.approx(1.0)
    assert rank_correlation(rising, -rising) == pytest.approx(-1.0)


def test_retention_counts_who_stays() -> None:
    first = np.arange(10.0)
    assert retained(first, first, 0.2) == 1.0
    assert retained(first, -first, 0.2) == 0.0
    assert retained(first, np.roll(first, 1), 0.5, top=False) == pytest.approx(0.8)
    assert compare({"mean": 2.0}, {"mean": (1.0, 1.5), "other": (0.0, 0.0)})[0].holds
