"""Constant-product pools held against closed forms: AMM-01, 03, 04, 07, 09, 10 and the Uniswap v2 cases; the rows of
the other curves (:mod:`sim.verification.amm_curves`) follow.

Single trades run through the pool contract on a ledger of its own, with reserves of 1e15 units so that rounding stays
below the tolerances; price paths run through the contract's compiled formula (:mod:`sim.verification.amm_paths`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sim.contracts.amm import constant_product as curve
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.kernel.draws import Draws
from sim.kernel.ledger import Ledger
from sim.verification import amm_curves
from sim.verification.amm_paths import block_gains, loss_paths
from sim.verification.amm_vectors import answer, data
from sim.verification.rows import Row

UNIT = 10**12
"""Base units in one unit of the closed forms here: reserves of 1,000 are 1e15 base units."""

LOSS_PATHS = 20_000
GAIN_RUNS = 40
GAIN_BLOCKS = 200_000
SEED = 20_240_601


class Bench:
    """One pool with reserves in units of 1e12 base units, and one rich trader who owns all of its liquidity."""

    def __init__(self, x: float, y: float, fee_bps: int) -> None:
        self.ledger = Ledger(institutions=8, people=0)
        self.base = self.ledger.asset("X", span="institutions")
        self.quote = self.ledger.asset("Y", span="institutions")
        self.trader = self.ledger.open_account("trader", "traders")
        for asset in (self.base, self.quote):
            self.ledger.mint(asset, self.trader, 10**18, "endowment")
        self.pool = ConstantProductPool(self.ledger, "XY", self.base, self.quote, fee_bps=fee_bps)
        self.pool.add_liquidity(self.trader, round(x * UNIT), round(y * UNIT))

    def sell_quote(self, amount: float) -> float:
        """Put in ``amount`` of Y; returns X."""
        return self.pool.swap(self.trader, self.quote, round(amount * UNIT)) / UNIT

    def sell_base(self, amount: float) -> float:
        """Put in ``amount`` of X; returns Y."""
        return self.pool.swap(self.trader, self.base, round(amount * UNIT)) / UNIT

    def arbitrage(self, price: float) -> tuple[float, float, float]:
        """Trade to the outside ``price`` of X in Y; returns (paid, received, gain in Y)."""
        pool = self.pool
        base_in, paid, _ = curve.best_arbitrage(10**9, round(price * 10**9), *pool.reserves(), pool.keep, pool.scale,
                                                10**18, 10**18)
        received = (self.sell_base if base_in else self.sell_quote)(paid / UNIT)
        return paid / UNIT, received, (received - paid / UNIT * price) if base_in else received * price - paid / UNIT


def _row(truth: dict[str, Any], label: str, expected: float, simulated: float, tolerance: float,
         note: str = "") -> Row:
    return Row(id=truth["id"], statement=f"{truth['statement']}: {label}", expected=f"{expected:.13g}",
               simulated=f"{simulated:.13g}", tolerance=f"{tolerance:.3g}{note}",
               verdict=abs(simulated - expected) <= tolerance, source=truth["source"])


def impermanent_loss(truth: dict[str, Any]) -> list[Row]:
    """AMM-01: a position without a fee, against holding, after arbitrage to the price ratio r."""
    rows = []
    for case in truth["cases"]:
        bench = Bench(1000, 1000, 0)
        bench.arbitrage(case["r"])
        base, quote = (amount / UNIT for amount in bench.pool.reserves())
        loss = (base * case["r"] + quote) / (1000.0 * case["r"] + 1000.0) - 1.0
        rows.append(_row(truth, f"r = {case['r']:g}", case["loss"], loss, truth["tolerance"]))
    return rows


def single_swap(truth: dict[str, Any]) -> list[Row]:
    """AMM-03: one swap through the contract; the last case in integers of 18 decimals, through the formula."""
    rows = []
    given = truth["inputs"]
    for case in truth["cases"]:
        if "out" in case:
            bench = Bench(given["x"], given["y"], case["fee_bps"])
            rows.append(_row(truth, f"fee {case['fee_bps']} bps", case["out"], bench.sell_base(given["dx"]),
                             truth["tolerance"] * given["y"], " (1e-12 of the reserve)"))
            continue
        paid, x, y = (given[name] * 10**18 for name in ("dx", "x", "y"))
        out = str(curve.amount_out(paid, x, y, *curve.fee_fraction(case["fee_bps"])))
        rows.append(Row(truth["id"], f"{truth['statement']}: 18 decimals, fee {case['fee_bps']} bps",
                        case["out_18_decimals"], out, "exact", out == case["out_18_decimals"], truth["source"]))
    return rows


def arbitrage_profit(truth: dict[str, Any]) -> list[Row]:
    """AMM-04: size, output and profit of the best trade."""
    given, case = truth["inputs"], truth["cases"][0]
    results = Bench(given["x"], given["y"], 0).arbitrage(given["P"])
    return [_row(truth, name, case[name], result, truth["tolerance"])
            for name, result in zip(("paid", "received", "profit"), results, strict=True)]


def loss_versus_rebalancing(truth: dict[str, Any]) -> list[Row]:
    """AMM-07: mean loss of many paths, no fee; the tolerance is stated in standard errors."""
    given, expected = truth["inputs"], truth["cases"][0]["loss"]
    steps = given["days"] * given["steps_per_day"]
    losses = np.empty(LOSS_PATHS)
    stream = Draws(SEED).decision("verification.loss_versus_rebalancing").stream
    loss_paths(stream, LOSS_PATHS, steps, given["sigma_day"] / math.sqrt(given["steps_per_day"]), 1, 1, losses)
    error = float(losses.std()) / math.sqrt(LOSS_PATHS)
    return [_row(truth, f"30 days, {LOSS_PATHS:,} paths", expected, float(losses.mean()),
                 truth["tolerance"] * error, f" ({truth['tolerance']} standard errors)")]


def fixed_blocks(truth: dict[str, Any]) -> list[Row]:
    """AMM-09: mean gain per block with a fee, over pool value."""
    rows = []
    keep, scale = curve.fee_fraction(truth["inputs"]["fee_bps"])
    for case in truth["cases"]:
        gains = np.empty(GAIN_RUNS)
        stream = Draws(SEED).decision(f"verification.fixed_blocks.{case['sb']}").stream
        block_gains(stream, GAIN_RUNS, GAIN_BLOCKS, case["sb"], keep, scale, gains)
        error = float(gains.std(ddof=1)) / math.sqrt(GAIN_RUNS)
        expected = case["per_block"]
        rows.append(_row(truth, f"sb = {case['sb']:g} (standard error {error / expected:.2%})", expected,
                         float(gains.mean()), truth["tolerance"] * expected, " (1 %)"))
    return rows


def sandwich(truth: dict[str, Any]) -> list[Row]:
    """AMM-10: three swaps in order through the contract."""
    rows = []
    given = truth["inputs"]
    for case in truth["cases"]:
        bench = Bench(given["x"], given["y"], case["fee_bps"])
        bought = bench.sell_base(case["a"])
        victim = bench.sell_base(given["victim"])
        profit = bench.sell_quote(bought) - case["a"]
        label = f"a = {case['a']}, fee {case['fee_bps']} bps"
        rows.append(_row(truth, f"{label}, profit", case["profit"], profit, truth["tolerance"]))
        rows.append(_row(truth, f"{label}, victim receives", case["victim_out"], victim, truth["tolerance"]))
    return rows


def uniswap_cases() -> list[Row]:
    """Uniswap v2's own numbers through the formulas, integers of any size."""
    rows = []
    for case in data()["vectors"]:
        got = answer(case)
        advisory = " (advisory)" if case["kind"] == "derived" else ""
        rows.append(Row(case["id"], f"Uniswap {case['rule'].replace('_', ' ')}", _plain(case["expected"]),
                        _plain(got), f"exact{advisory}", got == case["expected"], case["source"]))
    return rows


def _plain(value: Any) -> str:
    """A case's answer on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


SIMULATIONS: dict[str, Callable[[dict[str, Any]], list[Row]]] = {
    "AMM-01": impermanent_loss,
    "AMM-03": single_swap,
    "AMM-04": arbitrage_profit,
    "AMM-07": loss_versus_rebalancing,
    "AMM-09": fixed_blocks,
    "AMM-10": sandwich,
}


def rows() -> list[Row]:
    """All rows of this mechanism, for the validation table."""
    table = []
    for truth in data()["truths"]:
        table += SIMULATIONS[truth["id"]](truth)
    return table + uniswap_cases() + amm_curves.rows()
