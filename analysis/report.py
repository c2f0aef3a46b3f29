"""One self-contained HTML page of a run that a person can mail.

Question, verdict on each expectation, key figures, pictures with a sentence on what to see, events, how to reproduce.
Pictures are inline SVG; all text from files is escaped; the same folder gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from analysis.chapters import CHAPTERS
from analysis.glossary import NOTHING_KNOWN, Glossary, changed, shown
from analysis.key_figures import count, key_figures
from analysis.load import Run, load_run
from analysis.page import Chapter, document, folded, number, section, table, text, write_page
from analysis.plots.style import short
from analysis.recorded import recorded_html

REPORT = "report.html"

ROUTINE = ("governance.", "research.")
"""Kinds of event that have a place of their own, or happen all the time: only their number is given."""


def verdicts(run: Run) -> str:
    """How the run stands to each expectation, as HTML.

    >>> verdicts(run)[:3]
    '<p>'
    """
    rows = run.expectations
    if not rows:
        return "<p>This run has no expectation to be held against.</p>"
    marks = {True: '<span class="yes">✓ met</span>', False: '<span class="no">✗ not met</span>',
             None: '<span class="open">? open</span>'}
    states = [row.get("met") if isinstance(row.get("met"), bool) else None for row in rows]
    told = ", ".join(f"{states.count(state)} {word}" for state, word in (
        (True, "met"), (False, "not met"), (None, "that one run cannot tell")) if states.count(state))
    body = [[marks[state], text(row.get("statement", "")) + f'<small>{text(row.get("source") or "")}</small>',
             number(row.get("value"))] for state, row in zip(states, rows, strict=True)]
    return (f"<p>Of {len(rows)} expectations: {told}.</p>"
            + table(["verdict", "expectation and its source", "this run"], body, (2,))
            + '<p class="meta">Expectations on averages, on shares of runs and on differences between variants are '
              "decided by <code>check</code>, over all replications; one run is a sample of one.</p>")


def figures_html(metrics: Mapping[str, float]) -> str:
    """Every figure of the run, folded, as HTML.

    ``metrics`` are name -> value, each in its figure's unit.

    >>> figures_html(run.metrics).count("<table>")
    1
    """
    rows = [[f"<code>{text(metric)}</code>", number(value)] for metric, value in sorted(metrics.items())]
    return folded(f"{len(rows)} figures of this run", table(["figure", "value"], rows, (1,)))


def events_html(run: Run, first: int = 15, most: int = 300) -> str:
    """Shocks, defaults, gates and the like: the ``first`` rows, the next up to ``most`` folded; of routine kinds only
    the number.

    >>> events_html(run).count("<table>")
    1
    """
    events = run.events
    if events.empty:
        return "<p>None.</p>"
    routine = events["kind"].str.startswith(ROUTINE)
    told, counts = events[~routine], events.loc[routine, "kind"].value_counts()
    parts = []
    heads = ["day", "event", "subject", "amount", "details"]
    if len(told):
        rows = [[number(int(day)), text(str(kind).replace("_", " ")), text(subject),
                 short(float(amount)) if amount else "",
                 text(", ".join(f"{name} {value}" for name, value in details.items()))]
                for day, kind, subject, amount, details in zip(
                    told["day"].head(most), told["kind"], told["subject"], told["amount"], told["details"],
                    strict=False)]
        parts.append(table(heads, rows[:first], (3,)))
        if len(rows) > first:
            parts.append(folded(f"{len(rows) - first} more", table(heads, rows[first:], (3,))))
    if len(told) > most:
        parts.append(f'<p class="meta">{len(told) - most} more are in events.parquet.</p>')
    if len(counts):
        listed = ", ".join(f"{counts[kind]} {kind}" for kind in sorted(counts.index))
        parts.append(f'<p class="meta">Besides: {text(listed)}.</p>')
    return "".join(parts)


def shock_days(run: Run) -> dict[int, str]:
    """Days of the scenario's shocks with their names, for marking them in figures.

    >>> shock_days(run)
    {20: 'fee spike'}
    """
    shocks = run.events[run.events["kind"] == "shock"]
    marks: dict[int, str] = {}
    for day, subject in zip(shocks["day"], shocks["subject"], strict=True):
        name = str(subject).replace("_", " ")
        marks[int(day)] = f"{marks[int(day)]}, {name}" if int(day) in marks else name
    return marks


def chapters_html(run: Run, glossary: Glossary = NOTHING_KNOWN) -> str:
    """All chapters that the run has data for, as HTML, the last one on series that no other asked for; ``glossary``
    tells those series' units.

    >>> "Solvency and reserves" in chapters_html(run)
    True
    """
    marks = shock_days(run)
    run.asked.clear()
    parts = []
    for place, (title, build) in enumerate(CHAPTERS):
        chapter = Chapter(title, f"c{place}f", marks)
        build(chapter, run)
        parts.append(chapter.html())
    parts.append(recorded_html(run, glossary))
    return "".join(parts)


def reproduce(run: Run) -> str:
    """What makes the same run again, as HTML.

    >>> reproduce(run).count("--seed 7")
    1
    """
    manifest = run.manifest
    versions = manifest.get("versions")
    named = ", ".join(f"{name} {version}" for name, version in sorted(versions.items())) \
        if isinstance(versions, dict) else "unknown"
    commit = str(manifest.get("commit") or "unknown")
    return (f"<pre>python run_sim.py run scenario.yaml --seed {text(manifest.get('seed'))}</pre>"
            '<p class="meta">with the scenario.yaml of this folder. Configuration '
            f"{text(str(manifest.get('config_hash'))[:16])}, commit {text(commit[:12])}; {text(named)}.</p>"
            + folded("scenario.yaml", f"<pre>{text(run.scenario_text)}</pre>"))


def settings_html(scenario: Mapping[str, Any], glossary: Glossary, swept: Collection[str] = ()) -> str:
    """The parameters of a resolved scenario that differ from their defaults, those of ``swept`` (dotted paths) left
    out, as HTML; empty where defaults are unknown. Values stand in the parameters' units.

    >>> settings_html({"a": {"b": 1}}, Glossary(defaults={"a.b": 2})).count("<tr>")
    2
    """
    if not glossary.defaults or not scenario:
        return ""
    rows = [[f"<code>{text(path)}</code>", shown(value), shown(default)]
            for path, value, default in changed(scenario, glossary.defaults) if path not in swept]
    if not rows:
        return "<p>None: every parameter has its default.</p>"
    return table(["parameter", "here", "default"], rows)


def render(run: Run, glossary: Glossary = NOTHING_KNOWN) -> str:
    """The whole page as HTML; raises :class:`FolderError` where a file of the folder is missing or damaged.

    >>> render(run).count("<h1>")
    1
    """
    name, scenario = str(run.manifest.get("name", "run")), run.scenario
    facts = [f"{count(run.setting('population.patients', 0))} patients", f"{count(run.days)} days",
             f"seed {run.manifest.get('seed')}"]
    if "stage" in scenario:
        facts.append(f"stage {scenario['stage']}")
    body = (section("Expectations", verdicts(run)) + section("Key figures", key_figures(run, glossary))
            + chapters_html(run, glossary) + section("Events", events_html(run))
            + section("Parameters that differ from their defaults", settings_html(scenario, glossary))
            + section("All figures", figures_html(run.metrics), screen_only=True)
            + section("How to reproduce", reproduce(run)))
    return document(name, str(scenario.get("question", "")),
                    f"{', '.join(facts)}. One run: its figures have no sampling interval.", body)


def write_report(folder: str | Path, glossary: Glossary = NOTHING_KNOWN) -> Path:
    """Write ``report.html`` into the folder of a run, whole or not at all, and return its path.

    ``glossary`` has the defaults that parameters are held against. Raises :class:`FolderError` where the folder is not
    a run's, or cannot be written.

    >>> write_report(run_folder).name
    'report.html'
    """
    run = load_run(folder)
    return write_page(run.folder / REPORT, render(run, glossary))
