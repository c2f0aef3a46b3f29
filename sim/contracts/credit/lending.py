"""Lending against collateral by the rules of Aave v2 and v3: what is supplied may be borrowed against.

Holds the reserves and the terms of each asset; positions are supply shares and debts on the ledger. What can never be:
a loan or a withdrawal beyond the collateral at the contract's price; a liquidation of a position in health; a debt that
vanishes unrecorded. Every division favours the pool: collateral values are floored, debts and what repays them rounded
up, what is seized floored.

    health = sum of (collateral value x liquidation threshold) / debt value;   below 1 anybody may liquidate
    seized = repaid value x (1 + bonus) / collateral price, of at most the close factor of the debt

The price comes from a :mod:`~sim.contracts.credit.price_source`. The pool is as safe as that price.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sim.contracts.credit.interest import WAD
from sim.contracts.credit.lending_reserve import LendingRefused, Reserve
from sim.contracts.credit.price_source import PriceSource
from sim.kernel.fixedpoint import BPS, MAX_INT64, mul_div, mul_div_up
from sim.kernel.ledger import Ledger

PRICE_UNIT = 10**18
"""Prices are asked for this many base units, so that their precision is not the limit."""


@dataclass(frozen=True, slots=True)
class CollateralTerms:
    """Basis points: loan to value, liquidation threshold, bonus on top of what a liquidator pays."""

    ltv_bps: int
    threshold_bps: int
    bonus_bps: int


@dataclass(frozen=True, slots=True)
class LentMarket:
    """One asset: its reserve, its terms as collateral, and where its price is read (None: it counts as a dollar)."""

    reserve: Reserve
    terms: CollateralTerms
    source: PriceSource | None = None

    def price(self) -> int:
        """Micro-USD per 10^18 base units."""
        return PRICE_UNIT if self.source is None else self.source.value(PRICE_UNIT)


class Position(NamedTuple):
    """In micro-USD: collateral, what may be borrowed against it, what counts before liquidation, debt."""

    collateral: int
    limit: int
    threshold: int
    debt: int

    @property
    def health(self) -> int:
        """Health factor with 18 decimals; 2**63 - 1 without debt."""
        return mul_div(self.threshold, WAD, self.debt) if self.debt else MAX_INT64

    @property
    def shortfall(self) -> int:
        """Debt that the collateral does not cover."""
        return max(0, self.debt - self.collateral)


class Liquidation(NamedTuple):
    """What a liquidation moved, base units, and the debt it left without collateral."""

    repaid: int
    seized: int
    lost: int


class LendingPool:
    """See the module.

    Args:
        close_factor_bps: part of a debt that one liquidation may repay.
        full_close_health: health (18 decimals) at and below which it may repay all.
        full_close_below: debts of at most this many micro-USD may be repaid in full.
        treasury: account that covers losses after the protocol's part, None where suppliers share them at once.
    """

    def __init__(
        self, ledger: Ledger, *, close_factor_bps: Callable[[], int], full_close_health: int = 95 * WAD // 100,
        full_close_below: int = 0, treasury: int | None = None,
    ) -> None:
        self.ledger = ledger
        self.markets: dict[int, LentMarket] = {}
        self._close_factor_bps = close_factor_bps
        self.full_close_health = full_close_health
        self.full_close_below = full_close_below
        self.treasury = treasury
        self.covered: Callable[[int, int], None] = lambda asset, amount: None
        """Told (asset, amount) of each loss that the treasury has covered."""

    def list_market(self, market: LentMarket) -> None:
        """Let ``market`` be supplied and borrowed."""
        self.markets[market.reserve.asset] = market

    def market(self, asset: int) -> LentMarket:
        """The market of ``asset``."""
        if asset not in self.markets:
            raise LendingRefused(f"{self.ledger.symbol(asset)} is not lent here")
        return self.markets[asset]

    # What anybody can read -----------------------------------------------------------------------------------

    def position(self, account: int) -> Position:
        """Values of ``account`` at the contract's prices."""
        collateral = limit = threshold = debt = 0
        for market in self.markets.values():
            reserve, terms = market.reserve, market.terms
            supplied, owed = reserve.supplied_by(account), reserve.debt_of(account)
            if not supplied and not owed:
                continue
            price = market.price()
            value = mul_div(supplied, price, PRICE_UNIT)
            collateral += value
            limit += mul_div(value, terms.ltv_bps, BPS)
            threshold += mul_div(value, terms.threshold_bps, BPS)
            debt += mul_div_up(owed, price, PRICE_UNIT)
        return Position(collateral, limit, threshold, debt)

    def health(self, account: int) -> int:
        """Health factor of ``account``, 18 decimals."""
        return self.position(account).health

    def seizable(self, account: int, collateral: int, debt: int, amount: int) -> tuple[int, int]:
        """(repaid, seized) if ``amount`` of ``debt`` were repaid for ``collateral`` now, within the close factor.

        Where the collateral does not suffice for the bonus, all of it is seized for what it is worth without it.
        """
        position = self.position(account)
        if position.health >= WAD:
            raise LendingRefused(f"{self.ledger.account_name(account)} is in health")
        owed = self.market(debt).reserve.debt_of(account)
        whole = position.health <= self.full_close_health or position.debt <= self.full_close_below
        repaid = min(amount, owed if whole else mul_div(owed, self._close_factor_bps(), BPS))
        if repaid <= 0:
            raise LendingRefused("nothing to repay")
        with_bonus = BPS + self.market(collateral).terms.bonus_bps
        price, debt_price = self.market(collateral).price(), self.market(debt).price()
        held = self.market(collateral).reserve.supplied_by(account)
        seized = mul_div(repaid * debt_price, with_bonus, price * BPS) if price else held
        if seized > held:
            seized = held
            repaid = min(repaid, mul_div_up(held * price, BPS, debt_price * with_bonus))
        return repaid, seized

    # Suppliers and borrowers ---------------------------------------------------------------------------------

    def supply(self, account: int, asset: int, amount: int) -> int:
        """Supply ``amount``, which also becomes collateral; returns the shares."""
        reserve = self.market(asset).reserve
        with self.ledger.atomic():
            reserve.accrue()
            minted = reserve.deposit(account, amount)
            reserve.reset_rate()
        return minted

    def withdraw(self, account: int, asset: int, amount: int) -> None:
        """Take back ``amount``; refused where the position would not stay in health."""
        reserve = self.market(asset).reserve
        with self.ledger.atomic():
            reserve.accrue()
            reserve.redeem(account, account, amount)
            reserve.reset_rate()
            if self.position(account).health < WAD:
                raise LendingRefused("the collateral is needed")

    def borrow(self, account: int, asset: int, amount: int) -> None:
        """Borrow ``amount``; refused beyond the collateral's loan to value."""
        reserve = self.market(asset).reserve
        with self.ledger.atomic():
            reserve.accrue()
            reserve.lend(account, amount)
            reserve.reset_rate()
            position = self.position(account)
            if position.debt > position.limit:
                raise LendingRefused(f"a debt of {position.debt} against {position.limit} that may be borrowed")

    def repay(self, payer: int, account: int, asset: int, amount: int) -> int:
        """Repay at most ``amount`` of the debt of ``account``; returns what was paid."""
        reserve = self.market(asset).reserve
        with self.ledger.atomic():
            reserve.accrue()
            paid = reserve.repay(payer, account, amount)
            reserve.reset_rate()
        return paid

    def liquidate(self, liquidator: int, account: int, collateral: int, debt: int, amount: int) -> Liquidation:
        """Repay at most ``amount`` of an unhealthy debt and take collateral at the bonus; the rest without collateral
        is recorded as lost."""
        owed, held = self.market(debt).reserve, self.market(collateral).reserve
        with self.ledger.atomic():
            owed.accrue()
            held.accrue()
            repaid, seized = self.seizable(account, collateral, debt, amount)
            if seized == 0:
                raise LendingRefused("nothing to seize")
            owed.repay(liquidator, account, repaid)
            held.redeem(account, liquidator, seized)
            lost = self._write_off(account)
            owed.reset_rate()
            held.reset_rate()
        return Liquidation(repaid, seized, lost)

    def write_off(self, account: int) -> int:
        """Record what ``account`` owes without any collateral as lost; returns base units, summed over assets."""
        with self.ledger.atomic():
            return self._write_off(account)

    def _write_off(self, account: int) -> int:
        # Shares that are worth nothing any more, or dust below a unit, are no collateral.
        if any(market.reserve.supplied_by(account) for market in self.markets.values()):
            return 0
        lost = 0
        for market in self.markets.values():
            reserve = market.reserve
            owed = reserve.debt_of(account)
            if owed:
                reserve.accrue()
                reserve.strike(account, owed)
                self._lose(reserve, owed)
                reserve.reset_rate()
                lost += owed
        return lost

    def _lose(self, reserve: Reserve, amount: int) -> None:
        paid = reserve.lose(amount, self.treasury)
        if paid:
            self.covered(reserve.asset, paid)

    # Auctions ------------------------------------------------------------------------------------------------

    def hand_over(self, account: int, collateral: int, debt: int, house: int) -> tuple[int, int]:
        """Give one collateral of an unhealthy position, and the part of the debt that it stands for, to an auction
        house: (lot, debt). That is the whole debt where there is no other collateral; else what is left of both keeps
        the ratio of the position. The debt stays the reserve's claim, on the house, until :meth:`settle`.
        """
        owed, held = self.market(debt).reserve, self.market(collateral).reserve
        with self.ledger.atomic():
            owed.accrue()
            held.accrue()
            position = self.position(account)
            if position.health >= WAD:
                raise LendingRefused(f"{self.ledger.account_name(account)} is in health")
            lot, amount = held.supplied_by(account), owed.debt_of(account)
            if position.collateral:
                worth = mul_div(lot, self.market(collateral).price(), PRICE_UNIT)
                amount = mul_div_up(amount, worth, position.collateral)
            if amount == 0:
                raise LendingRefused("there is no such debt, or the collateral stands for none of it")
            held.redeem(account, house, lot)
            owed.strike(account, amount)
            owed.replace(owed.state._replace(auctioned=owed.state.auctioned + amount))
        return lot, amount

    def settle(self, debt: int, house: int, claim: int, proceeds: int) -> int:
        """Close a ``claim`` on an auction house with its ``proceeds``; returns what is lost. A penalty above the claim
        is the protocol's."""
        reserve = self.market(debt).reserve
        with self.ledger.atomic():
            reserve.accrue()
            self.ledger.transfer(reserve.asset, house, reserve.account, proceeds, "auction_proceeds")
            above, lost = max(0, proceeds - claim), max(0, claim - proceeds)
            state = reserve.state
            reserve.replace(state._replace(auctioned=state.auctioned - claim, cash=state.cash + proceeds,
                                           protocol_bps=state.protocol_bps + above * BPS))
            if lost:
                self._lose(reserve, lost)
            reserve.reset_rate()
        return lost
