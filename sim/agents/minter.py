"""Mechanism "minters": who issues the synthetic, defends or loses its position, who holds and who liquidates it.

An issuer looks on some days. Below its defence ratio it burns what sMED it kept, then what its cash buys in the pool;
where the pool pays well above the index it issues and sells, where well below it buys sMED and repays. A liquidator
sees every position. It flags what may be flagged, and burns its own sMED for the collateral of what may be
liquidated, which it sells in the collateral's pool in the same transaction: only where that brings more than the sMED
is worth, and only as far as its stock reaches. So what is liquidated lowers the price by which the next position is
judged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Batch, Refused
from sim.contracts.credit.price_source import PriceUnavailable
from sim.contracts.credit.synthetic import NEVER, fix_amount
from sim.contracts.credit.synthetics import Synthetics
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO, mul_div
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.minters import MintersSection

DEBT_GAS, FLAG_GAS, LIQUIDATION_GAS = 250_000, 80_000, 400_000
GAS_MONEY = 100 * MICRO
DEAR = 1.02
"""A liquidator buys stock below the index times this."""


class Holder(mesa.Agent):
    """An account with cash and sMED."""

    def __init__(self, desk: Minters, name: str, cash: int) -> None:
        super().__init__(desk.market)
        self.desk = desk
        self.name = name
        self.synthetics = desk.synthetics
        # Lending has liquidators too, with accounts of their own.
        account = f"synthetics_{name}" if isinstance(self, Liquidator) else name
        self.account: int = desk.ledger.open_account(account, "traders")
        self.key = agent_key(name)
        desk.market.endow(self.account, cash)

    @property
    def cash(self) -> int:
        return int(self.desk.ledger.balance(self.synthetics.cash, self.account))

    @property
    def tokens(self) -> int:
        return int(self.desk.ledger.balance(self.synthetics.asset, self.account))


class Minter(Holder):
    """Issuer of sMED."""

    def wants(self) -> Callable[[], None] | None:
        """What it would do at today's prices: defend, issue, or nothing."""
        debts, section = self.synthetics.debts, self.desk.section
        ratio = debts.ratio(self.account) if self.account in debts.positions else None
        if ratio is None:
            return None
        if ratio < section.defence_ratio * MICRO:
            return self.defend
        premium = self.synthetics.pool.spot() / self.synthetics.index() - 1.0
        if premium < -section.issue_premium and self.cash > 2 * GAS_MONEY:
            return self.buy_back
        return self.issue if premium > section.issue_premium and ratio > debts.rules.issuance else None

    def defend(self) -> None:
        """Burn towards the issuance ratio, with what it holds and what its cash buys."""
        debts, pool, asset = self.synthetics.debts, self.synthetics.pool, self.synthetics.asset
        owed = debts.debt(self.account)
        if owed == 0:
            raise Refused(f"{self.name} owes nothing")
        worth = debts.collateral_value(debts.positions[self.account].collateral)
        needed = min(owed, fix_amount(owed, worth, MICRO * MICRO // debts.rules.issuance, 0))
        wanted = mul_div(needed, MICRO, self.synthetics.token.index)
        if wanted > self.tokens and self.cash > MICRO:
            missing = min(wanted - self.tokens, pool.quote_out(self.synthetics.cash, self.cash))
            pool.swap(self.account, self.synthetics.cash, pool.quote_in(asset, missing), missing)
        amount = min(wanted, self.tokens)
        if amount == 0:
            raise Refused(f"{self.name} has nothing to defend its position with")
        debts.burn(self.account, asset, amount)
        self.desk.tally("defended", amount)

    def buy_back(self) -> None:
        """Buy what is cheaper than the debt that it repays, up to the index, and burn it."""
        debts, pool, synthetics = self.synthetics.debts, self.synthetics.pool, self.synthetics
        base, quote = pool.reserves()
        index, owed = synthetics.token.index, debts.debt(self.account)
        to_par = max(0, int((base * quote * index / MICRO) ** 0.5) - quote)
        spent = min(to_par, self.cash - GAS_MONEY)
        if spent < MICRO or quote * MICRO >= base * index:
            raise Refused(f"{self.name} finds sMED no cheaper than its debt")
        amount = min(pool.quote_out(synthetics.cash, spent), mul_div(owed, MICRO, index))
        if amount == 0:
            raise Refused(f"{self.name} owes nothing")
        pool.swap(self.account, synthetics.cash, pool.quote_in(synthetics.asset, amount), amount)
        debts.burn(self.account, synthetics.asset, amount)
        self.desk.tally("bought_back", amount)

    def issue(self) -> None:
        """Issue half of what the ratio allows, at most what brings the pool's price back to the index, and sell it."""
        debts, pool, asset = self.synthetics.debts, self.synthetics.pool, self.synthetics.asset
        position = debts.positions.get(self.account)
        if position is None:
            raise Refused(f"{self.name} has no position")
        room = debts.collateral_value(position.collateral) * MICRO // debts.rules.issuance - debts.debt(self.account)
        base, quote = pool.reserves()
        index = self.synthetics.token.index
        to_par = max(0, int((base * quote * MICRO / index) ** 0.5) - base)
        amount = min(mul_div(max(0, room) // 2, MICRO, index), to_par)
        if amount < MICRO:
            raise Refused(f"{self.name} has no room to issue")
        debts.mint(self.account, asset, amount)
        pool.swap(self.account, asset, amount)
        self.desk.tally("issued", amount)


class Liquidator(Holder):
    """Burns sMED for collateral with a penalty on top."""

    def liquidate(self, minter: int) -> None:
        """Liquidate with the whole stock at most, and sell; refused where that does not pay."""
        debts, outlet = self.synthetics.debts, self.synthetics.collateral_pool
        asset = self.synthetics.asset
        if not debts.may_liquidate(minter):
            raise Refused("this position cannot be liquidated")
        self.restock(debts.liquidation_cap(minter, debts.rules.penalty))
        most = self.tokens
        for _ in range(4):  # less where the whole would sell too low: half, a quarter, an eighth
            if most == 0:
                break
            amount, seized = debts.seizure(minter, asset, most)
            brought = seized if outlet is None else outlet.quote_out(self.synthetics.collateral, seized)
            gain = brought - debts.value(asset, amount)
            if gain > self.desk.gas():
                debts.liquidate(self.account, minter, asset, most)
                if outlet is not None:
                    outlet.swap(self.account, self.synthetics.collateral, seized)
                self.desk.tally("gain", gain)
                return
            most = amount // 2
        raise Refused(f"{self.name} finds no gain")

    def restock(self, value: int) -> None:
        """Buy sMED for what is missing, as far as its pool is not dear."""
        pool, index = self.synthetics.pool, self.synthetics.token.index
        missing = mul_div(value, MICRO, index) - self.tokens
        base, quote = pool.reserves()
        room = max(0, int((base * quote * index / MICRO * DEAR) ** 0.5) - quote)
        spent = min(self.cash - GAS_MONEY, room, mul_div(max(0, missing), index, MICRO))
        if spent > MICRO:
            pool.swap(self.account, self.synthetics.cash, spent)


class Investor(Holder):
    """Long investors, who hold the rest and sell what the pool pays too much for."""

    def sell(self) -> None:
        """Sell down to the index; refused where the pool pays less than the premium that issuers ask too."""
        pool, index = self.synthetics.pool, self.synthetics.token.index
        base, quote = pool.reserves()
        if quote / base < index / MICRO * (1.0 + self.desk.section.issue_premium):
            raise Refused("the pool does not pay a premium")
        amount = min(self.tokens, max(0, int((base * quote * MICRO / index) ** 0.5) - base))
        if amount == 0:
            raise Refused("nothing is left to sell")
        pool.swap(self.account, self.synthetics.asset, amount)


class Minters(Mechanism):
    """The desk: creates them and gathers their orders."""

    section: MintersSection
    hooks = (Hook(Phase.MARKETS, "act"),)

    def setup(self, market: Market) -> None:
        self.market: Any = market
        self.ledger = market.ledger
        self.synthetics: Synthetics = market.mechanism("synthetics")
        self._looks = market.draws.decision("minters.looks")
        self._arrival = market.draws.decision("minters.arrival")
        self.minters: list[Minter] = []
        self.liquidators: list[Liquidator] = []
        self.today: dict[str, int] = {}
        self.total: dict[str, int] = {}
        self.refused = 0

    def start(self, market: Market) -> None:
        section, synthetics = self.section, self.synthetics
        self.chain: Any = market.mechanism("chain")
        self.amm: Any = market.mechanism("amm")
        for kind, gas in (("synthetic_debt", DEBT_GAS), ("flag", FLAG_GAS), ("liquidation", LIQUIDATION_GAS)):
            self.chain.register_kind(kind, gas)
        self.investor = Investor(self, "synthetic_investors", GAS_MONEY)
        investor = self.investor.account
        cash = int(section.liquidator_cash * MICRO)
        self.liquidators = [Liquidator(self, f"liquidator_{i + 1}", cash) for i in range(section.liquidators)]
        worth = section.collateral / section.minters * MICRO
        sold = 0
        for number in range(section.minters):
            part = number / max(section.minters - 1, 1)
            ratio = section.ratio_low + (section.ratio_high - section.ratio_low) * part
            amount = int(worth / ratio / synthetics.opening_price)
            minter = Minter(self, f"minter_{number + 1}", int(worth / ratio * section.cash_share) + GAS_MONEY)
            self.minters.append(minter)
            synthetics.endow_position(minter.account, amount, ratio)
            given = int(amount * (1.0 - section.kept_share))
            self.ledger.transfer(synthetics.asset, minter.account, investor, given, "endowment")
            sold += given
        stock = int(sold * section.liquidator_share) // max(section.liquidators, 1)
        for liquidator in self.liquidators:
            self.ledger.transfer(synthetics.asset, investor, liquidator.account, stock, "endowment")

    def gas(self) -> int:
        """Cash that the gas of a liquidation costs now."""
        return int(self.chain.fee("liquidation"))

    def tally(self, name: str, amount: int) -> None:
        """Add to a figure of today, with the transaction it belongs to."""
        today, before = self.today, self.today.get(name, 0)
        self.ledger.on_rollback(lambda: today.__setitem__(name, before))
        today[name] = before + amount

    def act(self, market: Market) -> None:
        """Gather the orders of the day."""
        self.today = {}
        if market.day == 0:  # the market opens
            return
        try:
            self._act(market.day)
        except PriceUnavailable:  # the contract would refuse them all
            return

    def _act(self, day: int) -> None:
        debts = self.synthetics.debts
        looking = self._looks.bernoulli(day, np.array([one.key for one in self.minters], dtype=np.uint64),
                                        self.section.attention)
        wishes: list[tuple[Any, Callable[[], None]]] = [
            (one, wish) for one, looks in zip(self.minters, looking.tolist(), strict=True)
            if looks and (wish := one.wants()) is not None]
        self._submit("synthetic_debt", [*wishes, (self.investor, self.investor.sell)], day)
        if not self.liquidators:
            return
        flags: list[tuple[Holder, Callable[[], None]]] = []
        orders: list[tuple[Holder, Callable[[], None]]] = []
        number = len(self.liquidators)
        weak = sorted((debts.ratio(account) or 0, account) for account in debts.positions
                      if debts.below_liquidation(account))
        for place, (_, account) in enumerate(weak):
            liquidator = self.liquidators[place % number]
            if debts.positions[account].flagged == NEVER:
                flags.append((liquidator, lambda account=account: debts.flag(account)))  # type: ignore[misc]
            if debts.may_liquidate(account) or debts.rules.delay_days == 0:
                orders.extend((one, lambda one=one, account=account: one.liquidate(account))  # type: ignore[misc]
                              for one in (liquidator, self.liquidators[(place + 1) % number]))
        self._submit("flag", flags, day, early=True)
        self._submit("liquidation", orders, day)

    def _submit(self, kind: str, orders: list[tuple[Any, Callable[[], None]]], day: int, early: bool = False) -> None:
        if not orders:
            return

        def call(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            for row, block in zip(rows.tolist(), blocks.tolist(), strict=True):
                self.amm.at_block(block)
                orders[row][1]()

        def failed(rows: NDArray[np.int64]) -> None:
            self.refused += int(rows.size)

        keys = np.array([one.key for one, _ in orders], dtype=np.uint64)
        blocks = self._arrival.uniform(day, keys, np.arange(len(orders))) * self.chain.blocks_per_day
        self.chain.submit(Batch(
            kind, np.array([one.account for one, _ in orders]), call, ordered=True, singly=True, keys=keys, expires=day,
            arrival=0 if early else blocks.astype(np.int64), dropped=failed, reverted=failed))

    def observe(self, market: Market) -> None:
        record = market.record
        for name in ("defended", "issued", "bought_back"):
            record.series(f"minters.{name}", self.today.get(name, 0) / MICRO)
        record.series("minters.liquidator_stock", sum(one.tokens for one in self.liquidators) / MICRO)
        for name, amount in self.today.items():
            self.total[name] = self.total.get(name, 0) + amount

    def finish(self, market: Market) -> None:
        metric, totals = market.record.metric, self.synthetics.debts.totals
        for name in ("defended", "issued", "bought_back"):
            metric(f"minters.{name}", self.total.get(name, 0) / MICRO)
        metric("minters.loss", totals.penalty / MICRO)
        metric("minters.liquidator_profit", self.total.get("gain", 0) / MICRO)
        metric("minters.refused_orders", self.refused)
