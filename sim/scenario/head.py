"""The entries of a scenario file that belong to no mechanism."""

from __future__ import annotations

from typing import Any

from sim.scenario.types import Model, param

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
"""Scenario and variant names become folder names, so they cannot lead out of a folder."""

MAX_SEED = 2**63 - 1


class Head(Model):
    """What a scenario is about, how long it runs and how often."""

    name: str = param(..., "Name of the scenario; the file's name without its ending by default.",
                      pattern=NAME_PATTERN, max_length=80)
    stage: int = param(3, "How far the system has grown: 1 records and claims, 2 research and data, 3 the whole "
                       "market.", ge=1, le=3)
    question: str = param("", "The question that the scenario answers, in one sentence.", max_length=500)
    sources: list[str] = param([], "Truths, publications or events that the scenario rests on.")
    horizon_days: int = param(365, "Length of the run.", unit="days", ge=1, le=36_500)
    replications: int = param(20, "Runs with different seeds that `check` and batches make of it.", unit="runs", ge=1,
                              le=1_000_000)
    seed: int = param(1, "Master seed. A single run uses it as it is; replication k uses a hash of it and k.", ge=0,
                      le=MAX_SEED)


class CheckBlock(Model):
    """What only `check` changes, so that a scenario can be checked smaller than it is run."""

    set: dict[str, Any] = param({}, "Values that replace others while checking: dotted paths or nested mappings.")
    replications: int | None = param(None, "Runs made by `check`; the scenario's own number by default.", unit="runs",
                                     ge=1, le=1_000_000)


class VariantBlock(Model):
    """A variation of the scenario, run on the same seeds."""

    question: str = param("", "What the variant shows, in one sentence.", max_length=500)
    set: dict[str, Any] = param({}, "Values that replace those of the scenario: dotted paths or nested mappings.")
    expect: list[dict[str, Any]] = param([], "Expectations of the variant, as in `expect`.")


FILE_ENTRIES: dict[str, str] = {
    "extends": "Another scenario file, relative to this one, on which this one is laid: mappings merge, lists replace.",
    "check": CheckBlock.__doc__ or "",
    "shocks": "Scheduled events: a list of {day, kind, ...arguments of that kind}.",
    "expect": "What must come out: a list of {metric, op, value, ...}, judged by `check`.",
    "variants": "Variations of the scenario on the same seeds: name -> {set, expect, question}.",
}
"""Entries of a file beside those of :class:`Head` and the sections, with their meaning."""

NOT_IN_SET = ("extends", "variants", "check", "name", "expect", "replications", "seed")
"""What the `set` of a variant or of `check` may not change."""


def entry_names() -> list[str]:
    """All names at the top of a file that are not sections."""
    return [*Head.model_fields, *FILE_ENTRIES]
