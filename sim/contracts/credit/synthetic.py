"""Synthetic assets issued against collateral from one shared debt pool, by the rules of Synthetix.

Holds all collateral in a vault; who issued holds shares of the pool's debt, which is the value of all synthetics at
their prices: when a synthetic rises, every issuer owes more, whichever it issued. What can never be: collateral that
leaves a position below the issuance ratio except by liquidation; debt shares that do not sum to the pool's; a synthetic
issued without debt. A debt that its collateral no longer covers is not hidden: once the collateral is gone the shares
are struck off, so the others owe it, and it is counted as bad debt. Debts are rounded up, payments down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sim.chain.mempool import Refused
from sim.contracts.credit.price_source import PriceSource, PriceUnavailable, Today
from sim.contracts.credit.stability_pool import in_proportion
from sim.kernel.fixedpoint import BPS, MICRO, mul_div, mul_div_up

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

NEVER = -1
WHOLE = 10**12


class SyntheticRefused(Refused):
    """A call that the rules of the debt pool do not allow."""


class Rules(NamedTuple):
    """Ratios in millionths: ``issuance`` and ``liquidation`` are collateral over debt; penalties are shares of what is
    liquidated; ``delay_days`` pass between a flag and liquidation; ``fee_bps`` is charged on exchanges."""

    issuance: int
    liquidation: int
    penalty: int
    own_penalty: int
    delay_days: int
    fee_bps: int = 30


class Position(NamedTuple):
    """One issuer: collateral in base units, shares of the pool's debt, day on which it was flagged or NEVER."""

    collateral: int = 0
    shares: int = 0
    flagged: int = NEVER


class Totals(NamedTuple):
    """Of the run: liquidations, debt repaid in them, collateral taken, debt struck off, and the value of the collateral
    taken beyond the debt repaid."""

    liquidations: int = 0
    repaid: int = 0
    seized: int = 0
    bad_debt: int = 0
    penalty: int = 0


def fix_amount(debt: int, collateral: int, issuance: int, penalty: int, unit: int = MICRO) -> int:
    """Debt whose liquidation restores the issuance ratio: (D - C r) / (1 - (1 + p) r), floored.

    r = ``issuance`` is debt over collateral and p = ``penalty``, both in parts of ``unit``; D and C are values. Source:
    Synthetix, ``Liquidator.calculateAmountToFixCollateral``. SyntheticRefused where no amount restores it.
    """
    divisor = unit - (unit + penalty) * issuance // unit
    if divisor <= 0:
        raise SyntheticRefused("no liquidation restores this ratio")
    return max(0, debt - collateral * issuance // unit) * unit // divisor


class DebtPool:
    """See the module. ``prices`` values each synthetic (asset id) in cash, ``price`` the collateral."""

    def __init__(self, ledger: Ledger, name: str, collateral: int, rules: Rules, today: Today) -> None:
        self.ledger = ledger
        self.collateral = collateral
        self.rules = rules
        self.today = today
        self.vault = ledger.open_account(f"{name}.vault", "protocol")
        self.price: PriceSource | None = None
        self.prices: dict[int, PriceSource] = {}
        self.positions: dict[int, Position] = {}
        self.shares = 0
        self.totals = Totals()

    def list_synthetic(self, asset: int, source: PriceSource) -> None:
        """Let ``asset`` be issued at the price of ``source``."""
        self.prices[asset] = source

    # What anybody can read -----------------------------------------------------------------------------------

    def value(self, asset: int, amount: int) -> int:
        """Value of a synthetic, floored."""
        if asset not in self.prices:
            raise SyntheticRefused("this is no synthetic of the pool")
        return self.prices[asset].value(amount) if amount else 0

    def debt_value(self, asset: int, amount: int) -> int:
        """The same as a debt: never below its exact value."""
        return self.value(asset, amount) + 1 if amount else 0

    def total_debt(self) -> int:
        """Value of all synthetics: what all issuers owe together."""
        return sum(self.debt_value(asset, self.ledger.supply(asset)) for asset in sorted(self.prices))

    def debt(self, account: int) -> int:
        """What one issuer owes now."""
        shares = self.positions.get(account, Position()).shares
        return mul_div_up(self.total_debt(), shares, self.shares) if shares else 0

    def collateral_value(self, amount: int) -> int:
        """Value of so much collateral, floored."""
        if self.price is None:
            raise PriceUnavailable("the collateral has no price yet")
        return self.price.value(amount) if amount else 0

    def ratio(self, account: int) -> int | None:
        """Collateral over debt in millionths; None without debt."""
        debt = self.debt(account)
        return mul_div(self.collateral_value(self._position(account).collateral), MICRO, debt) if debt else None

    def unbacked(self) -> int:
        """Debt of all positions beyond the value of their own collateral."""
        return sum(max(0, self.debt(account) - self.collateral_value(one.collateral))
                   for account, one in sorted(self.positions.items()))

    # Issuing -------------------------------------------------------------------------------------------------

    def endow(self, account: int, collateral: int, asset: int, amount: int) -> None:
        """Before day 0: a position of ``account`` out of collateral it holds, whatever the collateral's price."""
        self.deposit(account, collateral)
        self._issue(account, asset, amount)

    def deposit(self, account: int, amount: int) -> None:
        """Put collateral into the position of ``account``."""
        if amount <= 0:
            raise SyntheticRefused(f"{amount} cannot be deposited")
        old = self.positions.get(account, Position())
        with self.ledger.atomic():
            self.ledger.transfer(self.collateral, account, self.vault, amount, "collateral")
            self._write(account, old._replace(collateral=old.collateral + amount))

    def withdraw(self, account: int, amount: int) -> None:
        """Take collateral out, as far as the issuance ratio is kept."""
        old = self._position(account)
        if not 0 < amount <= old.collateral:
            raise SyntheticRefused(f"{amount} cannot be taken out of {old.collateral}")
        self._require_ratio(old.collateral - amount, self.debt(account))
        with self.ledger.atomic():
            self.ledger.transfer(self.collateral, self.vault, account, amount, "collateral")
            self._write(account, old._replace(collateral=old.collateral - amount))

    def mint(self, account: int, asset: int, amount: int) -> None:
        """Issue ``amount`` of a synthetic against the position, as far as the issuance ratio is kept."""
        if amount <= 0:
            raise SyntheticRefused(f"{amount} cannot be issued")
        position = self._position(account)
        with self.ledger.atomic():
            self._issue(account, asset, amount)
            self._require_ratio(position.collateral, self.debt(account))

    def burn(self, account: int, asset: int, amount: int) -> None:
        """Destroy ``amount`` of a synthetic against the debt of ``account``; no more than the debt."""
        owed = self.debt(account)
        if amount <= 0 or owed == 0 or self.value(asset, amount - 1) >= owed:
            raise SyntheticRefused(f"{amount} cannot be burned against a debt of {owed}")
        with self.ledger.atomic():
            self._repay(account, account, asset, amount)
            self._unflag(account)

    def exchange(self, account: int, sold: int, amount: int, bought: int) -> int:
        """Turn one synthetic into another at their prices less the fee, which the debt pool keeps; what is bought."""
        if amount <= 0 or sold == bought:
            raise SyntheticRefused(f"{amount} cannot be exchanged")
        value = mul_div(self.value(sold, amount), BPS - self.rules.fee_bps, BPS)
        received = self._units(bought, value)
        if received == 0:
            raise SyntheticRefused(f"{amount} is worth nothing")
        with self.ledger.atomic():
            self.ledger.burn(sold, account, amount, "synthetic_exchange")
            self.ledger.mint(bought, account, received, "synthetic_exchange")
        return received

    # Liquidation ---------------------------------------------------------------------------------------------

    def flag(self, account: int) -> None:
        """Mark a position below the liquidation ratio: from now on its delay runs."""
        old = self._position(account)
        if old.flagged != NEVER or not self.below_liquidation(account):
            raise SyntheticRefused("this position cannot be flagged")
        self._write(account, old._replace(flagged=self.today.day))

    def below_liquidation(self, account: int) -> bool:
        """Whether the position is below the liquidation ratio now."""
        ratio = self.ratio(account)
        return ratio is not None and ratio < self.rules.liquidation

    def may_liquidate(self, account: int) -> bool:
        """Whether the position was flagged, has had its delay and is still below the ratio."""
        flagged = self._position(account).flagged
        return (flagged != NEVER and self.today.day >= flagged + self.rules.delay_days
                and self.below_liquidation(account))

    def liquidation_cap(self, account: int, penalty: int) -> int:
        """Debt that may be liquidated now: what restores the issuance ratio, or all of it."""
        owed = self.debt(account)
        worth = self.collateral_value(self._position(account).collateral)
        if worth * MICRO <= owed * (MICRO + penalty):
            return owed
        try:
            return min(owed, fix_amount(owed, worth, MICRO * MICRO // self.rules.issuance, penalty))
        except SyntheticRefused:
            return owed

    def seizure(self, account: int, asset: int, most: int) -> tuple[int, int]:
        """(synthetic to burn, collateral to get) for liquidating with up to ``most`` of ``asset`` now."""
        cap = self.liquidation_cap(account, self.rules.penalty)
        amount = min(most, self._units(asset, cap) + 1)
        with_penalty = mul_div(min(cap, self.value(asset, amount)), MICRO + self.rules.penalty, MICRO)
        seized = with_penalty * WHOLE // (self.collateral_value(WHOLE) + 1)
        return amount, min(seized, self._position(account).collateral)

    def liquidate(self, liquidator: int, account: int, asset: int, most: int) -> tuple[int, int]:
        """Burn up to ``most`` of the liquidator's synthetic against a flagged position, for its collateral with the
        penalty on top; returns (burned, collateral). What no collateral is left for is struck off."""
        if not self.may_liquidate(account) or most <= 0:
            raise SyntheticRefused("this position cannot be liquidated")
        amount, seized = self.seizure(account, asset, most)
        penalty = max(0, self.collateral_value(seized) - self.value(asset, amount))
        with self.ledger.atomic():
            before = self.debt(account)
            self._repay(account, liquidator, asset, amount)
            self.ledger.transfer(self.collateral, self.vault, liquidator, seized, "liquidation")
            old = self._position(account)
            self._write(account, old._replace(collateral=old.collateral - seized))
            left = self.debt(account)
            lost = left if old.collateral == seized else 0
            if old.collateral == seized and old.shares:
                self._strike_off(account)
            self._unflag(account)
            self._count(liquidations=1, repaid=before - left, seized=seized, bad_debt=lost,
                        penalty=penalty)
        return amount, seized

    def liquidate_self(self, account: int) -> tuple[int, int]:
        """Give up collateral with the smaller penalty, shared by the other issuers with the debt that it carried;
        returns (debt given up, collateral). Below the issuance ratio only."""
        position, owed = self._position(account), self.debt(account)
        ratio = self.ratio(account)
        others = {one: held.shares for one, held in sorted(self.positions.items()) if one != account and held.shares}
        if ratio is None or ratio >= self.rules.issuance or not others:
            raise SyntheticRefused("this position needs no liquidation, or nobody could take it over")
        cap = self.liquidation_cap(account, self.rules.own_penalty)
        given = mul_div(cap, MICRO + self.rules.own_penalty, MICRO) * WHOLE // (self.collateral_value(WHOLE) + 1)
        given = min(given, position.collateral)
        shares = position.shares if cap >= owed else mul_div(position.shares, cap, owed)
        # A position that is worth less than it owes leaves the difference to the others.
        lost = max(0, cap - self.collateral_value(given)) if given == position.collateral else 0
        parts = in_proportion(given, list(others.values())), in_proportion(shares, list(others.values()))
        with self.ledger.atomic():
            self._write(account, position._replace(collateral=position.collateral - given,
                                                   shares=position.shares - shares))
            for one, more, debt in zip(others, *parts, strict=True):
                held = self.positions[one]
                self._write(one, held._replace(collateral=held.collateral + more, shares=held.shares + debt))
            self._unflag(account)
            self._count(liquidations=1, bad_debt=lost)
        return cap, given

    # Invariants and inside -----------------------------------------------------------------------------------

    def check(self) -> str | None:
        """Invariant: the vault holds the positions' collateral, their shares are all shares, none is negative."""
        collateral = sum(one.collateral for one in self.positions.values())
        shares = sum(one.shares for one in self.positions.values())
        if collateral != self.ledger.balance(self.collateral, self.vault):
            return f"positions count {collateral} of collateral, the vault holds another amount"
        if shares != self.shares or min((min(one[:2]) for one in self.positions.values()), default=0) < 0:
            return f"positions hold {shares} of {self.shares} debt shares"
        return None

    def _position(self, account: int) -> Position:
        try:
            return self.positions[account]
        except KeyError:
            raise SyntheticRefused("this account has no position") from None

    def _units(self, asset: int, value: int) -> int:
        """Synthetic worth ``value``, floored."""
        return value * WHOLE // (self.value(asset, WHOLE) + 1)

    def _require_ratio(self, collateral: int, debt: int) -> None:
        if debt and self.collateral_value(collateral) * MICRO < debt * self.rules.issuance:
            raise SyntheticRefused("the collateral would be below the issuance ratio")

    def _issue(self, account: int, asset: int, amount: int) -> None:
        old, debt, value = self._position(account), self.total_debt(), self.debt_value(asset, amount)
        shares = mul_div_up(value, self.shares, debt) if self.shares and debt else value
        with self.ledger.atomic():
            self.ledger.mint(asset, account, amount, "synthetic_issue")
            self._write(account, old._replace(shares=old.shares + shares))

    def _repay(self, account: int, payer: int, asset: int, amount: int) -> None:
        """Burn the payer's synthetic and take the shares it repays off ``account``, floored."""
        old, owed, total = self._position(account), self.debt(account), self.total_debt()
        value = self.value(asset, amount)
        shares = old.shares if value >= owed else min(old.shares, mul_div(value, self.shares, total))
        self.ledger.burn(asset, payer, amount, "synthetic_repayment")
        self._write(account, old._replace(shares=old.shares - shares))

    def _strike_off(self, account: int) -> None:
        self._write(account, self._position(account)._replace(shares=0))

    def _unflag(self, account: int) -> None:
        """Take the flag off where the issuance ratio is back."""
        position = self.positions.get(account, Position())
        ratio = self.ratio(account) if position.shares else None
        if position.flagged != NEVER and (ratio is None or ratio >= self.rules.issuance):
            self._write(account, position._replace(flagged=NEVER))

    def _write(self, account: int, position: Position) -> None:
        old = self.positions.get(account)
        self.ledger.on_rollback(lambda: self._set(account, old))
        self._set(account, position)

    def _set(self, account: int, position: Position | None) -> None:
        self.shares -= self.positions.get(account, Position()).shares
        if position is None or position == Position():
            self.positions.pop(account, None)
        else:
            self.positions[account] = position
            self.shares += position.shares

    def _count(self, **more: int) -> None:
        old = self.totals
        self.ledger.on_rollback(lambda: setattr(self, "totals", old))
        self.totals = old._replace(**{name: getattr(old, name) + by for name, by in more.items()})
