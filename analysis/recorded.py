"""What else a run recorded: every series that no chapter asked for, as small panels with their units.

A mechanism that has no chapter of its own is still seen here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from analysis.glossary import NOTHING_KNOWN, Glossary
from analysis.load import Run
from analysis.page import Chapter, folded, number, table, text
from analysis.plots import panels

TITLE = "What else was recorded"
A_FIGURE = 8
"""Panels of one figure."""


def left_over(run: Run) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """(moving, constant) series that nobody asked ``run`` for: name -> days x 1 (market) or days x institutions, and
    name -> the value of those that never changed; in the units of the series.

    >>> run.asked.clear()
    >>> run.series("amm.price").name in left_over(run)[0]
    False
    """
    asked = set(run.asked)
    moving: dict[str, pd.DataFrame] = {}
    constant: dict[str, float] = {}
    for names, whole in ((run.daily, True), (run.institutions, False)):
        for name in sorted(set(map(str, names)) - asked):
            found = names[name].dropna()
            if found.empty:
                continue
            if found.nunique() == 1:
                constant[name] = float(found.iloc[0])
            else:
                moving[name] = found.to_frame() if whole else found.unstack("institution")
    run.asked.intersection_update(asked)
    return dict(sorted(moving.items())), dict(sorted(constant.items()))


def recorded_html(run: Run, glossary: Glossary = NOTHING_KNOWN) -> str:
    """The chapter as HTML, its figures folded by mechanism; empty where every series was asked for. Units are those of
    ``glossary``.

    >>> recorded_html(run).count("<h2>")
    1
    """
    moving, constant = left_over(run)
    if not moving and not constant:
        return ""
    parts = []
    for place, mechanism in enumerate(dict.fromkeys(name.partition(".")[0] for name in moving)):
        names = [name for name in moving if name.partition(".")[0] == mechanism]
        parts.append(folded(f"{mechanism.replace('_', ' ')}, {len(names)} series",
                            _figures(mechanism, {name: moving[name] for name in names}, glossary, f"r{place}f",
                                     run.days)))
    if constant:
        rows = [[f"<code>{text(name)}</code><small>{text(_told(name, glossary))}</small>", number(value)]
                for name, value in constant.items()]
        parts.append(folded(f"{len(constant)} series that never changed", table(["series", "value"], rows, (1,))))
    return (f'<section class="screen"><h2>{TITLE}</h2><p class="meta">Series without a picture above; those of '
            "institutions as their range and median.</p>" + "".join(parts) + "</section>")


def _told(name: str, glossary: Glossary) -> str:
    """Description and unit of a series."""
    meaning, unit = glossary.meaning(name), glossary.axis(name, over_time=True)
    return f"{meaning}, {unit}" if meaning != name else unit


def _figures(mechanism: str, series: Mapping[str, pd.DataFrame], glossary: Glossary, prefix: str, days: int) -> str:
    """Figures of up to :data:`A_FIGURE` panels, and what the series are."""
    chapter = Chapter(mechanism, prefix)
    names = list(series)
    for part in np.array_split(np.arange(len(names)), -(-len(names) // A_FIGURE)):
        shown = {names[place].partition(".")[2]: series[names[place]] for place in part}
        units = {names[place].partition(".")[2]: glossary.axis(names[place], over_time=True) for place in part}
        chapter.figure(partial(panels.panels, series=shown, units=units, title=mechanism.replace("_", " "), days=days),
                       "", over_time=False, height=panels.height(len(part)))
    listed = "".join(f"<li><code>{text(name)}</code>: {text(_told(name, glossary))}</li>" for name in names)
    return f'<div class="figures">{"".join(chapter.figures)}</div><ul class="meta">{listed}</ul>'
