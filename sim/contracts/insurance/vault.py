"""Vault: shares in a tranche of a pool's capital (ERC-4626 with virtual shares and assets).

Holds one share asset on the ledger; the assets behind it are whatever ``value`` says the tranche is worth now, that
is at market value less every reserve from the day of report. With S shares in issue, A assets, offset d:

    shares = floor(assets (S + 10^d) / (A + 1))        assets = floor(shares (A + 1) / (S + 10^d))

The virtual 10^d shares and 1 asset belong to nobody. They make the inflation attack (a first depositor of one unit
who then donates) cost the attacker 10^d times what it takes from a victim (OpenZeppelin, ERC4626).

What can never be: a deposit or redemption lowers the value of a share for those who stay, shares are minted for
nothing, or a tranche whose assets are lost but whose shares are not is sold to newcomers. Rounding: always in the
vault's favour - deposit and redeem floor what the caller gets, mint rounds up what he pays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.chain.mempool import Refused
from sim.kernel.fixedpoint import mul_div, mul_div_up

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


class VaultError(Refused):
    """A deposit or redemption that the vault refuses."""


def to_shares(assets: int, supply: int, total_assets: int, offset: int) -> int:
    """Shares for ``assets``, rounded down."""
    return mul_div(assets, supply + 10**offset, total_assets + 1)


def to_assets(shares: int, supply: int, total_assets: int, offset: int) -> int:
    """Assets for ``shares``, rounded down."""
    return mul_div(shares, total_assets + 1, supply + 10**offset)


def to_assets_up(shares: int, supply: int, total_assets: int, offset: int) -> int:
    """Assets for ``shares``, rounded up."""
    return mul_div_up(shares, total_assets + 1, supply + 10**offset)


class Vault:
    """Shares ``symbol`` in what ``account`` holds of ``asset``; ``value`` gives the assets behind them, base units."""

    __slots__ = ("account", "asset", "ledger", "offset", "share", "value")

    def __init__(
        self, ledger: Ledger, asset: int, account: int, symbol: str, value: Callable[[], int], offset: int
    ) -> None:
        self.ledger = ledger
        self.asset = asset
        self.account = account
        self.value = value
        self.offset = offset
        self.share = ledger.asset(symbol, issuer=account, span="institutions", valuer=self.unit_value)

    @property
    def supply(self) -> int:
        """Shares in issue."""
        return self.ledger.supply(self.share)

    def unit_value(self) -> float:
        """Market value of one share, in assets."""
        return (self.value() + 1) / (self.supply + 10**self.offset)

    def share_price(self) -> float:
        """Assets per share, scaled so that the first share cost 1."""
        return self.unit_value() * 10**self.offset

    def preview_deposit(self, assets: int) -> int:
        """Shares that depositing ``assets`` would give now."""
        return to_shares(assets, self.supply, self.value(), self.offset)

    def preview_redeem(self, shares: int) -> int:
        """Assets that redeeming ``shares`` would give now."""
        return to_assets(shares, self.supply, self.value(), self.offset)

    def deposit(self, owner: int, assets: int, kind: str) -> int:
        """Move ``assets`` from ``owner`` into the vault; returns the shares minted to him."""
        shares = self.preview_deposit(assets)
        self._admit(owner, assets, shares, kind)
        return shares

    def mint(self, owner: int, shares: int, kind: str) -> int:
        """Mint exactly ``shares`` to ``owner``; returns the assets he paid."""
        assets = to_assets_up(shares, self.supply, self.value(), self.offset)
        self._admit(owner, assets, shares, kind)
        return assets

    def redeem(self, holder: int, shares: int, receiver: int, kind: str) -> int:
        """Burn ``shares`` of ``holder`` and pay ``receiver``; returns the assets paid. All or nothing."""
        assets = self.preview_redeem(shares)
        with self.ledger.atomic():
            self.ledger.burn(self.share, holder, shares, kind)
            self.ledger.transfer(self.asset, self.account, receiver, assets, kind)
        return assets

    def _admit(self, owner: int, assets: int, shares: int, kind: str) -> None:
        if shares <= 0 or assets <= 0:
            raise VaultError(f"{assets} base units buy no share")
        if self.supply > 0 and self.value() == 0:
            raise VaultError("the tranche is wiped out: shares are outstanding and nothing is behind them")
        with self.ledger.atomic():
            self.ledger.transfer(self.asset, owner, self.account, assets, kind)
            self.ledger.mint(self.share, owner, shares, kind)
