"""The chapters of a run's report, found by listing this folder: each file ``<name>_chapter.py`` is one.

**How to add a chapter.** Write ``analysis/lending_chapter.py`` with a docstring and

- ``lending_chapter(chapter, run)``, which adds figures and tables to ``chapter`` and does nothing where ``run`` lacks
  the mechanism: ask ``run.series("lending.debt")``, or use :func:`analysis.market_figures.add_lines`, which skips
  series that were not recorded. Compute in a module of its own (``analysis/lending.py``) and draw in
  ``analysis/plots/``, so that notebooks can use both;
- ``TITLE, PLACE = "Lending", 65``: the heading, and where the chapter stands (the shipped ones have 10, 20 and so on).
  Without them the heading is the file's name and the chapter comes after the others.

No list is to be edited. Series that no chapter asks for are drawn by :mod:`analysis.recorded`, so that a mechanism
without a chapter is not lost.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from analysis.load import Run
from analysis.page import Chapter

Build = Callable[[Chapter, Run], None]
"""Adds what a run has to tell to a chapter."""

SUFFIX = "_chapter"
LAST = 1000
"""Place of a chapter that states none."""


def discover(folder: Path = Path(__file__).parent) -> tuple[tuple[str, Build], ...]:
    """(title, builder) of each ``*_chapter.py`` in ``folder``, a package importable as ``analysis``, in the order of
    their ``PLACE``, a number without unit, then of their names.

    >>> [title for title, _ in discover()][:2]
    ['Solvency and reserves', 'Liquidity providers']
    """
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}.py")):
        module = importlib.import_module(f"analysis.{path.stem}")
        title = str(getattr(module, "TITLE", path.stem.removesuffix(SUFFIX).replace("_", " ").capitalize()))
        found.append((float(getattr(module, "PLACE", LAST)), title, getattr(module, path.stem)))
    return tuple((title, build) for _, title, build in sorted(found, key=lambda one: one[:2]))


CHAPTERS = discover()
"""Titles and builders of the chapters, in the order of the page."""
