"""The commands that read result folders: ``report`` and ``compare``."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.asked import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.comparison import Side
    from analysis.glossary import Glossary

FINE = 0


def glossary() -> Glossary:
    """Units, meanings and defaults of this installation; builds every section, so it takes a moment."""
    from analysis.glossary import Glossary, Term
    from sim.scenario.registry import metrics_of, section_types, series_of
    from sim.scenario.scenario import plain_data
    from sim.scenario.schema import parameter_rows

    sections = section_types()
    return Glossary(
        figures={name: Term(one.unit, one.description, one.better) for name, one in metrics_of(sections).items()},
        series={name: Term(one.unit, one.description) for name, one in series_of(sections).items()},
        defaults={f"{name}.{row.path}": plain_data(row.default) for name, section in sections.items()
                  for row in parameter_rows(section) if not row.required and "*" not in row.path})


def report_command(options: argparse.Namespace) -> int:
    """``report``"""
    if not options.folder.is_dir():
        raise UsageError(f"{options.folder} is not a folder")
    print(report(options.folder))
    return FINE


def report(folder: Path) -> Path:
    """Write the page of a run, a batch or a comparison and return its path."""
    from analysis.batch import is_batch
    from analysis.comparison import is_comparison

    if is_comparison(folder):
        from analysis.comparison_report import write_comparison_report as write
    elif is_batch(folder):
        from analysis.batch_report import write_batch_report

        return write_batch_report(folder, glossary(), verdict_rows(folder))
    else:
        from analysis.report import write_report as write
    return write(folder, glossary())


def verdict_rows(folder: Path) -> list[dict[str, Any]]:
    """What the runs of a batch say about each expectation of its scenarios; of design points only a single one is
    judged."""
    from analysis.batch import DONE, METRIC, load_batch
    from sim.batch.judge import judge
    from sim.scenario.load import load_scenario

    batch = load_batch(folder)
    if len({point for _, _, point in batch.configurations}) > 1:
        return []
    figures: dict[tuple[str, str], list[dict[str, float] | None]] = {}
    columns = [METRIC + name for name in batch.figures]
    for (scenario, variant), runs in batch.runs.groupby(["scenario", "variant"], sort=False):
        values = runs.sort_values("replication")[[*columns, "status"]].to_dict("records")
        figures[str(scenario), str(variant)] = [
            {name: row[METRIC + name] for name in batch.figures} if row["status"] == DONE else None for row in values]
    rows = []
    for name in dict.fromkeys(name for name, _ in figures):
        file = batch.folder / "scenarios" / f"{name}.yaml"
        if not file.is_file():
            continue
        for variant, one in load_scenario(file).configurations().items():
            for wish in one.expect:
                own = figures.get((name, variant))
                other = figures.get((name, wish.against)) if wish.against else None
                if own is None or (wish.against and other is None):
                    continue
                found = judge(variant, wish, own, other)
                rows.append({"variant": variant, "metric": wish.metric, "statement": wish.text(),
                             "status": found.status, "sentence": found.sentence, "source": wish.source,
                             "note": wish.note})
    return rows


def compare_command(options: argparse.Namespace) -> int:
    """``compare``"""
    from analysis.compare import verdict_on_pairing
    from analysis.comparison import compare_sides, write_comparison
    from analysis.comparison_report import write_comparison_report

    a, b = _sides(options)
    comparison = compare_sides(a, b, options.interval, command_options=_given(options))
    known = glossary()
    out = options.out or Path("runs") / f"compare-{'-'.join(map(_plain, comparison.labels))}"
    write_comparison(comparison, out)
    page = write_comparison_report(out, known)
    a_label, b_label = comparison.labels
    print(f"B ({b_label}) less A ({a_label}), {comparison.about['pairs']} pairs on the same seeds")
    for one in (a, b):
        if note := getattr(one.source, "note", ""):
            print(f"{one.label}: {note}")
    for line in _lines(comparison.differences, known):
        print(line)
    print(verdict_on_pairing(comparison.differences))
    print(f"results: {out}")
    print(f"a page about them: {page}")
    return FINE


def _sides(options: argparse.Namespace) -> tuple[Side, Side]:
    """A and B as the options say."""
    from analysis.comparison import side

    if len(options.folders) > 2:
        raise UsageError("compare takes two folders, or one batch folder with --variants A,B")
    variants, scenarios, points = (_two(getattr(options, name), name) for name in ("variants", "scenarios", "points"))
    if len(options.folders) == 1 and not options.variants and not options.scenarios and not options.points:
        raise UsageError(f"one folder: say what of {options.folders[0]} to compare, such as --variants main,other")
    places = []
    for text in points:
        if text is not None and not text.isdecimal():
            raise UsageError(f"--points takes two whole numbers, such as 0,1, not '{text}'")
        places.append(None if text is None else int(text))
    folders = (options.folders[0], options.folders[-1])
    a, b = (side(folders[i], variants[i], scenarios[i], places[i]) for i in (0, 1))
    return a, b


def _two(text: str | None, name: str) -> tuple[str | None, str | None]:
    """The two sides of ``A,B``."""
    if text is None:
        return None, None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(parts):
        raise UsageError(f"--{name} takes two names with a comma between them, such as A,B, not '{text}'")
    return parts[0], parts[1]


def _given(options: argparse.Namespace) -> str:
    """The options that chose the sides and the interval, for repeating the comparison."""
    import shlex

    parts = [f"--{name} {shlex.quote(value)}" for name in ("variants", "scenarios", "points")
             if (value := getattr(options, name))]
    if options.interval != "student":
        parts.append(f"--interval {options.interval}")
    return " ".join(parts)


def _plain(label: str) -> str:
    """``label`` as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", label).strip("-.") or "side"


def _lines(differences: pd.DataFrame, known: Glossary) -> list[str]:
    """The headline figures, one sentence each."""
    from analysis.compare import rows_of, sentence
    from analysis.comparison_report import headline

    rows = rows_of(differences)
    return [f"  {sentence(name, rows[name], known.unit(name))}" for name in headline(differences)]
