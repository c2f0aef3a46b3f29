"""Uniswap cases: how each rule of ``data/amm_vectors.json`` is asked of our own formulas.

An answer has the shape of the case's ``expected`` (decimal strings), so that the test is a comparison.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from sim.contracts.amm import constant_product as curve
from sim.contracts.amm.concentrated_liquidity import swap_step

FEE_BPS = 30
KEEP, SCALE = curve.fee_fraction(FEE_BPS)


@cache
def data() -> dict[str, Any]:
    """The file as it stands: "vectors" and "truths"."""
    text = resources.files("sim.verification").joinpath("data/amm_vectors.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def _swap(i: dict[str, int]) -> dict[str, str]:
    """Output of a swap, if one unit more breaks the product and it itself does not; else "rejected"."""
    out = curve.amount_out(i["amount0In"], i["reserve0"], i["reserve1"], KEEP, SCALE)

    def holds(amount: int) -> bool:
        balances = i["reserve0"] + i["amount0In"], i["reserve1"] - amount
        return curve.product_holds(balances, (i["reserve0"], i["reserve1"]), (0, amount), KEEP, SCALE)

    return {"amount1Out": str(out) if holds(out) and not holds(out + 1) else "rejected"}


def _flash(i: dict[str, int]) -> dict[str, bool]:
    def holds(amount: int) -> bool:
        balances = i["reserve0"] + i["token0In"] - amount, i["reserve1"]
        return curve.product_holds(balances, (i["reserve0"], i["reserve1"]), (amount, 0), KEEP, SCALE)

    return {"accepted": holds(i["token0Out"]), "out_plus_1_reverts": not holds(i["token0Out"] + 1)}


def _first_mint(i: dict[str, int]) -> dict[str, str]:
    shares = curve.first_shares(i["amount0"], i["amount1"])
    locked = curve.MINIMUM_LIQUIDITY
    return {"totalSupply": str(shares + locked), "minter": str(shares), "locked": str(locked)}


def _burn(i: dict[str, int]) -> dict[str, str]:
    amounts = [curve.withdrawn(i["burned"], i[side], i["totalSupply"]) for side in ("reserve0", "reserve1")]
    return {"amount0": str(amounts[0]), "amount1": str(amounts[1]),
            "reserve0": str(i["reserve0"] - amounts[0]), "reserve1": str(i["reserve1"] - amounts[1])}


def _protocol_fee(i: dict[str, int]) -> dict[str, str]:
    """Equal reserves, one swap, then the founder redeems all but the locked shares: the protocol is paid first."""
    reserve, paid = i["reserve"], i["swap1In"]
    out = curve.amount_out(paid, reserve, reserve, KEEP, SCALE)
    balances = reserve - out, reserve + paid
    supply = math.isqrt(reserve * reserve)
    fee = curve.protocol_shares(math.isqrt(balances[0] * balances[1]), supply, supply, 6)
    left = [b - curve.withdrawn(supply - curve.MINIMUM_LIQUIDITY, b, supply + fee) for b in balances]
    return {"amount0Out": str(out), "feeShares": str(fee), "left0": str(left[0]), "left1": str(left[1])}


def _price_sums(i: dict[str, Any]) -> dict[str, str]:
    reserves = tuple(i["reserves"])
    after = reserves[0] + i["swap0In"], reserves[1] - i["swap1Out"]
    sums = [sum(curve.price_step(pair[side], pair[1 - side], seconds)
                for pair, seconds in zip((reserves, after), i["dt"], strict=True)) for side in (0, 1)]
    return {"price0Cumulative": str(sums[0]), "price1Cumulative": str(sums[1])}


def _reserves_after_arbitrage(i: dict[str, int]) -> list[str]:
    pair = curve.reserves_after_arbitrage(i["truePriceA"], i["truePriceB"], i["reserveA"], i["reserveB"], KEEP, SCALE)
    return [str(amount) for amount in pair]


def _reserves_after_swap(i: dict[str, int]) -> list[str]:
    out = curve.amount_out(i["amountIn"], i["reserveIn"], i["reserveOut"], KEEP, SCALE)
    return [str(i["reserveIn"] + i["amountIn"]), str(i["reserveOut"] - out)]


def _trade_to_price(i: dict[str, int]) -> dict[str, str]:
    reserves = i["reserveA"], i["reserveB"]
    zero_in, paid = curve.trade_to_price(i["truePriceA"], i["truePriceB"], *reserves, KEEP, SCALE)
    out = curve.amount_out(paid, *(reserves if zero_in else reserves[::-1]), KEEP, SCALE)
    return {"amountIn": str(paid), "amountOut": str(out)}


def _v3_swap_step(i: dict[str, int]) -> dict[str, str]:
    """The figures that all cases of v3's swap step state; ``sqrtQ`` where the case has it, see :func:`answer`."""
    step = swap_step(i["sqrtCurrentX96"], i["sqrtTargetX96"], i["liquidity"], i["amountRemaining"], i["feePips"])
    return {"amountIn": str(step.amount_in), "feeAmount": str(step.fee), "amountOut": str(step.amount_out),
            "sqrtQ": str(step.sqrt_price)}


RULES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "swap": _swap,
    "flash": _flash,
    "first_mint": _first_mint,
    "burn": _burn,
    "protocol_fee": _protocol_fee,
    "price_sums": _price_sums,
    "quote": lambda i: str(curve.quote(i["amountA"], i["reserveA"], i["reserveB"])),
    "amount_out": lambda i: str(curve.amount_out(i["amountIn"], i["reserveIn"], i["reserveOut"], KEEP, SCALE)),
    "amount_in": lambda i: str(curve.amount_in(i["amountOut"], i["reserveIn"], i["reserveOut"], KEEP, SCALE)),
    "reserves_after_arbitrage": _reserves_after_arbitrage,
    "reserves_after_swap": _reserves_after_swap,
    "trade_to_price": _trade_to_price,
    "v3_swap_step": _v3_swap_step,
}


def integers(inputs: dict[str, Any]) -> dict[str, Any]:
    """The decimal strings of a case as Python ints."""
    return {name: [int(v) for v in value] if isinstance(value, list) else int(value)
            for name, value in inputs.items()}


def answer(case: dict[str, Any]) -> Any:
    """What our formulas give for ``case``, in the shape of its ``expected``."""
    got = RULES[case["rule"]](integers(case["inputs"]))
    return {name: got[name] for name in case["expected"]} if isinstance(got, dict) else got
