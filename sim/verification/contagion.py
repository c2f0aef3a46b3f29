"""Contagion held against clearing vectors, DebtRank, a fire sale's tipping point and the window of random networks.

All of it runs the functions that the market calls (:mod:`sim.contagion`); clearing in base units as well as in floats.
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

from sim.contagion.cascade import Lending
from sim.contagion.clearing import Clearing, clear, clearing_vector
from sim.contagion.debtrank import debtrank
from sim.contagion.fire_sale import exponential_impact, fire_sale, tipping_point
from sim.contagion.laboratory import Laboratory, Setting
from sim.contagion.networks import balance_sheets, erdos_renyi, maximum_entropy
from sim.kernel.draws import Draws
from sim.kernel.fixedpoint import MICRO
from sim.verification.rows import Row

SEED = 20260301


@cache
def data() -> dict[str, Any]:
    """The truths and networks shipped with the package."""
    text = files("sim.verification").joinpath("data/contagion.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def rows() -> Iterable[Row]:
    """All rows of the topic."""
    yield from clearing_vectors()
    yield from bankruptcy_costs()
    yield from distress()
    yield reconstruction()
    yield from fire_sales()
    yield from window_by_simulation()
    yield from inside_the_window()


def _edges(matrix: list[list[float]]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Row, column and value of what is not zero."""
    values = np.array(matrix, dtype=np.float64)
    row, column = np.nonzero(values)
    return row, column, values[row, column]


def _text(values: Any) -> str:
    return "[" + ", ".join(f"{value:.10g}" for value in values) + "]"


def _near(id: str, statement: str, expected: Any, got: Any, tolerance: float, source: str) -> Row:
    """A row that holds where no value is further from the truth than ``tolerance``."""
    truth, found = np.atleast_1d(np.asarray(expected, dtype=float)), np.atleast_1d(np.asarray(got, dtype=float))
    return Row(id, statement, _text(truth), _text(np.round(found, 12)), f"{tolerance:g}",
               bool((np.abs(truth - found) <= tolerance).all()), source)


# Clearing -------------------------------------------------------------------------------------------------------


def _cleared(network: str, alpha: float = 1.0, beta: float = 1.0) -> tuple[Clearing, Clearing, NDArray[np.int64]]:
    """In floats and in millionths, and the cash in millionths."""
    given = data()["networks"][network]
    debtors, creditors, amounts = _edges(given["owed"])
    cash = np.array(given["cash"], dtype=np.int64) * MICRO
    exact = clearing_vector(debtors, creditors, amounts, given["cash"], None, alpha, beta)
    return exact, clear(debtors, creditors, amounts.astype(np.int64) * MICRO, cash, None, alpha, beta), cash


def clearing_vectors() -> Iterable[Row]:
    """CONT-01 and CONT-02: payments, waves and equity."""
    for id in ("CONT-01", "CONT-02"):
        truth = data()["truths"][id]
        exact, units, cash = _cleared(truth["network"])
        source, tolerance = truth["source"], truth["tolerance"]
        yield _near(id, f"{truth['statement']}: payments", truth["paid"], exact.payment, tolerance, source)
        yield _near(id, f"{truth['statement']}: equity", truth["equity"],
                    exact.equity(data()["networks"][truth["network"]]["cash"]), tolerance, source)
        yield Row(id, f"{truth['statement']}: who fails in which round", str(truth["waves"]), str(exact.waves), "exact",
                  exact.waves == truth["waves"] == units.waves, source)
        slack = exact.owed.size / MICRO
        yield _near(id, f"{truth['statement']}: payments on the ledger, millionths", truth["paid"],
                    units.payment / MICRO, slack, source)
        yield Row(id, f"{truth['statement']}: equity on the ledger sums to the cash, units", str(int(cash.sum())),
                  str(int(units.equity(cash).sum())), "exact", int(units.equity(cash).sum()) == int(cash.sum()), source)


def bankruptcy_costs() -> Iterable[Row]:
    """CONT-04, in floats and on the ledger."""
    truth = data()["truths"]["CONT-04"]
    for case in truth["cases"]:
        exact, units, _ = _cleared(case["network"], case["alpha"], case["beta"])
        what = f"{truth['statement']}: {case['network']}, alpha {case['alpha']}, beta {case['beta']}"
        yield _near("CONT-04", what, case["paid"], exact.payment, truth["tolerance"], truth["source"])
        yield _near("CONT-04", f"{what}, on the ledger", case["paid"], units.payment / MICRO,
                    4 * exact.owed.size / MICRO, truth["source"])


# DebtRank and reconstruction ------------------------------------------------------------------------------------


def distress() -> Iterable[Row]:
    """CONT-06 and CONT-07: distress by institution and the DebtRank, in both forms."""
    for id in ("CONT-06", "CONT-07"):
        truth = data()["truths"][id]
        creditors, debtors, lent = _edges(truth["lent"])
        for case in truth["cases"]:
            for form, key in (("linear", "linear"), ("single_hit", "single")):
                found = debtrank(debtors, creditors, lent, case["equity"], case["shock"],
                                 form=form)  # type: ignore[arg-type]
                what = f"{truth['statement']}, shock {case['shock']}, {form.replace('_', '-')}"
                if form in case:
                    yield _near(id, f"{what}: distress", case[form], found.distress, truth["tolerance"],
                                truth["source"])
                yield _near(id, f"{what}: DebtRank", case[f"R_{key}"], found.value, truth["tolerance"],
                            truth["source"])


def reconstruction() -> Row:
    """CONT-08: a network of which only totals are known."""
    truth = data()["truths"]["CONT-08"]
    lent = maximum_entropy(np.array(truth["lent"], dtype=float), np.array(truth["borrowed"], dtype=float))
    return _near("CONT-08", truth["statement"], truth["expected"], lent[:, 0], truth["tolerance"], truth["source"])


# Fire sales -----------------------------------------------------------------------------------------------------


def fire_sales() -> Iterable[Row]:
    """CONT-11: equilibria on both sides of the tipping point, and the point itself."""
    truth = data()["truths"]["CONT-11"]
    sheets = (truth["liquid"], truth["holdings"], truth["liabilities"], truth["floor"])
    for depth, price in truth["prices"].items():
        found = fire_sale(*sheets, exponential_impact(float(depth)))
        yield _near("CONT-11", f"{truth['statement']}, impact {depth}: price", price, found.price, truth["tolerance"],
                    truth["source"])
        for what, values in (("sold", found.sold), ("equity", found.equity)):
            if depth in truth[what]:
                yield _near("CONT-11", f"{truth['statement']}, impact {depth}: {what}", truth[what][depth], values,
                            truth["amounts_tolerance"], truth["source"])

    def falls(depth: float) -> bool:
        between = 0.5 * (truth["p_just_below"] + truth["p_just_above"])
        return fire_sale(*sheets, exponential_impact(depth)).price < between

    critical = tipping_point(falls, 1e-4, 1e-3, 1e-10)
    yield _near("CONT-11", f"{truth['statement']}: impact at the tipping point", truth["critical"], critical,
                truth["critical_tolerance"], truth["source"])


# Random networks ------------------------------------------------------------------------------------------------


def secondary_failures(draws: Draws, degree: float, lent: float, capital: float, count: int = 10_000,
                       networks: int = 40, seeds: int = 500) -> tuple[float, float]:
    """Failures in round 2 for each in round 1, over random networks of ``count``, and the standard error."""
    links = draws.decision(f"verification.window_{degree}")
    ratios = []
    for number in range(networks):
        network = balance_sheets(erdos_renyi(count, degree, links, number), count, lent, capital)
        lending = Lending(network.debtor, network.creditor, network.amount, count)
        first = second = 0
        for seed in range(seeds):  # links are independent of position, so any institutions will do as seeds
            round_of = lending.fail([seed], network.capital).round_of
            first, second = first + int((round_of == 1).sum()), second + int((round_of == 2).sum())
        ratios.append(second / first)
    return float(np.mean(ratios)), float(np.std(ratios, ddof=1)) / math.sqrt(networks)


def window_by_simulation() -> Iterable[Row]:
    """Where one failure causes one more on average: both ends of the window, from simulations on either side."""
    truth = data()["truths"]["WINDOW"]
    draws = Draws(SEED)
    for name, end, step in (("lower", truth["window"][0], 0.15), ("upper", truth["window"][1], 0.3)):
        below, above = end - step, end + step
        (low, low_error), (high, high_error) = (
            secondary_failures(draws, degree, truth["lent"], truth["capital"]) for degree in (below, above))
        slope = (high - low) / (above - below)
        found = below + (1.0 - low) / slope
        allowed = 1.5 * math.hypot(low_error, high_error) / abs(slope) + 0.02  # half way between two estimates
        yield Row("Gai-Kapadia", f"{truth['statement']}: {name} end, where one failure causes one more on average, "
                  "debtors", f"{end:.4f} (published picture: about {truth['published'][name == 'upper']})",
                  f"{found:.4f}", f"{allowed:.4f} (3 SE, and 0.02 for the straight line between {below:.2f} and "
                  f"{above:.2f})", abs(found - end) <= allowed, truth["source"])


def inside_the_window(runs: int = 1000, count: int = 4000) -> Iterable[Row]:
    """Frequency and extent of systemic failure against the branching process and the threshold fixed point."""
    truth = data()["truths"]["WINDOW"]
    laboratory = Laboratory(SEED)
    for degree, expected in truth["frequency"].items():
        setting = Setting("", 0.0, count=count, degree=float(degree), lent=truth["lent"], capital=truth["capital"])
        found = [laboratory.run(setting, number) for number in range(runs)]
        shares = [one.share for one in found if one.systemic]
        allowed = 3.0 * math.sqrt(expected * (1.0 - expected) / runs)
        what = f"{truth['statement']}, {degree} debtors, {count:,} institutions"
        yield Row("Gai-Kapadia", f"{what}: frequency of systemic failure", f"{expected:.4f}",
                  f"{len(shares) / runs:.4f}", f"{allowed:.4f} (3 SE of {runs:,} runs)",
                  abs(len(shares) / runs - expected) <= allowed, truth["source"])
        extent, got = truth["extent"][degree], float(np.mean(shares))
        slack = 3.0 * float(np.std(shares, ddof=1)) / math.sqrt(len(shares)) + 2.0 / count
        yield Row("Gai-Kapadia", f"{what}: share that fails where systemic", f"{extent:.4f}", f"{got:.4f}",
                  f"{slack:.4f} (3 SE, and 2 institutions)", abs(got - extent) <= slack, truth["source"])
