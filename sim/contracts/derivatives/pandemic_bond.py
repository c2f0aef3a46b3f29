"""Pandemic bond: investors' principal lies in trust, pays a coupon, and goes to the sponsor where the trigger says so.

Each class has a principal in trust and, beside it, swaps of the same terms that are not funded: their sellers pay when
triggered, from margin and cash (:class:`~sim.contracts.derivatives.margin.MarginedContract`). The coupon is a spread on
what is outstanding, paid by the sponsor each period; what it cannot pay is recorded. What can never be: a trust that
holds anything but what is outstanding; a class pays more than its share, or twice. Rounding: coupon and payout floored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.contracts.derivatives.margin import MarginedContract, MarginError, Side
from sim.contracts.derivatives.parties import Party
from sim.kernel.fixedpoint import BPS, mul_div

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

ISSUE = "bond_issue"
COUPON = "bond_coupon"
PAYOUT = "bond_payout"
REDEMPTION = "bond_redemption"
YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class BondClass:
    """``bonds`` in trust and ``swaps`` beside them, base units; ``spread_bps`` a year over the risk-free rate;
    ``share_bps`` of both is paid once the event has ``deaths``."""

    name: str
    bonds: int
    swaps: int
    spread_bps: int
    deaths: int
    share_bps: int

    def payout(self) -> tuple[int, int]:
        """What a trigger takes of bonds and of swaps."""
        return mul_div(self.bonds, self.share_bps, BPS), mul_div(self.swaps, self.share_bps, BPS)

    def spread(self, principal: int, days: int) -> int:
        """Coupon over the risk-free rate on ``principal`` for ``days``."""
        return mul_div(principal, self.spread_bps * days, BPS * YEAR_DAYS)


class PandemicBond:
    """One class: ``investor`` and ``sponsor`` are its sides, ``swap`` the unfunded part, if any."""

    def __init__(
        self, ledger: Ledger, asset: int, terms: BondClass, investor: Party, sponsor: Party,
        swap: MarginedContract | None = None,
    ) -> None:
        self.ledger = ledger
        self.asset = asset
        self.terms = terms
        self.investor = investor
        self.sponsor = sponsor
        self.swap = swap
        self.trust = ledger.open_account(f"bond_{terms.name}.trust", "derivatives")
        self.outstanding = 0
        self.coupon_owed = self.coupon_paid = 0
        self.paid_out = self.swap_paid = 0
        self.triggered_on: int | None = None
        self.matured = False

    def issue(self) -> None:
        """The investor pays the principal into the trust."""
        if self.outstanding or self.matured:
            raise MarginError(f"class {self.terms.name} was issued before")
        if self.investor.free_cash() < self.terms.bonds:
            raise MarginError(f"the investor of class {self.terms.name} is short of its principal")
        with self.ledger.atomic():
            self._touch()
            self.investor.pay(self.trust, self.terms.bonds, ISSUE)
            if self.swap is not None:
                self.swap.enter()
            self.outstanding = self.terms.bonds

    def pay_coupon(self, days: int, day: int) -> int:
        """The sponsor pays the spread of ``days`` on bonds and swaps, as far as it has cash; returns what it paid."""
        self._touch()
        paid = 0
        due = self.terms.spread(self.outstanding, days)
        self.coupon_owed += due
        part = min(due, max(self.sponsor.free_cash(), 0))
        if part:
            self.sponsor.pay(self.trust, part, COUPON)
            self.investor.receive(self.trust, part, COUPON)
            paid += part
        self.coupon_paid += part
        if self.swap is not None and self.swap.open:
            left = 0 if self.triggered_on is None else self.terms.payout()[1]
            paid += self.swap.settle(Side.LONG, self.terms.spread(self.terms.swaps - left, days), COUPON, day)
        return paid

    def trigger(self, day: int) -> int:
        """Pay the class's share to the sponsor, once; returns what it received."""
        if self.triggered_on is not None or self.matured:
            raise MarginError(f"class {self.terms.name} has been triggered or has matured")
        self._touch()
        self.triggered_on = day
        from_bonds, from_swaps = self.terms.payout()
        self.sponsor.receive(self.trust, from_bonds, PAYOUT)
        self.outstanding -= from_bonds
        self.paid_out = from_bonds
        if self.swap is not None and self.swap.open:
            self.swap_paid = self.swap.settle(Side.SHORT, from_swaps, PAYOUT, day)
        return self.paid_out + self.swap_paid

    def mature(self, day: int) -> int:
        """What is outstanding goes back to the investor; returns it."""
        if self.matured:
            raise MarginError(f"class {self.terms.name} has matured")
        self._touch()
        returned, self.outstanding, self.matured = self.outstanding, 0, True
        self.investor.receive(self.trust, returned, REDEMPTION)
        if self.swap is not None and self.swap.open:
            self.swap.expire(day)
        return returned

    def check_trust(self) -> str | None:
        """The trust holds exactly what is outstanding, and principal = outstanding + paid out + redeemed."""
        held = self.ledger.balance(self.asset, self.trust)
        if held != self.outstanding:
            return f"the trust of class {self.terms.name} holds {held} for {self.outstanding} outstanding"
        if self.paid_out > self.terms.payout()[0] or self.coupon_paid > self.coupon_owed:
            return f"class {self.terms.name} has paid more than it owes"
        return None

    def _touch(self) -> None:
        if not self.ledger.in_atomic:
            return
        names = ("outstanding", "coupon_owed", "coupon_paid", "paid_out", "swap_paid", "triggered_on", "matured")
        kept = {name: getattr(self, name) for name in names}

        def restore() -> None:
            for name, value in kept.items():
                setattr(self, name, value)

        self.ledger.on_rollback(restore)
