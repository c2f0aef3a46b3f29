"""The report in a real browser, at desktop and phone width."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
               None)


@pytest.mark.skipif(BROWSER is None, reason="no chromium to open the page in")
@pytest.mark.parametrize("width", [1280, 390])
def test_page_is_drawn_and_fits(width: int, page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},4000",
         f"--screenshot={picture}", page.as_uri()],
        check=True, capture_output=True, timeout=120)
    pixels = imread(picture)[:, :, :3]
    assert pixels.shape[1] == width
    ink = (pixels < 0.99).any(axis=2)
    assert ink.any(axis=1).mean() > 0.5  # rows with something on them: the page fills the window
    assert not ink[:, -8:].any()  # the margin is free: nothing is wider than the window
    blue = np.abs(pixels - np.array([0.0, 0x72 / 255, 0xB2 / 255])).max(axis=2) < 0.03
    assert blue.sum() > 1000  # figures are drawn
