"""How far long work has come: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Any, TextIO

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts up to ``total``; use as a context manager. Nothing is shown of work that ends within a second or so.
    ``rates`` adds units per second and the time left, both since the first call of :meth:`to`."""

    def __init__(
        self, label: str, total: int, unit: str, stream: TextIO | None = None, rates: bool = False,
    ) -> None:
        self.label, self.total, self.unit, self.rates = label, total, unit, rates
        self.done = 0
        self.note = ""
        """Shown behind the figures."""
        self._first: tuple[float, int] | None = None
        self._stream = stream if stream is not None else sys.stderr
        self._bar: Any = None
        self._task: Any = None
        self._last_line = monotonic()

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            from rich.console import Console
            from rich.markup import escape
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(TextColumn(escape(self.label)), BarColumn(), MofNCompleteColumn(), TextColumn(self.unit),
                            TimeRemainingColumn(), TextColumn("{task.fields[note]}", markup=False),
                            console=Console(file=self._stream), transient=True)
            self._task = self._bar.add_task("", total=self.total, note="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def to(self, done: int) -> None:
        """Note that ``done`` of the total are finished."""
        self.done = done
        if self.rates and self._first is None:
            self._first = monotonic(), done
        if self._bar is not None:
            rate = self._rate()[0] if self.rates else ""
            self._bar.update(self._task, completed=done, total=self.total,
                             note=", ".join(filter(None, [rate, self.note])))
        elif monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES and done < self.total:
            self._last_line = monotonic()
            figures = [f"{done:,} of {self.total:,} {self.unit}", *(self._rate() if self.rates else ()), self.note]
            print(f"{self.label}: {', '.join(filter(None, figures))}", file=self._stream, flush=True)

    def _rate(self) -> tuple[str, str]:
        """Units per second, and the time left, as text; empty before anything is done."""
        since, before = self._first or (monotonic(), self.done)
        spent, made = monotonic() - since, self.done - before
        if made <= 0 or spent <= 0:
            return "", ""
        left = (self.total - self.done) * spent / made
        return f"{made / spent:.3g} a second", f"{int(left) // 3600}:{int(left) // 60 % 60:02}:{int(left) % 60:02} left"

    def advance(self, by: int = 1) -> None:
        """Note that ``by`` more are finished."""
        self.to(self.done + by)

    def say(self, line: str) -> None:
        """Print a line above the bar, or as it is."""
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=self._stream, flush=True)
