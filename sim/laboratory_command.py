"""What the command ``laboratory`` does: list the experiments, or run one and write its folder with a picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sim.asked import say_if_compiling

if TYPE_CHECKING:
    from sim.batch.laboratory import Point


def laboratory_command(options: argparse.Namespace) -> int:
    """``laboratory``"""
    if options.experiment is not None:
        say_if_compiling()
    from sim.contagion.debts import BadDebts

    try:
        return _laboratory(options)
    except BadDebts as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _laboratory(options: argparse.Namespace) -> int:
    from sim.contagion.debts import BadDebts
    from sim.contagion.laboratory import EXPERIMENTS, own_experiments
    from sim.contagion.network_file import read_network

    network = None
    if options.network is not None:
        network = read_network(options.network, options.institutions)
    elif options.institutions is not None:
        raise BadDebts("--institutions needs --network")
    experiments = EXPERIMENTS if network is None else own_experiments(network)
    if options.experiment is None:
        width = max(len(name) for name in experiments)
        for name, one in experiments.items():
            print(f"{name:<{width}}  {one.question}")
        return 0
    if options.experiment not in experiments:
        raise BadDebts(f"there is no experiment '{options.experiment}'; choose from {', '.join(experiments)}")
    experiment = experiments[options.experiment]
    from analysis.plots.contagion import write_picture
    from sim.batch.laboratory import check_folder, run_experiment, write_experiment
    from sim.progress import Progress

    out: Path = options.out if options.out is not None else Path("runs") / f"laboratory-{experiment.name}"
    check_folder(out)
    with Progress(experiment.name, len(experiment.settings), "points") as bar:
        points = run_experiment(experiment, options.seed, options.runs, network, bar.advance)
    write_experiment(out, experiment, points, options.seed, network, write_picture)
    for line in _figures(points, network is None):
        print(line)
    print(f"results: {out}")
    print(f"picture: {out / 'picture.png'}")
    return 0


def _figures(points: list[Point], sampled: bool) -> Iterator[str]:
    """Of each curve, where failures become systemic and where they do so most often."""
    rows = [point.row(False, sampled) for point in points]
    for series in dict.fromkeys(row["series"] for row in rows):
        curve = [row for row in rows if row["series"] == series]
        inside = [row["x"] for row in curve if row["systemic"]]
        if not inside:
            yield f"{series}: no systemic failure in {sum(row['runs'] for row in curve):,} runs"
            continue
        worst = max(curve, key=lambda row: row["frequency"])
        yield (f"{series}: systemic failures from {min(inside):g} to {max(inside):g}; most often at {worst['x']:g}, in "
               f"{worst['frequency']:.1%} of {worst['runs']:,} runs ({worst['frequency_low']:.1%} .. "
               f"{worst['frequency_high']:.1%}), of {worst['extent']:.1%} of institutions on average")
