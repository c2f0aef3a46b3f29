"""Operators of the claims committees: their stakes, what a seat puts at risk, and their pay from the oracle fees.

What can never be: a reward that the fee account does not hold (nothing is minted; what is owed is recorded and paid
when money comes in), or an operator paid more than it is owed. Too small a fund is shared pro rata, exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sim.contracts.oracle_committee.payout import Tally
from sim.contracts.oracle_committee.rules import at_stake
from sim.contracts.staking import Staking
from sim.kernel.fixedpoint import BPS, share_pot

if TYPE_CHECKING:
    from sim.kernel.ledger import Ledger

Slashing = Literal["at_stake", "share_of_stake"]


class Operators:
    """Registered operators, numbered as in ``staking``.

    Parameters
    ----------
    ledger, usd: rewards are paid in ``usd``.
    staking: the stakes.
    fees: account that rewards come from.
    """

    def __init__(self, ledger: Ledger, usd: int, staking: Staking, fees: int) -> None:
        self.ledger = ledger
        self.usd = usd
        self.staking = staking
        self.fees = fees
        self.wallets: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.keys: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        self.owed: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return self.wallets.size

    def register(self, name: str, wallet: int, key: np.uint64) -> int:
        """Add an operator with its wallet and permanent key; its number."""
        number = self.staking.add(name)
        self.wallets = np.append(self.wallets, np.int64(wallet))
        self.keys = np.append(self.keys, np.uint64(key))
        self.owed = np.append(self.owed, np.int64(0))
        return number

    def at_stake(self, rule: Slashing, share_bps: int) -> NDArray[np.int64]:
        """Base units of stake that each operator has at risk per seat, int64[operators].

        ``at_stake``: a share of the minimum stake, equal for all (Kleros). ``share_of_stake``: a share of what each
        has staked (UMA). Both floored, in the operator's favour.
        """
        if rule == "at_stake":
            return np.full(len(self), at_stake(self.staking.minimum, share_bps), dtype=np.int64)
        stakes = self.staking.stakes()
        return stakes // BPS * share_bps + stakes % BPS * share_bps // BPS

    def pay(self, tally: Tally, reward: int) -> int:
        """Pay ``reward`` base units per coherent vote, and what is owed from before, out of the fee account.

        Returns what was paid; :attr:`owed` keeps what the account could not pay.
        """
        due = tally.coherent * reward + self.owed
        fund = self.ledger.balance(self.usd, self.fees)
        paid = due if int(due.sum()) <= fund else share_pot(fund, due, self.keys)
        rows = paid.nonzero()[0]
        if rows.size:
            self.ledger.pay(self.usd, self.fees, self.wallets[rows], paid[rows], "oracle_reward")
        self.owed = due - paid
        return int(paid.sum())
