"""A stablecoin minted and redeemed for cash and a share token whose price is an average of the past (Iron, Terra).

A redemption of ``a`` coins pays a min(R, reserve / supply) in cash and mints shares worth the rest at the price source
(IRON paid its effective collateral ratio and used a ten-minute average); minting a coin costs R in cash and burns
shares for the rest. Holds the reserve. What can never be: cash paid beyond the redeemer's part of the reserve, so the
reserve behind each coin that stays never falls by a redemption. Rounding: payments down, costs up.

The shares are worth the average, not what they fetch: where the market has moved away from it, or where selling them
moves it, a redeemer gets less than a dollar. Nothing here says when that ends well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.chain.mempool import Refused
from sim.contracts.credit.price_source import PriceSource, PriceUnavailable
from sim.kernel.fixedpoint import BPS, MICRO, mul_div, mul_div_up

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

WHOLE = 10**12
"""Base units by which the share's price is read."""


class MintRefused(Refused):
    """An amount of nothing, or a price of nothing."""


class MintRedeem:
    """``ratio`` micro-dollars of cash per coin; ``price`` values the share in cash; a fee stays in the reserve."""

    def __init__(
        self, ledger: Ledger, name: str, coin: int, share: int, cash: int, ratio: int, fee_bps: int,
    ) -> None:
        self.ledger = ledger
        self.coin = coin
        self.share = share
        self.cash = cash
        self.ratio = ratio
        self.fee_bps = fee_bps
        self.reserve = ledger.account(f"{name}.reserve")
        self.price: PriceSource | None = None
        self.redeemed = 0
        self.shares_minted = 0

    def endow(self, account: int, amount: int) -> int:
        """Before day 0: coins for ``account``; returns the cash that has to be put into the reserve for them."""
        self.ledger.mint(self.coin, account, amount, "endowment")
        return mul_div_up(amount, self.ratio, MICRO)

    def shares_worth(self, value: int, up: bool = False) -> int:
        """Shares that ``value`` of cash buys at the price source."""
        if self.price is None:
            raise PriceUnavailable("the share has no price yet")
        whole = self.price.value(WHOLE)
        if whole == 0:
            raise PriceUnavailable("the share is worth nothing")
        return mul_div_up(value, WHOLE, whole) if up else mul_div(value, WHOLE, whole)

    def mint_cost(self, amount: int) -> tuple[int, int]:
        """(cash, shares) that ``amount`` of new coins costs now, fee included."""
        gross = mul_div_up(amount, BPS + self.fee_bps, BPS)
        cash = mul_div_up(gross, self.ratio, MICRO)
        return cash, self.shares_worth(gross - cash, up=True)

    def mint(self, account: int, amount: int) -> tuple[int, int]:
        """Issue ``amount`` of coins for (cash, shares), which are returned."""
        if amount <= 0:
            raise MintRefused(f"{amount} coins cannot be minted")
        cash, shares = self.mint_cost(amount)
        with self.ledger.atomic():
            self.ledger.transfer(self.cash, account, self.reserve, cash, "stablecoin_mint")
            self.ledger.burn(self.share, account, shares, "stablecoin_mint")
            self.ledger.mint(self.coin, account, amount, "stablecoin_mint")
        return cash, shares

    def redemption(self, amount: int) -> tuple[int, int]:
        """(cash, shares) that redeeming ``amount`` would give now."""
        if amount <= 0:
            raise MintRefused(f"{amount} coins cannot be redeemed")
        reserve, supply = self.ledger.balance(self.cash, self.reserve), self.ledger.supply(self.coin)
        if amount > supply:
            raise MintRefused(f"{amount} coins of a supply of {supply}")
        net = mul_div(amount, BPS - self.fee_bps, BPS)
        cash = min(mul_div(net, self.ratio, MICRO), mul_div(net, reserve, supply))
        return cash, self.shares_worth(net - cash) if net > cash else 0

    def redeem(self, account: int, amount: int) -> tuple[int, int]:
        """Destroy ``amount`` of coins for (cash, shares), which are returned."""
        cash, shares = self.redemption(amount)
        with self.ledger.atomic():
            self.ledger.burn(self.coin, account, amount, "stablecoin_redemption")
            self.ledger.transfer(self.cash, self.reserve, account, cash, "stablecoin_redemption")
            self.ledger.mint(self.share, account, shares, "stablecoin_redemption")
            old = self.redeemed, self.shares_minted
            self.ledger.on_rollback(lambda: self._restore(old))
            self.redeemed, self.shares_minted = old[0] + amount, old[1] + shares
        return cash, shares

    def _restore(self, old: tuple[int, int]) -> None:
        self.redeemed, self.shares_minted = old
