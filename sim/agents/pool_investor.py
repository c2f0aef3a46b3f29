"""Mechanism "investments": insurers keep part of their pools' own funds in other assets and sell them under stress.

An insurer sees its pool's books, the reserves of the market maker and the published share prices of other pools. It
holds each class at its target share of own funds. Below the selling SCR ratio the targets shrink in proportion, and
where cash does not cover what falls due it sells what is missing: tokens first, then market-maker shares, then shares
of other pools, which only their queue turns into money. Orders go to the chain's blocks with a least price; sales move
the price at which all other holders value theirs. That is the channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Batch
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolState
from sim.contracts.insurance.portfolio import CLASSES, Portfolio, largest_sale
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MAX_INT64, MICRO, mul_div
from sim.mechanism import Exposure, Hook, Market, Mechanism, Phase
from sim.scenario.sections.investments import InvestmentsSection

ORDER_GAS = 250_000
GAS_RESERVE = 20
"""Orders whose gas is kept as money in the account."""

SMALLEST_ORDER = 100 * MICRO
"""Smaller orders under normal conditions are not worth their gas."""

ROOM = 0.8
LOSS_WINDOW = 30

SERIES = {name: f"investments.{name.removeprefix('investment_')}" for name in CLASSES}


class Order(NamedTuple):
    """What an insurer asks a block to do; ``run`` is called there. ``stress`` marks a fire sale."""

    investor: Investor
    run: Callable[[], int]
    stress: bool = False


class Investor:
    """One insurer's dealings in assets. ``sold_today`` is what sales brought, ``stressed_today`` that under stress."""

    def __init__(self, desk: Investments, portfolio: Portfolio) -> None:
        self.desk = desk
        self.portfolio = portfolio
        self.pool: InsurancePool = portfolio.pool
        self.key = agent_key(f"{self.pool.name}.investments")
        self.sold_today = self.stressed_today = self.stressed = 0
        self.opened = False
        self.value_before = self.exchanged_before = self.losses_before = 0

    # What it wants --------------------------------------------------------------------------------------------

    def due(self) -> int:
        """Claims filed, claims unpaid, and withdrawals whose turn comes now."""
        pool = self.pool
        cooldown, leaving = self.desk.cooldown(), 0
        if pool.state in (PoolState.ACTIVE, PoolState.CLOSED):
            leaving = sum(request.shares for request in pool.queue if pool.today - request.day >= cooldown - 1)
        return pool.reserves.outstanding + pool.unpaid.total + (pool.senior.preview_redeem(leaving) if leaving else 0)

    def shortage(self) -> int:
        """Money that is missing for what falls due, with the buffer."""
        return max(math.ceil(self.due() * (1.0 + self.desk.section.cash_buffer)) - self.pool.layer_money(), 0)

    def stress_factor(self) -> float:
        """Part of its targets that it still wants: 1 from the selling ratio up, 0 from the exit ratio down."""
        section = self.desk.section
        if self.pool.run_off_since is not None:
            return 0.0
        ratio = self.pool.scr_ratio()
        if ratio >= section.selling_scr_ratio:
            return 1.0
        span = section.selling_scr_ratio - section.exit_scr_ratio
        return max(ratio - section.exit_scr_ratio, 0.0) / span if span > 0.0 else 0.0

    # Orders ---------------------------------------------------------------------------------------------------

    def orders(self, day: int) -> list[Order]:
        """Today's orders: sales under stress, else the return to the targets on its day."""
        section, portfolio = self.desk.section, self.portfolio
        self._sweep()
        factor = self.stress_factor()
        short = self.shortage()
        if section.fire_sales and (factor < 1.0 or short) and portfolio.holds_anything():
            return self._sales(factor, short)
        if failed := [self._leave(other, shares) for other in portfolio.others if other.run_off_since is not None
                      and (shares := portfolio.ledger.balance(other.senior.share, portfolio.account))]:
            return failed
        due = not self.opened or day % section.rebalancing_days == int(self.key % np.uint64(section.rebalancing_days))
        if factor == 1.0 and due and short == 0 and self.pool.state is PoolState.ACTIVE:
            return self._rebalance()
        return []

    def _sweep(self) -> None:
        """Keep the gas of some orders in the account; give the rest back to the pool, repay the senior tranche."""
        portfolio = self.portfolio
        idle = self.pool.run_off_since is not None and not portfolio.holds_anything()
        wanted = 0 if idle else GAS_RESERVE * self.desk.gas()
        surplus = portfolio.cash() - wanted
        if surplus > 0:
            portfolio.return_cash(surplus)
        elif surplus < 0 and self.pool.run_off_since is None:
            portfolio.fund(-surplus)
        if self.pool.lent and not portfolio.holds_anything():
            self.pool.repay_senior()

    def _sales(self, factor: float, short: int) -> list[Order]:
        """Sell what exceeds the reduced targets, and what is short in cash, the most liquid first."""
        section, portfolio, pool = self.desk.section, self.portfolio, self.pool
        funds = max(pool.capital, 0) if factor > 0.0 else 0
        orders: list[Order] = []
        tokens, limit = portfolio.tokens(), section.stress_slippage_limit
        room = largest_sale(portfolio.market, limit)
        worth = portfolio.token_value()
        amount = self._part(tokens, worth, short, int(section.health_token_share * factor * funds), factor)
        amount = min(amount, room)
        if amount > 0:
            orders.append(self._sell(amount, limit, True))
            short = max(short - mul_div(worth, amount, tokens), 0)
        shares, worth = portfolio.liquidity(), portfolio.liquidity_value()
        part = self._part(shares, worth, short, int(section.liquidity_share * factor * funds), factor)
        if part > 0:
            orders.append(Order(self, lambda: self.note_sale(portfolio.remove_liquidity(part, 0), True), True))
            short = max(short - mul_div(worth, part, shares), 0)
        for other, price in zip(portfolio.others, portfolio.published(), strict=True):
            free = portfolio.ledger.balance(other.senior.share, portfolio.account)
            target = section.pool_shares_share * factor * funds / max(len(portfolio.others), 1)
            leaving = self._part(free, int(free * price), short, int(target), factor)
            if leaving > 0:
                orders.append(self._leave(other, leaving))
                short = max(short - int(leaving * price), 0)
        return orders

    @staticmethod
    def _part(held: int, worth: int, short: int, target: int, factor: float) -> int:
        """Units of ``held`` (worth ``worth``) to sell: what is above the target under stress, or short in cash."""
        if held == 0:
            return 0
        wanted = max(worth - target if factor < 1.0 else 0, short)
        return held if factor == 0.0 or wanted >= worth else mul_div(held, max(wanted, 0), worth)

    def _rebalance(self) -> list[Order]:
        """Return each class that is outside the band to its target; the first time, build the portfolio."""
        section, portfolio = self.desk.section, self.portfolio
        funds = max(self.pool.capital, 0)
        a = self.pool.accounts
        free = sum(self.pool.cash(account) for account in (a.surplus, a.junior, a.senior)) - self.due()
        band = 0 if not self.opened else int(section.band * funds)
        orders: list[Order] = []

        def gap(share: float, worth: int) -> int:
            missing = int(share * funds) - worth
            return missing if abs(missing) > max(band, SMALLEST_ORDER) else 0

        missing = gap(section.health_token_share, portfolio.token_value())
        if missing > 0:
            cash = portfolio.fund(min(missing, max(free, 0), self.largest_purchase()))
            free -= cash
            orders.append(Order(self, lambda: self.buy(cash)))
        elif missing < 0:
            tokens = min(mul_div(portfolio.tokens(), -missing, max(portfolio.token_value(), 1)),
                         largest_sale(portfolio.market, section.slippage_limit))
            orders.append(self._sell(tokens, section.slippage_limit, False))
        missing = gap(section.liquidity_share, portfolio.liquidity_value())
        if missing > 0:
            paid = portfolio.fund(min(missing, max(free, 0), 2 * self.largest_purchase()))
            free -= paid
            orders.append(Order(self, lambda: self.provide(paid)))
        elif missing < 0:
            shares = mul_div(portfolio.liquidity(), -missing, max(portfolio.liquidity_value(), 1))
            orders.append(Order(self, lambda: self.note_sale(portfolio.remove_liquidity(shares, 0), False)))
        for other, price in zip(portfolio.others, portfolio.published(), strict=True):
            held = portfolio.shares_of(other)
            missing = gap(section.pool_shares_share / len(portfolio.others), int(held * price))
            if missing > 0 and other.run_off_since is None:
                stake = portfolio.fund(min(missing, max(free, 0)))
                free -= stake
                orders.append(self._join(other, stake))
            elif missing < 0:
                part = min(int(-missing / max(price, 1e-12)),
                           portfolio.ledger.balance(other.senior.share, portfolio.account))
                orders.append(self._leave(other, part))
        self.opened = True
        return orders

    def issuer_sells(self) -> bool:
        """Whether tokens can be had from their issuer: in the initial offering, or in an open primary market."""
        offering = self.desk.day == 0 and self.desk.section.first_purchase == "issuer"
        return offering or bool(self.desk.token.section.primary_market_open)

    def largest_purchase(self) -> int:
        """Money that buys tokens within the limit: of the issuer any amount, of the market maker at most that share of
        its reserve, with some room for its fee and for others who buy on the same day."""
        if self.issuer_sells():
            return MAX_INT64 // 4
        return int(self.portfolio.market.reserves()[1] * self.desk.section.slippage_limit * ROOM)

    def _join(self, other: InsurancePool, cash: int) -> Order:
        return Order(self, lambda: self.portfolio.buy_pool_shares(other, cash))

    def _leave(self, other: InsurancePool, shares: int) -> Order:
        def run() -> int:
            self.portfolio.leave_pool(other, shares, self.desk.day)
            return 0

        return Order(self, run)

    def _sell(self, tokens: int, limit: float, stress: bool) -> Order:
        market = self.portfolio.market
        least = int(market.quote_out(market.base, tokens) * (1.0 - limit)) if tokens > 0 else 0
        return Order(self, lambda: self.note_sale(self.portfolio.sell_tokens(tokens, least), stress), stress)

    # In the block ---------------------------------------------------------------------------------------------

    def buy(self, cash: int) -> int:
        """Buy tokens where they are cheaper: from the issuer at the index, or in the market maker."""
        desk, portfolio = self.desk, self.portfolio
        market, token = portfolio.market, desk.token
        cash = min(cash, portfolio.cash())
        base, quote = market.reserves()
        fair = mul_div(cash, base, quote)
        offered = market.quote_out(self.pool.asset, cash)
        if desk.day == 0 and desk.section.first_purchase == "issuer":
            return int(token.subscribe(portfolio.account, cash))
        if token.section.primary_market_open and token.mint_quote(cash) >= offered:
            return int(token.mint(portfolio.account, cash))
        return portfolio.buy_tokens(cash, int(fair * (1.0 - desk.section.slippage_limit)))

    def provide(self, cash: int) -> int:
        """Turn money into market-maker shares."""
        cash = min(cash, self.portfolio.cash())
        tokens = self.buy(cash // 2)
        return self.portfolio.add_liquidity(tokens, cash - cash // 2)

    def note_sale(self, proceeds: int, stress: bool) -> int:
        """Count what a sale brought; taken back with its transaction."""
        before = self.sold_today, self.stressed_today
        self.portfolio.ledger.on_rollback(lambda: self._restore(*before))
        self.sold_today += proceeds
        if stress:
            self.stressed_today += proceeds
        return proceeds

    def _restore(self, sold: int, stressed: int) -> None:
        self.sold_today, self.stressed_today = sold, stressed

    # Records --------------------------------------------------------------------------------------------------

    def mark_loss(self) -> int:
        """What market prices took from its holdings today (negative: gave), not counting its own sales."""
        portfolio, exchanged = self.portfolio, self.pool.totals.exchanged.get("investment", 0)
        return (self.value_before - (exchanged - self.exchanged_before) - (portfolio.losses - self.losses_before)
                - portfolio.value())

    def close_day(self) -> int:
        """Take down the end of the day; returns the day's :meth:`mark_loss`."""
        lost = self.mark_loss()
        self.value_before, self.losses_before = self.portfolio.value(), self.portfolio.losses
        self.exchanged_before = self.pool.totals.exchanged.get("investment", 0)
        self.stressed += self.stressed_today
        self.portfolio.marked += lost
        return lost


class Investments(Mechanism):
    """All investors. ``investors[i].portfolio`` is the portfolio of one pool; see the module."""

    section: InvestmentsSection
    hooks = (Hook(Phase.INSURERS, "decide", after=("insurers",)),)

    def setup(self, market: Market) -> None:
        self.market = market
        self.day = -1
        self.insurance: Any = market.mechanism("insurance")
        self.token: Any = market.mechanism("health_token")
        self.prices: list[float] = [0.0] * len(self.insurance.pools)
        self.investors: list[Investor] = []
        self.failed_orders = 0
        self.mark_loss_today = 0
        self._marks: list[int] = []
        self._values: list[int] = []
        self._highest = 0.0

    def start(self, market: Market) -> None:
        section = self.section
        self.chain: Any = market.mechanism("chain")
        self.chain.register_kind("investment", ORDER_GAS)
        amm = market.mechanism("amm").pool(section.market)
        pools: list[InsurancePool] = self.insurance.pools
        unknown = set(section.pools) - {pool.name for pool in pools}
        if unknown:
            raise ValueError(f"there is no pool {sorted(unknown)[0]!r} that could invest")
        for pool in pools:
            if not section.pools or pool.name in section.pools:
                others = [other for other in pools if other is not pool] if section.pool_shares_share > 0.0 else []
                places = [pools.index(other) for other in others]
                published = self._published(places)
                self.investors.append(Investor(self, Portfolio(pool, amm, others, published, section.valuation,
                                                               section.window_days)))
        self._publish()

    def _published(self, places: list[int]) -> Callable[[], list[float]]:
        return lambda: [self.prices[place] for place in places]

    def _publish(self) -> None:
        """Share prices as pools publish them, base units of cash per base unit of share."""
        self.prices = [pool.senior.unit_value() for pool in self.insurance.pools]

    def cooldown(self) -> int:
        """Days from a request to the earliest redemption."""
        return int(self.market.parameters["insurance.withdrawal_cooldown_days"])

    def gas(self) -> int:
        """Money that one order's gas costs now."""
        return int(self.chain.fee("investment"))

    # The day --------------------------------------------------------------------------------------------------

    def decide(self, market: Market) -> None:
        """Gather the orders of all insurers and submit them as one batch."""
        self.day = market.day
        self._publish()
        orders: list[Order] = []
        for investor in self.investors:
            investor.sold_today = investor.stressed_today = 0
            orders.extend(investor.orders(market.day))
        if orders:
            self._submit(orders)

    def _submit(self, orders: list[Order]) -> None:
        amm = self.market.mechanism("amm")

        def execute(rows: NDArray[np.int64], blocks: NDArray[np.int64]) -> None:
            for row, block in zip(rows.tolist(), blocks.tolist(), strict=True):
                amm.at_block(block)
                orders[row].run()

        def failed(rows: NDArray[np.int64]) -> None:
            self.failed_orders += int(rows.size)

        self.chain.submit(Batch(
            "investment", np.array([order.investor.portfolio.account for order in orders]), execute, ordered=True,
            keys=np.array([order.investor.key for order in orders], dtype=np.uint64), expires=self.market.day,
            dropped=failed, reverted=failed))

    def exposures(self) -> list[Exposure]:
        """Senior shares of other pools: capital that the holder loses when the other pool does, not debts."""
        found = []
        for investor in self.investors:
            portfolio = investor.portfolio
            for other, price in zip(portfolio.others, portfolio.published(), strict=True):
                worth = int(portfolio.shares_of(other) * price)
                if worth:
                    found.append(Exposure(other.accounts.surplus, investor.pool.accounts.surplus, investor.pool.asset,
                                          worth, "pool_shares", 9))
        return found

    # Observations ---------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record = market.record
        value = stressed = lost = 0
        before = sum(investor.value_before for investor in self.investors)
        for investor in self.investors:
            pool, name = investor.pool, investor.pool.name
            for kind in CLASSES:
                record.institution(name, SERIES[kind], pool.admitted[kind]() / MICRO)
            record.institution(name, "investments.sold", investor.sold_today / MICRO)
            worth, capital = investor.portfolio.value(), pool.capital
            if capital > 0:
                record.institution(name, "investments.share", worth / capital)
            lost += investor.close_day()
            value += worth
            stressed += investor.stressed_today
        self.mark_loss_today = lost
        self._marks.append(lost)
        self._values.append(before)
        window = self._values[-LOSS_WINDOW:]
        if window[0] > 0:
            self._highest = max(self._highest, sum(self._marks[-LOSS_WINDOW:]) / window[0])
        record.series("investments.value", value / MICRO)
        record.series("investments.fire_sales", stressed / MICRO)
        record.series("investments.mark_losses", lost / MICRO)

    def finish(self, market: Market) -> None:
        metric = market.record.metric
        metric("investments.fire_sales", sum(investor.stressed for investor in self.investors) / MICRO)
        metric("investments.fire_sale_losses", sum(one.portfolio.losses for one in self.investors) / MICRO)
        metric("investments.mark_losses", sum(one.portfolio.marked for one in self.investors) / MICRO)
        metric("investments.highest_mark_loss_30d", self._highest)
        metric("investments.pools_that_sold", sum(investor.stressed > 0 for investor in self.investors))
        metric("investments.failed_orders", self.failed_orders)
        if (overlap := self.overlap()) is not None:
            metric("investments.overlap", overlap)

    def overlap(self) -> float | None:
        """Mean cosine over pairs of pools of their holdings (tokens, market-maker shares, shares of each pool)."""
        pools = self.insurance.pools
        rows = []
        for investor in self.investors:
            portfolio = investor.portfolio
            places = {id(other): portfolio.shares_of(other) * price
                      for other, price in zip(portfolio.others, portfolio.published(), strict=True)}
            rows.append([float(portfolio.token_value()), float(portfolio.liquidity_value()),
                         *(float(places.get(id(pool), 0.0)) for pool in pools)])
        holdings = np.array(rows)
        holdings = holdings[holdings.any(axis=1)] if holdings.size else holdings
        if len(holdings) < 2:
            return None
        unit = holdings / np.linalg.norm(holdings, axis=1, keepdims=True)
        cosines = unit @ unit.T
        return float(cosines[np.triu_indices(len(unit), 1)].mean())
