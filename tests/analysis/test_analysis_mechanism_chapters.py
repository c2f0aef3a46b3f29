"""Chapters of mechanisms that most runs do without: reinsurance, contagion, epidemics, credit, coins, adversaries."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from analysis import forecasts, lending
from analysis.adversaries import ADVERSARIES, outcomes, spending
from analysis.adversaries_chapter import adversaries_chapter
from analysis.chapters import Build
from analysis.contagion_chapter import failures
from analysis.forecasts_chapter import forecasts_chapter
from analysis.key_figures import KEY_FIGURES, expected, key_figures
from analysis.lending_chapter import lending_chapter
from analysis.load import Run, load_run
from analysis.page import Chapter
from analysis.plots import levels
from analysis.report import render
from analysis.stablecoin_chapter import stablecoin_chapter
from analysis.synthetics_chapter import synthetics_chapter
from sim.model import run
from sim.scenario.load import load_scenario
from sim.scenario.registry import metrics_of, section_types, series_of

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


def simulated(folder: Path, name: str, **settings: object) -> Run:
    """A shipped scenario, smaller, as a run folder."""
    overrides = [(path.replace("__", "."), str(value)) for path, value in settings.items()]
    run(load_scenario(SCENARIOS / f"{name}.yaml", overrides), out=folder, check_invariants="off")
    return load_run(folder)


@pytest.fixture(scope="module")
def circle(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Pools that reinsure each other in a circle, and fail in it."""
    return simulated(tmp_path_factory.mktemp("circle") / "run", "s3_reinsurance_spiral", population__patients=600,
                     horizon_days=120, contagion="{}", claims="{mode: automatic}",
                     liquidity_providers__opening_scr_ratio=0.7,
                     shocks="[{day: 30, kind: care_surge, factor: 15.0, days: 80}]")


def test_reinsurance_and_contagion_have_their_chapters(circle: Run) -> None:
    html = render(circle)
    for shown in ("<h2>Reinsurance</h2>", "<h2>Contagion</h2>", "Losses ceded", "Owed by reinsurers",
                  "Equity of institutions", "DebtRank", "Debts among institutions"):
        assert shown in html
    assert "<h2>Epidemic</h2>" not in html
    assert "Forced sales" not in html  # no pool invests


def test_failures_tell_channel_and_round(circle: Run) -> None:
    found = failures(circle)
    events = circle.events[circle.events["kind"] == "failure"]
    assert len(found) == len(events) > 0
    assert found["day"].tolist() == events["day"].tolist()
    assert (found["round"] >= 1).all()
    assert "<h3>Failures</h3>" in render(circle)


def test_an_epidemic_has_its_chapter(tmp_path: Path) -> None:
    found = simulated(tmp_path / "run", "s3_pandemic_indemnity", population__patients=500, horizon_days=100)
    html = render(found)
    assert "<h2>Epidemic</h2>" in html
    assert "Infectious persons" in html
    assert "<h2>Contagion</h2>" not in html


def test_derivatives_have_their_chapter(tmp_path: Path) -> None:
    found = simulated(tmp_path / "run", "h_outbreak_swap", population__patients=400, horizon_days=80,
                      outbreak_swap__periods=2, outbreak_swap__pricing_paths=20, outbreak_swap__neighbours=5,
                      epidemic__reproduction_number=4,
                      pandemic_bond="{pricing_paths: 20, pricing_days: 100}",
                      morbidity_forward="{base_start: 35, base_days: 15, term_days: 25}")
    html = render(found)
    for shown in ("<h2>Health derivatives</h2>", "Hedge effectiveness", "Reported incidence", "Incidence swaps",
                  "Pandemic bond", "Price, basis risk, trigger", "Trend of claims per member"):
        assert shown in html


def drawn(build: Build, found: Run) -> str:
    """What a chapter draws of a run, as HTML."""
    chapter = Chapter("Chapter", "c")
    build(chapter, found)
    return chapter.html()


NEW_CHAPTERS: tuple[Build, ...] = (lending_chapter, stablecoin_chapter, synthetics_chapter, forecasts_chapter,
                                   adversaries_chapter)


@pytest.mark.parametrize("build", NEW_CHAPTERS)
def test_nothing_is_drawn_without_the_mechanism(build: Build, circle: Run) -> None:
    assert drawn(build, circle) == ""


@pytest.fixture(scope="module")
def spiral(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An algorithmic coin that collapses."""
    return simulated(tmp_path_factory.mktemp("spiral") / "run", "s3_stablecoin_spiral", population__patients=30,
                     horizon_days=12, shocks="[{day: 3, kind: redemption_wave, share: 0.3}]")


def test_an_algorithmic_coin_stands_against_its_basins(spiral: Run) -> None:
    html = drawn(stablecoin_chapter, spiral)
    for shown in ("Price of the coin", "Two basins", "Price of the share", "Shares outstanding", "Cash behind a coin",
                  "Redemptions", "Holders who leave", "Peg, run and losses"):
        assert shown in html
    assert "Collateral ratio" not in html
    assert spiral.series("stablecoin.price").iloc[-1] < levels.BROKEN  # type: ignore[union-attr]
    assert levels.wide_range(spiral.series("stablecoin.share_price").to_frame())  # type: ignore[union-attr]


def test_the_figures_of_the_expectations_come_first(spiral: Run) -> None:
    html = key_figures(spiral)
    first = html.index("What this scenario asks about")
    assert expected(spiral) == ["stablecoin.in_between", "stablecoin.price_end"]
    assert first < html.index("stablecoin at the end, mean of five days") < html.index("health token at the end")
    assert html.count("stablecoin at the end, mean of five days") == 1


def test_troves_have_their_collateral_ratio(tmp_path: Path) -> None:
    html = drawn(stablecoin_chapter, simulated(
        tmp_path / "run", "s3_stablecoin_spiral", population__patients=30, horizon_days=12,
        stablecoin__form="over_collateralised"))
    assert "Collateral ratio" in html
    assert "Two basins" not in html
    assert "Shares outstanding" not in html


def test_lending_and_its_attacker(tmp_path: Path) -> None:
    found = simulated(tmp_path / "run", "s3_collateral_manipulation", population__patients=30, horizon_days=14)
    html = drawn(lending_chapter, found)
    for shown in ("Debt and its collateral", "Utilisation", "Interest rates", "Collateral over debt",
                  "Losses, and who gained"):
        assert shown in html
    assert "Auctions of collateral" not in html
    row = outcomes(found.metrics).loc["price_manipulator"]
    assert row["profit"] == found.metrics["price_manipulator.profit"]
    assert row["attempts"] == (found.metrics["price_manipulator.attacks"]
                               + found.metrics["price_manipulator.failed_attacks"]) >= 1
    assert "Manipulator of a price" in drawn(adversaries_chapter, found)
    assert spending(found, "price_manipulator")[0][0] > 0


def test_auctions_are_part_of_lending(tmp_path: Path) -> None:
    found = simulated(tmp_path / "run", "s3_zero_bid_auctions", population__patients=30)
    settled, zero = (found.series(f"collateral_auctions.{what}") for what in ("settled", "zero_bids"))
    assert settled is not None
    assert zero is not None
    share = lending.zero_bid_share(settled, zero)
    assert share.iloc[-1] == pytest.approx(found.metrics["collateral_auctions.zero_bid_share"])
    assert share.index[0] == settled.index[settled > 0][0]
    html = drawn(lending_chapter, found)
    assert "Auctions of collateral" in html
    assert "Lots won at zero" in html


def test_synthetics_have_their_chapter(tmp_path: Path) -> None:
    html = drawn(synthetics_chapter, simulated(tmp_path / "run", "s3_liquidation_cascade", population__patients=30,
                                               horizon_days=12))
    for shown in ("Debt pool", "C-ratio", "Price of sMED against the index", "Liquidations", "Peg, losses and hedges"):
        assert shown in html


def test_forecasts_are_scored(tmp_path: Path) -> None:
    found = simulated(
        tmp_path / "run", "s3_forecast_signal", population__patients=60, horizon_days=70, insurers__forecast_weight=0.0,
        shocks="[]", prediction_markets__markets="[{subject: cost_growth, thresholds: [0.02, 0.06], first_day: 2, "
        "interval_days: 20, trading_days: 10, window_days: 30}]")
    scores = forecasts.scores(found.forecasts)
    assert len(scores) == found.metrics["prediction_markets.settled"] >= 2
    assert scores["close"].mean() == pytest.approx(found.metrics["prediction_markets.brier"])
    assert scores["uniform"].mean() == pytest.approx(found.metrics["prediction_markets.brier_uniform"])
    html = drawn(forecasts_chapter, found)
    for shown in ("Market on cost growth", "Calibration of prediction markets", "Brier score by market",
                  "Settled markets", "Accuracy, and who paid for it"):
        assert shown in html


def test_every_name_in_the_new_chapters_is_declared() -> None:
    """A renamed metric, series or parameter would drop out of the page unseen."""
    types = section_types()
    metrics = set(metrics_of(types))
    named = {name for _, figures in KEY_FIGURES for name, _, _ in figures}
    for one in ADVERSARIES:
        named |= set(one.spent)
        named |= {f"{one.name}.{part}" for part in (*one.tries, one.went_through, one.decided, one.denied, one.expected,
                                                    one.loss, "profit") if part}
    assert named - metrics == set()
    declared = metrics | set(series_of(types)) | {
        f"{name}.{field}" for name, section in types.items() for field in section.model_fields}
    for build in NEW_CHAPTERS:
        told = re.findall(r'"([a-z_]+\.[a-z_0-9]+)"', Path(inspect.getsourcefile(build) or "").read_text("utf-8"))
        assert set(told) - declared == set()
        assert told


def test_shares_that_went_through_are_those_not_denied() -> None:
    found = outcomes({"oracle_briber.filed": 12.0, "oracle_briber.decided": 10.0, "oracle_briber.accuracy": 0.2,
                      "oracle_briber.profit": 7.0, "oracle_briber.pool_loss": 9.0})
    assert found.loc["oracle_briber", ["attempts", "went_through", "profit", "loss"]].tolist() == [12.0, 8.0, 7.0, 9.0]
