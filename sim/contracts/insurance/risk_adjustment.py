"""Risk adjustment: plans whose members are costlier by what can be observed are paid by the others.

Holds one account, which is empty between settlements, and what each option has received in the running benefit year.
The transfer due to an option follows the formula of the US exchanges (45 CFR 153.320; Pope et al. 2014): with member
days m, actuarial value a, mean risk score r and mean age factor f of its members, and P the premium of all,

    T = P (m a r / sum(m a r) - m a f / sum(m a f))

the part of all premium that its members' risk asks for, less the part that its own rates may raise from them. What can
never be: transfers do not sum to zero, to the unit; a pool pays what it has not. What a pool cannot pay it still owes
at the next settlement of the year. Rounding: charges down, and what is charged is shared exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.kernel.fixedpoint import share_pot

if TYPE_CHECKING:
    from sim.contracts.insurance.options import Options
    from sim.contracts.insurance.pool import InsurancePool
    from sim.kernel.ledger import Ledger

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OLDEST_BAND, MOST_CONDITIONS, MOST_STAYS = 8, 4, 2
AGE_BAND_YEARS = 10


def risk_cells(age: Ints, conditions: Ints, stays: Ints) -> Ints:
    """The class int64[n] of each person by age band, number of diagnosed chronic conditions and hospital stays."""
    band = np.minimum(age // AGE_BAND_YEARS, OLDEST_BAND)
    return ((band * (MOST_CONDITIONS + 1) + np.minimum(conditions, MOST_CONDITIONS)) * (MOST_STAYS + 1)
            + np.minimum(stays, MOST_STAYS))


def risk_scores(cells: Ints, cost: Floats, days: Floats) -> Floats:
    """Each person's score float64[n]: mean cost a day of its class over the mean of all; 1 where nobody cost anything.

    ``cells`` int64[n] are classes, ``cost`` float64[n] of care in ``days`` float64[n] of cover, of all insured.
    """
    total, exposure = np.bincount(cells, weights=cost), np.bincount(cells, weights=days)
    if cost.sum() <= 0.0:
        return np.ones(cells.size)
    score = total / np.maximum(exposure, 1e-9) / (cost.sum() / days.sum())
    result: Floats = score[cells]
    return result


def transfers_due(premium: int, days: Floats, value: Floats, score: Floats, factor: Floats) -> Floats:
    """T of each option, float64[options], base units; they sum to zero up to rounding. ``days`` is members' days,
    ``value`` actuarial value, ``score`` and ``factor`` means over the members."""
    needs, ability = days * value * score, days * value * factor
    if needs.sum() <= 0.0 or ability.sum() <= 0.0:
        return np.zeros(days.size)
    result: Floats = premium * (needs / needs.sum() - ability / ability.sum())
    return result


class RiskAdjustment:
    """The fund. ``received`` int64[options] is the running year's, ``gross`` all that was ever charged, base units."""

    def __init__(self, ledger: Ledger, asset: int, pools: list[InsurancePool], options: Options) -> None:
        self.ledger = ledger
        self.asset = asset
        self.pools = pools
        self.options = options
        self.account = ledger.open_account("risk_adjustment", "insurers")
        self.received: Ints = np.zeros(len(options), dtype=np.int64)
        self.gross = 0

    def settle(self, due: Floats) -> Ints:
        """Bring what was received to ``due`` float64[options], as far as those who owe can pay; returns the transfers
        of today, int64[options], which sum to zero."""
        gap = due - self.received
        charged = np.array([self._charge(option, int(-amount)) if amount < 0.0 else 0
                            for option, amount in enumerate(gap.tolist())], dtype=np.int64)
        pot = int(charged.sum())
        claims = np.where(gap > 0.0, 2 * np.ceil(np.maximum(gap, 0.0)), 0.0).astype(np.int64)
        order = np.arange(claims.size, dtype=np.uint64)
        paid = share_pot(pot, claims, order) if pot else np.zeros_like(claims)
        for option in np.flatnonzero(paid):
            pool = self.pools[self.options.pool[option]]
            self.ledger.transfer(self.asset, self.account, pool.accounts.claims, int(paid[option]), "risk_payment")
            pool.transfer_risk(int(self.options.plan[option]), int(paid[option]))
        today = paid - charged
        self.received += today
        self.gross += pot
        return today

    def _charge(self, option: int, amount: int) -> int:
        """Take ``amount``, or what the claims fund and surplus hold of it, from an option's pool; returns it."""
        pool = self.pools[self.options.pool[option]]
        taken = 0
        for account in (pool.accounts.claims, pool.accounts.surplus):
            part = min(amount - taken, pool.cash(account))
            if part > 0:
                self.ledger.transfer(self.asset, account, self.account, part, "risk_charge")
                taken += part
        if taken:
            pool.transfer_risk(int(self.options.plan[option]), -taken)
        return taken

    def close_year(self) -> None:
        """A new benefit year begins: nothing is carried over."""
        self.received = np.zeros(len(self.options), dtype=np.int64)

    def check(self) -> str | None:
        """Invariant: the year's transfers sum to zero and the fund is empty between settlements."""
        held, total = self.ledger.balance(self.asset, self.account), int(self.received.sum())
        return f"holds {held} and has paid out {total} more than it charged" if held or total else None
