"""Lending and flash loans held against Aave's own cases, and the attack on a price against its closed form.

Aave's cases run through the contracts of the market, on ledgers of their own; integers of 18 decimals and rays.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.amm.interface import BlockClock
from sim.contracts.credit.flash_loan import FlashLoanPool
from sim.contracts.credit.interest import RAY, YEAR_SECONDS, KinkedRate, ray_div, ray_mul, supply_rate, utilisation
from sim.contracts.credit.lending import CollateralTerms, LendingPool, LentMarket
from sim.contracts.credit.lending_reserve import Reserve
from sim.contracts.credit.price_source import Twap
from sim.kernel.fixedpoint import BPS, mul_div
from sim.kernel.ledger import Ledger
from sim.verification.rows import Row

UNIT = 10**12
STABLE_ONE = KinkedRate.of(0.8, 0.0, 0.04, 1.0)
"""Aave's rateStrategyStableOne as its test deploys it."""
RESERVE_FACTOR_BPS = 1000


@cache
def data() -> dict[str, Any]:
    """The file as it stands."""
    text = resources.files("sim.verification").joinpath("data/credit_vectors.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def _flash_loan(given: dict[str, int]) -> dict[str, str]:
    """Liquidity and index after one loan. The second case begins where the first ended, with its 10^18 shares."""
    ledger = Ledger(institutions=8, people=0)
    asset = ledger.asset("WETH")
    lender, borrower = (ledger.open_account(name, "traders") for name in ("lender", "borrower"))
    pool = FlashLoanPool(ledger, lambda: given["premiumBps"])
    pool.list_asset(asset)
    first = 10**18
    ledger.mint(asset, lender, first, "endowment")
    ledger.mint(asset, borrower, 10**18, "endowment")
    pool.deposit(lender, asset, first)
    if earned := given["reserve"] - first:  # by the premium of a loan, as there
        pool.borrow(borrower, asset, mul_div(earned, BPS, given["premiumBps"]), lambda: None)
    pool.borrow(borrower, asset, given["amount"], lambda: None)
    return {"totalLiquidity": str(pool.available(asset)), "liquidityIndexRay": str(pool.index_ray(asset))}


def _rates(given: dict[str, int]) -> dict[str, str]:
    """Rates of the kinked curve; debts at a stable rate, which the model does not have, enter the mean rate only."""
    stable, variable = given["stableDebt"], given["variableDebt"]
    used = utilisation(given["available"], stable + variable)
    rate = STABLE_ONE.borrow_rate(used)
    mean = ray_div(ray_mul(stable, given["avgStableRate"]) + ray_mul(variable, rate), stable + variable)
    return {"liquidityRate": str(supply_rate(mean, used, RESERVE_FACTOR_BPS)), "variableBorrowRate": str(rate)}


class _Quote:
    """A price per 10^18 base units."""

    name = "quote"

    def __init__(self, per_unit: int) -> None:
        self.per_unit = per_unit

    def price(self) -> float:
        return self.per_unit / 10**18

    def value(self, amount: int) -> int:
        return amount * self.per_unit // 10**18


def _seized(given: dict[str, int]) -> str:
    """A liquidation through the contract in base units of 10^-12 (an int64 ledger holds no hundred tokens of 18
    decimals): the result, scaled back."""
    scale = 10**6
    ledger = Ledger(institutions=8, people=0)
    debt, collateral = ledger.asset("DEBT"), ledger.asset("COLL")
    borrower, keeper = (ledger.open_account(name, "traders") for name in ("borrower", "keeper"))
    pool = LendingPool(ledger, close_factor_bps=lambda: BPS)
    sources = {debt: _Quote(given["debtPrice"]), collateral: _Quote(given["collPrice"])}
    for asset in (debt, collateral):
        reserve = Reserve(ledger, asset, STABLE_ONE, lambda: 0, lambda: 0)
        pool.list_market(LentMarket(reserve, CollateralTerms(8000, 8000, given["bonusBps"] - BPS), sources[asset]))
    amount = given["debtToCover"] // scale
    pledged = 2 * amount * given["debtPrice"] // given["collPrice"]
    for account, asset, units in ((keeper, debt, 3 * amount), (borrower, collateral, pledged)):
        ledger.mint(asset, account, units, "endowment")
    pool.supply(keeper, debt, amount)
    pool.supply(borrower, collateral, pledged)
    pool.borrow(borrower, debt, amount)
    pool.list_market(LentMarket(pool.market(collateral).reserve, CollateralTerms(0, 0, given["bonusBps"] - BPS),
                                sources[collateral]))  # a threshold of nothing: out of health
    return str(pool.liquidate(keeper, borrower, collateral, debt, amount).seized * scale)


RULES: dict[str, Callable[[dict[str, int]], Any]] = {"flash_loan": _flash_loan, "rates": _rates, "seized": _seized}


def answer(case: dict[str, Any]) -> Any:
    """What our contracts say to a case, in the shape of its ``expected``."""
    return RULES[case["rule"]]({name: int(value) for name, value in case["inputs"].items()})


def _plain(value: Any) -> str:
    return ", ".join(f"{name} {part}" for name, part in value.items()) if isinstance(value, dict) else str(value)


def aave_cases() -> list[Row]:
    """Aave's own numbers."""
    rows = []
    for case in data()["vectors"]:
        got = answer(case)
        advisory = " (advisory)" if case["kind"] == "derived" else ""
        rows.append(Row(case["id"], f"Aave v2: {case['function']}", _plain(case["expected"]), _plain(got),
                        f"exact{advisory}", got == case["expected"], case["source"]))
    return rows


def compounding() -> list[Row]:
    """A debt of 10^15 units at 100 % a year, by the second, looked at once or every hour, against Python's integers."""
    def debt_after(looks: int) -> int:
        ledger, time = Ledger(institutions=8, people=0), [0]
        asset = ledger.asset("A")
        account = ledger.open_account("a", "traders")
        ledger.mint(asset, account, 4 * 10**15, "endowment")
        reserve = Reserve(ledger, asset, KinkedRate.of(0.8, 1.0, 0.0, 0.0), lambda: time[0], lambda: 0)
        with ledger.atomic():
            reserve.deposit(account, 2 * 10**15)
            reserve.lend(account, 10**15)
            reserve.reset_rate()
        for look in range(1, looks + 1):
            time[0] = YEAR_SECONDS * look // looks
            reserve.accrue()
        return reserve.debt_of(account)

    exact = math.ceil(10**15 * math.exp(YEAR_SECONDS * math.log1p(1.0 / YEAR_SECONDS)))
    once, often = debt_after(1), debt_after(8760)
    source = "(1 + r/n)^n, r = 1, n the seconds of a year; Aave v2, MathUtils.calculateCompoundedInterest is its series"
    return [
        Row("CRED-C1", "A debt of 10^15 at 100 % for a year, compounded by the second", f"{exact}", f"{once}",
            "1e-9 (the reference is a float)", abs(once - exact) <= exact * 1e-9, source),
        Row("CRED-C2", "The same, accrued every hour instead of once", f"{once}", f"{often}", "1 unit",
            abs(often - once) <= 1, source)]


def pumped_average() -> list[Row]:
    """Outlay at which a loan covers a pump held for 40 minutes, by trades through the market maker, no fee."""
    rows = []
    for minutes in (40, 120, 480, 1440):
        phi = min(1.0, 40.0 / minutes)
        growth = (1.0 / 0.75 + math.sqrt(1.0 / 0.75**2 - 4.0 * phi * (1.0 - phi))) / (2.0 * phi)
        low, high = 1e-3, 200.0
        for _ in range(40):
            ratio = math.sqrt(low * high)
            low, high = (low, ratio) if _loan_over_outlay(ratio, minutes) >= 1.0 else (ratio, high)
        rows.append(Row(f"CRED-P{minutes}", "Least outlay over the cash reserve that a loan at 75 % covers, price held "
                        f"40 minutes, average over {minutes}", f"{growth - 1.0:.6g}", f"{high:.6g}", "1e-5",
                        abs(high / (growth - 1.0) - 1.0) < 1e-5,
                        "phi s^2 - s/0.75 + 1 - phi = 0, s = 1 + x/Q, phi = 40 minutes / window (derived here)"))
    return rows


def _loan_over_outlay(ratio: float, window_minutes: int) -> float:
    """What may be borrowed on tokens bought for ``ratio`` times the cash reserve and held 40 minutes, over the cash."""
    ledger, clock = Ledger(institutions=8, people=0), BlockClock()
    base, quote = ledger.asset("X"), ledger.asset("Y")
    trader = ledger.open_account("t", "traders")
    for asset in (base, quote):
        ledger.mint(asset, trader, 10**18, "endowment")
    pool = ConstantProductPool(ledger, "XY", base, quote, fee_bps=0, clock=clock)
    pool.add_liquidity(trader, 1000 * UNIT, 1000 * UNIT)
    clock.advance(10 * 86_400)
    outlay = round(ratio * 1000 * UNIT)
    tokens = pool.swap(trader, quote, outlay)
    clock.advance(10 * 86_400 + 40 * 60)
    return 0.75 * Twap(pool, window_minutes / 1440.0).value(tokens) / outlay


def rows() -> list[Row]:
    """All rows of this topic, for the validation table."""
    assert RAY == 10**27
    return aave_cases() + compounding() + pumped_average()
