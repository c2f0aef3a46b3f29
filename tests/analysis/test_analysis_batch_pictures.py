"""Pictures over runs go into the pages of batches and comparisons where there is data, and only there."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.batch import load_batch
from analysis.batch_pictures import add_cascades, add_survival, add_tails, add_tornado
from analysis.batch_report import render_batch
from analysis.over_runs import ends_table
from analysis.page import Chapter
from analysis.plots.style import Ticks, head, house_style, make_room, mark_days, new_axes, percent, plain

write_batch: Callable[..., Path] = importlib.import_module("tests.analysis.batch_folders").write_batch


def titles(html: str) -> set[str]:
    """Titles of the pictures in a page."""
    return set(re.findall(r'aria-label="([^"]*)"', html))


def lossy(_variant: str, values: dict[str, float], world: np.random.Generator) -> dict[str, float]:
    """Ruin early in half of the worlds, heavy losses, cascades of up to three."""
    ruin = float(world.random() < 0.5)
    return {"insurance.any_default": ruin, "insurance.time_to_ruin_days": 5.0 + world.integers(20) if ruin else 40.0,
            "insurance.paid_claims": float(world.pareto(2.0)) * 1e5 + values.get("economy.tax_rate", 0.0),
            "contagion.cascade_size": ruin * float(world.integers(1, 4))}


def test_a_batch_of_many_runs_shows_days_ruin_and_tails(tmp_path: Path) -> None:
    found = titles(render_batch(load_batch(write_batch(tmp_path / "b", ("main",), 60, lossy))))
    assert {"insurance.total_capital (n = 60)", "Survival of markets (95 % interval)",
            "paid claims: exceedance (n = 60, 95 %)", "paid claims: QQ of the tail (n = 11)",
            "Sizes of cascades (n = 60, 95 %)"} <= found


def test_a_grid_of_two_parameters_has_maps_and_tornado_charts(tmp_path: Path) -> None:
    points = [{"economy.tax_rate": a, "insurance.mcr_gate": b} for a in (0.1, 0.2) for b in (1.0, 1.2)]
    batch = load_batch(write_batch(tmp_path / "b", ("main",), 3, lossy, points, "grid"))
    page = render_batch(batch)
    assert {"insurance.paid_claims: unit as recorded (n = 3 a cell)",
            "insurance.paid_claims (n = 6 an end)"} <= titles(page)
    assert "--sweep economy.tax_rate=0.1,0.2 --sweep insurance.mcr_gate=1.0,1.2" in page


def test_little_data_and_unbalanced_designs_draw_nothing(tmp_path: Path) -> None:
    chapter = Chapter("Empty", "e")
    runs = load_batch(write_batch(tmp_path / "b", ("main",), 4, lossy)).runs
    add_survival(chapter, {"main": runs})
    add_tails(chapter, {"main": runs})
    add_cascades(chapter, {"main": runs[:0]})
    points = [{"economy.tax_rate": tax, "insurance.mcr_gate": 1.0} for tax in (0.1, 0.2)]
    add_tornado(chapter, load_batch(write_batch(tmp_path / "m", ("main",), 3, lossy, points, "morris")),
                ["insurance.paid_claims"])
    assert chapter.html() == ""


def test_ends_are_extremes_of_a_grid_and_quarters_of_a_sample() -> None:
    rng = np.random.default_rng(2)
    x = rng.random(400)
    runs = pd.DataFrame({"status": "done", "param.a": x, "param.b": np.repeat([0.0, 1.0], 200),
                         "metric.m": 8.0 * x + np.repeat([0.0, 1.0], 200)})
    table = ends_table(runs, ["a", "b"], "m")
    assert table.loc["a", ["low", "high", "n"]].tolist() == pytest.approx([1.5, 7.5, 100], rel=0.05)
    assert table.loc["b", "n"] == 200
    assert (table["low_from"] < table["low"]).all()
    assert (table["high"] < table["high_to"]).all()


def test_ticks_tell_neighbours_apart() -> None:
    assert Ticks(percent).format_ticks([1.095, 1.0951, 1.0952]) == ["109.5 %", "109.51 %", "109.52 %"]
    assert Ticks(percent).format_ticks([0.1, 0.2]) == ["10 %", "20 %"]
    assert Ticks(plain).format_ticks([1.0, 1.0]) == ["1", "1"]


def test_legends_titles_and_marks_stay_inside_the_picture() -> None:
    with house_style():
        figure, axes = new_axes(5.3, 2.9, (2.6, 0.2, 0.46, 0.34))
        handles = [axes.plot([0, 100], [0, 1])[0] for _ in range(3)]
        head(axes, "A title much longer than the axes are wide", handles, ["a rather long name"] * 3)
        make_room(axes, 2.9)
        mark_days(axes, {95: "a late shock"})
        figure.canvas.draw()
        legend = axes.get_legend()
        assert legend is not None
        for artist in (legend, axes.title, axes.texts[0], axes._left_title):  # type: ignore[attr-defined]
            assert artist.get_window_extent().x1 <= 530
