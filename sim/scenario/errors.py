"""What is wrong with a scenario: one sentence per fault, with the place where the faulty value stands.

Text that came from a file is shown only through :func:`shown`, which removes control characters and cuts long values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_LONGEST_SHOWN = 60
_MOST_SHOWN = 100


class RegistryError(RuntimeError):
    """A section that is written wrongly: a fault of the package that ships it, not of a scenario."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: a file and its line (1-based), or a command-line option, where there is no line."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: ``place: path: message``; ``path`` is the dotted path of the value, empty where there is none."""

    place: Place
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.path}: {self.message}" if self.path else f"{self.place}: {self.message}"


class ScenarioError(ValueError):
    """All faults of one scenario, in the order in which they stand in the files.

    ``str`` gives one per line, and after a hundred only says how many are left.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        seen = dict.fromkeys(problems)
        self.problems: tuple[Problem, ...] = tuple(sorted(seen, key=_reading_order))
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        left = len(self.problems) - len(lines)
        return "\n".join([*lines, f"... and {left:,} more faults"] if left else lines)


def _reading_order(problem: Problem) -> tuple[str, int, str, str]:
    return problem.place.file, problem.place.line or 0, problem.path, problem.message


def clean(text: object, longest: int = 200) -> str:
    """``text`` on one line, without control or invisible characters, at most ``longest`` characters."""
    flat = " ".join(str(text).split())
    printable = "".join(char for char in flat if char.isprintable())
    return printable if len(printable) <= longest else printable[: longest - 3] + "..."


def shown(value: Any) -> str:
    """``value`` as the writer of a scenario knows it: YAML words for null and booleans, quotes around text."""
    if value is None:
        return "null"
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, str):
        return f"'{clean(value, _LONGEST_SHOWN)}'"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "an empty list"
    return clean(value, _LONGEST_SHOWN)


def nearest(name: str, valid: Iterable[str]) -> str:
    """A clause naming the valid name closest to ``name``, or the valid names where none is close."""
    from difflib import get_close_matches

    names = sorted(set(valid))
    close = get_close_matches(name, names, n=1, cutoff=0.66)
    if not close:  # "patients" for "population.patients", or the other way round
        close = [candidate for candidate in names if candidate.rpartition(".")[2] == name.rpartition(".")[2]][:1]
    if close:
        return f"did you mean '{close[0]}'?"
    if not names:
        return "none is allowed here"
    listed = ", ".join(names[:12])
    return f"valid: {listed}" if len(names) <= 12 else f"valid: {listed} and {len(names) - 12} more"
