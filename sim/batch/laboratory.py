"""Runs experiments of the contagion laboratory and writes their folder.

``summary.parquet``: one row per setting, with Wilson intervals for frequencies and Student's for means;
``sizes.parquet``: share of runs in which at least such a share of institutions fails; ``cascades.parquet``: one row per
run; ``institutions.parquet``, on a given network: what each institution's failure
does; ``manifest.json``. The folder appears whole or not at all; equal seeds give equal bytes.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import sim
from sim.batch.intervals import mean, student, wilson
from sim.contagion import window
from sim.contagion.cascade import Lending, survival_function
from sim.contagion.debtrank import debtrank
from sim.contagion.laboratory import SYSTEMIC, Experiment, Laboratory, Outcome, Setting, clear_after
from sim.contagion.networks import Network
from sim.run_folder import OutputRefused

FORMAT_NAME, FORMAT = "salus-laboratory", 1

FILES = frozenset({"manifest.json", "summary.parquet", "sizes.parquet", "cascades.parquet", "institutions.parquet",
                   "picture.png"})
"""Every file of the folder."""


@dataclass(frozen=True, slots=True)
class Point:
    """A setting with the outcomes of its runs."""

    setting: Setting
    outcomes: list[Outcome]

    def row(self, analytic: bool, sampled: bool) -> dict[str, Any]:
        """Its line in the summary; ``sampled``: the runs are a sample, else each institution failed once."""
        hits = [one.share for one in self.outcomes if one.systemic]
        runs, at = len(self.outcomes), self.setting
        everything = [one.share for one in self.outcomes]
        frequency = len(hits) / runs

        def around(figures: list[float]) -> tuple[float, float]:
            low, high = student(figures) if sampled and len(figures) > 1 else (mean(figures), mean(figures))
            return (max(0.0, low), min(1.0, high)) if isfinite(low) else (nan, nan)

        low, high = wilson(len(hits), runs) if sampled else (frequency, frequency)
        extent_low, extent_high = around(hits)
        share_low, share_high = around(everything)
        theory = (window.frequency(at.degree, at.lent, at.capital), window.extent(at.degree, at.lent, at.capital)
                  ) if analytic else (nan, nan)
        return {
            "series": at.series, "x": at.x, "runs": runs, "systemic": len(hits),
            "frequency": frequency, "frequency_low": low, "frequency_high": high,
            "extent": mean(hits), "extent_low": extent_low, "extent_high": extent_high,
            "share": mean(everything), "share_low": share_low, "share_high": share_high,
            "depth": mean([float(one.depth) for one in self.outcomes]),
            "analytic_frequency": theory[0], "analytic_extent": theory[1] or nan,
        }


def run_experiment(
    experiment: Experiment, seed: int, runs: int | None = None, network: Network | None = None,
    advance: Callable[[], None] = lambda: None,
) -> list[Point]:
    """All settings of ``experiment``, ``runs`` times each; on a given ``network`` each institution fails in turn."""
    laboratory = Laboratory(seed, network)
    count = network.count if network is not None else (runs or experiment.runs)
    points = []
    for setting in experiment.settings:
        points.append(Point(setting, [laboratory.run(setting, number) for number in range(count)]))
        advance()
    return points


def sizes_table(points: list[Point]) -> pa.Table:
    """The complementary cumulative distribution of the share that fails, of each setting."""
    rows = []
    for point in points:
        shares, at_least = survival_function([one.share for one in point.outcomes])
        rows += [{"series": point.setting.series, "x": point.setting.x, "share": share, "at_least": above}
                 for share, above in zip(shares.tolist(), at_least.tolist(), strict=True)]
    return pa.Table.from_pylist(rows)


def institutions_table(network: Network) -> pa.Table:
    """What the failure of each institution does: cascades by threshold and by clearing without costs, and DebtRank."""
    lending = Lending(network.debtor, network.creditor, network.amount, network.count)
    rows = []
    for i in range(network.count):
        shock = np.zeros(network.count)
        shock[i] = 1.0
        arguments = (network.debtor, network.creditor, network.amount, network.capital, shock)
        spread, cleared = lending.fail([i], network.capital), clear_after(network, i, 1.0, 1.0)
        rows.append({
            "institution": network.names[i] if network.names else str(i), "capital": float(network.capital[i]),
            "lent": float(network.lent[i]), "borrowed": float(network.borrowed[i]),
            "threshold_failed": spread.size, "threshold_depth": spread.depth,
            "clearing_failed": cleared.failed, "clearing_depth": cleared.depth,
            "debtrank": debtrank(*arguments).value,
            "debtrank_single_hit": debtrank(*arguments, form="single_hit").value,
        })
    return pa.Table.from_pylist(rows)


def write_experiment(
    folder: Path, experiment: Experiment, points: list[Point], seed: int, network: Network | None = None,
    draw: Callable[[Path], object] | None = None,
) -> Path:
    """Write the folder; ``draw`` adds the picture to it before it appears. Raises :class:`OutputRefused`, OSError."""
    check_folder(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        sampled = network is None
        summary = [point.row(experiment.analytic, sampled) for point in points]
        cascades = [{"series": point.setting.series, "x": point.setting.x, "run": number, "trigger": one.trigger,
                     "failed": one.failed, "share": one.share, "depth": one.depth}
                    for point in points for number, one in enumerate(point.outcomes)]
        tables = {"summary": pa.Table.from_pylist(summary), "cascades": pa.Table.from_pylist(cascades),
                  "sizes": sizes_table(points)}
        if network is not None:
            tables["institutions"] = institutions_table(network)
        for name, table in tables.items():
            pq.write_table(table, temporary / f"{name}.parquet", compression="zstd")
        manifest = {
            "format_name": FORMAT_NAME, "format": FORMAT, "experiment": experiment.name, "seed": seed,
            "question": experiment.question, "x": experiment.x, "source": experiment.source, "systemic": SYSTEMIC,
            "institutions": network.count if network is not None else experiment.settings[0].count,
            "runs": len(points[0].outcomes), "given_network": not sampled, "version": sim.__version__,
        }
        text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
        (temporary / "manifest.json").write_text(text, encoding="utf-8")
        if draw is not None:
            draw(temporary)
        temporary.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def check_folder(folder: Path) -> None:
    """Refuse ``folder`` unless writing there destroys nothing but an earlier experiment of ours."""
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise OutputRefused(f"{folder} exists and is not a folder; choose another --out")
    foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in FILES)
    if foreign:
        raise OutputRefused(f"{folder} holds '{foreign[0]}', which no experiment wrote; choose another --out")
    manifest = folder / "manifest.json"
    if any(folder.iterdir()) and not (manifest.is_file() and FORMAT_NAME in manifest.read_text(encoding="utf-8")):
        raise OutputRefused(f"{folder} holds files that no experiment wrote; choose another --out")
