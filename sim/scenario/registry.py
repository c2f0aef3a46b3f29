"""Which sections there are: the modules of ``sim.scenario.sections`` and the entry-point group ``salus.sections``.

Finding names lists a folder and imports nothing; a section's module is imported, and its schema built, only when it is
asked for by name.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sim.scenario.errors import RegistryError

if TYPE_CHECKING:
    from sim.scenario.types import Metric, Section, Series, ShockKind

ENTRY_POINT_GROUP = "salus.sections"
_FOLDER = Path(__file__).parent / "sections"


class Registry:
    """Names of sections and, on demand, their schemas.

    ``extra`` adds section classes under given names; ``builtin=False`` leaves only those.
    """

    def __init__(self, extra: Mapping[str, type[Section]] | None = None, builtin: bool = True) -> None:
        self._loaded: dict[str, type[Section]] = dict(extra or {})
        self._builtin = builtin
        self._builtin_names: set[str] | None = None
        self._plugins: dict[str, object] | None = None

    def builtin_names(self) -> set[str]:
        """Names of the sections shipped with this package; nothing is imported."""
        if self._builtin_names is None:
            files = _FOLDER.glob("*.py") if self._builtin else ()
            self._builtin_names = {path.stem for path in files if not path.stem.startswith("_")}
        return self._builtin_names

    def names(self) -> list[str]:
        """All names of sections, sorted."""
        return sorted(self.builtin_names() | set(self._loaded) | set(self._plugin_entries()))

    def get(self, name: str) -> type[Section] | None:
        """The schema of section ``name``, or None where there is no such section."""
        if name in self._loaded:
            return self._loaded[name]
        if name in self.builtin_names():
            found = getattr(importlib.import_module(f"sim.scenario.sections.{name}"), "SECTION", None)
            origin = f"sim.scenario.sections.{name}"
        elif name in self._plugin_entries():
            entry = self._plugin_entries()[name]
            origin = f"the installed plug-in {name!r}"
            try:
                loaded = entry.load()  # type: ignore[attr-defined]
            except (ImportError, AttributeError) as error:
                raise RegistryError(f"{origin} cannot be imported: {error}") from error
            found = getattr(loaded, "SECTION", loaded)
        else:
            return None
        from sim.scenario.types import Section

        if not (isinstance(found, type) and issubclass(found, Section)):
            raise RegistryError(f"{origin} does not define SECTION, a subclass of Section")
        self._loaded[name] = found
        return found

    def all(self) -> dict[str, type[Section]]:
        """Every section's schema by name. Builds them all, which takes a moment."""
        found = {name: self.get(name) for name in self.names()}
        return {name: section for name, section in found.items() if section is not None}

    def _plugin_entries(self) -> dict[str, object]:
        if self._plugins is None:
            self._plugins = {}
            if self._builtin:
                from importlib.metadata import entry_points

                for entry in entry_points(group=ENTRY_POINT_GROUP):
                    if entry.name in self.builtin_names():
                        raise RegistryError(f"the plug-in section {entry.name!r} has the name of a built-in one")
                    self._plugins[entry.name] = entry
        return self._plugins


DEFAULT = Registry()
"""The sections of this installation."""


def section_types() -> dict[str, type[Section]]:
    """Every section of this installation by name."""
    return DEFAULT.all()


def metrics_of(sections: Mapping[str, Section] | Mapping[str, type[Section]]) -> dict[str, Metric]:
    """Declared metrics of ``sections`` by name."""
    return {metric.name: metric for section in sections.values() for metric in section.metrics}


def series_of(sections: Mapping[str, Section] | Mapping[str, type[Section]]) -> dict[str, Series]:
    """Declared daily series of ``sections`` by name."""
    return {series.name: series for section in sections.values() for series in section.series}


def shocks_of(sections: Mapping[str, Section] | Mapping[str, type[Section]]) -> dict[str, tuple[str, ShockKind]]:
    """Shock kinds of ``sections``: kind -> (section that understands it, its description)."""
    return {kind.name: (name, kind) for name, section in sections.items() for kind in section.shocks}


def faults(sections: Mapping[str, type[Section]]) -> list[str]:
    """What is wrong with the declarations of ``sections`` taken together, one sentence each; empty when all is well."""
    found: list[str] = []
    for what, owners in (
        ("metric", [(m.name, n) for n, s in sections.items() for m in s.metrics]),
        ("series", [(m.name, n) for n, s in sections.items() for m in s.series]),
        ("shock", [(m.name, n) for n, s in sections.items() for m in s.shocks]),
        ("governable parameter", [(m.path, n) for n, s in sections.items() for m in s.governable]),
    ):
        found.extend(f"{what} {name!r} is declared twice ({', '.join(names)})" for name, names in _twice(owners))
    for name, section in sections.items():
        found.extend(_section_faults(name, section, sections))
    return found


def _twice(owners: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    by_name: dict[str, list[str]] = {}
    for name, owner in owners:
        by_name.setdefault(name, []).append(owner)
    return [(name, names) for name, names in by_name.items() if len(names) > 1]


def _section_faults(name: str, section: type[Section], sections: Mapping[str, type[Section]]) -> Iterable[str]:
    from pydantic import BaseModel, ValidationError

    from sim.scenario.fields import fields_of, spot

    if section.implementation.count(":") != 1:
        yield f"{name}: implementation must read 'package.module:Class', not {section.implementation!r}"
    for other in section.requires:
        if other not in sections:
            yield f"{name}: requires {other!r}, which is no section"
    for documented in fields_of(section):
        if not documented.description:
            yield f"{name}.{documented.path}: has no description"
    for shock in section.shocks:
        for taken in {"day", "kind"} & set(shock.arguments.model_fields):
            yield f"{name}: the shock {shock.name!r} may not have an argument called {taken!r}"
    values: BaseModel | None = None
    try:
        values = section.model_validate_json("{}", strict=True)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"])
        yield f"{name}: the defaults do not satisfy the schema ({where})"
    for governable in section.governable:
        owner, _, path = governable.path.partition(".")
        if owner != name or spot(section, path.split(".")) is None:
            yield f"{name}: governable {governable.path!r} is not the path of one of its parameters"
            continue
        default: object = values
        for step in path.split("."):
            default = getattr(default, step, None)
        if isinstance(default, (int, float)) and not governable.low <= default <= governable.high:
            yield f"{name}: {governable.path} starts at {default}, outside its bounds of change"
