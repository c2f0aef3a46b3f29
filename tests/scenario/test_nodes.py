"""Merging values and reaching into them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.scenario.errors import Place
from sim.scenario.nodes import Node, merge, with_value

HERE = Place("f", 1)


def node(data: Any) -> Node:
    """Plain data as nodes."""
    if isinstance(data, dict):
        return Node({key: node(value) for key, value in data.items()}, HERE)
    if isinstance(data, list):
        return Node([node(value) for value in data], HERE)
    return Node(data, HERE)


PLAIN = st.recursive(st.integers(0, 3) | st.none(), lambda inner: st.one_of(
    st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)), max_leaves=8)
MAPPING = st.dictionaries(st.sampled_from("abc"), PLAIN, max_size=3)


@pytest.mark.parametrize(("base", "over", "top", "merged"), [
    ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, False, {"a": {"x": 1, "y": 3}}),
    ({"a": [1, 2]}, {"a": [3]}, False, {"a": [3]}),
    ({"a": {"x": 1}}, {"a": 5}, False, {"a": 5}),
    ({"a": {"x": 1}}, {"a": None}, False, {"a": None}),
    ({"a": {"x": 1}}, {"a": None}, True, {"a": {"x": 1}}),
    ({"a": {"x": {"y": 1}}}, {"a": {"x": None}}, True, {"a": {"x": None}}),
    ({"a": 5}, {"a": None}, True, {"a": None}),
    ({"a": [1]}, {"a": None}, True, {"a": None}),
])
def test_mappings_merge_and_everything_else_replaces(base: Any, over: Any, top: bool, merged: Any) -> None:
    assert merge(node(base), node(over), top).plain() == merged


@given(MAPPING, MAPPING)
def test_merging_keeps_every_name_and_changes_neither_side(first: dict[str, Any], second: dict[str, Any]) -> None:
    a, b = node(first), node(second)
    assert merge(a, a).plain() == first
    assert merge(a, node({})).plain() == first
    assert merge(node({}), b).plain() == second
    merged = merge(a, b).plain()
    assert merged.keys() == first.keys() | second.keys()
    assert merge(node(merged), b).plain() == merged
    assert (a.plain(), b.plain()) == (first, second)


@given(MAPPING, st.lists(st.sampled_from("abc"), min_size=1, max_size=3), st.integers())
def test_a_value_laid_at_a_path_is_found_there(data: dict[str, Any], path: list[str], value: int) -> None:
    before = node(data)
    try:
        after: Any = with_value(before, path, node(value)).plain()
    except LookupError:
        return  # a single value, or a list, stands in the way
    assert before.plain() == data
    for step in path:
        after = after[int(step)] if isinstance(after, list) else after[step]
    assert after == value
