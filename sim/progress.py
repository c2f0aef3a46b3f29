"""How far long work has come: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import Any, TextIO

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts up to ``total``; use as a context manager. Nothing is shown of work that ends within a second or so."""

    def __init__(self, label: str, total: int, unit: str, stream: TextIO | None = None) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done = 0
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
                            TimeRemainingColumn(), console=Console(file=self._stream), transient=True)
            self._task = self._bar.add_task("", total=self.total)
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
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
        elif monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES and done < self.total:
            self._last_line = monotonic()
            print(f"{self.label}: {done:,} of {self.total:,} {self.unit}", file=self._stream, flush=True)

    def advance(self, by: int = 1) -> None:
        """Note that ``by`` more are finished."""
        self.to(self.done + by)

    def say(self, line: str) -> None:
        """Print a line above the bar, or as it is."""
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=self._stream, flush=True)
