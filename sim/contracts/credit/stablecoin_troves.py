"""An over-collateralised stablecoin, rule for rule as Liquity's: troves, recovery mode, liquidation, redemption.

Holds all collateral in one vault and a reserve of coins for liquidators. What can never be: a supply that differs from
the sum of debts; collateral that leaves a trove below its minimum ratio except by liquidation or redemption; a debt
written off. A liquidation is borne by the stability pool first, what that cannot bear by the other troves in proportion
to their collateral. Values are floored, debts exact, splits by prefix sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sim.chain.mempool import Refused
from sim.contracts.credit.price_source import PriceSource, PriceUnavailable
from sim.contracts.credit.redemption import UNIT, BaseRate
from sim.contracts.credit.stability_pool import StabilityPool, in_proportion
from sim.kernel.fixedpoint import MICRO, mul_div, mul_div_up

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

COMPENSATION_PART = 200
"""A liquidator gets one part in this many of the collateral."""

WHOLE = 10**12


class TroveRefused(Refused):
    """A call that the rules of troves do not allow."""


class Trove(NamedTuple):
    """One borrower: base units of collateral and of debt, the liquidation reserve included."""

    collateral: int = 0
    debt: int = 0


class Rules(NamedTuple):
    """``minimum`` and ``critical`` ratios in millionths, ``reserve`` and ``least_debt`` in base units."""

    minimum: int
    critical: int
    reserve: int
    least_debt: int


class Totals(NamedTuple):
    """Counts of the run: troves liquidated, debt borne by the pool and by other troves, coins redeemed."""

    liquidated: int = 0
    offset: int = 0
    redistributed: int = 0
    redeemed: int = 0


class Troves:
    """See the module. ``clock`` gives seconds for the base rate; fees go to ``fee_account``."""

    def __init__(
        self, ledger: Ledger, name: str, coin: int, collateral: int, rules: Rules, base_rate: BaseRate,
        clock: Callable[[], int], fee_account: int,
    ) -> None:
        self.ledger = ledger
        self.coin = coin
        self.collateral = collateral
        self.rules = rules
        self.base_rate = base_rate
        self.clock = clock
        self.fee_account = fee_account
        self.price: PriceSource | None = None
        self.vault = ledger.open_account(f"{name}.vault", "protocol")
        self.reserve = ledger.open_account(f"{name}.liquidation_reserve", "protocol")
        self.stability = StabilityPool(ledger, name, coin, collateral)
        self.stability.held_back = self.below_minimum
        self.troves: dict[int, Trove] = {}
        self.surplus: dict[int, int] = {}
        """Collateral of closed troves that their owners have not fetched yet."""
        self.totals = Totals()

    # What anybody can read -----------------------------------------------------------------------------------

    def value(self, collateral: int) -> int:
        """What so much collateral is worth, base units of cash."""
        if self.price is None:
            raise PriceUnavailable("the collateral has no price yet")
        return self.price.value(collateral)

    def ratio(self, trove: Trove) -> int:
        """Collateral ratio in millionths."""
        return mul_div(self.value(trove.collateral), MICRO, trove.debt)

    def ratio_of(self, account: int) -> int:
        """The ratio of one borrower's trove."""
        return self.ratio(self._trove(account))

    def total(self) -> Trove:
        """Collateral and debt of all troves."""
        return Trove(sum(one.collateral for one in self.troves.values()), self.ledger.supply(self.coin))

    def in_recovery(self, change: Trove | None = None) -> bool:
        """Whether all troves together are, after ``change``, below the critical ratio."""
        total = self.total()
        if change is not None:
            total = Trove(total.collateral + change.collateral, total.debt + change.debt)
        return total.debt > 0 and self.ratio(total) < self.rules.critical

    def by_risk(self) -> list[int]:
        """Borrowers' accounts, the lowest ratio first."""
        return sorted(self.troves, key=lambda one: (self.troves[one].collateral * UNIT // self.troves[one].debt, one))

    def below_minimum(self) -> bool:
        """Whether any trove is below the minimum ratio; as in Liquity, no deposit leaves the stability pool then."""
        return any(self.ratio(trove) < self.rules.minimum for trove in self.troves.values())

    def borrowing_fee(self, amount: int) -> int:
        """Coins added to the debt for borrowing ``amount`` now."""
        return mul_div_up(amount, self.base_rate.fee_rate(self.clock()), UNIT)

    # Borrowing -----------------------------------------------------------------------------------------------

    def endow(self, account: int, collateral: int, debt: int) -> None:
        """Before day 0: a trove for ``account`` out of collateral it holds, or more of the one that it has; ``debt``
        coins for it, without a fee."""
        old = self.troves.get(account)
        if old is None:
            self._enter(account, collateral, Trove(collateral, debt + self.rules.reserve), debt, 0)
            return
        with self.ledger.atomic():
            self.ledger.transfer(self.collateral, account, self.vault, collateral, "collateral")
            self.ledger.mint(self.coin, account, debt, "stablecoin_loan")
            self._write(account, Trove(old.collateral + collateral, old.debt + debt))

    def open(self, account: int, collateral: int, amount: int) -> int:
        """Deposit ``collateral`` and borrow ``amount``; returns the fee."""
        if account in self.troves:
            raise TroveRefused("this account has a trove")
        if collateral <= 0 or amount < self.rules.least_debt:
            raise TroveRefused(f"a trove needs collateral and a debt of {self.rules.least_debt}, not {amount}")
        fee = 0 if self.in_recovery() else self.borrowing_fee(amount)
        trove = Trove(collateral, amount + fee + self.rules.reserve)
        self._require(trove, trove)
        with self.ledger.atomic():
            self.base_rate.decay(self.clock())
            self._enter(account, collateral, trove, amount, fee)
        return fee

    def borrow(self, account: int, amount: int) -> int:
        """Borrow more; returns the fee."""
        old = self._trove(account)
        if amount <= 0:
            raise TroveRefused(f"{amount} cannot be borrowed")
        fee = 0 if self.in_recovery() else self.borrowing_fee(amount)
        new = Trove(old.collateral, old.debt + amount + fee)
        self._require(new, Trove(0, amount + fee))
        with self.ledger.atomic():
            self.base_rate.decay(self.clock())
            self.ledger.mint(self.coin, account, amount, "stablecoin_loan")
            self.ledger.mint(self.coin, self.fee_account, fee, "stablecoin_fee")
            self._write(account, new)
        return fee

    def add_collateral(self, account: int, amount: int) -> None:
        """Put more collateral into the trove."""
        old = self._trove(account)
        if amount <= 0:
            raise TroveRefused(f"{amount} cannot be deposited")
        with self.ledger.atomic():
            self.ledger.transfer(self.collateral, account, self.vault, amount, "collateral")
            self._write(account, old._replace(collateral=old.collateral + amount))

    def withdraw_collateral(self, account: int, amount: int) -> None:
        """Take collateral out, outside recovery mode and above the ratios."""
        old = self._trove(account)
        if not 0 < amount < old.collateral:
            raise TroveRefused(f"{amount} cannot be taken out of {old.collateral}")
        if self.in_recovery():
            raise TroveRefused("no collateral leaves in recovery mode")
        new = old._replace(collateral=old.collateral - amount)
        self._require(new, Trove(-amount, 0))
        with self.ledger.atomic():
            self.ledger.transfer(self.collateral, self.vault, account, amount, "collateral")
            self._write(account, new)

    def repay(self, account: int, amount: int) -> None:
        """Burn coins against the debt, down to the least that a trove may owe."""
        old = self._trove(account)
        if not 0 < amount <= old.debt - self.rules.reserve - self.rules.least_debt:
            raise TroveRefused(f"{amount} cannot be repaid; close the trove instead")
        with self.ledger.atomic():
            self.ledger.burn(self.coin, account, amount, "stablecoin_repayment")
            self._write(account, old._replace(debt=old.debt - amount))

    def close(self, account: int) -> None:
        """Repay everything and take the collateral back; outside recovery mode and not as the last trove."""
        old = self._trove(account)
        if self.in_recovery() or len(self.troves) == 1:
            raise TroveRefused("no trove is closed in recovery mode, nor the last one")
        if self.in_recovery(Trove(-old.collateral, -old.debt)):
            raise TroveRefused("closing would bring recovery mode")
        with self.ledger.atomic():
            self.ledger.burn(self.coin, account, old.debt - self.rules.reserve, "stablecoin_repayment")
            self.ledger.burn(self.coin, self.reserve, self.rules.reserve, "stablecoin_repayment")
            self.ledger.transfer(self.collateral, self.vault, account, old.collateral, "collateral")
            self._write(account, None)

    def claim_surplus(self, account: int) -> int:
        """Fetch what a redemption or a capped liquidation left of the collateral."""
        left = self.surplus.get(account, 0)
        with self.ledger.atomic():
            self.ledger.transfer(self.collateral, self.vault, account, left, "collateral")
            self._keep(account, -left)
        return left

    # Liquidation and redemption ------------------------------------------------------------------------------

    def may_liquidate(self, account: int) -> bool:
        """Whether :meth:`liquidate` would be accepted now."""
        trove = self._trove(account)
        ratio = self.ratio(trove)
        if len(self.troves) == 1:
            return False
        if ratio < self.rules.minimum:
            return True
        return self.in_recovery() and ratio < self.ratio(self.total()) and trove.debt <= self.stability.total

    def liquidate(self, liquidator: int, account: int) -> int:
        """Close a trove below its minimum ratio (in recovery mode: below that of all); returns the collateral paid to
        the liquidator, who also gets the reserve."""
        if not self.may_liquidate(account):
            raise TroveRefused("this trove cannot be liquidated")
        old, ledger, rules = self._trove(account), self.ledger, self.rules
        ratio = self.ratio(old)
        taken = old.collateral
        if ratio >= rules.minimum:  # in recovery mode: no more than the minimum ratio, the rest is the owner's
            taken = min(taken, self._collateral_worth(mul_div(old.debt, rules.minimum, MICRO)))
        paid = taken // COMPENSATION_PART
        left, capped = taken - paid, old.collateral - taken
        worthless = self.in_recovery() and ratio <= MICRO  # then the pool is spared, the others share it
        offset = 0 if worthless else min(old.debt, self.stability.total)
        to_pool = mul_div(left, offset, old.debt)
        with ledger.atomic():
            ledger.transfer(self.collateral, self.vault, liquidator, paid, "liquidation_reward")
            ledger.transfer(self.coin, self.reserve, liquidator, rules.reserve, "liquidation_reward")
            self._write(account, None)
            if offset:
                self.stability.offset(offset, self.vault, to_pool)
            if capped:
                self._keep(account, capped)
            self._redistribute(left - to_pool, old.debt - offset)
            self._count(liquidated=1, offset=offset, redistributed=old.debt - offset)
        return paid

    def _redistribute(self, collateral: int, debt: int) -> None:
        """Give both to all troves in proportion to their collateral."""
        if collateral == 0 and debt == 0:
            return
        accounts = sorted(self.troves)
        weights = [self.troves[one].collateral for one in accounts]
        for one, more, owed in zip(accounts, in_proportion(collateral, weights), in_proportion(debt, weights),
                                   strict=True):
            trove = self.troves[one]
            self._write(one, Trove(trove.collateral + more, trove.debt + owed))

    def redemption(self, amount: int) -> tuple[int, int, list[tuple[int, int, int]]]:
        """(coins, collateral less fee, [(account, coins, collateral)]) of redeeming up to ``amount`` now."""
        rules, left = self.rules, amount
        if amount <= 0 or not self.troves or self.ratio(self.total()) < rules.minimum:
            raise TroveRefused("nothing is redeemed below the minimum ratio of all troves")
        parts = []
        for account in self.by_risk():
            trove = self.troves[account]
            if left == 0:
                break
            if self.ratio(trove) < rules.minimum:
                continue
            lot = min(left, trove.debt - rules.reserve)
            after = trove.debt - lot
            if rules.reserve < after < rules.reserve + rules.least_debt:
                lot = trove.debt - rules.reserve - rules.least_debt
                if lot <= 0:
                    break
            parts.append((account, lot, self._collateral_worth(lot)))
            left -= lot
            if lot < trove.debt - rules.reserve:
                break
        coins, drawn = amount - left, sum(part[2] for part in parts)
        if coins == 0:
            raise TroveRefused("no trove can be redeemed against")
        rate = self.base_rate.redemption_fee_rate(coins, self.ledger.supply(self.coin), self.clock())
        return coins, drawn - mul_div_up(drawn, rate, UNIT), parts

    def redeem(self, account: int, amount: int) -> tuple[int, int]:
        """Destroy up to ``amount`` coins for collateral at face value less the fee, from the riskiest troves first;
        returns (coins destroyed, collateral)."""
        coins, paid, parts = self.redemption(amount)
        drawn, ledger, rules = sum(part[2] for part in parts), self.ledger, self.rules
        with ledger.atomic():
            self.base_rate.redeem(coins, ledger.supply(self.coin), self.clock())
            ledger.burn(self.coin, account, coins, "stablecoin_redemption")
            ledger.transfer(self.collateral, self.vault, account, paid, "stablecoin_redemption")
            ledger.transfer(self.collateral, self.vault, self.fee_account, drawn - paid, "stablecoin_fee")
            for owner, lot, collateral in parts:
                trove = self.troves[owner]
                rest = Trove(trove.collateral - collateral, trove.debt - lot)
                if rest.debt > rules.reserve:
                    self._write(owner, rest)
                    continue
                ledger.burn(self.coin, self.reserve, rules.reserve, "stablecoin_redemption")
                self._write(owner, None)
                self._keep(owner, rest.collateral)
            self._count(redeemed=coins)
        return coins, paid

    # Invariants and inside -----------------------------------------------------------------------------------

    def check(self) -> str | None:
        """Invariant: supply is the debt of the troves, the vault holds their collateral and what waits for owners."""
        debts = sum(one.debt for one in self.troves.values())
        if debts != self.ledger.supply(self.coin):
            return f"troves owe {debts} of a supply of {self.ledger.supply(self.coin)}"
        held = self.ledger.balance(self.collateral, self.vault)
        counted = sum(one.collateral for one in self.troves.values()) + sum(self.surplus.values())
        if counted != held or min((one.collateral for one in self.troves.values()), default=0) < 0:
            return f"the vault holds {held}, troves count {counted}"
        if self.ledger.balance(self.coin, self.reserve) != len(self.troves) * self.rules.reserve:
            return "the liquidation reserve does not fit the number of troves"
        return self.stability.check()

    def _collateral_worth(self, value: int) -> int:
        """Collateral worth ``value`` of cash, floored."""
        return value * WHOLE // (self.value(WHOLE) + 1)

    def _require(self, trove: Trove, change: Trove) -> None:
        """The ratios that a trove must keep after taking something out."""
        ratio = self.ratio(trove)
        if self.in_recovery():
            if ratio < self.rules.critical:
                raise TroveRefused("in recovery mode a trove must be above the critical ratio")
        elif ratio < self.rules.minimum:
            raise TroveRefused(f"the ratio would be {ratio}, below {self.rules.minimum}")
        elif self.in_recovery(change):
            raise TroveRefused("this would bring recovery mode")

    def _enter(self, account: int, collateral: int, trove: Trove, amount: int, fee: int) -> None:
        with self.ledger.atomic():
            self.ledger.transfer(self.collateral, account, self.vault, collateral, "collateral")
            self.ledger.mint(self.coin, account, amount, "stablecoin_loan")
            self.ledger.mint(self.coin, self.fee_account, fee, "stablecoin_fee")
            self.ledger.mint(self.coin, self.reserve, self.rules.reserve, "stablecoin_loan")
            self._write(account, trove)

    def _trove(self, account: int) -> Trove:
        try:
            return self.troves[account]
        except KeyError:
            raise TroveRefused("this account has no trove") from None

    def _write(self, account: int, trove: Trove | None) -> None:
        old = self.troves.get(account)
        self.ledger.on_rollback(lambda: self._set(account, old))
        self._set(account, trove)

    def _set(self, account: int, trove: Trove | None) -> None:
        if trove is None:
            self.troves.pop(account, None)
        else:
            self.troves[account] = trove

    def _keep(self, account: int, change: int) -> None:
        old = self.surplus
        self.ledger.on_rollback(lambda: setattr(self, "surplus", old))
        self.surplus = {**old, account: old.get(account, 0) + change}

    def _count(self, **more: int) -> None:
        old = self.totals
        self.ledger.on_rollback(lambda: setattr(self, "totals", old))
        self.totals = old._replace(**{name: getattr(old, name) + by for name, by in more.items()})
