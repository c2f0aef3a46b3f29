"""The page of a sensitivity analysis, and its chapter in the report of a batch."""

from __future__ import annotations

from pathlib import Path

from analysis.batch import Batch
from analysis.glossary import NOTHING_KNOWN, Glossary
from analysis.load import FolderError
from analysis.page import Chapter, document, number, section, table, text, write_page
from analysis.plots import sensitivity as plots
from analysis.sensitivity import Sensitivity, sensitivity, told

REPORT = "sensitivity.html"


def indices_html(found: Sensitivity, unit: str = "") -> str:
    """The table of indices with their intervals, as HTML.

    ``unit`` is that of the figure; Sobol' indices are shares of variance.

    >>> indices_html(sensitivity(sampled, "insurance.paid_claims"), "USD").count("<tr>")
    3
    """
    rows = []
    for name, row in found.table.iterrows():
        if found.design == "morris":
            cells = [number(row["mu_star"]), f"{number(row['mu_star_low'])} to {number(row['mu_star_high'])}",
                     number(row["mu"]), number(row["sigma"])]
        else:
            cells = [cell for kind in ("first", "total") for cell in (
                f"{row[kind]:.3f}", f"{row[f'{kind}_low']:.3f} to {row[f'{kind}_high']:.3f}")]
        rows.append([f"<code>{text(name)}</code>", *cells])
    told_unit = f", {text(unit)}" if unit else ""
    heads = ["parameter", *((f"mu*{told_unit}", "95 % interval", "mu", "sigma") if found.design == "morris" else
                            ("first order", "95 % interval", "total", "95 % interval"))]
    note = (f"{found.used} of {found.planned} {found.of} had every figure; {found.replications} "
            f"replication{'s' if found.replications != 1 else ''} averaged at each point. ")
    note += ("mu* is the mean absolute effect of crossing a parameter's range, sigma its spread."
             if found.design == "morris" else "Shares of the figure's variance: alone, and with all that it shares "
             "with others. Estimates below 0 are noise around 0.")
    return table(heads, rows, (1, 2, 3, 4)) + f'<p class="meta">{text(note)}</p>'


def sensitivity_chapter(batch: Batch, figures: list[str], glossary: Glossary = NOTHING_KNOWN) -> str:
    """Pictures and tables of the indices of ``figures``, as HTML; what cannot be analysed says why.

    Units come from ``glossary``.

    >>> sensitivity_chapter(sampled, ["insurance.paid_claims"]).count("<h2>")
    1
    """
    parts = []
    for place, figure in enumerate(figures):
        chapter = Chapter(f"What moves {figure}", f"s{place}f")
        try:
            found = sensitivity(batch, figure)
        except FolderError as error:
            parts.append(section(chapter.title, f"<p>{text(error)}</p>"))
            continue
        _pictures(chapter, found, glossary)
        chapter.below.append(f"<p>{text(told(found))}</p>" + indices_html(found, glossary.unit(figure)))
        parts.append(chapter.html())
    return "".join(parts)


def _pictures(chapter: Chapter, found: Sensitivity, glossary: Glossary) -> None:
    """Bars of the indices, and for Morris the plane of mu* and sigma."""
    rows, unit = len(found.table), glossary.axis(found.figure)
    longest = max(len(str(name)) for name in found.table.index)
    margins = (min(2.9, 0.25 + 0.068 * longest), 0.2, 0.46, 0.34)
    if found.design == "sobol":
        chapter.figure(lambda axes: plots.sobol_bars(axes, found.table, found.figure, found.used),
                       "What a parameter explains by itself (first order), and with all it shares with others (total).",
                       over_time=False, height=max(2.2, 1.2 + 0.34 * rows), margins=margins)
        return
    chapter.figure(lambda axes: plots.morris_bars(axes, found.table, found.figure, unit, found.used),
                   "Mean size of the effect of crossing each parameter's range.", over_time=False,
                   height=max(2.9, 1.2 + 0.3 * rows), margins=margins)
    chapter.figure(lambda axes: plots.morris_plane(axes, found.table, "Even or bent", unit),
                   "Low: the effect is the same everywhere. Above the line: it bends, or depends on others.",
                   over_time=False)


def write_sensitivity_report(batch: Batch, figures: list[str], glossary: Glossary = NOTHING_KNOWN) -> Path:
    """Write ``sensitivity.html`` about ``figures`` into the batch's folder and return its path.

    >>> write_sensitivity_report(sampled, ["insurance.paid_claims"]).name
    'sensitivity.html'
    """
    facts = (f"{batch.design}, {len(batch.parameters)} parameters, {batch.runs['point'].nunique():,} points, "
             f"{len(batch.runs):,} runs")
    page = document(f"Sensitivity of {batch.name}", "Which parameters move the result?", facts,
                    sensitivity_chapter(batch, figures, glossary))
    return write_page(batch.folder / REPORT, page)
