"""One self-contained HTML page of a comparison: what differs between A and B, by how much, and how sure that is."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.batch import METRIC
from analysis.batch_pictures import CASCADE, LOSSES, RUIN, RUIN_DAY, add_cascades, add_survival, add_tails
from analysis.compare import HELPS, HELPS_WELL, Row, differs, rows_of, sentence, verdict_on_pairing
from analysis.comparison import Comparison, load_comparison
from analysis.glossary import NOTHING_KNOWN, Glossary, shown
from analysis.load import FolderError
from analysis.page import Chapter, document, folded, number, section, table, text, write_page
from analysis.plots import compare as plots

REPORT = "report.html"

HEADLINE = ("insurance.premium_earned", "insurance.paid_claims", "insurance.incurred_loss_ratio",
            "insurance.lowest_mcr_ratio", "insurance.any_default", "claims.delay_p50",
            "patients.uninsured_rate", "patients.catastrophic_share", "liquidity_providers.yield",
            "liquidity_providers.withdrawals", "amm.price_end", "contagion.failures", "governance.turnout")
"""Figures that most readers look for first."""


def headline(differences: pd.DataFrame, most: int = 14) -> list[str]:
    """The figures to tell first: those of :data:`HEADLINE`, then those that differ most surely.

    ``differences`` is figures x columns of :func:`analysis.compare.compare`, each row in its figure's unit; at most
    ``most`` names.

    >>> headline(comparison.differences)[:2]
    ['insurance.premium_earned', 'insurance.paid_claims']
    """
    first = [name for name in HEADLINE if name in differences.index]
    half = (differences["high"] - differences["low"]) / 2
    sure = (differences["difference"].abs() / half).where((half > 0) & half.notna())
    rest = [str(name) for name in sure.sort_values(ascending=False, kind="stable").dropna().index if name not in first]
    return (first + rest)[:most]


def render_comparison(comparison: Comparison, glossary: Glossary = NOTHING_KNOWN) -> str:
    """The whole page as HTML.

    >>> render_comparison(comparison).count("<h1>")
    1
    """
    a, b = comparison.labels
    about = comparison.about
    questions = [str(about[side].get("question", "")) for side in ("a", "b")]
    pairs = int(about.get("pairs", 0))
    apart = [f"of {side.upper()} {about[side].get('failed')} failed and {about[side].get('without_partner')} had no "
             "partner" for side in ("a", "b") if about[side].get("without_partner") or about[side].get("failed")]
    facts = (f"A is {a}, B is {b}; differences are B less A. {pairs} pair{'s' if pairs != 1 else ''} of runs on the "
             "same seeds." + (f" Left out: {'; '.join(apart)}." if apart else ""))
    asked = next((one for one in reversed(questions) if one), "")
    body = (section("What differs", _told(comparison, glossary))
            + _pictures(comparison, glossary)
            + section("Parameters that differ between A and B", _changes(about.get("changes"), a, b))
            + section("All figures", _all_figures(comparison.differences, glossary), screen_only=True)
            + section("How to read and reproduce this", _reproduce(comparison)))
    return document(f"{b} against {a}", asked, facts, body)


def _told(comparison: Comparison, glossary: Glossary) -> str:
    """Sentence on pairing, and the table of the headline figures."""
    differences = comparison.differences
    known = rows_of(differences)
    rows = [(name, known[name]) for name in headline(differences)]
    body = [[_verdict(row), _named(name, glossary), number(row["mean_a"]), number(row["mean_b"]),
             number(row["difference"]), _interval(row["low"], row["high"]), str(int(row["pairs"])), times(row)]
            for name, row in rows]
    heads = ["", "figure", "mean of A", "mean of B", "difference", "95 % interval", "pairs", "unpaired is wider by"]
    verdict = f"<p>{text(verdict_on_pairing(differences))}</p>" if comparison.about.get("pairs", 0) > 1 else \
        "<p>One pair: a difference, and no interval. Replications (<code>batch -n</code>) tell how sure it is.</p>"
    return verdict + table(heads, body, (2, 3, 4, 5, 6, 7))


def _verdict(row: Row) -> str:
    """Whether the difference is sure, as HTML."""
    state = differs(row)
    if state is None:
        return '<span class="open">?</span>'
    if not state:
        return '<span class="open">not told apart</span>' if row["high"] > row["low"] else \
            '<span class="open">equal</span>'
    return f'<span class="yes">{"▲ higher" if row["difference"] > 0 else "▼ lower"}</span>'


def _named(name: str, glossary: Glossary) -> str:
    """A figure's name, unit and meaning as HTML."""
    unit = glossary.unit(name)
    meaning = glossary.meaning(name)
    told = f"{meaning}{f', {unit}' if unit else ''}" if meaning != name else unit
    return f"<code>{text(name)}</code>" + (f"<small>{text(told)}</small>" if told else "")


def _interval(low: float, high: float) -> str:
    """An interval as HTML; a dash where nothing is known."""
    return f"{number(float(low))} to {number(float(high))}" if math.isfinite(low) and math.isfinite(high) else "–"


def times(row: Row) -> str:
    """How much wider the unpaired interval is, as HTML; where pairing does not help it says so.

    ``row`` is one of :func:`analysis.compare.compare`; its ``narrowing`` is a ratio without unit.

    >>> times({"narrowing": 12.34})
    '12.3 ×'
    """
    wider = float(row["narrowing"])
    if math.isnan(wider):
        return "–"
    if math.isinf(wider):
        return "∞"
    told = f"{wider:,.0f} ×" if wider >= 100 else f"{wider:.3g} ×"
    return f"{told} <small>pairing does not help</small>" if wider < HELPS else told


def _pictures(comparison: Comparison, glossary: Glossary) -> str:
    """Intervals, days, and pairs, as chapters of HTML."""
    differences = comparison.differences
    rows = rows_of(differences)
    parts = []
    chapter = Chapter("Pictures", "p")
    varied = [name for name in headline(differences)
              if not math.isnan(rows[name]["narrowing"]) and rows[name]["mean_a"] != 0]
    if varied:
        shown_rows = differences.loc[varied]
        chapter.figure(lambda axes: plots.paired_and_unpaired(axes, shown_rows, varied),
                       "Both intervals are from the same runs. The paired one is narrow where the two worlds stay "
                       "alike; an interval that crosses the line of 0 does not tell A and B apart.", over_time=False,
                       width=10.8, height=1.0 + 0.28 * len(varied), margins=(2.5, 0.2, 0.5, 0.34))
    apart = [name for name in varied if rows[name]["difference"] != 0]
    for name in [*apart, *(name for name in varied if name not in apart)][:2]:
        pairs = comparison.of_pair(name)
        chapter.figure(
            partial(plots.scatter, pairs=pairs, title=name, unit=glossary.axis(name), labels=("A", "B")),
            f"{glossary.meaning(name)}. Each point is one seed. The closer the points are to a line, the more the two "
            "runs share.", over_time=False)
    groups = {letter: pd.DataFrame({METRIC + name: comparison.pairs[f"{letter.lower()}.{name}"]
                                    for name in (*LOSSES, RUIN, RUIN_DAY, CASCADE) if name in rows})
              for letter in ("A", "B")}
    add_survival(chapter, groups)
    add_tails(chapter, groups, glossary, fits=False)
    add_cascades(chapter, groups)
    parts.append(chapter.html())
    parts.append(_days(comparison, glossary))
    return "".join(parts)


def _days(comparison: Comparison, glossary: Glossary) -> str:
    """Day by day differences, as a chapter of HTML."""
    chapter = Chapter("Day by day", "d")
    daily, window = comparison.daily, int(comparison.about.get("window", 1))
    for name in dict.fromkeys(daily.index.get_level_values("series")) if len(daily) else ():
        days = daily.loc[name]
        if days["difference"].abs().max() > 0:
            unit = glossary.axis(name, over_time=True)
            chapter.figure(partial(plots.band, table=days, title=name, unit=unit, window=window),
                           f"{glossary.meaning(name)}: B less A.")
    return chapter.html()


def _changes(changes: list[dict[str, Any]] | None, a: str, b: str) -> str:
    """Table of the parameters that differ, as HTML."""
    if changes is None:
        return "<p>Unknown: a folder does not hold its resolved scenario.</p>"
    if not changes:
        return "<p>None: both sides state the same market.</p>"
    rows = [[f"<code>{text(row.get('path'))}</code>", shown(row.get("a")), shown(row.get("b"))] for row in changes]
    return table(["parameter", f"A: {text(a)}", f"B: {text(b)}"], rows)


def _all_figures(differences: pd.DataFrame, glossary: Glossary) -> str:
    """Every figure in words, folded."""
    lines = "".join(f"<li>{text(sentence(name, row, glossary.unit(name)))}</li>"
                    for name, row in rows_of(differences).items())
    return folded(f"{len(differences)} figures", f"<ul>{lines}</ul>")


def _reproduce(comparison: Comparison) -> str:
    """How to read the intervals and how to make the comparison again, as HTML."""
    about = comparison.about
    folders = [str(about[side].get("folder")) for side in ("a", "b")]
    options = str(about.get("options", ""))
    command = f"python run_sim.py compare {' '.join(dict.fromkeys(folders))}{f' {options}' if options else ''}"
    kind = "BCa bootstrap" if about.get("method") == "bootstrap" else "Student's t"
    return (f"<pre>{text(command)}</pre><p class=\"meta\">Intervals are {kind} over pairs at 95 %, each by itself: of "
            "many figures that do not differ, one in twenty will seem to. Figures that are 0 or 1 have Bonett and "
            "Price's. The unpaired interval is Welch's (Newcombe's for 0 and 1) on the same runs; where it is at "
            f"least {HELPS_WELL:g} times as wide, unpaired runs would have to be at least {HELPS_WELL**2:g} times as "
            "many for the same certainty.</p>")


def write_comparison_report(folder: str | Path, glossary: Glossary = NOTHING_KNOWN) -> Path:
    """Write ``report.html`` into a comparison's folder and return its path.

    Raises :class:`FolderError` where the folder is not a comparison's, is damaged, or cannot be written.

    >>> write_comparison_report(comparison_folder).name
    'report.html'
    """
    try:
        page = render_comparison(load_comparison(folder), glossary)
    except (KeyError, AttributeError, TypeError) as error:
        raise FolderError(f"{folder} is damaged: its comparison.json and tables do not fit together") from error
    return write_page(Path(folder) / REPORT, page)
