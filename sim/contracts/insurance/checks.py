"""Invariants of pools: each a small function, named for what it protects, that says what is broken or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from sim.contracts.insurance.pool import InsurancePool
from sim.contracts.insurance.statement import statement_ties_to_ledger

if TYPE_CHECKING:
    from sim.kernel.columns import Columns

PoolCheck = Callable[[InsurancePool], "str | None"]


def unearned_equals_balance(pool: InsurancePool) -> str | None:
    """Scheduled unearned premium == balance of the unearned account."""
    held, scheduled = pool.cash(pool.accounts.unearned), pool.unearned.total
    return None if held == scheduled else f"holds {held} of unearned premium and schedules {scheduled}"


def waterfall_adds_up(pool: InsurancePool) -> str | None:
    """What the layers bore plus what is unpaid == what was approved; nothing borne twice."""
    t = pool.totals
    borne = sum(t.by_layer.values())
    if borne != t.paid or borne + pool.unpaid.total != t.approved:
        return f"layers bore {borne}, unpaid {pool.unpaid.total}, approved {t.approved}, paid {t.paid}"
    return None


def no_unit_lost(pool: InsurancePool) -> str | None:
    """Balances of the money layers == earned premium less fees, plus deposits and exchanges, less what was paid out."""
    a, t = pool.accounts, pool.totals
    held = sum(pool.cash(account) for account in (a.claims, a.surplus, a.junior, a.senior))
    expected = (t.earned - t.fees + t.deposited - t.paid - t.withdrawn - t.dividends - t.rebates + t.transfers
                + sum(t.exchanged.values()))
    if held != expected:
        return f"holds {held}, and its books say {expected}"
    if t.written != t.earned + pool.unearned.total:
        return f"wrote {t.written}, earned {t.earned}, and {pool.unearned.total} is unearned"
    return None


def plans_add_up(pool: InsurancePool) -> str | None:
    """Members, premium, claims and transfers of the plans == those of the pool."""
    books, t = pool.books, pool.totals
    pairs = {"members": (books.members, pool.members), "monthly premium": (books.monthly_premium, pool.monthly_premium),
             "approved claims": (books.approved, t.approved), "earned premium": (pool.unearned.earned, t.earned),
             "reported claims": (books.outstanding, pool.reserves.outstanding),
             "transfers": (books.transfers, t.transfers)}
    for what, (by_plan, total) in pairs.items():
        if int(by_plan.sum()) != total:
            return f"has {what} of {total}, its plans {by_plan.tolist()}"
    return None


def escrow_equals_queue(pool: InsurancePool) -> str | None:
    """Shares in escrow == shares of open requests, and requests stand in order of arrival."""
    escrow = pool.ledger.balance(pool.senior.share, pool.accounts.escrow)
    waiting = [request.shares for request in pool.queue]
    numbers = [request.number for request in pool.queue]
    if escrow != sum(waiting) or escrow != pool.queue.pending:
        return f"holds {escrow} shares in escrow for requests of {sum(waiting)}"
    return None if numbers == sorted(numbers) else "serves requests out of order"


def reserves_are_not_negative(pool: InsurancePool) -> str | None:
    """Outstanding, unreported and unpaid claims are amounts."""
    r = pool.reserves
    return None if min(r.outstanding, r.ibnr, pool.unpaid.total) >= 0 else "has a negative reserve"


def defaulted_pools_write_nothing(pool: InsurancePool) -> str | None:
    """A pool with unpaid claims is in run-off or closed."""
    return "has unpaid claims and is still in business" if pool.unpaid.total and pool.run_off_since is None else None


CHECKS: dict[str, PoolCheck] = {
    "unearned_equals_balance": unearned_equals_balance,
    "waterfall_adds_up": waterfall_adds_up,
    "no_unit_lost": no_unit_lost,
    "plans_add_up": plans_add_up,
    "escrow_equals_queue": escrow_equals_queue,
    "reserves_are_not_negative": reserves_are_not_negative,
    "defaulted_pools_write_nothing": defaulted_pools_write_nothing,
    "statement_ties_to_ledger": statement_ties_to_ledger,
}


def first_broken(pools: list[InsurancePool], check: PoolCheck) -> str | None:
    """The first pool's complaint, with its name."""
    for pool in pools:
        if (sentence := check(pool)) is not None:
            return f"{pool.name} {sentence}"
    return None


def members_are_counted(pools: list[InsurancePool], people: Columns) -> str | None:
    """Each pool's count of members and their premium == the people's columns, plan by plan."""
    column = people["pool"]
    for index, pool in enumerate(pools):
        mine = np.flatnonzero(column == index)
        counted, due = mine.size, int(people["monthly_due"][mine].sum())
        if counted != pool.members or due != pool.monthly_premium:
            return f"{pool.name} counts {pool.members} members, the people say {counted}"
        by_plan = np.bincount(people["plan"][mine], minlength=len(pool.plans))
        if by_plan.tolist() != pool.books.members.tolist():
            return f"{pool.name} counts {pool.books.members.tolist()} members by plan, the people {by_plan.tolist()}"
    return None


def pool_checks(pools: list[InsurancePool], people: Columns) -> Iterable[tuple[str, Callable[[], str | None]]]:
    """(name, check) of every invariant over all pools."""
    for name, check in CHECKS.items():
        yield f"insurance.{name}", lambda check=check: first_broken(pools, check)  # type: ignore[misc]
    yield "insurance.members_are_counted", lambda: members_are_counted(pools, people)
