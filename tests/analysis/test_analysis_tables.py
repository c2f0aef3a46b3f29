"""Tables made from a run, against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import flows, governance, liquidity, load_run, selection, solvency
from analysis.claims import waiting_days
from analysis.market_figures import market_lines
from analysis.plots.style import percent, short, thin

Folder = Callable[..., Path]


def test_flow_matrix_is_exact_and_leaves_the_opening_out(write_folder: Folder) -> None:
    table = load_run(write_folder()).flows
    matrix = flows.flow_matrix(table)
    assert matrix.to_numpy().dtype == np.int64
    assert list(matrix.index) == list(matrix.columns) == ["households", "insurers", "providers"]
    assert matrix.at["households", "insurers"] == 4_000_001
    assert matrix.at["insurers", "insurers"] == 700_000
    assert matrix.to_numpy().sum() == 7_700_003
    assert flows.flow_matrix(table, opening=True).at["issuance", "households"] == 9_000_000_001
    assert flows.flow_matrix(table, asset="HLT").at["traders", "protocol"] == 5_000_000
    assert flows.flow_matrix(table, asset="GOV").size == 0


def test_amounts_beyond_float_precision_sum_exactly() -> None:
    big = 2**60 + 1
    table = pd.DataFrame({"day": [0, 0], "kind": ["a", "b"], "asset": "USDs", "from_sector": ["x", "x"],
                          "to_sector": ["y", "z"], "amount": [big, 1]})
    matrix = flows.flow_matrix(table)
    assert int(matrix.at["x", "y"]) == big
    assert int(flows.sector_balance(matrix).at["x", "net"]) == -big - 1


def test_sector_balances_sum_to_nothing(write_folder: Folder) -> None:
    balance = flows.sector_balance(flows.flow_matrix(load_run(write_folder()).flows))
    assert balance["net"].sum() == 0
    assert balance.loc["insurers"].tolist() == [4_000_001, 3_000_002, 999_999]


def test_kinds_of_payment_are_ordered_by_amount(write_folder: Folder) -> None:
    kinds = flows.by_kind(load_run(write_folder()).flows)
    assert kinds["kind"].tolist() == ["premium", "claim", "premium_earned"]
    assert kinds["amount"].tolist() == [4_000_001, 3_000_002, 700_000]


def test_own_funds_read_the_minimum_back(write_folder: Folder) -> None:
    run = load_run(write_folder())
    funds = solvency.own_funds(run)
    capital, ratio = run.by_institution("insurance.capital"), run.by_institution("insurance.mcr_ratio")
    assert funds is not None
    assert capital is not None
    assert ratio is not None
    assert funds["mcr"].iloc[5] == pytest.approx(sum(capital.iloc[5] / ratio.iloc[5]))


def test_layers_sum_to_what_they_bore(write_folder: Folder) -> None:
    run = load_run(write_folder())
    borne = solvency.borne_by_layer(run, 30)
    assert borne is not None
    assert list(borne.index) == [0, 30, 60, 90, 120, 150]
    daily = run.by_institution("insurance.borne_junior")
    assert daily is not None
    assert borne.at[30, "junior tranche"] == pytest.approx(daily.loc[30:59].to_numpy().sum())


def test_a_run_shorter_than_a_period_is_one_period() -> None:
    table = solvency.by_period(pd.DataFrame({"a": [1.0, 2.0]}), 30)
    assert table["a"].tolist() == [3.0]


def test_loss_ratio_waits_for_a_full_window() -> None:
    ratio = solvency.rolling_ratio(pd.DataFrame({"p": [1.0, 2.0, 6.0, 0.0]}),
                                   pd.DataFrame({"p": [2.0, 2.0, 2.0, 0.0]}), 2)["p"]
    assert np.isnan(ratio[0])
    assert ratio[1:].tolist() == [0.75, 2.0, 3.0]


def test_pool_table_names_states_and_counts_gated_days(write_folder: Folder) -> None:
    run = load_run(write_folder())
    table = solvency.pool_table(run)
    states = run.by_institution("insurance.state")
    assert table is not None
    assert states is not None
    assert table["days gated"].to_dict() == (states == 1).sum().to_dict()
    assert set(table["state"]) <= {"active", "gated"}
    assert table.at["WEST", "earned premium"] == pytest.approx(
        run.institutions.loc["WEST", "insurance.earned_premium"].sum())


def test_flow_is_what_the_price_does_not_explain() -> None:
    price = pd.DataFrame({"p": [1.0, 1.1, 1.1]})
    value = pd.DataFrame({"p": [100.0, 110.0, 80.0]})
    assert liquidity.implied_flows(value, price)["p"][1:].tolist() == pytest.approx([0.0, -30.0])


def test_flow_performance_pairs_a_window_with_the_return_before_it() -> None:
    days = np.arange(8)
    price = pd.DataFrame({"p": np.where(days < 4, 1.0 + days / 10, 1.3)})
    value = 100 * price
    value.loc[5:] += 13.0
    table = liquidity.flow_performance(value, price, 4)
    assert table["day"].tolist() == [4]
    assert table["past_return"].tolist() == pytest.approx([0.3])
    assert table["flow"].tolist() == pytest.approx([0.1])


def test_annual_return_weighs_by_capital() -> None:
    price = pd.DataFrame({"a": [1.0, 1.01], "b": [1.0, 1.0]})
    value = pd.DataFrame({"a": [300.0, 303.0], "b": [100.0, 100.0]})
    assert liquidity.annual_return(value, price, 1).iloc[1] == pytest.approx(0.0075 * 365)


def test_waiting_days_follow_littles_law() -> None:
    waits = waiting_days(pd.Series([4.0, 6.0, 5.0]), pd.Series([0.0, 5.0, 5.0]), 2)
    assert waits[1:].tolist() == [2.0, 1.1]


def test_proposals_and_what_they_changed(write_folder: Folder) -> None:
    events = load_run(write_folder()).events
    table = governance.proposals(events)
    assert table["outcome"].tolist() == ["executed", "defeated"]
    assert table["closed"].tolist() == [40, 55]
    path = governance.parameter_path(events, "insurance.mcr_gate", 1.0, 200)
    assert path[39] == 1.0
    assert path[40:].eq(0.9).all()


def test_thinning_keeps_ends_and_peaks() -> None:
    values = pd.Series(np.sin(np.arange(5000.0)))
    values[1234], values[4000] = 9.0, -9.0
    kept = thin(values, 300)
    assert len(kept) <= 302
    assert kept.index[0] == 0
    assert kept.index[-1] == 4999
    assert kept.max() == 9.0
    assert kept.min() == -9.0


def test_series_that_a_run_lacks_are_left_out(write_folder: Folder) -> None:
    run = load_run(write_folder())
    found = market_lines(run, {"amm.price": "pool", "amm.twap": "mean"})
    assert found is not None
    assert list(found.columns) == ["pool"]
    assert market_lines(run, {"amm.twap": "mean"}) is None


@pytest.mark.parametrize(("value", "shown"), [
    (0, "0"), (12.34, "12.3"), (999.6, "1k"), (1234, "1.23k"), (999_960, "1M"), (-2.5e6, "-2.5M"),
    (5.612e9, "5.61bn"), (1.2e13, "12,000bn")])
def test_short_figures(value: float, shown: str) -> None:
    assert short(value) == shown


def test_percentages_have_no_exponent() -> None:
    assert percent(0.1234) == "12.3 %"
    assert percent(12.34) == "1,234 %"


def test_plans_are_shown_one_by_one_or_by_name_over_pools(write_folder: Folder) -> None:
    folder = write_folder()
    names = [f"POOL{j}/{plan}" for j in range(1, 7) for plan in ("generous", "lean")]
    rows = [{"day": day, "institution": name, "selection.enrolment_share": (j + 1) / 78.0, "selection.members": j + 1.0,
             "selection.base_rate": 100.0 * (j % 2 + 1), "selection.loss_ratio": 0.5, "selection.care_cost": 9.0,
             "selection.transfers": float((-1) ** j)} for day in range(2) for j, name in enumerate(names)]
    pd.DataFrame(rows).to_parquet(folder / "institutions.parquet")
    run = load_run(folder)
    share = selection.by_plan(run, "selection.enrolment_share")
    assert share is not None
    assert list(share.columns) == ["generous", "lean"]
    assert share.loc[1].tolist() == pytest.approx([36 / 78, 42 / 78])
    rates = selection.by_plan(run, "selection.base_rate", "selection.members")
    assert rates is not None
    assert rates.loc[0].tolist() == [100.0, 200.0]
    ends = selection.ends(run)
    assert ends is not None
    assert ends.loc["POOL1/lean"].tolist() == [2.0, 200.0, 0.5, 9.0, -2.0]

    pd.DataFrame([row for row in rows if row["institution"] in names[:2]]).to_parquet(folder / "institutions.parquet")
    few = selection.by_plan(load_run(folder), "selection.enrolment_share")
    assert few is not None
    assert list(few.columns) == names[:2]
    pd.DataFrame([row for row in rows if row["institution"] == names[0]]).to_parquet(folder / "institutions.parquet")
    assert selection.by_plan(load_run(folder), "selection.enrolment_share") is None
    assert selection.ends(load_run(folder)) is None
