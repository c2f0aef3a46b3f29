"""Mechanism "investments": insurers keep part of their pools' own funds in other assets and sell them under stress.

An insurer sees its pool's books, the reserves of the market maker and the published share prices of other pools. It
holds each class at its target share of own funds. Below the selling SCR ratio the targets shrink in proportion, and
where cash does not cover what falls due it sells what is missing: tokens first, then market-maker shares, then shares
of other pools, which only their queue turns into money. Orders go to the chain's blocks with a least price; sales move
the price at which all other holders value theirs. That is the channel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.investor import Investor, Order
from sim.chain.mempool import Batch
from sim.contracts.amm.constant_product_pool import ConstantProductPool
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.portfolio import CLASSES, Portfolio
from sim.kernel.fixedpoint import MICRO
from sim.mechanism import Exposure, Hook, Market, Mechanism, Phase
from sim.scenario.sections.investments import InvestmentsSection

ORDER_GAS = 250_000
LOSS_WINDOW = 30

SERIES = {name: f"investments.{name.removeprefix('investment_')}" for name in CLASSES}


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
        if not isinstance(amm, ConstantProductPool):
            raise ValueError(f"investments are valued in a constant-product pool; {section.market!r} is none")
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
