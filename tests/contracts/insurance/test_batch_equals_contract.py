"""One rule, two forms: the compiled day equals the waterfall and the contract, unit by unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.contracts.insurance.batch import ruin_days, settle_day
from sim.contracts.insurance.waterfall import Layer, MoneyLayer, run_waterfall, sharing_order
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger
from sim.verification import insurance as verification

amounts = st.integers(0, 10**15)


@given(st.lists(amounts, min_size=1, max_size=5), amounts, amounts)
def test_the_compiled_day_draws_as_the_layers_do(balances: list[int], earned: int, claims: int) -> None:
    ledger = Ledger(institutions=8, people=0)
    usd = ledger.asset("USDs")
    layers: list[Layer] = []
    for place, balance in enumerate(balances):
        account = ledger.open_account(f"layer{place}", "insurers")
        ledger.mint(usd, account, balance + (earned if place == 0 else 0), "endowment")
        layers.append(MoneyLayer(f"layer{place}", ledger, usd, account))
    result = run_waterfall(layers, np.array([claims]), sharing_order(np.array([0])))
    row = np.array(balances, dtype=np.int64)
    assert settle_day(row, earned, claims) == result.unpaid_total
    left = [ledger.balance(usd, layer.account) - borne
            for layer, borne in zip(layers, result.by_layer, strict=True)]
    assert row.tolist() == left


def test_contract_and_compiled_histories_end_on_the_same_day() -> None:
    truth = verification.truths()["RUIN-19"]
    stream = Draws(5).decision("test").stream
    opening = np.array([0, 2 * MICRO, 0, 0], dtype=np.int64)
    days = ruin_days(stream, 12, 0, 40, opening, 5_500_000, 5.0, 1e6)
    small = {**truth, "capital": 2.0}
    assert [verification.contract_ruin_day(stream, path, small, 40) for path in range(12)] == days.tolist()
    assert 1 <= days.min() < 40 < days.max() == 41, "some are ruined and some are not"


def test_first_path_number_only_shifts_the_histories() -> None:
    stream = Draws(5).decision("test").stream
    opening = np.array([0, 5 * MICRO], dtype=np.int64)
    all_days = ruin_days(stream, 20, 0, 30, opening, 5_500_000, 5.0, 1e6)
    assert (ruin_days(stream, 8, 12, 30, opening, 5_500_000, 5.0, 1e6) == all_days[12:]).all()


@pytest.mark.parametrize("check", [verification.multiples, verification.age_rating, verification.rebates,
                                   verification.nexus])
def test_exact_truths_hold(check: object) -> None:
    for row in check():  # type: ignore[operator]
        assert row.verdict, row


@pytest.mark.slow
def test_simulated_truths_hold() -> None:
    for row in verification.rows():
        assert row.verdict, row


def test_daily_ruin_of_a_small_ensemble_and_a_wrong_rule() -> None:
    """Within sampling error by the rule; far outside where claims come before premium."""
    stream = Draws(11).decision("test").stream
    opening = np.array([0, 20 * MICRO, 0, 0], dtype=np.int64)
    days = ruin_days(stream, 3000, 0, 30, opening, 5_500_000, 5.0, 1e6)
    share = float((days <= 30).mean())
    assert abs(share - 0.0696) <= 3 * (0.0696 * 0.9304 / 3000) ** 0.5
    late = np.array([0, 20 * MICRO - 5_500_000, 0, 0], dtype=np.int64)  # a day's premium short: premium comes last
    wrong = float((ruin_days(stream, 3000, 0, 30, late, 5_500_000, 5.0, 1e6) <= 30).mean())
    assert abs(wrong - 0.0696) > 3 * (0.0696 * 0.9304 / 3000) ** 0.5
