"""The dashboard in a real browser that is cut off from every network: open, change, step, compare, play, phone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the dashboard in")

CLOCK = "document.getElementById('clock').innerText"
FAULTS = "document.getElementById('faults')"
PICTURES = "document.querySelectorAll('#pictures img')"
OTHER = "document.querySelector('#figures th:nth-child(3)')"


@pytest.fixture
def page(address: str, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(tmp_path / "profile")
    try:
        browser.open(address)
        browser.wait_for(f"document.readyState === 'complete' && {PICTURES}.length >= 8", 100)
        yield browser
    finally:
        browser.close()


def test_change_step_compare_play(page: Browser) -> None:
    assert page.run(CLOCK) == "1 of 40 days"
    assert page.run(f"{OTHER}.innerText") == "unchanged"

    page.type_into("[name='population.patients']", "many")
    page.wait_for(f"!{FAULTS}.hidden")
    assert "population.patients: 'many' is not allowed; expected: whole number" in page.run(f"{FAULTS}.innerText")
    page.type_into("[name='population.patients']", "300")
    page.wait_for(f"{FAULTS}.hidden")
    page.type_into("[name='liquidity_providers.opening_scr_ratio']", "3")
    before = page.run(f"{PICTURES}[0].src")
    page.click("#reset")
    page.wait_for(f"{CLOCK} === '1 of 40 days' && {PICTURES}[0].src !== {before!r}", 120)
    assert page.run("document.querySelectorAll('.field.changed').length") == 2
    mine, theirs = page.run("[...document.querySelectorAll('#figures tr:nth-child(2) .number')].map(e => e.innerText)")
    assert mine != theirs  # the own funds of the changed market and of the one it is compared with

    page.click("#step")
    page.wait_for(f"{CLOCK} === '2 of 40 days'")
    page.run("document.getElementById('speed').value = '1'")
    page.click("#play")
    page.wait_for(f"parseInt({CLOCK}) >= 5")
    page.click("#play")
    page.wait_for("document.getElementById('view').getAttribute('aria-busy') === 'false'")
    paused = page.run(CLOCK)
    assert page.run("document.getElementById('play').innerText") == "Play"
    page.run("document.getElementById('speed').value = '30'")
    assert page.run(CLOCK) == paused
    page.click("#play")
    page.wait_for(f"{CLOCK} === '40 of 40 days'", 120)
    page.wait_for("document.getElementById('step').disabled && document.getElementById('play').disabled")
    assert "cost_inflation" in page.text()
    assert page.run(f"[...{PICTURES}].every(e => e.naturalWidth > 0 && e.alt.includes('day 40'))")
    assert page.errors == []


def test_other_comparison_and_phone(page: Browser) -> None:
    page.resize(390, 844)
    page.wait_for("!document.getElementById('reset').disabled")
    page.run("document.getElementById('against').value = 'variant:calm'")
    page.run("document.getElementById('against').dispatchEvent(new Event('change'))")
    page.click("#reset")
    page.wait_for(f"{OTHER} && {OTHER}.innerText === 'calm'", 120)
    assert page.run("document.documentElement.scrollWidth") <= 390
    assert page.run(f"[...{PICTURES}].every(e => e.getBoundingClientRect().width > 330)")
    page.wait_for("!document.getElementById('reset').disabled && document.getElementById('clock').innerText[0] === '1'")
    page.run("document.getElementById('against').value = 'nothing'")
    page.click("#reset")
    page.wait_for(f"{OTHER} === null", 120)
    assert page.run("document.getElementById('key').hidden")
    assert page.errors == []
