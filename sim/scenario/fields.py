"""What a parameter is, in words: type, unit, range, default, evidence and source, read off the section's schema."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sim.scenario.errors import shown

_KINDS: dict[Any, str] = {int: "whole number", float: "number", bool: "true or false", str: "text", type(None): "null"}
_BOUNDS = (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))


@dataclass(frozen=True, slots=True)
class FieldDoc:
    """One documented parameter; ``path`` is dotted, ``allowed`` says type, range and unit in words."""

    path: str
    description: str
    unit: str
    grade: str
    source: str
    default: Any
    """None where the parameter has no default (``required``)."""
    required: bool
    allowed: str
    choices: tuple[str, ...]


def number(value: float) -> str:
    """A bound as one would write it: thousands separated, no trailing zeros."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:g}"


def document(path: str, info: FieldInfo) -> FieldDoc:
    """The documentation of one field."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    unit = str(extra.get("unit", "1"))
    default = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, BaseModel):
        default = default.model_dump(mode="json")
    return FieldDoc(path, info.description or "", unit, str(extra.get("grade", "A")), str(extra.get("source", "")),
                    default, info.is_required(), allowed(info), choices(info.annotation))


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[FieldDoc]:
    """Every documented parameter of ``model``, those of nested models after the one that holds them.

    Nested models inside lists and mappings have ``*`` for the position or the name.
    """
    for name, info in model.model_fields.items():
        path = f"{prefix}{name}"
        yield document(path, info)
        for step, inner in _inner_models(info.annotation):
            yield from fields_of(inner, f"{path}{step}.")


@dataclass(frozen=True, slots=True)
class Spot:
    """What a path leads to: an annotation, and the field that it is, or is inside of."""

    annotation: Any
    info: FieldInfo | None
    is_field: bool

    @property
    def allowed(self) -> str:
        """What may stand here, in words."""
        if self.info is None:
            return "a mapping"
        if self.is_field:
            return allowed(self.info)
        unit = _unit(self.info)
        return kind(self.annotation) + (f" ({unit})" if unit else "")

    @property
    def keys(self) -> list[str]:
        """Names of the fields that a mapping here may have."""
        return [name for branch in _branches(self.annotation) if _is_model(branch) for name in branch.model_fields]


def spot(model: type[BaseModel], path: Sequence[str | int]) -> Spot | None:
    """What ``path`` leads to in a value of ``model``; None where it leads nowhere."""
    here = Spot(model, None, True)
    for step in path:
        found = next((inner for branch in _branches(here.annotation)
                      if (inner := _step(branch, step, here.info)) is not None), None)
        if found is None:
            return None
        here = found
    return here


def _step(annotation: Any, step: str | int, info: FieldInfo | None) -> Spot | None:
    if _is_model(annotation):
        field = annotation.model_fields.get(str(step))
        return None if field is None else Spot(field.annotation, field, True)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is dict and len(args) == 2:
        return Spot(args[1], info, False)
    if origin is tuple and args and args[-1] is not Ellipsis:
        return Spot(args[step], info, False) if isinstance(step, int) and step < len(args) else None
    if origin in (list, tuple, set, frozenset) and args:
        return Spot(args[0], info, False)
    return None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _unit(info: FieldInfo) -> str:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    unit = str(extra.get("unit", "1"))
    return "" if unit == "1" else unit


def allowed(info: FieldInfo) -> str:
    """Type, range and unit of a field in words, such as "whole number from 1 to 10 (days)"."""
    bounds: dict[str, Any] = {}
    for part in info.metadata:
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern"):
            if getattr(part, name, None) is not None:
                bounds[name] = getattr(part, name)
    text, or_null = _without_null(info.annotation)
    if "ge" in bounds and "le" in bounds:
        text += f" from {number(bounds['ge'])} to {number(bounds['le'])}"
    else:
        said = [f"{word} {number(bounds[name])}" for name, word in _BOUNDS if name in bounds]
        text += f" {' and '.join(said)}" if said else ""
    if "min_length" in bounds or "max_length" in bounds:
        low, high = bounds.get("min_length"), bounds.get("max_length")
        length = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
        text += f", length {length}"
    if "pattern" in bounds:
        text += f", matching {bounds['pattern']}"
    return text + (f" ({unit})" if (unit := _unit(info)) else "") + or_null


def _branches(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _without_null(annotation: Any) -> tuple[str, str]:
    branches = _branches(annotation)
    rest = [kind(branch) for branch in branches if branch is not type(None)]
    return " or ".join(dict.fromkeys(rest)), ", or null" if type(None) in branches else ""


def kind(annotation: Any) -> str:
    """The type in words."""
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation in _KINDS:
        return _KINDS[annotation]
    if origin is Annotated:
        return kind(args[0])
    if origin is Literal:
        return "one of " + ", ".join(shown(choice) for choice in args)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(kind(arg) for arg in args))
    if origin in (list, tuple, set, frozenset, Sequence):
        if origin is tuple and args and args[-1] is not Ellipsis:
            return f"list of {len(args)} ({', '.join(kind(arg) for arg in args)})"
        return f"list of {_many(args[0])}" if args else "list"
    if origin is dict:
        return f"mapping of names to {_many(args[1])}"
    if _is_model(annotation):
        return "mapping"
    return getattr(annotation, "__name__", str(annotation))


def choices(annotation: Any) -> tuple[str, ...]:
    """The texts among which a field chooses, if any."""
    if get_origin(annotation) is Literal:
        return tuple(choice for choice in get_args(annotation) if isinstance(choice, str))
    found: list[str] = []
    for arg in get_args(annotation):
        found.extend(choices(arg))
    return tuple(found)


def _many(annotation: Any) -> str:
    plural = {"whole number": "whole numbers", "number": "numbers", "text": "texts", "mapping": "mappings"}
    word = kind(annotation)
    return plural.get(word, f"({word})" if " " in word else word)


def _inner_models(annotation: Any) -> list[tuple[str, type[BaseModel]]]:
    """Models inside an annotation, each with the path step that leads into it ("" or ".*")."""
    if _is_model(annotation):
        return [("", annotation)]
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal or not args:
        return []
    step = ".*" if origin not in (Union, types.UnionType, Annotated) else ""
    return [(step + inner_step, model) for arg in args for inner_step, model in _inner_models(arg)]
