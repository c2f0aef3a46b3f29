"""A regional relief fund: residents pay it a levy, it buys cover for them and pays out what the cover brought.

The levy is the same for everybody and falls due when the fund needs cash. Relief goes to all residents in equal parts,
or to those who paid for care themselves, in proportion to what they paid and never more. What residents cannot pay is
recorded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.contracts.derivatives.parties import CashParty
from sim.kernel.fixedpoint import share_pot
from sim.kernel.ledger import Ledger

LEVY = "relief_levy"
RELIEF = "relief"

Ints = NDArray[np.int64]


class OwnPayments:
    """What each person paid for care itself, by the population's column of the year; ``paid`` int64[people] since the
    last :meth:`take`."""

    def __init__(self, column: Ints) -> None:
        self.column = column
        self.paid: Ints = np.zeros_like(column)
        self._seen: Ints = column.copy()

    def add(self) -> None:
        """Add what was paid since the last call; must be called on the last day of each year, before the column is
        reset."""
        self.paid += np.where(self.column >= self._seen, self.column - self._seen, self.column)
        self._seen[:] = self.column

    def take(self) -> Ints:
        """int64[people] since the last call."""
        self.add()
        found = self.paid
        self.paid = np.zeros_like(found)
        return found


class RegionalFund(CashParty):
    """Fund of the residents ``slots`` int64[n]. ``levied`` and ``relieved`` int64[n] are sums by resident."""

    def __init__(self, ledger: Ledger, asset: int, name: str, slots: Ints) -> None:
        super().__init__(ledger, asset, f"relief_{name}", "government")
        self.slots = slots
        self.accounts: Ints = slots + ledger.people_start
        self.levied: Ints = np.zeros(slots.size, dtype=np.int64)
        self.relieved: Ints = np.zeros(slots.size, dtype=np.int64)
        self.levy_unpaid = 0

    def raise_cash(self, needed: int) -> None:
        """Levy what is missing to ``needed``, in equal parts rounded up. What some cannot pay is recorded, and asked of
        the others as long as there are any."""
        able = np.arange(self.slots.size)
        while able.size and (short := needed - self.free_cash()) > 0:
            part = -(-short // able.size)
            paid = self.ledger.collect(self.asset, self.accounts[able], self.account, part, LEVY, partial=True)
            assert paid is not None
            self.levied[able[paid]] += part
            self.levy_unpaid += part * int((~paid).sum())
            able = able[paid]

    def reimburse(self, pot: int, own: Ints) -> int:
        """Pay ``pot``, as far as the fund has it, on residents' ``own`` payments int64[n]; returns what was paid."""
        pot = min(pot, self.free_cash(), int(own.sum()))
        if pot <= 0:
            return 0
        parts = share_pot(pot, own, np.arange(own.size, dtype=np.uint64))
        self._give(parts)
        return int(parts.sum())

    def distribute(self, pot: int) -> int:
        """Pay ``pot``, as far as the fund has it, in equal parts, floored: a rest below one unit a head stays with the
        fund. Returns what was paid."""
        part = min(pot, self.free_cash()) // max(self.slots.size, 1)
        if part > 0:
            self._give(np.full(self.slots.size, part, dtype=np.int64))
        return part * self.slots.size

    def dissolve(self) -> None:
        """What is left goes back in equal parts."""
        self.distribute(self.free_cash())

    def _give(self, parts: Ints) -> None:
        self.ledger.pay(self.asset, self.account, self.accounts, parts, RELIEF)
        self.relieved += parts
