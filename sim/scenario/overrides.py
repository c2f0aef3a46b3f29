"""Values laid on a scenario: ``--set a.b=value``, and the ``set`` blocks of variants and check."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.scenario.errors import Place, Problem, ScenarioError, clean
from sim.scenario.head import NOT_IN_SET
from sim.scenario.nodes import Node, with_value
from sim.scenario.scenario import Settings
from sim.scenario.yaml_guard import parse_value


def split_setting(text: str) -> tuple[str, str]:
    """``"a.b=value"`` as ``("a.b", "value")``; :class:`ScenarioError` where there is no '='."""
    path, sign, value = text.partition("=")
    if not sign or not path.strip():
        message = "write it as path=value, such as --set population.patients=2000"
        raise ScenarioError([Problem(Place(f"--set {clean(text, 60)}"), "", message)])
    return path.strip(), value.strip()


def lay_overrides(root: Node, overrides: Iterable[tuple[str, str]]) -> tuple[Node, Settings, list[Problem]]:
    """``root`` with each (dotted path, YAML text) laid on it in order, what was laid, and the faults."""
    problems: list[Problem] = []
    laid: list[tuple[str, Any]] = []
    for path, text in overrides:
        place = Place(f"--set {clean(path, 60)}={clean(text, 40)}")
        try:
            value = parse_value(text, place)
        except ScenarioError as error:
            problems.extend(error.problems)
            continue
        if path.strip() == "extends" or not all(path.split(".")):
            problems.append(Problem(place, "", "this is not the path of a value, such as population.patients"))
            continue
        root, found = _lay(root, path, value, "")
        problems.extend(found)
        laid.append((path, value.plain()))
    return root, tuple(laid), problems


def lay_block(root: Node, block: Node | None, prefix: str) -> tuple[Node, Settings, list[Problem]]:
    """``root`` with the entries of a ``set`` block laid on it; keys are dotted paths, values may be nested."""
    problems: list[Problem] = []
    laid: list[tuple[str, Any]] = []
    for path, value in (block.entries if block is not None else {}).items():
        first = path.split(".")[0]
        if first in NOT_IN_SET:
            problems.append(Problem(value.place, f"{prefix}.{clean(path, 60)}", f"'{first}' cannot be changed here"))
            continue
        if not all(path.split(".")):
            message = f"'{clean(path, 60)}' is not a dotted path, such as population.patients"
            problems.append(Problem(value.place, prefix, message))
            continue
        root, found = _lay(root, path, value, prefix)
        problems.extend(found)
        laid.extend((".".join((path, *inner)), leaf.plain()) for inner, leaf in value.walk())
    return root, tuple(laid), problems


def _lay(root: Node, path: str, value: Node, prefix: str) -> tuple[Node, list[Problem]]:
    try:
        return with_value(root, path.split("."), value), []
    except LookupError as error:
        dotted = f"{prefix}.{clean(path, 60)}".strip(".")
        return root, [Problem(value.place, dotted, str(error.args[0]))]
