"""Mechanism "stablecoin": hUSD in one of its two forms, with what any holder may do with a coin.

Holds the form's contract (:mod:`stablecoin_troves` or :mod:`stablecoin_algorithmic`) and the way out of a coin: redeem
it and sell what that gives, in the market's own pools. What can never be is said there; the invariants check it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sim.chain.mempool import Refused
from sim.contracts.amm.interface import PoolError
from sim.contracts.credit.price_source import price_source
from sim.contracts.credit.redemption import UNIT, BaseRate, minute_factor
from sim.contracts.credit.stablecoin_algorithmic import MintRedeem
from sim.contracts.credit.stablecoin_troves import Rules, TroveRefused, Troves
from sim.kernel.fixedpoint import MICRO, mul_div_up
from sim.mechanism import Market, Mechanism
from sim.scenario.sections.stablecoin import StablecoinSection

CLOSING_DAYS = 5
BROKEN, HELD = 0.50, 0.95
"""Prices that bound the two basins."""


class Stablecoin(Mechanism):
    """``troves`` or ``mint_redeem`` is the contract of the form, the other is None."""

    section: StablecoinSection
    opening_price = 1.0

    def setup(self, market: Market) -> None:
        section, ledger = self.section, market.ledger
        self._market, self.ledger = market, ledger
        market.parameters.register("stablecoin.fee_floor", section.fee_floor, 0.0, 0.05)
        self.cash: int = ledger.asset_id("USDs")
        self.collateral: int = -1
        self.reserve: int = ledger.open_account("stablecoin.reserve", "protocol")
        self.coin: int = ledger.asset("hUSD", issuer=self.reserve, span="all", valuer=self.price)
        self.share: int = -1
        self.troves: Troves | None = None
        self.mint_redeem: MintRedeem | None = None
        if section.form == "algorithmic":
            self.share = ledger.asset("hSHR", issuer=None, span="institutions", valuer=self.price_of_share)
            self.mint_redeem = MintRedeem(ledger, "stablecoin", self.coin, self.share, self.cash,
                                          round(section.cash_ratio * MICRO), section.mint_fee_bps)
        else:
            self._open_troves(market)
        self._prices: list[float] = []
        self._opening_share_price = 0.0
        self._redeemed_before = 0

    def _open_troves(self, market: Market) -> None:
        section, ledger = self.section, market.ledger
        self.collateral = ledger.asset_id("HLT")
        self._base_rate = BaseRate(ledger, lambda: round(market.parameters["stablecoin.fee_floor"] * UNIT),
                                   round(section.fee_cap * UNIT),
                                   section.fee_beta, minute_factor(section.fee_half_life_hours))
        rules = Rules(round(section.minimum_ratio * MICRO), round(section.critical_ratio * MICRO),
                      round(section.liquidation_reserve * MICRO), round(section.least_debt * MICRO))
        self.troves = Troves(ledger, "stablecoin", self.coin, self.collateral, rules, self._base_rate, self._seconds,
                             market.treasury_account())

    def start(self, market: Market) -> None:
        section = self.section
        self.amm: Any = market.mechanism("amm")
        if self.mint_redeem is not None:
            self.ledger.mint(self.share, self.amm.founder, round(section.opening_shares * MICRO), "endowment")
            # The founders open this pool on day 0 with what they hold; it has a price from then on.
            self.outlet: Any = self.amm.pool(section.share_pool)
            self.mint_redeem.price = price_source(section.share_price, pool=self.outlet,
                                                  window_days=section.share_window_days)
            self._shares_at_start = self.ledger.supply(self.share)
        elif self.troves is not None:
            self.outlet = self.amm.pool(section.collateral_pool)
            self.troves.price = price_source(section.collateral_price, pool=self.outlet, today=market,
                                             window_days=section.window_days, feed=market.mechanism("health_token"))
        self.pool: Any = self.amm.pool(section.coin_pool)

    def _seconds(self) -> int:
        return int(self.amm.clock.now)

    # Coins before the first day ------------------------------------------------------------------------------

    def endow_tokens(self, account: int, coins: int) -> None:
        """Before day 0: give ``account`` coins, backed as the form asks: the founders' trove, or cash."""
        self.endow_backed(account, coins, self.section.founders_ratio)

    def endow_backed(self, account: int, coins: int, ratio: float, owner: int | None = None) -> None:
        """Before day 0: coins for ``account`` out of a trove of ``owner`` (itself, if none) at ``ratio``, or out of
        cash in the reserve."""
        if self.mint_redeem is not None:
            self._market.endow(self.reserve, self.mint_redeem.endow(account, coins))
            return
        assert self.troves is not None
        borrower = account if owner is None else owner
        token = self._market.mechanism("health_token")
        debt = coins + self.troves.rules.reserve
        collateral = mul_div_up(debt, round(ratio * MICRO), round(token.opening_price * MICRO))
        token.endow_tokens(borrower, collateral)
        self.troves.endow(borrower, collateral, coins)
        if borrower != account:
            self.ledger.transfer(self.coin, borrower, account, coins, "endowment")

    # What a coin is worth ------------------------------------------------------------------------------------

    def price(self) -> float:
        """Dollars per coin in its pool."""
        return float(self.pool.spot())

    def price_of_share(self) -> float:
        """Dollars per share in its pool; 0 before the first day."""
        return float(self.outlet.spot()) if self.outlet.reserves()[0] else 0.0

    def coverage(self) -> float:
        """What all coins together could fetch, in dollars per coin and at most one: the reserve and all the cash in the
        share's pool, or the value of the collateral."""
        supply = self.ledger.supply(self.coin)
        if supply == 0:
            return 1.0
        if self.troves is not None:
            return min(1.0, self.troves.value(self.troves.total().collateral) / supply)
        return min(1.0, (self.ledger.balance(self.cash, self.reserve) + self.outlet.reserves()[1]) / supply)

    def redemption_value(self, coins: int) -> int:
        """Cash that redeeming ``coins`` and selling what that gives would bring now; 0 where it is refused."""
        if coins <= 0:
            return 0
        try:
            if self.mint_redeem is not None:
                cash, shares = self.mint_redeem.redemption(coins)
                return cash + (self.outlet.quote_out(self.share, shares) if shares else 0)
            assert self.troves is not None
            redeemed, collateral, _ = self.troves.redemption(coins)
            if redeemed < coins or collateral == 0:
                return 0
            return int(self.outlet.quote_out(self.collateral, collateral))
        except Refused:
            return 0

    def redeem_for_cash(self, account: int, coins: int) -> int:
        """Redeem and sell what that gives; returns the cash."""
        with self.ledger.atomic():
            if self.mint_redeem is not None:
                cash, shares = self.mint_redeem.redeem(account, coins)
                return cash + (self.outlet.swap(account, self.share, shares) if shares else 0)
            assert self.troves is not None
            redeemed, collateral = self.troves.redeem(account, coins)
            if redeemed < coins:
                raise TroveRefused(f"only {redeemed} of {coins} coins can be redeemed")
            return int(self.outlet.swap(account, self.collateral, collateral))

    def mint_cost(self, coins: int) -> int | None:
        """Cash that minting ``coins`` would cost now, shares bought in their pool; None where nobody can mint so."""
        if self.mint_redeem is None or coins <= 0:
            return None
        try:
            cash, shares = self.mint_redeem.mint_cost(coins)
            return cash + (int(self.outlet.quote_in(self.share, shares)) if shares else 0)
        except (Refused, PoolError):
            return None

    def mint_for_cash(self, account: int, coins: int, most: int) -> int:
        """Buy the shares that ``coins`` need and mint them; returns the cash spent, at most ``most``."""
        if self.mint_redeem is None:
            raise TroveRefused("coins are borrowed against collateral")
        with self.ledger.atomic():
            cash, shares = self.mint_redeem.mint_cost(coins)
            spent = self.outlet.swap_for(account, self.share, shares, most - cash) if shares else 0
            self.mint_redeem.mint(account, coins)
            return cash + int(spent)

    # Reports -------------------------------------------------------------------------------------------------

    def observe(self, market: Market) -> None:
        record, ledger = market.record, self.ledger
        price, supply = self.price(), ledger.supply(self.coin)
        self._prices.append(price)
        record.series("stablecoin.price", price)
        record.series("stablecoin.supply", supply / MICRO)
        redeemed = self._redeemed()
        record.series("stablecoin.redeemed", (redeemed - self._redeemed_before) / MICRO)
        self._redeemed_before = redeemed
        if self.troves is not None:
            record.series("stablecoin.backing", self.troves.value(self.troves.total().collateral) / max(supply, 1))
            record.series("stablecoin.base_rate", self._base_rate.now(self._seconds()) / UNIT)
            return
        share = self.price_of_share()
        if not self._opening_share_price:
            self._opening_share_price = share
        record.series("stablecoin.backing", ledger.balance(self.cash, self.reserve) / max(supply, 1))
        record.series("stablecoin.share_price", share)
        record.series("stablecoin.share_supply", ledger.supply(self.share) / MICRO)

    def _redeemed(self) -> int:
        if self.mint_redeem is not None:
            return self.mint_redeem.redeemed
        assert self.troves is not None
        return self.troves.totals.redeemed

    def finish(self, market: Market) -> None:
        metric, ledger = market.record.metric, self.ledger
        closing = self._prices[-CLOSING_DAYS:]
        end = sum(closing) / len(closing)
        metric("stablecoin.price_end", end)
        metric("stablecoin.depeg_max", max(0.0, 1.0 - min(self._prices)))
        metric("stablecoin.collapsed", end < BROKEN)
        metric("stablecoin.in_between", BROKEN <= end <= HELD)
        metric("stablecoin.redeemed", self._redeemed() / MICRO)
        supply = ledger.supply(self.coin)
        if self.troves is not None:
            backing, totals = self.troves.value(self.troves.total().collateral), self.troves.totals
            metric("stablecoin.liquidated", (totals.offset + totals.redistributed) / MICRO)
            metric("stablecoin.redistributed", totals.redistributed / MICRO)
        else:
            backing = ledger.balance(self.cash, self.reserve) + self.outlet.reserves()[1]
            metric("stablecoin.share_price_fall", 1.0 - self.price_of_share() / self._opening_share_price)
            metric("stablecoin.share_dilution", ledger.supply(self.share) / self._shares_at_start)
        metric("stablecoin.bad_debt", max(0, supply - backing) / MICRO)

    def invariants(self) -> Iterable[tuple[str, Callable[[], str | None]]]:
        if self.troves is not None:
            yield "stablecoin.supply_is_debt", self.troves.check
