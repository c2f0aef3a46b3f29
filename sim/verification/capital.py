"""Aggregate losses and internal models held against Panjer's example, published FFT results and the pooling law; ruin
with heavy-tailed claims by simulated pools.

The functions are those by which pools size their capital. Heavy-tailed ruin is simulated with the pool's own rule
(:func:`sim.contracts.insurance.batch.settle_day`), one step per claim, which is continuous monitoring.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.aggregate_loss import AggregateLoss, Binomial, Poisson, aggregate, by_fft, panjer
from sim.contracts.insurance.batch import settle_day
from sim.contracts.insurance.own_model import OwnModel
from sim.contracts.insurance.severity import Empirical, Lognormal, Mixture
from sim.kernel.compiled import kernel
from sim.kernel.draws import Draws, draw_bits, to_unit, unit_exponential
from sim.kernel.fixedpoint import MICRO
from sim.verification.insurance import share_row
from sim.verification.rows import Row

SEED = 20260322
YEARS = 200_000
HORIZON = 4000.0
"""Expected claims that stand for ever: afterwards the surplus is about 800, where ruin has a chance of 3e-5."""


@cache
def truths() -> dict[str, Any]:
    """The truths shipped with the package, by id."""
    text = files("sim.verification").joinpath("data/capital.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)["truths"]
    return content


def rows() -> list[Row]:
    """All rows of this module."""
    draws = Draws(SEED)
    return [*heavy_ruin(draws), *recursion(), *risk_measures(), *simulated_years(draws), *pooling(), *systemic_floor()]


def close_row(id: str, statement: str, expected: float, got: float, allowed: float, why: str, source: str) -> Row:
    """A row that holds where two figures differ by at most ``allowed``."""
    return Row(id, statement, f"{expected:.6g}", f"{got:.6g}", why, abs(got - expected) <= allowed, source)


@kernel
def lomax_ruin_times(
    stream: np.uint64, paths: int, first: int, horizon: float, opening: NDArray[np.int64], rate: float,
    premium_rate: float, index: float, scale: float,
) -> NDArray[np.float64]:
    """Time of ruin of each history, float64[paths], infinite where it outlives ``horizon``: before each claim the
    premium since the last (``premium_rate`` base units per unit of time), claims scale (u^(-1/index) - 1)."""
    result = np.full(paths, np.inf)
    for path in range(paths):
        layers = opening.copy()
        key = np.uint64(first + path)
        time, income, n = 0.0, 0, 0
        while True:
            time += unit_exponential(to_unit(draw_bits(stream, n, key, 0))) / rate
            if time > horizon:
                break
            until = int(premium_rate * time)
            claim = int(scale * (to_unit(draw_bits(stream, n, key, 1)) ** (-1.0 / index) - 1.0))
            if settle_day(layers, until - income, claim) > 0:
                result[path] = time
                break
            income = until
            n += 1
    return result


def heavy_ruin(draws: Draws, paths: int = 10_000) -> Iterable[Row]:
    """RUIN-08: the exact probability at each capital, by simulated pools."""
    truth = truths()["RUIN-08"]
    stream = draws.decision("verification.ruin_heavy").stream
    for number, (capital, psi) in enumerate(truth["expected"].items()):
        opening = np.array([0, round(float(capital) * MICRO), 0, 0], dtype=np.int64)
        times = lomax_ruin_times(stream, paths, number * paths, HORIZON, opening, truth["claims_rate"],
                                 truth["premium_rate"] * MICRO, truth["index"], truth["scale"] * MICRO)
        yield share_row("RUIN-08", f"{truth['statement']}: capital {capital}", psi, int(np.isfinite(times).sum()),
                        paths, truth["source"], 5e-5)


def recursion() -> Iterable[Row]:
    """RUIN-12: both ways to the aggregate."""
    truth = truths()["RUIN-12"]
    severity, count = np.array(truth["severity"]), Poisson(truth["rate"])
    exact = np.array(truth["pmf"])
    for way, masses in (("Panjer's recursion", panjer(count, severity, 128)), ("FFT", by_fft(count, severity, 256))):
        source, what = truth["source"], f"{truth['statement']}, {way}"
        gap = float(np.abs(masses[:exact.size] - exact).max())
        yield Row("RUIN-12", f"{what}: largest error of P(S = 0) .. P(S = 10)", "0", f"{gap:.1e}", "1e-10",
                  gap <= 1e-10, source)
        loss = AggregateLoss(1.0, masses, truth["mean"])
        for name, expected, got in (("F(10)", truth["cdf_10"], float(masses[:11].sum())),
                                    ("99.5 % quantile", truth["quantile_995"], loss.quantile(0.995)),
                                    ("stop-loss premium above 10", truth["stop_loss_10"], loss.stop_loss(10.0))):
            yield close_row("RUIN-12", f"{what}: {name}", expected, got, 1e-9, "1e-9", source)


def risk_measures() -> Iterable[Row]:
    """RUIN-14: VaR, TVaR, stop-loss premiums and the requirement that follows."""
    truth = truths()["RUIN-14"]
    loss = aggregate(Poisson(truth["rate"]), Lognormal(truth["mu"], truth["sigma"]), 2.5e-4)
    source, what = truth["source"], truth["statement"]
    for level, expected in truth["quantiles"].items():
        yield close_row("RUIN-14", f"{what}: VaR {float(level):.1%}", expected, loss.quantile(float(level)), 0.005,
                        "0.005 (the truth's lattice)", source)
    for level, expected in truth["tail_means"].items():
        yield close_row("RUIN-14", f"{what}: TVaR {float(level):.1%}", expected, loss.tail_mean(float(level)),
                        1e-5 * expected, "relative 1e-5", source)
    for retention, expected in truth["stop_loss"].items():
        yield close_row("RUIN-14", f"{what}: stop-loss premium above {retention}", expected,
                        loss.stop_loss(float(retention)), 1e-5 * expected, "relative 1e-5", source)
    yield close_row("RUIN-14", f"{what}: VaR 99.5 % less mean", truth["requirement"], loss.quantile(0.995) - loss.mean,
                    0.005, "0.005", source)


def simulated_years(draws: Draws) -> Iterable[Row]:
    """RUIN-14: years drawn claim by claim exceed the computed VaR as often as they should, and cost TVaR then."""
    truth = truths()["RUIN-14"]
    keys = np.arange(YEARS, dtype=np.uint64)
    numbers = np.asarray(draws.decision("verification.claims").poisson(0, keys, truth["rate"]))
    years = np.repeat(np.arange(YEARS), numbers)
    serials = np.arange(years.size) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    sizes = draws.decision("verification.sizes").lognormal(0, keys[years], truth["mu"], truth["sigma"], serials)
    totals = np.bincount(years, sizes, YEARS)
    quantile = truth["quantiles"]["0.995"]
    beyond = totals[totals > quantile]
    yield share_row("RUIN-14", f"{truth['statement']}: simulated years beyond VaR 99.5 %", 0.005, beyond.size, YEARS,
                    truth["source"])
    error = 3.0 * float(beyond.std()) / math.sqrt(beyond.size)
    yield close_row("RUIN-14", f"{truth['statement']}: mean of the simulated years beyond it",
                    truth["tail_means"]["0.995"], float(beyond.mean()), error, f"{error:.2f} (3 SE)", truth["source"])


def pooling() -> Iterable[Row]:
    """RUIN-20: members with MEPS costs, at three sizes of a pool."""
    truth = truths()["RUIN-20"]
    member = Mixture((Empirical([0.0]), Lognormal(truth["mu"], truth["sigma"])), (truth["zero"], 1.0 - truth["zero"]))
    for members, expected in truth["expected"].items():
        loss = aggregate(Binomial(int(members)), member, 5e-4)
        survival, mean = loss.survival, loss.mean
        got = {"quantile_995": loss.quantile(0.995) / mean, "tail_mean_99": loss.tail_mean(0.99) / mean,
               "above_1.1": float(np.interp(1.1 * mean, loss.grid, survival)),
               "above_1.2": float(np.interp(1.2 * mean, loss.grid, survival)),
               "stop_loss_1.2": loss.stop_loss(1.2 * mean) / mean}
        names = {"quantile_995": "99.5 % quantile", "tail_mean_99": "mean of the worst 1 %",
                 "above_1.1": "chance of more than 1.1 x the mean", "above_1.2": "chance of more than 1.2 x the mean",
                 "stop_loss_1.2": "stop-loss premium above 1.2 x the mean"}
        for name, value in expected.items():
            yield close_row("RUIN-20", f"{truth['statement']}, {int(members):,} members: {names[name]}", value,
                            got[name], 1e-3 * value, "relative 1e-3 (the truth's grids)", truth["source"])


def systemic_floor() -> Iterable[Row]:
    """RUIN-21: an internal model's requirement falls to the floor that the common factor sets, and no further."""
    truth = truths()["RUIN-21"]
    for sd, floor in truth["floor"].items():
        model = OwnModel(truth["member_cv"], 0.1333, float(sd))
        members = 10_000 * truth["break_even"][sd]
        got = model.multiple(members, 1e9)
        yield close_row("RUIN-21", f"{truth['statement']}: internal model, common sd {sd}, {members:,} members", floor,
                        got, 1e-3 * floor, "relative 1e-3", truth["source"])
