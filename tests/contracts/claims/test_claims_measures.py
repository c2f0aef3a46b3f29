"""Figures of a run against small tables worked by hand."""

import numpy as np
import pytest

from sim.contracts.claims.measures import RecentDelays, Unfiled, delay_quantiles, errors, unpaid_by_decile
from sim.contracts.claims.table import APPROVED, DENIED, DROPPED, PAID, ClaimTable
from sim.kernel.fixedpoint import MICRO


def table(**columns):
    count = len(next(iter(columns.values())))
    result = ClaimTable()
    result.append(np.arange(1, count + 1, dtype=np.uint64), np.ones(count, dtype=np.bool_),
                  **{name: np.array(values) for name, values in columns.items()})
    return result


def test_delay_runs_from_care_to_payment():
    claims = table(incurred=[0, 5, 5, 9], paid_on=[10, 5, -1, 29])
    middle, high = delay_quantiles(claims)
    assert middle == 10
    assert high == pytest.approx(19)
    assert all(np.isnan(delay_quantiles(table(incurred=[0], paid_on=[-1]))))


def test_recent_delays_forget_what_was_paid_a_month_ago():
    recent = RecentDelays()
    assert all(np.isnan(recent.quantiles(0)))
    recent.add(1, np.array([100] * 10))
    recent.add(10, np.array([2] * 15 + [7] * 4))
    recent.add(10, np.array([9]))
    assert recent.quantiles(10) == (2, 100)
    assert recent.quantiles(30) == (2, 100)
    assert recent.quantiles(31) == (2, 7)
    recent.drop_last()
    assert recent.quantiles(31) == (2, 7)
    assert all(np.isnan(recent.quantiles(40)))


def test_a_halt_shows_in_the_oldest_claim_and_in_quorums(claims_market):
    market = claims_market(committee_size=3, operators=3)
    for _ in range(9):
        market.run_day(lambda *_: None, file=[MICRO])
    assert market.record.today["claims.oldest_waiting"] == 8
    assert market.record.today["claims.without_quorum"] > 0
    assert np.isnan(market.record.today["claims.delay_p50"])


def test_unpaid_after_ninety_days_by_size():
    claims = table(claimed=list(range(1, 11)), incurred=[0] * 10, paid_on=[-1, 91, 90, *([1] * 7)],
                   decided=[5, 5, 5, *([0] * 7)], status=[DENIED, *([PAID] * 9)])
    shares = unpaid_by_decile(claims, Unfiled(), 100)
    assert shares.tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]


def test_claims_never_filed_count_as_unpaid_and_young_ones_do_not_count():
    claims = table(claimed=[100] * 9 + [1], incurred=[0] * 9 + [50], paid_on=[1] * 9 + [-1],
                   status=[PAID] * 9 + [APPROVED])
    unfiled = Unfiled()
    unfiled.add(np.array([1, 1]), np.array([0, 99]))
    shares = unpaid_by_decile(claims, unfiled, 100)
    assert shares[0] == 1.0
    assert np.nansum(shares) == 1.0
    assert unfiled.count == 2


def test_errors_are_held_against_the_truth():
    claims = table(claimed=[100, 100, 100, 100, 50], approved=[100, 0, 80, 0, 0], decided=[1, 1, 1, -1, 1],
                   status=[PAID, DENIED, PAID, APPROVED, DROPPED])
    found = errors(claims, np.array([0, 100, 200, 7, 50]))
    assert found.false_approvals == pytest.approx(1 / 3)
    assert found.false_denials == pytest.approx(1 / 3)
    # due 0, 100, 100 (capped by the claim); off by 100, 100, 20
    assert found.payment_accuracy == pytest.approx(1 - 220 / 200)


def test_every_metric_of_the_section_is_reported(claims_market):
    market = claims_market(committee_size=3, operators=3)
    for _ in range(120):
        market.run_day(file=[(one + 1) * MICRO for one in range(20)])
    market.truth([MICRO] * len(market.table))
    market.claims.finish(market)
    optional = {"claims.reviewed"}  # only with a second committee
    assert set(market.record.metrics) == {metric.name for metric in market.claims.section.metrics} - optional
    assert {one.name for one in market.claims.section.series} == set(market.record.today)
    assert market.record.metrics["claims.delay_p50"] == 2
    assert market.record.metrics["claims.corruption_ratio_lowest"] == pytest.approx(20_000 / 20)
