"""The commands about scenario files: ``list``, ``validate``, ``explain``, ``schema``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sim.asked import BAD_INPUT, FINE, UsageError, load

if TYPE_CHECKING:
    from sim.scenario.scenario import Scenario


def list_command(options: argparse.Namespace) -> int:
    """``list``"""
    from sim.scenario.library import list_scenarios, shipped_folder

    for folder in options.folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder")
    found = list_scenarios(options.folders or [shipped_folder()])
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        print(f"{one.name:<{width}}  {one.stage:>5}  {one.question or one.fault}".rstrip())
    if not found:
        print("no scenarios here", file=sys.stderr)
    return BAD_INPUT if any(one.fault for one in found) else FINE


def validate_command(options: argparse.Namespace) -> int:
    """``validate``"""
    from sim.scenario.errors import ScenarioError, clean

    code = FINE
    for file in options.files:
        try:
            scenario = load(file, options)
        except ScenarioError as error:
            print(error, file=sys.stderr)
            code = BAD_INPUT
            continue
        wishes = sum(len(one.expect) for one in scenario.configurations().values())
        print(f"{clean(scenario.file)}: fine ({len(scenario.sections)} sections, {len(scenario.shocks)} shocks, "
              f"{wishes} expectations, {len(scenario.variants)} variants)")
        for note in _notes(scenario):
            print(f"  note: {note}")
    return code


def _notes(scenario: Scenario) -> list[str]:
    from sim.scenario.expectations import runs_needed

    checked = scenario.check or scenario
    return [
        f"{one.label}: '{wish.text()}' cannot be met by {checked.replications} runs; it takes {runs_needed(wish)}"
        for one in checked.configurations().values() for wish in one.expect
        if runs_needed(wish) > checked.replications
    ]


def explain_command(options: argparse.Namespace) -> int:
    """``explain``"""
    if options.name == "day":
        scenario = load(options.scenario, options)
        print(f"The day of {scenario.label}: phase, mechanism and call, in order")
        print("\n".join(_day_plan(scenario)))
        return FINE
    from sim.scenario.explain import explain

    print(explain(options.name))
    return FINE


def schema_command(options: argparse.Namespace) -> int:
    """``schema``"""
    import json

    from sim.scenario.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return FINE


def _day_plan(scenario: Scenario) -> list[str]:
    """Which mechanism acts when; the mechanisms are made but no world is built."""
    from sim.chain.instant import InstantChain
    from sim.day import DayPlan
    from sim.model import implementation

    mechanisms = {name: implementation(section.implementation)(section) for name, section in scenario.sections.items()}
    mechanisms.setdefault("chain", InstantChain())
    return DayPlan(mechanisms).lines()
