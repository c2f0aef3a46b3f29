"""Each kind of page in a real browser, at desktop and phone width."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from analysis.batch_report import write_batch_report
from analysis.comparison import compare_sides, side, write_comparison
from analysis.comparison_report import write_comparison_report

BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
               None)

A4 = 688
"""CSS pixels between the margins of a page."""


@pytest.fixture(scope="module")
def pages(page: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of a run, of a batch, and of a comparison."""
    spec = importlib.util.spec_from_file_location("batch_folders", Path(__file__).with_name("batch_folders.py"))
    assert spec is not None
    assert spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    folder = tmp_path_factory.mktemp("pages")
    batch = writer.write_batch(folder / "batch", failing=(4,))
    comparison = write_comparison(compare_sides(side(batch), side(batch, "apart")), folder / "comparison")
    return {"run": page, "batch": write_batch_report(batch), "comparison": write_comparison_report(comparison)}


@pytest.mark.skipif(BROWSER is None, reason="no chromium to open the page in")
@pytest.mark.parametrize("kind", ["run", "batch", "comparison"])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_is_drawn_and_fits(width: int, kind: str, pages: dict[str, Path], tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}",
         f"--window-size={width},{4000 if kind == 'run' else 1400}",
         f"--screenshot={picture}", pages[kind].as_uri()],
        check=True, capture_output=True, timeout=120)
    pixels = imread(picture)[:, :, :3]
    assert pixels.shape[1] == width
    ink = (pixels < 0.99).any(axis=2)
    assert ink.any(axis=1).mean() > 0.5  # rows with something on them: the page fills the window
    assert not ink[:, -8:].any()  # the margin is free: nothing is wider than the window
    blue = np.abs(pixels - np.array([0.0, 0x72 / 255, 0xB2 / 255])).max(axis=2) < 0.03
    assert blue.sum() > (1000 if kind == "run" else 200)  # figures are drawn


@pytest.mark.skipif(BROWSER is None, reason="no chromium to open the page in")
def test_printed_pages_are_not_cut_off(pages: dict[str, Path], tmp_path: Path) -> None:
    browser = importlib.import_module("tests.dashboard.browser").Browser(tmp_path / "profile", A4, 900)
    try:
        browser.call("Emulation.setEmulatedMedia", media="print")
        for page in pages.values():
            browser.open(page.as_uri())
            browser.wait_for(f"document.readyState === 'complete' && location.href === {page.as_uri()!r}")
            assert browser.run("document.documentElement.scrollWidth") <= A4
        assert browser.errors == []
    finally:
        browser.close()
