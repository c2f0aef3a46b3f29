"""Takeover: another pool takes the book of one that has failed or is in run-off.

Members move with their contracts and unearned premium; undecided claims and unreported ones move with their reserves.
The money for them is the reserves, or the estate's money shared between these claims and the approved claims that it
could not pay, pro rata; what is missing is the acquirer's loss, and it takes the book only while its capital covers the
threshold with all of it. Claims that were approved stay with the estate, and so do the holders of its shares.

What can never be: a claim or a premium stands in both books or in none; the estate pays more than it has. Rounding: the
estate's payment down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts.insurance.capital import Book
from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.pool_state import PoolState
from sim.kernel.fixedpoint import mul_div


@dataclass(frozen=True, slots=True)
class Takeover:
    """What moved: persons; base units of reserves, and of money for them."""

    source: str
    target: str
    members: int
    reserves: int
    money: int


def estate_payment(estate: InsurancePool, reserves: int) -> int:
    """What the estate can give for ``reserves`` that leave it, base units."""
    money, unpaid = estate.layer_money(), estate.unpaid.total
    if reserves == 0 or money >= reserves + unpaid:
        return reserves
    return min(mul_div(money, reserves, reserves + unpaid), reserves)


def ratio_after(target: InsurancePool, estate: InsurancePool) -> float:
    """The acquirer's capital over what it would need with the estate's book."""
    reserves = estate.reserves.outstanding + estate.reserves.ibnr
    own, other = target.book(), estate.book()
    larger = Book(own.members + other.members, own.annual_premium + other.annual_premium,
                  own.expected_claims + other.expected_claims, own.claim_reserves + reserves,
                  own.active_cover + other.active_cover)
    required = target.regime.desired(larger)
    capital = target.capital + estate_payment(estate, reserves) - reserves
    return capital / required if required else float("inf")


def best_acquirer(pools: list[InsurancePool], estate: int, threshold: float) -> int | None:
    """The pool that would be best capitalised with the estate's book, at least at ``threshold`` x SCR; None without.
    It must be in business, write the same contracts, and in the same region."""
    failed = pools[estate]
    ratios = {index: ratio_after(pool, failed) for index, pool in enumerate(pools)
              if index != estate and pool.state is PoolState.ACTIVE and pool.plans == failed.plans
              and pool.region in (-1, failed.region)}
    able = {index: ratio for index, ratio in ratios.items() if ratio >= threshold}
    return max(able, key=lambda index: (able[index], -index)) if able else None


def hand_over_claims(
    old: InsurancePool, new: InsurancePool, day: int, amounts: NDArray[np.int64], incurred_days: NDArray[np.int64],
    plans: NDArray[np.int64],
) -> None:
    """Move reported claims int64[n] of the pools' ``plans``, and all that is unreported, from one book to another."""
    old.reserves.hand_over(new.reserves, day, amounts, incurred_days)
    old.books.add("outstanding", amounts, plans, -1)
    new.books.add("outstanding", amounts, plans)


def take_over(insurance: Any, claims: Any | None, estate: int, target: int, day: int) -> Takeover:
    """Move the book of pool ``estate`` to pool ``target``; ``claims`` keeps the claims, where there is any."""
    old, new = insurance.pools[estate], insurance.pools[target]
    nothing = np.zeros(0, dtype=np.int64)
    unreported = old.reserves.ibnr
    amounts, incurred, plans = (nothing, nothing, nothing) if claims is None else claims.hand_over(estate, target)
    reserves = int(amounts.sum()) + unreported
    money = estate_payment(old, reserves)
    members = insurance.membership.hand_over(estate, target)
    hand_over_claims(old, new, day, amounts, incurred, plans)
    old.pay_debt(new.accounts.claims, money, "takeover", claims_first=True)
    new.receive("takeover", money)
    return Takeover(old.name, new.name, members, reserves, money)
