"""One insurer's dealings in assets: what it wants to hold, the orders of a day, and what happens to them in the block.

See :mod:`sim.agents.pool_investor` for the rules and for what an insurer can see.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolState
from sim.contracts.insurance.portfolio import Portfolio, largest_sale
from sim.kernel.draws import agent_key
from sim.kernel.fixedpoint import MAX_INT64, MICRO, mul_div

if TYPE_CHECKING:
    from sim.agents.pool_investor import Investments

GAS_RESERVE = 20
"""Orders whose gas is kept as money in the account."""

SMALLEST_ORDER = 100 * MICRO
"""Smaller orders under normal conditions are not worth their gas."""

ROOM = 0.8
"""Part of the largest purchase within the limit that is made, for the fee and for others who buy on the same day."""


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
