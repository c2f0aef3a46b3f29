"""Progress on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest

from sim import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 4))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    stream = io.StringIO()
    with progress.Progress("toy", 10, "days", stream) as bar:
        for _ in range(10):
            bar.advance()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "toy: 3 of 10 days"
    assert 1 < len(lines) < 10


def test_quick_work_says_nothing() -> None:
    stream = io.StringIO()
    with progress.Progress("toy", 3, "days", stream) as bar:
        bar.to(3)
    assert stream.getvalue() == ""
    assert bar.done == 3


def test_a_bar_on_a_terminal_takes_names_literally() -> None:
    stream = Terminal()
    with progress.Progress("[red]toy[/red]", 3, "days", stream) as bar:
        bar.to(2)
        bar.say("[bold]line")
    assert "[red]toy[/red]" in stream.getvalue()
    assert "[bold]line" in stream.getvalue()
