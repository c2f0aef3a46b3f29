"""The vocabulary of a scenario: sections, parameters, metrics, shocks, governable parameters.

A section is the schema of one mechanism. It imports neither numpy nor anything of ``sim`` outside
``sim.scenario``, so that ``list``, ``validate`` and ``schema`` stay quick; the mechanism itself is named by the
string ``implementation`` ("package.module:Class") and imported only when a scenario switches it on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

Grade = Literal["M", "L", "A"]
"""Evidence: M measured in data or on a real protocol, L published in the literature, A assumed."""


def param(
    default: Any,
    description: str,
    *,
    unit: str = "1",
    grade: Grade = "A",
    source: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    **more: Any,
) -> Any:
    """A documented scenario parameter: its default, meaning, unit, allowed range, evidence grade and source."""
    if grade != "A" and not source:
        raise ValueError(f"a parameter graded {grade} needs a source: {description!r}")
    bounds = {name: value for name, value in (("ge", ge), ("gt", gt), ("le", le), ("lt", lt)) if value is not None}
    settings: dict[str, Any] = {
        "description": description,
        "json_schema_extra": {"unit": unit, "grade": grade, "source": source},
        **bounds,
        **more,
    }
    if isinstance(default, (list, dict, set)):
        return Field(default_factory=lambda: type(default)(default), **settings)
    return Field(default=default, **settings)


class Model(BaseModel):
    """A frozen piece of a scenario that refuses unknown keys.

    Its validator is built when it is first needed: parts of a section are never validated on their own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False,
                              defer_build=True)


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that a run reports in ``summary.json``.

    ``name`` is dotted, "section.what"; ``better`` says which way is good, for the report only.
    """

    name: str
    description: str
    unit: str = "1"
    better: Literal["high", "low", "none"] = "none"


@dataclass(frozen=True, slots=True)
class Series:
    """A daily series in ``daily.parquet`` (``per="market"``) or ``institutions.parquet`` (``per="institution"``)."""

    name: str
    description: str
    unit: str = "1"
    per: Literal["market", "institution"] = "market"


@dataclass(frozen=True, slots=True)
class Governable:
    """A parameter that a vote may change: the dotted path of a section field, and the bounds of a change."""

    path: str
    low: float
    high: float
    description: str
    integer: bool = False


@dataclass(frozen=True, slots=True)
class ShockKind:
    """A scheduled event that this mechanism understands: its name and the pydantic model of its arguments."""

    name: str
    description: str
    arguments: type[Model]


MARKET_POOL = "pool of the market maker"
"""A kind of thing that sections refer to by name."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that a section gives at ``path`` and that another section must have given to a thing of this ``kind``."""

    path: tuple[str | int, ...]
    kind: str
    name: str


class Section(Model):
    """Base of every mechanism's section."""

    implementation: ClassVar[str] = ""
    metrics: ClassVar[tuple[Metric, ...]] = ()
    series: ClassVar[tuple[Series, ...]] = ()
    shocks: ClassVar[tuple[ShockKind, ...]] = ()
    governable: ClassVar[tuple[Governable, ...]] = ()
    requires: ClassVar[tuple[str, ...]] = ()
    """Names of the sections that must be present for this one to work."""

    enabled: bool = param(True, "Whether this mechanism takes part; when false it leaves no trace in the run.")

    def named_things(self) -> Mapping[str, tuple[str, ...]]:
        """What this section names for others to refer to: kind of thing -> names."""
        return {}

    def references(self) -> tuple[Reference, ...]:
        """The things of other sections that this one refers to by name."""
        return ()
