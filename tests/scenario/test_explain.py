"""Explanations, the JSON Schema, and the list of shipped scenarios."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.scenario.dump import flow, to_yaml
from sim.scenario.explain import UnknownName, explain
from sim.scenario.library import list_scenarios
from sim.scenario.registry import DEFAULT, Registry
from sim.scenario.schema import json_schema, parameter_rows
from sim.scenario.yaml_guard import parse


def test_a_parameter_is_explained_in_full(registry: Registry) -> None:
    assert explain("village.dike", registry).splitlines() == [
        "village.dike", "  Height of the dike.", "  allowed   number at least 0 and below 20 (m)", "  default   2.5",
        "  unit      m", "  evidence  M, measured", "  source    the mayor", "  by vote   0 to 9"]


@pytest.mark.parametrize(("name", "words"), [
    ("village", ["A village.", "village.wells.*.depth", "village.dry", "flood"]),
    ("fishing", ["requires village"]),
    ("village.wells.0.depth", ["Depth of the well.", "from 1 to 100 (m)"]),
    ("village.lost", ["a metric of 'village'", "lower is better", "count"]),
    ("village.level", ["one value a day"]),
    ("flood", ["The river rises.", "above 0 and at most 10 (m)"]),
    ("horizon_days", ["Length of the run.", "365"]),
    ("expect", ["in_share_of_runs"]),
    ("village.levels", ["default   [1.0, 2.0]"]),
])
def test_everything_that_has_a_name_is_explained(registry: Registry, name: str, words: list[str]) -> None:
    text = explain(name, registry)
    assert all(word in text for word in words)


def test_what_has_no_name_gets_the_nearest(registry: Registry) -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'village\.dike'"):
        explain("village.dyke", registry)


def test_every_shipped_parameter_and_metric_is_explained() -> None:
    for name, section in DEFAULT.all().items():
        assert name in explain(name)
        for row in parameter_rows(section):
            assert row.description in explain(f"{name}.{row.path}")
        for metric in section.metrics:
            assert metric.description in explain(metric.name)


def test_the_json_schema_names_every_section_and_resolves() -> None:
    schema = json_schema()
    text = json.dumps(schema)
    assert set(DEFAULT.names()) <= schema["properties"].keys()
    assert schema["additionalProperties"] is False
    references = {part.split('"')[0] for part in text.split('"$ref": "#/$defs/')[1:]}
    assert references <= schema["$defs"].keys()
    tax = schema["$defs"]["EconomySection"]["properties"]["tax_rate"]
    assert (tax["minimum"], tax["maximum"], tax["unit"], tax["grade"]) == (0.0, 0.9, "1", "A")


def test_shocks_in_the_json_schema_carry_their_arguments(registry: Registry) -> None:
    kinds = {item["properties"]["kind"]["const"]: item
             for item in json_schema(registry)["properties"]["shocks"]["items"]["anyOf"]}
    assert set(kinds) == {"flood", "storm"}
    assert kinds["flood"]["properties"]["height"]["maximum"] == 10.0


def test_the_list_shows_what_a_file_says_of_itself(tmp_path: Path, write: Callable[..., Path]) -> None:
    write("stage: 1\nquestion: Base?\n", "_base.yaml")
    write("extends: _base.yaml\nname: own\n", "b.yaml")
    write('question: "A\\e[31m red\\nline"\nstage: 2\n', "a.yaml")
    write("a: [", "c.yaml")
    found = list_scenarios([tmp_path])
    assert [(one.name, one.stage, one.question) for one in found] == [
        ("a", "2", "A[31m red line"), ("own", "1", "Base?"), ("c", "-", "")]
    assert "c.yaml:1: the bracket opened here is not closed" in found[2].fault


@pytest.mark.parametrize("text", [
    "1e6", "no", "true", "null", "~", "", "0x1f", ".nan", "a: b", "- x", "'q'", "¥29", "x\ny"])
def test_text_stays_text_through_a_file(text: str) -> None:
    root, problems = parse(to_yaml({"key": text, "list": [text]}), "f")
    assert problems == []
    assert root is not None
    assert root.plain() == {"key": text, "list": [text]}
    one, _ = parse(flow({"key": [text]}), "f")
    assert one is not None
    assert one.plain() == {"key": [text]}
