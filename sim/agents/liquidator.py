"""Liquidators: who keeps a lending pool solvent, as far as their cash, the gas and the market's depth allow.

Each morning they look up positions out of health and send a call for each to blocks of the day. In its block the call
repays as much as pays: the collateral seized is sold in the market maker in the same transaction, and where the sale
would bring less than debt, gas and the least profit, it halves the amount, and in the end declines.
"""

from __future__ import annotations

from typing import Any

import mesa
import numpy as np

from sim.chain.mempool import Batch, Refused
from sim.contracts.credit.lending_reserve import LendingRefused
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.liquidators import LiquidatorsSection

HALVINGS = 12


class Liquidator(mesa.Agent):
    """An account with cash."""

    def __init__(self, desk: Liquidators, name: str) -> None:
        super().__init__(desk.market)
        self.desk = desk
        self.account: int = desk.ledger.open_account(f"loan_{name}", "traders")  # issuers have liquidators too
        self.key = agent_key(name)

    def liquidate(self, borrower: int, collateral: int, gas: int) -> None:
        """Repay what pays best of ``borrower``'s debt in cash; Refused where nothing does."""
        desk = self.desk
        lending, cash = desk.lending.pool, desk.cash
        most = desk.flash.available(cash) if desk.flash is not None else desk.ledger.balance(cash, self.account)
        repaid, seized = lending.seizable(borrower, collateral, cash, most)
        for _ in range(HALVINGS):
            if seized == 0:
                break
            cost = repaid + gas + (desk.flash.premium(repaid) if desk.flash is not None else 0)
            if desk.pool.quote_out(collateral, seized) >= cost + desk.least_profit:
                self._carry_out(borrower, collateral, repaid)
                return
            repaid, seized = lending.seizable(borrower, collateral, cash, max(repaid // 2, 1))
        raise Refused("the sale would not pay")

    def _carry_out(self, borrower: int, collateral: int, repaid: int) -> None:
        desk = self.desk

        def program() -> None:
            done = desk.lending.liquidate(self.account, borrower, collateral, desk.cash, repaid)
            desk.pool.swap(self.account, collateral, done.seized)

        if desk.flash is None:
            program()
        else:
            desk.flash.borrow(self.account, desk.cash, repaid, program)
        desk.count("done")


class Liquidators(Mechanism):
    """Mechanism ``liquidators``."""

    section: LiquidatorsSection
    hooks = (Hook(Phase.MARKETS, "watch", after=("borrowers", "traders")),)

    def setup(self, market: Market) -> None:
        self.market: Any = market
        self.ledger = market.ledger
        self.cash: int = market.ledger.asset_id("USDs")
        self.agents = [Liquidator(self, f"liquidator_{i + 1}") for i in range(self.section.number)]
        self.least_profit = round(self.section.least_profit * MICRO)
        self.counts = {"done": 0, "refused": 0, "dropped": 0}
        self._refused_before = 0

    def start(self, market: Market) -> None:
        self.lending: Any = market.mechanism("lending")
        self.amm: Any = market.mechanism("amm")
        self.chain: Any = market.mechanism("chain")
        self.flash: Any = market.mechanism("flash_loans") if self.section.funding == "flash_loan" else None
        self.chain.register_kind("liquidate", 500_000)
        self.opening = round(self.section.cash * MICRO)
        for agent in self.agents:
            market.endow(agent.account, self.opening)

    @property
    def pools(self) -> dict[int, Any]:
        """Market makers in which a collateral trades against cash, by asset."""
        return {pool.base: pool for pool in self.amm.pools.values()
                if pool.quote == self.cash and pool.base in self.lending.pool.markets}

    @property
    def pool(self) -> Any:
        """The market maker of the collateral that is being liquidated."""
        return self._pool

    def count(self, what: str, number: int = 1) -> None:
        """Add to a figure; taken back with the transaction it belongs to."""
        before = self.counts[what]
        self.ledger.on_rollback(lambda: self.counts.__setitem__(what, before))
        self.counts[what] = before + number

    def watch(self, market: Market) -> None:
        """Send a call for each position out of health whose collateral trades against cash."""
        pools = self.pools
        calls = [(agent, borrower, asset) for borrower in self.lending.unhealthy() for asset in pools
                 if self.lending.pool.market(asset).reserve.supplied_by(borrower) for agent in self.agents]
        if not calls:
            return
        gas = self.chain.fee("liquidate")

        def execute(rows: Any, blocks: Any) -> None:
            for row, block in zip(rows.tolist(), blocks.tolist(), strict=True):
                agent, borrower, asset = calls[row]
                self.lending.at_block(block)
                self._pool = pools[asset]
                agent.liquidate(borrower, asset, gas)

        self.chain.submit(Batch(
            "liquidate", np.array([agent.account for agent, _, _ in calls]), execute, ordered=True,
            keys=np.array([agent.key for agent, _, _ in calls], dtype=np.uint64), expires=market.day, singly=True,
            max_fee=int(gas * self.section.fee_multiple) if gas else None, refusals=(LendingRefused,),
            reverted=lambda rows: self.count("refused", int(rows.size)),
            dropped=lambda rows: self.count("dropped", int(rows.size))))

    def observe(self, market: Market) -> None:
        held = sum(self.ledger.balance(self.cash, agent.account) for agent in self.agents)
        market.record.series("liquidators.cash", held / MICRO)
        market.record.series("liquidators.refused", self.counts["refused"] - self._refused_before)
        self._refused_before = self.counts["refused"]

    def finish(self, market: Market) -> None:
        record = market.record
        gained = 0.0
        for agent in self.agents:
            gained += self.ledger.balance(self.cash, agent.account) - self.opening
            gained += sum(self.ledger.balance(asset, agent.account) * (self.ledger.price(asset) or 0.0)
                          for asset in self.pools)
        record.metric("liquidators.profit", gained / MICRO)
        for name in ("done", "refused", "dropped"):
            record.metric(f"liquidators.{name}", self.counts[name])
