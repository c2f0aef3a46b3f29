"""YAML 1.2 values, places and limits."""

from __future__ import annotations

import pytest

from sim.scenario.errors import Place, ScenarioError
from sim.scenario.yaml_guard import MAX_DEPTH, MAX_NODES, parse, parse_value


@pytest.mark.parametrize(("text", "value"), [
    ("1e6", 1_000_000), ("1E+3", 1000), ("2.5e-3", 0.0025), ("1.0", 1.0), (".5", 0.5), ("-7", -7), ("+7", 7),
    ("007", 7), ("0x1F", 31), ("0o17", 15), ("true", True), ("False", False), ("null", None), ("~", None),
    ("no", "no"), ("on", "on"), ("yes", "yes"), ("off", "off"), ("12:30:00", "12:30:00"), ("1_000", "1_000"),
    ("2017-04-28", "2017-04-28"), ("0b11", "0b11"), ("'1e6'", "1e6"), ('"null"', "null"), ("=", "="),
])
def test_scalars_are_read_by_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found = parse_value(text, Place("--set a"))
    assert found.value == value
    assert type(found.value) is type(value)


@pytest.mark.parametrize("text", [".nan", "-.inf", "1e999", "9" * 50, "!!int '3'", "!!python/object:os.system x"])
def test_values_that_a_scenario_cannot_use_are_refused(text: str) -> None:
    with pytest.raises(ScenarioError):
        parse_value(text, Place("--set a"))


def test_each_value_knows_the_line_of_its_key_or_item() -> None:
    root, problems = parse("a: 1\nb:\n  c: [1,\n      2]\n  d:\n    - x: 1\n      y: 2\n", "f.yaml")
    assert problems == []
    assert root is not None
    assert root.place_of(["b"]).line == 2
    assert root.place_of(["b", "c", 1]).line == 4
    assert root.place_of(["b", "d", 0, "y"]).line == 7
    assert root.place_of(["b", "missing"]).line == 2
    assert root.plain() == {"a": 1, "b": {"c": [1, 2], "d": [{"x": 1, "y": 2}]}}


def test_faulty_entries_are_left_out_and_all_are_reported() -> None:
    text = "a: 1\na: 2\nb: .nan\nc: &x [1]\nd: *x\n3: z\n<<: {q: 1}\ne: !t 5\nf: 6\n"
    root, problems = parse(text, "f.yaml")
    assert root is not None
    assert root.plain() == {"a": 1, "c": [1], "f": 6}
    assert [problem.place.line for problem in problems] == [2, 3, 4, 5, 6, 7, 8]
    assert [problem.path for problem in problems] == ["a", "b", "c", "d", "3", "<<", "e"]


@pytest.mark.parametrize("text", [
    "[" * (MAX_DEPTH + 1), "{a: " * (MAX_DEPTH + 1), "[" * 100_000,
    "\n".join("  " * depth + "a:" for depth in range(MAX_DEPTH + 2)),
    "[" + "1," * (MAX_NODES + 1) + "]",
])
def test_depth_and_number_of_values_are_limited_before_anything_is_built(text: str) -> None:
    with pytest.raises(ScenarioError, match=r"nested more than|more than 50,000 values"):
        parse(text, "f.yaml")


@pytest.mark.parametrize(("text", "line", "words"), [
    ("a: 1\nb: 'x\nc: 2\n", 2, "quotation mark"),
    ("z: 1\na: [1, 2\nb: 3\n", 2, "bracket opened here is not closed, or a comma is missing (noticed on line 3)"),
    ("a: 1\nb: {c: [", 2, "bracket"),
    ("a:\n\tb: 1\n", 2, "tab"),
    ("a: b: c\n", 1, "':'"),
    ("a: 1\n b: 2\n", 2, "':'"),
    ("a: 1\n---\nb: 2\n", 2, "second document"),
    ("a: %x\n", 1, "not YAML"),
    ("a: \x01\n", 1, "control character"),
    ("[1]: 2\n", 1, "key must be text"),
])
def test_syntax_errors_are_sentences_with_their_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "f.yaml")
    assert caught.value.problems[-1].place == Place("f.yaml", line)
    assert words in str(caught.value)
