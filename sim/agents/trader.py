"""Traders in the health token's pool: noise, momentum, and arbitrage against the external venue and the reserve.

Each decides in phase MARKETS on what it can see then - reserves, its own holdings, the venue's price, the fee quoted by
the chain - and its orders go to blocks of the day. Noise and momentum orders carry a least output. An arbitrageur's
order carries its bid and ask for a token instead: the trade that is best for it at the reserves of its block is worked
out there, and the order is refused where none gains.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, NamedTuple

import mesa
import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Batch, Refused
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import BPS, MICRO, mul_div
from sim.mechanism import Hook, Market, Mechanism, Phase
from sim.scenario.sections.traders import TradersSection

POOL = "HLT"
SWAP_GAS, MINT_GAS, REDEEM_GAS = 120_000, 130_000, 120_000
EXPERIENCE = 0.1
"""Weight of the newest result in an arbitrageur's mean gain from later orders."""


class Order(NamedTuple):
    """One swap that waits for its block. ``arrival`` is the share of the day after which it may be included."""

    trader: Trader
    base_in: bool
    amount: int
    least: int
    arrival: float
    late: bool = False


class Trader(mesa.Agent):
    """An account with cash and tokens. ``kind`` is its entry in the records."""

    kind = ""

    def __init__(self, desk: Traders, name: str) -> None:
        super().__init__(desk.market)
        self.desk = desk
        self.name = name
        self.account: int = desk.ledger.open_account(name, "traders")
        self.key = agent_key(name)
        self.volume = f"{self.kind}_volume"
        self.opening = (0, 0)

    def endow(self, cash: int, tokens: int) -> None:
        """Opening holdings, base units; before day 0."""
        self.opening = cash, tokens
        self.desk.market.endow(self.account, cash)
        self.desk.token.endow_tokens(self.account, tokens)

    @property
    def cash(self) -> int:
        return self.desk.ledger.balance(self.desk.usd, self.account)

    @property
    def tokens(self) -> int:
        return self.desk.ledger.balance(self.desk.hlt, self.account)

    def result(self, price: float) -> float:
        """Dollars gained over having held the opening position, tokens at ``price``."""
        return (self.cash - self.opening[0] + (self.tokens - self.opening[1]) * price) / MICRO

    def execute(self, order: Order) -> None:
        """Run one of its orders in its block; raises what refuses it."""
        desk = self.desk
        out = desk.pool.swap(self.account, desk.hlt if order.base_in else desk.usd, order.amount, order.least)
        desk.tally(self.volume, out if order.base_in else order.amount)


class NoiseTrader(Trader):
    """Buys or sells at random; what it does not hold it does not offer."""

    kind = "noise"


class MomentumTrader(Trader):
    """Holds (1 + k tanh(return/sigma))/2 of its wealth in tokens, both over the window of closing prices seen."""

    kind = "momentum"

    def wish(self, prices: deque[float], price: float) -> float:
        """Dollars to buy (sell, if negative) to be on target; 0 inside its tolerance or without a full window."""
        section = self.desk.section
        if len(prices) <= section.momentum_window_days:
            return 0.0
        logs = np.log(np.array(prices))
        steps = logs[1:] - logs[:-1]
        total = float(np.add.reduce(steps))
        apart = steps - total / steps.size
        sigma = math.sqrt(float(np.add.reduce(apart * apart)) / steps.size) * math.sqrt(steps.size)
        if sigma == 0.0:
            return 0.0
        share = 0.5 * (1.0 + section.momentum_strength * math.tanh(total / sigma))
        held = self.tokens / MICRO * price
        wealth = self.cash / MICRO + held
        gap = share * wealth - held
        return gap if abs(gap) > section.momentum_min_trade * wealth else 0.0


class Arbitrageur(Trader):
    """Trades the pool to the edge of its no-arbitrage band, and restores its stock of tokens where that is cheapest."""

    kind = "arbitrage"

    def __init__(self, desk: Traders, name: str) -> None:
        super().__init__(desk, name)
        desk.token.authorise(self.account)
        self.bid = self.ask = 0
        self.found: dict[tuple[int, int, int, int], tuple[bool, int, int, int]] = {}
        """Today's best trades, by the pool's reserves and the holdings that they were found for."""
        self.late_gain: float | None = None
        self.last_late_day = 0
        self.holdings_seen = (0, 0)
        self.repeated_key = np.full(desk.section.arbitrage_orders_per_day, self.key)

    def observe_prices(self) -> None:
        """Set what a token fetches and costs outside the pool now, micro-USD: the better of venue and reserve."""
        desk = self.desk
        self.found.clear()
        venue, cost = desk.venue_price() * MICRO, desk.section.venue_cost_bps / BPS
        self.bid, self.ask = int(venue * (1.0 - cost)), math.ceil(venue * (1.0 + cost))
        if desk.token.may_redeem(self.account):
            self.bid = max(self.bid, int(desk.token.fundamental * MICRO))
            self.ask = min(self.ask, desk.token.index)

    def best(self) -> tuple[bool, int, int, int]:
        """(tokens go in, amount in, amount out, gain in micro-USD) of the best trade at the pool's reserves now."""
        pool = self.desk.pool
        base, quote = pool.reserves()
        tokens, cash = self.tokens, self.cash
        seen = (base, quote, tokens, cash)
        if seen in self.found:
            return self.found[seen]
        # Selling tokens pays while the pool gives more than the ask, buying while it asks less than the bid.
        over, under = pool.price_ratio()
        selling = over * MICRO > under * self.ask
        price = self.ask if selling else self.bid
        base_in, paid, out = pool.best_trade(MICRO, price, tokens, cash)
        if paid == 0 or base_in != selling:
            best = selling, 0, 0, 0
        else:
            gain = out - mul_div(paid, price, MICRO) if base_in else mul_div(out, price, MICRO) - paid
            best = base_in, paid, out, gain
        self.found[seen] = best
        return best

    def orders(self, day: int, gas: int, draws: NDArray[np.float64]) -> list[Order]:
        """Today's orders: the first if its share of the gain in sight covers the gas, later ones by experience."""
        section = self.desk.section
        slices = section.arbitrage_orders_per_day
        chosen = []
        gain = self.best()[3]
        if gain > gas * section.arbitrageurs:
            chosen.append(Order(self, False, 0, 0, float(draws[0]) / slices))
        probing = day - self.last_late_day >= section.arbitrage_probe_days
        if slices > 1 and (self.late_gain is None or self.late_gain > gas or probing):
            self.last_late_day = day
            chosen += [Order(self, False, 0, 0, (i + float(draws[i])) / slices, late=True) for i in range(1, slices)]
        return chosen

    def execute(self, order: Order) -> None:
        desk = self.desk
        base_in, paid, out, gain = self.best()
        if gain <= 0:
            raise Refused(f"{self.name} finds no gain in pool {desk.pool.name}")
        desk.pool.swap(self.account, desk.hlt if base_in else desk.usd, paid, out)
        desk.tally("arbitrage_volume", out if base_in else paid)
        if order.late:
            self.learn(gain)

    def learn(self, gain: int) -> None:
        """Take in what a later order brought, 0 where it was refused."""
        old = self.late_gain
        self.desk.ledger.on_rollback(lambda: setattr(self, "late_gain", old))
        self.late_gain = float(gain) if old is None else old + EXPERIENCE * (gain - old)

    def restock(self) -> None:
        """Bring tokens back to the opening stock, at the venue or, where that saves more than the gas, the reserve."""
        desk = self.desk
        surplus = self.tokens - self.opening[1]
        if surplus == 0:
            return
        token, cost = desk.token, desk.section.venue_cost_bps / BPS
        amount = abs(surplus)
        venue_rate = desk.venue_price() * (1.0 - cost if surplus > 0 else 1.0 + cost)
        venue_cash = int(amount * venue_rate) if surplus > 0 else math.ceil(amount * venue_rate)
        if token.may_redeem(self.account):
            if surplus > 0:
                reserve_cash = token.redemption_quote(amount)
                saved, kind = reserve_cash - venue_cash, "redeem"
            else:
                reserve_cash = token.issue_cost(amount)
                saved, kind = venue_cash - reserve_cash, "mint"
            if saved > desk.chain.fee(kind):
                desk.send_to_reserve(self, kind, amount if surplus > 0 else min(reserve_cash, self.cash))
                return
        desk.trade_at_venue(self, surplus, venue_cash)

    def gain_since_seen(self, price: float) -> float:
        """Dollars gained since the last call, a change in tokens at today's ``price``."""
        cash, tokens = self.cash, self.tokens
        before = self.holdings_seen
        self.holdings_seen = cash, tokens
        return (cash - before[0] + (tokens - before[1]) * price) / MICRO


class Traders(Mechanism):
    """The desk: creates the traders, gathers a day's orders into one batch and keeps the records."""

    section: TradersSection
    hooks = (Hook(Phase.MARKETS, "trade"),)

    def setup(self, market: Market) -> None:
        self.market: Any = market
        self.ledger = market.ledger
        self.usd: int = self.ledger.asset_id("USDs")
        self.token: Any = market.mechanism("health_token")
        self.amm: Any = market.mechanism("amm")
        self.outside: Any = market.mechanism("reference_price")
        self.hlt: int = self.ledger.asset_id("HLT")
        section = self.section
        self.noise = [NoiseTrader(self, f"noise_trader_{i + 1}") for i in range(section.noise_traders)]
        self.momentum = [MomentumTrader(self, f"momentum_trader_{i + 1}") for i in range(section.momentum_traders)]
        self.arbitrageurs = [Arbitrageur(self, f"arbitrageur_{i + 1}") for i in range(section.arbitrageurs)]
        draws = market.draws
        self._count = draws.decision("traders.noise_orders")
        self._side = draws.decision("traders.noise_side")
        self._size = draws.decision("traders.noise_size")
        self._arrival = draws.decision("traders.noise_arrival")
        self._momentum_arrival = draws.decision("traders.momentum_arrival")
        self._arbitrage_arrival = draws.decision("traders.arbitrage_arrival")
        self._noise_keys = np.array([trader.key for trader in self.noise], dtype=np.uint64)
        self._slices = np.arange(section.arbitrage_orders_per_day)
        self.prices: deque[float] = deque(maxlen=section.momentum_window_days + 1)
        self.today: dict[str, int] = {}
        self.total: dict[str, int] = {}
        self.profit = 0.0

    def start(self, market: Market) -> None:
        self.pool: Any = self.amm.pool(POOL)
        self.chain: Any = market.mechanism("chain")
        for kind, gas in (("swap", SWAP_GAS), ("mint", MINT_GAS), ("redeem", REDEEM_GAS)):
            self.chain.register_kind(kind, gas)
        base, quote = self.pool.reserves()
        section = self.section
        for group, cash_share, token_share in (
            (self.noise, section.noise_inventory_share, section.noise_inventory_share),
            (self.momentum, section.momentum_wealth_share, section.momentum_wealth_share),
            (self.arbitrageurs, section.arbitrage_inventory_share, section.arbitrage_inventory_share),
        ):
            for trader in group:
                trader.endow(int(quote * cash_share), int(base * token_share))
        for trader in self.arbitrageurs:
            trader.holdings_seen = trader.opening

    # What traders see and use ----------------------------------------------------------------------------------

    def venue_price(self) -> float:
        """Dollars per token at which the external venue trades now."""
        price: float = self.token.within_band(self.outside.hlt_external)
        return price

    def trade_at_venue(self, trader: Trader, tokens: int, cash: int) -> None:
        """Sell ``tokens`` (buy, if negative) at the venue for ``cash``, cut to what both sides hold; at once."""
        ledger, venue = self.ledger, self.outside.external_venue
        amount = abs(tokens)
        seller, buyer = (trader.account, venue) if tokens > 0 else (venue, trader.account)
        share = min(1.0, ledger.balance(self.hlt, seller) / amount, ledger.balance(self.usd, buyer) / max(cash, 1))
        if share < 1.0:
            amount, cash = int(amount * share), int(cash * share)
        with ledger.atomic():
            ledger.transfer(self.hlt, seller, buyer, amount, "external_trade")
            ledger.transfer(self.usd, buyer, seller, cash, "external_trade")

    def send_to_reserve(self, trader: Trader, kind: str, amount: int) -> None:
        """Submit a mint (``amount`` in cash) or a redemption (in tokens) for an early block."""

        def execute(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            if kind == "mint":
                self.token.mint(trader.account, amount)
            else:
                self.token.redeem(trader.account, amount)

        self.chain.submit(Batch(kind, np.array([trader.account]), execute, ordered=True, arrival=0,
                                keys=np.array([trader.key]), expires=self.market.day))

    def tally(self, name: str, amount: int) -> None:
        """Add to a figure of today; taken back with the transaction it belongs to."""
        today = self.today
        before = today.get(name, 0)
        self.ledger.on_rollback(lambda: today.__setitem__(name, before))
        today[name] = before + amount

    # The day -------------------------------------------------------------------------------------------------

    def trade(self, market: Market) -> None:
        """Gather the orders of the day and submit them as one batch."""
        self.today = {}
        price = self.pool.spot()
        self.prices.append(price)
        orders = self._noise_orders(market.day, price)
        orders += self._momentum_orders(market.day, price)
        orders = [order for order in orders if order.amount > 0]
        gas = self.chain.fee("swap")
        for trader in self.arbitrageurs:
            trader.observe_prices()
            trader.restock()
            arrivals = self._arbitrage_arrival.uniform(market.day, trader.repeated_key, self._slices)
            orders += trader.orders(market.day, gas, arrivals)
        if orders:
            self._submit(market, orders)

    def _noise_orders(self, day: int, price: float) -> list[Order]:
        """Poisson many, lognormal in size, either way with equal chance."""
        section, number = self.section, len(self.noise)
        if number == 0 or section.noise_orders_per_day == 0.0:
            return []
        counts = self._count.poisson(day, self._noise_keys, section.noise_orders_per_day / number)
        total = int(counts.sum())
        if total == 0:
            return []
        owners = np.repeat(np.arange(number), counts)
        serials = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        keys = self._noise_keys[owners]
        mean = section.noise_volume_share * self.pool.reserves()[1] / section.noise_orders_per_day
        spread = section.noise_size_log_sd
        sizes = self._size.lognormal(day, keys, math.log(mean) - 0.5 * spread * spread, spread, serials)
        sells = self._side.bernoulli(day, keys, 0.5, serials)
        arrivals = self._arrival.uniform(day, keys, serials)
        orders = []
        for owner, size, sell, arrival in zip(owners.tolist(), sizes.tolist(), sells.tolist(), arrivals.tolist(),
                                              strict=True):
            orders.append(self._order(self.noise[owner], -size if sell else size, price, arrival))
        return orders

    def _momentum_orders(self, day: int, price: float) -> list[Order]:
        orders = []
        for trader in self.momentum:
            wish = trader.wish(self.prices, price)
            if wish != 0.0:
                arrival = self._momentum_arrival.uniform(day, int(trader.key))
                orders.append(self._order(trader, wish * MICRO, price, arrival))
        return orders

    def _order(self, trader: Trader, cash: float, price: float, arrival: float) -> Order:
        """Buy for ``cash`` micro-USD (sell, if negative), within its holdings, at today's price less the limit."""
        sell = cash < 0
        amount = min(int(-cash / price), trader.tokens) if sell else min(int(cash), trader.cash)
        if amount <= 0:
            return Order(trader, sell, 0, 0, arrival)
        fair = self.pool.quote_out(self.hlt if sell else self.usd, amount)
        return Order(trader, sell, amount, int(fair * (1.0 - self.section.slippage_limit)), arrival)

    def _submit(self, market: Market, orders: list[Order]) -> None:
        def execute(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            for row, block in zip(rows.tolist(), blocks.tolist(), strict=True):
                self.amm.at_block(block)
                orders[row].trader.execute(orders[row])
                self.tally("orders", 1)

        def failed(rows: NDArray[np.int64]) -> None:
            self.tally("failed_orders", int(rows.size))
            for order in (orders[row] for row in rows.tolist()):
                if order.late and isinstance(order.trader, Arbitrageur):
                    order.trader.learn(0)

        blocks_per_day = self.chain.blocks_per_day
        self.chain.submit(Batch(
            "swap", np.array([order.trader.account for order in orders]), execute, ordered=True,
            keys=np.array([order.trader.key for order in orders], dtype=np.uint64), expires=market.day,
            arrival=np.array([int(order.arrival * blocks_per_day) for order in orders]),
            dropped=failed, reverted=failed,
            payload=None if self.section.private_orders else tuple(orders), singly=True))

    # Reports -------------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record, price = market.record, self.venue_price()
        profit = sum(trader.gain_since_seen(price) for trader in self.arbitrageurs)
        self.profit += profit
        for kind in ("noise", "momentum", "arbitrage"):
            record.series(f"traders.{kind}_volume", self.today.get(f"{kind}_volume", 0) / MICRO)
        record.series("traders.arbitrage_profit", profit)
        record.series("traders.failed_orders", self.today.get("failed_orders", 0))
        for name in ("orders", "failed_orders"):
            self.total[name] = self.total.get(name, 0) + self.today.get(name, 0)

    def finish(self, market: Market) -> None:
        record, price = market.record, self.venue_price()
        record.metric("traders.arbitrage_profit", self.profit)
        record.metric("traders.noise_result", sum(trader.result(price) for trader in self.noise))
        record.metric("traders.momentum_result", sum(trader.result(price) for trader in self.momentum))
        record.metric("traders.orders", self.total.get("orders", 0))
        record.metric("traders.failed_orders", self.total.get("failed_orders", 0))
