"""One self-contained HTML page of a batch: question, verdicts, key figures with runs and intervals, distributions."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from analysis.batch import DONE, METRIC, PARAMETER, Batch, load_batch
from analysis.batch_pictures import add_cascades, add_fans, add_maps, add_survival, add_tails, add_tornado
from analysis.batch_scenario import resolved
from analysis.compare import compare, differs, pair, rows_of
from analysis.comparison_report import HEADLINE, times
from analysis.glossary import NOTHING_KNOWN, Glossary, different, shown
from analysis.intervals import Floats, is_indicator, student, wilson
from analysis.load import FolderError
from analysis.page import Chapter, document, folded, number, section, table, text, write_page
from analysis.plots.compare import distributions, response
from analysis.report import settings_html
from analysis.sensitivity import DESIGNS
from analysis.sensitivity_report import sensitivity_chapter

REPORT = "report.html"
MAIN = "main"
Verdicts = Sequence[Mapping[str, Any]]
"""Rows of ``variant``, ``metric``, ``statement``, ``status``, ``sentence``, ``source``, ``note``: what the batch says
about each expectation. Judging is the simulator's, which knows what an expectation means."""

MOST_SHOWN = 8
"""Configurations that get a column or a row of their own; a larger design is shown by its parameters."""

PICTURES = 6
"""Figures whose distribution is drawn."""


def groups(batch: Batch) -> dict[str, pd.DataFrame]:
    """Finished runs by what is shown side by side: scenario and variant, and point where there are few.

    Label -> rows of ``batch.runs``.

    Columns and units are those of :attr:`analysis.batch.Batch.runs`.

    >>> {label: len(rows) for label, rows in groups(batch).items()}
    {'main': 20, 'apart': 20}
    """
    done = batch.runs[batch.runs["status"] == DONE]
    several = done["scenario"].nunique() > 1
    by_point = 1 < len(batch.configurations) <= MOST_SHOWN
    keys = ["scenario", "variant", *(["point"] if by_point else [])]
    found = {}
    for values, rows in done.groupby(keys, sort=False):
        scenario, variant, *_ = values
        label = f"{scenario}/{variant}" if several else str(variant)
        if by_point and batch.parameters:
            told = ", ".join(f"{path.rpartition('.')[2]} {_value(rows[PARAMETER + path].iloc[0])}"
                             for path in batch.parameters)
            label = told if label == MAIN else f"{label}, {told}"
        found[label] = rows
    return found


def _value(value: Any) -> str:
    """A swept value in words."""
    plain = value.item() if hasattr(value, "item") else value
    return str(plain) if isinstance(plain, (bool, str)) else number(plain)


def key_names(batch: Batch, wishes: Verdicts = ()) -> list[str]:
    """Figures to tell first: those of the expectations, then the usual ones.

    Names alone, without values or units.

    >>> key_names(batch)[0]
    'insurance.premium_earned'
    """
    wanted = [str(row.get("metric", "")) for row in wishes]
    return [name for name in dict.fromkeys([*wanted, *HEADLINE]) if name in batch.figures]


def figures_table(shown_groups: Mapping[str, pd.DataFrame], names: list[str], glossary: Glossary) -> str:
    """Mean, 95 % interval and number of runs of each figure in each group, as HTML.

    ``shown_groups`` are those of :func:`groups`; units come from ``glossary``.

    >>> figures_table(groups(batch), ["insurance.paid_claims"], NOTHING_KNOWN).count("n = 20")
    2
    """
    rows = []
    for name in names:
        cells = []
        every = pd.concat([runs[METRIC + name] for runs in shown_groups.values()]).dropna()
        share = is_indicator(every.to_numpy(dtype="float64"), name)
        for runs in shown_groups.values():
            values: Floats = runs[METRIC + name].dropna().to_numpy(dtype="float64")
            cells.append(_estimate(values, share))
        unit, meaning = glossary.unit(name), glossary.meaning(name)
        told = f"{meaning}{f', {unit}' if unit else ''}" if meaning != name else unit
        rows.append([f"<code>{text(name)}</code>{f'<small>{text(told)}</small>' if told else ''}", *cells])
    return table(["figure", *(text(label) for label in shown_groups)], rows, range(1, len(shown_groups) + 1))


def _estimate(values: Floats, share: bool) -> str:
    """A mean with its interval and count, as HTML; a ``share`` of yes or no as a percentage."""
    if not len(values):
        return "–<small>n = 0</small>"
    low, high = wilson(int(values.sum()), len(values)) if share else student(values)
    mean = f"{100 * values.mean():.3g} %" if share else number(float(values.mean()))
    if not math.isfinite(low):
        return f"{mean}<small>no interval, n = 1</small>"
    edges = f"{100 * low:.3g} to {100 * high:.3g} %" if share else \
        f"{number(float(low))} to {number(float(high))}"
    return f"{mean}<small>{edges}</small><small>n = {len(values):,}</small>"


def verdicts_html(wishes: Verdicts) -> str:
    """The verdict on each expectation, as HTML.

    >>> verdicts_html([{"metric": "a.b", "status": "met", "statement": "a.b > 1"}]).count("✓ met")
    1
    """
    if not wishes:
        return "<p>Nothing was expected of this batch, or it was not judged.</p>"
    marks = {"met": '<span class="yes">✓ met</span>', "not met": '<span class="no">✗ not met</span>'}
    states = [str(row.get("status")) for row in wishes]
    told = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    several = len({row.get("variant") for row in wishes}) > 1
    body = []
    for state, row in zip(states, wishes, strict=True):
        stated = f"<b>{text(row.get('variant'))}:</b> " if several else ""
        stated += text(row.get("statement", ""))
        stated += f"<br>{text(row.get('sentence', ''))}<small>{text(row.get('source') or '')}</small>"
        stated += f"<small>Note: {text(row['note'])}</small>" if row.get("note") else ""
        body.append([marks.get(state, f'<span class="open">? {text(state)}</span>'), stated])
    return f"<p>Of {len(wishes)} expectations: {text(told)}.</p>" + table(
        ["verdict", "expectation, what the runs show, and its source"], body)


def against_main(batch: Batch, names: list[str], glossary: Glossary) -> str:
    """Paired differences of each variant from main on the same seeds, as HTML; empty where there is nothing to pair.

    Up to six figures a variant, in the units of ``glossary``, with 95 % intervals.

    >>> against_main(batch, ["insurance.paid_claims"], NOTHING_KNOWN)
    ''
    """
    rows = []
    for scenario in dict.fromkeys(s for s, _, _ in batch.configurations):
        variants = [v for v in dict.fromkeys(v for s, v, _ in batch.configurations if s == scenario) if v != MAIN]
        for variant in variants:
            try:
                a, b = pair(*(batch.metrics(one, scenario, 0)[names] for one in (MAIN, variant)))
            except FolderError:
                continue
            found = compare(a, b)
            rows += [[f"{text(variant)}", f"<code>{text(name)}</code>", f"{number(row['difference'])} "
                      f"{text(glossary.unit(str(name)))}", f"{number(row['low'])} to {number(row['high'])}",
                      str(int(row["pairs"])), times(row)]
                     for name, row in rows_of(found).items() if differs(row)][:6]
    if not rows:
        return ""
    heads = ["variant", "figure", "difference from main", "95 % interval", "pairs", "unpaired is wider by"]
    return table(heads, rows, (2, 3, 4, 5)) + (
        '<p class="meta">On the same seeds; only figures that differ surely, six for each variant. '
        "<code>compare</code> tells all.</p>")


def _failures(batch: Batch) -> str:
    """The runs that failed, with the command that repeats each, as HTML; empty where none did."""
    if batch.failed.empty:
        return ""
    rows = []
    for index, variant in zip(batch.failed["index"].head(20), batch.failed["variant"], strict=False):
        known = batch.failure(int(index))
        rows.append([f"{index}", text(variant), text(known.get("stage", "")),
                     text(": ".join(str(known[key]) for key in ("error", "message") if known.get(key)) or "unknown"),
                     f"<code>{text(known.get('command', ''))}</code>"])
    more = f'<p class="meta">{len(batch.failed) - 20} more are in failed/.</p>' if len(batch.failed) > 20 else ""
    return (f"<p>{len(batch.failed)} of {len(batch.runs)} runs failed and are left out of every figure.</p>"
            + table(["run", "variant", "stage", "error", "the same again"], rows) + more)


def _pictures(batch: Batch, shown_groups: Mapping[str, pd.DataFrame], names: list[str], glossary: Glossary) -> str:
    """Distributions over runs, or answers to a swept parameter, as HTML."""
    chapter = Chapter("Distributions over runs", "b")
    single = batch.parameters[0] if len(batch.parameters) == 1 and batch.design in ("grid", "lhs") \
        and is_numeric_dtype(batch.runs[PARAMETER + batch.parameters[0]]) else None
    varied = [name for name in names if batch.runs[METRIC + name].nunique() > 1][:PICTURES]
    for name in varied:
        meaning, unit = glossary.meaning(name), glossary.axis(name)
        if single is not None:
            done = batch.runs[batch.runs["status"] == DONE]
            swept = done[[PARAMETER + single, METRIC + name]].set_axis(["x", "y"], axis=1)
            chapter.figure(partial(response, swept=swept, title=name, unit=unit, parameter=single),
                           f"{meaning}, by {single}.", over_time=False)
            continue
        samples = {label: runs[METRIC + name] for label, runs in shown_groups.items()}
        longest = max(len(label) for label in samples) + 10
        chapter.figure(
            partial(distributions, samples=samples, title=name, unit=unit), f"{meaning}. Each point is one run.", False,
            height=1.05 + 0.5 * len(samples), margins=(min(2.4, 0.2 + 0.068 * longest), 0.2, 0.46, 0.34))
    return chapter.html()


def _over_runs(batch: Batch, shown_groups: Mapping[str, pd.DataFrame], names: list[str], glossary: Glossary) -> str:
    """Days, survival and tails over runs, and maps over swept parameters, as HTML."""
    drawn = dict(shown_groups) if len(batch.configurations) <= MOST_SHOWN else {}
    days, ends = Chapter("Day by day over runs", "d"), Chapter("Ruin and large losses", "e")
    if drawn:
        add_fans(days, batch, drawn, glossary)
        add_survival(ends, drawn)
        add_tails(ends, drawn, glossary)
        add_cascades(ends, drawn)
    swept = Chapter("Over the swept parameters", "w")
    varied = [name for name in names if batch.runs[METRIC + name].nunique() > 1][:PICTURES]
    add_maps(swept, batch, varied, glossary)
    add_tornado(swept, batch, varied[:4], glossary)
    return days.html() + ends.html() + swept.html()


def _settings(batch: Batch, glossary: Glossary) -> str:
    """Parameters of main that differ from their defaults, and what each variant changes, as HTML."""
    parts = []
    for scenario in dict.fromkeys(s for s, _, _ in batch.configurations):
        main = resolved(batch, scenario, MAIN, 0)
        parts.append(settings_html(main, glossary, batch.parameters))
        rows = [[text(variant), f"<code>{text(path)}</code>", shown(after), shown(before)]
                for variant in dict.fromkeys(v for s, v, _ in batch.configurations if s == scenario and v != MAIN)
                for path, before, after in (different(main, resolved(batch, scenario, variant, 0)) if main else [])]
        if rows:
            parts.append("<h3>What the variants change</h3>" + table(["variant", "parameter", "here", "main"], rows))
    for path in batch.parameters:
        values = batch.runs[PARAMETER + path]
        parts.append(f"<p>Swept: <code>{text(path)}</code>, {values.nunique()} values from "
                     f"{text(_value(values.min()))} to {text(_value(values.max()))}.</p>")
    return "".join(parts)


def _command(batch: Batch) -> str:
    """The command that makes the same runs again from the scenarios that the folder keeps."""
    words = ["python run_sim.py batch", *(shlex.quote(f"scenarios/{one.get('file')}") for one in batch.scenarios),
             f"-n {batch.plan.get('replications')}", f"--seed {batch.plan.get('master_seed')}"]
    known = {str(name) for one in batch.scenarios for name in one.get("variants", [MAIN])}
    ran = dict.fromkeys(variant for _, variant, _ in batch.configurations)
    words += [f"--variant {shlex.quote(name)}" for name in ran] if known - set(ran) else []
    if batch.design == "grid":
        values = {path: dict.fromkeys(batch.runs.sort_values("point")[PARAMETER + path].tolist())
                  for path in batch.parameters}
        words += [f"--sweep {shlex.quote(f'{path}=' + ','.join(map(str, found)))}" for path, found in values.items()]
    return " ".join([*words, "--out again"])


def _reproduce(batch: Batch) -> str:
    """What makes the same batch again, as HTML."""
    command, sampled = _command(batch), batch.design not in ("replications", "grid")
    where = "in this folder, whose scenarios/ holds the files as they were run" + (
        "; the sampled points stand in plan.json" if sampled else "")
    hashes = ", ".join(f"{one.get('name')} {str(one.get('config_hash'))[:16]}" for one in batch.scenarios)
    return (f"<pre>{text(command)}</pre><p class=\"meta\">{text(where)}. "
            f"Master seed {text(batch.plan.get('master_seed'))}; configuration {text(hashes)}. The seed of each "
            "run stands in runs.parquet. Intervals are 95 %: Wilson's for figures that are 0 or 1, Student's "
            "for means.</p>")


def render_batch(batch: Batch, glossary: Glossary = NOTHING_KNOWN, wishes: Verdicts = ()) -> str:
    """The whole page as HTML; ``wishes`` are the verdicts on what was expected.

    Raises :class:`FolderError` where a file of the folder is missing or damaged.

    >>> render_batch(batch).count("<h1>")
    1
    """
    shown_groups = groups(batch)
    names = key_names(batch, wishes)
    runs, done = len(batch.runs), int((batch.runs["status"] == DONE).sum())
    seeds = batch.runs["replication"].nunique()
    facts = [f"{runs:,} runs", f"{done:,} finished", f"{seeds:,} seed{'s' if seeds != 1 else ''}",
             f"{len(batch.configurations)} configurations" if len(batch.configurations) > 1 else "one configuration",
             f"design: {batch.design}"]
    questions = [str(one.get("question", "")) for one in batch.scenarios]
    chapters = sensitivity_chapter(batch, names[:2], glossary) if batch.design in DESIGNS else ""
    body = (section("Expectations", verdicts_html(wishes))
            + section("Key figures", figures_table(shown_groups, names, glossary) if shown_groups else "<p>None.</p>")
            + chapters
            + (_pictures(batch, shown_groups, names, glossary) if shown_groups else "")
            + (_over_runs(batch, shown_groups, names, glossary) if shown_groups else "")
            + section("Variants against main", against_main(batch, batch.figures, glossary))
            + section("Runs that failed", _failures(batch))
            + section("Parameters that differ from their defaults", _settings(batch, glossary))
            + section("All figures", folded(f"{len(batch.figures)} figures", figures_table(
                shown_groups, batch.figures, glossary)), screen_only=True)
            + section("How to reproduce", _reproduce(batch)))
    return document(batch.name, " ".join(dict.fromkeys(one for one in questions if one)), f"{', '.join(facts)}.", body)


def write_batch_report(folder: str | Path, glossary: Glossary = NOTHING_KNOWN, wishes: Verdicts = ()) -> Path:
    """Write ``report.html`` into a batch's folder and return its path; raises :class:`FolderError` as
    :func:`render_batch` does, or where it cannot be written.

    >>> write_batch_report(batch_folder).name
    'report.html'
    """
    batch = load_batch(folder)
    return write_page(batch.folder / REPORT, render_batch(batch, glossary, wishes))
