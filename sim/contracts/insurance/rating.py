"""Rating by age: the factor table that every pool applies to its base rate."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.scenario.library import shipped_folder

FACTOR = 1000
"""Factors are whole thousandths."""

SHIPPED_CURVE = "us/age_curve.csv"

COMMUNITY_RATING = "flat"
"""In place of a table: one rate for all ages."""


class AgeCurveError(ValueError):
    """A table of age factors that is missing or faulty."""


def age_curve_file(given: str) -> Path:
    """The file that a scenario names: an absolute path, or one in the folder of shipped data."""
    return Path(given) if Path(given).is_absolute() else shipped_folder() / "data" / given


def read_age_curve(file: Path) -> NDArray[np.int64]:
    """int64[ages] factors in thousandths from a CSV file with columns ``age`` (0, 1, 2, ...) and ``factor``.

    Lines that begin with ``#`` are comments. The last factor holds for all older persons.
    """
    if not file.is_file():
        raise AgeCurveError(f"there is no table of age factors at {file}")
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    try:
        ages = [int(row["age"]) for row in rows]
        factors = np.array([round(float(row["factor"]) * FACTOR) for row in rows], dtype=np.int64)
    except (KeyError, TypeError, ValueError) as error:
        raise AgeCurveError(f"{file}: needs numeric columns age and factor ({error})") from None
    if ages != list(range(len(ages))) or not ages or factors.min() <= 0:
        raise AgeCurveError(f"{file}: ages must run 0, 1, 2, ... with factors above 0")
    return factors
