"""What the command ``sensitivity`` does: sample a scenario and run it, unless a batch did, and tell what matters."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from sim.asked import FAILED, FINE, UsageError

if TYPE_CHECKING:
    from sim.batch.batch_plan import BatchPlan

SIZES = {"morris": 10, "sobol": 64}
"""Trajectories, or base points, where no number is given."""


def sensitivity_command(options: argparse.Namespace) -> int:
    """``sensitivity``"""
    if (Path(options.place) / "plan.json").is_file():
        if options.vary:
            raise UsageError(f"{options.place} is a batch that was sampled already; --vary needs a scenario")
        tell_indices(Path(options.place), options.metrics)
        return FINE
    from sim.batch.design import DesignError
    from sim.batch_command import run_batch

    options.retry_failed, options.metric = False, None
    try:
        plan, folder = planned(options)
        code = run_batch(plan, folder, options)
    except DesignError as error:
        raise UsageError(str(error)) from error
    if code in (FINE, FAILED):
        tell_indices(folder, options.metrics)
    return code


def planned(options: argparse.Namespace) -> tuple[BatchPlan, Path]:
    """The sampled batch that ``options`` ask for, and its folder."""
    from sim.batch.batch_plan import plan_batch
    from sim.batch.design import DesignError, parse_sample
    from sim.scenario.library import find_scenario
    from sim.scenario.overrides import split_setting

    if Path(options.place).is_dir():
        raise UsageError(f"{options.place} is not a batch folder: it has no plan.json")
    file = find_scenario(options.place)
    if not options.vary:
        raise DesignError("say what to vary, such as --vary economy.tax_rate=0.1:0.5")
    sample = parse_sample([f"{options.method}:{options.size or SIZES[options.method]}", *options.vary])
    settings = [split_setting(text) for text in options.settings]
    plan = plan_batch([file], settings, options.replications, options.seed, sample, [options.variant])
    for figure in options.metrics:
        if figure not in plan.metrics:
            raise DesignError(f"no section of the scenario reports a metric '{figure}'")
    return plan, options.out or Path("runs") / f"{plan.entries[0]['name']}-{options.method}"


def tell_indices(folder: Path, metrics: list[str]) -> None:
    """Print the indices of ``metrics``, or of the usual figures, and write the page about them."""
    from analysis.batch import load_batch
    from analysis.batch_report import key_names
    from analysis.sensitivity import sensitivity, told
    from analysis.sensitivity_report import write_sensitivity_report
    from sim.analysis_commands import glossary

    batch = load_batch(folder)
    figures = metrics or key_names(batch)[:4]
    known = glossary()
    if batch.note:
        print(batch.note)
    for figure in figures:
        found = sensitivity(batch, figure)
        unit = known.unit(figure)
        print(f"{figure}{f' ({unit})' if unit else ''}: {found.design}, {found.used} of {found.planned} {found.of}")
        leading, low, high, other = ("mu_star", "mu_star_low", "mu_star_high", "sigma") if found.design == "morris" \
            else ("total", "total_low", "total_high", "first")
        width = max(len(str(name)) for name in found.table.index)
        for name, row in found.table.iterrows():
            edges = f"[{row[low]:.4g}, {row[high]:.4g}]" if math.isfinite(row[low]) else ""
            print(f"  {name!s:<{width}}  {leading} {row[leading]:>10.4g} {edges:<24} {other} {row[other]:>10.4g}")
        print(f"  {told(found)}")
    print(f"a page about them: {write_sensitivity_report(batch, figures, known)}")
