"""Mechanism "sandwich": puts a swap that waits in the queue between two of its own (AMM-10).

It sees what everybody can see: the reserves, the orders in the queue with their amounts and least outputs, the fee. Of
each order it works out the largest size in front after which the order still executes, then the size with the largest
profit, and sends a pair of orders - one with a higher tip, one with a lower - where the profit exceeds the gas. The
order in front is sized anew at the reserves of its block, and refused where nothing is left to gain.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Batch, Refused
from sim.contracts.amm.constant_product import amount_out
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.amm.search import best_input
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import BPS, MICRO
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.sandwich import SandwichSection

POOL = "HLT"
KIND = "swap"
BACK_TIP_BPS = BPS // 2
"""Tip of the order behind: less than the victim's, and enough to be included."""


class Victim(NamedTuple):
    """An order in the queue: base goes in or comes out, how much goes in, the least that must come out."""

    base_in: bool
    amount: int
    least: int
    arrival: int
    tip: int


class Plan(NamedTuple):
    """Size in front, what it buys, what the victim then gets and would have got, and the profit in the asset put in."""

    size: int
    bought: int
    victim_out: int
    alone_out: int
    profit: int


def plan(victim: Victim, reserve_in: int, reserve_out: int, keep: int, scale: int, most: int) -> Plan:
    """The best attack on ``victim`` at these reserves with at most ``most`` to spend; size 0 where none gains."""

    def attack(size: int) -> Plan:
        alone = amount_out(victim.amount, reserve_in, reserve_out, keep, scale)
        bought = amount_out(size, reserve_in, reserve_out, keep, scale)
        after_in, after_out = reserve_in + size, reserve_out - bought
        got = amount_out(victim.amount, after_in, after_out, keep, scale)
        after_in, after_out = after_in + victim.amount, after_out - got
        back = amount_out(bought, after_out, after_in, keep, scale) if bought else 0
        return Plan(size, bought, got, alone, back - size)

    low, high = 0, most
    while low < high:  # the largest size that leaves the victim its least
        middle = (low + high + 1) // 2
        if attack(middle).victim_out >= max(victim.least, 1):
            low = middle
        else:
            high = middle - 1
    best = attack(best_input(low, lambda size: attack(size).profit))
    return best if best.profit > 0 else attack(0)


class Attack:
    """One pair of orders in the blocks; what the first bought, the second sells."""

    def __init__(self, trader: SandwichTrader, victim: Victim) -> None:
        self.trader = trader
        self.victim = victim
        self.bought = 0
        self.loss = 0.0
        self.value = 0.0
        self.reserve_in = 0

    def front(self) -> None:
        """Size the order at the reserves of this block and execute it."""
        trader, victim = self.trader, self.victim
        found = trader.plan(victim)
        if found.profit <= 0:
            raise Refused(f"{trader.name} finds nothing to gain")
        pool = trader.pool
        asset, price = trader.asset_in(victim), 1.0 if victim.base_in else pool.spot()
        bought = pool.swap(trader.account, asset, found.size, found.bought)
        state = self.bought, self.loss, self.value, self.reserve_in
        trader.ledger.on_rollback(lambda: self._restore(state))
        self.bought = bought
        self.loss = (found.alone_out - found.victim_out) * price / MICRO
        self.value = found.alone_out * price / MICRO
        self.reserve_in = pool.reserves()[0 if victim.base_in else 1]

    def back(self) -> None:
        """Sell what the order in front bought."""
        if self.bought == 0:
            raise Refused(f"{self.trader.name} has nothing to sell")
        trader, victim = self.trader, self.victim
        pool = trader.pool
        if pool.reserves()[0 if victim.base_in else 1] >= self.reserve_in + victim.amount:
            trader.count(self.loss, self.value)
        pool.swap(trader.account, pool.quote if victim.base_in else pool.base, self.bought)
        bought = self.bought
        trader.ledger.on_rollback(lambda: setattr(self, "bought", bought))
        self.bought = 0

    def _restore(self, state: tuple[int, float, float, int]) -> None:
        self.bought, self.loss, self.value, self.reserve_in = state


class SandwichTrader(mesa.Agent):
    """An account with both assets of the pool."""

    def __init__(self, market: Any, share: float) -> None:
        super().__init__(market)
        self.name = "sandwich_trader"
        self.ledger = market.ledger
        self.account: int = self.ledger.open_account(self.name, "traders")
        self.key = agent_key(self.name)
        self.share = share
        self.opening = (0, 0)
        self.pool: ConstantProductPool
        self.attacks = 0
        self.loss = self.value = 0.0

    def endow(self, market: Any) -> None:
        """Opening holdings, a share of the pool's reserves; before day 0."""
        tokens, cash = (int(reserve * self.share) for reserve in self.pool.reserves())
        self.opening = tokens, cash
        market.endow(self.account, cash)
        market.mechanism("health_token").endow_tokens(self.account, tokens)

    def asset_in(self, victim: Victim) -> int:
        """The asset that the victim, and the order in front, put in."""
        return self.pool.base if victim.base_in else self.pool.quote

    def plan(self, victim: Victim) -> Plan:
        """The best attack at the reserves now."""
        pool = self.pool
        base, quote = pool.reserves()
        reserves = (base, quote) if victim.base_in else (quote, base)
        return plan(victim, *reserves, pool.keep, pool.scale, self.ledger.balance(self.asset_in(victim), self.account))

    def count(self, loss: float, value: float) -> None:
        """An attack has succeeded; taken back with the transaction it belongs to."""
        state = self.attacks, self.loss, self.value
        self.ledger.on_rollback(lambda: self._restore(state))
        self.attacks, self.loss, self.value = self.attacks + 1, self.loss + loss, self.value + value

    def _restore(self, state: tuple[int, float, float]) -> None:
        self.attacks, self.loss, self.value = state

    def profit(self) -> float:
        """Dollars gained since the start, tokens at the pool's price."""
        tokens = self.ledger.balance(self.pool.base, self.account) - self.opening[0]
        cash = self.ledger.balance(self.pool.quote, self.account) - self.opening[1]
        return float(cash + tokens * self.pool.spot()) / MICRO


class Sandwich(Mechanism):
    """Reads the queue once a day, before the blocks."""

    section: SandwichSection
    hooks = (Hook(Phase.ADVERSARIES, "watch"),)

    def setup(self, market: Market) -> None:
        self.market = market
        self.trader = SandwichTrader(market, self.section.inventory_share)
        self.attempts = 0
        self._before = (0, 0.0)

    def start(self, market: Market) -> None:
        self.chain: Any = market.mechanism("chain")
        pool = market.mechanism("amm").pool(POOL)
        if not isinstance(pool, ConstantProductPool):
            raise ValueError("the sandwich trader reckons with a constant-product pool")
        self.trader.pool = pool
        self.trader.endow(market)

    def visible(self) -> list[Victim]:
        """Swaps in the queue whose content can be read, of others."""
        queue, found = self.chain.queue(), []
        for place in queue.of_kind(KIND).tolist():
            payload = queue.batches[int(queue.batch[place])].payload
            if payload is None:
                continue
            order = payload[int(queue.row[place])]
            if order.amount > 0:
                found.append(Victim(order.base_in, order.amount, order.least, int(queue.arrival[place]),
                                    int(queue.tip[place])))
        return found

    def watch(self, market: Market) -> None:
        """Attack what pays more than the gas of two swaps."""
        self._before = self.trader.attacks, self.trader.loss
        gas = 2 * self.chain.fee(KIND) * self.section.markup
        price = self.trader.pool.spot()
        chosen = []
        for victim in self.visible():
            profit = self.trader.plan(victim).profit * (price if victim.base_in else 1.0)
            if profit > gas:
                chosen.append((-profit, victim))
        chosen.sort()
        for _, victim in chosen[:self.section.victims_per_day]:
            self._send(Attack(self.trader, victim))

    def _send(self, attack: Attack) -> None:
        self.attempts += 1
        for call, tip in ((attack.front, self.section.front_tip_bps), (attack.back, BACK_TIP_BPS)):
            def execute(rows: NDArray[np.int64], blocks: NDArray[np.int64], call: Any = call) -> None:
                self.market.mechanism("amm").at_block(int(blocks[0]))
                call()

            self.chain.submit(Batch(
                KIND, np.array([self.trader.account]), execute, tip_bps=tip, ordered=True, expires=self.market.day,
                keys=np.array([self.trader.key], dtype=np.uint64), arrival=attack.victim.arrival))

    def observe(self, market: Market) -> None:
        attacks, loss = self._before
        market.record.series("sandwich.attacks", self.trader.attacks - attacks)
        market.record.series("sandwich.victims_loss", self.trader.loss - loss)

    def finish(self, market: Market) -> None:
        record, trader = market.record, self.trader
        record.metric("sandwich.attacks", trader.attacks)
        record.metric("sandwich.attempts", self.attempts)
        record.metric("sandwich.profit", trader.profit())
        record.metric("sandwich.victims_loss", trader.loss)
        record.metric("sandwich.loss_share", trader.loss / trader.value if trader.value else 0.0)
