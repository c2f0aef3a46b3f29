"""Pieces of a self-contained HTML page: escaped text, tables, cards, and figures as inline SVG."""

from __future__ import annotations

import html
import io
import math
import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.axes import Axes

from analysis.load import FolderError
from analysis.plots.style import MARGINS, house_style, make_room, mark_days, new_axes

WIDE = 7
"""Columns beyond which a table is printed in smaller type."""

STYLE = Path(__file__).with_name("report.css")

Draw = Callable[[Axes], object]
"""Draws one figure on the axes it is given."""

_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_BETWEEN = re.compile(r">\s+<")
_PLACES = re.compile(r'\s(?:d|x|y|transform)="[^"]*"')
_DIGITS = re.compile(r"(?<=\.\d\d)\d+")
_SCALE = re.compile(r"scale\([^)]*\)")
_REFERENCE = re.compile(r'(?: id="|href="#|url\(#)(?!DejaVu)')
_GLYPH = re.compile(r'<path id="(DejaVu[^"]*)"[^>]*/>')


def text(value: object) -> str:
    """``value`` as text of an HTML page: escaped, with control and format characters replaced by U+FFFD.

    >>> text("a < b")
    'a &lt; b'
    """
    shown = "".join(c if c.isprintable() or c in "\n\t" else " " if c.isspace() else "\ufffd" for c in str(value))
    return html.escape(shown)


def number(value: object) -> str:
    """A figure with four digits, or a dash where there is none.

    >>> number(1234.5)
    '1,234'
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "–" if value is None else text(value)
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    return f"{value:,.0f}" if size >= 1000 or value == int(value) else f"{value:.4g}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[int] = ()) -> str:
    """An HTML table that scrolls sideways where it is too wide; ``numeric`` columns are set flush right.

    ``heads`` and the cells of ``rows`` are HTML: escape what comes from a file with :func:`text`.

    >>> table(["pool"], [["EAST"]]).count("<tr>")
    2
    """
    def cells(tag: str, row: Sequence[str]) -> str:
        """One row."""
        scope = " scope=col" if tag == "th" else ""
        return "".join(f"<{tag}{scope}{' class=n' if place in numeric else ''}>{cell}</{tag}>"
                       for place, cell in enumerate(row))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    head = f"<thead><tr>{cells('th', heads)}</tr></thead>" if heads else ""
    kind = " class=wide" if len(heads) > WIDE else ""
    return f'<div class="scroll" tabindex="0"><table{kind}>{head}<tbody>{body}</tbody></table></div>'


def cards(figures: Iterable[tuple[str, str]]) -> str:
    """Cards of (figure, what it is), both plain text.

    >>> cards([("7", "pools")]).count("card")
    2
    """
    return '<div class="cards">' + "".join(
        f'<div class="card"><b>{text(figure)}</b><span>{text(label)}</span></div>' for figure, label in figures
    ) + "</div>"


def folded(summary: str, content: str) -> str:
    """HTML ``content`` that unfolds on a click on ``summary`` (plain text); left out in print.

    >>> folded("More", "<p>x</p>")
    '<details><summary>More</summary><p>x</p></details>'
    """
    return f"<details><summary>{text(summary)}</summary>{content}</details>"


def figure_svg(draw: Draw, prefix: str, width: float = 5.3, height: float = 2.9,
               margins: tuple[float, float, float, float] = MARGINS, marks: Mapping[int, str] | None = None) -> str:
    """The picture that ``draw(axes)`` makes, as an inline SVG element of ``width`` x ``height`` inches.

    ``margins`` are inches left, right, below and above; ``prefix`` keeps its ids apart from those of other figures;
    ``marks`` are days (day -> name) marked by a line. Equal pictures give equal text.

    >>> figure_svg(lambda axes: axes.set_title("Empty"), "e")[:4]
    '<svg'
    """
    with house_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure, axes = new_axes(width, height, margins)
        draw(axes)
        make_room(axes, height)
        if marks:
            mark_days(axes, marks)
        title = axes.get_title(loc="left")
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = _BETWEEN.sub("><", _METADATA.sub("", _COMMENT.sub("", svg[svg.index("<svg"):])))
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = _PLACES.sub(_rounded, svg)
    svg = _REFERENCE.sub(lambda found: found[0] + prefix, svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{text(title)}" ', 1)


def _rounded(found: re.Match[str]) -> str:
    """Coordinates of an SVG attribute cut to hundredths of a point; factors of scale are left alone."""
    scales = iter(_SCALE.findall(found[0]))
    short = _DIGITS.sub("", _SCALE.sub("\0", found[0])).replace("\n", " ")
    return re.sub("\0", lambda _: next(scales), short)


def share_glyphs(page: str) -> str:
    """``page`` with the letters' outlines, which each figure repeats, kept once at the top of its body.

    >>> share_glyphs("<body></body>")
    '<body></body>'
    """
    glyphs = {found[1]: found[0] for found in _GLYPH.finditer(page)}
    kept = "".join(glyphs[name] for name in sorted(glyphs))
    rest = _GLYPH.sub("", page).replace("<defs></defs>", "")
    return rest.replace("<body>", f'<body><svg class="glyphs" width="0" height="0" aria-hidden="true"><defs>{kept}'
                                  "</defs></svg>", 1) if kept else rest


@dataclass
class Chapter:
    """A chapter of the page under way: its figures, and the HTML that follows them."""

    title: str
    prefix: str
    marks: Mapping[int, str] = field(default_factory=dict)
    figures: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)

    def figure(self, draw: Draw, caption: str, over_time: bool = True, width: float = 5.3, height: float = 2.9,
               margins: tuple[float, float, float, float] = MARGINS) -> None:
        """Add a figure with its caption (plain text); sizes in inches. Figures ``over_time`` show the marked days."""
        prefix = f"{self.prefix}{len(self.figures)}-"
        svg = figure_svg(draw, prefix, width, height, margins, self.marks if over_time else None)
        kind = ' class="wide"' if width > 8 else ""
        self.figures.append(f"<figure{kind}><div class=picture>{svg}</div>"
                            f"<figcaption>{text(caption)}</figcaption></figure>")

    def html(self) -> str:
        """The chapter, or nothing where it has no content."""
        if not self.figures and not self.below:
            return ""
        figures = f'<div class="figures">{"".join(self.figures)}</div>' if self.figures else ""
        return f"<section><h2>{text(self.title)}</h2>{figures}{''.join(self.below)}</section>"


def document(title: str, question: str, facts: str, body: str) -> str:
    """A whole page that stands alone: no script, no address outside itself.

    ``title``, ``question`` and ``facts`` are plain text; ``body`` is HTML.

    >>> document("A < B", "Why?", "One run.", "<p>x</p>").count("A &lt; B")
    2
    """
    return share_glyphs(f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{text(title)} – salus</title><style>{STYLE.read_text(encoding="utf-8")}</style></head>
<body><header><h1>{text(title)}</h1><p class="question">{text(question)}</p>
<p class="meta">{text(facts)}</p></header>
{body}</body></html>
""")


def section(title: str, content: str, screen_only: bool = False) -> str:
    """A chapter of HTML ``content`` under its title (plain text), or nothing where there is none.

    >>> section("Empty", ""), section("Full", "<p>x</p>").count("<h2>")
    ('', 1)
    """
    kind = ' class="screen"' if screen_only else ""
    return f"<section{kind}><h2>{text(title)}</h2>{content}</section>\n" if content else ""


def write_page(target: Path, page: str) -> Path:
    """Write ``page`` to ``target``, whole or not at all; raises :class:`FolderError` where it cannot be written.

    >>> write_page(fresh / "page.html", "<p>x</p>").read_text()
    '<p>x</p>'
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise FolderError(f"cannot write {target}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return target
