"""Every scenario that is shipped can be read, states a question, and reads back from its resolved form."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.scenario.library import find_scenario, list_scenarios, shipped_folder
from sim.scenario.load import load_scenario

FILES = sorted(shipped_folder().glob("*.yaml"))


def test_scenarios_are_shipped_and_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_scenario("baseline").is_file()
    assert find_scenario("baseline.yaml") == Path("baseline.yaml")
    Path("baseline").mkdir()
    assert find_scenario("baseline") == Path("baseline")  # what is here comes first
    assert not any(one.fault for one in list_scenarios([shipped_folder()]))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_scenario_reads_back_from_its_resolved_form(file: Path, tmp_path: Path) -> None:
    scenario = load_scenario(file)
    if not file.name.startswith("_"):
        assert scenario.question
        assert scenario.expect or scenario.variants
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(scenario.to_yaml(), encoding="utf-8")
    again = load_scenario(resolved)
    assert again.resolved() == scenario.resolved()
    for one, other in ((scenario, again), (scenario.check or scenario, again.check or again)):
        for name, configuration in one.configurations().items():
            assert other.configurations()[name].config_hash() == configuration.config_hash()
            alone = tmp_path / "alone.yaml"
            alone.write_text(configuration.alone().to_yaml(), encoding="utf-8")
            assert load_scenario(alone).config_hash() == configuration.config_hash()
