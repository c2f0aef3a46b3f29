"""Synthetics and stablecoins held against their protocols' own vectors and a few closed forms.

Vectors go through the functions that the contracts call. Amounts of the vectors have eighteen decimals and run through
integers of any size; where a vector is of a whole call, the call is made on a ledger.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.credit.price_source import Spot
from sim.contracts.credit.redemption import UNIT, BaseRate, decayed, decimal_power, minute_factor
from sim.contracts.credit.stability_pool import StabilityPool
from sim.contracts.credit.stablecoin_algorithmic import MintRedeem
from sim.contracts.credit.stablecoin_troves import Rules, Trove, Troves
from sim.contracts.credit.synthetic import DebtPool, fix_amount
from sim.contracts.credit.synthetic import Rules as DebtRules
from sim.contracts.credit.synthetics import Par
from sim.kernel.fixedpoint import MICRO
from sim.kernel.ledger import Ledger
from sim.verification.rows import Row

DERIVED = "derived here"


@cache
def vectors() -> dict[str, Any]:
    """The vectors shipped with the package."""
    text = files("sim.verification").joinpath("data/synthetics.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def rows() -> list[Row]:
    """All rows of this module."""
    return [*protocol_vectors(), shared_debt(), redistribution(), redemption_at_face(), *iron(), impact()]


def answer(vector: dict[str, Any]) -> list[int]:
    """What our code gives for one vector, as a flat list of integers."""
    given = vector["inputs"]
    function: str = vector["function"]
    if function.startswith("calculateAmountToFixCollateral"):
        return [fix_amount(int(given["debt"]), int(given["collateral"]), int(given["issuanceRatio"]),
                           int(given["penalty"]), UNIT)]
    if function.startswith("_calcDecayedBaseRate"):
        return [decayed(int(given["baseRate"]), int(given["seconds"]))]
    if function.startswith("LiquityMath._decPow"):
        return [decimal_power(int(given["base"]), int(given["exponent"]))]
    deposits = [int(amount) for amount in given["deposits"]]
    return offset([one // 10**12 for one in deposits], int(given["debt"]) // 10**12, int(given["coll"]) // 10**12)


def offset(deposits: list[int], debt: int, collateral: int) -> list[int]:
    """Deposits and gains, in eighteen decimals, after a stability pool has borne ``debt`` for ``collateral``."""
    ledger = Ledger(institutions=8, people=0)
    coin, asset = ledger.asset("hUSD"), ledger.asset("HLT")
    vault = ledger.open_account("vault", "protocol")
    ledger.mint(asset, vault, collateral, "x")
    pool = StabilityPool(ledger, "S", coin, asset)
    accounts = [ledger.open_account(f"a{i}", "traders") for i in range(len(deposits))]
    for account, amount in zip(accounts, deposits, strict=True):
        ledger.mint(coin, account, amount, "x")
        pool.deposit(account, amount)
    pool.offset(debt, vault, collateral)
    return [held.get(account, 0) * 10**12 for held in (pool.deposits, pool.gains) for account in accounts]


def protocol_vectors() -> list[Row]:
    """One row per vector."""
    found = []
    for vector in vectors()["vectors"]:
        wanted = vector["expected"]
        expected = ([int(one) for key in ("compounded", "ethGain") for one in wanted[key]] if isinstance(wanted, dict)
                    else [int(wanted)])
        given, slack = answer(vector), int(vector.get("tolerance_abs", 0))
        good = all(abs(one - other) <= slack for one, other in zip(given, expected, strict=True))
        inputs = ", ".join(f"{name} {value}" for name, value in vector["inputs"].items())
        found.append(Row(f"VEC-{vector['id']}", f"{vector['function']}: {inputs}", ", ".join(map(str, expected)),
                         ", ".join(map(str, given)), f"{slack} units, the source's own" if slack else "exact", good,
                         f"{vector['source']} ({vector['kind']})"))
    return found


def market(*symbols: str) -> tuple[Ledger, list[int], list[int]]:
    """(ledger, three accounts with a trillion base units of each asset, assets)."""
    ledger = Ledger(institutions=16, people=0)
    assets = [ledger.asset(symbol) for symbol in symbols]
    accounts = [ledger.open_account(f"a{i}", "traders") for i in range(3)]
    for account in accounts:
        for asset in assets:
            ledger.mint(asset, account, 10**12, "x")
    return ledger, accounts, assets


class Index(Par):
    """A price that is set."""

    micro = MICRO

    def value(self, amount: int) -> int:
        return amount * self.micro // MICRO


def shared_debt() -> Row:
    """Two issuers, one in dollars and one in an index that doubles: both owe half of the whole."""
    ledger, (first, second, _), (collateral,) = market("HLT")

    class Day:
        day = 0

    pool = DebtPool(ledger, "S", collateral, DebtRules(1_500_000, 1_200_000, 100_000, 50_000, 0), Day())
    pool.price = Par()
    index, medical, dollar = Index(), ledger.asset("sMED"), ledger.asset("sUSD")
    pool.list_synthetic(medical, index)
    pool.list_synthetic(dollar, Par())
    for account, asset in ((first, medical), (second, dollar)):
        pool.deposit(account, 10**11)
        pool.mint(account, asset, 10**10)
    index.micro = 2 * MICRO
    debts = pool.debt(first), pool.debt(second)
    return Row("SYN-01", "Two issue 10,000 each, one in dollars, one in an index that then doubles: what each owes",
               "15,000 and 15,000", f"{debts[0] / MICRO:,.6f} and {debts[1] / MICRO:,.6f}",
               "3 base units, for the contract", all(0 <= debt - 15 * 10**9 <= 3 for debt in debts),
               "Synthetix debt shares: each owes its share of the pool, whichever synthetic it issued; " + DERIVED)


def troves_of(ledger: Ledger, assets: list[int], held: dict[int, Trove]) -> Troves:
    """Troves as given, without reserve and least debt, at a price of one."""
    treasury = ledger.open_account("treasury", "protocol")
    rate = BaseRate(ledger, UNIT // 200, UNIT // 20, 2, minute_factor(12.0))
    found = Troves(ledger, "S", assets[1], assets[0], Rules(1_100_000, 1_500_000, 0, 0), rate, lambda: 0, treasury)
    found.price = Par()
    for account, trove in held.items():
        found.endow(account, *trove)
    return found


def redistribution() -> Row:
    """A trove at 105 per cent without a stability pool: the others take its debt in proportion to collateral."""
    ledger, accounts, [collateral] = market("HLT")
    coin = ledger.asset("hUSD")
    held = {accounts[0]: Trove(105 * MICRO, 100 * MICRO), accounts[1]: Trove(900 * MICRO, 300 * MICRO),
            accounts[2]: Trove(300 * MICRO, 100 * MICRO)}
    troves = troves_of(ledger, [collateral, coin], held)
    troves.liquidate(accounts[1], accounts[0])
    after = [troves.troves[account] for account in accounts[1:]]
    wanted = [Trove(978_356_250, 375 * MICRO), Trove(326_118_750, 125 * MICRO)]
    return Row("STB-01", "A trove of 105 against 100 is liquidated into two of collateral 900 and 300, 0.5 % to the "
               "liquidator: their (collateral, debt)", "(978.35625, 375) and (326.11875, 125)",
               " and ".join(f"({one.collateral / MICRO:.5f}, {one.debt / MICRO:g})" for one in after), "exact",
               after == wanted and troves.check() is None, "Liquity README, redistributions; " + DERIVED)


def redemption_at_face() -> Row:
    """A tenth of the supply is redeemed: the riskiest trove pays face value, less 0.5 per cent and half a tenth."""
    ledger, accounts, [collateral] = market("HLT")
    coin = ledger.asset("hUSD")
    troves = troves_of(ledger, [collateral, coin], {accounts[0]: Trove(400 * MICRO, 200 * MICRO),
                                                    accounts[1]: Trove(900 * MICRO, 300 * MICRO)})
    troves.base_rate.cap = UNIT
    ledger.transfer(coin, accounts[1], accounts[2], 50 * MICRO, "x")
    before = ledger.balance(collateral, accounts[2])
    troves.redeem(accounts[2], 50 * MICRO)
    paid = ledger.balance(collateral, accounts[2]) - before
    good = abs(paid - 47_250_000) <= 1 and troves.troves[accounts[0]].debt == 150 * MICRO
    return Row("STB-02", "50 of 500 coins redeemed, beta 2, floor 0.5 %: collateral paid, and whose debt falls",
               "47.25 (fee 5.5 %), the riskiest trove's: 150 left",
               f"{paid / MICRO:g}, {troves.troves[accounts[0]].debt / MICRO:g} left",
               "one base unit, for the trove", good, "Liquity README, redemptions; " + DERIVED)


def iron() -> list[Row]:
    """What a redemption at 75 per cent pays, and how many shares it mints, at the prices of the share's fall."""
    truth = vectors()["iron"]
    found = []
    for text in truth["share_prices"]:
        ledger, (holder, _, _), [coin, share, cash] = market("hUSD", "hSHR", "USDs")
        reserve = ledger.open_account("S.reserve", "protocol")
        contract = MintRedeem(ledger, "S", coin, share, cash, int(truth["collateral_ratio"]), 0)
        price = Index()
        price.micro = int(text)
        contract.price = price
        ledger.mint(cash, reserve, 3 * 10**12, "x")
        paid, minted = contract.redeem(holder, int(truth["redeemed"]))
        wanted = 750 * MICRO, 250 * MICRO * MICRO // price.micro
        at = f"{price.micro / MICRO:g}"
        found.append(Row(f"STB-03/{at}", f"1,000 coins redeemed with the share at {at}: cash and shares",
                         f"{wanted[0] / MICRO:g} and {wanted[1] / MICRO:g}", f"{paid / MICRO:g} and {minted / MICRO:g}",
                         "exact", (paid, minted) == wanted, truth["source"]))
    return found


def impact() -> Row:
    """Redeeming V in small steps through a pool with cash Q leaves the share's price at (1 - V/Q)^2."""
    ledger, (founder, holder, _), [coin, share, cash] = market("hUSD", "hSHR", "USDs")
    ledger.open_account("S.reserve", "protocol")
    pool = ConstantProductPool(ledger, "P", share, cash, fee_bps=0)
    pool.add_liquidity(founder, 10**11, 10**11)
    contract = MintRedeem(ledger, "S", coin, share, cash, 0, 0)
    contract.price = Spot(pool)
    steps = 2_000
    for _ in range(steps):
        _, minted = contract.redeem(holder, 5 * 10**10 // steps)
        pool.swap(holder, share, minted)
    price = pool.spot()
    return Row("STB-04", "Coins for half the cash of the share's pool are redeemed in 2,000 steps at the current "
               "price: price of the share", "0.25", f"{price:.5f}", "0.1 %: a step is 1/4,000 of the pool",
               abs(price / 0.25 - 1.0) < 1e-3, "dp/p = -2 dV/Q and dQ = -dV on a constant product; " + DERIVED)
