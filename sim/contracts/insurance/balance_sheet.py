"""A pool's balance sheet: what it holds, what it owes for claims, what is left as capital, what capital it needs.

Everything is at market value and at reserves of today, from the day of report; nothing here moves money. Rounding:
requirements and reserves up, so that capital is never overstated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.contracts.insurance.accounts import PoolAccounts
from sim.contracts.insurance.capital import Book, CapitalRegime, Ceded
from sim.contracts.insurance.policy import Terms
from sim.contracts.insurance.pool_state import PoolConfig, PoolState
from sim.contracts.insurance.premium import MONTH_DAYS, YEAR_DAYS
from sim.contracts.insurance.reserves import Reserves
from sim.contracts.insurance.unpaid import UnpaidClaims

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger


class BalanceSheet:
    """Base of :class:`sim.contracts.insurance.pool.InsurancePool`, which sets these attributes."""

    ledger: Ledger
    asset: int
    accounts: PoolAccounts
    config: PoolConfig
    regime: CapitalRegime
    plans: list[Terms]
    reserves: Reserves
    unpaid: UnpaidClaims
    state: PoolState
    today: int
    members: int
    monthly_premium: int
    active_cover: int
    admitted: dict[str, Callable[[], int]]
    """Assets other than the cash of the waterfall's accounts, at market value, by class: recoverables, investments."""
    owed: dict[str, Callable[[], int]]
    """Debts other than claims, by class."""
    ceded: Ceded
    """What reinsurance in force takes of a year, as the capital regime sees it."""
    lent: int
    """Money of the senior tranche that is invested: its claim on the first-loss assets, ahead of the junior tranche."""

    def admitted_assets(self) -> int:
        """Market value of all assets that are not cash, base units."""
        return sum(value() for value in self.admitted.values()) if self.admitted else 0

    def debts(self) -> int:
        """What the pool owes others than claimants, base units."""
        return sum(value() for value in self.owed.values()) if self.owed else 0

    def cash(self, account: int) -> int:
        """Balance of one of the pool's accounts."""
        return self.ledger.balance(self.asset, account)

    def layer_money(self) -> int:
        """Cash of all layers of the waterfall."""
        a = self.accounts
        return self.cash(a.claims) + self.cash(a.surplus) + self.cash(a.junior) + self.cash(a.senior)

    def claim_reserves(self) -> int:
        """Liabilities for claims: reported, unreported, and approved but unpaid."""
        reserves = self.reserves
        return reserves.outstanding + reserves.ibnr + self.unpaid.total

    def first_loss(self) -> int:
        """Claims fund, surplus, junior money and admitted assets less claim reserves, debts and what was lent by the
        senior tranche: what stands before the senior capital, negative where that bears losses already."""
        a, asset, balance = self.accounts, self.asset, self.ledger.balance
        cash = balance(asset, a.claims) + balance(asset, a.surplus) + balance(asset, a.junior)
        return cash + self.admitted_assets() - self.claim_reserves() - self.debts() - self.lent

    def junior_value(self) -> int:
        """Assets behind the junior shares: the residual after reserves, surplus included."""
        return max(self.first_loss(), 0)

    def senior_value(self) -> int:
        """Assets behind the senior shares: its money less the reserves that nothing before it covers."""
        return max(self.senior_money() + min(self.first_loss(), 0), 0)

    def senior_money(self) -> int:
        """What the senior tranche has put in and not lost: its cash, and what it lent to investments."""
        return self.cash(self.accounts.senior) + self.lent

    @property
    def capital(self) -> int:
        """Own funds: all assets but unearned premium, less liabilities. Negative: assets are below liabilities."""
        return self.first_loss() + self.senior_money()

    def book(self) -> Book:
        """The business in force, as the capital regime sees it."""
        annual = self.monthly_premium * YEAR_DAYS // MONTH_DAYS
        return Book(self.members, annual, math.ceil(annual * self.config.shares.claims), self.claim_reserves(),
                    self.active_cover, self.ceded)

    def carries(self, members: int, monthly_premium: int, cover: int, ratio: float) -> bool:
        """Whether capital would cover ``ratio`` x SCR with so many more members, so much more monthly premium and sums
        assured."""
        book = self.book()
        annual = (self.monthly_premium + monthly_premium) * YEAR_DAYS // MONTH_DAYS
        larger = Book(book.members + members, annual, math.ceil(annual * self.config.shares.claims),
                      book.claim_reserves, book.active_cover + cover, self.ceded)
        return self.capital >= ratio * self.regime.desired(larger)

    def scr(self) -> int:
        """Solvency capital requirement: what the regime requires today."""
        return 0 if self.state is PoolState.CLOSED else self.regime.required(self.book(), self.today)

    def mcr(self) -> int:
        """Minimum capital requirement."""
        return math.ceil(self.scr() * self.regime.minimum_share)

    def scr_ratio(self) -> float:
        """Capital over SCR; infinite where nothing is required."""
        scr = self.scr()
        return self.capital / scr if scr else math.inf

    def mcr_ratio(self) -> float:
        """Capital over MCR, the MCR %; infinite where nothing is required."""
        mcr = self.mcr()
        return self.capital / mcr if mcr else math.inf
