"""Borrowers: holders of health tokens who take a loan against them and, some of them, look after it.

On day 0 each supplies its tokens and borrows a part of what they carry; most of it is spent. An attentive borrower
looks at its health each morning and repays from the cash it kept when that is low; the others wait for the price.
"""

from __future__ import annotations

import math
from typing import Any

import mesa
import numpy as np

from sim.chain.mempool import Batch
from sim.contracts.credit.interest import WAD
from sim.contracts.credit.lending_reserve import LendingRefused
from sim.contracts.credit.price_source import PriceUnavailable
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.borrowers import BorrowersSection


class Borrower(mesa.Agent):
    """One account; ``use`` is the part of its limit that it borrows."""

    def __init__(self, desk: Borrowers, name: str, tokens: int, use: float, attentive: bool) -> None:
        super().__init__(desk.market)
        self.account: int = desk.ledger.open_account(name, "borrowers")
        self.key = agent_key(name)
        self.tokens = tokens
        self.use = use
        self.attentive = attentive
        self.borrowed = self.repaid = 0


class Borrowers(Mechanism):
    """Mechanism ``borrowers``."""

    section: BorrowersSection
    hooks = (Hook(Phase.MARKETS, "decide"),)

    def setup(self, market: Market) -> None:
        self.market: Any = market
        self.ledger = market.ledger
        self.cash: int = market.ledger.asset_id("USDs")
        section, draws = self.section, market.draws
        names = [f"borrower_{i + 1}" for i in range(section.number)]
        keys = np.array([agent_key(name) for name in names], dtype=np.uint64)
        spread = section.collateral_log_sd
        mean = math.log(section.collateral * MICRO) - 0.5 * spread * spread
        sizes = draws.decision("borrowers.collateral").lognormal(0, keys, mean, spread)
        uses = draws.decision("borrowers.use").uniform(0, keys)
        minded = draws.decision("borrowers.attentive").bernoulli(0, keys, section.attentive)
        self.agents = [
            Borrower(self, name, int(size), section.least_use + float(use) * (section.most_use - section.least_use),
                     bool(minds))
            for name, size, use, minds in zip(names, sizes, uses, minded, strict=True)]
        self.top_ups = 0
        self._opened = False

    def start(self, market: Market) -> None:
        self.lending: Any = market.mechanism("lending")
        self.chain: Any = market.mechanism("chain")
        self.token: Any = market.mechanism("health_token")
        self.chain.register_kind("repay", 200_000)
        for agent in self.agents:
            self.token.endow_tokens(agent.account, agent.tokens)
            market.endow(agent.account, 100 * MICRO)  # for gas

    def decide(self, market: Market) -> None:
        """Take the loan on the first day; look after it on the others."""
        if not self._opened:
            self._open()
            return
        below = int(self.section.repays_below * WAD)
        try:
            worried = [agent for agent in self.agents
                       if agent.attentive and self.lending.pool.health(agent.account) < below]
        except PriceUnavailable:
            return
        worried = [agent for agent in worried if self._spare(agent) > 0]
        if not worried:
            return

        def execute(rows: Any, blocks: Any) -> None:
            for row, block in zip(rows.tolist(), blocks.tolist(), strict=True):
                self.lending.at_block(block)
                agent = worried[row]
                paid = self.lending.pool.repay(agent.account, agent.account, self.cash, self._spare(agent))
                self._count_top_up(agent, paid)

        self.chain.submit(Batch("repay", np.array([agent.account for agent in worried]), execute, ordered=True,
                                keys=np.array([agent.key for agent in worried], dtype=np.uint64), expires=market.day,
                                singly=True, refusals=(LendingRefused,)))

    def _count_top_up(self, agent: Borrower, paid: int) -> None:
        before = self.top_ups, agent.repaid
        self.ledger.on_rollback(lambda: self._restore(agent, before))
        self._restore(agent, (before[0] + 1, before[1] + paid))

    def _restore(self, agent: Borrower, counts: tuple[int, int]) -> None:
        self.top_ups, agent.repaid = counts

    def _spare(self, agent: Borrower) -> int:
        """Cash beyond the day's gas."""
        return max(0, int(self.ledger.balance(self.cash, agent.account)) - 3 * int(self.chain.fee("repay")))

    def _open(self) -> None:
        """Loans that stand when the run begins; they cost no gas. Waits for a day on which there is a price."""
        pool, ledger = self.lending.pool, self.ledger
        asset = self.token.asset
        try:
            pool.market(asset).price()
        except PriceUnavailable:
            return
        spent_to = ledger.account("rest_of_world") if ledger.has_account("rest_of_world") else self.lending.suppliers
        for agent in self.agents:
            pool.supply(agent.account, asset, agent.tokens)
            loan = int(pool.position(agent.account).limit * agent.use)
            loan = min(loan, pool.market(self.cash).reserve.cash)
            if loan > 0:
                pool.borrow(agent.account, self.cash, loan)
                agent.borrowed = loan
                ledger.transfer(self.cash, agent.account, spent_to, int(loan * (1.0 - self.section.cash_kept)),
                                "borrower_spending")
        self._opened = True

    def observe(self, market: Market) -> None:
        reserve = self.lending.pool.market(self.cash).reserve
        market.record.series("borrowers.in_debt", sum(reserve.debt_of(agent.account) > 0 for agent in self.agents))

    def finish(self, market: Market) -> None:
        price = self.ledger.price(self.token.asset) or 0.0
        pool, lost = self.lending.pool, 0.0
        for agent in self.agents:
            free = self.ledger.balance(self.token.asset, agent.account)
            supplied = pool.market(self.token.asset).reserve.supplied_by(agent.account)
            owed = pool.market(self.cash).reserve.debt_of(agent.account)
            # What was spent of the loan was had, and nobody pays more than stands behind a debt.
            kept = free * price + max(0.0, supplied * price - owed) + agent.borrowed - agent.repaid
            lost += max(0.0, agent.tokens * price - kept)
        market.record.metric("borrowers.top_ups", self.top_ups)
        market.record.metric("borrowers.loss", lost / MICRO)
