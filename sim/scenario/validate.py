"""Holding a part of a file against its schema, with every fault said in a sentence of ours.

The validator works strictly and on JSON types: a whole number may stand for a number and a list for a tuple, but text
never stands for a number, nor a boolean for either.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sim.scenario.errors import Problem, clean, nearest, shown
from sim.scenario.fields import Spot, choices, spot
from sim.scenario.nodes import Node

AnyModel = TypeVar("AnyModel", bound=BaseModel)

_LIMITS = {
    "greater_than": "too small",
    "greater_than_equal": "too small",
    "less_than": "too large",
    "less_than_equal": "too large",
    "too_short": "too short",
    "too_long": "too long",
    "string_too_short": "too short",
    "string_too_long": "too long",
    "finite_number": "not finite",
    "string_pattern_mismatch": "not of the right form",
}


def validate(model: type[AnyModel], node: Node, prefix: str) -> tuple[AnyModel | None, list[Problem]]:
    """The instance of ``model`` that ``node`` describes, or None and its faults. ``prefix`` is the node's path."""
    data = {} if node.value is None else node.plain()
    try:
        return model.model_validate_json(json.dumps(data), strict=True), []
    except ValidationError as error:
        errors = error.errors(include_url=False)
    # Behind a validator that sees the raw data first, the values count as Python's and no longer as JSON's: a tuple
    # must then be one.
    lists = [path for part in errors if part["type"] == "tuple_type"
             and isinstance(_value_at(data, path := _path_in_data(data, part)), list)]
    if lists:
        try:
            return model.model_validate(_with_tuples(data, lists), strict=True), []
        except ValidationError as error:
            errors = error.errors(include_url=False)
    return None, problems_of(model, node, data, prefix, errors)


def _with_tuples(data: Any, paths: list[tuple[str | int, ...]], here: tuple[str | int, ...] = ()) -> Any:
    if isinstance(data, dict):
        return {key: _with_tuples(value, paths, (*here, key)) for key, value in data.items()}
    if isinstance(data, list):
        items = [_with_tuples(value, paths, (*here, position)) for position, value in enumerate(data)]
        return tuple(items) if here in paths else items
    return data


def problems_of(model: type[BaseModel], node: Node, data: Any, prefix: str, errors: list[Any]) -> list[Problem]:
    """One problem for each place at which validation failed; a union reports each of its branches there."""
    by_path: dict[tuple[str | int, ...], list[Any]] = {}
    for error in errors:
        by_path.setdefault(_path_in_data(data, error), []).append(error)
    found = []
    for path, here in by_path.items():
        dotted = ".".join([prefix, *(clean(step, 40) for step in path)]).strip(".")
        found.append(Problem(node.place_of(path), dotted, _sentence(model, path, data, here)))
    return found


def _path_in_data(data: Any, error: Any) -> tuple[str | int, ...]:
    """The error's location without the steps that name a branch of a union or a mapping's key."""
    path: list[str | int] = []
    here = data
    for step in error["loc"]:
        if isinstance(here, dict) and str(step) in here:
            here = here[str(step)]
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        elif error["type"] != "missing" or step != error["loc"][-1]:
            continue
        path.append(step)
    return tuple(path)


def _value_at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if isinstance(data, dict):
            data = data.get(str(step))
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def _sentence(model: type[BaseModel], path: tuple[str | int, ...], data: Any, errors: list[Any]) -> str:
    error = errors[0]
    kind = error["type"]
    value = _value_at(data, path)
    here = spot(model, path)
    expected = here.allowed if here is not None else "a mapping"
    if kind == "extra_forbidden":
        holder = spot(model, path[:-1])
        valid = holder.keys if holder is not None else []
        return f"unknown key '{clean(path[-1], 40)}'; {nearest(str(path[-1]), valid)}"
    if kind == "missing":
        if isinstance(path[-1], int):
            return f"item {path[-1] + 1} is missing; expected: {expected}"
        return f"'{clean(path[-1])}' is missing; expected: {expected}"
    if kind in ("value_error", "assertion_error"):
        reason = error.get("ctx", {}).get("error", "")
        return clean(reason, 300) or f"{shown(value)} is refused"
    if any(part["loc"] and part["loc"][-1] == "[key]" for part in errors):
        return f"the name '{clean(path[-1], 40)}' is not allowed as a key here"
    if kind in _LIMITS and len(errors) == 1:
        return f"{shown(value)} is {_LIMITS[kind]}; allowed: {expected}"
    return f"{shown(value)} is not allowed; expected: {expected}{_hint(value, here)}"


def _hint(value: Any, here: Spot | None) -> str:
    if isinstance(value, str):
        names = choices(here.annotation) if here is not None else ()
        if names and any(char.isalpha() for char in value):
            close = nearest(value, names)
            return f"; {close}" if close.startswith("did you mean") else ""
        if value.strip()[:1].isdigit():
            return " (write the number without quotes, commas, underscores or a unit)"
    if isinstance(value, float) and value.is_integer():
        return " (without a decimal point)"
    return ""
