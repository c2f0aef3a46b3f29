"""Keepers: they put positions out of health up for auction, bid for the lots, and sell what they win.

Each morning a keeper counts the lots it expects - those open, and those of positions out of health - and sends calls
for blocks all over the day. In its block a call starts an auction if there is one to start, and bids in the one that
leaves it the most. A scripted keeper bids what a lot would fetch in the market maker less its margin, at once, and
its calls carry a limit on gas from quiet days. An adaptive one pays what the block asks, opens with the least bid that
is taken, and goes up only when it is beaten: where nobody else gets through, it wins at next to nothing.
"""

from __future__ import annotations

import math
from collections import deque
from functools import cached_property
from typing import Any

import mesa
import numpy as np

from sim.chain.mempool import Batch, Refused
from sim.contracts.credit.auction import NOBODY, Auction
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import BPS, MICRO, mul_div, mul_div_up
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.keepers import KeepersSection

USUAL_DAYS = 30
MOST_CALLS = 400
DAY_MINUTES = 1440.0


class Keeper(mesa.Agent):
    """An account with cash; ``adaptive`` says which kind."""

    def __init__(self, desk: Keepers, name: str, adaptive: bool) -> None:
        super().__init__(desk.market)
        self.desk = desk
        self.adaptive = adaptive
        self.account: int = desk.ledger.open_account(name, "traders")
        self.key = agent_key(name)

    def wealth(self) -> float:
        """Micro-USD, tokens at fair value."""
        ledger = self.desk.ledger
        return float(ledger.balance(self.desk.cash, self.account)) + sum(
            ledger.balance(asset, self.account) * (ledger.price(asset) or 0.0) for asset in self.desk.pools)

    def offer(self, auction: Auction) -> tuple[int, int, int]:
        """(gain, bid, lot) of its best bid in an auction; a gain of 0 where it does not bid."""
        desk, house = self.desk, self.desk.house
        if auction.bidder == self.account or house.ended(auction):
            return 0, 0, 0
        fetches = desk.fetches(auction.collateral, auction.lot)
        worth = mul_div(fetches, BPS - desk.margin_bps, BPS)
        least = house.least_bid(auction)
        cash = desk.ledger.balance(desk.cash, self.account)
        if auction.bid < auction.wanted and worth < auction.wanted:
            bid = least if self.adaptive and auction.bidder == NOBODY else worth
            if not least <= bid <= cash:
                return 0, 0, 0
            return fetches - bid, bid, auction.lot
        if self.adaptive and auction.bidder == NOBODY:
            return (fetches - least, least, auction.lot) if least <= cash else (0, 0, 0)
        lot = min(house.largest_lot(auction), mul_div_up(auction.lot, auction.wanted, max(worth, 1)))
        if lot * worth < auction.lot * auction.wanted or auction.wanted > cash:
            return 0, 0, 0
        return mul_div(fetches, lot, auction.lot) - auction.wanted, auction.wanted, lot

    def act(self) -> None:
        """One call: start an auction if it can, then bid where it gains most; Refused where there is nothing to do."""
        desk = self.desk
        started = desk.start_one()
        best = max(((*self.offer(auction)[:1], -number) for number, auction in desk.house.open.items()),
                   default=(0, 0))
        if best[0] > 0:
            auction = desk.house.open[-best[1]]
            _, bid, lot = self.offer(auction)
            desk.house.bid(self.account, auction.number, bid, lot)
        elif not started:
            raise Refused("nothing to start and nothing to bid for")


class Keepers(Mechanism):
    """Mechanism ``keepers``."""

    section: KeepersSection
    hooks = (Hook(Phase.MARKETS, "watch", after=("borrowers", "traders")),)

    def setup(self, market: Market) -> None:
        self.market: Any = market
        self.ledger = market.ledger
        self.cash: int = market.ledger.asset_id("USDs")
        section = self.section
        self.agents = [Keeper(self, f"keeper_{i + 1}", False) for i in range(section.scripted)]
        self.agents += [Keeper(self, f"adaptive_keeper_{i + 1}", True) for i in range(section.adaptive)]
        self.margin_bps = round(section.margin * BPS)
        self.fees: deque[int] = deque(maxlen=USUAL_DAYS)
        self.calls = self.dropped = 0

    def start(self, market: Market) -> None:
        self.house: Any = market.mechanism("collateral_auctions")
        self.lending: Any = market.mechanism("lending")
        self.amm: Any = market.mechanism("amm")
        self.chain: Any = market.mechanism("chain")
        self.chain.register_kind("auction", 250_000)
        self.chain.register_kind("swap", 120_000)
        self.opening = round(self.section.cash * MICRO)
        for agent in self.agents:
            market.endow(agent.account, self.opening)

    @cached_property
    def pools(self) -> dict[int, Any]:
        """Market makers in which a collateral trades against cash, by asset; all are open when it is first asked."""
        return {pool.base: pool for pool in self.amm.pools.values()
                if pool.quote == self.cash and pool.base in self.lending.pool.markets}

    def fetches(self, asset: int, amount: int) -> int:
        """Cash that ``amount`` of a collateral would bring now: itself, or by a sale; 0 without a market for it."""
        if asset == self.cash:
            return amount
        pool = self.pools.get(asset)
        return pool.quote_out(asset, amount) if pool is not None else 0

    def start_one(self) -> bool:
        """Put the first position out of health up for auction; whether there was one."""
        for borrower in self.lending.unhealthy():
            for asset in self.pools:
                if self.lending.pool.market(asset).reserve.supplied_by(borrower):
                    self.house.bite(borrower, asset)
                    return True
        return False

    def expected_lots(self) -> int:
        """Lots open now and in positions out of health."""
        lots = len(self.house.open)
        for borrower in self.lending.unhealthy():
            for asset in self.pools:
                supplied = self.lending.pool.market(asset).reserve.supplied_by(borrower)
                lots += -(-supplied // self.house.lot_size)
        return lots

    def watch(self, market: Market) -> None:
        """Send the day's calls, and sell what was won."""
        fee = int(self.chain.fee("auction"))
        usual = sum(self.fees) / len(self.fees) if self.fees else fee
        self.fees.append(fee)
        self._sell(market)
        lots = self.expected_lots()
        if lots == 0:
            return
        # A bid has to be answered before it wins: nobody looks less often than that.
        answers = math.ceil(DAY_MINUTES / self.house.bid_minutes)
        count = min(MOST_CALLS, max(answers, round(lots * self.section.calls_per_lot)))
        blocks = self.chain.blocks_per_day
        limit = max(int(usual * self.section.fee_multiple), round(self.section.fee_floor * MICRO))
        for place, agent in enumerate(self.agents):
            first = place / len(self.agents)
            arrivals = [int((i + first) / count * blocks) for i in range(count)]
            self._submit(agent, arrivals, None if agent.adaptive else limit, market.day)

    def _submit(self, agent: Keeper, arrivals: list[int], limit: int | None, day: int) -> None:
        def execute(rows: Any, blocks: Any) -> None:
            for block in blocks.tolist():
                self.lending.at_block(block)
                agent.act()

        def dropped(rows: Any) -> None:
            self.dropped += int(rows.size)
            self.calls -= int(rows.size)

        self.calls += len(arrivals)
        self.chain.submit(Batch(
            "auction", np.full(len(arrivals), agent.account), execute, ordered=True, max_fee=limit,
            keys=np.full(len(arrivals), agent.key, dtype=np.uint64), arrival=np.array(arrivals), expires=day,
            dropped=dropped, singly=True))

    def _sell(self, market: Market) -> None:
        """Sell the tokens won, if that brings more than the gas."""
        gas = self.chain.fee("swap")
        for agent in self.agents:
            for asset, pool in self.pools.items():
                held = self.ledger.balance(asset, agent.account)
                if held and pool.quote_out(asset, held) > gas:
                    self._submit_sale(agent, asset, pool, market.day)

    def _submit_sale(self, agent: Keeper, asset: int, pool: Any, day: int) -> None:
        def execute(rows: Any, blocks: Any) -> None:
            for block in blocks.tolist():
                self.lending.at_block(block)
                pool.swap(agent.account, asset, self.ledger.balance(asset, agent.account))

        self.chain.submit(Batch("swap", np.array([agent.account]), execute, ordered=True, expires=day, singly=True,
                                keys=np.array([agent.key], dtype=np.uint64)))

    def finish(self, market: Market) -> None:
        record = market.record
        gains = {agent: agent.wealth() - self.opening for agent in self.agents}
        record.metric("keepers.calls", self.calls)
        record.metric("keepers.dropped", self.dropped)
        record.metric("keepers.profit", sum(gains.values()) / MICRO)
        record.metric("keepers.adaptive_profit", sum(gain for agent, gain in gains.items() if agent.adaptive) / MICRO)
