"""Chapters of mechanisms that most runs do without: reinsurance, contagion, epidemics."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.contagion_chapter import failures
from analysis.load import Run, load_run
from analysis.report import render
from sim.model import run
from sim.scenario.load import load_scenario

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
