"""Whatever a file holds, reading it gives a scenario or printable sentences, and never another exception."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.load import load_scenario
from sim.scenario.registry import Registry
from sim.scenario.yaml_guard import parse

EXAMPLES = 3_000 if os.environ.get("SALUS_LONG") else 300

SOUND = """\
name: town
horizon_days: 30
check: {set: {village.people: 5}, replications: 3}
village: {dike: 1e-5, levels: [1, 2], wells: [{depth: 4}], taxes: {fish: 1}}
shocks: [{day: 9, kind: flood, height: 2}]
expect: [{metric: village.dry, op: between, value: [0.1, 0.9]}]
variants: {low: {set: {village: {dike: 0}}, expect: [{metric: village.lost, op: ">", value: 1, against: main}]}}
"""

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
                    st.sampled_from(["flood", "village.dry", "main", "low", "==", ".nan", "1e9", "*a", "&a", "!!x"]))
KEYS = st.one_of(st.sampled_from([
    "name", "stage", "extends", "check", "set", "shocks", "day", "kind", "height", "expect", "metric", "op", "value",
    "against", "variants", "village", "people", "levels", "wells", "depth", "taxes", "enabled", "village.people",
    "replications", "seed", "horizon_days"]), st.text(max_size=6))
VALUES = st.recursive(SCALARS, lambda inner: st.one_of(
    st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)), max_leaves=12)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def read(folder: Path, data: bytes, registry: Registry) -> None:
    path = folder / "case.yaml"
    path.write_bytes(data)
    sentences: tuple[Problem, ...] = ()
    try:
        scenario = load_scenario(path, registry=registry)
    except ScenarioError as error:
        sentences = error.problems
    else:
        path.write_text(scenario.to_yaml(), encoding="utf-8")
        assert load_scenario(path, registry=registry).config_hash() == scenario.config_hash()
        return
    assert sentences
    assert all(str(sentence).isprintable() and len(str(sentence)) < 2000 for sentence in sentences)


fuzz = settings(max_examples=EXAMPLES, deadline=None,
                suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@fuzz
@given(data=st.binary(max_size=200))
def test_bytes(folder: Path, registry: Registry, data: bytes) -> None:
    read(folder, data, registry)


@fuzz
@given(text=st.text(st.sampled_from(" \n\t:-[]{}&*!|>'\"#%@,?ab1.~=\u2028\u0085"), max_size=60))
def test_punctuation(text: str) -> None:
    try:
        _, problems = parse(text, "f")
    except ScenarioError as error:
        problems = list(error.problems)
    assert all(str(problem).isprintable() for problem in problems)


@fuzz
@given(content=st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_content_at_the_entries_that_exist(folder: Path, registry: Registry, content: dict[str, object]) -> None:
    import yaml

    read(folder, yaml.safe_dump(content, allow_unicode=True).encode("utf-8", errors="replace"), registry)


@fuzz
@given(position=st.integers(0, len(SOUND)), length=st.integers(0, 6), text=st.text(max_size=4))
def test_a_sound_file_with_one_wound(folder: Path, registry: Registry, position: int, length: int, text: str) -> None:
    wounded = SOUND[:position] + text + SOUND[position + length:]
    read(folder, wounded.encode("utf-8", errors="replace"), registry)
