"""Liquidity providers: what they see, when they enter and leave, that the informed leave first, and their books."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sim.agents.liquidity_provider import LiquidityProvider, share_scaled
from sim.agents.provider_accounts import ProviderAccounts
from sim.agents.provider_beliefs import PoolRecord, exit_hazards, expected_yields, posted_income, tail_losses
from sim.contracts.insurance.capital import pool_cv
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger
from sim.model import HealthMarket
from sim.scenario.load import load_scenario
from sim.scenario.sections.liquidity_providers import LiquidityProvidersSection

SCENARIO = """
name: providers_alone
question: Do liquidity providers enter and leave by their rules?
stage: 3
horizon_days: 200
population: {patients: 2000}
economy: {}
reference_price: {}
insurance: {pools: 2, withdrawal_cooldown_days: 5}
insurers: {}
liquidity_providers: {providers: 60, exit_base: 0.0, entry_speed: 0.0}
"""


def build(folder: Path, **providers: object) -> Any:
    settings = ", ".join(f"{name}: {value}" for name, value in
                         {"providers": 60, "exit_base": 0.0, "entry_speed": 0.0, **providers}.items())
    file = folder / "providers_alone.yaml"
    text = SCENARIO.splitlines()
    text[-1] = f"liquidity_providers: {{{settings}}}"
    file.write_text("\n".join(text) + "\n", encoding="utf-8")
    return HealthMarket(load_scenario(file), 5)


def record_of(prices: list[float], queue: float = 0.0, **facts: float) -> PoolRecord:
    """A record of one pool whose end-of-day prices were these."""
    record = PoolRecord([], 100)
    record._prices, record._income = np.ones((100, 1)), np.zeros((100, 1))
    for day, price in enumerate(prices):
        record._prices[day] = price
        record._income[day] = facts.get("daily_income", 0.0) * day
    record.count = len(prices)
    columns = {"senior": 1e12, "first_loss": 0.0, "annual_premium": 0.0, "expected_claims": 0.0, "members": 1000.0,
               "capital_share": 0.04, **facts}
    record.facts = SimpleNamespace(queue_share=np.array([queue]),
                                   **{name: np.array([value]) for name, value in columns.items()})
    return record


PLAIN = LiquidityProvidersSection(ordinary_loss=0.0, ordinary_queue=0.0)


def test_exit_hazard_by_the_formula() -> None:
    calm = exit_hazards(record_of([1.0] * 20), PLAIN)
    assert calm[:, 0] == pytest.approx(-np.expm1(-0.001))
    queue = exit_hazards(record_of([1.0] * 20, queue=0.25), PLAIN)
    assert queue[:, 0] == pytest.approx(-np.expm1(-(0.001 + 2 * 0.25)))


def test_a_fresh_loss_is_seen_by_the_informed_alone_and_by_all_three_days_later() -> None:
    fresh = exit_hazards(record_of([1.0] * 19 + [0.9]), PLAIN)
    assert fresh[0, 0] == pytest.approx(-np.expm1(-0.001)), "the others do not see it yet"
    assert fresh[1, 0] == pytest.approx(-np.expm1(-(0.001 + 4 * 0.1 + 10 * 0.1)))
    known = exit_hazards(record_of([1.0] * 16 + [0.9] * 4), PLAIN)
    assert known[0, 0] == known[1, 0] == pytest.approx(-np.expm1(-(0.001 + 4 * 0.1)))
    past = exit_hazards(record_of([1.0] * 10 + [0.9] * 12), PLAIN)
    assert past[:, 0] == pytest.approx(-np.expm1(-0.001))


def test_ordinary_losses_and_queues_frighten_nobody() -> None:
    calm = exit_hazards(record_of([1.0] * 19 + [0.91], queue=0.14), LiquidityProvidersSection())
    assert calm[:, 0] == pytest.approx(-np.expm1(-0.001))


def test_yield_is_income_less_losses_with_a_prior() -> None:
    """90 days of 0.01 % a day; the share value kept all of it, or lost 3 % besides."""
    income = 1e12 * 1e-4
    kept = record_of([1.0 + 1e-4 * day for day in range(91)], daily_income=income)
    assert expected_yields(kept, PLAIN)[0] == pytest.approx(0.0365 - 5 * 0.01 / (5 + 90 / 365), rel=1e-6)
    lost = record_of([1.0 + 1e-4 * day - 0.03 * (day > 50) for day in range(91)], daily_income=income)
    assert expected_yields(lost, PLAIN)[0] == pytest.approx(0.0365 - (5 * 0.01 + 0.03) / (5 + 90 / 365), rel=1e-4)


def test_the_posted_premium_stands_in_for_days_not_seen() -> None:
    record = record_of([1.0], annual_premium=4e12, first_loss=0.25e12)
    assert posted_income(record.facts)[0] == pytest.approx(4e12 * 0.04 * 0.8)
    assert expected_yields(record, PLAIN)[0] == pytest.approx(0.128 - 0.01, rel=1e-9)
    nothing = record_of([1.0], senior=0.0)
    assert np.isnan(expected_yields(nothing, PLAIN)[0])


def test_tail_loss_against_the_closed_form() -> None:
    """Mean excess of a lognormal over its 95 % quantile and more, by Black's formula, without a limit on the loss."""
    from statistics import NormalDist

    normal = NormalDist()
    record = record_of([1.0], expected_claims=1e12, senior=1e13, first_loss=0.05e12)
    sigma = float(np.sqrt(np.log1p(pool_cv(3.93846, 0.05, 1000) ** 2)))
    tail_mean = float(np.exp(0)) * normal.cdf(sigma - normal.inv_cdf(0.95)) / 0.05
    expected = (tail_mean - 1.0 - 0.05) * 1e12 / 1e13
    assert tail_losses(record.facts, 3.93846, 0.05)[0] == pytest.approx(expected, rel=0.02)
    assert tail_losses(record_of([1.0], expected_claims=1e15, senior=1.0).facts, 3.9, 0.05)[0] > 0.9


def test_sharing_the_opening_capital_is_exact() -> None:
    parts = share_scaled(10**12 + 7, np.array([1, 2, 3]), np.array([5, 1, 9], dtype=np.uint64))
    assert parts.sum() == 10**12 + 7
    assert parts.tolist() == pytest.approx([10**12 / 6, 10**12 / 3, 10**12 / 2], abs=8)


def test_books_and_returns() -> None:
    ledger = Ledger(4, 0)
    books = ProviderAccounts(2, ledger)
    books.open(np.array([1000, 0]))
    for _ in range(365):
        books.new_day()
        books.close_day(np.array([1000.0, 0.0]), 1000)
    books.deposit(1, 500)
    books.withdraw(0, 300)
    everybody = np.ones(2, dtype=np.bool_)
    assert books.annual_return(np.array([780.0, 500.0]), everybody) == pytest.approx(0.08)
    assert books.annual_return(np.array([780.0, 500.0]), everybody, extra=20.0) == pytest.approx(0.10)
    assert np.isnan(books.annual_return(np.array([780.0, 500.0]), np.array([False, True])))

    def transaction() -> None:
        with ledger.atomic():
            books.deposit(0, 7)
            books.request(9)
            raise KeyError

    with pytest.raises(KeyError):
        transaction()
    assert (int(books.deposited[0]), books.requested, books.exits) == (0, 0, 0)


def test_peak_requests_are_over_thirty_days() -> None:
    books = ProviderAccounts(1, Ledger(4, 0))
    for day in range(100):
        books.new_day()
        if day in (10, 39, 60):
            books.request(200)
        books.close_day(np.array([1000.0]), 1000)
    assert books.peak_requests == pytest.approx(0.4)


def test_they_open_the_pools_and_keep_cash(tmp_path: Path) -> None:
    market = build(tmp_path, pools_per_provider=1)
    providers, pools = market.mechanism("liquidity_providers"), market.mechanism("insurance").pools
    held = providers.holdings()
    assert ((held > 0).sum(axis=1) == 1).all()
    for index, pool in enumerate(pools):
        assert pool.senior_value() == pytest.approx(
            0.8 * 1.5 * market.mechanism("insurers").opening_requirement(index), rel=1e-6)
    cash = market.ledger.balances(market.usd)[providers.accounts].sum()
    assert cash == pytest.approx(0.65 * providers.books.opening.sum(), rel=1e-6)
    market.step()
    assert providers.values().sum() == pytest.approx(providers.books.opening.sum(), rel=1e-6)
    assert len(market.agents_by_type[LiquidityProvider]) == 60


def test_nobody_acts_without_a_reason(tmp_path: Path) -> None:
    market = build(tmp_path)
    for _ in range(40):
        market.step()
    books = market.mechanism("liquidity_providers").books
    assert (books.exits, books.deposits_after_start) == (0, 0)


def test_good_yields_draw_deposits(tmp_path: Path) -> None:
    market = build(tmp_path, entry_speed=5.0, smallest_deposit=0.0, outside_rate=-0.05, outside_rate_spread=0.0,
                   prior_loss_rate=0.0, decision_interval_days=10)
    for _ in range(10):
        market.step()
    books = market.mechanism("liquidity_providers").books
    assert books.deposits_after_start > 0
    assert market.record.daily["liquidity_providers.deposits"][:10].sum() == pytest.approx(
        books.deposits_after_start / MICRO)
    market.invariants.require(market.day)


def test_a_loss_starts_a_run_and_the_gate_stops_its_completion(tmp_path: Path) -> None:
    market = build(tmp_path, ordinary_loss=0.0, ordinary_queue=0.0)
    insurance, providers = market.mechanism("insurance"), market.mechanism("liquidity_providers")
    slots = np.flatnonzero(~market.people["public_cover"])
    for _ in range(10):
        market.step()
    insurance.enrol(slots, np.arange(slots.size) % 2, market.day)
    pool = insurance.pools[0]
    insurance.report(np.array([0]), np.array([pool.first_loss() + pool.senior_value() // 3]))
    market.step()
    first_day = market.day
    informed_left = uninformed_left = 0
    for _ in range(3):
        before = providers.holdings()[:, 0] > 0
        market.step()
        gone = before & (providers.holdings()[:, 0] == 0)
        informed_left += int((gone & providers.informed).sum())
        uninformed_left += int((gone & ~providers.informed).sum())
    assert informed_left >= 0.8 * providers.informed.sum() > 0
    assert uninformed_left / (~providers.informed).sum() < informed_left / providers.informed.sum()
    for _ in range(20):
        market.step()
    requested = np.nansum(market.record.daily["liquidity_providers.requests"][first_day:])
    assert requested * MICRO >= 0.8 * pool.senior_value(), "a run is seen in requests"
    assert pool.capital >= pool.mcr()
    assert pool.queue.pending > 0, "the gate holds the last ones back"
    market.invariants.require(market.day)


def test_a_scheduled_withdrawal(tmp_path: Path) -> None:
    market = build(tmp_path)
    market.step()
    providers = market.mechanism("liquidity_providers")
    providers.withdraw_capital(1.0, ["POOL1"])
    market.step()
    held = providers.holdings()
    assert (held[:, 0] == 0).all()
    assert (held[:, 1] > 0).any()
    for _ in range(6):
        market.step()
    assert providers.books.withdrawn.sum() == pytest.approx(providers.books.requested, rel=1e-6)
    assert market.mechanism("insurance").pools[0].senior_value() <= 1
