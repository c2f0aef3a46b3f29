"""A comparison as a folder: from two runs, two batches, or two variants of one batch.

``comparison.json`` (what was compared, how, and which parameters differ), ``pairs.parquet`` (one row a pair:
replication, seed, ``a.<figure>``, ``b.<figure>``), ``differences.parquet`` (:func:`analysis.compare.compare`) and
``daily.parquet`` (:func:`analysis.compare.daily_difference` of each key series).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.batch import Batch, is_batch, load_batch
from analysis.batch_scenario import resolved
from analysis.compare import compare, daily_difference, pair
from analysis.glossary import different
from analysis.load import FolderError, Run, load_run
from analysis.market_figures import window_of

FORMAT_NAME, FORMAT = "salus-comparison", 1
MAIN = "main"

KEY_SERIES = ("insurance.mean_premium", "claims.paid_amount", "insurance.total_capital", "insurance.pooled_loss_ratio",
              "patients.care_cost", "patients.uninsured", "liquidity_providers.value", "insurance.total_unpaid",
              "chain.claim_fee_usd", "amm.price", "contagion.failures", "governance.treasury")
"""Daily series that a comparison follows, where both sides recorded them."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison: the finished runs of one configuration.

    ``figures`` are runs x figures with index (``replication``, ``seed``); ``failed`` counts runs left out.
    """

    label: str
    source: Run | Batch
    figures: pd.DataFrame
    scenario: Mapping[str, Any]
    rows: pd.DataFrame
    failed: int = 0

    def series(self) -> list[str]:
        """Names of its market series."""
        return self.source.series if isinstance(self.source, Batch) else [str(name) for name in self.source.daily]

    def daily(self, name: str, keys: pd.Index[Any]) -> pd.DataFrame:
        """Days x ``keys`` (replication, seed) of the market series ``name``."""
        if isinstance(self.source, Run):
            return pd.DataFrame({keys[0]: self.source.daily[name]})
        index = self.rows.set_index(["replication", "seed"]).loc[keys, "index"]
        table = self.source.daily(name, index)
        return table.rename(columns={int(number): key for key, number in index.items()})


def side(folder: str | Path, variant: str | None = None, scenario: str | None = None, point: int | None = None) -> Side:
    """The runs in ``folder``, a run's or a batch's; ``variant``, ``scenario`` and ``point`` choose within a batch.

    A batch of several variants is taken by its "main"; where several configurations remain, :class:`FolderError` names
    them.

    ``figures`` of the result are runs x figures in the units of the data dictionary; ``point`` counts from 0.

    >>> side(batch_folder, "apart").figures.shape
    (20, 5)
    """
    path = Path(folder)
    if not is_batch(path):
        if variant or scenario or point is not None:
            raise FolderError(f"{path} is a single run: it has no variants, scenarios or points to choose from")
        run = load_run(path)
        seed = run.manifest.get("seed")
        index = pd.MultiIndex.from_tuples([(0, seed)], names=["replication", "seed"])
        return Side(str(run.manifest.get("name", path.name)), run, pd.DataFrame([run.metrics], index),
                    run.scenario, pd.DataFrame())
    batch = load_batch(path)
    names = list(dict.fromkeys(v for _, v, _ in batch.configurations))
    if variant is None and len(names) > 1 and MAIN in names:
        variant = MAIN
    found = [one for one in batch.configurations
             if variant in (None, one[1]) and scenario in (None, one[0]) and point in (None, one[2])]
    if len(found) != 1:
        known = ", ".join(_label(batch, *one) for one in batch.configurations[:12])
        raise FolderError(f"{path} has {'several' if found else 'no'} such configurations; choose one of: {known}")
    rows = batch.select(found[0][1], found[0][0], found[0][2])
    figures = batch.metrics(found[0][1], found[0][0], found[0][2])
    return Side(_label(batch, *found[0]), batch, figures, resolved(batch, *found[0]), rows,
                len(rows) - len(figures))


def _label(batch: Batch, scenario: str, variant: str, point: int) -> str:
    """A configuration's name for people."""
    label = scenario if variant == MAIN else f"{scenario}/{variant}"
    several = len({place for _, _, place in batch.configurations}) > 1
    return f"{label}, point {point}" if several else label


@dataclass(frozen=True)
class Comparison:
    """A comparison in memory: ``about`` as in ``comparison.json``, and its tables."""

    about: Mapping[str, Any]
    pairs: pd.DataFrame
    differences: pd.DataFrame
    daily: pd.DataFrame

    @cached_property
    def labels(self) -> tuple[str, str]:
        """Names of A and B for people."""
        return str(self.about.get("a", {}).get("label", "A")), str(self.about.get("b", {}).get("label", "B"))

    def of_pair(self, figure: str) -> pd.DataFrame:
        """Pairs x [``a``, ``b``] of one figure, in its unit."""
        return pd.DataFrame({"a": self.pairs[f"a.{figure}"], "b": self.pairs[f"b.{figure}"]}).dropna()


def compare_sides(a: Side, b: Side, method: str = "student", series: Sequence[str] = KEY_SERIES,
                  command_options: str = "") -> Comparison:
    """Compare B with A: every figure that both report, and each of ``series`` day by day.

    Tables: pairs x figures, figures x columns of :func:`analysis.compare.compare`, (series, day) x columns of
    :func:`analysis.compare.daily_difference`; units are those of the figures and series.

    >>> compare_sides(side(batch_folder), side(batch_folder, "apart")).pairs.shape
    (20, 12)
    """
    if a.label == b.label:  # the same scenario under two settings: the folders tell them apart
        a, b = (replace(one, label=f"{one.label} ({one.source.folder.name})") for one in (a, b))
    x, y = pair(a.figures, b.figures)
    both = [name for name in series if name in a.series() and name in b.series()]
    sides = [(a.daily(name, x.index), b.daily(name, y.index)) for name in both]
    window = window_of(max((len(one) for one, _ in sides), default=0))
    days = [daily_difference(one, other, window) for one, other in sides]
    daily = pd.concat(dict(zip(both, days, strict=True)), names=["series", "day"]) if both else pd.DataFrame()
    about = {
        "format_name": FORMAT_NAME, "format": FORMAT, "method": method, "pairs": len(x),
        "options": command_options,
        "a": _about(a, len(a.figures) - len(x)), "b": _about(b, len(b.figures) - len(y)),
        "window": window,
        "changes": [{"path": path, "a": before, "b": after}
                    for path, before, after in different(a.scenario, b.scenario)]
        if a.scenario and b.scenario else None,
    }
    pairs = pd.concat([x.add_prefix("a."), y.add_prefix("b.")], axis=1).reset_index()
    return Comparison(about, pairs, compare(x, y, method), daily)


def _about(one: Side, alone: int) -> dict[str, Any]:
    """What ``comparison.json`` says about a side; ``alone`` counts its runs without a partner."""
    return {"label": one.label, "question": str(one.scenario.get("question", "")), "runs": len(one.figures),
            "failed": one.failed, "without_partner": alone, "folder": one.source.folder.name}


def write_comparison(comparison: Comparison, folder: str | Path) -> Path:
    """Write ``comparison`` into ``folder`` (new, empty, or an earlier comparison's) and return it.

    Raises :class:`FolderError` where the folder holds anything else or cannot be written.

    Tables keep their shapes and units.

    >>> write_comparison(comparison, fresh / "comparison").name
    'comparison'
    """
    path = Path(folder)
    try:
        if path.exists() and any(path.iterdir()) and not is_comparison(path):
            raise FolderError(f"{path} holds files that no comparison wrote; choose another --out")
        path.mkdir(parents=True, exist_ok=True)
        for name, table in (("pairs", comparison.pairs), ("differences", comparison.differences.reset_index()),
                            ("daily", comparison.daily.reset_index())):
            temporary = path / f".{name}.{os.getpid()}"
            table.to_parquet(temporary, index=False)
            temporary.replace(path / f"{name}.parquet")
        text = json.dumps(comparison.about, indent=2, sort_keys=True, default=str)
        temporary = path / f".comparison.{os.getpid()}"
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(path / "comparison.json")
    except FolderError:
        raise
    except OSError as error:
        raise FolderError(f"cannot write the comparison to {path}: {error.strerror}") from error
    return path


def is_comparison(folder: str | Path) -> bool:
    """Whether ``folder`` has a comparison of ours.

    >>> is_comparison(comparison_folder), is_comparison(run_folder)
    (True, False)
    """
    try:
        about = json.loads((Path(folder) / "comparison.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(about, dict) and about.get("format_name") == FORMAT_NAME


def load_comparison(folder: str | Path) -> Comparison:
    """The comparison in ``folder``; raises :class:`FolderError` where there is none or where it is damaged.

    Tables are those of :func:`compare_sides`, in the same shapes and units.

    >>> load_comparison(comparison_folder).labels
    ('made', 'made/apart')
    """
    path = Path(folder)
    if not is_comparison(path):
        raise FolderError(f"{path} is not a comparison folder: it has no comparison.json of ours")
    about = json.loads((path / "comparison.json").read_text(encoding="utf-8"))
    if not isinstance(about.get("format"), int) or about["format"] > FORMAT:
        raise FolderError(f"{path} has layout {about.get('format')!r}, and this version reads layouts up to {FORMAT}")
    try:
        pairs, differences, daily = (pd.read_parquet(path / f"{name}.parquet")
                                     for name in ("pairs", "differences", "daily"))
    except (OSError, ValueError) as error:
        raise FolderError(f"{path} is damaged: one of its tables cannot be read") from error
    return Comparison(about, pairs, differences.set_index("figure"),
                      daily.set_index(["series", "day"]) if len(daily) else pd.DataFrame())
