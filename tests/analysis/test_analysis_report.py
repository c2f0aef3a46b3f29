"""The report: whole, self-contained, escaped, the same for the same folder, and drawn for runs that lack parts."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis import solvency_chapter
from analysis.chapters import CHAPTERS, discover
from analysis.glossary import Glossary, Term
from analysis.load import FolderError, load_run
from analysis.report import chapters_html, verdicts, write_report

Folder = Callable[..., Path]

EVIL = "<script>alert(1)</script> & \"x\" '$\\frac{$' \u202e\x07"


class Tags(HTMLParser):
    """Counts opened tags and checks that they are closed in order."""

    EMPTY = frozenset({"meta", "path", "use", "rect", "image"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag and its id."""
        self.seen.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.seen.append(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        """The tag that closes must be the last one opened."""
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


def read(page: str) -> Tags:
    """The page's tags, all closed."""
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags


def test_page_has_every_chapter_and_what_the_readers_look_for(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    absent = {"Plans", "Reinsurance", "Epidemic", "Health derivatives", "Lending", "Stablecoin", "Synthetics",
              "Forecasts", "Adversaries"}  # mechanisms that the page's run has not
    chapters = [title for title, _ in CHAPTERS if title not in absent]
    assert not any(f"<h2>{title}</h2>" in html for title in absent)
    for title in (*chapters, "Expectations", "Key figures", "Events", "How to reproduce"):
        assert f"<h2>{title}</h2>" in html
    figures = set(re.findall(r'aria-label="([^"]*)"', html))
    assert figures >= {
        "Capital of the pools", "MCR %", "Premiums against claims", "Reserves", "Who bore the claims",
        "Claim delay, filing to decision", "Health token price", "Depth of the token&#x27;s pool",
        "Liquidity provider flows", "Price of the senior shares", "Without any cover (n = 4,000, 95 %)",
        "Catastrophic own payments (n = 4,000, 95 %)", "Claims between 3 institutions, day 199",
        "Capital waterfall of all pools",
        "Concentration of governance tokens", "Payments between sectors over the run, USD"}
    assert "2 proposals: 1 defeated, 1 executed." in html
    assert "123 %" in html
    assert "gate shut" in html


def test_page_stands_alone_and_its_references_resolve(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    tags = read(html)
    assert not {"script", "link", "img", "iframe"} & set(tags.seen)
    assert not re.findall(r'(?:src|href)="(?!#)', html)
    assert len(tags.ids) == len(set(tags.ids))
    wanted = set(re.findall(r'href="#([^"]*)"', html)) | set(re.findall(r"url\(#([^)]*)\)", html))
    assert wanted <= set(tags.ids)
    assert len(html) < 1_500_000


def test_text_from_files_is_escaped(write_folder: Folder) -> None:
    folder = write_folder(
        question=EVIL, pools=(EVIL, "WEST"), events=[(3, EVIL, EVIL, 1.0, {EVIL: EVIL}), (5, "shock", EVIL, 0.0, {})],
        flows=[(0, EVIL, "USDs", EVIL, "insurers", 5)],
        expectations=[{"statement": EVIL, "met": True, "value": EVIL, "source": EVIL}])
    page = write_report(folder).read_text(encoding="utf-8")
    assert "script" not in read(page).seen
    assert "alert(1)" in page
    assert "\u202e" not in page
    assert "\x07" not in page


def test_same_content_same_bytes_wherever_it_lies(page: Path, write_folder: Folder) -> None:
    folder = write_folder()
    assert write_report(folder).read_bytes() == page.read_bytes()
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_verdicts_say_what_one_run_can_tell(write_folder: Folder) -> None:
    page = verdicts(load_run(write_folder(expectations=[
        {"statement": "a == 1 on average", "met": True, "value": 1.0, "source": "first"},
        {"statement": "b == 1 on average", "met": False, "value": 2.5, "source": "second"},
        {"statement": "c == 1 in 95% of runs", "met": None, "value": None, "source": ""}])))
    assert "Of 3 expectations: 1 met, 1 not met, 1 that one run cannot tell." in page
    assert page.index("✓ met") < page.index("✗ not met") < page.index("? open")
    assert "<small>second</small>" in page


@pytest.mark.parametrize("days", [1, 8])
def test_short_runs_have_a_page(days: int, write_folder: Folder) -> None:
    page = write_report(write_folder(days=days)).read_text(encoding="utf-8")
    assert "<h2>People</h2>" in page
    read(page)


def test_a_run_without_pools_votes_and_payments_has_a_page(write_folder: Folder) -> None:
    page = write_report(write_folder(pools=(), market=("patients.uninsured",), events=[], flows=[])).read_text("utf-8")
    assert "<h2>Solvency and reserves</h2>" not in page
    assert "<h2>Where the money went</h2>" not in page
    assert 'aria-label="Uninsured"' in page


def test_a_folder_that_cannot_be_written_is_named(write_folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(pools=(), market=("patients.uninsured",), flows=[])

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(FolderError, match=r"cannot write .*report\.html: Permission denied"):
        write_report(folder)
    assert not [path for path in folder.iterdir() if "report" in path.name]


def test_chapters_are_found_by_their_files(tmp_path: Path) -> None:
    titles = [title for title, _ in CHAPTERS]
    assert titles[0] == "Solvency and reserves"
    assert titles.index("Reinsurance") < titles.index("Contagion")
    assert len(titles) == len(list(Path(solvency_chapter.__file__).parent.glob("*_chapter.py")))
    assert discover(tmp_path) == ()


def test_series_that_no_chapter_asks_for_are_drawn_with_their_units(write_folder: Folder) -> None:
    run = load_run(write_folder(market=("amm.price", "hedging.bought")))
    glossary = Glossary(series={"hedging.bought": Term("USD", "Spent on tokens.")})
    html = chapters_html(run, glossary)
    assert "hedging, 1 series" in html
    assert "<code>hedging.bought</code>: Spent on tokens, USD" in html
    assert "<code>amm.price</code>" not in html
