"""Weighted pools, StableSwap and the logarithmic scoring rule held against closed forms and the protocols' own cases.

Closed forms run through the contracts on a ledger of their own, with 1e12 base units a token; the protocols' cases run
through the pure functions, since they need integers of any size.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from sim.contracts.amm import stableswap_math as stable
from sim.contracts.amm import weighted_math as weighted
from sim.contracts.amm.power import CONTEXT, power
from sim.contracts.amm.weighted_pool import WeightedPool
from sim.contracts.prediction import lmsr
from sim.contracts.prediction.maker import MarketMaker
from sim.kernel.ledger import Ledger
from sim.verification.rows import Row

UNIT = 10**12
ETHER = 10**18
FEE_DENOMINATOR = 10**10
"""Curve states fees in units of 10^-10."""


@cache
def data() -> dict[str, Any]:
    """The file as it stands: "vectors" and "truths"."""
    text = resources.files("sim.verification").joinpath("data/amm_curve_vectors.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


# The protocols' cases ------------------------------------------------------------------------------------------


def _weighted_swap(i: dict[str, Any]) -> str:
    """A swap as the vault computes it: scaled to 18 decimals, the fee rounded up, the result rounded for the pool."""
    entering, leaving = i["place_in"], 1 - i["place_in"]
    balances, weights, scales = ([int(value) for value in i[name]] for name in
                                 ("balancesLiveScaled18", "weights", "scalingFactors"))
    amount, fee = int(i["amount"]), int(i["swapFee"])
    sides = balances[entering], weights[entering], balances[leaving], weights[leaving]
    if i["exact_in"]:
        given = amount * scales[entering]
        return str(weighted.out_given_in(*sides, given - weighted.multiply_up(given, fee)) // scales[leaving])
    net = weighted.in_given_out(*sides, amount * scales[leaving])
    gross = net + -(-net * fee // (weighted.ONE - fee))
    return str(-(-gross // scales[entering]))


def _tokens(amount: str) -> int:
    """18 decimals."""
    return int(Decimal(amount) * ETHER)


def _sides(i: dict[str, str]) -> tuple[int, int, int, int, int]:
    return (_tokens(i["balanceIn"]), _tokens(i["weightIn"]), _tokens(i["balanceOut"]), _tokens(i["weightOut"]),
            _tokens(i["amount"]))


def _old_sides(i: dict[str, str]) -> tuple[int, int, int, int]:
    return _tokens(i["bI"]), _tokens(i["wI"]), _tokens(i["bO"]), _tokens(i["wO"])


def _weighted_out_fee(i: dict[str, str]) -> Decimal:
    net = _tokens(i["aI"]) * (ETHER - _tokens(i["fee"])) // ETHER
    return Decimal(weighted.out_given_in(*_old_sides(i), net)) / ETHER


def _weighted_in_fee(i: dict[str, str]) -> Decimal:
    net = weighted.in_given_out(*_old_sides(i), _tokens(i["aO"]))
    return Decimal(-(-net * ETHER // (ETHER - _tokens(i["fee"])))) / ETHER


def _weighted_invariant(i: dict[str, list[str]]) -> Decimal:
    product = Decimal(1)
    for balance, weight in zip(i["balances"], i["weights"], strict=True):
        product = CONTEXT.multiply(product, power(Decimal(balance), Decimal(weight)))
    return product


def _stableswap_exchange(i: dict[str, Any]) -> list[str]:
    """A balanced pool that holds D in all, balances at their rates; [what the trader gets, the fee]."""
    number, amplification, rate = int(i["n"]), int(i["A"]), int(i["rates"][0])
    balances = [int(i["D"]) // number] * number
    d = stable.invariant(balances, amplification)
    paid = int(i["dx"]) * rate // ETHER
    gross = stable.output(int(i["i"]), int(i["j"]), paid, balances, amplification, d)
    fee = gross * int(i["fee"]) // FEE_DENOMINATOR
    return [str(amount * ETHER // int(i["rates"][int(i["j"])])) for amount in (gross - fee, fee)]


def _lmsr(i: dict[str, Any]) -> Decimal:
    return lmsr.liquidity(int(i["funding"]), int(i["N"]))


def _lmsr_cost(i: dict[str, Any]) -> Decimal:
    b, trade = _lmsr(i), [int(amount) for amount in i["trade"]]
    return CONTEXT.subtract(lmsr.cost_function(trade, b), lmsr.cost_function([0] * len(trade), b))


RULES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "weighted_swap": _weighted_swap,
    "weighted_out": lambda i: Decimal(weighted.out_given_in(*_sides(i))) / ETHER,
    "weighted_in": lambda i: Decimal(weighted.in_given_out(*_sides(i))) / ETHER,
    "weighted_out_fee": _weighted_out_fee,
    "weighted_in_fee": _weighted_in_fee,
    "weighted_invariant": _weighted_invariant,
    "stableswap_exchange": _stableswap_exchange,
    "stableswap_d": lambda i: str(stable.invariant([int(x) for x in i["xp"]], int(i["A"]))),
    "lmsr_price": lambda i: lmsr.prices([int(x) for x in i["netSold"]], _lmsr(i))[int(i["outcome"])],
    "lmsr_cost": _lmsr_cost,
}

POOL_TOLERANCE = Decimal("2e-14")
"""Relative to the reserve of the output, or to the input asked: the margin of a power and the last digits."""


def case_row(case: dict[str, Any]) -> Row:
    """One of the protocols' cases. Powers are rounded for the pool by a margin, so that the formula's own value is met
    to within that; whole results are met exactly."""
    got, expected = RULES[case["rule"]](case["inputs"]), case["expected"]
    statement = f"{case['source'].split(':')[0]}: {case['rule'].replace('_', ' ')}"
    advisory = " (advisory)" if case["kind"] == "derived" else ""
    if not isinstance(got, Decimal):
        return Row(case["id"], statement, str(expected), str(got), f"exact{advisory}", got == expected, case["source"])
    tolerance = Decimal(case["tolerance"])
    if case["rule"].startswith("weighted") and case["rule"] != "weighted_invariant":
        i = case["inputs"]
        reserves = max(Decimal(i[name]) for name in ("balanceIn", "balanceOut", "bI", "bO") if name in i)
        tolerance += 2 * POOL_TOLERANCE * reserves
    return Row(case["id"], statement, expected, f"{got:.32g}", f"{tolerance:.2g}{advisory}",
               abs(got - Decimal(expected)) <= tolerance, case["source"])


# Closed forms --------------------------------------------------------------------------------------------------


def _row(truth: dict[str, Any], label: str, expected: float, simulated: float, tolerance: float) -> Row:
    return Row(truth["id"], f"{truth['statement']}: {label}", f"{expected:.13g}", f"{simulated:.13g}",
               f"{tolerance:.3g}", abs(simulated - expected) <= tolerance, truth["source"])


def weighted_swaps(truth: dict[str, Any]) -> list[Row]:
    """AMM-05: swaps through the pool contract."""
    rows = []
    for case in truth["cases"]:
        ledger = Ledger(institutions=8, people=0)
        assets = ledger.asset("X", span="institutions"), ledger.asset("Y", span="institutions")
        trader = ledger.open_account("trader", "traders")
        for asset in assets:
            ledger.mint(asset, trader, 10**18, "endowment")
        pool = WeightedPool(ledger, "XY", *assets, weight_base=case["weight_base"], fee_bps=case["fee_bps"])
        pool.add_liquidity(trader, case["balance_in"] * UNIT, case["balance_out"] * UNIT)
        out = pool.swap(trader, assets[0], case["amount"] * UNIT) / UNIT
        label = (f"reserves {case['balance_in']} ({case['weight_base']} %) and {case['balance_out']}, "
                 f"{case['amount']} in, fee {case['fee_bps']} bps")
        rows.append(_row(truth, label, case["out"], out, truth["tolerance"]))
    return rows


def stableswap(truth: dict[str, Any]) -> list[Row]:
    """AMM-06: integers, exactly."""
    rows = []
    for case in truth["cases"]:
        balances = [amount * ETHER for amount in case["balances"]]
        d = stable.invariant(balances, 100)
        got = {"d": str(d), "dy": str(stable.output(0, 1, 100 * ETHER, balances, 100, d))}
        rows += [Row(truth["id"], f"{truth['statement']}: {name} of {case['balances']}", case[name], got[name], "exact",
                     got[name] == case[name], truth["source"]) for name in ("d", "dy") if name in case]
    return rows


def _maker(outcomes: int) -> tuple[MarketMaker, int]:
    """A market maker with b = 100 tokens, and a rich trader."""
    ledger = Ledger(institutions=8, people=0)
    usd = ledger.asset("USDs", span="institutions")
    sponsor, trader = ledger.open_account("sponsor", "traders"), ledger.open_account("trader", "traders")
    funding = round(Decimal(100 * UNIT) * CONTEXT.ln(Decimal(outcomes)))
    for account in (sponsor, trader):
        ledger.mint(usd, account, 10**18, "endowment")
    return MarketMaker(ledger, usd, "verification", outcomes, sponsor, funding), trader


def two_outcomes(truth: dict[str, Any]) -> list[Row]:
    """ORA-01: purchases through the contract."""
    rows, tolerance = [], truth["tolerance"]
    for case in truth["cases"]:
        maker, trader = _maker(2)
        if "c0" in case:
            rows.append(_row(truth, "C of nothing sold", case["c0"], maker.held() / UNIT, tolerance))
            continue
        shares = case["buy"] * UNIT if "buy" in case else maker.shares_to_price(0, case["to_price"])
        paid = maker.trade(trader, [shares, 0], 10**18) / UNIT
        label = f"{case['buy']} shares" if "buy" in case else f"to a price of {case['to_price']}"
        rows.append(_row(truth, f"{label}, cost", case["cost"], paid, tolerance))
        if "price" in case:
            rows.append(_row(truth, f"{label}, price after", case["price"], maker.prices()[0], tolerance))
        else:
            rows.append(_row(truth, f"{label}, shares", case["shares"], shares / UNIT, tolerance))
    return rows


def bounded_loss(truth: dict[str, Any]) -> list[Row]:
    """ORA-02: a trader who knows the outcome and buys until its price is one in 10^15 below 1; then three outcomes."""
    rows, tolerance = [], truth["tolerance"]
    for case in truth["cases"]:
        if "n" in case:
            maker, trader = _maker(case["n"])
            maker.trade(trader, [100 * UNIT * 40] + [0] * (case["n"] - 1), 10**18)
            maker.settle(0)
            won = maker.redeem(trader)
            rows.append(_row(truth, f"loss to a trader who knows, {case['n']} outcomes", case["loss"],
                             (won - maker.taken_from(trader)) / UNIT, tolerance))
            continue
        maker, trader = _maker(3)
        maker.trade(trader, [amount * UNIT for amount in case["sold"]], 10**18)
        rows.append(_row(truth, f"C of {case['sold']}", case["c"], maker.held() / UNIT, tolerance))
        rows += [_row(truth, f"price {place} of {case['sold']}", price, got, tolerance)
                 for place, (price, got) in enumerate(zip(case["prices"], maker.prices(), strict=True))]
    return rows


POOLS: dict[str, Callable[[dict[str, Any]], list[Row]]] = {"AMM-05": weighted_swaps, "AMM-06": stableswap}
MAKERS: dict[str, Callable[[dict[str, Any]], list[Row]]] = {"ORA-01": two_outcomes, "ORA-02": bounded_loss}


def rows() -> list[Row]:
    """All rows of this file: closed forms, then the protocols' cases."""
    table = []
    for truth in data()["truths"]:
        table += (POOLS | MAKERS)[truth["id"]](truth)
    return table + [case_row(case) for case in data()["vectors"]]
