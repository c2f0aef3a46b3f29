"""The lending pool of a market: its suppliers, its calls at a block's time, and its records.

Holds the suppliers' account beside the pool. What can never be is said in :mod:`sim.contracts.credit.lending`; the
invariants here say that what suppliers own is there, and that debts are what the ledger says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from sim.contracts.amm.interface import DAY_SECONDS, BlockClock
from sim.contracts.credit.interest import RAY, WAD, KinkedRate
from sim.contracts.credit.lending import CollateralTerms, LendingPool, LentMarket, Liquidation
from sim.contracts.credit.lending_reserve import LendingRefused, Reserve
from sim.contracts.credit.price_source import PriceSource, PriceUnavailable, price_source
from sim.kernel.fixedpoint import BPS, MICRO
from sim.mechanism import Exposure, Hook, Market, Mechanism, Phase
from sim.scenario.sections.lending import LendingSection, LentMarketTerms

GAS = {"supply": 220_000, "borrow": 300_000, "repay": 200_000, "liquidate": 500_000}
"""Of the order of Aave v2 calls on the main network."""

MINUTES_PER_DAY = 1440.0


class Lending(Mechanism):
    """Mechanism ``lending``; see the module."""

    section: LendingSection
    hooks = (Hook(Phase.SHOCKS, "open_day", after=("amm",)),)

    def setup(self, market: Market) -> None:
        ledger = market.ledger
        self._market, self._ledger = market, ledger
        self.cash: int = ledger.asset_id("USDs")
        self.suppliers: int = ledger.open_account("lending_suppliers", "liquidity_providers")
        section = self.section
        parameters = market.parameters
        for what in section.governable:
            field = what.path.removeprefix("lending.")
            parameters.register(what.path, getattr(section, field), what.low, what.high)
        self.pool = LendingPool(
            ledger, close_factor_bps=lambda: round(parameters["lending.close_factor"] * BPS),
            full_close_health=round(section.full_close_health * 10**9) * 10**9,
            full_close_below=round(section.full_close_below * MICRO),
            treasury=market.treasury_account() if section.bad_debt == "treasury" else None)
        self.liquidations = self.liquidated = 0
        self._liquidations_before = 0
        self._peak = 0.0
        self._blocks_per_day = 1
        self._unopened = list(section.markets)

    def start(self, market: Market) -> None:
        """The suppliers' opening wealth; the pool itself opens on day 0, once the market makers have."""
        chain: Any = market.mechanism("chain")
        for kind, gas in GAS.items():
            chain.register_kind(kind, gas)
        self._blocks_per_day = int(chain.blocks_per_day)
        self._amm: Any = market.find("amm")
        governance: Any = market.find("governance")
        if governance is not None:
            self.pool.covered = lambda asset, paid: governance.treasury.book_guarantee(asset, paid, "bad_debt_cover")
        self.clock: BlockClock = self._amm.clock if self._amm is not None else BlockClock()
        for terms in self.section.markets:
            wanted = round(terms.opening * MICRO)
            if terms.asset == "USDs":
                market.endow(self.suppliers, wanted)
            elif terms.asset == "HLT" and market.find("health_token") is not None:
                market.mechanism("health_token").endow_tokens(self.suppliers, wanted)
            if self._ready(terms):
                self._list(terms)

    def _ready(self, terms: LentMarketTerms) -> bool:
        """Whether the asset and the market maker of its price exist already; the rest is listed on day 0."""
        known = self._ledger.has_asset(terms.asset)
        return known and (terms.price in ("dollar", "committee") or terms.pool in self._amm.pools)

    def _list(self, terms: LentMarketTerms) -> None:
        parameters = self._market.parameters
        reserve = Reserve(
            self._ledger, self._ledger.asset_id(terms.asset),
            KinkedRate.of(terms.optimal_utilisation, terms.base_rate, terms.slope_1, terms.slope_2),
            lambda: self.clock.now, lambda: round(parameters["lending.reserve_factor"] * BPS))
        rules = CollateralTerms(round(terms.ltv * BPS), round(terms.liquidation_threshold * BPS),
                                round(terms.bonus * BPS))
        self.pool.list_market(LentMarket(reserve, rules, self._source(terms)))

    def _source(self, terms: LentMarketTerms) -> PriceSource | None:
        if terms.price == "dollar":
            return None
        feed = self._market.mechanism("health_token") if terms.price == "committee" else None
        pool = None if terms.price == "committee" else self._amm.pool(terms.pool)
        return price_source(terms.price, pool=pool, window_days=terms.window_minutes / MINUTES_PER_DAY, feed=feed,
                            today=self._market, max_age_days=terms.max_age_days)

    # The day -------------------------------------------------------------------------------------------------

    def open_day(self, market: Market) -> None:
        """Time goes on; on day 0 the suppliers deposit."""
        if self._amm is None:
            self.clock.advance(market.day * DAY_SECONDS)
        for terms in self._unopened:
            asset, wanted = self._ledger.asset_id(terms.asset), round(terms.opening * MICRO)
            if asset not in self.pool.markets:
                self._list(terms)
            held = self._ledger.balance(asset, self.suppliers)
            if held < wanted and self._ledger.has_account("amm_founder"):
                founder = self._ledger.account("amm_founder")
                given = min(wanted - held, self._ledger.balance(asset, founder))
                self._ledger.transfer(asset, founder, self.suppliers, given, "lending_supply")
                held += given
            if min(held, wanted) > 0:
                self.pool.supply(self.suppliers, asset, min(held, wanted))
        self._unopened.clear()

    def at_block(self, block: int) -> None:
        """Set the clock to a block of today: a contract call says first when it executes."""
        if self._amm is not None:
            self._amm.at_block(block)
            return
        before = self.clock.now
        self.clock.block(self._market.day, int(block), self._blocks_per_day)
        self._ledger.on_rollback(lambda: self.clock.restore(before))

    # What others may call (the rest is on ``pool``) -------------------------------------------------------------

    def liquidate(self, liquidator: int, account: int, collateral: int, debt: int, amount: int) -> Liquidation:
        """:meth:`LendingPool.liquidate`, where the section sells collateral directly, with a record of it."""
        if self.section.liquidation != "direct":
            raise LendingRefused("collateral is sold by auction here")
        with self._ledger.atomic():
            done = self.pool.liquidate(liquidator, account, collateral, debt, amount)
            self.note_liquidation(account, done.repaid, seized=done.seized, lost=done.lost)
        return done

    def note_liquidation(self, account: int, repaid: int, **details: int) -> None:
        """Count a liquidation, or an auction that has repaid ``repaid``, and make an event of it."""
        before = self.liquidations, self.liquidated
        self._ledger.on_rollback(lambda: self._restore(before))
        self._restore((before[0] + 1, before[1] + repaid))
        self._market.record.event("liquidation", self._ledger.account_name(account), repaid / MICRO, **details)

    def _restore(self, counts: tuple[int, int]) -> None:
        self.liquidations, self.liquidated = counts

    def borrowers(self) -> list[int]:
        """Accounts that owe anything, in order."""
        owing: set[int] = set()
        for market in self.pool.markets.values():
            owing.update(np.flatnonzero(self._ledger.balances(market.reserve.debts)).tolist())
        return sorted(owing)

    def unhealthy(self) -> list[int]:
        """Borrowers whose health factor is below one now; empty while a price is not to be had."""
        try:
            return [account for account in self.borrowers() if self.pool.health(account) < WAD]
        except PriceUnavailable:
            return []

    def fair_shortfall(self, account: int) -> int:
        """Micro-USD by which the debts of ``account`` exceed its collateral at fair value (the assets' valuers)."""
        value = 0.0
        for asset, market in self.pool.markets.items():
            fair = 1.0 if asset == self.cash else self._ledger.price(asset) or 0.0
            value += (market.reserve.supplied_by(account) - market.reserve.debt_of(account)) * fair
        return max(0, -int(value))

    def exposures(self) -> Iterable[Exposure]:
        """What each borrower owes each reserve."""
        for asset, market in self.pool.markets.items():
            reserve = market.reserve
            for account in np.flatnonzero(self._ledger.balances(reserve.debts)).tolist():
                yield Exposure(account, reserve.account, asset, reserve.debt_of(account), "lending")

    # Reports -------------------------------------------------------------------------------------------------

    @property
    def bad_debt(self) -> float:
        """Dollars recorded as lost so far."""
        total = 0.0
        for asset, market in self.pool.markets.items():
            fair = 1.0 if asset == self.cash else self._ledger.price(asset) or 0.0
            total += market.reserve.state.bad_debt * fair / MICRO
        return total

    def observe(self, market: Market) -> None:
        record = market.record
        first = next(iter(self.pool.markets.values())).reserve
        used = first.utilisation() / RAY
        self._peak = max(self._peak, used)
        try:
            positions = [self.pool.position(account) for account in self.borrowers()]
            record.series("lending.debt", sum(one.debt for one in positions) / MICRO)
            record.series("lending.collateral", sum(one.collateral for one in positions) / MICRO)
            record.series("lending.unhealthy", sum(one.health < WAD for one in positions))
        except PriceUnavailable:
            pass  # nobody knows what the positions are worth today
        record.series("lending.utilisation", used)
        record.series("lending.borrow_rate", first.state.rate / RAY)
        record.series("lending.supply_rate", first.supply_rate() / RAY)
        record.series("lending.liquidations", self.liquidations - self._liquidations_before)
        record.series("lending.bad_debt", self.bad_debt)
        self._liquidations_before = self.liquidations

    def finish(self, market: Market) -> None:
        record = market.record
        shortfall = sum(self.fair_shortfall(account) for account in self.borrowers()) / MICRO
        states = [lent.reserve.state for lent in self.pool.markets.values()]
        record.metric("lending.bad_debt", self.bad_debt)
        record.metric("lending.shortfall", shortfall)
        record.metric("lending.loss", self.bad_debt + shortfall)
        record.metric("lending.loss_to_suppliers", sum(
            state.bad_debt - state.from_protocol - state.from_treasury for state in states) / MICRO)
        record.metric("lending.liquidations", self.liquidations)
        record.metric("lending.liquidated", self.liquidated / MICRO)
        record.metric("lending.peak_utilisation", self._peak)
        record.metric("lending.interest", states[0].interest / MICRO)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "lending.suppliers_are_backed", self.check_backing

    def check_backing(self) -> str | None:
        """No reserve owes its suppliers and the protocol more than it has in cash and claims, nor counts more cash than
        its account holds."""
        for lent in self.pool.markets.values():
            if lent.reserve.cash > self._ledger.balance(lent.reserve.asset, lent.reserve.account):
                return f"the reserve of {lent.reserve.symbol} counts more cash than its account holds"
            if lent.reserve.total_assets() < 0:
                return f"the reserve of {lent.reserve.symbol} owns less than nothing"
        return None
