"""Survival, tails, concentration, hardship and networks against libraries, closed forms and counts by hand."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import load_run, tail
from analysis.concentration import banzhaf, gini, herfindahl, nakamoto, power_table, shapley_shubik
from analysis.flows import flow_matrix, whole_units
from analysis.hardship import by_decile
from analysis.intervals import wilson
from analysis.market_making import depth_curve, impermanent_loss
from analysis.over_runs import fan, phase_table
from analysis.plots import network as network_plots
from analysis.plots import over_runs as over_runs_plots
from analysis.plots import sankey as sankey_plots
from analysis.plots import survival as survival_plots
from analysis.plots.style import house_style, new_axes
from analysis.solvency import waterfall
from analysis.survival import at_risk, kaplan_meier, pool_lifetimes

Folder = Callable[..., Path]
F = Fraction

# [quota; weights], Shapley-Shubik, Banzhaf (normalised), Banzhaf (absolute): textbook values, Shapley and Shubik 1954,
# Banzhaf 1965, recomputed by an independent package
GAMES = [
    (51, [50, 49, 1], [F(2, 3), F(1, 6), F(1, 6)], [F(3, 5), F(1, 5), F(1, 5)], [F(3, 4), F(1, 4), F(1, 4)]),
    (67, [40, 30, 20, 10], [F(7, 12), F(1, 4), F(1, 12), F(1, 12)], [F(1, 2), F(3, 10), F(1, 10), F(1, 10)], None),
    (51, [26, 25, 25, 24], [F(5, 12), F(1, 4), F(1, 4), F(1, 12)], None, None),
]
HOLDINGS = [30, 20, 15, 10, 10, 5, 5, 3, 2]


@pytest.mark.parametrize(("quota", "weights", "shapley", "normalised", "absolute"), GAMES)
def test_power_indices_hold_the_textbook(quota: int, weights: list[int], shapley: list[Fraction],
                                         normalised: list[Fraction] | None, absolute: list[Fraction] | None) -> None:
    assert shapley_shubik(quota, weights) == shapley
    if normalised is not None:
        assert banzhaf(quota, weights) == normalised
    if absolute is not None:
        assert banzhaf(quota, weights, normalised=False) == absolute


def test_power_agrees_with_counting_orders() -> None:
    weights, quota = [5, 3, 3, 2, 0, 1], 8
    pivots = [0] * len(weights)
    orders = list(permutations(range(len(weights))))
    for order in orders:
        held = 0
        for voter in order:
            held += weights[voter]
            if held >= quota:
                pivots[voter] += 1
                break
    assert shapley_shubik(quota, weights) == [F(count, len(orders)) for count in pivots]


def test_games_that_are_too_large_or_wrong_are_refused() -> None:
    with pytest.raises(ValueError, match="larger units"):
        shapley_shubik(10**9, [10**9, 10**9])
    with pytest.raises(ValueError, match="quota"):
        banzhaf(0, [1, 2])
    table = power_table([str(i) for i in range(12)], np.arange(1, 13))
    assert table[["votes", "shapley_shubik", "banzhaf"]].sum().round(9).tolist() == [1.0, 1.0, 1.0]


def test_concentration_holds_its_definitions() -> None:
    assert (nakamoto(HOLDINGS), nakamoto(HOLDINGS, 0.33), nakamoto(HOLDINGS, 0.67)) == (3, 2, 4)
    assert herfindahl(HOLDINGS) == pytest.approx(0.1788, abs=1e-12)
    assert gini(HOLDINGS) == pytest.approx(0.4177777777777778, abs=1e-12)
    assert (gini([1, 2, 3, 4]), gini([0, 0, 0, 1])) == pytest.approx((0.25, 0.75), abs=1e-12)
    zipf = 1.0 / np.arange(1, 101)
    assert (nakamoto(zipf), nakamoto(zipf, 0.33)) == (8, 3)
    assert gini(zipf) == pytest.approx(0.6244487280520798, abs=1e-12)
    assert (gini([]), herfindahl([0, 0]), nakamoto([0])) == (0.0, 0.0, 0)
    with pytest.raises(ValueError, match="non-negative"):
        gini([-1, 2])


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
def test_kaplan_meier_agrees_with_scipy() -> None:
    rng = np.random.default_rng(5)
    times, limits = np.ceil(rng.exponential(30, 200)), np.ceil(rng.exponential(50, 200))
    durations, observed = np.minimum(times, limits), times <= limits
    table = kaplan_meier(durations, observed)
    theirs = stats.ecdf(stats.CensoredData.right_censored(durations, ~observed)).sf
    events = table[table["events"] > 0]
    seen = pd.Series(theirs.probabilities, index=theirs.quantiles)
    assert np.allclose(events["survival"], seen[events.index])
    interval = theirs.confidence_interval(0.95, method="log-log")
    inner = events[events["survival"] > 0].index
    for side in ("low", "high"):
        wanted = pd.Series(getattr(interval, side).probabilities, index=theirs.quantiles)
        assert np.allclose(events.loc[inner, side], wanted[inner])
    assert at_risk(table, [0, 10, 1e6]) == [200, int((durations >= 10).sum()), 0]


def test_kaplan_meier_without_events_and_without_data() -> None:
    table = kaplan_meier([5, 5], [False, False])
    assert table["survival"].tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="at least 1"):
        kaplan_meier([], [])


def test_lifetimes_end_in_run_off(write_folder: Folder) -> None:
    run = load_run(write_folder())
    run.institutions.loc[("WEST", 60), "insurance.state"] = 2.0
    lives = pool_lifetimes([run])
    assert lives["duration"].tolist() == [200, 60]
    assert lives["observed"].tolist() == [False, True]
    figure, axes = new_axes(5.3, 3.6, survival_plots.MARGINS)
    survival_plots.survival(axes, {"main": kaplan_meier(lives["duration"], lives["observed"])})
    assert {"at risk", "main"} <= {text.get_text() for text in axes.texts}
    assert figure.axes == [axes]


def test_exceedance_covers_as_often_as_it_says() -> None:
    rng, hits, tries = np.random.default_rng(8), 0, 400
    for _ in range(tries):
        table = tail.exceedance(rng.exponential(size=60))
        row = table.iloc[int(np.searchsorted(table["loss"], 1.0))]
        hits += bool(row["low"] <= np.exp(-row["loss"]) <= row["high"])
    assert wilson(hits, tries)[1] >= 0.95  # exact binomial intervals never cover less often


def test_a_pareto_tail_is_found_again() -> None:
    losses = stats.genpareto(0.4, scale=2.0).rvs(4000, random_state=np.random.default_rng(1))
    xi, scale = tail.fit_pareto(losses)
    assert (xi, scale) == pytest.approx((0.4, 2.0), abs=0.12)
    theirs = stats.genpareto.fit(losses, floc=0.0)
    assert (xi, scale) == pytest.approx((theirs[0], theirs[2]), rel=0.01)
    table, _ = tail.tail_quantiles(losses)
    assert ((table["seen"] >= table["low"]) & (table["seen"] <= table["high"])).mean() > 0.8
    exact = 2.0 / 0.6  # mean excess above 0 of a generalized Pareto: scale / (1 - xi)
    first = tail.mean_excess(losses).iloc[0]
    assert first["low"] < exact < first["high"]
    with pytest.raises(ValueError, match="too few"):
        tail.tail_quantiles(np.arange(20.0))


def test_value_at_risk_counts_the_border_in_part() -> None:
    assert tail.value_at_risk(np.arange(1.0, 11.0), 0.75) == pytest.approx((8.0, (10 + 9 + 0.5 * 8) / 2.5))


def test_impermanent_loss_and_depth_follow_the_reserves() -> None:
    x, y = 500.0, 2000.0
    for ratio in (0.25, 1.0, 2.0, 9.0):
        price = ratio * y / x
        after = 2.0 * np.sqrt(x * y * price)
        assert impermanent_loss(ratio) == pytest.approx(after / (x * price + y) - 1.0)
    lifted = depth_curve(np.sqrt(x * y), y / x, [0.02])["cash"].iloc[0]
    assert (y + lifted) ** 2 / (x * y) == pytest.approx(1.02 * y / x)


def test_hardship_adds_years_up(write_folder: Folder) -> None:
    run = load_run(write_folder())
    table = by_decile(run)
    assert table.index.tolist() == list(range(1, 11))
    assert table.loc[1, ["persons", "uninsured", "above_10"]].tolist() == [400, 0.2, 0.3]
    assert tuple(table.loc[1, ["above_25_low", "above_25_high"]]) == wilson(40, 400)
    assert table.loc[3, "burden"] == pytest.approx(900 / 40_000)
    assert by_decile(run, year=1)["persons"].eq(200).all()
    assert by_decile(run, year=7).empty


def test_waterfall_stands_for_capital_and_reserves(write_folder: Folder) -> None:
    run = load_run(write_folder())
    layers = waterfall(run)
    assert layers is not None
    last = run.institutions.xs(199, level="day").sum()
    assert layers["stands"].sum() == pytest.approx(last["insurance.capital"] + last["insurance.outstanding"]
                                                   + last["insurance.ibnr"])
    assert waterfall(load_run(write_folder(pools=()))) is None


def test_fans_and_phase_maps_count_only_what_is_done() -> None:
    paths = pd.DataFrame(np.arange(40.0).reshape(2, 20))
    assert fan(paths)[0.5].tolist() == [9.5, 29.5]
    runs = pd.DataFrame({"status": ["done"] * 4 + ["failed"], "param.a": [0, 0, 1, 1, 1], "param.b": [0, 0, 0, 0, 0],
                         "metric.ruin": [0.0, 1.0, 1.0, 1.0, 0.0]})
    table = phase_table(runs, "a", "b", "ruin")
    assert table["mean"].tolist() == [0.5, 1.0]
    assert tuple(table.loc[1, ["low", "high"]]) == wilson(2, 2)
    with house_style():
        axes = over_runs_plots.phase_map(new_axes()[1], table, ("a", "b"), "Ruin", "share of runs", 0.5)
    assert axes.get_title(loc="left") == "Ruin: share of runs, % (n = 2 a cell)"


def test_ribbons_carry_what_was_paid(write_folder: Folder) -> None:
    money = whole_units(flow_matrix(load_run(write_folder()).flows))
    axes = sankey_plots.sankey(new_axes()[1], money, least=0.0)
    told = {text.get_text() for text in axes.texts}
    assert {"households  4", "insurers  3", "providers  3"} <= told
    assert len(axes.patches) == 2 + 2 + 2  # two that pay, two that receive, two ribbons


def test_a_network_of_institutions_whose_equity_nobody_states_is_drawn() -> None:
    claims = pd.DataFrame({"debtor": ["a", "b"], "creditor": ["c", "c"], "amount": [2.0, 1.0]})
    known_nothing = pd.DataFrame({"equity": [np.nan] * 3, "owes": [2.0, 1.0, 0.0], "is_owed": [0.0, 0.0, 3.0]},
                                 index=["a", "b", "c"])
    figure, axes = new_axes()
    network_plots.network(axes, known_nothing, claims)
    figure.savefig(io.BytesIO(), format="svg")
    assert not any("equity, largest" in text.get_text() for text in axes.texts)
