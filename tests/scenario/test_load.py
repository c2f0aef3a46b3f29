"""Reading scenarios: values, bases, overrides, variants, the check block, and every fault at once."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.scenario.errors import ScenarioError
from sim.scenario.load import load_scenario
from sim.scenario.registry import Registry
from sim.scenario.types import Section
from sim.scenario.yaml_guard import MAX_BYTES

Write = Callable[..., Path]


def faults(path: Path, registry: Registry, overrides: list[tuple[str, str]] | None = None) -> list[str]:
    """The faults as text, with the folder taken off."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, overrides or [], registry=registry)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def test_defaults_fill_what_a_file_does_not_say(write: Write, registry: Registry) -> None:
    scenario = load_scenario(write("village: {dike: 3}\nfishing:\n", "my town.yaml"), registry=registry)
    assert scenario.name == "my_town"
    assert scenario.horizon_days == 365
    assert scenario.section("village").dike == 3.0
    assert scenario.section("village").people == 100
    assert list(scenario.sections) == ["fishing", "village"]
    assert scenario.variants == {}
    assert scenario.check is None


def test_a_section_that_is_switched_off_takes_no_part(write: Write, registry: Registry) -> None:
    scenario = load_scenario(write("village:\nfishing: {enabled: false}\n"), registry=registry)
    assert list(scenario.sections) == ["village"]
    with pytest.raises(KeyError, match="no section 'fishing'"):
        scenario.section("fishing")
    without = load_scenario(write("village:\n", "b.yaml"), registry=registry)
    assert scenario.config_hash() == without.config_hash()


def test_only_sections_that_a_file_names_are_looked_up(write: Write) -> None:
    asked = set()

    class Watching(Registry):
        def get(self, name: str) -> type[Section] | None:
            asked.add(name)
            return super().get(name)

    load_scenario(write("economy: {enabled: false}\n"), registry=Watching())
    assert asked == {"economy"}


def test_bases_merge_and_lists_replace(write: Write, registry: Registry) -> None:
    write("name: ground\nstage: 1\nvillage: {people: 7, levels: [1, 2, 3], taxes: {fish: 1, salt: 2}}\n"
          "shocks: [{day: 5, kind: flood}]\n", "_ground.yaml")
    write("extends: ../_ground.yaml\nhorizon_days: 50\nvillage: {dike: 4}\nfishing: {boats: 9}\n", "sub/_mid.yaml")
    path = write("extends: sub/_mid.yaml\nvillage: {levels: [8], taxes: {salt: 3}}\nfishing:\n", "top.yaml")
    scenario = load_scenario(path, registry=registry)
    village = scenario.section("village")
    assert (scenario.name, scenario.stage, scenario.horizon_days) == ("top", 1, 50)
    assert (village.people, village.dike, village.levels, village.taxes) == (7, 4.0, (8.0,), {"fish": 1.0, "salt": 3.0})
    assert scenario.section("fishing").boats == 9  # an empty entry says nothing about what is inherited
    assert [(shock.day, shock.kind) for shock in scenario.shocks] == [(5, "flood")]


def test_faults_point_to_the_file_in_which_the_value_stands(write: Write, registry: Registry) -> None:
    write("stage: 1\nvillage:\n  people: 0\n  dike: 2\n", "_base.yaml")
    path = write("extends: _base.yaml\n\nvillage:\n  dike: 99\n", "top.yaml")
    assert faults(path, registry) == [
        "_base.yaml:3: village.people: 0 is too small; allowed: whole number from 1 to 5,000 (persons)",
        "top.yaml:4: village.dike: 99 is too large; allowed: number at least 0 and below 20 (m)",
    ]


@pytest.mark.parametrize(("files", "expected"), [
    ({"a.yaml": "extends: a.yaml\n"}, "a.yaml:1: extends: the files extend each other in a circle: a.yaml -> a.yaml"),
    ({"a.yaml": "\nextends: b.yaml\n", "b.yaml": "extends: c.yaml\n", "c.yaml": "extends: b.yaml\n"},
     "c.yaml:1: extends: the files extend each other in a circle: a.yaml -> b.yaml -> c.yaml -> b.yaml"),
    ({"a.yaml": "extends: bose.yaml\n", "base.yaml": "stage: 1\n"},
     "a.yaml:1: extends: 'bose.yaml': there is no such file; did you mean 'base.yaml'?"),
    ({"a.yaml": "extends: [b.yaml]\n"},
     "a.yaml:1: extends: a list of 1 is not a scenario file; give the path of a .yaml file"),
    ({"a.yaml": "extends: /etc/passwd.yaml\n"},
     "a.yaml:1: extends: '/etc/passwd.yaml' is an absolute path; give it relative to this file"),
])
def test_bases_that_cannot_be_followed(write: Write, registry: Registry, files: dict[str, str], expected: str) -> None:
    for name, text in files.items():
        write(text, name)
    path = write(files["a.yaml"], "a.yaml")
    assert [fault.replace(f"{path.parent}/", "") for fault in faults(path, registry)] == [expected]


def test_a_long_chain_of_bases_is_refused(write: Write, registry: Registry) -> None:
    for number in range(20):
        write(f"extends: n{number + 1}.yaml\n", f"n{number}.yaml")
    assert "more than 16 files" in faults(write("extends: n0.yaml\n"), registry)[0]


def test_overrides_are_yaml_and_lie_on_top(write: Write, registry: Registry) -> None:
    path = write("village: {people: 7, wells: [{depth: 2}, {depth: 3}], taxes: {fish: 1}}\n")
    overrides = [("village.people", "1e3"), ("village.rule", "majority"), ("village.levels", "[3, 4.5]"),
                 ("village.wells.1.depth", "50"), ("village.taxes", "{salt: 2}"), ("fishing.boats", "4"),
                 ("horizon_days", "10"), ("village.motto", "no"), ("village.ceiling", "null")]
    scenario = load_scenario(path, overrides, seed=77, registry=registry)
    village = scenario.section("village")
    assert (village.people, village.levels, village.motto, village.ceiling) == (1000, (3.0, 4.5), "no", None)
    assert [well.depth for well in village.wells] == [2, 50]
    assert village.taxes == {"fish": 1.0, "salt": 2.0}
    assert (scenario.section("fishing").boats, scenario.horizon_days, scenario.seed) == (4, 10, 77)


@pytest.mark.parametrize(("path", "value", "expected"), [
    ("village.poeple", "3", "--set village.poeple=3: village.poeple: unknown key 'poeple'; did you mean 'people'?"),
    ("vilage.people", "3", "--set vilage.people=3: vilage: there is no section or entry of this name; "
                           "did you mean 'village'?"),
    ("village.people", "'3'", "--set village.people='3': village.people: '3' is not allowed; expected: whole number "
     "from 1 to 5,000 (persons) (write the number without quotes, commas, underscores or a unit)"),
    ("village.people.x", "3", "--set village.people.x=3: village.people.x: 'x' is looked for inside a single value, "
                              "which has no parts"),
    ("village.wells.0.depth", "3", "--set village.wells.0.depth=3: village.wells.0.depth: '0' is no position in a list "
                                   "of 0 (the first is 0)"),
    ("village..people", "3", "--set village..people=3: this is not the path of a value, such as population.patients"),
    ("village.people", "[1", "--set village.people=[1: the bracket opened here is not closed, or a comma is missing"),
    ("village.people", "*x", "--set village.people=*x: aliases (*name) are not used in scenarios; write it out"),
])
def test_overrides_that_do_not_fit(write: Write, registry: Registry, path: str, value: str, expected: str) -> None:
    assert faults(write("village: {people: 7, wells: []}\n"), registry, [(path, value)]) == [expected]


def test_all_faults_of_a_file_at_once(write: Write, registry: Registry) -> None:
    path = write("""\
stage: 4
horizon_days: -3
questoin: what?
village:
  people: 2.5
  dike: true
  rule: mejority
  flag: no
  levels: [1, high]
  wells:
    - {depth: 0}
    - {deep: 3}
    - 7
  ceiling: low
fishing: {boats: "3"}
storms: {}
""")
    assert faults(path, registry) == [
        "case.yaml:1: stage: 4 is too large; allowed: whole number from 1 to 3",
        "case.yaml:2: horizon_days: -3 is too small; allowed: whole number from 1 to 36,500 (days)",
        "case.yaml:3: questoin: there is no section or entry of this name; did you mean 'question'?",
        "case.yaml:5: village.people: 2.5 is not allowed; expected: whole number from 1 to 5,000 (persons)",
        "case.yaml:6: village.dike: true is not allowed; expected: number at least 0 and below 20 (m)",
        "case.yaml:7: village.rule: 'mejority' is not allowed; expected: one of 'majority', 'mayor'; "
        "did you mean 'majority'?",
        "case.yaml:8: village.flag: 'no' is not allowed; expected: true or false",
        "case.yaml:9: village.levels.1: 'high' is not allowed; expected: number (m)",
        "case.yaml:11: village.wells.0.depth: 0 is too small; allowed: whole number from 1 to 100 (m)",
        "case.yaml:12: village.wells.1.deep: unknown key 'deep'; did you mean 'depth'?",
        "case.yaml:13: village.wells.2: 7 is not allowed; expected: mapping",
        "case.yaml:14: village.ceiling: 'low' is not allowed; expected: number at least 0, or null",
        "case.yaml:15: fishing.boats: '3' is not allowed; expected: whole number at least 0 "
        "(write the number without quotes, commas, underscores or a unit)",
        "case.yaml:16: storms: there is no section or entry of this name; valid: check, expect, extends, fishing, "
        "horizon_days, name, question, replications, seed, shocks, sources, stage and 2 more",
    ]


def test_a_rule_between_fields_speaks_its_own_sentence(write: Write, registry: Registry) -> None:
    path = write("stage: 1\nvillage:\n  rule: mayor\n")
    assert faults(path, registry) == ["case.yaml:2: village: a mayor needs a flag: set flag to true"]


@pytest.mark.parametrize(("text", "why"), [
    ("fishing:\n", "this scenario does not name"), ("fishing:\nvillage: {enabled: false}\n", "is switched off")])
def test_a_section_needs_those_it_requires(write: Write, registry: Registry, text: str, why: str) -> None:
    assert faults(write(text), registry) == [
        f"case.yaml:1: fishing: the section 'fishing' needs the section 'village', which {why}"]


def test_a_faulty_section_causes_no_second_fault_elsewhere(write: Write, registry: Registry) -> None:
    path = write("village: {people: 0}\nfishing:\nshocks: [{day: 1, kind: flood}]\n"
                 "expect: [{metric: village.dry, op: '>', value: 0}]\n")
    assert [fault.partition(": ")[2].partition(":")[0] for fault in faults(path, registry)] == ["village.people"]


@pytest.mark.parametrize("text", ["[1, 2]\n", "just text\n", "42\n"])
def test_a_scenario_is_a_mapping(write: Write, registry: Registry, text: str) -> None:
    assert "a scenario is a mapping" in faults(write(text), registry)[0]


@pytest.mark.parametrize(("data", "expected"), [
    (b"", "case.yaml: the file is empty; a scenario is a YAML mapping"),
    (b"# nothing\n---\n", "case.yaml"),
    (b"stage: 1\n\x00\x01", "case.yaml: this is a binary file, not a text file with YAML"),
    (b"stage: 1\nname: caf\xe9\n", "case.yaml:2: byte 0xe9 is not UTF-8 text"),
    (b"x" * (MAX_BYTES + 1), "case.yaml: the file is larger than 1,000,000 bytes, the most that a scenario may have"),
])
def test_files_that_are_not_scenarios(tmp_path: Path, registry: Registry, data: bytes, expected: str) -> None:
    path = tmp_path / "case.yaml"
    path.write_bytes(data)
    assert faults(path, registry)[0].startswith(expected)


def test_missing_files_and_folders(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "flood.yaml").write_text("stage: 1\n", encoding="utf-8")
    assert "no such file; did you mean" in faults(tmp_path / "flod.yaml", registry)[0]
    assert "no such file" in faults(tmp_path / "no" / "such.yaml", registry)[0]
    assert "this is a folder" in faults(tmp_path, registry)[0]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "case.yaml"
    path.write_bytes(b"\xef\xbb\xbfstage: 2\n")
    assert load_scenario(path, registry=registry).stage == 2


def test_values_are_shown_without_control_characters(write: Write, registry: Registry) -> None:
    path = write('village: {rule: "\\e[31mred\\a\\u202e", people: "' + "9" * 500 + '"}\n')
    text = "\n".join(faults(path, registry))
    assert all(char.isprintable() for char in text.replace("\n", ""))
    assert "'[31mred'" in text
    assert max(map(len, text.splitlines())) < 300


def test_the_resolved_scenario_reads_back_the_same(write: Write, registry: Registry) -> None:
    path = write("""\
name: town
question: "Is 1e6: no?"
sources: ["1e6", "null", "¥29", "a: b"]
horizon_days: 30
replications: 40
seed: 9
check: {set: {village.people: 5}, replications: 3}
village: {dike: 1e-5, motto: "1e6", levels: [1, 1e16], wells: [{depth: 4}]}
fishing: {enabled: false}
shocks: [{day: 9, kind: flood, height: 2}, {day: 3, kind: flood}]
expect:
  - {metric: village.dry, op: between, value: [0.1, 0.9], source: "table 3"}
  - {metric: village.lost, op: ">", value: 0, against: low}
variants:
  low: {set: {village: {dike: 0}}, question: Why?, expect: [{metric: village.lost, op: "==", value: 1, tolerance: 2}]}
""")
    first = load_scenario(path, [("village.people", "50")], registry=registry)
    again = load_scenario(write(first.to_yaml(), "again.yaml"), registry=registry)
    assert again.resolved() == first.resolved()
    for name, one in first.configurations().items():
        assert again.configurations()[name].config_hash() == one.config_hash()
    assert first.check is not None
    assert again.check is not None
    assert again.check.config_hash() == first.check.config_hash()
    assert again.section("village").motto == "1e6"
    alone = load_scenario(write(first.variants["low"].to_yaml(), "low.yaml"), registry=registry)
    assert alone.config_hash() == first.variants["low"].config_hash()


def test_the_hash_tells_markets_apart_and_nothing_else(write: Write, registry: Registry) -> None:
    def hashed(text: str) -> str:
        return load_scenario(write(text), registry=registry).config_hash()

    plain = hashed("village: {people: 100, dike: 2.5}\n")
    assert plain == hashed("question: why?\nseed: 5\nreplications: 3\nvillage: {dike: 25e-1}\n")
    assert len({plain, hashed("village: {people: 101}\n"), hashed("village:\nhorizon_days: 9\n"),
                hashed("village:\nfishing:\n"), hashed("village:\nshocks: [{day: 1, kind: flood}]\n")}) == 5


def test_variants_and_check_are_laid_on_the_scenario(write: Write, registry: Registry) -> None:
    path = write("""\
village: {people: 1000, dike: 2, taxes: {fish: 1}}
replications: 200
check: {set: {village.people: 10, horizon_days: 20}, replications: 6}
variants:
  dotted: {set: {village.dike: 5}}
  nested: {set: {village: {dike: 6, taxes: {salt: 2}}, fishing.boats: 1}}
  bigger: {set: {village.people: 4000}}
""")
    scenario = load_scenario(path, registry=registry)
    dikes = {name: one.section("village").dike for name, one in scenario.configurations().items()}
    assert dikes == {"main": 2.0, "dotted": 5.0, "nested": 6.0, "bigger": 2.0}
    assert scenario.variants["nested"].section("village").taxes == {"fish": 1.0, "salt": 2.0}
    assert "fishing" not in scenario.sections
    assert scenario.variants["nested"].section("fishing").boats == 1
    checked = scenario.check
    assert checked is not None
    assert (checked.replications, checked.horizon_days, scenario.horizon_days) == (6, 20, 365)
    people = {name: one.section("village").people for name, one in checked.configurations().items()}
    assert people == {"main": 10, "dotted": 10, "nested": 10, "bigger": 4000}
    assert checked.variants["dotted"].settings == (
        ("village.people", 10), ("horizon_days", 20), ("village.dike", 5))
    assert checked.variants["dotted"].label == "case/dotted"


def test_faults_in_variants_and_check(write: Write, registry: Registry) -> None:
    path = write("""\
village:
check:
  set:
    village.people: 0
    seed: 3
variants:
  main: {}
  "../up": {}
  ok:
    set:
      village.dkie: 1
      village.people: many
      replications: 4
      extends: x.yaml
    expct: []
  off:
    set: {village.enabled: false}
    expect:
      - {metric: village.dry, op: "<", value: 1}
  few: 3
""")
    assert faults(path, registry) == [
        "case.yaml:4: village.people: 0 is too small; allowed: whole number from 1 to 5,000 (persons)",
        "case.yaml:5: check.set.seed: 'seed' cannot be changed here",
        "case.yaml:7: variants.main: a variant cannot be called 'main'; use letters, digits, _ - and ., not 'main'",
        "case.yaml:8: variants.../up: a variant cannot be called '../up'; use letters, digits, _ - and ., not 'main'",
        "case.yaml:15: variants.ok.expct: unknown key 'expct'; did you mean 'expect'?",
        "case.yaml:19: variants.off.expect.0.metric: the metric 'village.dry' belongs to the section 'village', which "
        "does not take part here",
        "case.yaml:20: variants.few: 3 is not allowed; expected: a mapping",
    ]


def test_a_variant_is_checked_like_a_scenario(write: Write, registry: Registry) -> None:
    path = write("village:\nvariants:\n  one:\n    set:\n      village.dkie: 1\n      village.people: many\n"
                 "      replications: 4\n      a..b: 1\n")
    assert faults(path, registry) == [
        "case.yaml:5: village.dkie: unknown key 'dkie'; did you mean 'dike'?",
        "case.yaml:6: village.people: 'many' is not allowed; expected: whole number from 1 to 5,000 (persons)",
        "case.yaml:7: variants.one.set.replications: 'replications' cannot be changed here",
        "case.yaml:8: variants.one.set: 'a..b' is not a dotted path, such as population.patients",
    ]


def test_a_scenario_can_be_sent_to_another_process(write: Write) -> None:
    scenario = load_scenario(write("economy: {enabled: false, tax_rate: 0.1}\n"))
    assert pickle.loads(pickle.dumps(scenario)) == scenario


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seeds_have_a_range(write: Write, registry: Registry, seed: int) -> None:
    with pytest.raises(ScenarioError, match="is not a seed"):
        load_scenario(write("village:\n"), seed=seed, registry=registry)
