"""The reserve of one lent asset: suppliers' shares, borrowers' debts, and the protocol's part of the interest.

Holds the cash in one account. Supply shares and scaled debts are ledger tokens: a debt is scaled x borrow index, and a
share is worth (cash + debts + debts under auction - protocol's part) / shares. What can never be: a debt that shrinks
without payment or a recorded loss; shares worth more than the reserve owns. Debts are rounded up and shares down, for
the reserve. The rate stands from one call to the next, so it does not matter how often somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sim.chain.mempool import Refused
from sim.contracts.credit.interest import RAY, KinkedRate, growth, ray_mul, supply_rate, utilisation
from sim.kernel.fixedpoint import BPS, mul_div, mul_div_up
from sim.kernel.ledger import Ledger


class LendingRefused(Refused):
    """A call that the lending pool declines; nothing has moved."""


class ReserveState(NamedTuple):
    """All that a reserve remembers beside the ledger; replaced as a whole, so that a rollback is one assignment.

    ``protocol_bps`` is the protocol's part in ten-thousandths of a base unit, which keeps it exact over any steps.
    ``cash`` is what calls have brought and taken: a gift to the account is nobody's, so that no gift makes a share
    dear before others deposit (as Aave 3.1 counts its balances).
    """

    borrow_index: int = RAY
    time: int = 0
    rate: int = 0
    protocol_bps: int = 0
    auctioned: int = 0
    interest: int = 0
    bad_debt: int = 0
    from_protocol: int = 0
    from_treasury: int = 0
    cash: int = 0


class Reserve:
    """See the module. ``now`` gives seconds; ``reserve_factor_bps`` is read when interest accrues."""

    def __init__(
        self, ledger: Ledger, asset: int, curve: KinkedRate, now: Callable[[], int],
        reserve_factor_bps: Callable[[], int], name: str = "lending",
    ) -> None:
        symbol = ledger.symbol(asset)
        self.ledger = ledger
        self.asset = asset
        self.symbol = symbol
        self.curve = curve
        self._now = now
        self._reserve_factor_bps = reserve_factor_bps
        self.account = ledger.open_account(f"{name}.{symbol}", "protocol")
        self.shares = ledger.asset(f"{symbol}-SUP", issuer=self.account, span="institutions")
        self.debts = ledger.asset(f"{symbol}-DEBT", span="institutions")
        self.state = ReserveState(time=now())

    # What anybody can read -----------------------------------------------------------------------------------

    def index(self) -> int:
        """The borrow index now, in rays."""
        state = self.state
        seconds = max(0, self._now() - state.time)
        if seconds == 0 or state.rate == 0:
            return state.borrow_index
        return ray_mul(state.borrow_index, growth(state.rate, seconds))

    @property
    def cash(self) -> int:
        """Base units that can be borrowed or withdrawn now."""
        return self.state.cash

    def total_debt(self) -> int:
        """All debts now, floored once."""
        return mul_div(self.ledger.supply(self.debts), self.index(), RAY)

    def debt_of(self, account: int) -> int:
        """What ``account`` owes now, rounded up."""
        return mul_div_up(self.ledger.balance(self.debts, account), self.index(), RAY)

    def protocol_part(self) -> int:
        """Interest kept by the protocol, not yet spent on losses."""
        return (self.state.protocol_bps + self._interest_due() * self._reserve_factor_bps()) // BPS

    def total_assets(self) -> int:
        """What stands behind the suppliers' shares."""
        return self.cash + self.total_debt() + self.state.auctioned - self.protocol_part()

    def supplied_by(self, account: int) -> int:
        """What the shares of ``account`` are worth, floored."""
        supply = self.ledger.supply(self.shares)
        held = self.ledger.balance(self.shares, account)
        return mul_div(held, self.total_assets(), supply) if held else 0

    def utilisation(self) -> int:
        """Lent share, in rays."""
        return utilisation(self.cash, self.total_debt())

    def supply_rate(self) -> int:
        """Rays a year that suppliers earn now."""
        return supply_rate(self.state.rate, self.utilisation(), self._reserve_factor_bps())

    # Steps of a call (the lending pool composes them inside one atomic block) ----------------------------------

    def accrue(self) -> None:
        """Let interest grow to now. The rate stays: only a call that moves money sets it anew."""
        due = self._interest_due()
        state = self.state
        self.replace(state._replace(
            borrow_index=self.index(), time=max(state.time, self._now()), interest=state.interest + due,
            protocol_bps=state.protocol_bps + due * self._reserve_factor_bps()))

    def reset_rate(self) -> None:
        """Set the rate by the utilisation that a call leaves."""
        self.replace(self.state._replace(rate=self.curve.borrow_rate(self.utilisation())))

    def deposit(self, account: int, amount: int) -> int:
        """Take ``amount`` for new shares, floored; returns them."""
        supply, behind = self.ledger.supply(self.shares), self.total_assets()
        minted = amount if supply == 0 else mul_div(amount, supply, behind) if behind else 0
        if amount <= 0 or minted == 0:
            raise LendingRefused(f"a supply of {amount} {self.symbol} buys no share")
        self.ledger.transfer(self.asset, account, self.account, amount, "lending_supply")
        self._count(amount)
        self.ledger.mint(self.shares, account, minted, "lending_supply")
        return minted

    def shares_for(self, amount: int) -> int:
        """Shares that bring ``amount``, rounded up."""
        return mul_div_up(amount, self.ledger.supply(self.shares), self.total_assets())

    def redeem(self, owner: int, to: int, amount: int) -> None:
        """Pay ``amount`` out of the shares of ``owner`` to ``to``."""
        if amount <= 0 or amount > self.cash:
            raise LendingRefused(f"the reserve has {self.cash} {self.symbol}, {amount} wanted")
        if self.total_assets() <= 0:
            raise LendingRefused(f"nothing stands behind the shares in {self.symbol}")
        burnt = min(self.shares_for(amount), self.ledger.balance(self.shares, owner))
        if mul_div(burnt, self.total_assets(), self.ledger.supply(self.shares)) < amount:
            raise LendingRefused(f"the shares are worth less than {amount} {self.symbol}")
        self.ledger.burn(self.shares, owner, burnt, "lending_withdrawal")
        self.ledger.transfer(self.asset, self.account, to, amount, "lending_withdrawal")
        self._count(-amount)

    def lend(self, account: int, amount: int) -> None:
        """Pay out ``amount`` and note the debt, rounded up."""
        if amount <= 0 or amount > self.cash:
            raise LendingRefused(f"the reserve has {self.cash} {self.symbol}, {amount} wanted")
        self.ledger.mint(self.debts, account, mul_div_up(amount, RAY, self.index()), "lending_borrow")
        self.ledger.transfer(self.asset, self.account, account, amount, "lending_borrow")
        self._count(-amount)

    def repay(self, payer: int, account: int, amount: int) -> int:
        """Take at most the debt of ``account`` from ``payer``; returns what was taken."""
        owed = self.debt_of(account)
        paid = min(amount, owed)
        if paid <= 0:
            raise LendingRefused(f"nothing to repay in {self.symbol}")
        self.ledger.transfer(self.asset, payer, self.account, paid, "lending_repayment")
        self._count(paid)
        self.strike(account, paid)
        return paid

    def strike(self, account: int, amount: int) -> None:
        """Take ``amount`` off the debt of ``account``, floored, the whole of it where it is all."""
        held = self.ledger.balance(self.debts, account)
        burnt = held if amount >= self.debt_of(account) else mul_div(amount, RAY, self.index())
        self.ledger.burn(self.debts, account, burnt, "lending_debt_off")

    def lose(self, amount: int, treasury: int | None) -> int:
        """Record ``amount`` of debt as lost: borne by the protocol's part, the treasury if given, then all suppliers.

        The debt itself has been struck off already. Returns what the treasury paid.
        """
        state = self.state
        own = min(amount, state.protocol_bps // BPS)
        paid = 0
        if treasury is not None:
            paid = min(amount - own, self.ledger.balance(self.asset, treasury))
            self.ledger.transfer(self.asset, treasury, self.account, paid, "bad_debt_cover")
        self.replace(state._replace(
            protocol_bps=state.protocol_bps - own * BPS, bad_debt=state.bad_debt + amount,
            from_protocol=state.from_protocol + own, from_treasury=state.from_treasury + paid,
            cash=state.cash + paid))
        return paid

    def _count(self, change: int) -> None:
        self.replace(self.state._replace(cash=self.state.cash + change))

    def replace(self, state: ReserveState) -> None:
        """Take over ``state``; undone with the block it belongs to."""
        old = self.state
        self.ledger.on_rollback(lambda: setattr(self, "state", old))
        self.state = state

    def _interest_due(self) -> int:
        """Interest since the last accrual, by which the floored sum of debts grows."""
        index, supply = self.index(), self.ledger.supply(self.debts)
        return mul_div(supply, index, RAY) - mul_div(supply, self.state.borrow_index, RAY)
