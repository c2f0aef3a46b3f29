"""Risk adjustment: plans whose members are costlier by what can be observed are paid by the others.

Holds one account, which is empty between settlements, and what each option has received in the running benefit year.
The transfer due to an option follows the idea of the US exchanges (45 CFR 153.320; Pope et al. 2014),

    T = P (needs / sum of needs - ability / sum of abilities),    P = sum of needs

the needs of a plan are what its terms would pay for members of the same risk classes, its ability what they would pay
for the average person, times its members' days and age factors: the part of all costs that the risk of its members asks
for, less the part that its own rates may raise from them. The exchanges take all premium for P; then a year in which
rates were too high pays plans of high risk too much and lowers their rates, the next one too little, and they swing.
What can never be: transfers do not sum to zero, to the unit; a pool pays what it has not. What a pool cannot pay it
still owes at the next settlement of the year. Rounding: charges down, and what is charged is shared exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.kernel.fixedpoint import BPS, share_pot

if TYPE_CHECKING:
    from sim.contracts.insurance.options import Options
    from sim.contracts.insurance.policy import Terms
    from sim.contracts.insurance.pool import InsurancePool
    from sim.kernel.ledger import Ledger

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OLDEST_BAND, MOST_CONDITIONS, MOST_STAYS = 8, 4, 2
AGE_BAND_YEARS = 10
SERVICE_BANDS = np.array([1, 3, 6, 12, 24])


def risk_classes(age: Ints, conditions: Ints, stays: Ints, services: Ints) -> Ints:
    """The class int64[n] of each person by age band, number of diagnosed chronic conditions, hospital stays and number
    of services of the year."""
    classes = np.minimum(age // AGE_BAND_YEARS, OLDEST_BAND)
    classes = classes * (MOST_CONDITIONS + 1) + np.minimum(conditions, MOST_CONDITIONS)
    classes = classes * (MOST_STAYS + 1) + np.minimum(stays, MOST_STAYS)
    return classes * (SERVICE_BANDS.size + 1) + np.searchsorted(SERVICE_BANDS, services, side="right")


def liabilities(costs: Ints, terms: Terms) -> Floats:
    """What an indemnity plan pays of each year's cost of care int64[n], float64[n] base units; 0 for lump sums."""
    covered = np.minimum(costs, terms.annual_limit).astype(np.float64)
    own = np.minimum(covered, terms.deductible)
    own = np.minimum(own + (covered - own) * (terms.coinsurance_bps / BPS), terms.out_of_pocket_max)
    result: Floats = covered - own if not terms.pays_patient else np.zeros(costs.size)
    return result


def needs_and_abilities(
    held: Ints, classes: Ints, days: Floats, factor: Floats, costs: Ints, terms: list[Terms]
) -> tuple[Floats, Floats]:
    """(needs, abilities) of each option, float64[options] base units, from all insured.

    ``held`` int64[n] is each one's option, ``classes`` its risk class, ``days`` of cover this year, ``factor`` the age
    factor, ``costs`` the year's care so far; ``terms`` are the options'.
    """
    needs, abilities = np.zeros(len(terms)), np.zeros(len(terms))
    exposure = np.bincount(classes, weights=days)
    for option, plan in enumerate(terms):
        paid = liabilities(costs, plan)
        by_class = np.bincount(classes, weights=paid) / np.maximum(exposure, 1e-9)
        mine = held == option
        needs[option] = float((by_class[classes[mine]] * days[mine]).sum())
        abilities[option] = float(paid.sum() / max(days.sum(), 1e-9) * (days[mine] * factor[mine]).sum())
    return needs, abilities


def transfers_due(needs: Floats, abilities: Floats) -> Floats:
    """T of each option, float64[options], base units; they sum to zero up to rounding."""
    if needs.sum() <= 0.0 or abilities.sum() <= 0.0:
        return np.zeros(needs.size)
    result: Floats = needs - abilities * (needs.sum() / abilities.sum())
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
