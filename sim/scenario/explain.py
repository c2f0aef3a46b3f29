"""What a name means: a parameter, a metric, a daily series, a shock, a section or an entry of a scenario file."""

from __future__ import annotations

from collections.abc import Iterator

from sim.scenario.errors import nearest, shown
from sim.scenario.expectations import Expectation
from sim.scenario.fields import FieldDoc, fields_of
from sim.scenario.head import FILE_ENTRIES, Head
from sim.scenario.registry import DEFAULT, Registry
from sim.scenario.types import Section

GRADES = {"M": "M, measured", "L": "L, published", "A": "A, assumed"}


class UnknownName(ValueError):
    """Nothing is called by that name; the message names the nearest that is."""


def explain(name: str, registry: Registry = DEFAULT) -> str:
    """The explanation of ``name`` as text; :class:`UnknownName` where nothing is called so."""
    first = name.partition(".")[0]
    parts = [text for text in (
        _entry(name),
        _section(name, registry) if "." not in name else None,
        _parameter(name, first, registry),
        *_declared(name, registry),
    ) if text is not None]
    if not parts:
        raise UnknownName(f"nothing is called {shown(name)}; {nearest(name, _all_names(registry))}")
    return "\n\n".join(parts)


def describe(path: str, row: FieldDoc) -> str:
    """One parameter as text."""
    lines = [path, f"  {row.description}", f"  allowed   {row.allowed}"]
    lines.append("  required" if row.required else f"  default   {_value(row.default)}")
    if row.unit not in ("1", ""):
        lines.append(f"  unit      {row.unit}")
    lines.append(f"  evidence  {GRADES.get(row.grade, row.grade)}")
    if row.source:
        lines.append(f"  source    {row.source}")
    return "\n".join(lines)


def _value(value: object) -> str:
    if isinstance(value, (list, tuple, dict)):
        from sim.scenario.dump import flow
        from sim.scenario.scenario import plain_data

        return flow(plain_data(value))
    return shown(value) if not isinstance(value, str) else value or "''"


def _entry(name: str) -> str | None:
    if name in FILE_ENTRIES:
        text = f"{name}\n  {FILE_ENTRIES[name]}"
        if name == "expect":
            rows = "\n".join(f"  {row.path:<17} {row.description}" for row in fields_of(Expectation))
            return f"{text}\n{rows}"
        return text
    return next((describe(name, row) for row in fields_of(Head) if row.path == name), None)


def _section(name: str, registry: Registry) -> str | None:
    section = registry.get(name)
    if section is None:
        return None
    lines = [f"{name} (a section)", f"  {(section.__doc__ or '').strip()}"]
    if section.requires:
        lines.append(f"  requires {', '.join(section.requires)}")
    for title, rows in (
        ("parameters", [(f"{name}.{row.path}", row.description) for row in fields_of(section)]),
        ("metrics", [(metric.name, metric.description) for metric in section.metrics]),
        ("shocks", [(kind.name, kind.description) for kind in section.shocks]),
        ("a vote may change", [(g.path, f"{g.low:g} to {g.high:g}") for g in section.governable]),
    ):
        if rows:
            width = max(len(row[0]) for row in rows)
            lines += ["", f"  {title}", *(f"    {row[0]:<{width}}  {row[1]}" for row in rows)]
    return "\n".join(lines)


def _parameter(name: str, first: str, registry: Registry) -> str | None:
    section = registry.get(first) if "." in name else None
    if section is None:
        return None
    wanted = name.split(".")[1:]
    for row in fields_of(section):
        steps = row.path.split(".")
        if len(steps) == len(wanted) and all(step in ("*", want) for step, want in zip(steps, wanted, strict=True)):
            return describe(name, row) + _governable(name, section)
    return None


def _governable(name: str, section: type[Section]) -> str:
    return "".join(f"\n  by vote   {g.low:g} to {g.high:g}" for g in section.governable if g.path == name)


def _declared(name: str, registry: Registry) -> Iterator[str]:
    for owner, section in registry.all().items():
        for metric in section.metrics:
            if metric.name == name:
                better = {"high": "higher is better", "low": "lower is better", "none": ""}[metric.better]
                rest = f"\n  {better}" if better else ""
                yield f"{name} (a metric of '{owner}')\n  {metric.description}\n  unit      {metric.unit}{rest}"
        for series in section.series:
            if series.name == name:
                per = "one value a day" if series.per == "market" else "one value a day for each institution"
                yield f"{name} (a series of '{owner}', {per})\n  {series.description}\n  unit      {series.unit}"
        for kind in section.shocks:
            if kind.name == name:
                rows = "\n".join(describe(f"  {row.path}", row) for row in fields_of(kind.arguments))
                yield f"{name} (a shock of '{owner}')\n  {kind.description}\n{rows}".rstrip()


def _all_names(registry: Registry) -> Iterator[str]:
    yield from Head.model_fields
    yield from FILE_ENTRIES
    yield "day"
    for owner, section in registry.all().items():
        yield owner
        yield from (f"{owner}.{row.path}" for row in fields_of(section))
        for declared in (section.metrics, section.series, section.shocks):
            yield from (item.name for item in declared)
