"""Which parameters matter: Morris' screening and Sobol' indices of a batch whose points were sampled for them.

Estimators and intervals are SALib's. Replications of a point are averaged first, so the intervals tell of the sampling
of the parameters; what is left of the chance of the runs widens them. A trajectory (Morris) or block (Sobol') with a
point that has no finished run, or no figure, is left out and counted.

References: Morris (1991), Technometrics 33; Campolongo et al. (2007), Environ. Model. Softw. 22; Saltelli et al.
(2010), Comput. Phys. Commun. 181; Jansen (1999), ibid. 117.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.batch import DONE, METRIC, PARAMETER, Batch
from analysis.intervals import Floats
from analysis.load import FolderError

DESIGNS = ("morris", "sobol")
MORRIS = ("mu", "mu_star", "mu_star_low", "mu_star_high", "sigma")
SOBOL = ("first", "first_low", "first_high", "total", "total_low", "total_high")
SEED = 20_240_101
"""Seed of the resamples behind SALib's intervals: equal folders give equal intervals."""


@dataclass(frozen=True)
class Sensitivity:
    """Indices of one figure: ``table`` is parameters x :data:`MORRIS` or :data:`SOBOL`, greatest first.

    ``used`` of ``planned`` trajectories or blocks had every figure; ``replications`` were averaged at each point.
    """

    figure: str
    design: str
    table: pd.DataFrame
    used: int
    planned: int
    replications: int

    @property
    def of(self) -> str:
        """What ``used`` and ``planned`` count."""
        return "trajectories" if self.design == "morris" else "blocks"


def points(batch: Batch, figure: str) -> pd.DataFrame:
    """Design points x [parameters..., ``figure``]: the mean of ``figure`` over the finished runs of each point.

    Rows are in the order of the design; NaN where no run of a point reports the figure.

    Parameters and figure are in their own units.

    >>> points(sampled, "insurance.paid_claims").shape
    (8, 3)
    """
    column = METRIC + figure
    if column not in batch.runs:
        raise FolderError(f"{batch.folder} has no figure {figure!r}; there are: {', '.join(batch.figures[:10])}, ...")
    if len(batch.runs[["scenario", "variant"]].drop_duplicates()) > 1:
        raise FolderError(f"{batch.folder} has several scenarios or variants; sensitivity needs a batch of one")
    names = [PARAMETER + name for name in batch.parameters]
    means = batch.runs[column].where(batch.runs["status"] == DONE).groupby(batch.runs["point"]).mean()
    table = batch.runs.groupby("point")[names].first().rename(columns=lambda name: name.removeprefix(PARAMETER))
    return table.assign(**{figure: means})


def sensitivity(batch: Batch, figure: str, confidence: float = 0.95) -> Sensitivity:
    """Morris' or Sobol' indices of ``figure``, by the design of the batch's plan.

    Morris' mu and sigma are effects of crossing the whole range of a parameter, in the unit of the figure; Sobol'
    indices are shares of its variance. Intervals are SALib's, from resampled trajectories or blocks. Raises
    :class:`FolderError` where the batch was not sampled for it, or too little of it has finished.

    Example
    -------
    >>> from analysis.batch import load_batch
    >>> sensitivity(load_batch("runs/morris"), "insurance.premium_earned").table["mu_star"]    # doctest: +SKIP
    """
    if batch.design not in DESIGNS:
        raise FolderError(f"{batch.folder} was sampled as {batch.design!r}; sensitivity needs a batch with the design "
                          f"{' or '.join(repr(one) for one in DESIGNS)}")
    table = points(batch, figure)
    X, Y = table.iloc[:, :-1].to_numpy(dtype="float64"), table[figure].to_numpy(dtype="float64")
    names = [str(name) for name in table.columns[:-1]]
    if not names:
        raise FolderError(f"{batch.folder} has no swept parameter")
    problem = {"num_vars": len(names), "names": names, "bounds": _bounds(batch, names, X)}
    replications = int(batch.runs["replication"].nunique())
    size = len(names) + 1 if batch.design == "morris" else _block(batch, X)
    whole = len(Y) // size
    if whole * size != len(Y):
        raise FolderError(f"{batch.folder} has {len(Y)} points, which is no multiple of {size}: it is not finished")
    keep = np.isfinite(Y.reshape(whole, size)).all(axis=1)
    if keep.sum() < 2:
        raise FolderError(f"{batch.folder}: {figure} is known at every point of only {int(keep.sum())} of {whole} "
                          f"{'trajectories' if batch.design == 'morris' else 'blocks'}; it takes at least 2")
    rows = np.repeat(keep, size)
    indices = _morris if batch.design == "morris" else _sobol
    found = indices(problem, X[rows], Y[rows], confidence, int(_sampling(batch).get("levels", 4)), size)
    leading = "mu_star" if batch.design == "morris" else "total"
    return Sensitivity(figure, batch.design, found.sort_values(leading, ascending=False), int(keep.sum()), whole,
                       replications)


def _sampling(batch: Batch) -> Mapping[str, Any]:
    """What the plan says about its sample: parameters, bounds, levels, second_order."""
    stated = batch.plan.get("samples")
    return stated if isinstance(stated, Mapping) else {}


def _bounds(batch: Batch, names: list[str], X: Floats) -> list[list[float]]:
    """Ranges of the parameters: the plan's, or the least and greatest value that was run."""
    stated = _sampling(batch)
    known = dict(zip(stated.get("parameters", ()), stated.get("bounds", ()), strict=False))
    return [[float(edge) for edge in known.get(name, (X[:, place].min(), X[:, place].max()))]
            for place, name in enumerate(names)]


def _block(batch: Batch, X: Floats) -> int:
    """Points of one block of Saltelli's scheme: D + 2, or 2 D + 2 with second order indices.

    Where the plan does not say: in the long scheme the row after A and its D neighbours takes its first parameter
    from A, in the short one it is B.
    """
    count = X.shape[1]
    short, long = count + 2, 2 * count + 2
    stated = _sampling(batch).get("second_order")
    if isinstance(stated, bool):
        return long if stated else short
    if count == 1 or len(X) % long:
        return short
    return long if bool((X[count + 1::long, 0] == X[::long, 0]).all()) else short


def _morris(problem: dict[str, Any], X: Floats, Y: Floats, confidence: float, levels: int,
            size: int) -> pd.DataFrame:
    """Parameters x :data:`MORRIS`."""
    from SALib.analyze import morris

    found = morris.analyze(problem, X, Y, conf_level=confidence, num_levels=levels, num_resamples=1000, seed=SEED)
    star, half = np.asarray(found["mu_star"], dtype="float64"), np.asarray(found["mu_star_conf"], dtype="float64")
    return pd.DataFrame({"mu": np.asarray(found["mu"], dtype="float64"), "mu_star": star,
                         "mu_star_low": np.maximum(star - half, 0.0), "mu_star_high": star + half,
                         "sigma": np.asarray(found["sigma"], dtype="float64")}, index=problem["names"])


def _sobol(problem: dict[str, Any], X: Floats, Y: Floats, confidence: float, levels: int,
           size: int) -> pd.DataFrame:
    """Parameters x :data:`SOBOL`; zeros where the figure does not vary."""
    from SALib.analyze import sobol

    names = problem["names"]
    if np.ptp(Y) == 0.0:
        return pd.DataFrame(0.0, index=names, columns=list(SOBOL))
    found = sobol.analyze(problem, Y, calc_second_order=size == 2 * len(names) + 2, conf_level=confidence,
                          num_resamples=1000, seed=SEED)
    columns: dict[str, Floats] = {}
    for column, key in (("first", "S1"), ("total", "ST")):
        value, half = (np.asarray(found[name], dtype="float64") for name in (key, f"{key}_conf"))
        columns |= {column: value, f"{column}_low": value - half, f"{column}_high": value + half}
    return pd.DataFrame(columns, index=names)


def told(found: Sensitivity) -> str:
    """What the indices say, in one or two sentences.

    Example
    -------
    >>> table = pd.DataFrame({"first": [0.6, 0.0], "total": [0.9, 0.1], "total_low": [0.8, -0.1]}, index=["a.b", "c.d"])
    >>> told(Sensitivity("cost", "sobol", table, 64, 64, 1))
    'a.b accounts for most of cost. Taken singly the parameters explain 60 %, the rest is joint.'
    """
    table = found.table
    first = str(table.index[0])
    if found.design == "morris":
        if float(table["mu_star"].iloc[0]) == 0.0:
            return f"No parameter moves {found.figure} over its range."
        bent = [str(name) for name in table.index[(table["sigma"] > table["mu_star"]) & (table["mu_star"] > 0)]]
        text = f"{first} moves {found.figure} most."
        return f"{text} Strongly bent or joint effects (sigma above mu*): {', '.join(bent)}." if bent else text
    if float(table["total"].iloc[0]) <= 0.0:
        return f"{found.figure} does not vary."
    alone = min(1.0, max(0.0, float(table["first"].sum())))
    return (f"{first} accounts for most of {found.figure}. Taken singly the parameters explain {100 * alone:.0f} %, "
            "the rest is joint.")
