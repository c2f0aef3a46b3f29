"""The price manipulator: pumps the token that a lending pool takes as collateral, and borrows more than it is worth.

Before it acts it works out, from what anybody can read - reserves, the contract's terms and price source, the cash that
can be borrowed, gas and premiums - the outlay x that is best for it. With t the tokens that x buys, s = 1 + x/Q the
factor by which the cash reserve grows, and phi the part of the averaging window that it can hold the price for,

    collateral price = (1 - phi) average of the past + phi P s^2        (spot: phi = 1; a committee's price, or an
    loan = min(cash of the pool, loan to value x price x t)             average within one call: phi = 0)
    profit = loan - x - gas - premium.

Without fees the least outlay that pays is Q (s - 1) with phi s^2 - s / loan-to-value + (1 - phi) = 0: it grows almost
as 1/phi, the window over the time held, and the attack ends where it exceeds the cash that the pool has to lend.
Where the price was traded back while it waited, and the loan is worth less than its tokens, it sells them again.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import mesa
import numpy as np

from sim.chain.mempool import Batch, Refused
from sim.contracts.amm import constant_product as curve
from sim.contracts.credit.lending import PRICE_UNIT
from sim.contracts.credit.price_source import Committee, PriceUnavailable, Twap
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import BPS, MICRO, mul_div
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.price_manipulator import PriceManipulatorSection

DAY_MINUTES = 1440.0
PLEDGE, FLASH_PLEDGE = "pledge", "flash_pledge"
"""A deposit and a loan in one transaction, and both inside a flash loan with a swap: dearer than each call alone."""
GRID = 600
LARGEST_RATIO = 2_000.0
"""Plans are tried up to this many times the pool's cash reserve."""


class Plan(NamedTuple):
    """Micro-USD: what is put in, what the tokens bought are worth at fair value, the loan, the expected profit."""

    outlay: int
    fair: int
    loan: int
    profit: int


class PriceManipulator(Mechanism):
    """Mechanism ``price_manipulator``, with its one agent."""

    section: PriceManipulatorSection
    hooks = (Hook(Phase.ADVERSARIES, "act"),)

    def setup(self, market: Market) -> None:
        self._market: Any = market
        self._ledger = market.ledger
        self.cash: int = market.ledger.asset_id("USDs")
        self.agent = mesa.Agent(self._market)
        self.account: int = market.ledger.open_account("price_manipulator", "adversaries")
        self.key = agent_key("price_manipulator")
        self.attacks = self.failed = 0
        self.began = False
        self.estimate: int | None = None
        self.break_even: Plan | None = None
        self.victims_loss = 0

    def start(self, market: Market) -> None:
        section = self.section
        self.amm: Any = market.mechanism("amm")
        self.lending: Any = market.mechanism("lending")
        self.chain: Any = market.mechanism("chain")
        self.flash: Any = market.mechanism("flash_loans") if section.means == "flash_loan" else None
        self.pool: Any = self.amm.pool(section.pool)
        self.asset: int = self._ledger.asset_id(section.asset)
        for kind, gas in (("swap", 120_000), (PLEDGE, 520_000), (FLASH_PLEDGE, 900_000)):
            self.chain.register_kind(kind, gas)
        self.opening = round(section.capital * MICRO)
        market.endow(self.account, self.opening)

    # What it works out ---------------------------------------------------------------------------------------

    def fair_price(self) -> float:
        """Dollars per token apart from the pool's price: what its issuer stands for, else the spot price."""
        return self._ledger.price(self.asset) or float(self.pool.spot())

    def held_part(self) -> float:
        """phi: the part of the contract's price that the pumped price makes up when it borrows."""
        source = self.lending.pool.market(self.asset).source
        if source is None or isinstance(source, Committee):
            return 0.0
        if not isinstance(source, Twap):
            return 1.0
        if self.flash is not None:
            return 0.0
        return min(1.0, self.section.hold_minutes / DAY_MINUTES / source.window_days)

    def plan(self, outlay: int, lendable: int | None) -> Plan:
        """What an outlay would bring; ``lendable`` None: whatever the collateral carries."""
        base, quote = self.pool.reserves()
        tokens = curve.amount_out(outlay, quote, base, self.pool.keep, self.pool.scale)
        phi = self.held_part()
        now = self.lending.pool.market(self.asset).price() / PRICE_UNIT
        pumped = (quote + outlay) / (base - tokens)
        believed = (1.0 - phi) * now + phi * pumped
        terms = self.lending.pool.market(self.asset).terms
        limit = int(tokens * believed) * terms.ltv_bps // BPS
        loan = limit if lendable is None else min(limit, lendable)
        fair = int(tokens * self.fair_price())
        if self.flash is not None:
            cost = self.flash.premium(outlay) + self.chain.fee(FLASH_PLEDGE)
            return Plan(outlay, fair, loan, loan - outlay - cost)
        gas = self.chain.fee("swap") + self.chain.fee(PLEDGE)
        risk = -math.expm1(-self.section.interference_per_hour * self.section.hold_minutes / 60.0)
        # Traded back, it has paid the pumped price for tokens that fetch the fair one.
        return Plan(outlay, fair, loan, int((1.0 - risk) * (loan - outlay) - risk * (outlay - fair)) - gas)

    def means(self) -> int:
        """Micro-USD that it can put in."""
        own = self._ledger.balance(self.cash, self.account)
        return int(self.flash.available(self.cash)) if self.flash is not None else own

    def best_plan(self) -> Plan:
        """The plan with the highest expected profit within its means and the pool's cash."""
        quote = self.pool.reserves()[1]
        lendable = self.lending.pool.market(self.cash).reserve.cash
        most = self.means() / max(quote, 1)
        plans = [self.plan(max(1, int(quote * ratio)), lendable) for ratio in _grid(max(most, 1e-4))]
        return max(plans, key=lambda one: (one.profit, -one.outlay))

    def cheapest(self) -> Plan | None:
        """The smallest plan whose loan covers its outlay if the pool could lend any amount."""
        quote = self.pool.reserves()[1]
        for ratio in _grid(LARGEST_RATIO):
            one = self.plan(max(1, int(quote * ratio)), None)
            if one.loan >= one.outlay:
                return one
        return None

    # What it does --------------------------------------------------------------------------------------------

    def act(self, market: Market) -> None:
        """Look; attack once when the estimate is high enough; afterwards sell what tokens are left."""
        if market.day < self.section.wakes_on_day:
            return
        if self.began:
            self._sell_leftovers()
            return
        try:
            best = self.best_plan()
            if self.estimate is None:
                self.estimate, self.break_even = best.profit, self.cheapest()
        except PriceUnavailable:
            return
        if best.profit <= self.section.least_profit * MICRO:
            return
        self.began = True
        self._market.record.event("attack", "price_manipulator", best.outlay / MICRO, expected=best.profit / MICRO)
        if self.flash is not None:
            self._submit(FLASH_PLEDGE, self.section.start_minute, lambda: self._flash(best.outlay))
            return
        self._submit("swap", self.section.start_minute, lambda: self._buy(best.outlay))
        self._submit(PLEDGE, self.section.start_minute + self.section.hold_minutes, self._borrow)

    def _submit(self, kind: str, minute: float, call: Any) -> None:
        def execute(rows: Any, blocks: Any) -> None:
            for block in blocks.tolist():
                self.lending.at_block(block)
                call()

        def failed(rows: Any) -> None:
            self.failed += 1

        arrival = int(minute / DAY_MINUTES * self.chain.blocks_per_day)
        self.chain.submit(Batch(kind, np.array([self.account]), execute, ordered=True, arrival=arrival,
                                keys=np.array([self.key], dtype=np.uint64), tip_bps=10 * BPS,
                                expires=self._market.day, dropped=failed, reverted=failed, singly=True))

    def _buy(self, outlay: int) -> None:
        self.pool.swap(self.account, self.cash, min(outlay, self._ledger.balance(self.cash, self.account)))

    def _borrow(self) -> None:
        """Pledge all tokens and take what they carry, if that is worth more than the tokens; else sell them."""
        tokens = self._ledger.balance(self.asset, self.account)
        if tokens == 0:
            raise Refused("the price was never moved")
        market = self.lending.pool.market(self.asset)
        carried = mul_div(mul_div(tokens, market.price(), PRICE_UNIT), market.terms.ltv_bps, BPS)
        loan = min(carried, self.lending.pool.market(self.cash).reserve.cash)
        if loan <= self.pool.quote_out(self.asset, tokens):
            self.pool.swap(self.account, self.asset, tokens)
            self._count(failed=1)
            return
        self._pledge(tokens)

    def _pledge(self, tokens: int) -> None:
        self.lending.pool.supply(self.account, self.asset, tokens)
        room = self.lending.pool.position(self.account).limit
        loan = min(room, self.lending.pool.market(self.cash).reserve.cash)
        self.lending.pool.borrow(self.account, self.cash, loan - 1)  # a debt is rounded up by a unit
        self._count(attacks=1, loss=max(0, loan - int(tokens * self.fair_price())))

    def _flash(self, outlay: int) -> None:
        def program() -> None:
            self._pledge(self.pool.swap(self.account, self.cash, outlay))

        self.flash.borrow(self.account, self.cash, outlay, program)

    def _sell_leftovers(self) -> None:
        tokens = self._ledger.balance(self.asset, self.account)
        if tokens and self.pool.quote_out(self.asset, tokens) > self.chain.fee("swap"):
            self._submit("swap", self.section.start_minute, lambda: self.pool.swap(
                self.account, self.asset, self._ledger.balance(self.asset, self.account)))

    def _count(self, attacks: int = 0, failed: int = 0, loss: int = 0) -> None:
        before = self.attacks, self.failed, self.victims_loss
        self._ledger.on_rollback(lambda: self._restore(before))
        self._restore((before[0] + attacks, before[1] + failed, before[2] + loss))

    def _restore(self, counts: tuple[int, int, int]) -> None:
        self.attacks, self.failed, self.victims_loss = counts

    # Reports -------------------------------------------------------------------------------------------------

    def finish(self, market: Market) -> None:
        record, ledger = market.record, self._ledger
        wealth = ledger.balance(self.cash, self.account) + int(
            ledger.balance(self.asset, self.account) * self.fair_price())
        supplied = self.lending.pool.market(self.asset).reserve.supplied_by(self.account)
        owed = self.lending.pool.market(self.cash).reserve.debt_of(self.account)
        wealth += max(0, int(supplied * self.fair_price()) - owed)  # it may leave a debt, not lose by it
        record.metric("price_manipulator.attacks", self.attacks)
        record.metric("price_manipulator.failed_attacks", self.failed)
        record.metric("price_manipulator.profit", (wealth - self.opening) / MICRO)
        record.metric("price_manipulator.victims_loss", self.victims_loss / MICRO)
        if self.estimate is not None:
            record.metric("price_manipulator.estimate", self.estimate / MICRO)
        if self.break_even is not None:
            record.metric("price_manipulator.attack_cost", (self.break_even.outlay - self.break_even.fair) / MICRO)
            record.metric("price_manipulator.outlay_to_break_even", self.break_even.outlay / MICRO)


def _grid(most: float) -> list[float]:
    """Outlays over the cash reserve, evenly in logs from a ten-thousandth to ``most``."""
    return [float(ratio) for ratio in np.geomspace(1e-4, max(most, 2e-4), GRID)]
