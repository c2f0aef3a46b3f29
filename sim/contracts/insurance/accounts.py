"""A pool's ledger accounts, and the running totals that its invariants are checked with."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

SECTOR = "insurers"


@dataclass(frozen=True, slots=True)
class PoolAccounts:
    """Where a pool's money lies.

    ``unearned`` belongs to policyholders; ``claims``, ``surplus``, ``junior`` and ``senior`` are the layers of the
    waterfall; ``expenses`` is the insurer's own; ``escrow`` holds shares whose redemption was requested.
    """

    unearned: int
    claims: int
    surplus: int
    junior: int
    senior: int
    expenses: int
    escrow: int

    @classmethod
    def open(cls, ledger: Ledger, pool: str) -> PoolAccounts:
        """Open "<pool>.unearned" and so on, all in the sector of insurers."""
        names = ("unearned", "claims", "surplus", "junior", "senior", "expenses", "escrow")
        return cls(*(ledger.open_account(f"{pool}.{name}", SECTOR) for name in names))


@dataclass(frozen=True, slots=True)
class FeeAccounts:
    """Accounts outside the pool that share in its premium."""

    oracles: int
    treasury: int


@dataclass(slots=True)
class Totals:
    """Sums since the start, base units. ``written`` is premium received less what was given back; ``transfers`` what
    came from other pools for risk adjustment, less what went there.

    ``by_layer`` is what each layer paid for claims, by its name; ``borne_today`` the same for the current day.
    ``exchanged`` is money that came into the layers (negative: left them) for other reasons, by reason.
    """

    written: int = 0
    earned: int = 0
    fees: int = 0
    capital_income: int = 0
    senior_income: int = 0
    approved: int = 0
    paid: int = 0
    deposited: int = 0
    withdrawn: int = 0
    dividends: int = 0
    rebates: int = 0
    transfers: int = 0
    by_layer: dict[str, int] = field(default_factory=dict)
    borne_today: dict[str, int] = field(default_factory=dict)
    exchanged: dict[str, int] = field(default_factory=dict)

    def bear(self, layer: str, amount: int) -> None:
        """Count a payment of ``layer`` for claims."""
        self.paid += amount
        self.by_layer[layer] = self.by_layer.get(layer, 0) + amount
        self.borne_today[layer] = self.borne_today.get(layer, 0) + amount

    def copy(self) -> Totals:
        """The figures as they stand."""
        totals = Totals(*_figures(self))
        totals.by_layer, totals.borne_today = dict(self.by_layer), dict(self.borne_today)
        totals.exchanged = dict(self.exchanged)
        return totals


_figures = attrgetter(*Totals.__slots__)
