"""The chain's schema: presets fill what is not given, and a protocol constant cannot contradict the preset."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sim.scenario.sections.chain import PRESETS, SECTION, ChainSection


def test_presets_fill_what_the_scenario_leaves_out() -> None:
    section = ChainSection(preset="layer_2", base_fee_gwei=0.5)
    assert (section.block_seconds, section.gas_target, section.change_denominator) == (2, 5_000_000, 250)
    assert (section.base_fee_gwei, section.tip_gwei, section.data_bytes) == (0.5, 0.001, 150)


def test_the_defaults_are_those_of_layer_1() -> None:
    section = SECTION()
    assert {name: getattr(section, name) for name in PRESETS["layer_1"]} == PRESETS["layer_1"]


def test_a_resolved_section_reads_back_equal() -> None:
    for preset in PRESETS:
        section = ChainSection(preset=preset)
        assert ChainSection.model_validate(section.model_dump()) == section


def test_a_resolved_section_whose_preset_is_changed_is_refused() -> None:
    resolved = ChainSection(preset="layer_1").model_dump() | {"preset": "layer_2"}
    with pytest.raises(ValidationError, match=r"block_seconds is 2 on preset layer_2, not 12.*preset: custom"):
        ChainSection.model_validate(resolved)


def test_custom_allows_any_protocol() -> None:
    section = ChainSection(preset="custom", block_seconds=6, change_denominator=16)
    assert (section.block_seconds, section.change_denominator, section.gas_target) == (6, 16, 15_000_000)


@pytest.mark.parametrize("wrong", [
    {"preset": "layer_3"}, {"preset": 7}, {"gas": {"claim_filing": 5}}, {"gas": {"unknown": 50_000}}, {"tip_gwei": 0},
    {"preset": "custom", "blocks_per_step": 5}, {"base_fee_gwei": float("nan")},
])
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ChainSection.model_validate(wrong)


def test_a_kind_s_gas_can_be_set() -> None:
    assert ChainSection.model_validate({"gas": {"claim_filing": 90_000}}).gas.claim_filing == 90_000
