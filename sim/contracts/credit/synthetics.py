"""Mechanism "synthetics": sMED, a synthetic that is worth the medical price index, over one debt pool.

Holds the :class:`~sim.contracts.credit.synthetic.DebtPool` and reports on it. Long sMED gains when medical prices rise;
issuers are short of it together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sim.contracts.credit.price_source import PriceUnavailable, price_source
from sim.contracts.credit.synthetic import DebtPool, Rules, Totals
from sim.kernel.fixedpoint import MICRO, mul_div_up
from sim.mechanism import Market, Mechanism
from sim.scenario.sections.synthetics import SyntheticsSection


class Par:
    """A price of one, for collateral and synthetics that are dollars."""

    name = "par"

    def price(self) -> float:
        return 1.0

    def value(self, amount: int) -> int:
        return amount


class Synthetics(Mechanism):
    """See the module."""

    section: SyntheticsSection
    shocks: Mapping[str, str] = {"collateral_sale": "sell_collateral"}

    def setup(self, market: Market) -> None:
        section, ledger = self.section, market.ledger
        self.market, self.ledger = market, ledger
        self.token: Any = market.mechanism("health_token")
        self.cash: int = ledger.asset_id("USDs")
        self.collateral: int = ledger.asset_id(section.collateral)
        rules = Rules(round(section.issuance_ratio * MICRO), round(section.liquidation_ratio * MICRO),
                      round(section.liquidation_penalty * MICRO), round(section.own_penalty * MICRO),
                      section.liquidation_delay_days, section.exchange_fee_bps)
        self.debts = DebtPool(ledger, "synthetics", self.collateral, rules, market)
        self.asset: int = ledger.asset("sMED", issuer=self.debts.vault, span="all", valuer=self.index)
        self.debts.list_synthetic(self.asset, price_source("committee", feed=self.token, today=market,
                                                           max_age_days=section.max_age_days))
        if section.dollar_synthetic:
            self.dollar: int = ledger.asset("sUSD", issuer=self.debts.vault, span="all", valuer=lambda: 1.0)
            self.debts.list_synthetic(self.dollar, Par())
        self._before = Totals()
        self._first_price = 0.0
        self._fall = 0.0
        self._unbacked = 0
        self.opening_collateral = self.opening_debt = 0
        self._gaps: list[float] = []

    def start(self, market: Market) -> None:
        section = self.section
        self.amm: Any = market.mechanism("amm")
        self.outside: Any = market.mechanism("reference_price")
        self.pool: Any = self.amm.pool(section.pool)
        if section.collateral == "USDs":
            self.collateral_pool: Any = None
            self.debts.price = Par()
            return
        self.collateral_pool = self.amm.pool(section.collateral_pool)
        self.debts.price = price_source(
            section.collateral_price, pool=self.collateral_pool, window_days=section.window_days, feed=self.token,
            today=market, max_age_days=section.max_age_days)

    def index(self) -> float:
        """Dollars that one sMED stands for."""
        return float(self.token.index) / MICRO

    # Before the first day ------------------------------------------------------------------------------------

    @property
    def opening_price(self) -> float:
        """Dollars per sMED at which its pool opens."""
        return float(self.token.opening_price)

    def endow_tokens(self, account: int, amount: int) -> None:
        """Before day 0: sMED for the founders out of a position of their own."""
        self.endow_position(account, amount, self.section.founders_ratio)

    def endow_position(self, account: int, amount: int, ratio: float) -> None:
        """Before day 0: let ``account`` issue ``amount`` of sMED at the collateral ratio ``ratio``."""
        index = round(self.opening_price * MICRO)
        value = mul_div_up(mul_div_up(amount, index, MICRO), round(ratio * MICRO), MICRO)
        if self.section.collateral == "USDs":
            deposited = value
            self.market.endow(account, value)
        else:
            deposited = mul_div_up(value, MICRO, index)
            self.token.endow_tokens(account, deposited)
        self.debts.endow(account, deposited, self.asset, amount)

    # The day -------------------------------------------------------------------------------------------------

    def sell_collateral(self, fall: float) -> None:
        """Shock ``collateral_sale``: what sells is the external venue's, as far as it holds it."""
        pool = self.collateral_pool
        if pool is None:
            raise ValueError("collateral in dollars has no price that could fall")
        base, _ = pool.reserves()
        wanted = int(base * (1.0 / math.sqrt(1.0 - fall) - 1.0) * pool.scale / pool.keep)
        venue = self.outside.external_venue
        sold = min(wanted, self.ledger.balance(self.collateral, venue))
        if sold:
            pool.swap(venue, self.collateral, sold)

    # Reports -------------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record, debts = market.record, self.debts
        if market.day == 0:
            self.opening_collateral = self.ledger.balance(self.collateral, debts.vault)
            self.opening_debt = debts.total_debt()
        try:
            debt = debts.total_debt()
            collateral = debts.collateral_value(self.ledger.balance(self.collateral, debts.vault))
            self._unbacked = debts.unbacked()
        except PriceUnavailable:  # nothing can be valued today, and the contract refuses all calls that would
            return
        price = float(self.pool.spot())
        record.series("synthetics.supply", self.ledger.supply(self.asset) / MICRO)
        record.series("synthetics.debt", debt / MICRO)
        record.series("synthetics.collateral", collateral / MICRO)
        record.series("synthetics.ratio", collateral / debt if debt else math.nan)
        record.series("synthetics.price", price)
        self._gaps.append(abs(price / self.index() - 1.0))
        if self.collateral_pool is not None:
            spot = float(self.collateral_pool.spot())
            self._first_price = self._first_price or spot
            self._fall = max(self._fall, 1.0 - spot / self._first_price)
            record.series("synthetics.collateral_price", spot)
        done = debts.totals.liquidations - self._before.liquidations
        if done:
            seized = debts.totals.seized - self._before.seized
            record.event("liquidation", "synthetics", seized / MICRO, positions=done)
        self._before = debts.totals
        record.series("synthetics.liquidations", done)
        record.series("synthetics.unbacked", self._unbacked / MICRO)

    def finish(self, market: Market) -> None:
        metric, totals = market.record.metric, self.debts.totals
        bad = totals.bad_debt + self._unbacked
        metric("synthetics.liquidations", totals.liquidations)
        metric("synthetics.seized", totals.seized / MICRO)
        metric("synthetics.bad_debt", bad / MICRO)
        if self.opening_debt:
            metric("synthetics.liquidated_share", totals.seized / self.opening_collateral)
            metric("synthetics.bad_debt_share", bad / self.opening_debt)
        if self.collateral_pool is not None:
            metric("synthetics.collateral_fall", self._fall)
        if self._gaps:
            metric("synthetics.peg_gap", sum(self._gaps) / len(self._gaps))

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        yield "synthetics.debt_shares_and_collateral", self.debts.check
