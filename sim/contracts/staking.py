"""Staking: deposits that can be lost, and committees drawn in proportion to them.

Holds one escrow account per staker, so that a stake *is* a ledger balance and its conservation is the ledger's. The
only state beside it is what is unbonding and since when. What can never be: a unit of stake that is in no escrow; a
slashed unit that is neither with another staker nor in the account named for the rest; stake withdrawn before its
delay, or drawn into a committee while it is unbonding (it can still be slashed). Nothing is divided here but by the
exact sharing of :mod:`sim.contracts.oracle_committee.payout`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.chain.mempool import Refused
from sim.contracts.oracle_committee.payout import Tally
from sim.contracts.oracle_committee.seats import draw_seats

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

UNKNOWN_DAY = -1


class StakingError(Refused):
    """A stake or withdrawal that the contract refuses."""


class Staking:
    """Stakes of one asset. Stakers are numbered in the order in which they were added.

    Parameters
    ----------
    ledger: the ledger.
    name: prefix of the contract's accounts.
    asset: id of the staked asset; its span must reach institutions.
    sector: sector of the stakers; a stake in escrow remains its staker's.
    unstake_days: days from a request until stake can be withdrawn.
    minimum: base units of active stake below which a staker is not drawn.
    """

    def __init__(
        self, ledger: Ledger, name: str, asset: int, sector: str, unstake_days: int, minimum: int
    ) -> None:
        self.ledger = ledger
        self.name = name
        self.asset = asset
        self.sector = sector
        self.unstake_days = unstake_days
        self.minimum = minimum
        self.pot = ledger.open_account(f"{name}.pot", "protocol")
        self.names: list[str] = []
        self.escrows: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._unbonding: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._free_from: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def add(self, staker: str) -> int:
        """Register ``staker`` with an empty escrow and return its number."""
        if staker in self.names:
            raise StakingError(f"{staker!r} is a staker already")
        escrow = self.ledger.open_account(f"{self.name}.{staker}", self.sector)
        self.names.append(staker)
        self.escrows = np.append(self.escrows, np.int64(escrow))
        self._unbonding = np.append(self._unbonding, np.int64(0))
        self._free_from = np.append(self._free_from, np.int64(UNKNOWN_DAY))
        return len(self.names) - 1

    def stakes(self) -> NDArray[np.int64]:
        """All stake of each staker, int64[stakers], unbonding included."""
        return self.ledger.balances(self.asset)[self.escrows]

    def unbonding(self) -> NDArray[np.int64]:
        """Stake on its way out, int64[stakers]; what was slashed of it no longer counts."""
        return np.minimum(self._unbonding, self.stakes())

    def weights(self) -> NDArray[np.int64]:
        """Stake with which each staker takes part in draws, int64[stakers]; zero below the minimum."""
        stakes = self.stakes()
        active = stakes - np.minimum(self._unbonding, stakes)
        active[active < max(self.minimum, 1)] = 0
        return active

    def stake(self, staker: int, wallet: int, amount: int) -> None:
        """Move ``amount`` base units from ``wallet`` into the staker's escrow."""
        self.ledger.transfer(self.asset, wallet, int(self.escrows[staker]), amount, "stake")

    def request_unstake(self, staker: int, amount: int, day: int) -> None:
        """Start the delay for ``amount`` more of the active stake; a later request restarts it for all of it."""
        active = int(self.stakes()[staker]) - int(self.unbonding()[staker])
        if not 0 < amount <= active:
            raise StakingError(f"{self.names[staker]} cannot unstake {amount} of {active} active base units")
        self._change(staker, int(self.unbonding()[staker]) + amount, day + self.unstake_days)

    def withdraw(self, staker: int, wallet: int, day: int) -> int:
        """Pay out what has passed its delay, and return it; StakingError before."""
        due = int(self.unbonding()[staker])
        if due and day < self._free_from[staker]:
            raise StakingError(f"{self.names[staker]} can withdraw from day {self._free_from[staker]}, not on {day}")
        self._change(staker, 0, UNKNOWN_DAY)
        self.ledger.transfer(self.asset, int(self.escrows[staker]), wallet, due, "unstake")
        return due

    def withdrawable(self, day: int) -> NDArray[np.int64]:
        """Numbers of the stakers who can withdraw something on ``day``."""
        return ((self._unbonding > 0) & (self._free_from <= day)).nonzero()[0]

    def draw(self, stream: np.uint64, day: int, keys: NDArray[np.uint64], size: int) -> NDArray[np.int32]:
        """One committee per key, int32[n, size]; see :func:`sim.contracts.oracle_committee.seats.draw_seats`."""
        return draw_seats(stream, day, keys, self.weights(), size)

    def settle(self, tally: Tally, rest_to: int) -> None:
        """Take from the escrows what the tally says was lost, give what it says is shared, the rest to ``rest_to``."""
        taken = tally.lost.nonzero()[0]
        if not taken.size:
            return
        given = tally.shared.nonzero()[0]
        with self.ledger.atomic():
            self.ledger.collect(self.asset, self.escrows[taken], self.pot, tally.lost[taken], "slash")
            self.ledger.pay(self.asset, self.pot, self.escrows[given], tally.shared[given], "slash_share")
            self.ledger.transfer(self.asset, self.pot, rest_to, tally.rest, "slash_rest")

    def check(self) -> str | None:
        """Invariant: the pot is empty between settlements, and nothing unbonds without a day on which it is free."""
        if left := self.ledger.balance(self.asset, self.pot):
            return f"{left} base units of slashed stake are in nobody's escrow"
        undated = ((self._unbonding > 0) & (self._free_from == UNKNOWN_DAY)).nonzero()[0]
        return f"{self.names[undated[0]]} unbonds without a date" if undated.size else None

    def _change(self, staker: int, unbonding: int, free_from: int) -> None:
        old = (int(self._unbonding[staker]), int(self._free_from[staker]))
        self.ledger.on_rollback(lambda: self._write(staker, *old))
        self._write(staker, unbonding, free_from)

    def _write(self, staker: int, unbonding: int, free_from: int) -> None:
        self._unbonding[staker], self._free_from[staker] = unbonding, free_from
