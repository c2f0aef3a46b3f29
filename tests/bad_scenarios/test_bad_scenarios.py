"""Broken scenario files: each is refused with readable sentences that name the line, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.cli import main

FOLDER = Path(__file__).resolve().parent

# What the command line says of each file, fault by fault: "line: path: beginning of the sentence". A fault that lies in
# another file starts with that file's name; one that has no line starts with a blank.
FAULTS: dict[str, list[str]] = {
    "above_range": ["8: economy.tax_rate: 1.5 is too large"],
    "against_an_unknown_variant": [
        "9: expect.0.against: there is no other variant 'low_tax'; did you mean 'low_taxes'?",
    ],
    "alias_bomb": [
        "5: bomb: there is no section or entry of this name",
        "6: bomb.a: anchors (&name) are not used in scenarios",
        "7: bomb.b: anchors (&name) are not used in scenarios",
        "7: bomb.b.0: aliases (*name) are not used in scenarios",
        "8: bomb.c: anchors (&name) are not used in scenarios",
        "8: bomb.c.0: aliases (*name) are not used in scenarios",
        "9: bomb.d: anchors (&name) are not used in scenarios",
        "9: bomb.d.0: aliases (*name) are not used in scenarios",
        "10: bomb.e: anchors (&name) are not used in scenarios",
        "10: bomb.e.0: aliases (*name) are not used in scenarios",
        "11: bomb.f: anchors (&name) are not used in scenarios",
        "11: bomb.f.0: aliases (*name) are not used in scenarios",
        "12: bomb.g: anchors (&name) are not used in scenarios",
        "12: bomb.g.0: aliases (*name) are not used in scenarios",
        "13: bomb.h: anchors (&name) are not used in scenarios",
        "13: bomb.h.0: aliases (*name) are not used in scenarios",
        "14: bomb.i: anchors (&name) are not used in scenarios",
        "14: bomb.i.0: aliases (*name) are not used in scenarios",
    ],
    "bad_indentation": ["7: a ':' is not allowed here; mend the indentation, or quote text with ': ' in it"],
    "below_range": ["6: population.patients: 0 is too small"],
    "between_one_number": [
        "9: expect.0.value: the comparison 'between' needs a list of two numbers, such as [0.8, 0.9]",
    ],
    "binary": [" this is a binary file, not a text file with YAML"],
    "boolean_for_a_number": ["8: economy.tax_rate: true is not allowed"],
    "check_block_misspelt": ["8: check.replication: unknown key 'replication'; did you mean 'replications'?"],
    "check_block_out_of_range": ["9: population.patients: 0 is too small"],
    "contradicting_preset": [
        "9: chain: block_seconds is 2 on preset layer_2, not 12: leave it out, or use preset: custom",
    ],
    "control_character": ["5: a control character stands here, which YAML does not allow"],
    "decimal_point_for_a_count": ["6: population.patients: 2000.0 is not allowed"],
    "deep_block_nesting": ["44: values are nested more than 40 deep"],
    "deep_nesting": ["5: values are nested more than 40 deep"],
    "duplicate_key": ["8: population.patients: the key stands twice"],
    "duplicate_section": ["8: population: the key stands twice"],
    "empty": [" the file is empty; a scenario is a YAML mapping"],
    "expect_is_a_mapping": ["7: expect: expectations are a list of {metric, op, value, ...}"],
    "expectation_without_value": ["9: expect.0.value: 'value' is missing"],
    "extends_a_faulty_base": ["_faulty_base.yaml:6: economy.tax_rate: -1 is too small"],
    "extends_a_list": ["5: extends: a list of 1 is not a scenario file; give the path of a .yaml file"],
    "extends_a_missing_file": [
        "5: extends: 'no_such_base.yaml': there is no such file; did you mean '_faulty_base.yaml'?",
    ],
    "extends_an_absolute_path": ["5: extends: '/etc/base.yaml' is an absolute path; give it relative to this file"],
    "extends_another_kind_of_file": [
        "5: extends: '../conftest.py' is not a scenario file; give the path of a .yaml file",
    ],
    "extends_in_a_circle": [
        "_circle.yaml:1: extends: the files extend each other in a circle: extends_in_a_circle.yaml -> "
        "_circle.yaml -> extends_in_a_circle.yaml",
    ],
    "extends_itself": [
        "1: extends: the files extend each other in a circle: extends_itself.yaml -> extends_itself.yaml",
    ],
    "fraction_for_a_count": ["6: population.patients: 2000.5 is not allowed"],
    "infinite": ["8: economy.rest_of_world_cash: .inf is not a number that a scenario can use"],
    "list_as_a_key": ["6: population: a key must be text, not a list or a mapping"],
    "list_at_the_top": ["1: a scenario is a mapping of names to values, not a list"],
    "list_for_a_number": ["6: population.patients: a list of 2 is not allowed"],
    "list_too_short": ["7: population.home_chain_shares: an empty list is too short"],
    "many_faults": [
        "2: stage: 'three' is not allowed",
        "6: population.patients: -5 is too small",
        "7: population.ageing: 'maybe' is not allowed",
        "8: population.agging: unknown key 'agging'; did you mean 'ageing'?",
        "10: economy.tax_rate: 3 is too large",
        "11: economy.pay_interval_days: 1.5 is not allowed",
        "12: morbidty: there is no section or entry of this name; did you mean 'morbidity'?",
        "14: shocks.0.kind: unknown shock 'earthquake'; the sections of this scenario know no shocks",
        "16: expect.0.metric: no section of this scenario reports a metric 'economy.happiness'",
    ],
    "mapping_for_a_number": ["6: population.patients: a mapping is not allowed"],
    "merge_key": [
        "5: economy: anchors (&name) are not used in scenarios",
        "8: population.<<: aliases (*name) are not used in scenarios",
        "8: population.<<: merge keys (<<) are not used in scenarios; use extends",
    ],
    "metric_of_an_absent_section": [
        "8: expect.0.metric: the metric 'economy.unpaid_wages' belongs to the section 'economy', which does "
        "not take part here",
    ],
    "missing_required_section": [
        "5: economy: the section 'economy' needs the section 'population', which this scenario does not name",
    ],
    "misspelt_entry": ["4: horizon_day: there is no section or entry of this name; did you mean 'horizon_days'?"],
    "misspelt_section": ["5: populaton: there is no section or entry of this name; did you mean 'population'?"],
    "name_leads_elsewhere": ["1: name: '../../elsewhere' is not of the right form"],
    "negative_horizon": ["4: horizon_days: -30 is too small"],
    "negative_seed": ["5: seed: -1 is too small"],
    "no_colon": ["6: the line does not fit the mapping it stands in; look at its indentation and ':'"],
    "no_for_a_boolean": ["6: population.ageing: 'no' is not allowed"],
    "no_replications": ["5: replications: 0 is too small"],
    "not_a_number": ["8: economy.tax_rate: .nan is not a number that a scenario can use"],
    "not_utf8": ["5: byte 0xe9 is not UTF-8 text"],
    "null_as_a_key": ["6: population.~: the key ~ is not text"],
    "null_for_a_number": ["6: population.patients: null is not allowed"],
    "number_as_a_key": ["6: population.2000: the key 2000 is not text"],
    "number_for_a_boolean": ["6: population.ageing: 1 is not allowed"],
    "number_for_text": ["6: population.tables: 7 is not allowed"],
    "number_too_long": ["6: population.patients: a number of 60 characters is too long; at most 40"],
    "number_with_underscore": ["6: population.patients: '20_000' is not allowed"],
    "number_with_unit": ["6: population.patients: '2000 persons' is not allowed"],
    "only_comments": [" the file is empty; a scenario is a YAML mapping"],
    "overflowing_number": ["8: economy.rest_of_world_cash: 1.0e400 is too large for a number"],
    "own_tag": ["6: population.patients: the tag !secret is not allowed"],
    "python_object": ["5: population: the tag tag:yaml.org,2002:python/object/apply:os.system is not allowed"],
    "quoted_number": ["6: population.patients: '2000' is not allowed"],
    "required_section_switched_off": [
        "7: economy: the section 'economy' needs the section 'population', which is switched off",
    ],
    "section_is_a_list": ["5: population: a list of 1 is not allowed"],
    "section_is_a_number": ["5: population: 2000 is not allowed"],
    "share_above_one": ["9: expect.0.in_share_of_runs: 95 is too large"],
    "shock_after_the_end": ["11: shocks.0.day: 30 is not a day of the run"],
    "shock_argument_out_of_range": ["13: shocks.0.multiple: -6 is too small"],
    "shock_argument_unknown": ["11: shocks.0.multiply: unknown key 'multiply'; did you mean 'multiple'?"],
    "shock_of_an_absent_section": [
        "8: shocks.0.kind: the shock 'fee_spike' belongs to the section 'chain', which does not take part here",
    ],
    "shock_without_a_day": ["11: shocks.0: 'day' is missing: the day on which the shock strikes"],
    "shocks_are_a_mapping": ["7: shocks: shocks are a list of {day, kind, ...}"],
    "stage_four": ["2: stage: 4 is too large"],
    "tab_indentation": ["6: a tab stands in the indentation; YAML allows spaces only"],
    "text_at_the_top": ["1: a scenario is a mapping of names to values, not a single value ('name broken stage 3')"],
    "text_for_a_number": ["6: population.patients: 'many' is not allowed"],
    "text_in_a_list": ["7: population.home_chain_shares.1: 'most' is not allowed"],
    "two_documents": ["7: a second document starts here (---); a scenario file has one"],
    "two_shares": ["9: expect.0.upper_share: give either in_share_of_runs or upper_share, not both"],
    "unclosed_bracket": ["7: the bracket opened here is not closed, or a comma is missing"],
    "unclosed_quote": ["3: a quotation mark is opened here and never closed"],
    "unknown_comparison": ["9: expect.0.op: '=>' is not allowed"],
    "unknown_key": ["6: population.patinets: unknown key 'patinets'; did you mean 'patients'?"],
    "unknown_market_pool": [
        "15: lending.markets.1.pool: there is no pool of the market maker 'HTL'; did you mean 'HLT'?",
    ],
    "unknown_metric": [
        "9: expect.0.metric: no section of this scenario reports a metric 'economy.unpaid_wage'; did you "
        "mean 'economy.unpaid_wages'?",
    ],
    "unknown_section": ["7: quantum_ledger: there is no section or entry of this name"],
    "unknown_shock": ["9: shocks.0.kind: unknown shock 'price_jmup'; did you mean 'price_jump'?"],
    "unquoted_colon": ["3: a ':' is not allowed here; mend the indentation, or quote text with ': ' in it"],
    "utf16": [" this is a binary file, not a text file with YAML"],
    "variant_called_main": [
        "8: variants.main: a variant cannot be called 'main'; use letters, digits, _ - and ., not 'main'",
    ],
    "variant_changes_the_seed": ["9: variants.lucky.set.seed: 'seed' cannot be changed here"],
    "variant_misspelt_entry": ["9: variants.larger.sets: unknown key 'sets'; did you mean 'set'?"],
    "variant_out_of_range": ["10: population.patients: 0 is too small"],
    "variant_switches_off_what_it_needs": [
        "7: economy: the section 'economy' needs the section 'population', which is switched off (in the "
        "variant 'nobody')",
    ],
    "variant_with_an_empty_path": [
        "9: variants.larger.set: 'population..patients' is not a dotted path, such as population.patients",
    ],
    "variant_with_an_unknown_path": ["10: population.patient: unknown key 'patient'; did you mean 'patients'?"],
    "variants_are_a_list": ["7: variants: variants are a mapping of names to {set, expect, question}"],
    "wrong_choice": ["10: chain.preset: 'layer_3' is not allowed"],
}


def test_every_broken_file_is_in_the_table() -> None:
    files = {path.stem for path in FOLDER.glob("*.yaml") if not path.name.startswith("_")}
    assert files == FAULTS.keys()
    assert len(files) >= 30


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_a_sentence_with_its_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(FOLDER / f"{name}.yaml")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = [line.replace(f"{FOLDER}/", "") for line in captured.err.splitlines()]
    expected = [fault if fault.startswith("_") else f"{name}.yaml:{fault}" for fault in FAULTS[name]]
    assert len(lines) == len(expected)
    for line, fault in zip(lines, expected, strict=True):
        assert line.startswith(fault)
        assert line.isprintable()
        assert len(line) < 400
        assert not any(word in line.lower() for word in ("traceback", "pydantic", "http", "input should", "type="))


@pytest.mark.parametrize("name", FAULTS)
def test_running_a_broken_file_writes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(FOLDER.iterdir())
    assert main(["run", str(FOLDER / f"{name}.yaml"), "--out", "out"]) == 2
    assert main(["check", str(FOLDER / f"{name}.yaml")]) == 2
    assert list(tmp_path.iterdir()) == []
    assert sorted(FOLDER.iterdir()) == before
    assert capsys.readouterr().out == ""
